"""Quality control: every planted fault is found as often as it was planted, and nothing else is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.stations.quality import TITLES, Limits, check, refuse_empty
from deepcams.stations.table import DAY, HOUR, REASONS, Observations, Reason, join
from tests.stations.conftest import make_observations, make_series, make_stations

VALUES = {
    Reason.SENTINEL: [-999, -9999, -1, -99, -9990, 9999, 99999, 985, 1e15, 1e20, np.inf, -np.inf],
    Reason.MISSING: [np.nan],
    Reason.NEGATIVE: [-5.1, -40, -998, -1e9],
    Reason.TOO_HIGH: [2000.1, 9998, 1e9],
}


def clean(count=5, size=240, seed=0, **options):
    return make_observations(make_series(count, size, seed), **options)


def changed(observations, rows, **columns):
    """The same with other numbers in some rows."""
    new = {}
    for name, numbers in columns.items():
        new[name] = getattr(observations, name).copy()
        new[name][rows] = numbers
    return replace(observations, **new)


def repeated(observations, rows):
    """With some rows again at the end."""
    return observations.take(np.concatenate([np.arange(observations.size), rows]))


def found(observations, limits=None):
    return check(observations, limits).rejected()


def reasons(observations, limits=None):
    return check(observations, limits).reason


def test_clean_series_pass_untouched():
    before = clean()
    after = check(before)
    assert after.good.all()
    for name in ("station", "begin", "period", "value"):
        assert getattr(after, name) is getattr(before, name)
    assert after.stations is before.stations


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(3, 200), st.sampled_from([HOUR, DAY]))
def test_any_clean_series_pass(seed, count, size, period):
    assert check(clean(count, size, seed, period=period), Limits(averaging=period)).good.all()


def test_every_reason_has_words():
    assert set(TITLES) == set(REASONS.values())


@pytest.mark.parametrize(("reason", "value"), [(reason, value) for reason, some in VALUES.items() for value in some])
def test_one_wrong_value(reason, value):
    checked = check(changed(clean(), 17, value=value, reason=Reason.GOOD))
    assert checked.rejected() == {REASONS[reason]: 1}
    assert checked.reason[17] == reason


@pytest.mark.parametrize("value", [-5, 0, -2, -1.1, 2000, 900])
def test_unusual_values_stay(value):
    series = make_series()
    series[0, 100:103] = value  # for three hours, so that it is no spike
    assert found(make_observations(series)) == {}


def test_minus_one_is_a_number_where_others_are_below_zero():
    noisy = changed(clean(2), np.arange(0, 300, 10), value=-1)  # of both stations
    assert found(noisy) == {"sentinel": 30}
    assert found(changed(noisy, [5, 6], value=[-0.4, -2.3])) == {"sentinel": 30}
    assert found(changed(noisy, [5, 6, 7], value=[-0.4, -2.3, -3])) == {"sentinel": 6}  # those of the other station
    flagged = changed(noisy, [5, 6, 7], value=[-0.4, -2.3, -3], reason=Reason.FLAGGED)
    assert found(flagged) == {"sentinel": 30, "flagged": 3}


def test_what_readers_found_stays_unless_something_earlier_holds():
    rows = np.arange(6)
    given = [Reason.FLAGGED, Reason.FLAGGED, Reason.UNITS, Reason.LOCAL_TIME, Reason.UNITS, Reason.MISSING]
    values = [5, -999, np.nan, -50, -999, np.nan]
    wanted = [Reason.FLAGGED, Reason.SENTINEL, Reason.UNITS, Reason.LOCAL_TIME, Reason.SENTINEL, Reason.MISSING]
    checked = check(changed(clean(), rows, value=values, reason=given))
    assert checked.reason[rows].tolist() == wanted
    assert checked.reason[6:].max() == Reason.GOOD


def test_a_time_that_is_none():
    assert found(changed(clean(), 3, begin=np.datetime64("NaT"))) == {"local_time": 1}


# Places


@pytest.mark.parametrize(
    ("latitude", "longitude", "reason"),
    [
        (np.nan, 5, Reason.COORDINATES),
        (5, np.nan, Reason.COORDINATES),
        (0, 0, Reason.COORDINATES),
        (0.004, -0.004, Reason.COORDINATES),
        (95, 95, Reason.COORDINATES),
        (-999, -999, Reason.COORDINATES),
        (50, 361, Reason.COORDINATES),
        (np.inf, 5, Reason.COORDINATES),
        (121.44, 31.21, Reason.SWAPPED),
        (-122, 40, Reason.SWAPPED),
        (90, 0, Reason.GOOD),
        (0, 0.02, Reason.GOOD),
        (5, 359.9, Reason.GOOD),
        (-33, 151, Reason.GOOD),
    ],
)
def test_coordinates(latitude, longitude, reason):
    one = clean(2, 10, latitude=[latitude, 48], longitude=[longitude, 11])
    assert reasons(one).tolist() == [reason] * 10 + [Reason.GOOD] * 10


def test_a_swapped_station_among_its_country():
    latitude, longitude = [28.6, 28.7, 26.9, 77.2, 13.1], [77.2, 76.1, 75.8, 28.5, 80.3]  # India
    checked = reasons(clean(5, 10, latitude=latitude, longitude=longitude, country="IN")).reshape(5, 10)
    assert checked[3].tolist() == [Reason.SWAPPED] * 10
    assert not np.delete(checked, 3, axis=0).any()
    for unknown in ("", "99"):
        assert found(clean(5, 10, latitude=latitude, longitude=longitude, country=unknown)) == {}
    assert found(clean(4, 10, latitude=latitude[1:], longitude=longitude[1:], country="IN")) == {}  # too few to tell


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_swapped_stations_do_not_vouch_for_each_other(seed, wrong):
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.uniform(22, 28, 30), rng.uniform(74, 80, 30)
    latitude[:wrong], longitude[:wrong] = longitude[:wrong], latitude[:wrong].copy()
    checked = reasons(clean(30, 3, latitude=latitude, longitude=longitude, country="IN")).reshape(30, 3)
    assert (checked[:wrong] == Reason.SWAPPED).all()
    assert not checked[wrong:].any()


@pytest.mark.parametrize(
    ("mainland", "overseas"),
    [
        # Cities of the mainland, and places far from it, none of which is wrong.
        (
            [(48.9, 2.4), (44.8, -0.6), (43.5, -1.5), (43.3, 5.4), (48.4, -4.5), (50.6, 3.1)],  # France
            [(16.2, -61.5), (-21.1, 55.5), (-12.8, 45.2), (4.9, -52.3), (-22.3, 166.5), (-17.5, -149.6), (46.8, -56.2)],
        ),
        (
            [(40.7, -74.0), (34.1, -118.2), (41.9, -87.6), (29.8, -95.4), (47.6, -122.3), (25.8, -80.2), (33.7, -84.4)],
            [(21.3, -157.9), (61.2, -149.9), (18.4, -66.1), (13.5, 144.8), (-14.3, -170.7), (52.7, 174.1)],
        ),
        (
            [
                (55.8, 37.6),
                (59.9, 30.3),
                (56.8, 60.6),
                (54.7, 56.0),
                (55.0, 73.4),
                (55.0, 82.9),
                (51.7, 39.2),
            ],  # Russia
            [(43.1, 131.9), (54.7, 20.5), (69.3, 88.2), (53.0, 158.7), (62.0, 129.7), (71.6, 128.9)],
        ),
        ([(39.9, 32.9), (38.4, 27.1), (37.0, 35.3), (41.0, 29.0)], [(39.9, 43.7), (37.3, 44.6)]),  # Turkey
        ([(52.4, 4.9), (51.9, 4.5), (52.1, 5.1), (53.2, 6.6)], [(12.1, -68.9), (17.5, -63.0)]),  # Netherlands
        ([(60.0, 10.7), (59.9, 5.3), (63.4, 10.4), (58.9, 5.7)], [(78.2, 15.6), (70.9, -8.7)]),  # Norway
        ([(6.5, 3.4), (9.1, 7.5), (12.0, 8.5), (4.8, 7.0), (11.8, 13.2)], [(13.1, 5.2), (6.4, 14.6)]),  # Nigeria
    ],
)
def test_nothing_overseas_is_called_swapped(mainland, overseas):
    spots = np.array(mainland + overseas)
    for turn in (0, 360):
        east = np.where(spots[:, 1] < 0, spots[:, 1] + turn, spots[:, 1])
        assert found(clean(len(spots), 5, latitude=spots[:, 0], longitude=east, country="XX")) == {}


def test_stations_that_move():
    north, east = [50, 50.03, 40, 40.01, 10], [8, 8, 0.005, 359.995, 20]
    ids = ["a", "a", "b", "b", "c"]
    drifting = clean(5, 10, latitude=north, longitude=east, ids=ids, mobile=[False, False, False, False, True])
    drifting = changed(drifting, np.arange(10, 20), begin=drifting.begin[:10] + np.timedelta64(1, "D"))
    drifting = changed(drifting, np.arange(30, 40), begin=drifting.begin[:10] + np.timedelta64(1, "D"))
    wanted = [Reason.MOVES] * 20 + [Reason.GOOD] * 20 + [Reason.MOVES] * 10
    assert reasons(drifting).tolist() == wanted
    assert found(drifting, Limits(moved=0.05)) == {"moves": 10}


def test_a_wrong_entry_does_not_make_a_station_move():
    two = clean(2, 10, latitude=[31.2, 0], longitude=[121.4, 0], ids=["a", "a"])
    assert found(two) == {"coordinates": 10}


def test_stations_without_identifiers_are_different_ones():
    assert found(clean(2, 10, latitude=[10, 20], longitude=[10, 20], ids=["", ""])) == {}


# Averaging


@pytest.mark.parametrize(("averaging", "period", "good"), [(60, 60, 1), (60, 59, 0), (60, 0, 0), (60, 1440, 0)])
def test_averaging(averaging, period, good):
    checked = check(changed(clean(), 17, period=period), Limits(averaging=averaging))
    assert checked.reason[17] == (Reason.GOOD if good else Reason.AVERAGING)


def test_days_may_be_an_hour_longer_or_shorter():
    days = changed(clean(1, 20, period=DAY), np.arange(5), period=np.array([22, 23, 24, 25, 26]) * 60)
    assert np.flatnonzero(reasons(days, Limits(averaging=DAY))).tolist() == [0, 4]


# Duplicates


def test_the_first_of_repeated_lines_is_used():
    rows = np.array([3, 50, 50, 900])
    twice = changed(repeated(clean(), rows), -1, value=77.0)
    checked = check(twice)
    assert checked.rejected() == {"duplicate": 4}
    assert checked.good[: -rows.size].all()


def test_a_good_value_stands_in_for_a_bad_one_of_the_same_time():
    twice = changed(repeated(clean(), [3, 4]), [3, 4], value=[-999, np.nan], reason=Reason.GOOD)
    checked = check(twice)
    assert checked.rejected() == {"sentinel": 1, "missing": 1}
    assert checked.good[-2:].all()


def test_of_several_sensors_the_fullest_is_used_and_the_others_where_it_has_none():
    values = make_series(3, 48)
    values[0, :10] = np.nan  # 38, 48 and 40 values; the second lacks four hours, too
    values[1, [5, 20, 21, 22]] = np.nan
    values[2, :8] = np.nan
    one = make_observations(values, [10.0] * 3, [20.0] * 3, ids=["a"] * 3, sensors=["x", "y", "z"])
    used = check(one).good.reshape(3, 48)
    np.testing.assert_array_equal(used[1], np.isfinite(values[1]))
    np.testing.assert_array_equal(np.flatnonzero(used[2]), [20, 21, 22])  # 40 values, the first sensor has 38
    np.testing.assert_array_equal(used.sum(axis=0), np.isfinite(values).any(axis=0))


def test_of_equals_the_first_is_used():
    one = make_observations(make_series(2, 48), [10.0, 10.0005], [20.0, 20.0], ids=["network a", "network b"])
    assert check(one).good.reshape(2, 48).tolist() == [[True] * 48, [False] * 48]
    assert found(one, Limits(same_place=0.0001)) == {}


def test_stations_at_one_place_across_the_seam_and_in_different_files():
    parts = [clean(1, 48, latitude=5, longitude=east, ids=[str(east)]) for east in (0.0002, 359.9999, 180)]
    assert reasons(join(parts)).reshape(3, 48)[:, 0].tolist() == [Reason.GOOD, Reason.DUPLICATE, Reason.GOOD]


def test_another_monitor_at_other_times_is_not_lost():
    old, new = (clean(1, 48, seed, ids=[str(seed)], start=f"2024-04-0{3 * seed + 1}") for seed in (0, 1))
    assert found(join([old, new])) == {}


def test_a_stuck_instrument_does_not_stand_for_its_place():
    values = make_series(2, 48)
    values[0] = 20
    values[1, 40:] = np.nan
    one = make_observations(values, [10.0, 10.0], [20.0, 20.0])
    assert found(one) == {"missing": 8, "stuck": 48}


# Series


@pytest.mark.parametrize(("value", "limit"), [(7, 12), (30.5, 12), (5, 12), (4.9, 48), (0, 48), (-0.5, 48)])
def test_stuck_values(value, limit):
    for size, wanted in ((limit - 1, {}), (limit, {"stuck": limit}), (limit + 3, {"stuck": limit + 3})):
        series = make_series()
        series[2, 60 : 60 + size] = value
        assert found(make_observations(series)) == wanted


def test_a_run_goes_on_over_one_missing_hour_but_not_two():
    series = make_series()
    series[1, 30:43], series[1, 36] = 9, -999
    assert found(make_observations(series)) == {"sentinel": 1, "stuck": 12}
    series[1, 37] = -999
    assert found(make_observations(series)) == {"sentinel": 2}


def test_a_run_is_not_broken_by_a_repeated_line():
    series = make_series()
    series[1, 30:42] = 9
    twice = changed(repeated(make_observations(series), [240 + 35]), -1, value=10.0)
    assert found(twice) == {"duplicate": 1, "stuck": 12}


def test_a_run_does_not_go_on_at_the_next_station():
    series = make_series(2, 30)
    series[0, -6:], series[1, :6] = 9, 9
    assert found(make_observations(series)) == {}


def test_stuck_days():
    series = make_series(1, 100)
    series[0, 10:14], series[0, 30:35] = 9, 9
    assert found(make_observations(series, period=DAY), Limits(averaging=DAY)) == {"stuck": 5}
    assert Limits(averaging=DAY).repeats == 5
    assert Limits(averaging=30).repeats == 24
    assert Limits(stuck=0).repeats == 3


def test_spikes():
    series = make_series()
    series[0, 50] = 300  # a spike
    series[1, 50:52] = 300  # two hours of smoke
    series[2, 50], series[2, 51] = 300, 80  # going down
    series[3, 50] = 100  # not so high
    series[4, 50], series[4, 51] = 300, -999  # with a neighbour unknown
    checked = check(make_observations(series))
    assert checked.rejected() == {"sentinel": 1, "spike": 1}
    assert checked.reason[50] == Reason.SPIKE


def test_the_ends_of_a_series_are_no_spikes():
    series = make_series(2, 20)
    series[0, -1], series[1, 0] = 300, 300
    assert found(make_observations(series)) == {}


def test_days_of_dust_are_no_spikes():
    series = make_series(1, 20)
    series[0, 10] = 300
    assert found(make_observations(series, period=DAY), Limits(averaging=DAY)) == {}


def test_fireworks_stay():
    """Shenyang, in the night of the Chinese new year 2019; and there in May a value that nothing else confirms."""
    series = make_series(2, 24)
    series[0, 8:18] = [69, 107, 397, 553, 161, 31, 27, 16, 20, 20]
    series[1, 8:17] = [71, 48, 45, 66, 334, 22, 44, 36, 30]
    checked = check(make_observations(series))
    assert np.flatnonzero(checked.reason).tolist() == [24 + 12]


def test_stations_with_too_few():
    values = make_series(3, 10)
    values[0, 2:], values[1, 3:] = np.nan, np.nan
    values[2, 2:] = -999
    checked = check(make_observations(values))
    assert checked.rejected() == {"missing": 15, "sentinel": 8, "too_few": 4}
    assert found(make_observations(values), Limits(least=11)) == {"missing": 15, "sentinel": 8, "too_few": 7}


def test_sensors_of_a_station_count_together():
    values = make_series(2, 4)
    values[0, 2:], values[1, :2] = np.nan, np.nan
    one = make_observations(values, [10.0] * 2, [20.0] * 2, ids=["a", "a"], sensors=["x", "y"])
    assert found(one) == {"missing": 4}


# Together


def spoilt(seed):
    """Observations with faults of every kind at random, and how many of each; none touches another."""
    rng = np.random.default_rng(seed)
    values = make_series(12, 200, seed)
    values[0, 20:40] = 8
    values[1, 20] = 400
    values[2, 3:] = np.nan
    values[2, 1] = -999
    north, east = 1.0 + 0.7 * np.arange(12), 10.0 + 0.5 * np.arange(12)
    north[3], east[3] = 0, 0
    north[4], east[4] = 121, 31
    north[5], east[5] = north[6], east[6]
    values[5, 100:] = np.nan
    one = make_observations(values, north, east, mobile=np.arange(12) == 7)
    rows = 8 * 200 + np.arange(0, 800, 7)
    kinds = rng.integers(0, 4, rows.size)
    one = changed(one, rows[kinds == 1], value=-20)
    one = changed(one, rows[kinds == 2], value=3000)
    one = changed(one, rows[kinds == 3], period=1440)
    return repeated(one, rows[kinds == 0]), np.bincount(kinds, minlength=4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_many_faults_are_counted_once_each(seed):
    observations, kinds = spoilt(seed)
    checked = check(observations)
    assert (
        checked.rejected()
        == {
            "missing": 197 + 100,
            "sentinel": 1,
            "coordinates": 200,
            "swapped": 200,
            "moves": 200,
            "averaging": kinds[3],
            "negative": kinds[1],
            "too_high": kinds[2],
            "duplicate": 100 + kinds[0],
            "stuck": 20,
            "spike": 1,
            "too_few": 2,
        }
        | {}
    )
    assert sum(checked.rejected().values()) + checked.good.sum() == observations.size


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_observations_does_not_matter(seed):
    observations, _ = spoilt(seed)
    order = np.random.default_rng(seed).permutation(observations.size)
    here, there = check(observations).take(order), check(observations.take(order))
    columns = [np.lexsort((one.reason, one.begin, one.station)) for one in (here, there)]
    for name in ("station", "begin", "value", "reason"):
        np.testing.assert_array_equal(*(getattr(o, name)[at] for o, at in zip((here, there), columns, strict=True)))


def test_checking_twice_changes_nothing():
    once = check(spoilt(1)[0])
    np.testing.assert_array_equal(check(once).reason, once.reason)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([r for r in Reason if 0 < r < Reason.TOO_FEW]), min_size=2, max_size=2, unique=True))
def test_of_two_faults_the_first_counts(two):
    """In one observation, or of its station; those of series are found only where nothing else is wrong."""
    rows, columns, station = np.array([30]), {}, {}
    base = make_series(2, 100)
    planted = {
        Reason.SENTINEL: {"value": -999},
        Reason.MISSING: {"value": np.nan},
        Reason.UNITS: {"reason": Reason.UNITS},
        Reason.FLAGGED: {"reason": Reason.FLAGGED},
        Reason.LOCAL_TIME: {"begin": np.datetime64("NaT")},
        Reason.AVERAGING: {"period": 61},
        Reason.NEGATIVE: {"value": -20},
        Reason.TOO_HIGH: {"value": 3000},
        Reason.SPIKE: {"value": 400},
    }
    places = {Reason.COORDINATES: (0, 0), Reason.SWAPPED: (100, 20)}
    both = [planted.get(one, {}) for one in two]
    if both[0].keys() & both[1].keys() or set(two) <= {Reason.COORDINATES, Reason.SWAPPED}:
        return  # they cannot both be
    if set(two) in ({Reason.MISSING, Reason.UNITS}, {Reason.STUCK, Reason.SPIKE}):
        return  # a unit that is not known is why there is no number; what is above its neighbours is not the same
    for one in two:
        columns |= planted.get(one, {})
        if one in places:
            station = {"latitude": [places[one][0], 50], "longitude": [places[one][1], 8]} | station
        if one == Reason.MOVES:
            station["mobile"] = [True, False]
        if one == Reason.STUCK:
            base[0, 20:41] = 9
    observations = changed(make_observations(base, **station), rows, **columns)
    if Reason.DUPLICATE in two:
        observations, rows = repeated(observations, rows), np.array([200])
    assert reasons(observations)[rows[0]] == min(two)


def test_real_hours_of_airnow(shared_data):
    """Of 1430 sites none is misplaced, and little is rejected: monitors that hang, and codes for missing."""
    table = pd.read_parquet(shared_data / "stations" / "airnow_hourly_2024-04.parquet")
    sites = table.drop_duplicates("AQSID")
    country = sites.CountryCode.astype(object).fillna("").to_numpy(object)
    number = table.AQSID.map(dict(zip(sites.AQSID, range(len(sites)), strict=True))).to_numpy(np.int32)
    observations = Observations(
        make_stations(sites.Latitude, sites.Longitude, ids=sites.AQSID.to_numpy(object), country=country),
        number,
        table.time.to_numpy("datetime64[m]"),
        np.full(number.size, HOUR, np.int32),
        table.PM25.to_numpy(np.float32),
        np.zeros(number.size, np.uint8),
    )
    rejected = {"sentinel": 306, "negative": 22, "stuck": 780, "spike": 2, "too_few": 1}
    assert found(observations) == rejected


def test_stuck_hours_of_a_real_monitor_are_those_its_owner_calls_invalid(shared_data):
    paths = sorted((shared_data / "stations").glob("airnow_dos_Shenyang_*.csv.gz"))
    table = pd.concat([pd.read_csv(path) for path in paths])
    local = pd.to_datetime(table["Date (LT)"], format="%Y-%m-%d %I:%M %p")
    one = make_observations(table["Raw Conc."].to_numpy(), 41.78, 123.42)
    checked = check(replace(one, begin=local.to_numpy("datetime64[m]") - np.timedelta64(9, "h")))
    valid = (table["QC Name"] == "Valid").to_numpy()
    assert not (valid & (checked.reason == Reason.STUCK)).any()
    assert (checked.reason == Reason.STUCK).sum() == 166 + 53
    assert (valid & ~checked.good).sum() <= 3  # two spikes, and an hour that both files have
    assert (checked.reason[checked.value == 985] == Reason.SENTINEL).tolist() == [True] * 8


def test_no_observations():
    none = clean(1, 4).take(np.zeros(0, np.intp))
    assert check(none).size == 0
    assert check(none.compact()).size == 0
    bad = changed(clean(2, 4, latitude=[0, 0], longitude=[0, 0]), 0, value=np.nan)
    assert found(bad) == {"missing": 1, "coordinates": 7}


# Refusals


@pytest.mark.parametrize(
    "wrong",
    [
        {"averaging": 0},
        {"lowest": 5, "highest": 1},
        {"lowest": np.nan},
        {"highest": np.inf},
        {"stuck": -1},
        {"spike": 0.5},
        {"rise": np.nan},
        {"patience": 0},
        {"least": -1},
        {"moved": -0.1},
        {"same_place": np.nan},
    ],
)
def test_limits_that_cannot_be_meant(wrong):
    with pytest.raises(InputError, match=r"quality control: .* wanted"):
        Limits(**wrong)


def message_of(observations: Observations) -> str:
    with pytest.raises(InputError) as caught:
        refuse_empty(observations)
    return str(caught.value)


def test_what_is_left_is_not_refused():
    refuse_empty(check(clean()))


def test_a_refusal_says_what_removed_how_much():
    daily = changed(clean(1, 20, period=DAY), [3, 4, 5], value=[-999, -999, np.nan], reason=Reason.GOOD)
    message = message_of(check(daily))
    assert message.startswith("none of 20 observations is left after quality control: 17 of another averaging period")
    assert "; 2 a code for missing" in message
    assert "; 1 without a number" in message
    assert message.endswith("most are means of 1440 minutes: use --averaging daily")


@pytest.mark.parametrize(
    ("change", "limits", "hint"),
    [
        ({"period": 60}, Limits(averaging=DAY), "--averaging hourly"),
        ({"period": 15}, None, "means of 15 minutes: wanted means of an hour or a day"),
        ({"period": 0}, None, "most do not tell it"),
        ({"reason": Reason.UNITS}, None, "--units"),
        ({"reason": Reason.FLAGGED}, None, "20 flagged by who published them"),
        ({"value": 1e6}, None, "--units"),
        ({"value": np.nan}, None, "20 without a number"),
        ({"begin": np.datetime64("NaT")}, None, "--timezone"),
    ],
)
def test_hints(change, limits, hint):
    assert hint in message_of(check(changed(clean(1, 20), np.arange(20), **change), limits))


def test_too_few_hours_are_hinted_at_even_where_more_is_rejected_for_something_else():
    mixed = join([changed(clean(1, 20), np.arange(20), period=15), clean(1, 2)])
    message = message_of(check(mixed))
    assert "means of 15 minutes" in message
    assert "a smaller --least-hours" in message


def test_a_hint_about_coordinates():
    assert "--site-table" in message_of(check(clean(1, 20, latitude=0, longitude=0)))


def test_nothing_was_read():
    assert "no observation of PM2.5" in message_of(clean(1, 4).take(np.zeros(0, np.intp)))
