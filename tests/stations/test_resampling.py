"""The bootstrap: its spread against known standard errors, what it does with few blocks, and paired differences."""

import numpy as np
import pytest

from deepcams.stations.resampling import (
    COMPARED,
    INTERVALS,
    NONE_SHOWN,
    TOO_FEW,
    _counts,
    _draw,
    _verdict,
    resample,
    weeks_of,
)
from deepcams.stations.scores import FROM_SUMS, SCORES
from deepcams.stations.table import Pairs

WEEK = 7  # days, and pairs here: a daily pair each


@pytest.fixture
def pairs(observations):
    """Make pairs of days from (stations, days) values; the first day is a Monday."""

    def make(observed, **products):
        made = observations(observed, start="2024-04-01T00:00", period=1440)
        return Pairs(made, {name: np.asarray(values, np.float32).ravel() for name, values in products.items()})

    return make


@pytest.fixture
def errors(pairs):
    """Make pairs whose errors have parts of the station, of the week, and of their own."""

    def make(stations, weeks, of_station=1.0, of_week=1.0, own=0.5, seed=0):
        rng = np.random.default_rng(seed)
        observed = rng.gamma(4, 5, (stations, WEEK * weeks))
        common = of_station * rng.normal(size=(stations, 1)) + of_week * np.repeat(rng.normal(size=weeks), WEEK)
        return pairs(observed, CAMS=observed + common + own * rng.normal(size=observed.shape))

    return make


def test_weeks_go_from_monday_to_sunday():
    days = np.arange("1969-12-29", "1970-01-26", dtype="datetime64[D]").astype("datetime64[m]")
    assert weeks_of(days).tolist() == [0] * 7 + [1] * 7 + [2] * 7 + [3] * 7
    assert weeks_of(np.array(["2024-04-07T23:59", "2024-04-08T00:00"], "datetime64[m]")).tolist() == [2831, 2832]


@pytest.mark.parametrize(("of_station", "of_week"), [(1.0, 1.0), (2.0, 0.2), (0.2, 2.0)])
def test_the_width_is_that_of_the_standard_error(errors, of_station, of_week):
    """Of the mean error: sqrt(a^2 / stations + b^2 / weeks) with the parts as they were drawn, and little of its own."""
    made = errors(60, 50, of_station, of_week, own=0.1)
    error = (made.products["CAMS"] - made.observations.value).astype(float).reshape(60, 50, WEEK).mean(axis=2)
    wanted = np.sqrt(error.mean(axis=1).var() / 60 + error.mean(axis=0).var() / 50)
    found = resample(made, repeats=2000)
    assert FROM_SUMS["bias"](found.drawn["CAMS"]).std() == pytest.approx(wanted, rel=0.08)
    low, high = found.intervals()["CAMS"]["bias"]
    assert high - low == pytest.approx(2 * 1.96 * wanted, rel=0.1)
    assert low < error.mean() < high


def test_the_interval_covers_the_truth_as_often_as_it_says(errors):
    """Errors have the mean 0; the bootstrap may be a little careful, or short with so few."""
    covered = []
    for seed in range(60):
        low, high = resample(errors(20, 15, seed=seed), repeats=200, seed=seed).intervals()["CAMS"]["bias"]
        covered.append(low < 0 < high)
    assert np.mean(covered) >= 0.85


def test_sums_are_those_of_the_pairs_that_were_drawn(errors):
    """Every draw is the score of all pairs, each repeated as often as its station times as often as its week."""
    made = errors(7, 9)
    found = resample(made, repeats=5, seed=3)
    rng = np.random.default_rng(3)
    of_station, of_week = (_counts(rng, size, 5, kept=False) for size in (7, 9))
    week = weeks_of(made.observations.begin)
    for draw in range(5):
        times = of_station[made.observations.station, draw] * of_week[week - week.min(), draw]
        observed, predicted = (np.repeat(one, times) for one in (made.observations.value, made.products["CAMS"]))
        for name in INTERVALS:
            wanted = SCORES[name](observed, predicted)
            assert FROM_SUMS[name](found.drawn["CAMS"])[draw] == pytest.approx(wanted, rel=1e-9), name


def test_whole_sums_are_those_of_all_pairs(errors):
    made = errors(6, 9)
    whole = resample(made, repeats=2).whole["CAMS"]
    for name in INTERVALS:
        wanted = SCORES[name](made.observations.value, made.products["CAMS"])
        assert FROM_SUMS[name](whole) == pytest.approx(wanted, rel=1e-10)


def test_a_seed_gives_the_same_again(errors):
    made = errors(6, 9)
    assert resample(made, repeats=50).intervals() == resample(made, repeats=50).intervals()
    assert resample(made, repeats=50, seed=1).intervals() != resample(made, repeats=50, seed=2).intervals()


def test_few_weeks_are_kept(errors):
    made = errors(40, 7, of_station=1.0, of_week=3.0, own=0.1)
    found = resample(made, repeats=1000)
    error = (made.products["CAMS"] - made.observations.value).astype(float).reshape(40, -1)
    wanted = error.mean(axis=1).std() / np.sqrt(40)
    assert FROM_SUMS["bias"](found.drawn["CAMS"]).std() == pytest.approx(wanted, rel=0.1)
    assert "the choice of stations alone" in found.notes[0]
    assert "40 stations and 7 weeks" in found.notes[0]


def test_few_stations_are_kept(errors):
    made = errors(4, 60, of_station=3.0, of_week=1.0, own=0.1)
    found = resample(made, repeats=1000)
    error = (made.products["CAMS"] - made.observations.value).astype(float).reshape(4, 60, WEEK)
    wanted = error.mean(axis=(0, 2)).std() / np.sqrt(60)
    assert FROM_SUMS["bias"](found.drawn["CAMS"]).std() == pytest.approx(wanted, rel=0.1)
    assert "the choice of weeks alone" in found.notes[0]


def test_few_of_both_tell_nothing(pairs):
    observed = np.random.default_rng(0).gamma(4, 5, (4, 49))
    found = resample(pairs(observed, CAMS=observed + 3, DeepCAMS=observed), repeats=10)
    assert found.drawn is None
    assert np.isnan([found.intervals()["CAMS"][name] for name in INTERVALS]).all()
    for one in found.paired("DeepCAMS", "CAMS"):
        assert one.verdict == TOO_FEW
        assert np.isnan([one.low, one.high]).all()
    assert {one.score: one.difference for one in found.paired("DeepCAMS", "CAMS")}["rmse"] == pytest.approx(
        -3, rel=1e-6
    )
    assert "too few" in found.notes[0]


def test_enough_of_both_need_no_note(errors):
    found = resample(errors(5, 8), repeats=2)
    assert (found.notes, found.kept) == ((), "")
    assert resample(errors(5, 7), repeats=2).kept == "weeks"
    assert resample(errors(4, 8), repeats=2).kept == "stations"


def test_two_products_without_a_bias_do_not_differ_by_it(pairs):
    """Errors a third as large have a third of the bias in every draw; if the true one is 0, that is no merit."""
    verdicts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        observed = rng.gamma(4, 5, (8, 70))
        error = rng.normal(0, 3, observed.shape)
        found = resample(pairs(observed, CAMS=observed + error, DeepCAMS=observed + error / 3), repeats=200)
        one = {one.score: one for one in found.paired("DeepCAMS", "CAMS")}
        assert one["rmse"].verdict == "better"
        verdicts.append(one["bias"].verdict)
        assert (one["bias"].low <= 0 <= one["bias"].high) == (one["bias"].verdict == NONE_SHOWN)
    assert verdicts.count(NONE_SHOWN) >= 17


def test_an_equal_product_is_no_different(pairs):
    rng = np.random.default_rng(0)
    observed = rng.gamma(4, 5, (9, 70))
    product = observed + rng.normal(0, 3, observed.shape)
    found = resample(pairs(observed, CAMS=product, other=product + 1, DeepCAMS=product), repeats=200)
    for one in found.paired("DeepCAMS", "CAMS"):
        assert (one.difference, one.low, one.high, one.verdict) == (0, 0, 0, NONE_SHOWN)


def test_verdicts(pairs):
    """One product is clearly better by every score; a bias of the other sign but as large is no better."""
    rng = np.random.default_rng(1)
    observed = rng.gamma(4, 5, (12, 84))
    noise = rng.normal(0, 1, (2, *observed.shape))
    found = resample(
        pairs(observed, CAMS=observed + 4 + 6 * noise[0], DeepCAMS=observed + 1 + noise[1], less=observed - 4 + 6 * noise[0]),
        repeats=300,
    )  # fmt: skip
    better = {one.score: one for one in found.paired("DeepCAMS", "CAMS")}
    assert {name: one.verdict for name, one in better.items()} == dict.fromkeys(COMPARED, "better")
    assert better["r"].low > 0 > better["rmse"].high
    assert better["bias"].difference == pytest.approx(-3, abs=0.3)
    assert all(one.low <= one.difference <= one.high for one in better.values())
    assert {one.verdict for one in found.paired("CAMS", "DeepCAMS")} == {"worse"}
    assert {one.score: one.verdict for one in found.paired("less", "CAMS")}["bias"] == NONE_SHOWN
    mirrored = {one.score: one for one in found.paired("CAMS", "DeepCAMS")}
    assert mirrored["rmse"].difference == -better["rmse"].difference


def test_what_may_be_claimed():
    assert _verdict(0.1, 0.2) == "better"
    assert _verdict(-0.1, -0.2) == "worse"
    assert _verdict(-0.1, 0.2) == _verdict(0.0, 0.2) == NONE_SHOWN
    assert _verdict(np.nan, np.nan) == "not known"


def test_a_score_that_is_not_known_has_no_interval(pairs):
    found = resample(pairs(np.full((6, 70), 5.0), CAMS=np.full((6, 70), 7.0)), repeats=20)
    assert np.isnan(found.intervals()["CAMS"]["r"]).all()
    assert found.intervals()["CAMS"]["rmse"] == pytest.approx((2, 2))


def test_blocks_are_drawn_in_parts():
    rng = np.random.default_rng(0)
    terms, (station, week) = rng.normal(size=(5000, 3)), rng.integers(0, 50, (2, 5000))
    of_station, of_week = rng.integers(0, 4, (2, 50, 1000)).astype(np.uint16)
    wanted = (of_station[station].astype(float) * of_week[week]).T @ terms
    np.testing.assert_allclose(_draw(terms, station, week, of_station, of_week), wanted, rtol=1e-9)
