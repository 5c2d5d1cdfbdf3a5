"""The part of a grid that a region needs: its own cells, the cells around them that a method looks at, and the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid, Region


@dataclass(frozen=True)
class Window:
    """A part of a coarse grid to compute on, and the part of its refinement to keep.

    Attributes:
        coarse: the grid computed on.
        rows: (coarse.rows,) its rows in the whole grid.
        columns: (coarse.columns,) its columns in the whole grid.
        fine: the grid of the result.
        fine_rows: the rows of ``coarse.refine(factor)`` that are kept.
        fine_columns: the columns of it that are kept.
    """

    coarse: Grid
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    fine: Grid
    fine_rows: NDArray[np.intp]
    fine_columns: NDArray[np.intp]

    def take(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        """The window's part of a field (rows, columns) on the whole coarse grid."""
        return field[self.rows[:, None], self.columns]

    def keep(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        """The part to keep of a field on the window's refinement."""
        if self.fine.shape == field.shape:
            return field
        return field[self.fine_rows[:, None], self.fine_columns]


def whole(grid: Grid, factor: int) -> Window:
    """All of a grid."""
    fine = grid.refine(factor)
    return Window(
        grid, np.arange(grid.rows), np.arange(grid.columns), fine, np.arange(fine.rows), np.arange(fine.columns)
    )


def around(grid: Grid, factor: int, region: Region, *, halo: float) -> Window:
    """The window for a region of a grid.

    Args:
        grid: the whole coarse grid.
        factor: the refinement.
        region: what to keep: all fine nodes within it.
        halo: degrees around it that the computation looks at; infinite for the whole grid.

    Raises:
        InputError: if the region is not within the grid's cells, or holds no fine node.
    """
    fine = grid.refine(factor)
    kept_rows, kept_columns = fine.row_window(region), fine.column_window(region)
    _refuse_outside(fine, region, kept_rows, kept_columns)
    reach = int(np.ceil(min(halo, 360) / grid.step)) + 1
    rows = _rows(grid, factor, kept_rows, reach)
    touches_pole = (grid.north_pole and rows[0] == 0) or (grid.south_pole and rows[-1] == grid.rows - 1)
    # beyond a pole lies the opposite meridian
    columns = range(grid.columns) if touches_pole else _columns(grid, factor, kept_columns, reach)
    coarse = grid if len(columns) == grid.columns and len(rows) == grid.rows else grid.window(rows, columns)
    result = _result(fine, region, kept_rows, kept_columns)
    refined = coarse.refine(factor)
    first_row = round((refined.north - result.north) / fine.step)
    first_column = round(((result.west - refined.west) % 360) / fine.step)
    return Window(
        coarse,
        np.asarray(rows),
        np.asarray(columns) % grid.columns,
        result,
        np.arange(first_row, first_row + result.rows),
        np.arange(first_column, first_column + result.columns) % refined.columns,
    )


def _result(fine: Grid, region: Region, rows: range, columns: range) -> Grid:
    """The grid of the kept nodes; its longitudes are counted as the region's are."""
    if len(columns) == fine.columns:
        return fine if len(rows) == fine.rows else fine.window(rows, columns)
    result = fine.window(rows, columns)
    west = result.west + 360 * round((region.west - result.west) / 360)
    return Grid(result.north, west, result.step, result.rows, result.columns)


def _rows(grid: Grid, factor: int, kept: range, reach: int) -> range:
    first, last = _coarse_span(kept, factor, reach, at_node=grid.north_pole)
    return range(max(0, first), min(grid.rows, last + 1))


def _columns(grid: Grid, factor: int, kept: range, reach: int) -> range:
    first, last = _coarse_span(kept, factor, reach, at_node=grid.periodic)
    if grid.periodic:
        return range(grid.columns) if last + 1 - first >= grid.columns else range(first, last + 1)
    return range(max(0, first), min(grid.columns, last + 1))


def _coarse_span(kept: range, factor: int, reach: int, *, at_node: bool) -> tuple[int, int]:
    """First and last coarse cell of the fine nodes ``kept``, with ``reach`` more on either side.

    ``at_node`` tells whether the first fine node is the first coarse node itself, or the edge of its cell.
    """
    margin = (factor - 1) // 2 * at_node
    return (kept[0] + margin) // factor - reach, (kept[-1] + margin) // factor + reach


def _refuse_outside(fine: Grid, region: Region, rows: range, columns: range) -> None:
    box = ",".join(f"{bound:g}" for bound in region.bounds)
    if not rows or not columns:
        raise InputError(f"region {box} (N,W,S,E) lies outside the data ({fine}), or between two of their nodes")
    room = fine.step * 0.5 + 1e-6
    edges_fit = region.north <= fine.north + room and region.south >= fine.south - room
    if not fine.periodic:
        offset = (region.west - fine.west + room) % 360
        edges_fit = edges_fit and offset + region.width <= fine.step * (fine.columns - 1) + 2 * room
    if not edges_fit:
        raise InputError(
            f"region {box} (N,W,S,E) reaches beyond the data ({fine}): ask for less, or give files that cover it"
        )
