"""Scores against numbers derived by hand, and against direct loops that share no code with them."""

import numpy as np
import pytest

from deepcams.evaluation import metrics
from deepcams.evaluation.bootstrap import Difference, differences
from deepcams.evaluation.metrics import POINTWISE, Matched

BY_HAND = Matched(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]), np.array([1.0, 2.0, 1.0]))


@pytest.fixture
def fields():
    """Prediction, truth and weights (30, 40), with NaN in each of the first two."""
    generator = np.random.default_rng(1)
    target = np.exp(generator.normal(2, 1, (30, 40)))
    prediction = target * np.exp(generator.normal(0, 0.2, target.shape))
    prediction[2, 3], target[5, 6] = np.nan, np.nan
    return prediction, target, generator.uniform(0.5, 1, target.shape)


@pytest.fixture
def cells(fields):
    return metrics.matched(*fields, np.ones((30, 40), bool))[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bias", 0.0),  # (0 - 2 + 2) / 4
        ("mae", 1.0),  # (0 + 2 + 2) / 4
        ("rmse", 1.5**0.5),  # (0 + 2 + 4) / 4
        ("log_rmse", ((2 * np.log(2.05 / 3.05) ** 2 + np.log(4.05 / 2.05) ** 2) / 4) ** 0.5),
        ("r", 0.1875 / (1.1875 * 0.6875) ** 0.5),  # means 2.25 and 2.25; py 5.25, pp 6.25, yy 5.75, less 5.0625
    ],
)
def test_pointwise_scores_by_hand(name, value):
    assert POINTWISE[name](metrics.sums(BY_HAND)) == pytest.approx(value, abs=1e-12)


def test_pointwise_scores_by_loops(fields):
    cells, _ = metrics.matched(*fields, np.ones((30, 40), bool))
    total = weight = 0.0
    pairs = []
    for p, y, w in zip(*(one.ravel() for one in fields), strict=True):
        if p == p and y == y:
            total, weight = total + w * (p - y) ** 2, weight + w
            pairs.append((p, y, w))
    assert metrics.rmse(metrics.sums(cells)) == pytest.approx((total / weight) ** 0.5)
    p, y, w = np.array(pairs).T
    covariance = np.cov(p, y, aweights=w)
    assert metrics.correlation(metrics.sums(cells)) == pytest.approx(
        covariance[0, 1] / np.sqrt(np.prod(np.diag(covariance)))
    )


def test_only_cells_known_in_both_and_asked_for_are_matched(fields):
    asked = np.ones((30, 40), bool)
    asked[0] = False
    cells, chosen = metrics.matched(*fields, asked)
    assert chosen.sum() == cells.weights.size == 29 * 40 - 2
    assert np.isfinite(cells.prediction).all()


def test_sums_add_up_over_groups(cells):
    labels = np.arange(cells.weights.size) % 7
    groups = metrics.group_sums(metrics.terms(cells), cells.weights, labels, 9)
    np.testing.assert_allclose(groups.sum(axis=0), metrics.sums(cells))
    np.testing.assert_allclose(groups[3], metrics.sums(Matched(*(one[labels == 3] for one in cells))))
    assert not groups[7:].any()


def test_a_constant_has_no_correlation():
    assert np.isnan(metrics.correlation(metrics.sums(Matched(np.ones(3), np.arange(3.0), np.ones(3)))))


def test_psnr_by_hand():
    assert metrics.psnr(1.0, 10.0) == pytest.approx(20)
    assert metrics.psnr(0.0, 10.0) == np.inf


def test_the_99th_percentile_and_the_top_percent(cells):
    table = metrics.tail_table(cells)

    def percentile(values):
        order = np.argsort(values)
        share = np.cumsum(cells.weights[order]) / cells.weights.sum()
        return values[order][np.searchsorted(share, 0.99)]

    wanted = percentile(cells.prediction) / percentile(cells.target) - 1
    assert metrics.percentile_error(table) == pytest.approx(wanted, abs=0.01)
    order = np.argsort(cells.target)[::-1]
    before = np.cumsum(cells.weights[order]) - cells.weights[order]
    share = np.clip((0.01 * cells.weights.sum() - before) / cells.weights[order], 0, 1) * cells.weights[order]
    wanted = share @ cells.prediction[order] / (share @ cells.target[order]) - 1
    assert metrics.top_bias(table) == pytest.approx(wanted, abs=1e-9)


def test_tails_of_a_prediction_10_percent_too_high():
    target = np.linspace(1, 100, 1000)
    table = metrics.tail_table(Matched(1.1 * target, target, np.ones(1000)))
    assert metrics.percentile_error(table) == pytest.approx(0.1, abs=0.005)
    assert metrics.top_bias(table) == pytest.approx(0.1)


def test_ssim_by_loops(fields):
    prediction, target, weights = fields
    chosen = np.isfinite(prediction) & np.isfinite(target)
    total = weight = 0.0
    for row in range(3, 27):
        for column in range(3, 37):
            window = np.s_[row - 3 : row + 4, column - 3 : column + 4]
            if not chosen[window].all():
                continue
            p, y = (np.log((one[window] + 0.05) / 0.05) for one in (prediction, target))
            c1, c2 = ((k * np.log(500.05 / 0.05)) ** 2 for k in (0.01, 0.03))
            covariance = np.cov(p.ravel(), y.ravel(), bias=True)
            local = (2 * p.mean() * y.mean() + c1) * (2 * covariance[0, 1] + c2)
            local /= (p.mean() ** 2 + y.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
            total, weight = total + weights[row, column] * local, weight + weights[row, column]
    found = metrics.ssim_sums(prediction, target, weights, chosen, periodic=False)
    np.testing.assert_allclose(found, [total, weight])


def test_ssim_of_a_perfect_prediction_is_1_and_wraps(fields):
    target = np.nan_to_num(fields[1], nan=1.0)
    everywhere = np.ones(target.shape, bool)
    total, weight = metrics.ssim_sums(target, target, np.ones(target.shape), everywhere, periodic=True)
    assert total == pytest.approx(weight)
    assert weight == 24 * 40  # all columns count, the rows at the edges do not


def test_power_of_a_wave_of_half_the_amplitude():
    longitude = np.deg2rad(0.25 * np.arange(1440))
    target = 5 + np.cos(300 * longitude) * np.ones((4, 1))
    prediction = 5 + 0.5 * np.cos(300 * longitude) * np.ones((4, 1))
    target[2, 7] = np.nan
    power = metrics.zonal_power(prediction, target, np.array([1.0, 2.0, 3.0, 1.0]))
    assert metrics.band_ratio(power, 240, 720) == pytest.approx(0.25)
    assert power[1, 300] == pytest.approx(4 * 720**2)  # three complete circles that weigh 1 + 2 + 1


def test_power_that_no_grid_or_circle_tells():
    assert np.isnan(metrics.band_ratio(np.ones((2, 241)), 240, 720))
    assert metrics.band_ratio(np.ones((2, 241)), 120, 240) == 1
    hole = np.full((2, 480), np.nan)
    assert np.isnan(metrics.band_ratio(metrics.zonal_power(hole, hole, np.ones(2)), 120, 240))


def test_conservation_error_is_the_worst_known_cell():
    coarse = np.array([10.0, 20.0, 0.0, np.nan])
    assert metrics.conservation_error(np.array([11.0, 19.0, 5.0, 1.0]), coarse) == pytest.approx(0.1)
    assert np.isnan(metrics.conservation_error(np.array([np.nan]), np.array([1.0])))


def blocks(errors):
    """(blocks, 10) sums of blocks of weight 1 with the given error in each."""
    return np.array([metrics.sums(Matched(np.array([10 + e]), np.array([10.0]), np.ones(1))) for e in errors])


def test_the_bootstrap_tells_a_clear_difference_from_noise():
    errors = np.random.default_rng(0).normal(0, 1, 200)
    noise = errors * np.random.default_rng(1).choice([-1.2, 0.8], 200)
    contenders = np.stack([blocks(0.5 * errors), blocks(1.5 * errors), blocks(noise), blocks(errors)])
    half, more, alike, same = differences(contenders, blocks(errors), {"rmse": metrics.rmse}, repeats=300)["rmse"]
    assert (half.value, half.low, half.high) == pytest.approx((-0.5, -0.5, -0.5))
    assert half.verdict("X") == "better than X by 50.0 to 50.0 %"
    assert more.verdict("X") == "worse than X by 50.0 to 50.0 %"
    assert alike.low < 0 < alike.high
    assert alike.verdict("X") == same.verdict("X") == "no better than X"


def test_the_bootstrap_has_the_width_of_theory_and_is_repeatable():
    errors = np.random.default_rng(2).exponential(1, (2, 400))
    pair = blocks(errors[0])[None], blocks(errors[1])
    found = [differences(*pair, {"mae": metrics.mae}, repeats=2000)["mae"][0] for _ in range(2)]
    assert found[0] == found[1]
    ratio = errors[0].mean() / errors[1].mean()
    spread = np.std(errors[0] - ratio * errors[1]) / errors[1].mean() / 400**0.5
    assert found[0].high - found[0].low == pytest.approx(2 * 1.96 * spread, rel=0.1)
    assert found[0].value == pytest.approx(ratio - 1)


def test_blocks_without_weight_are_not_drawn():
    errors = blocks([1.0, 2.0, 3.0, 4.0])
    padded = np.concatenate([errors, np.zeros((50, 10))])
    assert differences(padded[None], padded, {"mae": metrics.mae}, repeats=20) == {"mae": [Difference(0, 0, 0)]}


def test_too_few_blocks_have_a_difference_but_no_interval():
    errors = blocks([1.0, 2.0, 3.0])
    (found,) = differences(4 * errors[None], errors, {"bias": lambda total: total[..., 2]}, repeats=20)["bias"]
    assert found.value == 3
    assert np.isnan([found.low, found.high]).all()
    assert not found.worse
    assert found.verdict("X") == "not known against X: too few blocks"
