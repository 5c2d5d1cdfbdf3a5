"""CAMS files in the layouts they are met in, small: 8 x 10 nodes over the Low Countries unless asked otherwise."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.methods import recipe
from deepcams.pipeline import Job

START = np.datetime64("2019-12-30T00", "ns")
LATITUDE = 54.75 - 0.75 * np.arange(8)
LONGITUDE = 3.0 + 0.75 * np.arange(10)


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
def shared_data():
    """The folder of real data beside the repository."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data")
    return folder


@pytest.fixture
def grib(tmp_path):
    """Write GRIB messages with eccodes: one for every time of a field in ug m-3."""
    eccodes = pytest.importorskip("eccodes")

    def write(path, *fields, edition=1, param=210073, mode="wb"):
        with Path(path).open(mode) as stream:
            for field in fields:
                for number in range(field.sizes["time"]):
                    _write_message(eccodes, stream, field.isel(time=number), edition, param)
        return path

    return write


def _write_message(eccodes, stream, field, edition, param):
    latitude, longitude = field.latitude.values, field.longitude.values
    message = eccodes.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
    moment = field.time.values.astype("datetime64[m]").item()
    keys = {
        "centre": "ecmf",
        "Ni": longitude.size,
        "Nj": latitude.size,
        "latitudeOfFirstGridPointInDegrees": latitude[0],
        "latitudeOfLastGridPointInDegrees": latitude[-1],
        "longitudeOfFirstGridPointInDegrees": longitude[0] % 360,
        "longitudeOfLastGridPointInDegrees": longitude[-1] % 360,
        "iDirectionIncrementInDegrees": 0.75,
        "jDirectionIncrementInDegrees": 0.75,
        "jScansPositively": int(latitude[-1] > latitude[0]),
        "dataDate": int(f"{moment:%Y%m%d}"),
        "dataTime": int(f"{moment:%H%M}"),
        "bitsPerValue": 24,
        "paramId": param,
    }
    for key, value in keys.items():
        eccodes.codes_set(message, key, value)
    eccodes.codes_set_values(message, field.values.astype(np.float64).ravel() * 1e-9)
    eccodes.codes_write(message, stream)
    eccodes.codes_release(message)


@pytest.fixture
def damage_chunk():
    """Overwrite the stored bytes of one chunk of an HDF5 variable."""

    def damage(path, number, variable="pm2p5"):
        with h5py.File(path) as file:
            chunk = file[variable].id.get_chunk_info(number)
        with Path(path).open("r+b") as stream:
            stream.seek(chunk.byte_offset)
            stream.write(b"\x55" * chunk.size)
        return path

    return damage


@pytest.fixture
def job(tmp_path, cams, read):
    """Two and a half days with a gap of a day and a hole, to be written."""
    field = cams.concentration(cams.instants(21))
    field[3, 2, 3] = np.nan
    path = cams.new_store(tmp_path / "cams.nc", field.drop_isel(time=range(6, 13)))

    def job(**options):
        return Job(read(path), recipe("fast", time="linear"), **options)

    return job
