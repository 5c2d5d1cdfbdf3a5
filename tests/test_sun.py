"""The time of day by the sun, against another formula for where the sun stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.sun import noon_height, unequal_hours

YEAR = np.datetime64("2020-01-01T00:00", "s") + np.arange(0, 366 * 24 * 60, 20) * np.timedelta64(60, "s")
MARCH = np.datetime64("2020-03-20", "D")


def elevation(moments, latitude, longitude):
    """Sines of the sun's elevation at (places,) and the cosines of its hour angle there: (places, times).

    The low-precision formulas of the Astronomical Almanac (page C5): 0.01 degrees between 1950 and 2050.
    """
    days = (moments - np.datetime64("2000-01-01T12:00", "s")) / np.timedelta64(86400, "s")
    anomaly = np.deg2rad(357.528 + 0.9856003 * days)
    mean = 280.460 + 0.9856474 * days
    ecliptic = np.deg2rad(mean + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.deg2rad(23.439 - 4e-7 * days)
    ascension = np.rad2deg(np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic)))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    sidereal = 280.46062 + 360.98564737 * days
    hour_angle = np.deg2rad(sidereal + longitude[:, None] - ascension)
    rows = np.deg2rad(latitude)[:, None]
    high = np.sin(rows) * np.sin(declination) + np.cos(rows) * np.cos(declination) * np.cos(hour_angle)
    return high, hour_angle


@pytest.mark.parametrize("latitude", [0, 7.29, -33.9, 51.5])
def test_it_is_day_from_6_to_18_and_noon_at_12(latitude):
    places = np.array([float(latitude)]), np.array([80.63])
    hours = unequal_hours(YEAR, *places)
    high, hour_angle = elevation(YEAR, *places)
    near = np.abs(np.rad2deg(np.arcsin(high[0]))) < 0.3  # the sun on the horizon
    assert near.sum() > 50
    from_horizon = np.minimum(np.abs(hours[near] - 6), np.abs(hours[near] - 18))
    assert from_horizon.max() < 0.1
    far = ~near
    np.testing.assert_array_equal(high[0][far] > 0, (hours[far] > 6) & (hours[far] < 18))
    morning = np.sin(hour_angle[0]) < 0
    clear = np.abs(np.sin(hour_angle[0])) > 0.01
    np.testing.assert_array_equal(morning[clear], hours[clear] < 12)


def test_noon_follows_the_equation_of_time():
    """At Greenwich the sun is highest at 12:07 in the middle of March, and at 11:44 at the beginning of November."""
    for day, minute in (("2020-03-21", 7.3), ("2020-11-03", -16.4), ("2020-02-11", 14.2), ("2020-06-13", 0.1)):
        noon = np.datetime64(day, "s") + np.timedelta64(round(60 * (720 + minute)), "s")
        assert unequal_hours(noon, 0.0, 0.0) == pytest.approx(12, abs=0.01)


def test_sunrise_of_an_almanac():
    """London, 2020-06-21: the sun's middle is on the horizon, without refraction, at 3:50 and at 20:14 UTC (within 3 min)."""
    for time, hour in (("03:50", 6), ("20:14", 18)):
        assert unequal_hours(np.datetime64(f"2020-06-21T{time}", "s"), 51.5, -0.12) == pytest.approx(hour, abs=0.05)


@given(
    latitude=st.floats(-90, 90), longitude=st.floats(-360, 720), hour=st.integers(0, 24 * 366), turns=st.integers(-2, 2)
)
def test_finite_in_range_and_periodic(latitude, longitude, hour, turns):
    moment = np.datetime64("2019-07-01T00", "h") + hour
    one = unequal_hours(moment, latitude, longitude)
    assert 0 <= one < 24
    apart = abs(one - unequal_hours(moment, latitude, longitude + 360 * turns))
    assert min(apart, 24 - apart) < 1e-6


def test_the_poles_have_a_day_and_a_night_too():
    hours = unequal_hours(YEAR, np.array([[90.0], [-90.0], [75.0]]), 0.0)
    assert np.isfinite(hours).all()
    lengths = ((hours > 6) & (hours < 18)).reshape(3, 366, -1).sum(axis=2) / 3
    assert lengths.min() == pytest.approx(3.4, abs=0.7)
    assert lengths.max() == pytest.approx(20.6, abs=0.7)


@pytest.mark.parametrize("place", [(0, 0), (51.5, -0.1), (-70, 130), (89.25, 359.25)])
def test_hours_go_on_without_a_jump_and_one_round_a_day(place):
    moments = np.datetime64("2020-01-15T00:00", "s") + np.arange(0, 3 * 86400, 300) * np.timedelta64(1, "s")
    steps = np.diff(unequal_hours(moments, *place)) % 24
    assert (steps > 0).all()
    assert steps.max() < 0.4
    assert steps.sum() == pytest.approx(72, abs=0.2)


def test_shapes_are_broadcast_and_any_unit_of_time_is_the_same():
    moments = MARCH.astype("datetime64[h]") + np.arange(5)
    latitude, longitude = np.linspace(-60, 60, 7)[:, None, None], np.arange(0, 360, 90)[:, None]
    hours = unequal_hours(moments, latitude, longitude)
    assert hours.shape == (7, 4, 5)
    assert hours[2, 3, 1] == unequal_hours(moments[1], latitude[2, 0, 0], longitude[3, 0])
    for unit in ("m", "s", "ms", "ns"):
        np.testing.assert_array_equal(unequal_hours(moments.astype(f"datetime64[{unit}]"), latitude, longitude), hours)


def test_the_height_of_the_sun_at_noon():
    latitude = np.array([-80.0, -23.4, 0.0, 51.5, 80.0])
    high = noon_height(YEAR.reshape(366, -1)[:, 36:37], latitude)
    assert high.shape == (366, 5)
    expected = elevation(YEAR, latitude, np.zeros(5))[0].reshape(5, 366, -1).max(axis=2).T
    np.testing.assert_allclose(high, np.clip(expected, 0, None), atol=0.006)
    assert high[:, 0].min() == high[:, 4].min() == 0  # the polar nights
    assert high[:, 1:4].min() > 0.2
    assert high[:, 1].max() == pytest.approx(1, abs=1e-4)
