"""Regular latitude-longitude grids of nodes, global or regional, and how a fine grid nests in a coarse one.

A node grid carries values at points; each value stands for the cell around its node. On a global grid the first and
the last row are the poles, whose cells are half as high. Refining by an odd factor keeps every coarse node and gives
each coarse cell whole fine cells: EAC4's 241 x 480 nodes (0.75 degrees) become 721 x 1440 (0.25 degrees), the grid of
ERA5 and GEOS-CF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepcams.errors import InputError

Floats = NDArray[np.float64]

_DIGITS = 9  # degrees are compared after rounding
_FILE_DIGITS = 5  # coordinates in files may be float32, which carry no more
_TOLERANCE = 2e-3  # degrees by which a coordinate in a file may stray from its node


@dataclass(frozen=True)
class Region:
    """A box in degrees, ``north, west, south, east``; ``east`` may be smaller than ``west`` across the date line."""

    north: float
    west: float
    south: float
    east: float

    def __post_init__(self) -> None:
        if not -90 <= self.south < self.north <= 90:
            raise InputError(f"region with north {self.north:g} and south {self.south:g}: "
                             "wanted -90 <= south < north <= 90 (the order is N,W,S,E)")  # fmt: skip
        if not all(-360 <= lon <= 360 for lon in (self.west, self.east)):
            raise InputError(f"region with west {self.west:g} and east {self.east:g}: wanted degrees within -360..360")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(north, west, south, east)``."""
        return self.north, self.west, self.south, self.east

    @property
    def width(self) -> float:
        """Degrees of longitude from west to east, in (0, 360]."""
        return (self.east - self.west) % 360 or 360.0


@dataclass(frozen=True)
class Grid:
    """A regular node grid: rows from north to south, columns from west to east, equal steps in degrees.

    Two grids are equal if they have the same nodes. ``north`` and ``west`` are the centres of the first row and column.

    Raises:
        InputError: for a grid that cannot exist on the sphere.
    """

    north: float
    west: float
    step: float
    rows: int
    columns: int

    def __post_init__(self) -> None:
        for name in ("north", "west", "step"):
            object.__setattr__(self, name, round(float(getattr(self, name)), _DIGITS) + 0.0)
        if self.step <= 0 or self.rows < 1 or self.columns < 1:
            raise InputError(
                f"a grid of {self.rows} x {self.columns} nodes with a step of {self.step:g} degrees is empty"
            )
        if self.columns * self.step > 360 + _TOLERANCE:
            raise InputError(f"{self.columns} columns of {self.step:g} degrees go more than once around the Earth")
        for latitude in (self.north, self.south):
            beyond = abs(latitude) > 90 - self.step / 2 + _TOLERANCE
            if beyond and abs(abs(latitude) - 90) > _TOLERANCE:
                raise InputError(f"the row at {latitude:g} degrees reaches beyond the pole: wanted a row on the pole itself, "
                                 f"or none nearer than half a step ({self.step / 2:g} degrees)")  # fmt: skip

    @classmethod
    def from_coordinates(cls, latitude: ArrayLike, longitude: ArrayLike, *, step: float | None = None) -> Grid:
        """The grid of the given node coordinates.

        Args:
            latitude: (rows,) degrees, descending, equally spaced.
            longitude: (columns,) degrees, ascending, equally spaced, at most once around.
            step: degrees; needed only for a single node.

        Raises:
            InputError: if the coordinates are irregular, out of order, or have different steps.
        """
        rows, columns = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
        steps = [s for s in (_step(-rows, "latitude"), _step(columns, "longitude")) if s is not None]
        if not steps and step is None:
            raise InputError("a single node does not tell its grid step: give the step in degrees")
        found = steps[0] if steps else float(step or 0)
        if len(steps) == 2 and abs(steps[0] - steps[1]) > _TOLERANCE:
            raise InputError(
                f"steps of {steps[0]:g} degrees in latitude and {steps[1]:g} in longitude: wanted equal steps"
            )
        north, west = (round(float(values[0]), _FILE_DIGITS) for values in (rows, columns))
        return cls(north, west, found, rows.size, columns.size)

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, columns)``."""
        return self.rows, self.columns

    @property
    def south(self) -> float:
        """Latitude of the last row's nodes."""
        return round(self.north - self.step * (self.rows - 1), _DIGITS) + 0.0

    @property
    def periodic(self) -> bool:
        """Whether the columns go all around."""
        return abs(self.columns * self.step - 360) < _TOLERANCE

    @property
    def north_pole(self) -> bool:
        """Whether the first row is the north pole."""
        return abs(self.north - 90) < _TOLERANCE

    @property
    def south_pole(self) -> bool:
        """Whether the last row is the south pole."""
        return abs(self.south + 90) < _TOLERANCE

    @cached_property
    def latitude(self) -> Floats:
        """(rows,) node latitudes in degrees, descending."""
        return np.round(self.north - self.step * np.arange(self.rows), _DIGITS) + 0.0

    @cached_property
    def longitude(self) -> Floats:
        """(columns,) node longitudes in degrees, ascending."""
        return np.round(self.west + self.step * np.arange(self.columns), _DIGITS) + 0.0

    @cached_property
    def latitude_bounds(self) -> Floats:
        """(rows, 2) north and south edges of the cells in degrees, cut at the poles."""
        half = self.step / 2
        edges = np.stack([self.latitude + half, self.latitude - half], axis=1)
        return np.round(edges, _DIGITS).clip(-90, 90)

    @cached_property
    def longitude_bounds(self) -> Floats:
        """(columns, 2) west and east edges of the cells in degrees."""
        half = self.step / 2
        edges: Floats = np.stack([self.longitude - half, self.longitude + half], axis=1)
        return edges.round(_DIGITS)

    @cached_property
    def areas(self) -> Floats:
        """(rows,) area of one cell of each row in steradians: the step times the difference of sin(latitude)."""
        edges = np.sin(np.deg2rad(self.latitude_bounds))
        return np.deg2rad(self.step) * (edges[:, 0] - edges[:, 1])

    def refine(self, factor: int = 3) -> Grid:
        """The grid with ``factor`` x ``factor`` cells in each of these cells; a pole row keeps one row on the pole.

        Raises:
            InputError: if the factor is not odd and positive (only then is every coarse node also a fine node).
        """
        if factor < 1 or factor % 2 == 0:
            raise InputError(
                f"refinement factor {factor}: wanted an odd one (3, 5, ...), which keeps every coarse node"
            )
        step, margin = self.step / factor, (factor - 1) // 2
        north = self.north if self.north_pole else self.north + margin * step
        west = self.west if self.periodic else self.west - margin * step
        rows = self.rows * factor - margin * (self.north_pole + self.south_pole)
        return Grid(north, west, step, rows, self.columns * factor)

    def nests_in(self, coarse: Grid) -> bool:
        """Whether this grid is ``coarse`` refined by a whole odd factor."""
        factor = round(coarse.step / self.step)
        return factor % 2 == 1 and coarse.refine(factor) == self

    def row_window(self, region: Region) -> range:
        """The rows whose nodes lie within the region (empty if none)."""
        inside = np.flatnonzero(
            (self.latitude <= region.north + _TOLERANCE) & (self.latitude >= region.south - _TOLERANCE)
        )
        return range(int(inside[0]), int(inside[-1]) + 1) if inside.size else range(0)

    def column_window(self, region: Region) -> range:
        """The columns whose nodes lie within the region, from west to east; on a periodic grid it may run past the last."""
        offset = (self.longitude - region.west + _TOLERANCE) % 360
        inside = offset <= region.width + 2 * _TOLERANCE
        if inside.all() and self.periodic and region.width > 360 - self.step:
            return range(self.columns)
        if not inside.any():
            return range(0)
        starts = np.flatnonzero(inside & ~np.roll(inside, 1)) if self.periodic else np.flatnonzero(inside)[:1]
        first = int(starts[0])
        return range(first, first + int(inside.sum()))

    def window(self, rows: Sequence[int], columns: Sequence[int]) -> Grid:
        """The grid of the given consecutive rows and columns; columns may run past the last one on a periodic grid."""
        west = self.west + self.step * columns[0]
        if columns[-1] >= self.columns or columns[0] < 0:
            west = (west + 180) % 360 - 180
        return Grid(float(self.latitude[rows[0]]), west, self.step, len(rows), len(columns))

    def __str__(self) -> str:
        where = "global" if self.periodic and self.north_pole and self.south_pole else (
            f"{self.latitude[0]:g}..{self.latitude[-1]:g}N, {self.longitude[0]:g}..{self.longitude[-1]:g}E"
        )  # fmt: skip
        return f"{self.rows} x {self.columns} nodes, {self.step:g} degrees, {where}"


def _step(values: Floats, name: str) -> float | None:
    """The common step of ascending coordinates; None for a single one."""
    if values.ndim != 1 or values.size == 0:
        raise InputError(f"{name} has shape {values.shape}: wanted one dimension (curvilinear grids are not supported)")
    if not np.isfinite(values).all():
        raise InputError(f"{name} has missing values")
    if values.size == 1:
        return None
    step = float(values[-1] - values[0]) / (values.size - 1)
    expected = values[0] + step * np.arange(values.size)
    if step <= 0 or np.abs(values - expected).max() > _TOLERANCE:
        differences = np.diff(values)
        raise InputError(f"{name} is irregular: steps from {differences.min():g} to {differences.max():g} degrees; "
                         "wanted a regular latitude-longitude grid")  # fmt: skip
    return round(step, 4)
