"""Evaluation against hourly fine fields: every contender gets area means every few hours, and is judged by the rest.

Three tasks: *space*, the hours that were given, at the fine grid; *time*, the hours between after the area mean, against
the area mean of the truth; *both*, the hours between at the fine grid. All contenders run through the pipeline that
makes real results, and are scored at the same cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.checks import Tally
from deepcams.errors import InputError
from deepcams.evaluation import REFERENCE, contenders, notes_on
from deepcams.evaluation.bootstrap import SEED
from deepcams.evaluation.metrics import Mask, conservation_error
from deepcams.evaluation.products import Product
from deepcams.evaluation.scorer import BLOCK, CLASS_EDGES, Places, Scorer
from deepcams.evaluation.truth import FACTOR, STEP, Truth
from deepcams.evaluation.verdicts import Verdict, verdicts_of
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Field
from deepcams.layers.device import CPU
from deepcams.methods import Recipe
from deepcams.pipeline import Hour, Job, hours
from deepcams.provenance import provenance
from deepcams.sphere import from_blocks, to_blocks
from deepcams.timeline import TimeKind

TASKS = ("space", "time", "both")
MARGIN = 12.0  # degrees
REPEATS = 1000

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Exam:
    """What is asked of the contenders.

    Attributes:
        names: the contenders; none for all.
        against: the contender that the others are compared with.
        region: where cells are scored; None for everywhere.
        margin: degrees from the node of a cell with missing truth, fine or coarse, within which nothing is scored.
        step: hours between the fields that are given.
        repeats: draws of the bootstrap.
        workers: threads; None for one per processor. Results do not depend on it.
        weights: for the networks among the contenders, instead of those they come with.
        device: where those networks compute: ``cpu``, ``cuda`` or ``auto``.
        products: maps that are there already, scored beside the contenders.
    """

    names: tuple[str, ...] = ()
    against: str = REFERENCE
    region: Region | None = None
    margin: float = MARGIN
    step: int = STEP
    repeats: int = REPEATS
    workers: int | None = None
    weights: tuple[Path, ...] = ()
    device: str = CPU
    products: tuple[Product, ...] = ()

    @cached_property
    def recipes(self) -> list[Recipe]:
        """The contenders, the one to compare with among them."""
        return contenders(self.names, against=self.against, weights=self.weights, device=self.device)

    @property
    def settings(self) -> dict[str, Any]:
        """What the scores depend on besides the data, JSON-ready."""
        region = self.region and list(self.region.bounds)
        return {
            "contenders": {recipe.name: recipe.settings for recipe in self.recipes},
            "products": {product.name: list(product.results.files) for product in self.products},
            "against": self.against,
            "region": region,
            "margin_degrees": self.margin,
            "step_hours": self.step,
            "class_edges": list(CLASS_EDGES),
            "bootstrap": {"repeats": self.repeats, "seed": SEED, "block_degrees": BLOCK, "block_hours": 24},
        }


@dataclass(frozen=True)
class Row:
    """The scores of one contender at one task.

    Attributes:
        contender: its name.
        task: one of :data:`TASKS`.
        kind: ``all``, ``region`` or ``class``: what part of the cells.
        group: name of the region or class; ``all`` for all.
        scores: by name; relative ones as fractions, NaN where unknown.
    """

    contender: str
    task: str
    kind: str
    group: str
    scores: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The result of an exam.

    Attributes:
        rows: all scores.
        verdicts: against the reference.
        reference: its name.
        notes: what a reader should know about the data.
        provenance: versions, settings, inputs.
    """

    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    reference: str
    notes: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)


def away_from(missing: Mask, grid: Grid, degrees: float) -> Mask:
    """(rows, columns) the nodes that have no missing one nearer than ``degrees``, in latitude and in longitude."""
    reach = max(0, int(np.ceil(degrees / grid.step)) - 1)
    sizes = [2 * min(reach, length - 1) + 1 for length in grid.shape]
    mode = ("constant", "wrap" if grid.periodic else "constant")
    away: Mask = ndimage.maximum_filter(missing.astype(np.uint8), sizes, mode=mode) == 0
    return away


def scored_cells(truth: Truth, exam: Exam, fine: Places, time: np.datetime64) -> Mask:
    """(rows, columns) the cells of the fine grid that count at an hour: in the region, and away from missing truth."""
    return fine.within(exam.region) & away_from(truth.missing(time), fine.grid, exam.margin)


class _Judge:
    """Scores the maps of one contender."""

    def __init__(self, truth: Truth, exam: Exam, fine: Places, coarse: Places) -> None:
        self._truth, self._exam = truth, exam
        self.scorers = {"space": Scorer(fine), "time": Scorer(coarse), "both": Scorer(fine)}

    def add(self, hour: Hour, target: Field) -> None:
        """Count one map (rows, columns) of the contender."""
        scored = scored_cells(self._truth, self._exam, self.scorers["both"].places, hour.time)
        predicted, true = self._truth.mean(hour.values), self._truth.mean(target)
        classes = np.digitize(true, CLASS_EDGES)
        date, own = hour.time.astype("datetime64[D]"), self._spread(classes)
        if hour.kind is TimeKind.ANALYSIS:
            space = self.scorers["space"]
            space.add(date, hour.values, target, own, scored)
            error = conservation_error(predicted, self._truth.given(hour.time))
            space.conservation = float(np.fmax(space.conservation, error))
        else:
            middle = (FACTOR - 1) // 2
            centres = to_blocks(scored, self._truth.coarse, FACTOR)[:, middle, :, middle]
            self.scorers["time"].add(date, predicted, true, classes, centres)
            self.scorers["both"].add(date, hour.values, target, own, scored)

    def _spread(self, classes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Every coarse cell's number on its fine cells."""
        rows, columns = classes.shape
        blocks = np.broadcast_to(classes[:, None, :, None], (rows, FACTOR, columns, FACTOR))
        fine: NDArray[np.intp] = from_blocks(blocks, self._truth.coarse)
        return fine


def count_maps(truth: Truth, exam: Exam) -> int:
    """How many maps an exam will make."""
    stored = len(exam.products) * truth.hourly.fields.times.size
    return stored + sum(Job(truth.analyses, recipe, FACTOR).timeline.times.size for recipe in exam.recipes)


def evaluate(truth: Truth, exam: Exam, *, progress: Progress = lambda count: None) -> Evaluation:
    """Hold an exam; memory does not grow with the length of the series, but for the sums of each day's blocks.

    Args:
        truth: the data.
        exam: what is asked.
        progress: called with the number of maps scored since the last call.

    Raises:
        InputError: if a contender does not exist, the data cannot be read, or no cell is left to score.
    """
    fine, coarse = Places(truth.coarse.refine(FACTOR)), Places(truth.coarse)
    judged = {}
    made = {one.name: hours(Job(truth.analyses, one, FACTOR), Tally(), workers=exam.workers) for one in exam.recipes}
    for name, maps in (made | {one.name: one.hours(truth) for one in exam.products}).items():
        judge = _Judge(truth, exam, fine, coarse)
        for hour in maps:
            target = truth.at(hour.time)
            if target is not None:
                judge.add(hour, target)
            progress(1)
        judged[name] = {task: one for task, one in judge.scorers.items() if one.maps}
    if not any(judged.values()):
        raise InputError(f"no cell is left to score: all are within {exam.margin:g} degrees of missing truth, or outside the "
                         "region; give a smaller --margin, or another --region")  # fmt: skip
    return Evaluation(
        rows=tuple(row for name, tasks in judged.items() for row in _rows(name, tasks)),
        verdicts=tuple(verdicts_of(judged, exam.against, repeats=exam.repeats)),
        reference=exam.against,
        notes=(*truth.hourly.fields.notes, *notes_on(exam.recipes), *(one.note for one in exam.products)),
        provenance=_provenance(truth, exam),
    )


def _rows(name: str, tasks: dict[str, Scorer]) -> list[Row]:
    return [Row(name, task, *part, scores) for task, scorer in tasks.items() for part, scores in scorer.parts().items()]


def _provenance(truth: Truth, exam: Exam) -> dict[str, Any]:
    fields = truth.hourly.fields
    period = {"first": str(fields.times[0]), "last": str(fields.times[-1]), "grid": str(fields.grid)}
    source = truth.hourly.attribution or "not named in the files"
    return provenance(exam.settings | period, fields.files) | {"licence": "that of the input", "attribution": source}
