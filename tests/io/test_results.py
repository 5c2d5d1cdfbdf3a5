"""Reading results back: the same values from a store, a file or many, and refusals of what does not fit together."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.cli import main
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.results import open_results
from deepcams.timeline import TimeKind

HOUR = np.timedelta64(1, "h")


def downscale(output, *options):
    """Make the hours of the job beside its input."""
    call = ["downscale", output.parent / "cams.nc", output, "--method", "fast", "--time", "linear", "--quiet", *options]
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in call])
    assert ended.value.code == 0


@pytest.fixture
def made(tmp_path, job):
    """The same two and a half days, with a gap and a hole, as a store and as a file."""
    downscale(tmp_path / "out.zarr")
    downscale(tmp_path / "out.nc")
    return tmp_path


def hourly(path, change=lambda field: field, **attributes):
    """Write five hours of 4 x 5 nodes as another program might."""
    times = np.datetime64("2020-01-01T02", "ns") + np.arange(5) * HOUR
    coordinates = {"time": times, "latitude": 50 - 0.25 * np.arange(4), "longitude": 3 + 0.25 * np.arange(5)}
    values = np.arange(100, dtype=np.float32).reshape(5, 4, 5)
    field = xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", attrs={"units": "ug m-3"} | attributes)
    change(field).to_netcdf(path)
    return path


def whole_axis(path, times):
    """The values of a file on an axis of all hours."""
    with xr.open_dataset(path) as written:
        return written["pm2p5"].reindex(time=times.astype("datetime64[ns]")).values


def test_a_store_has_all_hours_of_its_days(made, job):
    results = open_results(made / "out.zarr")
    assert results.times.size == 72
    np.testing.assert_array_equal(results.times, results.times[0] + np.arange(72) * HOUR)
    np.testing.assert_array_equal(results.times[results.kinds != TimeKind.MISSING], job().timeline.times)
    np.testing.assert_array_equal(results.kinds[results.kinds != TimeKind.MISSING], job().timeline.kinds)
    assert results.grid == job().grid
    assert (results.species.name, results.species.unit) == ("pm2p5", "ug m-3")
    assert "Copernicus" in results.attributes["attribution"]
    assert (results.files, results.unfinished) == ((str(made / "out.zarr"),), False)
    assert results.days() == [slice(0, 24), slice(24, 48), slice(48, 72)]


def test_a_file_reads_as_the_store_does(made):
    store, file = open_results(made / "out.zarr"), open_results(made / "out.nc")
    assert file.times.size == 61
    np.testing.assert_array_equal(store.read(slice(None)), whole_axis(made / "out.nc", store.times))
    np.testing.assert_array_equal(file.read(slice(None)), store.read(slice(0, 61)))
    np.testing.assert_array_equal(file.kinds, store.kinds[:61])
    assert file.days() == [slice(0, 24), slice(24, 48), slice(48, 61)]


def test_the_layout_of_a_store_changes_nothing(made):
    downscale(made / "series.zarr", "--layout", "series")
    maps, series = open_results(made / "out.zarr"), open_results(made / "series.zarr")
    np.testing.assert_array_equal(series.read(slice(None)), maps.read(slice(None)))
    box = slice(20, 50), slice(3, 9), slice(25, 30)
    np.testing.assert_array_equal(series.read(*box), maps.read(*box))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A store and a file of the same values with missing hours, and these values."""
    folder = tmp_path_factory.mktemp("pair")
    values = np.random.default_rng(0).random((48, 6, 7), np.float32)
    times = np.datetime64("2020-01-01", "ns") + np.arange(48) * HOUR
    coordinates = {"time": times, "latitude": 50 - 0.25 * np.arange(6), "longitude": 3 + 0.25 * np.arange(7)}
    kinds = np.where(np.arange(48) % 11 < 2, TimeKind.MISSING, TimeKind.INTERPOLATED).astype(np.int8)
    values[kinds == TimeKind.MISSING] = np.nan
    field = xr.DataArray(values, coordinates, tuple(coordinates), attrs={"units": "ug m-3"})
    dataset = xr.Dataset({"pm2p5": field, "time_kind": ("time", kinds)})
    dataset.to_zarr(folder / "a.zarr", zarr_format=3, consolidated=False)
    dataset.isel(time=kinds != TimeKind.MISSING).to_netcdf(folder / "a.nc")
    return open_results(folder / "a.zarr"), open_results(folder / "a.nc"), values


def slices(size):
    bound = st.none() | st.integers(-size - 2, size + 2)
    return st.builds(slice, bound, bound, st.none() | st.integers(1, 5))


@settings(max_examples=60, deadline=None)
@given(slices(46), slices(6), slices(7))
def test_any_box_is_the_box_of_the_whole(pair, hours, rows, columns):
    *opened, values = pair
    for results in opened:
        start = int((results.times[0] - np.datetime64("2020-01-01", "h")).astype(int))
        wanted = values[start : start + results.times.size][hours, rows, columns]
        got = results.read(hours, rows, columns)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, wanted)


def test_many_threads_read_what_one_reads(made):
    for name in ("out.zarr", "out.nc"):
        results = open_results(made / name)
        with ThreadPoolExecutor(8) as pool:
            hours = list(pool.map(lambda k, results=results: results.read(slice(k, k + 1))[0], [*range(61)] * 3))
        np.testing.assert_array_equal(hours, np.tile(results.read(slice(0, 61)), (3, 1, 1)))


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_parts_are_joined_in_the_order_of_time(made, suffix):
    whole = open_results(made / "out.zarr")
    for number, day in enumerate(("2019-12-31", "2020-01-01", "2019-12-30")):
        downscale(made / f"part{number}{suffix}", "--start", day, "--end", day)
    results = open_results(made / f"part*{suffix}")
    assert len(results.files) == 3
    size = results.times.size
    np.testing.assert_array_equal(results.times, whole.times[:size])
    np.testing.assert_array_equal(results.kinds, whole.kinds[:size])
    np.testing.assert_array_equal(results.read(slice(None)), whole.read(slice(0, size)))
    assert results.attributes["deepcams_inputs"] == "cams.nc"
    assert results.attributes["title"] == whole.attributes["title"]


def test_overlaps_that_agree_are_read_once_and_others_are_refused(tmp_path):
    a = hourly(tmp_path / "a.nc")
    b = hourly(tmp_path / "b.nc", lambda field: field.isel(time=slice(3, None)))
    c = hourly(tmp_path / "c.nc", lambda field: field.where(field["time"] != field["time"][2], field + 1))
    d = hourly(tmp_path / "d.nc", lambda field: xr.concat([field, field[:1]], "time"))
    np.testing.assert_array_equal(open_results([b, a]).read(slice(None)), open_results(a).read(slice(None)))
    with pytest.raises(
        InputError, match=r"c.nc and .*a.nc disagree, first at 2020-01-01T04:00 UTC: 41 and 40 ug m-3 at 50N"
    ):
        open_results([c, a])
    with pytest.raises(InputError, match=r"d.nc: has an hour twice"):
        open_results(d)


def test_what_does_not_fit_together_is_refused(tmp_path):
    a = hourly(tmp_path / "a.nc")
    cases = {
        "another grid": lambda field: field[:, :, :-1],
        "b.nc has pm10 in ug m-3, .*a.nc has pm2p5": lambda field: field.rename("pm10"),
    }
    for message, change in cases.items():
        with pytest.raises(InputError, match=message):
            open_results([a, hourly(tmp_path / "b.nc", change)], variable=None)
        (tmp_path / "b.nc").unlink()


def test_files_that_differ_say_both_things(tmp_path):
    paths = [
        hourly(tmp_path / f"{name}.nc", lambda field, n=name: field.to_dataset().assign_attrs(
            title="t", method=n, deepcams_inputs=f"x, {n}").shift(time=0).assign_coords(
            time=field["time"] + (ord(n) - 97) * 5 * HOUR))
        for name in "ba"
    ]  # fmt: skip
    attributes = open_results(paths).attributes
    assert attributes["title"] == "t"
    assert attributes["method"] == "a; b"
    assert attributes["deepcams_inputs"] == "x, a, b"


def test_fields_of_others_are_turned_and_count_as_interpolated(tmp_path):
    usual = open_results(hourly(tmp_path / "a.nc"))
    turned = open_results(
        hourly(
            tmp_path / "b.nc",
            lambda field: (
                (field[:, ::-1] * 1e-9).rename(latitude="lat", longitude="lon").transpose("lat", "time", "lon")
            ),
            units="kg m-3",
        )
    )
    assert turned.grid == usual.grid
    np.testing.assert_array_equal(turned.kinds, TimeKind.INTERPOLATED)
    np.testing.assert_allclose(turned.read(slice(1, 3), slice(0, 2)), usual.read(slice(1, 3), slice(0, 2)), rtol=1e-6)


def test_longitudes_of_a_globe_that_begin_at_the_date_line(tmp_path):
    west = -180 + 60.0 * np.arange(6)
    coordinates = {"time": [np.datetime64("2020-01-01", "ns")], "lat": [30.0, -30.0], "lon": west}
    values = np.tile(west.astype(np.float32), (1, 2, 1))
    xr.DataArray(values, coordinates, tuple(coordinates), "pm10", attrs={"units": "ug m-3"}).to_netcdf(
        tmp_path / "a.nc"
    )
    results = open_results(tmp_path / "a.nc")
    assert results.grid == Grid(30, 0, 60, 2, 6)
    np.testing.assert_array_equal(results.read(slice(None))[0, 0], [0, 60, 120, -180, -120, -60])
    np.testing.assert_array_equal(results.read(slice(None), columns=slice(2, 5))[0, 0], [120, -180, -120])


@pytest.mark.parametrize("factor", [3, 5, 7])
def test_every_factor_gives_the_grid_of_the_job(tmp_path, job, factor):
    for name in ("out.nc", "out.zarr"):
        downscale(tmp_path / name, "--factor", factor, "--end", "2019-12-30T01")
        assert open_results(tmp_path / name).grid == job(factor=factor).grid


def test_one_node(tmp_path, job):
    downscale(tmp_path / "out.nc", "--region", "52.1,5.9,51.9,6.1", "--end", "2019-12-30T01")
    assert open_results(tmp_path / "out.nc").grid == job(region=Region(52.1, 5.9, 51.9, 6.1)).grid


def test_packed_stores_are_unpacked(tmp_path):
    with xr.open_dataset(hourly(tmp_path / "a.nc")) as dataset:
        packing = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}
        dataset.to_zarr(tmp_path / "a.zarr", encoding={"pm2p5": packing}, consolidated=False)
    results = open_results(tmp_path / "a.zarr")
    np.testing.assert_array_equal(results.read(slice(None)), np.arange(100).reshape(5, 4, 5))


def test_an_unfinished_store_opens_and_says_so(made):
    group = zarr.open_group(made / "out.zarr", mode="r+", use_consolidated=False)
    group.attrs["status"] = "unfinished"
    group["time_kind"][24:48] = int(TimeKind.MISSING)
    results = open_results(made / "out.zarr")
    assert results.unfinished
    assert np.isnan(results.read(slice(24, 48))).all()
    assert not np.isnan(results.read(slice(0, 48))[:10]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda field: field.assign_attrs(units=""), "no units"),
        (lambda field: field[0].drop_vars("time"), r"a.nc: no time coordinate"),
        (lambda field: field[0], r"has the dimensions latitude \(4\), longitude \(5\): wanted time"),
        (lambda field: field.assign_coords(time=field["time"] + np.timedelta64(30, "m")), "wanted instants on whole hours"),
        (lambda field: field[:, [0, 1, 3]], "latitude is irregular"),
        (lambda field: xr.Dataset({"so2": field, "no2": field}), r"no variable pm2p5 .*there is so2, no2; choose one"),
        (lambda field: field[:0], "time"),
    ],
)  # fmt: skip
def test_bad_files_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        open_results(hourly(tmp_path / "a.nc", change))


def test_a_variable_is_chosen_by_name(tmp_path):
    path = hourly(tmp_path / "a.nc", lambda field: xr.Dataset({"so2": field, "no2": field.assign_attrs(units="")}))
    with pytest.raises(InputError, match="no units"):
        open_results(path, variable="no2")
    assert open_results(path, variable="so2").species.name == "so2"


def test_a_damaged_chunk_is_named(made):
    shard = next((made / "out.zarr" / "pm2p5").rglob("c/0/0/0"))
    content = bytearray(shard.read_bytes())
    content[: len(content) // 2] = b"\x55" * (len(content) // 2)
    shard.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"out.zarr: the hours 2019-12-30T00 to 2019-12-30T15 UTC cannot be read"):
        open_results(made / "out.zarr").read(slice(0, 24))


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_results(tmp_path / "none.zarr")
