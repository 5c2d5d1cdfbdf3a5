"""Missing values: filled so that methods can compute, and put back in the result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.grid import Grid
from deepcams.sphere import from_blocks

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


def fill(field: Field, grid: Grid) -> tuple[Field, Mask | None]:
    """The field with every missing node given the value of the nearest present one (in nodes, across the date line).

    A field without any value becomes zero.

    Returns:
        The filled field (rows, columns), and where it was missing, or None if nowhere.
    """
    missing = np.isnan(field)
    if not missing.any():
        return field, None
    if missing.all():
        return np.zeros_like(field), missing
    turn = grid.columns // 2 if grid.periodic else 0
    wide = np.pad(missing, ((0, 0), (turn, turn)), mode="wrap")
    rows, columns = ndimage.distance_transform_edt(wide, return_distances=False, return_indices=True)
    own = slice(turn, turn + grid.columns)
    return field[rows[:, own], (columns[:, own] - turn) % grid.columns], missing


def refine_mask(missing: Mask | None, grid: Grid, factor: int) -> Mask | None:
    """The fine nodes (on ``grid.refine(factor)``) of missing coarse cells."""
    if missing is None:
        return None
    blocks = np.broadcast_to(missing[:, None, :, None], (grid.rows, factor, grid.columns, factor))
    mask: Mask = from_blocks(blocks, grid)
    return mask
