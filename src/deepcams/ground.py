"""Fields of the ground that ship with the package on the 0.25 degree grid, for the nodes of any grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.grid import Grid

_STEP = 0.25


def shipped(file: str, name: str) -> NDArray[Any]:
    """(721, 1440) one of the arrays in a file of the package."""
    with (files("deepcams") / file).open("rb") as stream, np.load(stream) as content:
        found: NDArray[Any] = content[name]
    return found


def around_nodes(field: Callable[[], NDArray[np.float32]], grid: Grid) -> NDArray[np.float32]:
    """(rows, columns) the mean of a field around each node of a grid, in a cell of its size; not to be changed.

    Args:
        field: gives (721, 1440) values from 90 degrees north, 0 degrees east; the same whenever it is called.
        grid: the nodes.
    """
    around = _smooth(field, max(1, round(grid.step / _STEP)) // 2 * 2 + 1)
    row = np.clip((90 - grid.latitude) / _STEP, 0, around.shape[0] - 1)
    column = grid.longitude / _STEP % around.shape[1]
    wrapped = np.concatenate([around, around[:, :1]], axis=1)
    found: Any = ndimage.map_coordinates(wrapped, np.meshgrid(row, column, indexing="ij"), order=1, mode="nearest")
    found.flags.writeable = False
    return found


@lru_cache(maxsize=8)
def _smooth(field: Callable[[], NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    """(721, 1440) the mean in squares of so many cells around each."""
    return ndimage.uniform_filter(field(), width, mode=("nearest", "wrap"))
