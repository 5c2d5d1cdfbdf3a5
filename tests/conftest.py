"""Shared pieces of the tests: grids, fields, analyses made in memory and in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deepcams.grid import Grid
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.methods import recipe
from deepcams.pipeline import Job
from deepcams.sample import cams_sample

GLOBAL = Grid(90, 0, 0.75, 241, 480)
REPOSITORY = Path(__file__).parents[1]
# Files of CAMS are small: 8 x 10 nodes over the Low Countries unless asked otherwise.
START = np.datetime64("2019-12-30T00", "ns")
LATITUDE = 54.75 - 0.75 * np.arange(8)
LONGITUDE = 3.0 + 0.75 * np.arange(10)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the repository; tests that need them are skipped where they are not."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared real data are not here")
    return folder


@pytest.fixture(scope="session")
def sample_fields() -> np.ndarray:
    """The four CAMS analyses of the sample: (4, 241, 480) float32, ug m-3, cleaned."""
    from deepcams import open_cams

    return open_cams(cams_sample()).values


@pytest.fixture
def cams_array() -> Callable[..., xr.DataArray]:
    """Make a DataArray of analyses as ``open_cams`` gives it."""

    def make(values: np.ndarray, grid: Grid, start: str = "2019-12-31T00", step: int = 3) -> xr.DataArray:
        times = np.datetime64(start, "ns") + np.arange(len(values)) * np.timedelta64(step, "h")
        coordinates = {"time": times, "latitude": grid.latitude, "longitude": grid.longitude}
        return xr.DataArray(
            values, coordinates, ("time", "latitude", "longitude"), name="pm2p5", attrs={"units": "ug m-3"}
        )

    return make


def instants(count=5, step=3, start=START):
    """(count,) datetime64[ns], every ``step`` hours."""
    return start + np.arange(count) * np.timedelta64(step, "h")


def concentration(times=None, latitude=LATITUDE, longitude=LONGITUDE):
    """(time, latitude, longitude) ug m-3: the same at the same place and time, whatever the layout."""
    times = instants() if times is None else np.asarray(times, "datetime64[ns]")
    age = ((times - START) / np.timedelta64(1, "h"))[:, None, None]
    rows, columns = np.deg2rad(latitude)[:, None], np.deg2rad(longitude) + 0 * np.deg2rad(latitude)[:, None]
    values = 20 + 5 * np.sin(9 * rows) + np.cos(rows) * 3 * np.cos(5 * columns) + 0.3 * age
    coordinates = {"time": times, "latitude": latitude, "longitude": longitude}
    dims = ("time", "latitude", "longitude")
    return xr.DataArray(values.astype(np.float32), coordinates, dims, "pm2p5", attrs={"units": "ug m-3"})


def in_kilograms(field):
    """The field in kg m**-3, as the data stores give it."""
    attributes = {"units": "kg m**-3", "long_name": "Particulate matter d <= 2.5 um", "standard_name": "unknown"}
    return (field * field.dtype.type(1e-9)).assign_attrs(attributes)


def new_store(path, field, **encoding):
    """As the Atmosphere Data Store gives it since 2024."""
    dataset = in_kilograms(field).rename(time="valid_time").to_dataset(name="pm2p5")
    dataset = dataset.assign_coords(number=0, expver=("valid_time", ["0001"] * field.sizes["time"]))
    packing = {"zlib": True} if encoding.get("engine", "h5netcdf") == "h5netcdf" else {}
    dataset.to_netcdf(path, **{"engine": "h5netcdf", "encoding": {"pm2p5": packing}} | encoding)
    return path


def old_store(path, field, form="NETCDF3_64BIT", **packing):
    """As the old data store gave it: CF-1.6, int16, hours since 1900."""
    packing = {"scale_factor": 4e-10, "add_offset": 1.3e-5} | packing
    encoding = {
        "pm2p5": {"dtype": "int16", "_FillValue": -32767, "missing_value": -32767} | packing,
        "time": {"units": "hours since 1900-01-01 00:00:00.0", "dtype": "int32", "calendar": "gregorian"},
        "latitude": {"dtype": "float32", "_FillValue": None},
        "longitude": {"dtype": "float32", "_FillValue": None},
    }
    dataset = in_kilograms(field.astype(np.float64)).to_dataset(name="pm2p5").assign_attrs(Conventions="CF-1.6")
    dataset.to_netcdf(path, engine="netcdf4", format=form, encoding=encoding)
    return path


@pytest.fixture
def cams():
    """The makers of this module, by name."""
    return _Makers()


class _Makers:
    START, LATITUDE, LONGITUDE = START, LATITUDE, LONGITUDE
    instants = staticmethod(instants)
    concentration = staticmethod(concentration)
    in_kilograms = staticmethod(in_kilograms)
    new_store = staticmethod(new_store)
    old_store = staticmethod(old_store)


@pytest.fixture
def read():
    """Open files as the command line does."""

    def read(*paths, **options):
        return open_analyses(find_files(paths), **options)

    return read


@pytest.fixture
def job(tmp_path, cams, read):
    """Two and a half days with a gap of a day and a hole, to be written."""
    field = cams.concentration(cams.instants(21))
    field[3, 2, 3] = np.nan
    path = cams.new_store(tmp_path / "cams.nc", field.drop_isel(time=range(6, 13)))

    def job(**options):
        return Job(read(path), recipe("fast", time="linear"), **options)

    return job
