"""Collocation: exact on fields that are linear in space and time, the same observations for every product, little read."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.sample import cams_sample
from deepcams.stations.collocate import RULES, collocate, common_hours
from deepcams.stations.products import cams_products
from deepcams.stations.table import DAY, HOUR, Reason, join

START = np.datetime64("2024-04-01T00", "h")
REGIONAL = Grid(52, 8, 0.5, 9, 11)
GLOBAL = Grid(90, 0, 30, 7, 12)
CITIES = {"Beijing": (39.95, 116.47), "Shanghai": (31.21, 121.44), "Hanoi": (21.02, 105.82), "Bogota": (4.6, -74.1)}
properties = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the fixtures make things, and keep nothing


@dataclass(eq=False)
class Made:
    """A product in memory, which notes what was read of it."""

    values: np.ndarray
    grid: Grid = REGIONAL
    name: str = "made"
    start: np.datetime64 = START
    label: str = "made.nc"
    description: str = ""
    read: list = field(default_factory=list)
    boxes: list = field(default_factory=list)

    @property
    def times(self):
        return self.start + np.arange(len(self.values))

    def series(self, sampler, hours):
        assert 0 <= hours.start < hours.stop <= len(self.values)
        self.read.append(slice(int(hours.start), int(hours.stop)))
        self.boxes += [(one.rows, one.columns) for one in sampler.windows()]
        return sampler.means(sampler.take(lambda rows, columns: self.values[hours, rows, columns]))


def truth(latitude, longitude, hour):
    return 2 * np.asarray(latitude) - np.asarray(longitude) + np.asarray(hour) / 8 + 500


def linear(hours=72, grid=REGIONAL, **options):
    """Linear in space and time."""
    values = truth(grid.latitude[:, None], grid.longitude, np.arange(hours)[:, None, None])
    return Made(values.astype(np.float32), grid, **options)


def flat(values, **options):
    """The same everywhere, hour by hour."""
    return Made(np.broadcast_to(np.float32(values)[:, None, None], (len(values), *REGIONAL.shape)), **options)


def middles(pairs):
    """Hours since START."""
    begin = (pairs.observations.begin - START) / np.timedelta64(1, "h")
    return begin + pairs.observations.period / 120


def after(minutes):
    return START + np.timedelta64(int(minutes), "m")


@properties
@given(st.integers(0, 2000), st.integers(1, 2000))
def test_the_mean_of_a_linear_field_is_that_at_the_middle(observations, minute, period):
    made = observations([[1], [2]], [49.3, 50], [9.1, 12.77], start=after(minute), period=period)
    _, pairs = collocate(made, [linear()])
    np.testing.assert_allclose(pairs.products["made"], truth([49.3, 50], [9.1, 12.77], middles(pairs)), rtol=3e-7)


@properties
@given(st.integers(0, 600), st.integers(1, 3000), st.integers(0, 9))
def test_the_mean_is_the_integral_of_the_piecewise_linear_function(observations, minute, period, seed):
    hourly = np.random.default_rng(seed).gamma(1, 20, 72)
    _, pairs = collocate(observations([1], [50], [9], start=after(minute), period=period), [flat(hourly)])
    at = minute + np.arange(period + 1)  # every minute, so also every hour: the trapezoids are exact
    wanted = np.trapezoid(np.interp(at, 60 * np.arange(72), np.float32(hourly)), at) / period
    np.testing.assert_allclose(pairs.products["made"], [wanted], rtol=1e-6)


@pytest.mark.parametrize(
    ("minute", "period", "wanted"),
    [
        (60, HOUR, {1: 1 / 2, 2: 1 / 2}),
        (90, HOUR, {1: 1 / 8, 2: 6 / 8, 3: 1 / 8}),
        (45, HOUR, {0: 1 / 32, 1: (2 * 16 - 1 - 9) / 32, 2: 9 / 32}),
        (0, DAY, {0: 1 / 48, **dict.fromkeys(range(1, 24), 1 / 24), 24: 1 / 48}),
        (60, 3 * HOUR, {1: 1 / 6, 2: 1 / 3, 3: 1 / 3, 4: 1 / 6}),
    ],
)
def test_the_weights_of_hours(observations, minute, period, wanted):
    found = {}
    for hour in range(30):
        _, pairs = collocate(observations([1], [50], [9], start=after(minute), period=period), [flat(np.eye(30)[hour])])
        found |= {hour: float(pairs.products["made"][0])} if pairs.products["made"][0] else {}
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("period", [1, 7, HOUR, 50 * HOUR])
@pytest.mark.parametrize("minute", [0, 17, 30])
def test_a_constant_stays_the_same_number(observations, minute, period):
    _, pairs = collocate(observations([1], [49.3], [9.1], start=after(minute), period=period), [flat([0.1] * 60)])
    assert pairs.products["made"][0] == np.float32(0.1)


@pytest.mark.parametrize(("rule", "shift"), [("begin", 0), ("end", 1), ("mean", 0.5)])
@pytest.mark.parametrize("minute", [0, 20, 45])
def test_begin_and_end_are_instants(observations, rule, shift, minute):
    hourly = np.random.default_rng(0).gamma(1, 20, 30)
    _, pairs = collocate(observations(np.ones(5), [50], [9], start=after(minute)), [flat(hourly)], rule=rule)
    _, exact = collocate(observations(np.ones(5), [50], [9], start=after(minute)), [linear()], rule=rule)
    at = minute / 60 + shift + np.arange(5)
    np.testing.assert_allclose(exact.products["made"], truth(50, 9, at), rtol=3e-7)
    if rule != "mean":
        np.testing.assert_allclose(pairs.products["made"], np.interp(at, np.arange(30), hourly), rtol=1e-6)


def test_observations_of_several_periods_go_together(observations):
    parts = [
        observations(np.ones((2, 30)), [50, 51], [9, 10]),
        observations(np.ones(2), [50.2], [11], period=DAY, start=after(90)),
        observations(np.ones(20), [50.2], [11.1], period=HOUR, start=after(30)),
        observations(np.ones(40), [50.3], [11.1], period=15, start=after(15)),
    ]
    for rule, share in zip(RULES, (0.5, 0, 1), strict=True):
        found, pairs = collocate(join(parts), [linear()], rule=rule)
        assert found.good.all()
        assert pairs.size == 122
        order = np.lexsort((pairs.observations.station, pairs.observations.begin))
        np.testing.assert_array_equal(order, np.arange(122))
        places, own = pairs.observations.stations, pairs.observations.station
        at = middles(pairs) + pairs.observations.period / 60 * (share - 0.5)
        np.testing.assert_allclose(
            pairs.products["made"], truth(places.latitude[own], places.longitude[own], at), rtol=3e-7
        )


def test_the_order_of_observations_does_not_matter(observations, series):
    made = observations(series(4, 60), [49, 50, 51, 51.5], [9, 10, 11, 12], start=after(15))
    shuffled = np.random.default_rng(1).permutation(made.size)
    product = Made(np.random.default_rng(0).gamma(1, 20, (72, *REGIONAL.shape)).astype(np.float32))
    found, pairs = collocate(made, [product])
    other, same = collocate(made.take(shuffled), [product])
    np.testing.assert_array_equal(other.reason, found.reason[shuffled])
    np.testing.assert_array_equal(same.products["made"], pairs.products["made"])
    np.testing.assert_array_equal(same.observations.value, pairs.observations.value)
    np.testing.assert_array_equal(pairs.observations.value.reshape(60, 4).T, made.value.reshape(4, 60))


def test_a_missing_value_takes_those_with_it_that_need_it(observations):
    values = linear().values.copy()
    values[5, 4, 2] = np.nan  # 50N 9E
    made = observations(np.ones((3, 10)), [50, 50.2, 48.5], [9, 9.2, 12])
    found, pairs = collocate(made, [Made(values)])
    lost = np.zeros((3, 10), bool)
    lost[:2, 4:6] = True  # the hours before and after; the third station is elsewhere
    np.testing.assert_array_equal(found.reason.reshape(3, 10) == Reason.NO_MODEL, lost)
    assert pairs.size == 26
    assert found.rejected() == {"no_model": 4}
    for rule, hour in (("begin", 5), ("end", 4)):
        found, _ = collocate(made, [Made(values)], rule=rule)
        np.testing.assert_array_equal(np.flatnonzero(found.reason.reshape(3, 10)[0]), [hour])


def test_only_good_observations_are_used_and_the_reasons_of_others_stay(observations):
    made = observations(np.ones((2, 10)), [50, 80], [9, 9])
    made.reason[3] = Reason.SPIKE
    found, pairs = collocate(made, [linear()])
    assert found.rejected() == {"spike": 1, "no_model": 10}
    assert made.rejected() == {"spike": 1}
    assert (pairs.size, pairs.observations.stations.size) == (9, 1)
    np.testing.assert_array_equal(found.value, made.value)


def test_all_products_have_the_same_observations(observations):
    small = Grid(51, 9, 0.25, 5, 9)  # 50..51N 9..11E
    values = linear(50, small).values.copy()
    values[20] = np.nan
    products = [
        linear(name="long"),
        linear(48, start=START + 6, name="late"),
        Made(values, small, "small and holed"),
    ]
    made = observations(np.ones((3, 72)), [50.5, 50.3, 48.2], [9.5, 10.1, 12.9])
    found, pairs = collocate(made, products)
    hours = np.setdiff1d(np.arange(6, 49), [19, 20])
    assert pairs.products.keys() == {"long", "late", "small and holed"}
    np.testing.assert_array_equal(np.unique(middles(pairs) - 0.5), hours)
    assert pairs.size == 2 * hours.size == found.good.sum()
    np.testing.assert_allclose(pairs.products["small and holed"], pairs.products["long"], rtol=1e-6)
    np.testing.assert_allclose(pairs.products["late"], pairs.products["long"] - 6 / 8, rtol=1e-6)
    for one in products:
        alone, _ = collocate(made, [one])
        assert (alone.good >= found.good).all()


def test_longitudes_go_around_the_seam_and_the_poles_are_there(observations):
    columns = np.cos(np.deg2rad(GLOBAL.longitude)) * np.cos(np.deg2rad(GLOBAL.latitude))[:, None]
    product = Made(np.repeat(columns[None].astype(np.float32) + 5, 3, axis=0), GLOBAL)
    made = observations(np.ones((6, 2)), [0, 0, 0, 0, 90, -90], [-15, 345, 15, 180, 77, -33.3])
    _, pairs = collocate(made, [product])
    half = 5 + (1 + np.cos(np.deg2rad(30))) / 2
    np.testing.assert_allclose(pairs.products["made"].reshape(2, 6)[0], [half, half, half, 4, 5, 5], rtol=1e-6)
    _, nearest = collocate(made, [product], interpolation="nearest")
    assert set(nearest.products["made"][:2]) <= {np.float32(6), product.values[0, 3, 1]}


def test_a_regional_grid_may_cross_the_date_line_and_has_half_a_cell_around(observations):
    grid = Grid(10, 178, 1, 5, 5)  # 178..182E
    made = observations(np.ones((5, 2)), [8.5, 8.5, 10.4, 8, 10.6], [-179.5, 180.5, 178.0, 182.6, 179])
    found, pairs = collocate(made, [linear(5, grid)])
    np.testing.assert_array_equal(found.good.reshape(5, 2).all(axis=1), [True, True, True, False, False])
    wanted = truth([8.5, 8.5, 10], [180.5, 180.5, 178], 0.5)
    np.testing.assert_allclose(pairs.products["made"][:3], wanted, rtol=1e-6)


def test_only_the_hours_and_the_box_needed_are_read(observations):
    product = linear(24 * 20)
    parts = [
        observations(np.ones(2), [50], [9], start=START + 10),
        observations(np.ones(3), [50.2], [9.3], start=START + 22),
        observations([1], [50.2], [9.3], start=START + 24 * 10, period=DAY),
        observations([1], [10], [10], start=START + 30),  # outside
        observations([1], [50], [9], start=START + 24 * 20 - 1),  # needs an hour after the last
    ]
    collocate(join(parts), [product])
    hours = sorted((one.start, one.stop) for one in product.read)  # a thread may be ahead of another
    assert hours == [(10, 13), (22, 24), (24, 26), (240, 264), (264, 265)]
    assert set(map(str, product.boxes)) == {str((slice(3, 5), slice(2, 4)))}


def test_results_do_not_depend_on_where_days_end(observations, series):
    values = np.random.default_rng(0).gamma(1, 20, (80, *REGIONAL.shape)).astype(np.float32)
    found = [
        collocate(
            observations(series(2, 70), [50.3, 49], [9.9, 12], start=START + shift, period=HOUR),
            [Made(values, start=START + shift)],
        )[1].products["made"]
        for shift in (0, 5, 17)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_a_period_limits_what_is_used_and_given_back(observations):
    made = join([observations(np.ones(72), [50], [9]), observations(np.ones(3), [50], [9.5], period=DAY)])
    made.reason[-1], made.begin[-1] = Reason.LOCAL_TIME, np.datetime64("NaT")
    found, pairs = collocate(made, [linear(100)], start=START + 20, end=START + 47)
    assert pairs.size == 28 + 1  # the hours 20 to 47, and the second day
    assert found.size == 30
    assert found.rejected() == {"local_time": 1}
    assert pairs.observations.begin.min() == START + 20
    assert (pairs.observations.begin + pairs.observations.period).max() == START + 48
    with pytest.raises(InputError, match="wanted --start before --end"):
        collocate(made, [linear()], start=START + 2, end=START)
    with pytest.raises(InputError, match=r"no observation from 2024-05-01T00 to compare.*local_time 1"):
        collocate(made, [linear()], start=np.datetime64("2024-05-01T00", "h"))


def test_progress_tells_all_hours_that_products_share(observations):
    products = [linear(60, name="a"), linear(72, name="b", start=START + 10)]
    told = []
    collocate(observations(np.ones(5), [50], [9], start=START + 30), products, progress=told.append)
    assert sum(told) == common_hours(products) == 50
    assert min(told) >= 0
    assert common_hours([linear(5), linear(5, start=START + 5)]) == 0


def test_what_does_not_overlap_is_said(observations):
    made = observations(np.ones((2, 5)), [49, 50], [9, -170])
    late = linear(start=START + 1000, name="CAMS")
    with pytest.raises(InputError) as error:
        collocate(made, [linear(), late])
    for part in (
        "within CAMS:",
        "10 observations (stations: 2) in 50..49N, -170..9E",
        "2024-04-01T00:00 to 2024-04-01T05:00",
        "CAMS (made.nc) goes from 2024-05-12T16 to 2024-05-15T15 UTC on 9 x 11 nodes, 0.5 degrees, 52..48N, 8..13E",
    ):
        assert part in str(error.value)
    with pytest.raises(InputError, match=r"no observation lies within made: .* in 10\.\.10N"):
        collocate(observations([1], [10], [9]), [linear()])
    apart = [linear(3, name="a"), linear(9, start=START + 3, name="b")]
    with pytest.raises(InputError, match="no observation lies within all products"):
        collocate(observations(np.ones(10), [50], [9]), apart)


def test_other_calls_that_cannot_work_are_refused(observations):
    made = observations(np.ones(5), [50], [9])
    with pytest.raises(InputError, match=r"made \(made.nc\) 0"):
        collocate(made, [flat(np.full(9, np.nan))])
    with pytest.raises(InputError, match=r"none is good \(spike 5"):
        collocate(replace(made, reason=np.full(5, Reason.SPIKE, np.uint8)), [linear()])
    with pytest.raises(InputError, match="made is there more than once"):
        collocate(made, [linear(), linear()])
    with pytest.raises(InputError, match="wanted one of mean, begin, end"):
        collocate(made, [linear()], rule="middle")
    with pytest.raises(InputError, match="one product at least"):
        collocate(made, [])


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_cams_at_cities_is_what_xarray_and_pandas_give(observations, sample_fields, interpolation):
    latitude, longitude = np.array(list(CITIES.values())).T
    made = observations(np.ones((4, 12)), latitude, longitude, start="2019-12-31T14:00")
    found, pairs = collocate(made, cams_products(cams_sample()), interpolation=interpolation)
    assert found.good.reshape(4, 12)[:, 1:10].all()
    assert found.good.sum() == 36
    with xr.open_dataset(cams_sample()) as dataset:
        times = pd.DatetimeIndex(dataset.valid_time.values)
        axes = {"latitude": dataset.latitude.values, "longitude": dataset.longitude.values}
    field = xr.DataArray(sample_fields, {"time": times, **axes}, ("time", "latitude", "longitude"))
    places = {"latitude": xr.DataArray(latitude, dims="s"), "longitude": xr.DataArray(longitude % 360, dims="s")}
    way = {"bilinear": "linear", "nearest": "nearest"}[interpolation]
    sampled = field.interp(places, method=way).to_pandas()
    hourly = sampled.reindex(pd.date_range(times[0], times[-1], freq="1h"))
    for name, filled in (("CAMS", hourly.interpolate("time")), ("CAMS nearest", hourly.ffill(limit=1).bfill(limit=1))):
        wanted = (filled + filled.shift(-1)).dropna() / 2
        values = pairs.products[name].reshape(9, 4)
        np.testing.assert_allclose(values, wanted.values, rtol=1e-5, atol=1e-5, err_msg=name)
