"""One evaluation, four renderings: a table for the terminal, CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import TASKS, Evaluation, Row
from deepcams.evaluation.verdicts import JUDGED, Verdict
from deepcams.io.output import check_folder, make_folder, partial
from deepcams.provenance import run_record

if TYPE_CHECKING:
    from rich.console import Console

TITLES = {
    "space": "space: the hours that were given, at 0.25 degrees",
    "time": "time: the hours between, as area means on 0.75 degrees",
    "both": "both: the hours between, at 0.25 degrees",
}
_NAMES = {"rmse": "RMSE", "mae": "MAE"}
_UNKNOWN = "-"


@dataclass(frozen=True)
class Column:
    """A score in the tables for people.

    Attributes:
        score: its name.
        title: the heading.
        form: how it is written.
        factor: what it is multiplied with before.
    """

    score: str
    title: str
    form: str
    factor: float = 1.0

    def text(self, scores: dict[str, float]) -> str:
        """The score as text; a dash where it is unknown."""
        value = scores.get(self.score, math.nan)
        return format(self.factor * value, self.form) if math.isfinite(value) else _UNKNOWN


COLUMNS = (
    Column("rmse", "RMSE", ".3f"),
    Column("mae", "MAE", ".3f"),
    Column("bias", "bias", "+z.3f"),
    Column("r", "R", ".4f"),
    Column("log_rmse", "log-RMSE", ".4f"),
    Column("psnr", "PSNR dB", ".2f"),
    Column("ssim", "SSIM", ".4f"),
    Column("p99_error", "p99 %", "+z.1f", 100),
    Column("top1_bias", "top 1 %", "+z.1f", 100),
    Column("power_120_240", "power 120-240", ".2f"),
    Column("power_240_720", "power 240-720", ".2f"),
    Column("conservation", "mass error", ".0e"),
    Column("minimum", "min", ".2g"),
    Column("plain_rmse", "plain RMSE", ".3f"),
    Column("plain_mae", "plain MAE", ".3f"),
)
_PAIR = COLUMNS[:2]


def to_json(evaluation: Evaluation) -> str:
    """Everything; an unknown score is null."""
    content = {
        "reference": evaluation.reference,
        "rows": [asdict(row) for row in evaluation.rows],
        "verdicts": [asdict(verdict) for verdict in evaluation.verdicts],
        "notes": evaluation.notes,
        "provenance": evaluation.provenance,
        "run": run_record(),
    }
    return json.dumps(finite(content), indent=1) + "\n"


def to_csv(evaluation: Evaluation) -> str:
    """A line for every contender, task and group, with its difference from the reference; what is unknown is empty."""
    names = list(dict.fromkeys(name for row in evaluation.rows for name in row.scores))
    found = {(one.contender, one.task, one.kind, one.group, one.score): one.difference for one in evaluation.verdicts}
    unknown = Difference(math.nan, math.nan, math.nan)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    ends = [f"{score}_{end}" for score in JUDGED for end in ("difference", "low", "high")]
    writer.writerow(["contender", "task", "kind", "group", *names, *ends])
    for row in evaluation.rows:
        own = (row.contender, row.task, row.kind, row.group)
        values = [row.scores.get(name, math.nan) for name in names]
        values += [end for score in JUDGED for end in astuple(found.get((*own, score), unknown))]
        texts = [repr(value) if math.isfinite(value) else "" for value in values]
        writer.writerow([*own, *texts])
    return stream.getvalue()


def to_markdown(evaluation: Evaluation) -> str:
    """The tables for people, by task, by region and by class, with what they were made from."""
    parts = ["# Evaluation", ""]
    for task, rows in _tasks(evaluation):
        parts += [f"## {TITLES[task]}", "", *_markdown_table(*_main_table(rows)), ""]
        parts += [f"- {line}" for line in _verdict_lines(evaluation, task)] + [""]
        for kind in ("region", "class"):
            heading, lines = _group_table(evaluation, task, kind)
            if lines:
                parts += [f"RMSE / MAE by {kind}:", "", *_markdown_table(heading, lines), ""]
            for score in JUDGED:
                heading, lines = _difference_table(evaluation, task, kind, score)
                if lines:
                    title = f"{_NAMES[score]} against {evaluation.reference} by {kind}, %, with its 95 % interval"
                    parts += [f"{title} (bold: worse beyond it):", "", *_markdown_table(heading, lines), ""]
    parts += ["## Made from", "", *(f"- {note}" for note in evaluation.notes)]
    facts = finite(evaluation.provenance | {"run": run_record()})
    return "\n".join([*parts, "", "```json", json.dumps(facts, indent=1), "```", ""])


def show(evaluation: Evaluation, console: Console) -> None:
    """The main tables and the verdicts on a terminal.

    Columns that no contender has a score in are left out, and those at the right that do not fit: they are in the files.
    """
    from rich.table import Table

    for task, rows in _tasks(evaluation):
        heading, lines = _main_table(rows)
        kept = _fitting(heading, lines, console.width)
        table = Table(title=TITLES[task], title_justify="left", title_style="bold", box=None, pad_edge=False)
        for i in kept:
            table.add_column(heading[i], justify="right" if i else "left", no_wrap=True)
        for line in lines:
            table.add_row(*(line[i] for i in kept))
        console.print(table)
        for text in _verdict_lines(evaluation, task):
            console.print(f"  {text}", highlight=False)
        console.print()
    for note in evaluation.notes:
        console.print(f"note: {note}", highlight=False)


RENDERINGS: dict[str, Callable[[Evaluation], str]] = {
    "evaluate.json": to_json,
    "evaluate.csv": to_csv,
    "evaluate.md": to_markdown,
}


def write(evaluation: Evaluation, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write all files, each whole or not at all, and give their paths.

    Raises:
        OutputError: if one cannot be written, or exists and may not be replaced.
    """
    check_folder(folder, RENDERINGS, overwrite=overwrite)
    make_folder(folder)
    for name, rendering in RENDERINGS.items():
        with partial(folder / name, overwrite=overwrite) as temporary:
            temporary.write_text(rendering(evaluation), encoding="utf-8")
    return [folder / name for name in RENDERINGS]


def _tasks(evaluation: Evaluation) -> Iterable[tuple[str, list[Row]]]:
    """Every task that was scored, with its rows over all cells."""
    for task in TASKS:
        rows = [row for row in evaluation.rows if row.task == task and row.kind == "all"]
        if rows:
            yield task, rows


def _main_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    heading = ["contender", *(column.title for column in COLUMNS)]
    return heading, [[row.contender, *(column.text(row.scores) for column in COLUMNS)] for row in rows]


def _fitting(heading: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns with any score that fit beside each other, the first ones first."""
    kept, used = [], 0
    for i, title in enumerate(heading):
        cells = [line[i] for line in lines]
        used += (2 + max(map(len, [title, *cells]))) if any(cell != _UNKNOWN for cell in cells) else 0
        if used > width + 2:
            break
        if any(cell != _UNKNOWN for cell in cells):
            kept.append(i)
    return kept


def _group_table(evaluation: Evaluation, task: str, kind: str) -> tuple[list[str], list[list[str]]]:
    """Groups down, contenders across."""
    found = {(row.group, row.contender): row.scores for row in evaluation.rows if (row.task, row.kind) == (task, kind)}
    groups = list(dict.fromkeys(group for group, _ in found))
    names = list(dict.fromkeys(contender for _, contender in found))
    cells = [[" / ".join(column.text(found[group, name]) for column in _PAIR) for name in names] for group in groups]
    title = f"{kind}, ug m-3" if kind == "class" else kind
    return [title, *names], [[group, *line] for group, line in zip(groups, cells, strict=True)]


def _difference_table(evaluation: Evaluation, task: str, kind: str, score: str) -> tuple[list[str], list[list[str]]]:
    """Groups down, contenders across: relative differences from the reference."""
    asked = [one for one in evaluation.verdicts if (one.task, one.kind, one.score) == (task, kind, score)]
    found = {(one.group, one.contender): _difference_text(one.difference) for one in asked}
    groups, names = (list(dict.fromkeys(parts)) for parts in zip(*found, strict=True)) if found else ([], [])
    return [kind, *names], [[group, *(found[group, name] for name in names)] for group in groups]


def _difference_text(difference: Difference) -> str:
    """In percent with its interval, like ``-12.3 (-15.1 to -9.0)``; bold where it is worse beyond doubt."""
    value, low, high = (f"{100 * one:+.1f}" if math.isfinite(one) else _UNKNOWN for one in astuple(difference))
    text = f"{value} ({low} to {high})" if math.isfinite(difference.low) else f"{value} (few blocks)"
    return f"**{text}**" if difference.worse else text


def _verdict_lines(evaluation: Evaluation, task: str) -> list[str]:
    """One line for each contender: its verdicts by every score, and where it is worse although it is not on the whole."""
    lines: dict[str, list[str]] = {}
    for verdict in evaluation.verdicts:
        if (verdict.task, verdict.kind) == (task, "all"):
            text = f"{_NAMES[verdict.score]} {verdict.text}{_exceptions(evaluation, verdict)}"
            lines.setdefault(verdict.contender, []).append(text)
    return [f"{name}: {'; '.join(texts)}" for name, texts in lines.items()]


def _exceptions(evaluation: Evaluation, whole: Verdict) -> str:
    """The regions and classes in which a contender is worse beyond the interval, if it is not worse on the whole."""
    asked = (whole.contender, whole.task, whole.score)
    parts = [one for one in evaluation.verdicts if (one.contender, one.task, one.score) == asked and one.kind != "all"]
    if whole.difference.worse or not parts:
        return ""
    worse = [one.group + (" ug m-3" if one.kind == "class" else "") for one in parts if one.difference.worse]
    return f", but worse in {', '.join(worse)}" if worse else ", in no region or class worse"


def _markdown_table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return [f"| {' | '.join(line)} |" for line in (heading, rule, *lines)]


def finite(content: Any) -> Any:
    """The same with None for numbers that JSON cannot hold."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
