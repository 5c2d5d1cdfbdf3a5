"""Make ``src/deepcams/orography.npz`` from ERA5's surface altitude (Copernicus Climate Change Service).

    python tools/make_orography.py orography_0.25.nc src/deepcams/orography.npz

The source holds ``orography`` (721, 1440) in m, ERA5's surface geopotential over g on the 0.25 degree grid (north first,
longitude from 0). The result holds ``change`` (721, 1440) int16: in steps of 5 m, each row's first altitude and then the
differences from one node to the next, which pack in less than half the room of the altitudes themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr

STEP = 5  # m


def main() -> None:
    """Make the file."""
    source, target = (Path(name) for name in sys.argv[1:3])
    with xr.open_dataset(source) as dataset:
        steps = np.round(dataset["orography"].values.astype(np.float64) / STEP).astype(np.int16)
    np.savez_compressed(target, change=np.diff(steps, axis=1, prepend=np.int16(0)).astype(np.int16))


if __name__ == "__main__":
    main()
