"""Where there is land: Natural Earth 4.1 (public domain), so that nothing is downloaded.

``land.npz`` is made by ``tools/make_land.py``: the percentage of land in every cell of the 0.25 degree grid. Lakes and the
Caspian Sea count as land.
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
_PERCENT = 100


@lru_cache(maxsize=4)
def land_share(grid: Grid) -> NDArray[np.float32]:
    """(rows, columns) the share of land, 0 to 1, around each node of a grid, in a cell of its size; not to be changed."""
    around = _around(max(1, round(grid.step / _STEP)) // 2 * 2 + 1)
    row = np.clip((90 - grid.latitude) / _STEP, 0, around.shape[0] - 1)
    column = grid.longitude / _STEP % around.shape[1]
    wrapped = np.concatenate([around, around[:, :1]], axis=1)
    share: Any = ndimage.map_coordinates(wrapped, np.meshgrid(row, column, indexing="ij"), order=1, mode="nearest")
    share.flags.writeable = False
    return share


@lru_cache(maxsize=4)
def _around(width: int) -> NDArray[np.float32]:
    """(721, 1440) the share of land in squares of so many cells around each of the 0.25 degree grid."""
    return ndimage.uniform_filter(_share(), width, mode=("nearest", "wrap"))


@cache
def _share() -> NDArray[np.float32]:
    """(721, 1440) the share of land in each cell of the 0.25 degree grid."""
    with (files("deepcams") / "land.npz").open("rb") as stream, np.load(stream) as content:
        return content["share"].astype(np.float32) / np.float32(_PERCENT)
