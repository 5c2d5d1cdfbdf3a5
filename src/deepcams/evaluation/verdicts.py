"""What may be claimed: every contender against the reference, over all cells, by region and by concentration class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcams.evaluation.bootstrap import Difference, differences
from deepcams.evaluation.metrics import POINTWISE
from deepcams.evaluation.scorer import Part, Scorer

JUDGED = {name: POINTWISE[name] for name in ("rmse", "mae")}
"""The scores with a verdict."""


@dataclass(frozen=True)
class Verdict:
    """How one contender stands to the reference at one task, in one part of the cells, by one score.

    Attributes:
        contender: its name.
        task: one of ``deepcams.evaluation.gridded.TASKS``.
        kind: ``all``, ``region`` or ``class``: what part of the cells.
        group: name of the region or class; ``all`` for all.
        score: its name.
        difference: with its interval.
        text: the verdict in words.
    """

    contender: str
    task: str
    kind: str
    group: str
    score: str
    difference: Difference
    text: str


def verdicts_of(judged: Mapping[str, Mapping[str, Scorer]], reference: str, *, repeats: int) -> list[Verdict]:
    """The verdicts on all contenders.

    Args:
        judged: contender -> task -> what was collected; the reference among them.
        reference: whom the others are compared with.
        repeats: draws of the bootstrap.
    """
    others = [name for name in judged if name != reference]
    return [
        verdict
        for task, known in (judged[reference].items() if others else ())
        for part in known.parts()
        for verdict in _of_part(judged, reference, others, task, part, repeats)
    ]


def _of_part(
    judged: Mapping[str, Mapping[str, Scorer]],
    reference: str,
    others: Sequence[str],
    task: str,
    part: Part,
    repeats: int,
) -> list[Verdict]:
    """The verdicts on one part of the cells."""
    known = judged[reference][task]
    dates = known.daily.dates  # the same for all, so that blocks match
    blocks = np.stack([judged[name][task].block_sums(part, dates) for name in others])
    found = differences(blocks, known.block_sums(part, dates), JUDGED, repeats=repeats)
    return [
        Verdict(name, task, *part, score, one, one.verdict(reference))
        for score in JUDGED
        for name, one in zip(others, found[score], strict=True)
    ]
