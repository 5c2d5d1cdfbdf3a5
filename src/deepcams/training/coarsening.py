"""Ways to make coarse fields from fine ones, named for what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.spatial.interpolation import cubic_weights
from deepcams.sphere import pad
from deepcams.training.series import means

AREA_MEAN = "area-mean"
_REACH = 2  # of the cubic kernel, in coarse steps


@dataclass(frozen=True)
class Coarsening:
    """One way from fine to coarse.

    Attributes:
        apply: ``(fine, coarse grid, factor) -> coarse``; NaN where any fine value that it takes is unknown.
        meaning: what it is, for people and metadata.
    """

    apply: Callable[[Field, Grid, int], Field]
    meaning: str


def decimate(fine: Field, grid: Grid, factor: int) -> Field:
    """(rows, columns) the fine values at the coarse nodes alone, ``x[1::3, 1::3]`` on a regional grid.

    Args:
        fine: (rows, columns) on ``grid`` refined.
        grid: the coarse grid.
        factor: the refinement.
    """
    row, column = _first_nodes(grid, factor)
    return np.ascontiguousarray(fine[row::factor, column::factor])


def bicubic(fine: Field, grid: Grid, factor: int) -> Field:
    """(rows, columns) an antialiased bicubic: Keys' kernel (a = -1/2), as wide as ``factor`` fine steps for each of its own.

    The weights at the fine nodes around a coarse node sum to 1. Longitude wraps, rows go on across the poles, regional
    edges are replicated; what undershoots zero is cut. Arguments as in :func:`decimate`.
    """
    reach = _REACH * factor - 1
    taps = cubic_weights(np.arange(-reach, reach + 1) / factor)
    wide = pad(fine.astype(np.float64), grid.refine(factor), reach, reach)
    row, column = _first_nodes(grid, factor)
    by_row = _combine(wide, taps / taps.sum(), row, grid.rows, factor)
    both = _combine(by_row.T, taps / taps.sum(), column, grid.columns, factor).T
    return np.maximum(both, 0).astype(np.float32)


COARSENINGS: dict[str, Coarsening] = {
    AREA_MEAN: Coarsening(means, "area means over the coarse cells"),
    "decimation": Coarsening(decimate, "the fine values at the coarse nodes, without any averaging"),
    "bicubic": Coarsening(bicubic, "antialiased bicubic: Keys' kernel (a = -1/2) of three times the width"),
}


def _first_nodes(grid: Grid, factor: int) -> tuple[int, int]:
    """The fine row and column of the first coarse node."""
    middle = (factor - 1) // 2
    return middle * (not grid.north_pole), middle * (not grid.periodic)


def _combine(
    values: NDArray[np.float64], taps: NDArray[np.float64], first: int, count: int, factor: int
) -> NDArray[np.float64]:
    """(count, columns) sums of runs of rows weighted by ``taps``; run i begins at row first + factor i."""
    runs = (values[first + k : first + k + factor * (count - 1) + 1 : factor] * tap for k, tap in enumerate(taps))
    total: NDArray[np.float64] = np.sum(list(runs), axis=0)
    return total
