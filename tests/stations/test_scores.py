"""Scores of pairs: by hand, against scipy and pandas, under changes that must not matter, and where nothing is known."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from deepcams.stations.scores import FROM_SUMS, SCORES, Order, Sums, grouped, scores, sums


def some(size=500, seed=0, noise=6.0):
    """Observations with a few negative ones and many equal ones, and a product that is related to them."""
    rng = np.random.default_rng(seed)
    observed = np.round(rng.gamma(2.0, 8.0, size) + rng.normal(0, 2, size))
    predicted = np.clip(0.6 * observed + 5 + rng.normal(0, noise, size), 0, None)
    return observed.astype(np.float32), predicted.astype(np.float32)


def test_numbers_derived_by_hand():
    found = scores(np.array([1.0, 2, 3, 4]), np.array([2.0, 2, 5, 3]))
    r, alpha, beta = 3 / np.sqrt(30), np.sqrt(6 / 5), 12 / 10
    wanted = {
        "n": 4, "observed": 2.5, "predicted": 3, "bias": 0.5, "mae": 1, "rmse": np.sqrt(6 / 4), "nmb": 0.2,
        "fb": (2 / 3 + 1 / 2 - 2 / 7) / 4, "fe": (2 / 3 + 1 / 2 + 2 / 7) / 4, "ioa": 1 - 6 / 18, "fac2": 1, "r": r,
        "spearman": 3.5 / np.sqrt(5 * 4.5), "sd_ratio": alpha, "slope": 0.6, "intercept": 1.5,
        "kge": 1 - np.sqrt((r - 1) ** 2 + (alpha - 1) ** 2 + (beta - 1) ** 2),
    }  # fmt: skip
    assert found == pytest.approx(wanted, rel=1e-12)
    assert found.keys() == {"n", *SCORES}


def test_against_scipy():
    observed, predicted = some()
    found = scores(observed, predicted)
    o, p = observed.astype(float), predicted.astype(float)
    line = stats.linregress(o, p)
    assert found["r"] == pytest.approx(stats.pearsonr(o, p)[0], rel=1e-12)
    assert found["spearman"] == pytest.approx(stats.spearmanr(o, p)[0], rel=1e-12)
    assert (found["slope"], found["intercept"]) == pytest.approx((line.slope, line.intercept), rel=1e-12)
    assert found["sd_ratio"] == pytest.approx(p.std() / o.std(), rel=1e-12)


def test_negative_and_zero_observations_are_kept():
    observed, predicted = np.array([-2.0, 0, 0, 4]), np.array([1.0, 0, 3, 8])
    found = scores(observed, predicted)
    assert found["fac2"] == 1 / 4  # only 4 has a factor, and 8 is just within
    assert found["fb"] == pytest.approx((2 + 0 + 2 + 2 * 4 / 12) / 4)
    assert found["fe"] == found["fb"]
    assert found["bias"] == 10 / 4
    assert found["nmb"] == 10 / 2


@pytest.mark.parametrize(("predicted", "within"), [(4.999, 0), (5, 1), (20, 1), (20.001, 0)])
def test_a_factor_of_two_includes_its_ends(predicted, within):
    assert SCORES["fac2"](np.array([10.0]), np.array([predicted])) == within


def test_a_perfect_product():
    observed, _ = some()
    best = dict.fromkeys(("r", "spearman", "ioa", "kge", "sd_ratio", "slope"), 1.0)
    best |= dict.fromkeys(("rmse", "mae", "bias", "nmb", "fb", "fe", "intercept"), 0.0)
    found = scores(observed, observed)
    assert {name: found[name] for name in best} == pytest.approx(best, abs=1e-12)


def test_one_by_name_is_the_same_as_all():
    observed, predicted = some(50)
    found = scores(observed, predicted)
    assert {name: score(observed, predicted) for name, score in SCORES.items()} == {
        name: found[name] for name in SCORES
    }


def test_groups_are_what_pandas_finds():
    observed, predicted = some(2000)
    labels = np.random.default_rng(1).integers(0, 40, 2000)
    found = grouped(observed, predicted, labels, 40)
    table = pd.DataFrame({"o": observed.astype(float), "p": predicted.astype(float)})
    for group, part in table.groupby(labels):
        error = part.p - part.o
        wanted = {
            "observed": part.o.mean(), "predicted": part.p.mean(), "r": part.o.corr(part.p),
            "spearman": part.o.corr(part.p, method="spearman"), "rmse": (error**2).mean() ** 0.5,
            "mae": error.abs().mean(), "bias": error.mean(), "nmb": error.sum() / part.o.sum(),
            "ioa": 1 - (error**2).sum() / (((part.p - part.o.mean()).abs() + (part.o - part.o.mean()).abs()) ** 2).sum(),
            "fac2": ((part.o > 0) & (part.p / part.o).between(0.5, 2)).mean(),
        }  # fmt: skip
        assert {name: found[name][group] for name in wanted} == pytest.approx(wanted, rel=1e-9)


def test_sums_of_blocks_add_up():
    observed, predicted = some(300)
    blocks = np.arange(300) % 7
    parts = sums(observed, predicted, blocks, 7, together=True)
    total = Sums(parts.total.sum(axis=0), parts.observed, parts.predicted)
    for name, score in FROM_SUMS.items():
        assert score(total) == pytest.approx(SCORES[name](observed, predicted), rel=1e-10), name


def test_nothing_is_lost_far_from_zero():
    rng = np.random.default_rng(0)
    observed = rng.normal(0, 1, 1000)
    predicted = observed + rng.normal(0, 1, 1000)
    far = scores(observed + 1e6, predicted + 1e6)
    assert far["r"] == pytest.approx(scores(observed, predicted)["r"], rel=1e-8)


LISTS = st.lists(st.tuples(st.integers(-3, 300), st.integers(0, 300)), min_size=3, max_size=40)


@settings(max_examples=60, deadline=None)
@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(pairs, random):
    mixed = random.sample(pairs, len(pairs))
    one, other = (scores(*np.array(some, float).T) for some in (pairs, mixed))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(LISTS, st.sampled_from([0.25, 2.0, 8.0]))
def test_another_unit_changes_only_what_has_a_unit(pairs, factor):
    observed, predicted = np.array(pairs, float).T
    one, other = scores(observed, predicted), scores(factor * observed, factor * predicted)
    scaled = {"observed", "predicted", "rmse", "mae", "bias", "intercept"}
    wanted = {name: value * (factor if name in scaled else 1) for name, value in one.items()}
    assert other == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(LISTS)
def test_scores_stay_in_their_range(pairs):
    found = scores(*np.array(pairs, float).T)
    for name, low, high in (
        ("r", -1, 1),
        ("spearman", -1, 1),
        ("ioa", 0, 1),
        ("fac2", 0, 1),
        ("fb", -2, 2),
        ("fe", 0, 2),
    ):
        assert np.isnan(found[name]) or low - 1e-9 <= found[name] <= high + 1e-9, name
    assert abs(found["bias"]) <= found["mae"] + 1e-9 <= found["rmse"] + 2e-9


def test_unknown_scores_are_nan_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = scores(np.empty(0, np.float32), np.empty(0, np.float32))
        two = scores(np.array([1.0, 2]), np.array([2.0, 3]))
        constant = scores(np.full(50, 0.1, np.float32), np.arange(50, dtype=np.float32))
        flat = scores(np.arange(50, dtype=np.float32), np.full(50, 0.1, np.float32))
        same = scores(np.full(50, 0.1, np.float32), np.full(50, 0.1, np.float32))
        zeros = scores(np.zeros(5), np.zeros(5))
        negative = scores(np.array([-1.0, -2, -3]), np.array([1.0, 2, 4]))
    assert nothing.pop("n") == 0
    assert np.isnan(list(nothing.values())).all()
    unknown = {"r", "spearman", "kge", "sd_ratio", "slope", "intercept"}
    assert {name for name, value in two.items() if np.isnan(value)} == unknown
    assert two["bias"] == 1
    assert {name for name, value in constant.items() if np.isnan(value)} == unknown
    assert {name for name, value in flat.items() if np.isnan(value)} == {"r", "spearman", "kge"}
    assert flat["sd_ratio"] == 0
    assert {name for name, value in same.items() if np.isnan(value)} == unknown | {"ioa"}
    assert {name for name, value in zeros.items() if np.isnan(value)} == unknown | {"ioa", "nmb"}
    assert {name for name, value in negative.items() if np.isnan(value)} == {"nmb", "kge"}


def test_an_empty_group_knows_nothing():
    observed, predicted = some(20)
    found = grouped(observed, predicted, np.full(20, 1), 3)
    assert all(np.isnan(value[[0, 2]]).all() and np.isfinite(value[1]) for value in found.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60))
def test_ranks_are_those_of_scipy_within_groups(pairs):
    values, labels = np.array(pairs).T
    ranks = Order(values.astype(np.float32)).ranks(labels)
    for group in np.unique(labels):
        own = ranks[labels == group]
        wanted = stats.rankdata(values[labels == group])
        np.testing.assert_array_equal(own - own.mean(), wanted - wanted.mean())
