"""Hourly fine fields as they are met: GEOS-CF files, stores of ours, odd units and fills."""

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.io.files import find_files
from deepcams.io.geos_cf import open_geos_cf, open_hourly
from deepcams.sample import geos_cf_sample

LATITUDE, LONGITUDE = 40 + 0.25 * np.arange(12), -10 + 0.25 * np.arange(16)
STAMP = np.datetime64("2021-07-01T00:30", "ns")


def values(count=3):
    """(time, latitude, longitude) ug m-3."""
    steps = np.arange(count)[:, None, None]
    return (5 + steps + LATITUDE[:, None] / 10 + LONGITUDE / 100).astype(np.float32)


def geos(data=None, start=STAMP, name="PM25_RH35_GCC", units="ug m-3", level=True):
    data = values() if data is None else data
    times = start + np.arange(len(data)) * np.timedelta64(1, "h")
    field = xr.DataArray(data, {"time": times, "lat": LATITUDE, "lon": LONGITUDE}, ("time", "lat", "lon"))
    field = field.expand_dims(lev=[72.0], axis=1) if level else field
    return field.assign_attrs(units=units).to_dataset(name=name).assign_attrs(institution="NASA GMAO")


@pytest.fixture
def write(tmp_path):
    def write(dataset, name="geos.nc"):
        dataset.to_netcdf(tmp_path / name) if name.endswith(".nc") else dataset.to_zarr(
            tmp_path / name, consolidated=False
        )
        return tmp_path / name

    return write


@pytest.mark.parametrize("level", [True, False])
@pytest.mark.parametrize("name", ["PM25_RH35_GCC", "pm25_rh35_gcc"])
def test_a_file_of_geos_cf_is_turned_our_way(write, name, level):
    field = open_geos_cf(write(geos(name=name, level=level)))
    assert (field.name, field.dims, field.dtype) == ("pm2p5", ("time", "latitude", "longitude"), np.float32)
    np.testing.assert_array_equal(field.latitude, LATITUDE[::-1])
    np.testing.assert_array_equal(field.longitude, LONGITUDE)
    np.testing.assert_array_equal(field.values, values()[:, ::-1])
    np.testing.assert_array_equal(field.time, STAMP.astype("datetime64[h]") + np.arange(3))
    np.testing.assert_array_equal(field.stamp, STAMP + np.arange(3) * np.timedelta64(1, "h"))


def test_the_series_says_what_it_is(write):
    hourly = open_hourly(find_files(write(geos())))
    assert hourly.attribution == "NASA GMAO"
    assert any("hourly means" in note for note in hourly.fields.notes)
    instants = open_hourly(find_files(write(geos(start=STAMP - np.timedelta64(30, "m")), "instants.nc")))
    assert instants.fields.notes == ()


def test_a_stamp_that_rounding_put_before_its_hour_is_that_hour(write):
    field = open_geos_cf(write(geos(start=np.datetime64("2021-07-01T00:59:59.999999999", "ns"))))
    assert field.time[0] == np.datetime64("2021-07-01T01", "ns")


def test_kilograms_become_micrograms(write):
    field = open_geos_cf(write(geos(values() * 1e-9, units="kg m-3")))
    np.testing.assert_allclose(field.values, values()[:, ::-1], rtol=1e-6)


@pytest.mark.parametrize(("scale", "said", "true"), [(1e-9, "ug m-3", "kg m-3"), (1, "kg m-3", "ug m-3")])
def test_units_that_cannot_be_are_refused_and_can_be_corrected(write, scale, said, true):
    path = write(geos(values() * scale, units=said))
    with pytest.raises(InputError, match=r"PM2.5 with a median of .* if its units are as the file says.*--units"):
        open_geos_cf(path).values  # noqa: B018
    np.testing.assert_allclose(open_geos_cf(path, units=true).values, values()[:, ::-1], rtol=1e-6)


@pytest.mark.parametrize("units", ["ug m-3", "kg m-3"])
def test_the_fill_value_is_missing_whatever_its_attribute_says(write, units):
    data = values() * (1e-9 if units == "kg m-3" else 1)
    data[1, 2, 3] = 1e15
    field = open_geos_cf(write(geos(data, units=units))).values
    assert np.isnan(field[1, 9, 3])
    assert np.isnan(field).sum() == 1


def test_files_come_in_order_of_time_and_may_overlap(write, tmp_path):
    write(geos(values(5)[2:], start=STAMP + 2 * np.timedelta64(1, "h")), "b.nc")
    write(geos(values(5)[:3]), "c.nc")
    field = open_geos_cf(sorted(tmp_path.glob("*.nc")))
    np.testing.assert_array_equal(field.values, values(5)[:, ::-1])


def test_files_that_disagree_are_refused(write, tmp_path):
    write(geos(), "a.nc")
    write(geos(values() + 1), "b.nc")
    with pytest.raises(InputError, match="disagree"):
        open_geos_cf(tmp_path)


def test_a_store_of_ours_without_its_missing_hours(write):
    dataset = geos(level=False, start=STAMP.astype("datetime64[h]").astype("datetime64[ns]"), name="pm2p5")
    dataset = dataset.rename(lat="latitude", lon="longitude").isel(latitude=slice(None, None, -1))
    dataset["time_kind"] = ("time", np.array([0, 2, 1], np.int8))
    dataset.attrs["attribution"] = "Contains modified Copernicus information."
    path = write(dataset, "ours.zarr")
    hourly = open_hourly(find_files(path))
    assert hourly.attribution.startswith("Contains")
    np.testing.assert_array_equal(hourly.fields.times.astype(str), ["2021-07-01T00", "2021-07-01T02"])
    np.testing.assert_array_equal(hourly.fields.read(1).values, values()[2, ::-1])
    assert open_geos_cf(str(path.parent / "*.zarr")).shape == (2, 12, 16)


def test_other_grids_variables_and_times_are_refused(write):
    with pytest.raises(InputError, match=r"grid step of 0.5 degrees: wanted 0.25$"):
        open_geos_cf(write(geos().isel(lat=slice(None, None, 2), lon=slice(None, None, 2)), "half.nc"))
    with pytest.raises(InputError, match="no variable 'pm2p5'"):
        open_geos_cf(write(geos(name="O3"), "ozone.nc"))
    with pytest.raises(InputError, match=r"none.nc: no time coordinate"):
        open_geos_cf(write(geos(level=False).isel(time=0, drop=True), "none.nc"))


def test_the_sample():
    field = open_geos_cf(geos_cf_sample())
    assert field.shape == (4, 721, 1440)
    assert (field.latitude[0], field.longitude[0]) == (90, 0)
    one = field[0].values
    assert np.isnan(one).mean() == 0.25
    assert np.isnan(one[:, :120]).all()
    np.testing.assert_array_equal(field.time, np.datetime64("2020-03-08T00", "h") + np.arange(4))
