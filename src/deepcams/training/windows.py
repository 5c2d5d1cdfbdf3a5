"""Windows of one size, drawn at random from series of fine fields, at places where something can be learned.

A draw depends on the seed, the step of training and the place in the batch, and on nothing else: a run that was
interrupted goes on with the same windows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.training.changes import Augmentation
from deepcams.training.dataset import beside_unknown
from deepcams.training.series import Mask, Numbers, Series, Split

TRIES = 300  # windows drawn for an example until one has enough known cells
_FEWEST = 4  # coarse cells on a side of a series: those at its edge are not learned from
_LEAST = 0.5  # of the inner cells can be learned from, or the window is drawn anew


@dataclass(frozen=True)
class Windows(ABC):
    """Where windows are drawn from, and how large they are.

    A window lies at any fine node (at whole cells where coarse fields are given), so that the ways to place coarse
    cells on the fine nodes come by themselves. Beyond the edge of a series nothing is known: it is filled from the
    nearest node and not learned from, so that small regions can be used too. Rows stay off the poles.

    Attributes:
        series: where windows are drawn from.
        weights: how often each one is, relative to the others; empty: all alike.
        split: what is not learned from.
        size: coarse cells on a window's side that count.
        margin: coarse cells around them that are only seen.
        seed: of all draws.
        augmentation: how windows are changed.

    Raises:
        InputError: if the series do not fit together or leave nothing to learn from.
    """

    series: tuple[Series, ...]
    weights: tuple[float, ...] = ()
    split: Split = field(default_factory=Split)
    size: int = 32
    margin: int = 8
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        object.__setattr__(self, "series", tuple(self.series))
        object.__setattr__(self, "weights", tuple(self.weights) or (1.0,) * len(self.series))
        if not self.series:
            raise InputError("no series to learn from: give hourly files, a prepared set or the original's folders")
        if len(self.weights) != len(self.series) or min(self.weights) < 0:
            raise InputError(
                f"weights {self.weights} for {len(self.series)} series: wanted one for each, none negative"
            )
        if not sum(self.weights) > 0:
            raise InputError(f"nothing to learn from: in {len(self.series)} series every hour is held out, within "
                             f"{self.reach} h of those that are, or lacks the hours that it is learned with; or their weight "
                             "is 0; hold out less, or give more hours")  # fmt: skip
        if self.size < 1 or self.margin < 0:
            raise InputError(
                f"windows of {self.size} cells with a margin of {self.margin}: wanted 1 or more, and 0 or more"
            )
        self._refuse_unfit()

    @property
    @abstractmethod
    def reach(self) -> int:
        """Hours from a field to the furthest that is looked at with it."""

    @abstractmethod
    def learned(self, series: Series) -> Numbers:
        """The fields of a series that examples to learn from are of."""

    @property
    def cells(self) -> int:
        """Coarse cells on a window's side, margins included."""
        return self.size + 2 * self.margin

    def random(self, step_number: int, index: int) -> np.random.Generator:
        """The generator of the example at place ``index`` of the batch of a step of training."""
        return np.random.default_rng((self.seed, step_number, index))

    def place(self, random: np.random.Generator) -> int:
        """The place in :attr:`series` of one of them, drawn by weight."""
        return int(random.choice(len(self.series), p=np.array(self.weights) / sum(self.weights)))

    def window(self, series: Series, random: np.random.Generator) -> Grid:
        """The coarse grid of a window somewhere in a series."""
        grid, factor = series.grid, series.factor
        rows, columns, middle = self._rows(series), self._columns(series), (factor - 1) // 2
        if series.coarse is None:
            row, column = (int(random.integers(starts.start, starts.stop)) for starts in (rows, columns))
        else:
            first_row = round((grid.north - series.coarse.north) / grid.step) - middle
            first_column = round((series.coarse.west - grid.west) / grid.step) - middle
            row = _aligned(rows, first_row, factor, random)
            column = _aligned(columns, first_column, factor, random)
        north, west = grid.north - (row + middle) * grid.step, grid.west + (column + middle) * grid.step
        return Grid(north, west, grid.step * factor, self.cells, self.cells)

    def is_enough(self, unknown: Mask, learned: Mask, grid: Grid, series: Series) -> bool:
        """Whether enough of a window's inner cells can be learned from.

        Args:
            unknown: (rows, columns) of the window's coarse cells; those beside them do not count either.
            learned: (rows, columns) of those that are not held out.
            grid: the window.
            series: where it is.
        """
        inner = slice(self.margin, self.margin + self.size)
        count = (learned & ~beside_unknown(unknown, grid))[inner, inner].sum()
        possible = [max(1, min(self.size, side // series.factor - _FEWEST + 1)) for side in series.grid.shape]
        return bool(count >= _LEAST * possible[0] * possible[1])

    def too_little(self, series: Series) -> InputError:
        """What to raise when no window of a series was found to be enough."""
        return InputError(f"{series.name}: no window of {self.size} x {self.size} coarse cells with enough known values in "
                          f"{TRIES} draws; make windows smaller, hold out less, or leave the series out")  # fmt: skip

    @cached_property
    def numbers(self) -> list[Numbers]:
        """For each series, the fields that examples are of."""
        return [self.learned(series) for series in self.series]

    def _rows(self, series: Series) -> range:
        """The fine rows at which a window may begin: its cells lie between the poles."""
        grid, length = series.grid, self.cells * series.factor
        top = math.ceil((grid.north - 90) / grid.step + 0.5 - 1e-6)
        bottom = math.floor((grid.north + 90) / grid.step - 0.5 + 1e-6)
        starts = self._starts(grid.rows, series.factor)
        return range(max(starts[0], top), min(starts[-1], bottom + 1 - length) + 1)

    def _columns(self, series: Series) -> range:
        """The fine columns at which a window may begin."""
        return range(series.grid.columns) if series.grid.periodic else self._starts(series.grid.columns, series.factor)

    def _starts(self, nodes: int, factor: int) -> range:
        """Where a window may begin along a side of a series: with its inner cells inside, or with all nodes in them."""
        ends = (-self.margin * factor, nodes - (self.margin + self.size) * factor)
        return range(min(ends), max(ends) + 1)

    def _refuse_unfit(self) -> None:
        """Refuse series that no window can be drawn from."""
        factors = {series.factor for series in self.series}
        if len(factors) > 1:
            raise InputError(f"series with the factors {sorted(factors)}: wanted one for all; train on them one by one")
        for series, numbers, weight in zip(self.series, self.numbers, self.weights, strict=True):
            if weight:
                self._refuse_useless(series, numbers)

    def _refuse_useless(self, series: Series, numbers: Numbers) -> None:
        """Refuse a series without hours to learn from, or on a grid on which no window fits."""
        if not numbers.size:
            raise InputError(f"{series.name}: none of its {len(series)} fields may be learned from; "
                             "hold out less, or give it no weight")  # fmt: skip
        if min(series.grid.shape) < _FEWEST * series.factor:
            raise InputError(f"{series.name}: a grid of {series.grid}; wanted {_FEWEST * series.factor} nodes on a side "
                             "at least")  # fmt: skip
        if self.cells * series.factor * series.grid.step >= 360 or not self._rows(series):
            raise InputError(f"{series.name}: windows of {self.cells} coarse cells do not fit between the poles on a "
                             f"grid of {series.grid}; make size or margin smaller")  # fmt: skip


def _aligned(starts: range, first: int, factor: int, random: np.random.Generator) -> int:
    """One of the starts at which a cell of the given fields begins, as cells do at the node ``first``."""
    start = starts.start + (first - starts.start) % factor
    whole = range(start, max(starts.stop, start + 1), factor)
    return whole[int(random.integers(len(whole)))]
