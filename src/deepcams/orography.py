"""How high the ground is: ERA5's surface altitude, so that nothing is downloaded.

``orography.npz`` is made by ``tools/make_orography.py``: the altitude of the 0.25 degree grid's nodes to 5 m. Contains
modified Copernicus Climate Change Service information; Hersbach et al. (2020), doi:10.1002/qj.3803.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.grid import Grid

_STEP = 0.25
_METRES = 5  # of a step in the file


@lru_cache(maxsize=4)
def altitude(grid: Grid) -> NDArray[np.float32]:
    """(rows, columns) m above the sea, the mean around each node of a grid in a cell of its size; not to be changed."""
    around = _around(max(1, round(grid.step / _STEP)) // 2 * 2 + 1)
    row = np.clip((90 - grid.latitude) / _STEP, 0, around.shape[0] - 1)
    column = grid.longitude / _STEP % around.shape[1]
    wrapped = np.concatenate([around, around[:, :1]], axis=1)
    found: Any = ndimage.map_coordinates(wrapped, np.meshgrid(row, column, indexing="ij"), order=1, mode="nearest")
    found.flags.writeable = False
    return found


@lru_cache(maxsize=4)
def _around(width: int) -> NDArray[np.float32]:
    """(721, 1440) the mean altitude in squares of so many cells around each of the 0.25 degree grid."""
    return ndimage.uniform_filter(_altitude(), width, mode=("nearest", "wrap"))


@cache
def _altitude() -> NDArray[np.float32]:
    """(721, 1440) the altitude of each node of the 0.25 degree grid."""
    with (files("deepcams") / "orography.npz").open("rb") as stream, np.load(stream) as content:
        return content["change"].cumsum(axis=1, dtype=np.int32).astype(np.float32) * np.float32(_METRES)
