"""Running the command line in this process, on small CAMS files."""

from collections import namedtuple

import numpy as np
import pytest
import xarray as xr

from deepcams.cli import main

Result = namedtuple("Result", "status out err")


@pytest.fixture
def run(capsys):
    """Run the command line; gives its exit status and what it printed."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(one) for one in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Result(ended.value.code, printed.out, printed.err)

    return run


def analyses(count=5, step=3, rows=8, columns=10):
    """(time, latitude, longitude) kg m**-3 over the Low Countries."""
    times = np.datetime64("2019-12-30T00", "ns") + step * np.arange(count) * np.timedelta64(1, "h")
    latitude, longitude = 54.75 - 0.75 * np.arange(rows), 3 + 0.75 * np.arange(columns)
    values = 20 + 5 * np.sin(latitude)[:, None] * np.cos(longitude) + np.arange(count)[:, None, None]
    coordinates = {"valid_time": times, "latitude": latitude, "longitude": longitude}
    return xr.DataArray(values * 1e-9, coordinates, tuple(coordinates), "pm2p5", attrs={"units": "kg m**-3"})


@pytest.fixture
def write(tmp_path):
    """Write analyses, changed by a function or not, to a file."""

    def write(name="cams.nc", change=lambda field: field, **options):
        (tmp_path / name).unlink(missing_ok=True)  # it may be open still
        change(analyses(**options)).astype(np.float32).to_netcdf(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def contents(tmp_path):
    """The names of what is in the folder."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())
