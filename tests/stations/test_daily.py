"""Daily means: whose day it is, the rule of 75 %, days on which clocks are changed, and exceedances."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from deepcams.stations.daily import daily_pairs, exceedances, solar_days, zone_of
from deepcams.stations.table import DAY, Pairs, Reason


@pytest.fixture
def hourly(observations):
    """Make pairs of hours whose product is the observation and 1, less the hours that are left out."""

    def make(values, *, left_out=(), **options):
        values = np.atleast_2d(np.asarray(values, np.float32))
        made = observations(values, **options)
        kept = np.setdiff1d(np.arange(values.size), left_out)
        return Pairs(made, {"CAMS": values.ravel() + 1}).take(kept)

    return make


def days(pairs):
    return [str(one) for one in daily_pairs(pairs).observations.begin]


def test_a_day_in_utc(hourly):
    daily = daily_pairs(hourly(np.arange(48), timezone="UTC"))
    assert daily.observations.value.tolist() == [11.5, 35.5]
    assert daily.products["CAMS"].tolist() == [12.5, 36.5]
    assert [str(one) for one in daily.observations.begin] == ["2024-04-01T00:00", "2024-04-02T00:00"]
    assert daily.observations.period.tolist() == [DAY, DAY]
    assert (daily.observations.reason == Reason.GOOD).all()
    assert daily.observations.begin.dtype == "datetime64[m]"


@pytest.mark.parametrize(("missing", "kept"), [(6, 1), (7, 0)])
def test_eighteen_hours_are_enough_and_seventeen_are_not(hourly, missing, kept):
    daily = daily_pairs(hourly(np.arange(24), left_out=np.arange(2, 2 + missing), timezone="UTC"))
    assert daily.size == kept
    if kept:
        assert daily.observations.value[0] == np.float32(np.delete(np.arange(24), np.arange(2, 8)).mean())


@pytest.mark.parametrize(
    ("zone", "begin"), [("+05:30", "18:30"), ("-08:00", "08:00"), ("Asia/Kolkata", "18:30"), ("Z", "00:00")]
)
def test_a_day_begins_at_local_midnight(hourly, zone, begin):
    found = days(hourly(np.arange(96), timezone=zone))
    assert len(found) in (3, 4)
    assert all(one.endswith(begin) for one in found)


@pytest.mark.parametrize(
    ("zone", "longitude", "begin"),
    [("", 116.4, "16:00"), ("Nowhere/Land", -118.2, "08:00"), ("", 241.8, "08:00"), ("../etc", 3, "00:00")],
)
def test_an_unknown_zone_is_that_of_the_sun(hourly, zone, longitude, begin):
    pairs = hourly(np.arange(96), longitude=[longitude], latitude=[40], timezone=zone)
    assert all(one.endswith(begin) for one in days(pairs))
    assert solar_days(pairs.observations.stations) == 1


def test_days_on_which_clocks_are_changed(hourly):
    spring = hourly(np.arange(96), start="2024-03-29T23:00", timezone="Europe/Berlin")
    assert days(spring) == ["2024-03-29T23:00", "2024-03-30T23:00", "2024-03-31T22:00", "2024-04-01T22:00"]
    assert daily_pairs(spring).observations.value[1] == np.arange(24, 47).mean()  # of 23 hours
    autumn = np.arange(24 + 25)  # 26 and 27 October 2024
    for missing, kept in ((6, 2), (7, 1)):  # 19 of 25 hours, and 18
        left_out = np.arange(30, 30 + missing)
        pairs = hourly(autumn, start="2024-10-25T22:00", timezone="Europe/Berlin", left_out=left_out)
        assert len(days(pairs)) == kept
    for missing, kept in ((5, 2), (6, 1)):  # 18 of 23 hours, and 17
        left_out = np.arange(30, 30 + missing)
        pairs = hourly(np.arange(47), start="2024-03-29T23:00", timezone="Europe/Berlin", left_out=left_out)
        assert len(days(pairs)) == kept


def test_a_midnight_that_clocks_jump_over(hourly):
    """In Beirut summer begins at midnight."""
    pairs = hourly(np.arange(72), start="2024-03-29T22:00", timezone="Asia/Beirut")
    assert days(pairs)[:2] == ["2024-03-29T22:00", "2024-03-30T22:00"]
    assert daily_pairs(pairs).observations.value[1] == np.arange(24, 47).mean()


def test_many_stations_are_what_pandas_finds(hourly):
    rng = np.random.default_rng(0)
    zones = ["Asia/Shanghai", "America/Denver", "", "+09:30", "Asia/Shanghai", "Europe/Paris"]
    values = rng.gamma(2, 10, (6, 24 * 12)).astype(np.float32)
    left_out = rng.choice(values.size, 400, replace=False)
    longitude = np.array([121, -105, 14.0, 135, 100, 2])
    pairs = hourly(values, left_out=left_out, start="2024-10-24T00:00", timezone=zones, longitude=longitude,
                   latitude=np.full(6, 10.0))  # fmt: skip
    one = pairs.observations
    table = pd.DataFrame({"station": one.station, "o": one.value.astype(float), "time": pd.to_datetime(one.begin)})
    found = daily_pairs(pairs)
    wanted = []
    for number, part in table.groupby("station"):
        zone = zones[number] if len(zones[number]) > 6 else timezone(timedelta(hours={2: 1, 3: 9.5}[number]))
        local = part.time.dt.tz_localize("UTC").dt.tz_convert(zone)
        for day, own in part.groupby(local.dt.date):
            first = pd.Timestamp(day).tz_localize(zone)
            last = pd.Timestamp(day + timedelta(days=1)).tz_localize(zone)
            if len(own) >= 0.75 * ((last - first) / pd.Timedelta("1h")):
                wanted.append((first.tz_convert(None), number, own.o.mean()))
    wanted.sort()
    assert found.size == len(wanted) > 40
    assert found.observations.station.tolist() == [number for _, number, _ in wanted]
    assert (pd.to_datetime(found.observations.begin) == pd.DatetimeIndex([first for first, _, _ in wanted])).all()
    np.testing.assert_allclose(found.observations.value, [mean for *_, mean in wanted], rtol=1e-6)
    np.testing.assert_allclose(found.products["CAMS"], found.observations.value + 1, rtol=1e-6)


def test_days_are_taken_as_they_are(observations):
    made = observations([[10.0, 20, 30]], period=DAY, timezone="Asia/Shanghai")
    pairs = Pairs(made, {"CAMS": np.array([1, 2, 3], np.float32)})
    daily = daily_pairs(pairs)
    assert daily.observations.value.tolist() == [10, 20, 30]
    assert daily.observations.begin.tolist() == made.begin.tolist()
    assert daily_pairs(daily).products["CAMS"].tolist() == [1, 2, 3]


def test_no_day_is_covered(hourly):
    daily = daily_pairs(hourly(np.arange(5)))
    assert daily.size == 0
    assert daily.observations.stations.size == 1
    assert [one.hits + one.correct_negatives for one in exceedances(daily)] == [0, 0, 0]


def test_time_zones():
    assert zone_of("+05:30") == timezone(timedelta(hours=5.5)) == zone_of("+0530") == zone_of("UTC+5:30")
    assert zone_of("-03") == timezone(timedelta(hours=-3))
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    assert zone_of("Z") == UTC
    assert all(zone_of(text) is None for text in ("", "Europe", "Mars/Olympus", "+99:00", "/etc/passwd", "nonsense"))


def test_exceedances_by_hand(observations):
    made = observations([[10.0, 15, 16, 40, 80, 90]], period=DAY)
    pairs = Pairs(made, {"CAMS": np.array([16, 20, 15, 40, 30, 76], np.float32)})
    found = {one.threshold: one for one in exceedances(pairs)}
    assert all(one.product == "CAMS" for one in found.values())
    table = {at: (one.hits, one.misses, one.false_alarms, one.correct_negatives) for at, one in found.items()}
    assert table == {15: (3, 1, 2, 0), 35: (2, 1, 0, 3), 75: (1, 1, 0, 4)}
