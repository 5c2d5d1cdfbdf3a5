"""Input for the benchmarks: any number of days made from the real CAMS sample, played forwards and backwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from deepcams.sample import cams_sample

_LOOP = (0, 1, 2, 3, 2, 1)  # neighbours are always three hours apart


def write_days(days: int, path: Path) -> Path:
    """Write ``days`` days of 3-hourly analyses (8 a day, and 00 UTC of the next) as the data store would."""
    sample = xr.open_dataset(cams_sample()).load()
    chosen = [_LOOP[number % len(_LOOP)] for number in range(8 * days + 1)]
    times = np.datetime64("2019-12-01T00", "ns") + np.arange(len(chosen)) * np.timedelta64(3, "h")
    analyses = sample.isel(valid_time=chosen).assign_coords(valid_time=times)
    chunks = (1, *analyses.pm2p5.shape[1:])
    encoding = {"pm2p5": {"zlib": True, "complevel": 1, "chunksizes": chunks}}
    analyses.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return path
