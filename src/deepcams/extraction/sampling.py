"""Series out of maps: each is a weighted mean of some cells, the same ones in every hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]
Cells = NDArray[np.intp]
Read = Callable[[slice, slice], Maps]

_TILES = 32  # to be read one by one; more of them take longer than the map around all


@dataclass(frozen=True, eq=False)
class Cover:
    """The cells that series are means of, one series after the other.

    Attributes:
        rows: (m,) the cells' rows.
        columns: (m,) their columns.
        weights: (m,) positive, in any unit.
        sizes: (n,) how many cells each series has, one at least.
    """

    rows: Cells
    columns: Cells
    weights: Floats
    sizes: Cells

    @classmethod
    def joined(cls, covers: Sequence[Cover]) -> Cover:
        """The series of several, in order."""
        return cls(
            np.concatenate([one.rows for one in covers]),
            np.concatenate([one.columns for one in covers]),
            np.concatenate([one.weights for one in covers]),
            np.concatenate([one.sizes for one in covers]),
        )

    @property
    def starts(self) -> Cells:
        """(n,) where each series begins."""
        starts: Cells = np.cumsum(self.sizes) - self.sizes
        return starts

    @property
    def shares(self) -> Floats:
        """(m,) the weights, divided by their sum in each series."""
        sums = np.add.reduceat(self.weights, self.starts)
        return self.weights / np.repeat(sums, self.sizes)


@dataclass(frozen=True, eq=False)
class Window:
    """A part of the grid that is read together.

    Attributes:
        rows: its rows.
        columns: its columns.
        places: which of the series' cells lie in it.
        cells: their numbers in it, row by row.
    """

    rows: slice
    columns: slice
    places: Cells
    cells: Cells


@dataclass(frozen=True, eq=False)
class Sampler:
    """What series are taken from maps, and how.

    Attributes:
        names: (n,) the series' names, each another.
        latitude: (n,) degrees, where they are.
        longitude: (n,) degrees.
        cover: their cells.
        grid: the maps' grid.
        areas: whether they are areas, of which the highest cell is told too, or points.
        kind: what was asked for, for the provenance.
        columns: what else is known of each series, by name.
        skipped: how many were left out because they lie outside the grid.
        notes: what the user should be told.
    """

    names: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    cover: Cover
    grid: Grid
    areas: bool
    kind: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: int = 0
    notes: tuple[str, ...] = ()

    @cached_property
    def _shares(self) -> Floats:
        return self.cover.shares

    @cached_property
    def _starts(self) -> Cells:
        return self.cover.starts

    def windows(self, tile: int | None = None) -> list[Window]:
        """The parts of the grid to read: one that holds all cells, or the tiles that hold any if these are few.

        Args:
            tile: rows and columns of the tiles that the maps are stored in; None for whole maps.
        """
        if tile is not None:
            tiles = self.cover.rows // tile * self.grid.columns + self.cover.columns // tile
            numbers, own = np.unique(tiles, return_inverse=True)
            if numbers.size <= _TILES:
                return [self._window(np.flatnonzero(own == k)) for k in range(numbers.size)]
        return [self._window(np.arange(self.cover.rows.size))]

    def _window(self, places: Cells) -> Window:
        rows, columns = self.cover.rows[places], self.cover.columns[places]
        box = _span(rows), _span(columns)
        return Window(*box, places, (rows - box[0].start) * (box[1].stop - box[1].start) + columns - box[1].start)

    def take(self, read: Read, windows: Sequence[Window] | None = None) -> Maps:
        """(hours, m) the values of all cells.

        Args:
            read: gives the maps (hours, rows, columns) of a window of rows and columns, always of the same hours.
            windows: those of :meth:`windows`; None for a single one.
        """
        pieces = [(one, read(one.rows, one.columns)) for one in windows or self.windows()]
        values = np.empty((len(pieces[0][1]), self.cover.rows.size), np.float32)
        for window, maps in pieces:
            values[:, window.places] = maps.reshape(len(maps), -1)[:, window.cells]
        return values

    def means(self, values: Maps) -> Maps:
        """(hours, n) the series, from the values (hours, m) of the cells; NaN where any of its cells is."""
        # Hour by hour, because a large area in a day of hours at once would take too much memory in double precision.
        found = [np.add.reduceat(cells * self._shares, self._starts) for cells in values]
        return np.array(found, np.float32).reshape(len(values), len(self.names))

    def highest(self, values: Maps) -> Maps:
        """(hours, n) the highest of the values (hours, m) of the cells of each series; NaN where any of its cells is."""
        highest: Maps = np.maximum.reduceat(values, self._starts, axis=1)
        return highest


def _span(numbers: Cells) -> slice:
    return slice(int(numbers.min()), int(numbers.max()) + 1)
