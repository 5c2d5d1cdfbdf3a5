"""Collecting what the scores of one contender at one task need, map by map: nothing but sums and extremes is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcams.evaluation import metrics
from deepcams.evaluation.daily import DailySums
from deepcams.evaluation.metrics import Floats, Mask, Matched
from deepcams.grid import Grid, Region
from deepcams.regions import REGIONS

CLASS_EDGES = (5.0, 15.0, 35.0, 75.0)
"""ug m-3, by which the coarse concentration is classed: WHO's guideline of 2021 and its interim targets, thinned."""
CLASS_NAMES = ("0-5", "5-15", "15-35", "35-75", "75-")
BLOCK = 15.0  # degrees on a side, and a day: what the bootstrap draws
ENOUGH = 0.5  # share of a region's area that must be scored to name it

_BLOCK_ROWS, _BLOCK_COLUMNS = round(180 / BLOCK), round(360 / BLOCK)
_BLOCKS, _CLASSES, _TERMS = _BLOCK_ROWS * _BLOCK_COLUMNS, len(CLASS_NAMES), len(metrics.TERMS)
_DAILY_TERMS = 1 + metrics.TERMS.index("squared")  # the first ones, which RMSE and MAE are told from


class Part(NamedTuple):
    """A part of the cells that is scored for itself.

    Attributes:
        kind: ``all``, ``region`` or ``class``.
        group: name of the region or class; ``all`` for all.
    """

    kind: str
    group: str


EVERYTHING = Part("all", "all")


@dataclass(frozen=True)
class Pieces:
    """The Earth cut along the edges of all blocks and named regions: each piece is in one block, and whole in a region.

    Attributes:
        labels: (rows, columns) number of the piece that a cell's node is in.
        blocks: (pieces,) number of the block that each is in.
        regions: (pieces, regions) whether it is in the region, in the order of ``REGIONS``.
    """

    labels: NDArray[np.intp]
    blocks: NDArray[np.intp]
    regions: Mask


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
    def pieces(self) -> Pieces:
        """The pieces that have cells of this grid."""
        code = self.blocks.astype(np.int64)
        for number, region in enumerate(REGIONS.values()):
            code += self.within(region).astype(np.int64) * _BLOCKS << number
        codes, labels = np.unique(code, return_inverse=True)
        regions = (codes[:, None] // _BLOCKS >> np.arange(len(REGIONS))) % 2 == 1
        return Pieces(labels.reshape(self.grid.shape), (codes % _BLOCKS).astype(np.intp), regions)

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
        plain: (10,) sums over cells of equal weight.
        tails: (4, bins) as :func:`deepcams.evaluation.metrics.tail_table`.
        similarity: (2,) as :func:`deepcams.evaluation.metrics.ssim_sums`.
        power: (2, wavenumbers) as :func:`deepcams.evaluation.metrics.zonal_power`.
        maps: how many maps were scored.
        minimum: the smallest prediction.
        peak: the largest truth.
        conservation: the largest relative error of a coarse cell's mean; NaN where the task has none.
        total: (pieces, classes, 10) sums weighted by area.
        daily: the first 4 of these sums by day, with a row for every piece and class.
    """

    places: Places
    plain: Floats = field(default_factory=lambda: np.zeros(_TERMS))
    tails: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    similarity: Floats = field(default_factory=lambda: np.zeros(2))
    power: Floats = field(default_factory=lambda: np.zeros((2, 1)))
    maps: int = 0
    minimum: float = float("nan")
    peak: float = float("nan")
    conservation: float = float("nan")
    total: Floats = field(init=False)
    daily: DailySums = field(init=False)

    def __post_init__(self) -> None:
        pieces = self.places.pieces.blocks.size
        self.total = np.zeros((pieces, _CLASSES, _TERMS))
        self.daily = DailySums((pieces * _CLASSES, _DAILY_TERMS))

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
        labels = self.places.pieces.labels[chosen] * _CLASSES + classes
        sums = metrics.group_sums(term, cells.weights, labels, self.total[..., 0].size)
        self.total += sums.reshape(self.total.shape)
        self.daily.add(date, sums[:, :_DAILY_TERMS])
        self.plain += term.sum(axis=0)

    def block_sums(self, part: Part = EVERYTHING, dates: Iterable[np.datetime64] | None = None) -> Floats:
        """(days x blocks, 4) sums of the first terms over a part of the cells, by block, in the order of days.

        Args:
            part: which cells.
            dates: the days; None for all that were scored.
        """
        pieces, counted = self.places.pieces, np.ones(self.total.shape[:2], bool)
        if part.kind == "region":
            counted &= pieces.regions[:, list(REGIONS).index(part.group)][:, None]
        elif part.kind == "class":
            counted &= np.arange(_CLASSES) == CLASS_NAMES.index(part.group)
        labels = np.where(counted, pieces.blocks[:, None], -1).ravel()
        return self.daily.gathered(labels, _BLOCKS, self.daily.dates if dates is None else dates)

    def parts(self) -> dict[Part, dict[str, float]]:
        """The scores of all cells, then those from sums of every region and class that can be told."""
        regions = {Part("region", name): scores for name, scores in self.region_scores().items()}
        classes = {Part("class", name): scores for name, scores in self.class_scores().items()}
        return {EVERYTHING: self.scores()} | regions | classes

    def scores(self) -> dict[str, float]:
        """All scores over all cells, by name; NaN for those that the data cannot tell."""
        found = _pointwise(self.total.sum(axis=(0, 1)))
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
        named = zip(CLASS_NAMES, self.total.sum(axis=0), strict=True)
        return {name: _pointwise(total) for name, total in named if total[0] > 0}

    def region_scores(self) -> dict[str, dict[str, float]]:
        """The scores from sums, for every named region of which half the area or more was scored."""
        pieces, sums, found = self.places.pieces, self.total.sum(axis=1), {}
        for (name, region), inside in zip(REGIONS.items(), pieces.regions.T, strict=True):
            edges = np.sin(np.deg2rad([region.north, region.south]))
            area = np.deg2rad(region.width) * (edges[0] - edges[1]) * self.maps
            total = sums[inside].sum(axis=0)
            if inside.any() and total[0] >= ENOUGH * area:
                found[name] = _pointwise(total)
        return found


def _pointwise(total: Floats) -> dict[str, float]:
    return {name: float(score(total)) for name, score in metrics.POINTWISE.items()}
