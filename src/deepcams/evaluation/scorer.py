"""Collecting what the scores of one contender at one task need, map by map: nothing but sums and extremes is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepcams.evaluation import metrics
from deepcams.evaluation.metrics import Floats, Mask, Matched
from deepcams.grid import Grid, Region
from deepcams.regions import REGIONS

CLASS_EDGES = (5.0, 15.0, 35.0, 75.0)
"""ug m-3, by which the coarse concentration is classed: WHO's guideline of 2021 and its interim targets, thinned."""
CLASS_NAMES = ("0-5", "5-15", "15-35", "35-75", "75-")
BLOCK = 15.0  # degrees on a side, and a day: what the bootstrap draws
ENOUGH = 0.5  # share of a region's area that must be scored to name it

_BLOCK_ROWS, _BLOCK_COLUMNS = round(180 / BLOCK), round(360 / BLOCK)
_TERMS = len(metrics.TERMS)


@dataclass(frozen=True)
class Places:
    """Where the cells of a grid are, as scoring needs it."""

    grid: Grid

    @cached_property
    def areas(self) -> Floats:
        """(rows, columns) cell areas in steradians."""
        return np.repeat(self.grid.areas[:, None], self.grid.columns, axis=1)

    @cached_property
    def blocks(self) -> NDArray[np.intp]:
        """(rows, columns) number of the block of 15 x 15 degrees that a cell's node is in."""
        rows = np.clip((90 - self.grid.latitude) // BLOCK, 0, _BLOCK_ROWS - 1)
        columns = self.grid.longitude % 360 // BLOCK
        return (rows[:, None] * _BLOCK_COLUMNS + columns).astype(np.intp)

    @cached_property
    def regions(self) -> dict[str, Mask]:
        """(rows, columns) the cells of every named region."""
        return {name: self.within(region) for name, region in REGIONS.items()}

    def within(self, region: Region | None) -> Mask:
        """(rows, columns) where the nodes lie in a region; everywhere for None."""
        if region is None:
            return np.ones(self.grid.shape, bool)
        inside = np.zeros(self.grid.shape, bool)
        rows, columns = self.grid.row_window(region), self.grid.column_window(region)
        inside[np.ix_(np.asarray(rows, int), np.asarray(columns, int) % self.grid.columns)] = True
        return inside


@dataclass
class Scorer:
    """The sums of one contender at one task.

    Attributes:
        places: of the grid that is scored on.
        by_block: date -> (blocks, 10) sums weighted by area.
        by_class: (classes, 10).
        by_region: (regions, 10).
        plain: (10,) sums over cells of equal weight.
        tails: (4, bins) as :func:`deepcams.evaluation.metrics.tail_table`.
        similarity: (2,) as :func:`deepcams.evaluation.metrics.ssim_sums`.
        power: (2, wavenumbers) as :func:`deepcams.evaluation.metrics.zonal_power`.
        maps: how many maps were scored.
        minimum: the smallest prediction.
        peak: the largest truth.
        conservation: the largest relative error of a coarse cell's mean; NaN where the task has none.
    """

    places: Places
    by_block: dict[np.datetime64, Floats] = field(default_factory=dict)
    by_class: Floats = field(default_factory=lambda: np.zeros((len(CLASS_NAMES), _TERMS)))
    by_region: Floats = field(default_factory=lambda: np.zeros((len(REGIONS), _TERMS)))
    plain: Floats = field(default_factory=lambda: np.zeros(_TERMS))
    tails: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    similarity: Floats = field(default_factory=lambda: np.zeros(2))
    power: Floats = field(default_factory=lambda: np.zeros((2, 1)))
    maps: int = 0
    minimum: float = float("nan")
    peak: float = float("nan")
    conservation: float = float("nan")

    def add(
        self, date: np.datetime64, prediction: Floats, target: Floats, classes: NDArray[np.intp], scored: Mask
    ) -> None:
        """Count one map.

        Args:
            date: the day that its blocks belong to.
            prediction: (rows, columns).
            target: (rows, columns) the truth.
            classes: (rows, columns) number of each cell's concentration class.
            scored: (rows, columns) the cells that count.
        """
        grid = self.places.grid
        cells, chosen = metrics.matched(prediction, target, self.places.areas, scored)
        if cells.weights.size == 0:
            return
        self._add_sums(date, cells, chosen, classes[chosen])
        self.tails = self.tails + metrics.tail_table(cells)
        self.similarity += metrics.ssim_sums(prediction, target, self.places.areas, chosen, periodic=grid.periodic)
        if grid.periodic:
            known, truth = (np.where(chosen, one, np.nan) for one in (prediction, target))
            self.power = self.power + metrics.zonal_power(known, truth, grid.areas)
        self.maps += 1
        self.minimum = float(np.fmin(self.minimum, cells.prediction.min()))
        self.peak = float(np.fmax(self.peak, cells.target.max()))

    def _add_sums(self, date: np.datetime64, cells: Matched, chosen: Mask, classes: NDArray[np.intp]) -> None:
        term = metrics.terms(cells)
        blocks = metrics.group_sums(term, cells.weights, self.places.blocks[chosen], _BLOCK_ROWS * _BLOCK_COLUMNS)
        self.by_block[date] = self.by_block.get(date, 0.0) + blocks
        self.by_class += metrics.group_sums(term, cells.weights, classes, len(CLASS_NAMES))
        self.plain += term.sum(axis=0)
        for number, region in enumerate(self.places.regions.values()):
            inside = region[chosen]
            self.by_region[number] += cells.weights[inside] @ term[inside]

    @property
    def blocks(self) -> Floats:
        """(days x blocks, 10) sums of every block, in the order of days."""
        return np.concatenate([self.by_block[date] for date in sorted(self.by_block)])

    def scores(self) -> dict[str, float]:
        """All scores over all cells, by name; NaN for those that the data cannot tell."""
        total = self.blocks.sum(axis=0)
        found = _pointwise(total)
        return found | {
            "psnr": metrics.psnr(found["rmse"], self.peak),
            "peak": self.peak,
            "ssim": float(self.similarity[0] / self.similarity[1]) if self.similarity[1] else float("nan"),
            "p99_error": metrics.percentile_error(self.tails),
            "top1_bias": metrics.top_bias(self.tails),
            **{f"power_{first}_{last}": metrics.band_ratio(self.power, first, last) for first, last in metrics.BANDS},
            "conservation": self.conservation,
            "minimum": self.minimum,
            **{f"plain_{name}": value for name, value in _pointwise(self.plain).items()},
        }

    def class_scores(self) -> dict[str, dict[str, float]]:
        """The scores from sums, for every class that has any cell."""
        named = zip(CLASS_NAMES, self.by_class, strict=True)
        return {name: _pointwise(total) for name, total in named if total[0] > 0}

    def region_scores(self) -> dict[str, dict[str, float]]:
        """The scores from sums, for every named region of which half the area or more was scored."""
        found = {}
        for (name, inside), total in zip(self.places.regions.items(), self.by_region, strict=True):
            region = REGIONS[name]
            edges = np.sin(np.deg2rad([region.north, region.south]))
            area = np.deg2rad(region.width) * (edges[0] - edges[1]) * self.maps
            if inside.any() and total[0] >= ENOUGH * area:
                found[name] = _pointwise(total)
        return found


def _pointwise(total: Floats) -> dict[str, float]:
    return {name: float(score(total)) for name, score in metrics.POINTWISE.items()}
