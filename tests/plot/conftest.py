"""Small outputs to draw: values that tell where and when they are."""

import numpy as np
import pytest
import xarray as xr

ATTRIBUTES = {"units": "ug m-3", "long_name": "Particulate matter d <= 2.5 um"}
TIMES = np.array(["2020-01-01T00", "2020-01-01T01", "2020-01-01T02", "2020-01-01T03"], "datetime64[ns]")


def global_field(step, times=TIMES, *, hour_adds=100.0):
    """(time, latitude, longitude) longitude / 10, plus 100 per hour."""
    latitude = 90 - step * np.arange(round(180 / step) + 1)
    longitude = step * np.arange(round(360 / step))
    hours = (times - TIMES[0]) / np.timedelta64(1, "h")
    values = hour_adds * hours[:, None, None] + np.broadcast_to(longitude / 10, (latitude.size, longitude.size))
    coordinates = {"time": times, "latitude": latitude, "longitude": longitude}
    dims = ("time", "latitude", "longitude")
    return xr.DataArray(values.astype(np.float32), coordinates, dims, "pm2p5", attrs=ATTRIBUTES)


@pytest.fixture
def fine():
    """An hourly global output of 5 degrees; its first hour is missing."""
    field = global_field(5.0)
    field[0] = np.nan
    kinds = ("time", np.array([2, 1, 1, 0], np.int8))
    return xr.Dataset({"pm2p5": field, "time_kind": kinds}, attrs={"attribution": "Made from test data."})


@pytest.fixture
def coarse():
    """The analysis of the output's last hour, at 15 degrees."""
    return global_field(15.0).isel(time=-1)


@pytest.fixture
def store(fine, tmp_path):
    path = tmp_path / "fine.nc"
    fine.to_netcdf(path)
    return path


@pytest.fixture
def cams_file(tmp_path):
    """Two analyses as the data store gives them: kg m**-3 on valid_time, 0.75 degrees."""
    path = tmp_path / "cams.nc"
    times = np.array(["2020-01-01T03", "2020-01-01T06"], "datetime64[ns]")
    field = (global_field(0.75, times) * 1e-9).rename(time="valid_time").assign_attrs(units="kg m**-3")
    field.to_dataset(name="pm2p5").to_netcdf(path)
    return path
