"""Scenes drawn at random: windows of fine fields, changed in ways that keep them true, with their neighbours in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.sphere import as_channels, to_blocks
from deepcams.training.changes import Augmentation, Change
from deepcams.training.dataset import Example, make_example
from deepcams.training.series import Mask, Numbers, Series, means
from deepcams.training.windows import TRIES, Windows

__all__ = ["Augmentation", "Change", "Sampler"]


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
class Sampler(Windows):
    """Draws scenes of one size from several series, as :class:`Windows` says.

    Attributes:
        step: hours between a field and its neighbours.
    """

    step: int = 3

    @property
    def reach(self) -> int:
        """Hours from a field to its neighbours."""
        return self.step

    def learned(self, series: Series) -> Numbers:
        """The fields to learn from."""
        return self.split.training_numbers(series, self.step)

    def draw(self, step_number: int, index: int) -> Example:
        """The example at place ``index`` of the batch of a step of training.

        Raises:
            InputError: if no window with enough known cells is found.
        """
        random = self.random(step_number, index)
        place = self.place(random)
        series, numbers, accompanied = self.series[place], self.numbers[place], self._accompanied[place]
        alone = random.random() < self.augmentation.alone or not accompanied.size
        for _ in range(TRIES):
            number = int(random.choice(numbers if alone else accompanied))
            shown = () if alone else self.augmentation.choose(series.neighbours(number, self.step), random)
            grid = self.window(series, random)
            drawn = _Drawn(series, number, grid, series.fine_on(grid, number), series.given_on(grid, number), shown)
            if self.is_enough(_unknown(drawn), self._may_be_learned(drawn), grid, series):
                return self._example(drawn, random)
        raise self.too_little(series)

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

    def _may_be_learned(self, drawn: _Drawn) -> Mask:
        """(rows, columns) the cells of a window of which some part may be learned from."""
        factor = drawn.series.factor
        fine = self.split.learned(drawn.grid.refine(factor))
        learned: Mask = as_channels(to_blocks(fine, drawn.grid, factor)).any(axis=0)
        return learned

    @cached_property
    def _accompanied(self) -> list[Numbers]:
        """Those of :attr:`numbers` that have a neighbour."""
        return [one.accompanied(numbers, self.step) for one, numbers in zip(self.series, self.numbers, strict=True)]


def _unknown(drawn: _Drawn) -> Mask:
    """(rows, columns) the cells of a window of which some part is unknown, or the given value is."""
    unknown: Mask = np.isnan(as_channels(to_blocks(drawn.fine, drawn.grid, drawn.series.factor))).any(axis=0)
    return unknown if drawn.given is None else unknown | np.isnan(drawn.given)
