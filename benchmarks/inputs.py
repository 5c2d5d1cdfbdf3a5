"""Input for the benchmarks: any number of days made from the real CAMS sample, played forwards and backwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deepcams.sample import cams_sample

_LOOP = (0, 1, 2, 3, 2, 1)  # neighbours are always three hours apart


def write_days(days: int, path: Path) -> Path:
    """Write ``days`` days of 3-hourly analyses (8 a day, and 00 UTC of the next) as the data store would."""
    _write(np.arange(8 * days + 1), path)
    return path


def write_months(days: int, folder: Path) -> None:
    """Write the same to a file for each 30 days."""
    numbers = np.arange(8 * days + 1)
    for start in range(0, numbers.size, 240):
        _write(numbers[start : start + 240], folder / f"cams_{start:05d}.nc")


def _write(numbers: NDArray[np.intp], path: Path) -> None:
    """Write analyses by their numbers from 2019-12-01T00 on."""
    sample = xr.open_dataset(cams_sample()).load()
    times = np.datetime64("2019-12-01T00", "ns") + numbers * np.timedelta64(3, "h")
    analyses = sample.isel(valid_time=[_LOOP[number % len(_LOOP)] for number in numbers]).assign_coords(
        valid_time=times
    )
    encoding = {"pm2p5": {"zlib": True, "complevel": 1, "chunksizes": (1, *analyses.pm2p5.shape[1:])}}
    analyses.to_netcdf(path, engine="h5netcdf", encoding=encoding)
