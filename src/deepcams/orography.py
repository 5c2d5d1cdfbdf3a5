"""How high the ground is: ERA5's surface altitude, so that nothing is downloaded.

``orography.npz`` is made by ``tools/make_orography.py``: the altitude of the 0.25 degree grid's nodes to 5 m. Contains
modified Copernicus Climate Change Service information; Hersbach et al. (2020), doi:10.1002/qj.3803.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.ground import around_nodes, shipped

_METRES = 5  # of a step in the file


@lru_cache(maxsize=4)
def altitude(grid: Grid) -> NDArray[np.float32]:
    """(rows, columns) m above the sea, the mean around each node of a grid in a cell of its size; not to be changed."""
    return around_nodes(_altitude, grid)


@cache
def _altitude() -> NDArray[np.float32]:
    """(721, 1440) the altitude of each node of the 0.25 degree grid."""
    change = shipped("orography.npz", "change")
    return change.cumsum(axis=1, dtype=np.int32).astype(np.float32) * np.float32(_METRES)
