"""What a validation finds: scores of every product, of parts of the pairs, of stations, and differences of products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALL = "all"
THRESHOLDS = (15.0, 35.0, 75.0)
"""Daily means in ug m-3 whose exceedances are counted (WHO 2021's 24-hour guideline and its interim targets 4 and 1)."""


@dataclass(frozen=True)
class Line:
    """The scores of one product in one part of the pairs.

    Attributes:
        product: its name.
        kind: ``all``, ``year``, ``season``, ``hour`` (local solar), ``country``, ``region``, ``class`` (of the
            observation, ug m-3), or ``daily`` (daily means, of at least 75 % of the day's hours).
        group: which year, season, ...; ``all`` of ``all`` and ``daily``.
        n: pairs.
        stations: that have any of them.
        scores: by name; NaN where there are too few pairs for it.
    """

    product: str
    kind: str
    group: str
    n: int
    stations: int
    scores: dict[str, float]


@dataclass(frozen=True)
class Exceedances:
    """How often daily means exceed a threshold, observed and predicted.

    Attributes:
        product: its name.
        threshold: ug m-3.
        hits: both exceed it.
        misses: the observation alone does.
        false_alarms: the product alone does.
        correct_negatives: neither does.
    """

    product: str
    threshold: float
    hits: int
    misses: int
    false_alarms: int
    correct_negatives: int


@dataclass(frozen=True)
class Paired:
    """How a score of one product differs from another's on the same pairs.

    Attributes:
        product: its name.
        reference: whom it is compared with.
        score: its name.
        difference: the product's less the reference's (of the absolute values for biases).
        low: lower end of the 95 % interval; NaN where there are too few blocks.
        high: upper end.
        verdict: in words: ``better``, ``worse``, ``no difference shown`` or ``not known``.
    """

    product: str
    reference: str
    score: str
    difference: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True, eq=False)
class Assessment:
    """All that is found of some pairs.

    Attributes:
        lines: scores of every product in every part, products in the order of the pairs.
        intervals: product -> score -> ends of the 95 % interval of the score over all pairs; NaN where unknown.
        stations: product -> score -> (stations,) in the order of the pairs' stations; NaN where there are too few
            pairs. ``n`` is among them, and the means ``observed`` and ``predicted``.
        quartiles: product -> score -> 25th, 50th and 75th percentile over stations.
        exceedances: of daily means.
        paired: differences of every product but the reference from it.
        days: how many daily means there are.
        notes: what a reader should be told (few weeks, few stations).
        kept: ``stations`` or ``weeks`` if these are too few for intervals and verdicts to say anything of others.
    """

    lines: tuple[Line, ...]
    intervals: dict[str, dict[str, tuple[float, float]]]
    stations: dict[str, dict[str, NDArray[np.float64]]]
    quartiles: dict[str, dict[str, tuple[float, float, float]]]
    exceedances: tuple[Exceedances, ...]
    paired: tuple[Paired, ...]
    days: int
    notes: tuple[str, ...]
    kept: str = ""

    def pooled(self, product: str, kind: str = ALL) -> Line | None:
        """The scores of a product over all pairs, or all daily means; None if there are none."""
        return next((one for one in self.lines if (one.product, one.kind) == (product, kind)), None)
