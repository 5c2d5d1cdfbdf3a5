"""Features at the stations' hours: the field of an hour's mean, cells counted once, streamed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.stations.calibration.features import NAMES, Surroundings, places
from deepcams.stations.calibration.samples import collect, hourly_mean

from .conftest import GRID, HOURS, MISSING, START, hourly, stations


def one_station(latitude, longitude, begin, value):
    begin = np.asarray(begin, "datetime64[m]")
    place = stations(np.array([latitude]), np.array([longitude]))
    return hourly(place, np.zeros(begin.size, int), begin, np.asarray(value, float))


@settings(deadline=None, max_examples=30)
@given(minute=st.integers(0, 239))
def test_an_hours_mean_is_the_integral_of_the_straight_line(minute):
    instants = np.random.default_rng(0).gamma(1, 10, 6).astype(np.float32)
    moments = (minute + (np.arange(6000) + 0.5) / 100) / 60
    wanted = np.interp(moments, np.arange(6), instants).mean()
    assert hourly_mean(instants[:, None, None], minute)[0, 0] == pytest.approx(wanted, rel=1e-4)
    assert hourly_mean(instants[: minute // 60 + 1, None, None], minute) is None


def test_field_and_features_are_those_of_the_hour(results):
    begin = START + np.array([10, 23, 47])
    samples = collect(results, one_station(50.1, 9.8, begin, [5, 6, 7]), seed=0, workers=1)
    for k, hour in enumerate([10, 23, 47]):
        field = results.read(slice(hour, hour + 2)).mean(axis=0)
        assert samples.field[k] == pytest.approx(field[15, 20], rel=1e-6)
        moment = begin[k].astype("datetime64[m]") + np.timedelta64(30, "m")
        whole = Surroundings(field, GRID, moment).features(places(GRID, np.array([15]), np.array([20])))
        np.testing.assert_allclose(samples.features[k], whole[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(samples.observed, [5, 6, 7])
    assert samples.features.shape == (3, len(NAMES))


def test_stations_of_a_cell_count_as_one(results):
    place = stations(np.array([50.1, 49.9, 40.0]), np.array([10.2, 9.8, 0.0]))
    begin = np.repeat(START + np.array([5, 8]), 3)
    samples = collect(results, hourly(place, np.tile([0, 1, 2], 2), begin, np.array([1, 3, 10, 5, 6, 20.0])), seed=0)
    assert samples.latitude.size == 2
    found = {(lat, one) for lat, one in zip(samples.latitude[samples.site], samples.observed, strict=True)}
    assert found == {(50.0, 2.0), (50.0, 5.5), (40.0, 10.0), (40.0, 20.0)}


def test_half_hours_are_understood(results):
    begin = np.array([START.astype("datetime64[m]") + 30 + 60 * 4])
    samples = collect(results, one_station(50, 10, begin, [5]), seed=0)
    hours = results.read(slice(4, 7))[:, 15, 20]
    assert samples.field[0] == pytest.approx(hours @ [0.125, 0.75, 0.125], rel=1e-6)


def test_hours_without_a_map_are_left_out(results):
    begin = START + np.array([MISSING[0] - 2, MISSING[0] - 1, MISSING[-1], MISSING[-1] + 1, HOURS - 1, HOURS + 90])
    samples = collect(results, one_station(50, 10, begin, np.arange(6)), seed=0)
    np.testing.assert_array_equal(samples.observed, [0, 3])


def test_threads_change_nothing(results, observe, samples):
    from .conftest import known

    again = collect(results, observe(known), seed=0, workers=3)
    for name in ("site", "begin", "features", "field", "observed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(samples, name))


def test_other_times_and_places_are_told_apart(results):
    with pytest.raises(
        InputError, match=r"no hour in common.*from 2019-12-02T00:00 to .*the observations from 2018-01-01"
    ):
        collect(results, one_station(50, 10, ["2018-01-01T00"], [5]), seed=0)
    with pytest.raises(InputError, match="outside the data"):
        collect(results, one_station(-50, 10, [START], [5]), seed=0)
    with pytest.raises(InputError, match="has no map of any"):
        collect(results, one_station(50, 10, [START + MISSING[0]], [5]), seed=0)
    nothing = one_station(50, 10, [START], [5])
    nothing.reason[:] = 1
    with pytest.raises(InputError, match="no hourly observation"):
        collect(results, nothing, seed=0)


def test_more_than_enough_is_drawn_from(results, observe, monkeypatch):
    from .conftest import known

    monkeypatch.setattr("deepcams.stations.calibration.samples.MOST", 1000)
    one, same = (collect(results, observe(known), seed=7) for _ in range(2))
    assert one.size == 1000
    np.testing.assert_array_equal(one.observed, same.observed)
