"""Lags: shifted stamps are found, right ones raise no note, and gaps do not mix stations."""

import numpy as np
import pandas as pd
import pytest

from deepcams.stations.lags import LAGS, lag_correlations
from deepcams.stations.table import DAY, HOUR, Pairs


def weather(stations, hours, seed=0):
    """(stations, hours) red noise, alike over a few hours."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(stations, hours + 48))
    return np.apply_along_axis(lambda one: np.convolve(one, np.ones(6) / 3, "same"), 1, noise)[:, 24:-24] + 10


@pytest.fixture
def pairs(observations):
    """Make pairs of hours."""

    def make(observed, product, **options):
        return Pairs(observations(observed, **options), {"CAMS": np.asarray(product, np.float32).ravel()})

    return make


@pytest.mark.parametrize("shift", [-5, -1, 0, 3])
def test_a_shift_of_stamps_is_found(pairs, shift):
    truth = weather(4, 620)
    observed = truth[:, 10 + shift : 610 + shift]  # the air that comes `shift` hours later
    made = pairs(observed, truth[:, 10:610])
    found = lag_correlations(made, "CAMS")["made"]
    assert found.best == shift
    assert found.correlations[LAGS.index(shift)] == pytest.approx(1, abs=1e-3)
    assert found.n == 4 * (600 - 12)
    assert ("time zone" in found.note) == (shift != 0)
    if shift:
        assert f"{abs(shift)} h {'later' if shift > 0 else 'earlier'}" in found.note


def test_correlations_are_those_of_pandas(pairs):
    rng = np.random.default_rng(5)
    observed, product = weather(3, 400, 1) * [[1], [3], [2]], weather(3, 400, 2) * [[2], [1], [5]]
    kept = np.sort(rng.permutation(1200)[:1180])
    made = pairs(observed, product).take(kept)
    one = made.observations
    table = pd.DataFrame({"station": one.station, "o": one.value, "p": made.products["CAMS"]}).astype(float)
    table[["o", "p"]] -= table.groupby("station")[["o", "p"]].transform("mean")
    table = table.set_index([one.station, pd.to_datetime(one.begin)])
    for lag in LAGS:
        moved = table.p.copy()
        moved.index = moved.index.set_levels(moved.index.levels[1] - pd.Timedelta(lag, "h"), level=1)
        table[f"lag {lag}"] = moved
    complete = table.dropna()
    found = lag_correlations(made, "CAMS")["made"]
    assert found.n == len(complete) < 1180 - 36
    np.testing.assert_allclose(found.correlations, [complete.o.corr(complete[f"lag {lag}"]) for lag in LAGS], rtol=1e-6)


def test_each_source_for_itself_in_any_order(pairs):
    truth = weather(4, 620)
    observed = np.concatenate([truth[:2, 10:610], truth[2:, 12:612]])
    made = pairs(observed, truth[:, 10:610], source=["good", "good", "bad", "bad"])
    mixed = made.take(np.random.default_rng(0).permutation(made.size))
    found = lag_correlations(mixed, "CAMS")
    assert {name: one.best for name, one in found.items()} == {"bad": 2, "good": 0}
    assert found["good"].note == ""
    assert found["bad"].note.startswith("bad: ")


def test_too_little_tells_nothing(pairs):
    truth = weather(2, 60)
    short = lag_correlations(pairs(truth, truth), "CAMS")["made"]  # 2 * 48 hours
    constant = lag_correlations(pairs(np.full((2, 90), 4.0), weather(2, 90)), "CAMS")["made"]
    assert short.best is constant.best is None
    assert short.note == constant.note == ""
    assert np.isnan(short.correlations).all()
    assert short.n == 96


def test_only_hours_are_used(pairs):
    truth = weather(1, 300)
    assert lag_correlations(pairs(truth, truth, period=DAY), "CAMS") == {}
    assert lag_correlations(pairs(truth, truth, period=HOUR, start="2024-04-01T00:30"), "CAMS")["made"].best == 0


def test_two_noises_raise_no_note(observations):
    """Some lag of two independent series always correlates best; that says nothing of time stamps."""
    rng = np.random.default_rng(3)
    made = observations(rng.gamma(2, 5, (1, 200)))
    pairs = Pairs(made, {"CAMS": rng.gamma(2, 5, 200).astype(np.float32)})
    (found,) = lag_correlations(pairs, "CAMS").values()
    assert found.best != 0
    assert max(found.correlations) > found.correlations[found.lags.index(0)] + 0.05
    assert found.note == ""
