"""What a correction is a function of: the field and its surroundings, the sun's time, the season, and the place.

The same function makes them for stations and for maps, so that what is learned at the ones holds for the others. Means
over squares of cells are taken from sums over everything to the north-west (Crow, SIGGRAPH 1984), at any cells alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams import sphere
from deepcams.grid import Grid
from deepcams.land import land_share
from deepcams.orography import altitude

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Cells = NDArray[np.intp]

EPSILON = 1.0
"""ug m-3 added to both sides of ratios: about the noise of an hour's measurement, below which a ratio says nothing."""
WIDTHS = (3, 9, 27)
"""Cells on a side of the squares; three are a cell of CAMS, if the maps are three times as fine."""
REACH = WIDTHS[-1] // 2
"""Cells around that are looked at."""
NAMES = (
    "log_field",
    "log_field_over_mean_3",
    "log_mean_3_over_mean_9",
    "log_mean_9_over_mean_27",
    "log_mean_27",
    "log_spread_9",
    "solar_time_sin",
    "solar_time_cos",
    "season_sin",
    "season_cos",
    "latitude",
    "longitude_sin",
    "longitude_cos",
    "altitude",
    "altitude_less_mean_9",
    "altitude_spread_9",
    "land_share",
)
"""The features, in order; a model file names them, and another list is refused."""

_SPREAD = WIDTHS[1]
_DAY = 24.0
_POLE = 90
_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Places:
    """Cells of a grid, and what does not change there.

    Attributes:
        grid: the grid.
        rows: (n,) the cells' rows.
        columns: (n,) their columns.
        fixed: (n, 7) the features from ``latitude`` on.
    """

    grid: Grid
    rows: Cells
    columns: Cells
    fixed: Singles

    @property
    def latitude(self) -> Floats:
        """(n,) degrees."""
        return self.grid.latitude[self.rows]

    @property
    def longitude(self) -> Floats:
        """(n,) degrees."""
        return self.grid.longitude[self.columns]

    def take(self, which: slice | Cells) -> Places:
        """Some of them."""
        return Places(self.grid, self.rows[which], self.columns[which], self.fixed[which])


def places(grid: Grid, rows: Cells, columns: Cells) -> Places:
    """Cells (n,) of a grid with what does not change there."""
    height = altitude(grid)
    around = Sums(height, grid)
    mean, spread = around.mean(rows, columns, _SPREAD), around.spread(rows, columns, _SPREAD)
    turn = np.deg2rad(grid.longitude[columns])
    own = height[rows, columns]
    parts = grid.latitude[rows], np.sin(turn), np.cos(turn), own, own - mean, spread, land_share(grid)[rows, columns]
    return Places(grid, rows, columns, np.stack(parts, axis=1).astype(np.float32))


def everywhere(grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Places:
    """All cells in some rows and columns of a grid, row by row; those of a pole are the same one each."""
    row, column = np.repeat(rows, columns.size), np.tile(columns, rows.size)
    return places(grid, row, np.where(np.abs(grid.latitude[row]) == _POLE, 0, column))


class Sums:
    """Means and spreads over squares of cells around any cell; cells without a value do not count.

    Args:
        field: (rows, columns), NaN where missing.
        grid: its grid; squares go across the date line and the poles, and end at a regional grid's edge.
    """

    def __init__(self, field: Singles, grid: Grid) -> None:
        wide = sphere.pad(field, grid, REACH, REACH).astype(np.float64)
        known = np.isfinite(wide)
        self._count = None if known.all() else _summed(known)
        wide = wide if self._count is None else np.where(known, wide, 0.0)
        self._sum, self._squares = _summed(wide), _summed(wide * wide)

    def mean(self, rows: Cells, columns: Cells, width: int) -> Floats:
        """(n,) means over squares of ``width`` cells on a side, NaN where all are missing."""
        return _box(self._sum, rows, columns, width) / self._counted(rows, columns, width)

    def spread(self, rows: Cells, columns: Cells, width: int) -> Floats:
        """(n,) standard deviations over such squares."""
        mean = self.mean(rows, columns, width)
        squares = _box(self._squares, rows, columns, width) / self._counted(rows, columns, width)
        return np.sqrt(np.maximum(squares - mean * mean, 0.0))

    def _counted(self, rows: Cells, columns: Cells, width: int) -> Floats | float:
        if self._count is None:
            return float(width * width)
        count = _box(self._count, rows, columns, width)
        return np.where(count > 0, count, np.nan)


class Surroundings:
    """A map that features are taken from.

    Args:
        field: (rows, columns) ug m-3, NaN where missing.
        grid: its grid.
        moment: the hour, UTC, or the middle of an interval.
    """

    def __init__(self, field: Singles, grid: Grid, moment: np.datetime64) -> None:
        self.field, self.moment = field, moment
        self._plain = Sums(field, grid)
        self._log = Sums(np.log(field + np.float32(EPSILON)), grid)

    def features(self, where: Places) -> Singles:
        """(n, 17) the features of cells, as :data:`NAMES` has them; some NaN where the field is."""
        at = where.rows, where.columns
        own = np.log(self.field[at].astype(np.float64) + EPSILON)
        means = [np.log(self._plain.mean(*at, width) + EPSILON) for width in WIDTHS]
        found = np.empty((own.size, len(NAMES)), np.float32)
        found[:, 0], found[:, 1] = own, own - means[0]
        found[:, 2], found[:, 3] = means[0] - means[1], means[1] - means[2]
        found[:, 4], found[:, 5] = means[2], self._log.spread(*at, _SPREAD)
        for column, angle in zip((6, 8), self._angles(where), strict=True):
            found[:, column], found[:, column + 1] = np.sin(angle), np.cos(angle)
        found[:, 10:] = where.fixed
        return found

    def _angles(self, where: Places) -> tuple[Floats, Floats]:
        """The mean solar time of day, and the season, which is half a year later in the south, as angles."""
        minutes = self.moment.astype("datetime64[m]")
        hour = (minutes - minutes.astype("datetime64[D]")) / np.timedelta64(60, "m")
        day = (minutes - minutes.astype("datetime64[Y]")) / np.timedelta64(1440, "m")
        solar = (hour + where.longitude / 15) % _DAY
        season = day / _YEAR + 0.5 * (where.latitude < 0)
        return 2 * np.pi * solar / _DAY, 2 * np.pi * season


def _summed(values: NDArray[np.float64] | NDArray[np.bool_]) -> Floats:
    """(rows + 1, columns + 1) the sum of everything to the north-west of each corner."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(values, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


def _box(sums: Floats, rows: Cells, columns: Cells, width: int) -> Floats:
    """(n,) the sums over squares around cells of the map before it was padded."""
    top, left = rows + (REACH - width // 2), columns + (REACH - width // 2)
    down, right = top + width, left + width
    box: Floats = sums[down, right] - sums[top, right] - sums[down, left] + sums[top, left]
    return box
