"""The truth of an evaluation: hourly fine fields, and the coarse fields that contenders are given of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.evaluation.metrics import Floats, Mask
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses, Field
from deepcams.io.geos_cf import Hourly
from deepcams.sphere import from_blocks, to_blocks

FACTOR = 3
STEP = 3  # hours


@dataclass(frozen=True)
class Truth:
    """Hourly fields cut to whole coarse cells, and the coarse fields that contenders are given.

    Attributes:
        hourly: the series.
        coarse: the grid of the coarse cells.
        rows: the rows of the series' grid that they cover.
        columns: the columns.
        step: hours between coarse fields.
    """

    hourly: Hourly
    coarse: Grid
    rows: slice
    columns: slice
    step: int

    @classmethod
    def of(cls, hourly: Hourly, step: int = STEP) -> Truth:
        """The truth in a series.

        Raises:
            InputError: if the series has no two hours ``step`` apart, or no 2 x 2 whole coarse cells.
        """
        truth = cls(hourly, *nest(hourly.fields.grid), step)
        if truth.analyses.times.size < 2 or truth.analyses.step != step:
            times = hourly.fields.times
            raise InputError(f"{times.size} hours from {times[0]} to {times[-1]} UTC: wanted hourly fields, with some {step} h "
                             "after the first and the hours between")  # fmt: skip
        return truth

    def at(self, time: np.datetime64) -> Field | None:
        """(rows, columns) the truth at an hour; None if the series lacks it."""
        found = np.flatnonzero(self.hourly.fields.times == time)
        return self._read(int(found[0])) if found.size else None

    def known(self, time: np.datetime64) -> Field:
        """(rows, columns) the truth at an hour.

        Raises:
            InputError: if the series lacks it.
        """
        field = self.at(time)
        if field is None:
            raise InputError(f"the data have no field of {time}:00 UTC: wanted one; give files that have this hour")
        return field

    def missing(self, time: np.datetime64) -> Mask:
        """(rows, columns) the nodes of fine or coarse cells unknown at an hour, or in a given field it is made from."""
        since = int((time - self.hourly.fields.times[0]).astype(np.int64))
        before = time - np.timedelta64(since % self.step, "h")
        moments = {before, time, before + np.timedelta64(self.step if since % self.step else 0, "h")}
        found = np.flatnonzero(np.isin(self.hourly.fields.times, list(moments)))
        return np.logical_or.reduce([self._unknown(int(number)) for number in found])

    @cached_property
    def _unknown(self) -> Callable[[int], Mask]:
        def unknown(number: int) -> Mask:
            field, middle = self._read(number), (FACTOR - 1) // 2
            blocks = to_blocks(np.isnan(field), self.coarse, FACTOR)
            blocks[:, middle, :, middle] = np.isnan(self.mean(field))
            mask: Mask = from_blocks(blocks, self.coarse)
            return mask

        return lru_cache(maxsize=2 * self.step)(unknown)

    def given(self, time: np.datetime64) -> Field:
        """(coarse rows, coarse columns) the field that contenders are given for an hour."""
        return self.analyses.read(int(np.searchsorted(self.analyses.times, time))).values

    def _read(self, number: int) -> Field:
        return self.hourly.fields.read(number).values[self.rows, self.columns]

    @cached_property
    def analyses(self) -> Analyses:
        """The area means of every ``step``-th hour, counted from the first, read when they are used."""
        fields = self.hourly.fields
        since = (fields.times - fields.times[0]).astype(np.int64)
        numbers = np.flatnonzero(since % self.step == 0)
        return replace(
            fields,
            times=fields.times[numbers],
            grid=self.coarse,
            load=lambda i: self.mean(self._read(int(numbers[i]))).astype(np.float32),
            label=lambda i: fields.label(int(numbers[i])),
        )

    def mean(self, field: Field) -> Floats:
        """(coarse rows, coarse columns) float64 area means of a field."""
        return area_mean(field.astype(np.float64), self.coarse, FACTOR)


def nest(fine: Grid) -> tuple[Grid, slice, slice]:
    """The coarse grid whose cells, those of EAC4, lie wholly within a fine grid, and the fine rows and columns of them.

    Raises:
        InputError: if fewer than 2 x 2 whole cells fit.
    """
    first_row = round((90 - fine.north) / fine.step) - fine.north_pole  # a pole's cell has a row beyond the pole
    row, rows = _whole_cells(first_row, fine.rows + fine.north_pole + fine.south_pole)
    column, columns = (0, fine.columns // FACTOR) if fine.periodic else (
        _whole_cells(round(fine.west / fine.step), fine.columns)
    )  # fmt: skip
    if min(rows, columns) < 2:
        raise InputError(f"a grid of {fine}: wanted room for 2 x 2 cells of {FACTOR * fine.step:g} degrees at least")
    margin = (FACTOR - 1) // 2
    north = fine.north if fine.north_pole else float(fine.latitude[row + margin])
    west = fine.west if fine.periodic else float(fine.longitude[column + margin])
    last_row = min(row + FACTOR * rows - fine.north_pole, fine.rows)
    coarse = Grid(north, west, FACTOR * fine.step, rows, columns)
    return coarse, slice(row, last_row), slice(column, column + FACTOR * columns)


def _whole_cells(first: int, count: int) -> tuple[int, int]:
    """Where the first whole cell begins among ``count`` nodes from node number ``first`` of the globe, and how many."""
    start = (FACTOR - 1 - first) % FACTOR  # cells begin at the nodes 3 i - 1
    return start, (count - start) // FACTOR
