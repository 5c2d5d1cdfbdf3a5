"""What the figures of an evaluation show: what was given, what was made of it, the truth, at the most telling place.

They are made anew for one interval between two given fields, by the pipeline that makes real results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcams.checks import Tally
from deepcams.evaluation import BASELINES, REFERENCE, metrics
from deepcams.evaluation.gridded import Exam
from deepcams.evaluation.metrics import Floats
from deepcams.evaluation.scorer import Places
from deepcams.evaluation.spotlight import Spotlight, find_spotlight
from deepcams.evaluation.truth import FACTOR, Truth
from deepcams.evaluation.verdicts import JUDGED
from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.methods import DEFAULT, RECIPES, Recipe
from deepcams.pipeline import Job, hours

TRUTH = "truth"
_NEAREST = "nearest+linear"  # its area means are the given fields, and linear between them


@dataclass(frozen=True)
class Panel:
    """One field of a figure.

    Attributes:
        name: what it is.
        values: (rows, columns) ug m-3.
        scores: RMSE and MAE against the truth over what is shown, weighted by area; None for the truth itself.
    """

    name: str
    values: Floats
    scores: dict[str, float] | None


@dataclass(frozen=True)
class Picture:
    """One figure.

    Attributes:
        task: one of ``deepcams.evaluation.gridded.TASKS``.
        time: the hour shown.
        grid: of the fields.
        panels: the truth comes last.
        source: where the truth is from.
    """

    task: str
    time: np.datetime64
    grid: Grid
    panels: tuple[Panel, ...]
    source: str


def ours(exam: Exam) -> Recipe:
    """The first recipe among the names of the contenders, or the default one."""
    name = next((name for name in exam.names if name in RECIPES), DEFAULT)
    return next((recipe for recipe in exam.recipes if recipe.name == name), RECIPES[name])


def pictures(truth: Truth, exam: Exam) -> list[Picture]:
    """One for each task: in space where the truth varies most, in time where it changes most, both in one interval.

    Raises:
        InputError: if the series has no interval with any cell to score.
    """
    spotlight, method = find_spotlight(truth, exam), ours(exam)
    recipes = (BASELINES[_NEAREST], BASELINES[REFERENCE], method)
    (given, linear), (bicubic, both), (sharp, moved) = (_made(truth, one, spotlight, exam.workers) for one in recipes)
    names = f"given, {truth.coarse.step:g}°", "bicubic", "linear", "linear, bicubic"
    end = truth.known(spotlight.middle)
    shown = {
        "space": {names[0]: given, names[1]: bicubic, method.name: sharp, TRUTH: truth.known(spotlight.start)},
        "time": {name: truth.mean(one) for name, one in ((names[2], linear), (method.name, moved), (TRUTH, end))},
        "both": {names[3]: both, method.name: moved, TRUTH: end},
    }
    return [_picture(truth, spotlight, task, fields) for task, fields in shown.items()]


def _made(truth: Truth, recipe: Recipe, spotlight: Spotlight, workers: int | None) -> tuple[Field, Field]:
    """What a recipe makes of the given fields, at the spotlight's start and at its middle."""
    job = Job(truth.analyses, recipe, FACTOR, start=spotlight.start, end=spotlight.middle)
    maps = [hour.values for hour in hours(job, Tally(), workers=workers)]
    return maps[0], maps[-1]


def _picture(truth: Truth, spotlight: Spotlight, task: str, fields: Mapping[str, Floats]) -> Picture:
    """The fields of a task, cut to its box, with their scores against the last one."""
    whole = truth.coarse if task == "time" else truth.coarse.refine(FACTOR)
    region = spotlight.varied if task == "space" else spotlight.changing
    rows, columns = (np.asarray(one) for one in (whole.row_window(region), whole.column_window(region)))
    cut = {name: one[np.ix_(rows, columns % whole.columns)] for name, one in fields.items()}
    grid, target = whole.window(rows.tolist(), columns.tolist()), cut[TRUTH]
    panels = [Panel(name, one, None if name == TRUTH else _scores(one, target, grid)) for name, one in cut.items()]
    time = spotlight.start if task == "space" else spotlight.middle
    return Picture(task, time, grid, tuple(panels), truth.hourly.attribution)


def _scores(prediction: Floats, target: Floats, grid: Grid) -> dict[str, float]:
    """The scores with a verdict over a small grid."""
    cells, _ = metrics.matched(prediction, target, Places(grid).areas, np.ones(grid.shape, bool))
    total = metrics.sums(cells)
    return {name: float(score(total)) for name, score in JUDGED.items()}
