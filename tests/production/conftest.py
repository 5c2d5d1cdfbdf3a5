"""Days of CAMS over the Low Countries, and the command line in processes of its own, to be killed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import xarray as xr

from deepcams.production.order import Order
from deepcams.production.run import downscale_to

FIRST = np.datetime64("2019-12-29")
DAYS = 6
QUICK = {"method": "fast", "time": "linear"}
OPTIONS = ("--method", "fast", "--time", "linear")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def write_analyses(path, first=0, last=DAYS, rows=8, columns=10):
    """CAMS analyses of some days (numbers from 0 on, the last one not included), one chunk each."""
    times = FIRST.astype("datetime64[ns]") + np.arange(8 * first, 8 * last) * np.timedelta64(3, "h")
    latitude, longitude = 54.75 - 0.75 * np.arange(rows), 3 + 0.75 * np.arange(columns)
    age = np.arange(8 * first, 8 * last)[:, None, None]
    values = 20 + 9 * np.sin(9 * latitude)[:, None] * np.cos(5 * longitude + 0.3 * age) + 0.1 * age
    coordinates = {"valid_time": times, "latitude": latitude, "longitude": longitude}
    field = xr.DataArray(np.float32(values * 1e-9), coordinates, tuple(coordinates), "pm2p5", {"units": "kg m**-3"})
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    encoding = {"pm2p5": {"zlib": True, "chunksizes": (1, rows, columns)}}
    field.to_dataset().to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return path


@pytest.fixture(scope="session")
def six():
    """The makers of this module, and what its days are."""
    return SimpleNamespace(write=write_analyses, first=FIRST, days=DAYS, quick=QUICK, options=OPTIONS)


@pytest.fixture(scope="session")
def six_days(tmp_path_factory):
    """A file of six days."""
    return write_analyses(tmp_path_factory.mktemp("six") / "cams.nc")


@pytest.fixture(scope="session")
def many_nodes(tmp_path_factory):
    """Six days of so many nodes that they take some seconds."""
    return write_analyses(tmp_path_factory.mktemp("many") / "cams.nc", rows=60, columns=200)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The files of a store made in one go from an input, by name."""
    known = {}

    def made(source, **options):
        key = (source, *sorted(options.items()))
        if key not in known:
            out = tmp_path_factory.mktemp("whole") / "out.zarr"
            downscale_to(Order((str(source),), **QUICK, **options), out)
            known[key] = files(out)
        return known[key]

    return made


def files(path):
    """The bytes of all files in a folder, by name."""
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


@pytest.fixture(scope="session")
def files_of():
    """The bytes of all files in a folder, by name."""
    return files


@pytest.fixture
def damaged():
    """Write a copy of a file in which one analysis cannot be read."""

    def damaged(source, number, path):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source.read_bytes())
        with h5py.File(path) as file:
            chunk = file["pm2p5"].id.get_chunk_info(number)
        with path.open("r+b") as stream:
            stream.seek(chunk.byte_offset)
            stream.write(b"\x55" * chunk.size)
        return path

    return damaged


@pytest.fixture(scope="session")
def warm():
    """Run the command line in a process of its own that need not load its libraries, and may be killed (see warm.py)."""
    script = Path(__file__).with_name("warm.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, script], **pipes, text=True, env=ENVIRONMENT) as process:

        def run(*arguments, **kill):
            call = {"arguments": ["downscale", *map(str, arguments)], **kill}
            process.stdin.write(json.dumps(call) + "\n")
            process.stdin.flush()
            return SimpleNamespace(**json.loads(process.stdout.readline()))

        yield run
        process.stdin.close()


@pytest.fixture
def start():
    """Start the command line in a process group of its own."""
    started = []

    def start(*arguments, **options):
        call = [sys.executable, "-m", "deepcams", "downscale", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(call, **pipes, env=ENVIRONMENT, start_new_session=True, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
