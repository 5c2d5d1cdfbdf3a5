"""Intervals to learn from: the coarse fields at their two ends, and the truth at the hours between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.missing import fill
from deepcams.sphere import as_channels, to_blocks
from deepcams.training.changes import Change
from deepcams.training.dataset import beside_unknown, inside
from deepcams.training.series import Mask, Numbers, Series, Split
from deepcams.training.windows import TRIES, Windows


@dataclass(frozen=True)
class Interval:
    """Two coarse fields, and what lies between them in truth; float32, ug m-3.

    Attributes:
        before: (rows, columns) the field at the beginning, without holes.
        after: (rows, columns) the field at the end.
        grid: their grid.
        hours: from the one to the other.
        fractions: (n,) of the interval, strictly within (0, 1): where the truth is known.
        target: (n, rows, columns) the truth there; 0 where it is unknown.
        weights: (n, rows, columns) the cells' areas, with a mean of 1 before those that do not count get 0.
        start: UTC of the beginning; None if it is not known or does not matter.
    """

    before: Field
    after: Field
    grid: Grid
    hours: float
    fractions: NDArray[np.float32]
    target: Field
    weights: Field
    start: np.datetime64 | None = None


def beginnings(series: Series, numbers: Numbers, gap: int) -> Numbers:
    """Those of the fields that have another one exactly ``gap`` hours later, and some between."""
    if series.times is None or not numbers.size:
        return np.arange(0)
    wanted = series.times[numbers] + np.timedelta64(gap, "h")
    ends = np.searchsorted(series.times, wanted)
    there = series.times[np.minimum(ends, len(series) - 1)] == wanted
    return numbers[there & (ends - numbers >= 2)]


def learned_beginnings(series: Series, split: Split, *gaps: int) -> Numbers:
    """The fields at which intervals of any of the gaps begin that end before what is held out."""
    found = [beginnings(series, split.training_numbers(series, gap), gap) for gap in gaps]
    return np.unique(np.concatenate(found))


def judged_beginnings(series: Series, split: Split, gap: int) -> Numbers:
    """The fields at which held-out intervals begin: nothing of them is an hour of an interval to learn from."""
    return beginnings(series, split.validation_numbers(series, 0), gap)


def fields_of(series: Series, number: int, gap: int) -> tuple[list[int], NDArray[np.float32]]:
    """The fields of the interval that begins at one of :func:`beginnings`: both ends, and between them those there are.

    Returns:
        Their numbers in the order of time, and the fractions of the interval (n,) at which those between stand.
    """
    since = np.zeros(1) if series.times is None else (series.times[number:] - series.times[number]).astype(np.int64)
    since = since[: int(np.searchsorted(since, gap)) + 1]
    return [*range(number, number + since.size)], (since[1:-1] / gap).astype(np.float32)


def whole_interval(series: Series, number: int, split: Split, gap: int) -> Interval:
    """An interval on a whole grid, to validate with: the weights are on its held-out part.

    Args:
        series: where it is from.
        number: the field at its beginning, one of :func:`beginnings`.
        split: what is held out; with nothing held out, everything counts.
        gap: its hours.

    Raises:
        InputError: if fewer than 2 x 2 whole coarse cells lie in the grid, or a field cannot be read.
    """
    grid = series.whole_grid()
    counted = split.validated(grid.refine(series.factor), series)
    numbers, fractions = fields_of(series, number, gap)
    fields = [series.coarse_on(grid, one) for one in numbers]
    interval = make_interval(fields, fractions, grid, gap, whole_cells(counted, grid, series.factor))
    return interval if series.times is None else replace(interval, start=series.times[number])


def make_interval(
    fields: list[Field], fractions: NDArray[np.float32], grid: Grid, hours: float, counted: Mask, margin: int = 0
) -> Interval:
    """The interval of coarse fields.

    Args:
        fields: the first, those between, and the last, (rows, columns) each, NaN where unknown.
        fractions: of those between.
        grid: of the fields.
        hours: from the first to the last.
        counted: (rows, columns) the cells that may count.
        margin: cells along the edges that are only seen.
    """
    before, *between, after = fields
    target = np.stack(between)
    areas = np.broadcast_to((grid.areas / grid.areas.mean())[:, None], grid.shape)
    ends = np.isnan(before) | np.isnan(after)
    judged = [counted & ~beside_unknown(ends | np.isnan(one), grid) & inside(grid, margin) for one in between]
    weights = np.where(np.stack(judged), areas, 0).astype(np.float32)
    return Interval(fill(before, grid)[0], fill(after, grid)[0], grid, float(hours), fractions,
                    np.nan_to_num(target, nan=0.0), weights)  # fmt: skip


@dataclass(frozen=True)
class IntervalSampler(Windows):
    """Draws windows of intervals, with one of the hours between.

    Attributes:
        gaps: hours of the intervals; those that a series has come equally often.
        reverse: whether in half of the examples time runs backwards.
    """

    gaps: tuple[int, ...] = (2, 3)
    reverse: bool = True

    @property
    def reach(self) -> int:
        """Hours of the longest interval."""
        return max(self.gaps)

    def learned(self, series: Series) -> Numbers:
        """The fields at which an interval to learn from begins."""
        return learned_beginnings(series, self.split, *self.gaps)

    def draw(self, step_number: int, index: int) -> Interval:
        """The example at place ``index`` of the batch of a step of training.

        Raises:
            InputError: if no window with enough known cells is found.
        """
        random = self.random(step_number, index)
        place = self.place(random)
        series, starts = self.series[place], self._starts_by_gap[place]
        for _ in range(TRIES):
            gap, numbers = starts[int(random.integers(len(starts)))]
            (first, *between, last), fractions = fields_of(series, int(random.choice(numbers)), gap)
            chosen = int(random.integers(len(between)))
            grid = self.window(series, random)
            fields = [series.coarse_on(grid, one) for one in (first, between[chosen], last)]
            learned = whole_cells(self.split.learned(grid.refine(series.factor)), grid, series.factor)
            unknown: Mask = np.any(np.isnan(fields), axis=0)
            if self.is_enough(unknown, learned, grid, series):
                interval = make_interval(fields, fractions[[chosen]], grid, gap, learned, self.margin)
                return changed(interval, self.augmentation.draw(random), self.reverse and bool(random.random() < 0.5))
        raise self.too_little(series)

    @cached_property
    def _starts_by_gap(self) -> list[list[tuple[int, Numbers]]]:
        """For each series, its gaps and the fields at which intervals of them begin."""
        found = [[(gap, learned_beginnings(one, self.split, gap)) for gap in self.gaps] for one in self.series]
        return [[(gap, numbers) for gap, numbers in starts if numbers.size] for starts in found]


def changed(interval: Interval, change: Change, backwards: bool) -> Interval:
    """The interval with the same change to all its fields, which commutes with area means, and perhaps with time reversed."""
    ends = change.apply(interval.before), change.apply(interval.after)
    before, after = reversed(ends) if backwards else ends
    return replace(
        interval,
        before=before,
        after=after,
        grid=change.place(interval.grid),
        fractions=1 - interval.fractions if backwards else interval.fractions,
        target=np.stack([change.apply(one) for one in interval.target]),
        weights=np.stack([change.mirrored(one) for one in interval.weights]),
    )


def whole_cells(nodes: Mask, grid: Grid, factor: int) -> Mask:
    """(rows, columns) the coarse cells of which all fine nodes are in a mask."""
    cells: Mask = as_channels(to_blocks(nodes, grid, factor)).all(axis=0)
    return cells
