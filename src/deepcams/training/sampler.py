"""Windows drawn at random from series of fine fields, changed in ways that keep them true.

A draw depends on the seed, the step of training and the place in the batch, and on nothing else: a run that was
interrupted goes on with the same windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.sphere import as_channels, to_blocks
from deepcams.training.dataset import Example, beside_unknown, make_example
from deepcams.training.series import Numbers, Series, Split, means

_TRIES = 300
_FEWEST = 4  # coarse cells on a side of a series: those at its edge are not learned from
_LEAST = 0.5  # of the inner cells can be learned from, or the window is drawn anew


@dataclass(frozen=True)
class Change:
    """One way to change fine fields, the same for a field and its neighbours.

    Attributes:
        flip: whether west becomes east.
        gain: what all values are multiplied with.
        blur: standard deviation of a Gaussian blur in fine cells; 0 for none.
        turn: whether north becomes south.
    """

    flip: bool = False
    gain: float = 1.0
    blur: float = 0.0
    turn: bool = False

    def mirrored(self, field: NDArray[Any]) -> NDArray[Any]:
        """The field (rows, columns), or mask, flipped and turned."""
        return field[:: -1 if self.turn else 1, :: -1 if self.flip else 1]

    def place(self, grid: Grid) -> Grid:
        """The grid on which the changed field lies: a turned one is as far from the equator on its other side."""
        return Grid(-grid.south, grid.west, grid.step, grid.rows, grid.columns) if self.turn else grid

    def apply(self, fields: Field) -> Field:
        """The changed field (rows, columns), float32; unknown nodes stay unknown and are not blurred into others."""
        return np.asarray(_blurred(self.mirrored(fields), self.blur) * np.float32(self.gain), np.float32)


@dataclass(frozen=True)
class Augmentation:
    """How much windows are changed.

    Attributes:
        flip: whether every second one is mirrored in longitude.
        turn: whether every second one is mirrored in latitude.
        gain: concentrations are multiplied with a number from 1/gain to gain, even in its logarithm.
        blur: largest standard deviation in fine cells of a Gaussian blur of the fine field, even from 0; 0 for none.
            Series whose coarse fields are given are not blurred.
        alone: probability that an example is any field, without neighbours; otherwise it is one that has some, if any
            have.
        one_sided: probability, where there are two neighbours and not none, that one is left out.

    Raises:
        InputError: for a number outside its range.
    """

    flip: bool = True
    gain: float = 3.0
    blur: float = 0.0
    alone: float = 0.15
    one_sided: float = 0.5
    turn: bool = True

    def __post_init__(self) -> None:
        if not (self.gain >= 1 and self.blur >= 0 and 0 <= self.alone <= 1 and 0 <= self.one_sided <= 1):
            raise InputError(f"augmentation with gain {self.gain:g}, blur {self.blur:g}, alone {self.alone:g}, one_sided "
                             f"{self.one_sided:g}: wanted gain >= 1, blur >= 0, and probabilities from 0 to 1")  # fmt: skip

    def draw(self, random: np.random.Generator) -> Change:
        """One change, drawn."""
        flip, turn, blur, exponent = *random.random(3), random.uniform(-1, 1)
        return Change(self.flip and bool(flip < 0.5), float(self.gain**exponent), float(self.blur * blur),
                      self.turn and bool(turn < 0.5))  # fmt: skip

    def choose(
        self, neighbours: tuple[tuple[int, float], ...], random: np.random.Generator
    ) -> tuple[tuple[int, float], ...]:
        """Those of the neighbours that are shown."""
        one_sided, side = random.random(2)
        if len(neighbours) == 2 and one_sided < self.one_sided:
            return (neighbours[int(side < 0.5)],)
        return neighbours


@dataclass(frozen=True)
class _Drawn:
    """A window of a series: its fields, and the neighbours that are shown."""

    series: Series
    number: int
    grid: Grid
    fine: Field
    given: Field | None
    shown: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Sampler:
    """Draws windows of one size from several series.

    A window lies at any fine node (at whole cells where coarse fields are given), so that the ways to place coarse
    cells on the fine nodes come by themselves. Beyond the edge of a series nothing is known: it is filled from the
    nearest node and not learned from, so that small regions can be used too. Rows stay off the poles.

    Attributes:
        series: where windows are drawn from.
        weights: how often each one is, relative to the others; empty: all alike.
        split: what is not learned from.
        size: coarse cells on a window's side that count.
        margin: coarse cells around them that are only seen.
        step: hours between a field and its neighbours.
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
    step: int = 3
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
            raise InputError(f"nothing to learn from: in {len(self.series)} series every hour is held out or within "
                             f"{self.step} h of those that are, or their weight is 0; hold out less, or give more "
                             "hours")  # fmt: skip
        if self.size < 1 or self.margin < 0:
            raise InputError(
                f"windows of {self.size} cells with a margin of {self.margin}: wanted 1 or more, and 0 or more"
            )
        self._refuse_unfit()

    @property
    def cells(self) -> int:
        """Coarse cells on a window's side, margins included."""
        return self.size + 2 * self.margin

    def draw(self, step_number: int, index: int) -> Example:
        """The example at place ``index`` of the batch of a step of training.

        Raises:
            InputError: if no window with enough known cells is found.
        """
        random = np.random.default_rng((self.seed, step_number, index))
        place = int(random.choice(len(self.series), p=np.array(self.weights) / sum(self.weights)))
        series, numbers = self.series[place], self._numbers[place]
        accompanied = self._accompanied[place]
        alone = random.random() < self.augmentation.alone or not accompanied.size
        for _ in range(_TRIES):
            number = int(random.choice(numbers if alone else accompanied))
            shown = () if alone else self.augmentation.choose(series.neighbours(number, self.step), random)
            grid = self._window(series, random)
            fine, given = series.fine_on(grid, number), series.given_on(grid, number)
            if self._is_enough(fine, given, series, grid):
                return self._example(_Drawn(series, number, grid, fine, given, shown), random)
        raise InputError(f"{series.name}: no window of {self.size} x {self.size} coarse cells with enough known values in "
                         f"{_TRIES} draws; make windows smaller, hold out less, or leave the series out")  # fmt: skip

    def _example(self, drawn: _Drawn, random: np.random.Generator) -> Example:
        """The example of a window, changed as drawn."""
        series, grid = drawn.series, drawn.grid
        change = self.augmentation.draw(random)
        change = change if drawn.given is None else replace(change, blur=0.0)
        place = change.place(grid)

        def coarse_of(fine: Field, given: Field | None) -> Field:
            return means(change.apply(fine), place, series.factor) if given is None else change.apply(given)

        beside = [
            (coarse_of(series.fine_on(grid, one), series.given_on(grid, one)), hours) for one, hours in drawn.shown
        ]
        counted = change.mirrored(self.split.learned(grid.refine(series.factor)))
        coarse = coarse_of(drawn.fine, drawn.given)
        return make_example(change.apply(drawn.fine), coarse, place, counted, beside, self.margin)

    def _window(self, series: Series, random: np.random.Generator) -> Grid:
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

    def _is_enough(self, fine: Field, given: Field | None, series: Series, grid: Grid) -> bool:
        """Whether enough of the inner cells can be learned from."""
        unknown = np.isnan(as_channels(to_blocks(fine, grid, series.factor))).any(axis=0)
        unknown |= np.zeros_like(unknown) if given is None else np.isnan(given)
        may_be_learned = self.split.learned(grid.refine(series.factor))
        learned = as_channels(to_blocks(may_be_learned, grid, series.factor)).any(axis=0)
        inner = slice(self.margin, self.margin + self.size)
        count = (learned & ~beside_unknown(unknown, grid))[inner, inner].sum()
        possible = [max(1, min(self.size, side // series.factor - _FEWEST + 1)) for side in series.grid.shape]
        return bool(count >= _LEAST * possible[0] * possible[1])

    @cached_property
    def _numbers(self) -> list[Numbers]:
        """For each series, the fields that are learned from."""
        return [self.split.training_numbers(series, self.step) for series in self.series]

    @cached_property
    def _accompanied(self) -> list[Numbers]:
        """Those of :attr:`_numbers` that have a neighbour."""
        return [one.accompanied(numbers, self.step) for one, numbers in zip(self.series, self._numbers, strict=True)]

    def _refuse_unfit(self) -> None:
        """Refuse series that no window can be drawn from."""
        factors = {series.factor for series in self.series}
        if len(factors) > 1:
            raise InputError(f"series with the factors {sorted(factors)}: wanted one for all; train on them one by one")
        for series, numbers, weight in zip(self.series, self._numbers, self.weights, strict=True):
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


def _blurred(values: Field, deviation: float) -> Field:
    """The field blurred from known nodes alone."""
    if not deviation:
        return values

    def blur(one: Field) -> Field:
        return np.asarray(ndimage.gaussian_filter(one, deviation, mode="nearest"))

    unknown = np.isnan(values)
    if not unknown.any():
        return blur(values)
    known = blur((~unknown).astype(np.float32))
    spread = blur(np.where(unknown, 0, values).astype(np.float32))
    return np.where(unknown, np.nan, spread / np.maximum(known, np.float32(1e-6))).astype(np.float32)
