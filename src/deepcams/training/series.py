"""What is learned from: series of fine fields, and which of their hours and places are held out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.evaluation.truth import FACTOR, nest
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Field, Hours

MEMORY = 512 * 2**20  # bytes of fields kept, all series of a call together
_TOLERANCE = 2e-3  # degrees by which a node may lie beyond a region's edge

Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]
Read = Callable[[int], Field]


@dataclass(frozen=True)
class Series:
    """One series of fine fields to learn from.

    Attributes:
        name: for messages.
        grid: the grid of the fine nodes; it need not be whole coarse cells.
        times: (n,) datetime64[h], ascending; None for independent images in no order.
        read: number -> (rows, columns) float32, ug m-3, NaN where unknown; not to be changed in place.
        given: number -> the coarse field that belongs to it, if that is not the area mean; None: it is.
        coarse: the grid of ``given``.
        count: how many fields there are; as many as times where it is not given.
        held_out: whether the whole series is for validation, as the original's test set is.
        attribution: whom the files name as their source.
    """

    name: str
    grid: Grid
    times: Hours | None
    read: Read
    given: Read | None = None
    coarse: Grid | None = None
    count: int = -1
    held_out: bool = False
    attribution: str = ""

    def __post_init__(self) -> None:
        if (self.given is None) != (self.coarse is None):
            raise InputError(f"{self.name}: coarse fields and their grid go together; one of them is missing")
        if self.times is not None and self.count < 0:
            object.__setattr__(self, "count", self.times.size)
        if self.count < 0:
            raise InputError(f"{self.name}: neither times nor a count of its fields; wanted one of them")
        if self.times is not None and self.times.size != self.count:
            raise InputError(f"{self.name}: {self.count} fields and {self.times.size} times; wanted as many")

    def __len__(self) -> int:
        return self.count

    @property
    def factor(self) -> int:
        """How many fine nodes there are along the side of a coarse cell."""
        return FACTOR if self.coarse is None else round(self.coarse.step / self.grid.step)

    def whole_grid(self) -> Grid:
        """The coarse grid whose cells lie wholly within the fine one.

        Raises:
            InputError: if fewer than 2 x 2 fit.
        """
        return nest(self.grid)[0] if self.coarse is None else self.coarse

    def fine_on(self, grid: Grid, number: int) -> Field:
        """(factor rows, factor columns) the fine field over the cells of a coarse grid; NaN beyond the series' edge."""
        return cut(self.read(number), self.grid, grid.refine(self.factor))

    def given_on(self, grid: Grid, number: int) -> Field | None:
        """(rows, columns) the given field on a part of its grid, or None where area means are to be made."""
        return None if self.given is None or self.coarse is None else cut(self.given(number), self.coarse, grid)

    def coarse_on(self, grid: Grid, number: int) -> Field:
        """(rows, columns) the coarse field on a grid: the given one, or area means; NaN where unknown."""
        given = self.given_on(grid, number)
        return means(self.fine_on(grid, number), grid, self.factor) if given is None else given

    def neighbours(self, number: int, step: int) -> tuple[tuple[int, float], ...]:
        """The fields exactly ``step`` hours before and after, as (number, hours from this one); earlier ones first."""
        if self.times is None:
            return ()
        wanted = [(hours, self.times[number] + np.timedelta64(hours, "h")) for hours in (-step, step)]
        places = [(hours, time, int(np.searchsorted(self.times, time))) for hours, time in wanted]
        return tuple((i, float(h)) for h, time, i in places if i < self.count and self.times[i] == time)

    def accompanied(self, numbers: Numbers, step: int) -> Numbers:
        """Those of the fields that have a neighbour."""
        return np.array([number for number in numbers if self.neighbours(int(number), step)], np.intp)


@dataclass(frozen=True)
class Split:
    """What is held out of learning, by place and by time; never at random.

    Held out are whole regions, or the last hours, or both: then training sees neither, and validation is the regions
    in the last hours. Hours near the border in time belong to neither part, so that no hour that one of them looks at
    is looked at by the other.

    Attributes:
        held_out: the regions.
        last: share of each series' time, at its end, that is held out; whole UTC days where there are two at least.
    """

    held_out: tuple[Region, ...] = ()
    last: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.last < 1:
            raise InputError(f"a share of {self.last:g} of the hours held out: wanted 0 or more, and less than 1")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held out of a series (a held-out series is held out all the same)."""
        return not self.held_out and not self.last

    def training_numbers(self, series: Series, step: int) -> Numbers:
        """The numbers of the fields to learn from, with ``step`` hours between a field and its neighbours."""
        if series.held_out:
            return np.arange(0)
        border = self._border(series)
        if border is None or series.times is None:
            return np.arange(len(series))
        return np.flatnonzero(series.times < border - np.timedelta64(step, "h"))

    def validation_numbers(self, series: Series, step: int) -> Numbers:
        """The numbers of the fields to validate with."""
        if series.held_out:
            return np.arange(len(series))
        border = self._border(series)
        if border is None or series.times is None:
            return np.arange(len(series) if self.held_out else 0)
        return np.flatnonzero(series.times >= border + np.timedelta64(step, "h"))

    def mask(self, grid: Grid) -> Mask:
        """(rows, columns) the nodes of a grid that lie in a held-out region."""
        found = np.zeros(grid.shape, np.bool_)
        for region in self.held_out:
            rows = (grid.latitude <= region.north + _TOLERANCE) & (grid.latitude >= region.south - _TOLERANCE)
            columns = (grid.longitude - region.west + _TOLERANCE) % 360 <= region.width + 2 * _TOLERANCE
            found |= rows[:, None] & columns
        return found

    def learned(self, grid: Grid) -> Mask:
        """(rows, columns) the nodes that may be learned from."""
        return ~self.mask(grid)

    def validated(self, grid: Grid, series: Series) -> Mask:
        """(rows, columns) the nodes that validation looks at: the held-out regions, or all where only time is split."""
        everywhere = series.held_out or not self.held_out
        return np.ones(grid.shape, np.bool_) if everywhere else self.mask(grid)

    def _border(self, series: Series) -> np.datetime64 | None:
        """The first held-out hour, or None if time is not split (images have no order to split by)."""
        if not self.last or series.times is None or not len(series):
            return None
        hours = int((series.times[-1] - series.times[0]).astype(np.int64)) + 1
        border = series.times[-1] + np.timedelta64(1 - math.ceil(self.last * hours), "h")
        days = border.astype("datetime64[D]").astype("datetime64[h]")
        return days if hours >= 48 and days > series.times[0] else border


def cut(field: Field, grid: Grid, target: Grid) -> Field:
    """The part of a field that lies on another grid of the same nodes; NaN at nodes that it has not.

    Args:
        field: (grid.rows, grid.columns).
        grid: its grid; a periodic one goes on across the date line.
        target: a grid with the same step, whose nodes fall on those of ``grid``.
    """
    row = round((grid.north - target.north) / grid.step) + np.arange(target.rows)
    column = round((target.west - grid.west) / grid.step) + np.arange(target.columns)
    if grid.periodic:
        column %= grid.columns
    rows, columns = np.clip(row, 0, grid.rows - 1), np.clip(column, 0, grid.columns - 1)
    part: Field = field[rows[:, None], columns]
    part[row != rows] = np.nan
    part[:, column != columns] = np.nan
    return part


def means(fine: Field, grid: Grid, factor: int) -> Field:
    """(rows, columns) float32 area means, made in double precision, of a fine field over the cells of ``grid``."""
    mean: Field = area_mean(fine.astype(np.float64), grid, factor).astype(np.float32)
    return mean


def remembered(read: Read, grid: Grid, memory: int = MEMORY) -> Read:
    """``read``, keeping the fields read last as far as ``memory`` bytes go; what it gives cannot be changed."""

    def frozen(number: int) -> Field:
        field = np.ascontiguousarray(read(number), np.float32)
        field.flags.writeable = False
        return field

    return lru_cache(maxsize=max(1, memory // (4 * grid.rows * grid.columns)))(frozen)
