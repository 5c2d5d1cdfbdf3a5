"""The rules that hold for every method, on whole jobs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcams import downscale, open_cams
from deepcams.checks import Tally, check_means, check_values, mass_drift
from deepcams.conserve import area_mean
from deepcams.errors import CheckError, InputError
from deepcams.grid import Grid
from deepcams.io.cams import combine, from_dataset, open_analyses
from deepcams.io.files import find_files
from deepcams.methods import ORDERS, recipe
from deepcams.pipeline import Job, hours
from deepcams.regions import parse_region
from deepcams.sample import cams_sample
from deepcams.spatial import SPATIAL
from deepcams.temporal import TEMPORAL
from deepcams.timeline import TimeKind

GLOBE = Grid(90, 0, 0.75, 241, 480)
BOX = Grid(50, 5, 0.75, 10, 12)
SMALL_GRIDS = [Grid(50, 5, 0.75, 3, 4), BOX, Grid(90, 0, 0.75, 4, 3), Grid(0, 0, 0.75, 2, 480)]


@pytest.fixture(scope="module")
def sample_job():
    return Job(open_analyses(find_files(cams_sample())), recipe())


@pytest.fixture(scope="module")
def sample_hours(sample_job):
    return list(hours(sample_job, Tally()))


def test_the_sample_becomes_ten_maps(sample_hours):
    assert [str(hour.time) for hour in sample_hours] == [
        str(np.datetime64("2019-12-31T15", "h") + k) for k in range(10)
    ]  # fmt: skip
    assert [hour.kind for hour in sample_hours] == ([TimeKind.ANALYSIS] + [TimeKind.INTERPOLATED] * 2) * 3 + [
        TimeKind.ANALYSIS
    ]


def test_analysis_hours_are_the_sharpened_analyses_with_the_area_means_of_cams(sample_hours, sample_fields):
    for hour, analysis in zip(sample_hours[::3], sample_fields, strict=True):
        means = area_mean(hour.values.astype(np.float64), GLOBE)
        np.testing.assert_allclose(means, analysis, rtol=1e-6)
        assert (
            hour.values[np.repeat(np.repeat(analysis == 0, 3, 0)[1:-1], 3, 1)[:, np.arange(1440) - 1439]] == 0
        ).any()
        assert hour.values.max() > 800


def test_poles_are_single_valued_and_nothing_is_negative(sample_hours):
    for hour in sample_hours:
        assert np.ptp(hour.values[0]) == 0
        assert np.ptp(hour.values[-1]) == 0
        assert np.isfinite(hour.values).all()
        assert hour.values.min() >= 0


def test_zero_in_zero_out(sample_hours, sample_fields):
    zero = sample_fields[0] == 0
    zero[[0, -1]] = False
    rows, columns = np.nonzero(zero)
    assert rows.size > 100
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            assert (sample_hours[0].values[3 * rows + dy, (3 * columns + dx) % 1440] == 0).all()


def test_the_result_does_not_depend_on_workers_or_on_which_days_are_made(sample_job, sample_hours):
    alone = list(hours(sample_job, Tally(), workers=1))
    by_day = [hour for day in sample_job.timeline.days for hour in hours(sample_job, Tally(), days=[day], workers=3)]
    for a, b, c in zip(sample_hours, alone, by_day, strict=True):
        assert a.values.tobytes() == b.values.tobytes() == c.values.tobytes()


@pytest.mark.parametrize("name", ["southeast-australia", "10,170,-20,-170", "90,-40,60,40", "-60,0,-90,180"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_region_is_the_globe_cropped(sample_job, sample_hours, name, order):
    globe = sample_hours if order == ORDERS[0] else list(hours(Job(sample_job.analyses, recipe(order=order)), Tally()))
    job = Job(sample_job.analyses, recipe(order=order), region=parse_region(name))
    rows = np.round((90 - job.grid.latitude) * 4).astype(int)
    columns = np.round(job.grid.longitude % 360 * 4).astype(int) % 1440

    def crop(hour):
        return hour.values[np.ix_(rows, columns)]

    for whole, part in zip(globe, hours(job, Tally()), strict=True):
        np.testing.assert_array_equal(part.values, crop(whole))


@pytest.mark.parametrize("name", ["southeast-australia", "10,170,-20,-170", "90,-40,60,40"])
@pytest.mark.parametrize("space", [name for name, method in SPATIAL.items() if np.isfinite(method.halo)])
def test_a_region_is_the_globe_cropped_also_where_only_its_surroundings_are_read(sample_job, name, space):
    way = recipe(space=space, time="linear")
    job = Job(sample_job.analyses, way, region=parse_region(name))
    assert job.window.coarse != GLOBE or job.grid.north_pole
    rows = np.round((90 - job.grid.latitude) * 4).astype(int)
    columns = np.round(job.grid.longitude % 360 * 4).astype(int) % 1440
    day = job.timeline.days[1:]
    whole, part = (next(iter(hours(one, Tally(), days=day))) for one in (Job(sample_job.analyses, way), job))
    np.testing.assert_allclose(part.values, whole.values[np.ix_(rows, columns)], rtol=2e-5, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    data=st.data(), grid=st.sampled_from(SMALL_GRIDS), space=st.sampled_from(list(SPATIAL)),
    time=st.sampled_from(list(TEMPORAL)), order=st.sampled_from(ORDERS),
)  # fmt: skip
def test_promises_of_every_combination_on_small_grids(data, grid, space, time, order):
    import xarray as xr

    values = st.floats(2**-10, 4096, width=32) | st.just(0.0)
    fields = data.draw(arrays(np.float32, (2, *grid.shape), elements=values, fill=st.just(1.0)))
    if grid.north_pole:
        fields[:, 0] = fields[:, :1, 0]
    times = np.array(["2020-01-01T00", "2020-01-01T03"], "datetime64[ns]")
    coordinates = {"time": times, "latitude": grid.latitude, "longitude": grid.longitude}
    cams = xr.DataArray(fields, coordinates, ("time", "latitude", "longitude"), name="pm2p5", attrs={"units": "ug m-3"})
    result = downscale(cams, recipe(space=space, time=time, order=order), workers=1)
    assert result.pm2p5.shape == (4, *grid.refine(3).shape)
    assert np.isfinite(result.pm2p5).all()
    assert float(result.pm2p5.min()) >= 0
    if SPATIAL[space].conserving:
        means = area_mean(result.pm2p5.values[[0, 3]].astype(np.float64), grid)
        np.testing.assert_allclose(means, fields, rtol=1e-6)


def test_missing_nodes_stay_missing_and_nothing_else_becomes_so(cams_array):
    fields = np.random.default_rng(0).lognormal(1, 1, (3, *BOX.shape)).astype(np.float32)
    fields[1, 4, 5] = np.nan
    fields[2, 7:9, 2] = np.nan
    result = downscale(cams_array(fields, BOX))
    missing = np.isnan(result.pm2p5.values)
    hole = np.zeros((30, 36), bool)
    hole[12:15, 15:18] = True
    other = np.zeros((30, 36), bool)
    other[21:27, 6:9] = True
    assert not missing[0].any()
    for number, expected in [(1, hole), (2, hole), (3, hole), (4, hole | other), (5, hole | other), (6, other)]:
        np.testing.assert_array_equal(missing[number], expected)
    means = area_mean(result.pm2p5.values[3].astype(np.float64), BOX)
    np.testing.assert_allclose(means, fields[1], rtol=1e-6)


def test_nothing_is_made_across_a_gap(cams_array):
    fields = np.ones((4, *BOX.shape), np.float32)
    cams = cams_array(fields, BOX)
    with_gap = cams.isel(time=[0, 1, 3]).assign_coords(time=cams.time.values[[0, 1, 3]] + np.timedelta64(0, "h"))
    result = downscale(with_gap)
    assert [int(t) for t in result.time.dt.hour] == [0, 1, 2, 3, 9]


def test_other_factors_and_species(cams_array):
    fields = np.random.default_rng(1).lognormal(-20, 1, (2, *BOX.shape)).astype(np.float32)
    cams = cams_array(fields, BOX).rename("go3").assign_attrs(units="kg kg**-1", long_name="Ozone mass mixing ratio")
    result = downscale(cams, factor=5)
    assert result.go3.shape == (4, 50, 60)
    assert result.go3.attrs["units"] == "kg kg**-1"
    np.testing.assert_allclose(area_mean(result.go3.values[0].astype(np.float64), BOX, 5), fields[0], rtol=1e-6)


def test_several_values_on_a_pole_become_their_mean(cams_array):
    grid = Grid(90, 0, 0.75, 10, 480)
    fields = np.random.default_rng(2).lognormal(1, 1, (2, *grid.shape)).astype(np.float32)
    result = downscale(cams_array(fields, grid), workers=1)
    np.testing.assert_allclose(result.pm2p5.values[0, 0], fields[0, 0].mean(), rtol=1e-6)


def test_following_the_air_beats_linear_on_real_hours(shared_data):
    """The open part of the GEOS-CF sample: area means of hours 1 and 4 given, hours 2 and 3 asked."""
    import xarray as xr

    truth = xr.open_dataset(shared_data / "geos_cf_2020-03-08.nc").PM25_RH35_GCC.values[:, ::-1]
    truth = np.roll(truth, -720, -1).astype(np.float64)
    times = np.array(["2020-03-08T00", "2020-03-08T03"], "datetime64[ns]")
    coarse = area_mean(truth[[0, 3]], GLOBE).astype(np.float32)
    cams = xr.DataArray(
        coarse,
        {"time": times, "latitude": GLOBE.latitude, "longitude": GLOBE.longitude},
        ("time", "latitude", "longitude"),
        name="pm2p5",
        attrs={"units": "ug m-3"},
    )
    known = np.isfinite(truth[0]).all(axis=0)
    far = np.array([known.take(np.arange(j - 48, j + 49), mode="wrap").all() for j in range(1440)])
    weight = np.broadcast_to(GLOBE.refine(3).areas[:, None], truth[0].shape)[:, far]

    def errors(result, numbers):
        error = (result.pm2p5.values[numbers] - truth[numbers])[..., far]
        return np.sqrt((error**2 * weight).sum() / weight.sum() / 2), (abs(error) * weight).sum() / weight.sum() / 2

    fast, straight = (downscale(cams, recipe("fast", time=time)) for time in ("flow", "linear"))
    cubic = downscale(cams, recipe(space="bicubic", time="linear"))
    network = downscale(cams)  # trained on these hours: this guards the weights that ship, and proves nothing
    assert all(a < 0.92 * b for a, b in zip(errors(network, [0, 3]), errors(fast, [0, 3]), strict=True))
    assert all(a < 0.96 * b for a, b in zip(errors(network, [1, 2]), errors(fast, [1, 2]), strict=True))
    assert errors(fast, [0, 3]) <= (1.31, 0.25)
    assert errors(fast, [1, 2])[0] <= 1.86
    assert errors(fast, [1, 2])[1] <= 0.309
    for other in (straight, cubic):
        assert all(a < b for a, b in zip(errors(fast, [1, 2]), errors(other, [1, 2]), strict=True))


def test_the_tally_counts(sample_job):
    tally = Tally()
    for _ in hours(sample_job, tally):
        pass
    assert (tally.hours, tally.analyses) == (10, 4)
    assert tally.mean_error < 1e-6
    assert 0 < tally.drift < 0.01  # mornings do not go evenly: with the flow alone it is 0.0025
    assert tally.noise > 0
    assert len(tally.digests) == 4


def test_checks_refuse_broken_maps():
    good = np.ones((30, 36), np.float32)
    check_values(good, "x")
    for bad in (-1, np.nan, np.inf):
        broken = good.copy()
        broken[3, 4] = bad
        with pytest.raises(CheckError, match="wanted finite"):
            check_values(broken, "x")
    assert check_means(good, np.ones(BOX.shape, np.float32), BOX, 3) < 1e-6
    with pytest.raises(CheckError, match="area means"):
        check_means(good, np.full(BOX.shape, 1.01, np.float32), BOX, 3)


def test_drift_by_hand():
    ones = np.ones((2, 2), np.float32)
    assert mass_drift(2.2 * ones, ones, 3 * ones, 0.5, np.array([1.0, 2.0])) == pytest.approx(0.1, rel=1e-6)
    assert mass_drift(0 * ones, 0 * ones, 0 * ones, 0.5, np.array([1.0, 2.0])) == 0


def test_the_python_api_gives_what_the_command_line_writes(sample_hours):
    result = downscale(open_cams(cams_sample()))
    assert result.pm2p5.dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(result.pm2p5.values, np.stack([hour.values for hour in sample_hours]))
    assert result.time_kind.values.tolist() == [int(hour.kind) for hour in sample_hours]
    assert result.attrs["Conventions"] == "CF-1.11"


def test_arrays_of_any_kind_give_the_same(cams_array):
    """In memory, lazily opened, in dask's chunks, in another unit, another order, another convention: bit for bit."""
    sample = open_cams(cams_sample())
    box = sample.isel(latitude=slice(40, 60), longitude=slice(470, 480), time=slice(0, 2))
    expected = downscale(box.load()).pm2p5.values
    turned = box.assign_coords(longitude=box.longitude - 360).isel(latitude=slice(None, None, -1))
    kilograms = (box.astype(np.float64) * 1e-9).assign_attrs(units="kg m**-3")
    chunked = sample.chunk({"time": 1}).isel(latitude=slice(40, 60), longitude=slice(470, 480), time=slice(0, 2))
    for other in (box, chunked, turned, kilograms, box.rename(None), box.transpose("longitude", "time", "latitude")):
        np.testing.assert_array_equal(downscale(other).pm2p5.values, expected)


def test_what_python_callers_get_wrong(cams_array):
    cams = cams_array(np.ones((2, *BOX.shape), np.float32), BOX)
    for wrong in (cams.to_dataset(), cams.values):
        with pytest.raises(InputError, match=r"wanted an xarray\.DataArray"):
            downscale(wrong)
    with pytest.raises(InputError, match="attrs"):
        downscale(cams.drop_attrs())
    for factor in (1, 2, -3):
        with pytest.raises(InputError, match="3, 5"):
            downscale(cams, factor=factor)


@pytest.fixture
def day_of_cams(cams_array):
    """Nine analyses that move, without the fifth."""
    rows, columns = np.mgrid[: BOX.rows, : BOX.columns]
    fields = [5 + 40 * np.exp(-((columns - 3 - k / 2) ** 2 + (rows - 4) ** 2) / 6) for k in range(9)]
    return cams_array(np.stack(fields).astype(np.float32), BOX).isel(time=[0, 1, 2, 3, 5, 6, 7, 8])


def job_of(cams, **options):
    name = str(cams.name)
    return Job(
        combine([from_dataset(cams.to_dataset(name=name), "test", variable=name)]), recipe("deepcams"), **options
    )


def test_sharpening_looks_at_the_analyses_beside_but_not_across_a_gap(day_of_cams):
    job = job_of(day_of_cams)
    assert [job.beside(number) for number in range(8)] == [(1,), (0, 2), (1, 3), (2,), (5,), (4, 6), (5, 7), (6,)]
    assert Job(job.analyses, recipe("fast")).beside(1) == ()
    first, *_, last = job.timeline.days
    assert job.inputs(first) == tuple(range(8))
    assert job.inputs(last) == (6, 7)


def test_a_part_of_the_period_is_the_same_as_in_the_whole(day_of_cams):
    """Also where the analyses beside a day lie outside the period asked for."""
    times = day_of_cams.time.values.astype("datetime64[h]")
    whole = {hour.time: hour.values for hour in hours(job_of(day_of_cams), Tally())}
    part = list(hours(job_of(day_of_cams, start=times[5], end=times[6]), Tally()))
    assert len(part) == 4
    for hour in part:
        np.testing.assert_array_equal(hour.values, whole[hour.time])


def test_what_is_missing_beside_an_analysis_is_not_missing_in_it(day_of_cams):
    holed = day_of_cams.copy()
    holed[1, 2:5, 2:6] = np.nan
    maps = {hour.time: hour.values for hour in hours(job_of(holed), Tally())}
    times = day_of_cams.time.values.astype("datetime64[h]")
    for number in (0, 2):
        assert np.isfinite(maps[times[number]]).all()
    assert np.isnan(maps[times[1]]).sum() == 9 * 12


@pytest.mark.parametrize(("name", "factor"), [("pm10", 3), ("pm2p5", 5)])
def test_what_no_network_is_trained_for_is_done_without_one(cams_array, name, factor):
    cams = cams_array(np.full((2, *BOX.shape), 7, np.float32), BOX).rename(name)
    result = downscale(cams, factor=factor)
    assert '"method": "fast"' in result.attrs["deepcams_settings"]
    with pytest.raises(InputError, match=r"trained for pm2p5 made 3 times as fine.*--method fast"):
        downscale(cams, "deepcams", factor=factor)


def test_settings_name_the_weights():
    settings = recipe("deepcams").settings
    assert len(settings["space_weights_sha256"]) == len(settings["time_weights_sha256"]) == 64
    assert not [key for key in recipe("fast").settings if "weights" in key]
