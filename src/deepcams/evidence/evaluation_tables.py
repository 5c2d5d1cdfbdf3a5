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
_UNITS = dict.fromkeys(("rmse", "mae", "bias", "minimum", "plain_rmse", "plain_mae"), ", µg\N{NO-BREAK SPACE}m⁻³")
_MEANING = {
    "log_rmse": "log-RMSE: of log(x + 0.05 µg m⁻³), 0.1 is about 10 %",
    "p99_error": "p99: error of the 99th percentile",
    "top1_bias": "top 1 %: bias in the one percent of the area where the truth is highest",
    "power_120_240": "power: that of the waves so many around the Earth, over that of the truth",
    "conservation": "mass error: the largest relative difference of an area mean from the one given",
    "minimum": "min: the lowest value",
    "plain_rmse": "plain: not weighted by area",
}


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
    return [
        " ".join([f"Evaluation of {name}, {where}: {'; '.join(texts)}.", *_reservations(evaluation, name)])
        for name, texts in lines.items()
    ]


def _reservations(evaluation: Evaluation, name: str) -> list[str]:
    """What the evaluation notes of a contender, such as that its scores are not held out: verdicts are not told without."""
    return [f"But {note.rstrip('.')}." for note in evaluation.notes if note.startswith(f"{name} ")]


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
    told = "; ".join(text for name, text in _MEANING.items() if name in {one.score for one in known})
    scores = table("Scores over all cells", ["contender", *titles], cells, dense=True)
    return scores + (paragraph(f"{told[:1].upper()}{told[1:]}.", class_="facts") if told else "")


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
    cells = [[_named(group), *(_cell(found.get((group, *column))) for column in columns)] for group in groups]
    titles = [f"{name}, {_SCORES.get(score, score)}" for name, score in columns]
    return table(f"Differences from {reference} by {what}, in %, with 95 % intervals", [what, *titles], cells)


def _named(group: str) -> str:
    """A class without an upper end in words: ``75-`` is 75 and more."""
    return f"{group[:-1]} and more" if group.endswith("-") else group


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
