"""The tables of an evaluation as HTML: scores, verdicts with their intervals, and differences by region and class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import TASKS, Evaluation, Row
from deepcams.evaluation.report import COLUMNS, TITLES
from deepcams.evaluation.verdicts import Verdict
from deepcams.markup import heading, paragraph, table

UNKNOWN = "–"
_SCORES = {"rmse": "RMSE", "mae": "MAE"}
_KINDS = {"region": "region", "class": "class of the truth, µg m⁻³"}
_UNITS = {"rmse": ", µg m⁻³", "mae": ", µg m⁻³", "bias": ", µg m⁻³"}


def evaluation_tables(evaluation: Evaluation, level: int) -> str:
    """All of it, by task.

    Args:
        evaluation: what was found.
        level: of the headings.
    """
    return "".join(part for task in TASKS for part in _of_task(evaluation, task, level))


def headlines(evaluation: Evaluation) -> list[str]:
    """The verdicts on whole methods, baselines left out, at the hardest task that was judged."""
    task = next((one for one in reversed(TASKS) if any(row.task == one for row in evaluation.rows)), "")
    lines: dict[str, list[str]] = {}
    for one in evaluation.verdicts:
        if (one.task, one.kind) == (task, "all") and "+" not in one.contender:
            lines.setdefault(one.contender, []).append(f"{_SCORES.get(one.score, one.score)} {one.text}")
    where = TITLES[task].partition(":")[2].strip() if task else ""
    return [f"Evaluation of {name}, {where}: {'; '.join(texts)}." for name, texts in lines.items()]


def _of_task(evaluation: Evaluation, task: str, level: int) -> Iterator[str]:
    rows = [row for row in evaluation.rows if (row.task, row.kind) == (task, "all")]
    if not rows:
        return
    title = TITLES[task]
    yield heading(level, title[:1].upper() + title[1:])
    yield _scores(rows)
    judged = [one for one in evaluation.verdicts if one.task == task]
    yield _verdicts([one for one in judged if one.kind == "all"], evaluation.reference)
    for kind, what in _KINDS.items():
        part = [one for one in judged if one.kind == kind]
        if part:
            yield _differences(part, evaluation.reference, what)


def _scores(rows: Sequence[Row]) -> str:
    """A row for each contender; scores that none has are left out."""
    known = [one for one in COLUMNS if any(math.isfinite(row.scores.get(one.score, math.nan)) for row in rows)]
    titles = [f"{one.title}{_UNITS.get(one.score, '')}" for one in known]
    cells = [[row.contender, *(_minus(one.text(row.scores)) for one in known)] for row in rows]
    return table("Scores over all cells", ["contender", *titles], cells)


def _verdicts(judged: Sequence[Verdict], reference: str) -> str:
    if not judged:
        return paragraph(f"There is nothing to compare with {reference}.")
    rows = [[one.contender, _SCORES.get(one.score, one.score), one.text, *_parts(one.difference)] for one in judged]
    titles = ["contender", "score", "verdict", "difference, %", "95 % interval, %"]
    return table(f"Differences from {reference}; negative is better", titles, rows, texts=3)


def _differences(judged: Sequence[Verdict], reference: str, what: str) -> str:
    """Groups down, contenders and scores across."""
    groups = list(dict.fromkeys(one.group for one in judged))
    columns = list(dict.fromkeys((one.contender, one.score) for one in judged))
    found = {(one.group, one.contender, one.score): one.difference for one in judged}
    cells = [[group, *(_cell(found.get((group, *column))) for column in columns)] for group in groups]
    titles = [f"{name}, {_SCORES.get(score, score)}" for name, score in columns]
    return table(f"Differences from {reference} by {what}, in %, with 95 % intervals", [what, *titles], cells)


def _cell(difference: Difference | None) -> str:
    """A difference with its interval; worse beyond doubt is said in a word, as colours alone would not be."""
    if difference is None:
        return UNKNOWN
    value, interval = _parts(difference)
    return f"{value} ({interval}){', worse' if difference.worse else ''}"


def _parts(difference: Difference) -> tuple[str, str]:
    """The difference, and its interval."""
    if not math.isfinite(difference.low):
        return _percent(difference.value), "too few blocks"
    return _percent(difference.value), f"{_percent(difference.low)} to {_percent(difference.high)}"


def _percent(value: float) -> str:
    return _minus(f"{100 * value:+.1f}") if math.isfinite(value) else UNKNOWN


def _minus(text: str) -> str:
    return UNKNOWN if text == "-" else text.replace("-", "−")
