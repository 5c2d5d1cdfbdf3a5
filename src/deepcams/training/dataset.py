"""Examples to learn from: a coarse scene, the fine truth as channels, and how much each fine cell counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.missing import fill
from deepcams.spatial.scene import Neighbour, Scene
from deepcams.sphere import as_channels, pad, row_weights, to_blocks
from deepcams.training.series import Mask, Series, Split
from deepcams.training.sources import open_series, stored_split
from deepcams.units import EPSILON

__all__ = ["Example", "Series", "Split", "make_example", "open_series", "stored_split", "whole"]

_BESIDE = 1  # coarse cells around an unknown one that are not judged: what fills it shows there


@dataclass(frozen=True)
class Example:
    """A scene, and what it looks like in truth.

    Attributes:
        scene: the coarse field, its grid and its neighbours, without holes.
        target: (factor**2, rows, columns) float32 ug m-3, the truth; 0 where it is unknown.
        weights: (factor**2, rows, columns) float32, the cells' areas, with a mean of 1 over the whole window before
            those that do not count get 0.
        shares: (rows, factor) float32, the share of a coarse cell's area in each of its rows of fine cells.
    """

    scene: Scene
    target: Field
    weights: Field
    shares: Field


def whole(series: Series, number: int, split: Split, *, step: int) -> Example:
    """A whole field, to validate with: the weights are on its held-out part.

    Args:
        series: where it is from.
        number: which.
        split: what is held out; with nothing held out, everything counts.
        step: hours between a field and its neighbours.

    Raises:
        InputError: if fewer than 2 x 2 whole coarse cells lie in it, or it cannot be read.
    """
    grid = series.whole_grid()
    beside = [(series.coarse_on(grid, other), hours) for other, hours in series.neighbours(number, step)]
    counted = split.validated(grid.refine(series.factor), series)
    return make_example(series.fine_on(grid, number), series.coarse_on(grid, number), grid, counted, beside)


def make_example(
    fine: Field, coarse: Field, grid: Grid, counted: Mask, beside: list[tuple[Field, float]], margin: int = 0
) -> Example:
    """The example of a truth and of the coarse fields that go with it.

    Args:
        fine: (rows, columns) on ``grid`` refined, NaN where unknown.
        coarse: (grid.rows, grid.columns), NaN where unknown.
        grid: the coarse grid.
        counted: (rows, columns) of the fine nodes that may count.
        beside: the coarse fields of other hours, and their hours from this one; those that know nothing here are left
            out.
        margin: coarse cells along the edges that are only seen.
    """
    factor = fine.shape[1] // grid.columns
    target, shares = as_channels(to_blocks(fine, grid, factor)), row_weights(grid, factor)
    near = beside_unknown(np.isnan(coarse) | np.isnan(target).any(axis=0), grid)
    judged = as_channels(to_blocks(counted, grid, factor)) & ~np.isnan(target) & ~near & inside(grid, margin)
    weights = np.where(judged, cell_areas(grid, factor, shares), 0).astype(np.float32)
    neighbours = tuple(Neighbour(fill(field, grid)[0], hours) for field, hours in beside if not np.isnan(field).all())
    scene = Scene(fill(coarse, grid)[0], grid, factor, EPSILON, neighbours)
    return Example(scene, np.nan_to_num(target, nan=0.0), weights, shares.astype(np.float32))


def beside_unknown(unknown: Mask, grid: Grid) -> Mask:
    """(rows, columns) the coarse cells that are unknown or touch one that is, also across the date line."""
    wide = pad(unknown, grid, _BESIDE, _BESIDE)
    near: Mask = ndimage.binary_dilation(wide, np.ones((3, 3)), iterations=_BESIDE)[_BESIDE:-_BESIDE, _BESIDE:-_BESIDE]
    return near


def cell_areas(grid: Grid, factor: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(factor**2, rows, 1) relative areas of the fine cells, with a mean of 1; 0 beyond a pole and on it.

    A pole's own node has the coarse value whatever is learned, and so does not count.
    """
    areas = grid.refine(factor).areas[:, None]
    column = np.broadcast_to(areas, (areas.size, factor * grid.columns))
    by_row = to_blocks(column, grid, factor)[:, :, 0, 0] * (shares > 0)
    relative: NDArray[np.float64] = np.repeat((by_row / by_row.mean()).T, factor, axis=0)[..., None]
    return relative


def inside(grid: Grid, margin: int) -> Mask:
    """(rows, columns) the coarse cells that are not in the margin."""
    found = np.zeros(grid.shape, np.bool_)
    found[margin : grid.rows - margin, margin : grid.columns - margin] = True
    return found
