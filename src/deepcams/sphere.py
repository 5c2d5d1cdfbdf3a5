"""Fields on the sphere: padding across the date line and the poles, blocks of fine cells, the grids' area weights.

A *block field* has shape (..., rows, factor, columns, factor): the fine cells of each coarse cell, from north to south
and from west to east. In this layout a coarse value meets its fine cells by broadcasting, whatever the grid. At a pole
row, half of the block lies beyond the pole; :func:`from_blocks` drops it.

Everything here works on numpy arrays and torch tensors alike.
"""

from __future__ import annotations

import math
import sys
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid

Array = Any  # numpy.ndarray or torch.Tensor: the same kind comes back


def namespace(array: Array) -> ModuleType:
    """The module with the functions for this array: numpy, or torch if it is a tensor (torch is not imported for it)."""
    torch = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)  # another thread may be importing torch just now
    return torch if torch is not None and tensor is not None and isinstance(array, tensor) else np


def pad(field: Array, grid: Grid, rows: int, columns: int) -> Array:
    """Widen a field by nodes beyond its edges.

    Longitude wraps on a periodic grid. Beyond a pole come the mirrored rows of the opposite meridian (the pole row is
    not repeated). A regional edge is replicated.

    Args:
        field: (..., grid.rows, grid.columns).
        grid: the field's grid.
        rows: nodes to add to the north and to the south.
        columns: nodes to add to the west and to the east.

    Returns:
        (..., grid.rows + 2 rows, grid.columns + 2 columns).
    """
    row = np.arange(-rows, grid.rows + rows)
    column = np.arange(-columns, grid.columns + columns)
    column = column % grid.columns if grid.periodic else np.clip(column, 0, grid.columns - 1)
    beyond = np.zeros(row.size, np.bool_)
    if grid.periodic and grid.columns % 2 == 0:
        beyond = (row < 0) & grid.north_pole | (row >= grid.rows) & grid.south_pole
        row = np.where(beyond, np.where(row < 0, -row, 2 * (grid.rows - 1) - row), row)
    xp = namespace(field)
    tall = field[..., np.clip(row, 0, grid.rows - 1), :]  # whole rows, then margins: one by one, nodes take long
    if beyond.any():
        tall[..., beyond, :] = xp.roll(tall[..., beyond, :], grid.columns // 2, -1)
    west, east = column[:columns], column[columns + grid.columns :]
    return xp.concatenate([tall[..., west], tall, tall[..., east]], -1)


def row_weights(grid: Grid, factor: int = 3, *, pole_row: bool = False) -> NDArray[np.float64]:
    """(rows, factor) fraction of a coarse cell's area in each of its rows of fine cells; each row sums to 1.

    Args:
        grid: the coarse grid.
        factor: the refinement.
        pole_row: whether the half cells of a pole row count. The conservation layer leaves them out: the pole has the
            coarse value itself, and the other rows of the polar cell share the rest.
    """
    areas, margin = grid.refine(factor).areas.copy(), (factor - 1) // 2
    if grid.north_pole:
        areas[0] *= pole_row
        areas = np.concatenate([np.zeros(margin), areas])
    if grid.south_pole:
        areas[-1] *= pole_row
        areas = np.concatenate([areas, np.zeros(margin)])
    areas = areas.reshape(grid.rows, factor)
    fractions: NDArray[np.float64] = areas / areas.sum(axis=1, keepdims=True)
    return fractions


def from_blocks(blocks: Array, grid: Grid) -> Array:
    """A field on ``grid.refine(factor)`` from its block field (..., rows, factor, columns, factor)."""
    factor = blocks.shape[-1]
    margin = (factor - 1) // 2
    field = blocks.reshape(*blocks.shape[:-4], grid.rows * factor, grid.columns * factor)
    first, last = margin * grid.north_pole, grid.rows * factor - margin * grid.south_pole
    field = field[..., first:last, :]
    return namespace(field).roll(field, -margin, -1) if grid.periodic else field


def to_blocks(field: Array, grid: Grid, factor: int = 3) -> Array:
    """The block field of a field on ``grid.refine(factor)``; cells beyond a pole mirror those before it."""
    xp, margin = namespace(field), (factor - 1) // 2
    if grid.periodic:
        field = xp.roll(field, margin, -1)
    fine = grid.refine(factor)
    rows = np.arange(-margin * grid.north_pole, fine.rows + margin * grid.south_pole)
    rows = np.abs(rows)
    rows = np.where(rows >= fine.rows, 2 * (fine.rows - 1) - rows, rows)
    return field[..., rows, :].reshape(*field.shape[:-2], grid.rows, factor, grid.columns, factor)


def as_channels(blocks: Array) -> Array:
    """A block field as channels (..., factor**2, rows, columns), as networks take it.

    Channel ``factor * i + j`` holds the fine cells in row i (from the north) and column j (from the west) of their coarse
    cells.
    """
    *lead, rows, factor, columns, _ = blocks.shape
    moved = namespace(blocks).moveaxis(blocks, (-3, -1), (-4, -3))
    return moved.reshape(*lead, factor * factor, rows, columns)


def as_blocks(cells: Array) -> Array:
    """The block field of channels (..., factor**2, rows, columns)."""
    *lead, count, rows, columns = cells.shape
    factor = math.isqrt(count)
    split = cells.reshape(*lead, factor, factor, rows, columns)
    return namespace(cells).moveaxis(split, (-4, -3), (-3, -1))


def pin_poles(blocks: Array, coarse: Array, grid: Grid) -> Array:
    """The block field, changed in place, with the coarse value (..., rows, columns) on the pole's own nodes."""
    middle = (blocks.shape[-1] - 1) // 2
    for row, is_pole in ((0, grid.north_pole), (-1, grid.south_pole)):
        if is_pole:
            blocks[..., row, middle, :, :] = coarse[..., row, :, None]
    return blocks
