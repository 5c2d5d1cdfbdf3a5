"""Where there is land: Natural Earth 4.1 (public domain), so that nothing is downloaded.

``land.npz`` is made by ``tools/make_land.py``: the percentage of land in every cell of the 0.25 degree grid. Lakes and the
Caspian Sea count as land.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.ground import around_nodes, shipped

_PERCENT = 100


@lru_cache(maxsize=4)
def land_share(grid: Grid) -> NDArray[np.float32]:
    """(rows, columns) the share of land, 0 to 1, around each node of a grid, in a cell of its size; not to be changed."""
    return around_nodes(_share, grid)


@cache
def _share() -> NDArray[np.float32]:
    """(721, 1440) the share of land in each cell of the 0.25 degree grid."""
    return shipped("land.npz", "share").astype(np.float32) / np.float32(_PERCENT)
