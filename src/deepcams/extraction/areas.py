"""Areas on a grid: which cells a box covers, and how much of each."""

from __future__ import annotations

import numpy as np

from deepcams.errors import InputError
from deepcams.extraction.sampling import Cells, Cover, Floats, Sampler
from deepcams.grid import Grid, Region

_EDGE = 1e-6  # degrees by which an area may reach beyond the outermost cells


def box_mean(grid: Grid, region: Region, name: str) -> Sampler:
    """How to take the mean over a box, cut exactly at its edges.

    Args:
        grid: the maps' grid.
        region: the box.
        name: what to call it.

    Raises:
        InputError: if it is not within the cells of the grid.
    """
    if not within(grid, north=region.north, west=region.west, south=region.south, east=region.west + region.width):
        box = ",".join(f"{bound:g}" for bound in region.bounds)
        raise InputError(f"region {box} (N,W,S,E) reaches beyond the data ({grid}): ask for less, or give results that "
                         "cover it")  # fmt: skip
    heights = _heights(grid, region)
    columns, widths = column_widths(grid, region.west, region.west + region.width)
    rows = np.flatnonzero(heights > 0)
    weights = np.outer(heights[rows], widths)
    cover = merged(grid, np.repeat(rows, columns.size), np.tile(columns, rows.size), weights.ravel())
    latitude, longitude = (region.north + region.south) / 2, region.west + region.width / 2
    return Sampler((name,), np.array([latitude]), np.array([longitude]), cover, grid, True, f"region {name}")


def _heights(grid: Grid, region: Region) -> Floats:
    """(rows,) difference of sin(latitude) between the edges of each row's part of a box; not above zero without one."""
    edges = grid.latitude_bounds.clip(region.south, region.north)
    return np.sin(np.deg2rad(edges[:, 0])) - np.sin(np.deg2rad(edges[:, 1]))


def column_widths(grid: Grid, west: float, east: float) -> tuple[Cells, Floats]:
    """The columns between two meridians and how much of each lies there, in degrees; a column may come twice.

    Args:
        grid: the grid; one that is not periodic must hold both meridians.
        west: degrees.
        east: degrees, more than ``west`` and at most once around from it.
    """
    shift = turns(grid, west)
    numbers, edges = column_edges(grid, west + shift, east + shift)
    widths: Floats = np.diff(edges.clip(west + shift, east + shift))
    present = widths > 0
    return numbers[present], widths[present]


def column_edges(grid: Grid, west: float, east: float) -> tuple[Cells, Floats]:
    """The columns from one meridian to another, both counted as the grid does, and the edges between (one more)."""
    origin = grid.west - grid.step / 2
    first = int(np.floor((west - origin) / grid.step))
    last = int(np.ceil((east - origin) / grid.step))
    if not grid.periodic:
        first, last = max(first, 0), min(last, grid.columns)
    edges: Floats = origin + grid.step * np.arange(first, last + 1, dtype=np.float64)
    numbers: Cells = np.arange(first, last, dtype=np.intp) % grid.columns
    return numbers, edges


def turns(grid: Grid, west: float) -> float:
    """What to add to a longitude, a multiple of 360 degrees, so that it is counted as those of the grid are."""
    return -360.0 * np.floor((west - (grid.west - grid.step / 2) + _EDGE) / 360)


def within(grid: Grid, *, north: float, west: float, south: float, east: float) -> bool:
    """Whether a box lies within the cells of a grid."""
    high, low = grid.latitude_bounds[0, 0], grid.latitude_bounds[-1, 1]
    origin = grid.west - grid.step / 2
    across = grid.periodic or east + turns(grid, west) <= origin + grid.columns * grid.step + _EDGE
    return bool(across and north <= high + _EDGE and south >= low - _EDGE)


def merged(grid: Grid, rows: Cells, columns: Cells, weights: Floats) -> Cover:
    """One series of some cells, of which one may come more than once."""
    cells, places = np.unique(rows * grid.columns + columns, return_inverse=True)
    sums = np.bincount(places, weights).astype(np.float64)
    return Cover(cells // grid.columns, cells % grid.columns, sums, np.array([cells.size], np.intp))
