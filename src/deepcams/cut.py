"""The part of a series of maps that lies in a region, read without the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid, Region
from deepcams.io.results import Results, Values
from deepcams.windows import around


@dataclass(frozen=True, eq=False)
class Cut:
    """Maps cut to a region.

    Attributes:
        results: the whole maps.
        grid: the part's grid.
        rows: the part's rows.
        columns: the part's columns, in pieces where it goes across the maps' edge.
    """

    results: Results
    grid: Grid
    rows: slice
    columns: tuple[slice, ...]

    def read(self, hours: slice) -> Values:
        """(hours, rows, columns) float32, NaN where missing."""
        pieces = [self.results.read(hours, self.rows, columns) for columns in self.columns]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=2)


def cut(results: Results, region: Region | None) -> Cut:
    """The part of the maps in a region; None for all.

    Raises:
        InputError: if the region is not within the maps.
    """
    if region is None:
        return Cut(results, results.grid, slice(None), (slice(None),))
    window = around(results.grid, 1, region, halo=0)
    rows, columns = window.rows[window.fine_rows], window.columns[window.fine_columns]
    edges = np.flatnonzero(np.diff(columns) != 1) + 1
    return Cut(results, window.fine, _span(rows), tuple(_span(piece) for piece in np.split(columns, edges)))


def _span(places: NDArray[np.intp]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1)
