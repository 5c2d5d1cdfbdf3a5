"""The report as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deepcams import __version__
from deepcams.evidence.evaluation_tables import evaluation_tables, headlines
from deepcams.evidence.gather import Evidence, Shown
from deepcams.evidence.pictures import Picture
from deepcams.evidence.runs import Run
from deepcams.evidence.scores import Evaluated, Told, Validated
from deepcams.markup import bullets, contents, element, heading, page, paragraph, picture, table
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.report_results import results, verdict
from deepcams.timeline import TimeKind

_SECTIONS = {
    "found": "What was found",
    "made": "How it was made",
    "hours": "Hours",
    "maps": "Maps",
    "spectra": "Spectra",
    "evaluation": "Evaluation against hourly truth",
    "validation": "Validation against stations",
    "checks": "Checks",
    "limits": "Limits",
    "attribution": "Attribution",
    "report": "This report",
}
_LISTED = 20  # pauses, log lines, problems
_KINDS = {TimeKind.ANALYSIS: "an analysis", TimeKind.INTERPOLATED: "interpolated between analyses"}


def to_html(evidence: Evidence, run: Mapping[str, str]) -> str:
    """The page as text.

    Args:
        evidence: all that it tells.
        run: as from :func:`deepcams.provenance.run_record`.
    """
    sections = {
        "found": _found(evidence),
        "made": "".join(_made(one.run) for one in evidence.shown),
        "hours": _hours(evidence.shown),
        "maps": "".join(_maps(one) for one in evidence.shown),
        "spectra": _pictures(evidence.pictures["spectra"]),
        "evaluation": "".join(_evaluation(evidence, one) for one in evidence.evaluations),
        "validation": "".join(_validation(evidence, one) for one in evidence.validations),
        "checks": "".join(_checks(one) for one in evidence.shown),
        "limits": bullets(f"{head.rstrip('.')}: {text}" for head, text in evidence.limits),
        "attribution": bullets(evidence.attributions),
        "report": table("What made this page", ["what", "value"], [["deepcams", __version__], *run.items()], texts=2),
    }
    told = {name: text for name, text in sections.items() if text}
    title = _title(evidence)
    top = heading(1, title) + "".join(paragraph(line, class_="verdict") for line in _summary(evidence))
    top += bullets(_sentence(note) for note in evidence.notes)
    links = contents((name, _SECTIONS[name]) for name in told)
    body = "".join(element("section", heading(2, _SECTIONS[name], name) + text) for name, text in told.items())
    return page(title, element("main", top + links + body) + element("footer", paragraph(ATTRIBUTION)))


def _title(evidence: Evidence) -> str:
    names = [one.run.name for one in evidence.shown] or [str(one.path) for one in _told(evidence)]
    return f"DeepCAMS: {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _told(evidence: Evidence) -> tuple[Told, ...]:
    return (*evidence.evaluations, *evidence.validations)


def _summary(evidence: Evidence) -> Iterator[str]:
    """What a reader should leave with, in a few sentences."""
    for one in evidence.shown:
        yield f"{_hours_in_words(one.run)} {_checked_in_words(one)}"
    for told in evidence.evaluations:
        yield from headlines(told.evaluation)
    for validated in evidence.validations:
        found = verdict(validated.assessment)
        yield f"Against stations: {found[:1].lower()}{found[1:]}"


def _hours_in_words(run: Run) -> str:
    hours = run.hours()
    if not hours.first:
        return f"{run.name} has no hour yet."
    missing = f"{hours.missing:,} between them missing" if hours.missing else "none between them missing"
    unfinished = " It is unfinished." if run.results.unfinished else ""
    return (f"{run.name}: {hours.analyses + hours.interpolated:,} hours ({hours.analyses:,} analyses, {hours.interpolated:,} "
            f"interpolated) from {_moment(hours.first)} to {_moment(hours.last)} UTC, {missing}.{unfinished}")  # fmt: skip


def _checked_in_words(one: Shown) -> str:
    found = one.checked
    if not found.date:
        return "It was not verified."
    if found.problems:
        return f"Something is wrong with it: {found.problems[0]}."
    compared = "" if found.mean_error is None else f", area means as in CAMS within {100 * found.mean_error:.1g} %"
    return f"{found.date} was verified: all is well{compared}."


def _found(evidence: Evidence) -> str:
    """Files that were found, and what was not."""
    found = evidence.found
    rows = [["hourly result", _listed(map(str, paths))] for paths in found.results]
    rows += [["evaluation", str(path)] for path in found.evaluations]
    rows += [["validation", str(path)] for path in found.validations]
    rows += [["not shown", f"{path}: {why}"] for path, why in list(found.others.items())[:_LISTED]]
    return table("Files", ["what", "where"], rows, texts=2) + bullets(evidence.absent)


def _made(run: Run) -> str:
    """Version, method, settings, weights, inputs and runs."""
    rows = [[name, text] for name, text in run.provenance().items()]
    parts = [heading(3, run.name), table("Provenance, as the result itself tells it", ["what", "value"], rows, texts=2)]
    lines = [_log_row(line) for line in run.log[-_LISTED:]]
    if lines:
        more = f", the last {_LISTED} of {len(run.log):,}" if len(run.log) > _LISTED else ""
        parts.append(table(f"Runs that made it{more}", ["time", "event", "command", "facts"], lines, texts=4))
    return "".join(parts)


def _log_row(line: Mapping[str, Any]) -> list[str]:
    time, event, command = (str(line.get(name, "")) for name in ("time", "event", "command"))
    others = (f"{name}: {value}" for name, value in line.items() if name not in ("time", "event", "command", "host"))
    return [time.replace("T", " ").replace("+00:00", " UTC"), event, command, ", ".join(others)]


def _hours(shown: Iterable[Shown]) -> str:
    """How many hours there are of each kind, and which are missing."""
    rows, pauses = [], []
    for one in shown:
        hours = one.run.hours()
        ends = [_moment(hours.first), _moment(hours.last)] if hours.first else ["–", "–"]
        rows.append(
            [one.run.name, *ends, *(f"{count:,}" for count in (hours.analyses, hours.interpolated, hours.missing))]
        )
        pauses += [
            f"{one.run.name} has no hour from {_moment(a)} to {_moment(b)} UTC." for a, b in hours.pauses[:_LISTED]
        ]
        more = len(hours.pauses) - _LISTED
        pauses += [f"{one.run.name} has {more} more such pauses."] * (more > 0)
    if not rows:
        return ""
    titles = ["result", "first, UTC", "last, UTC", "analyses", "interpolated", "missing between"]
    return table("Hours that have a map", titles, rows, texts=3) + bullets(pauses)


def _maps(one: Shown) -> str:
    parts = [heading(3, one.run.name)]
    if one.view is not None and one.view.hours.size == 1:
        parts.append(paragraph(f"The hour is {_KINDS.get(TimeKind(int(one.view.kinds[0])), 'of no known kind')}."))
    parts += [_pictures(one.pictures), _numbers(one), bullets(_sentence(note) for note in one.notes)]
    return "".join(parts)


def _numbers(one: Shown) -> str:
    """Mean and extremes of what is shown."""
    if one.view is None or not one.numbers:
        return ""
    rows = []
    for name, found in one.numbers.items():
        place = f"{_degrees(found['latitude'], 'NS')} {_degrees(found['longitude'], 'EW')}"
        rows.append([name, *(_number(found[key]) for key in ("mean", "minimum", "maximum")), place])
    unit = one.run.results.species.unit.replace("ug m-3", "µg m⁻³")
    caption = f"Of the maps: {one.view.words}, {unit}; the mean is over the Earth's area"
    return table(caption, ["product", "mean", "lowest", "highest", "where"], rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _degrees(value: float | None, signs: str) -> str:
    return "–" if value is None else f"{abs(value):.2f}°{signs[value < 0]}"


def _evaluation(evidence: Evidence, told: Evaluated) -> str:
    """Tables, notes and pictures of one file."""
    settings = told.provenance.get("settings")
    asked = settings if isinstance(settings, dict) else {}
    period = f", {asked['first']} to {asked['last']} UTC" if {"first", "last"} <= asked.keys() else ""
    inputs = told.provenance.get("inputs")
    truth = f"Truth: {_listed(inputs) if isinstance(inputs, list) else 'not named'}{period}."
    return "".join([
        heading(3, str(told.path)),
        paragraph(f"{truth} {_made_by(told)}", class_="facts"),
        evaluation_tables(told.evaluation, 4),
        bullets(_sentence(note) for note in told.notes),
        _pictures(evidence.pictures[str(told.path)]),
    ])  # fmt: skip


def _validation(evidence: Evidence, told: Validated) -> str:
    """Verdict, notes, tables and pictures of one file."""
    tables = results(told.assessment).replace("<h3>", "<h4>").replace("</h3>", "</h4>")  # its headings stand below ours
    return "".join([
        heading(3, str(told.path)),
        paragraph(verdict(told.assessment)),
        paragraph(_made_by(told), class_="facts"),
        bullets(_sentence(note) for note in told.notes),
        tables,
        _pictures(evidence.pictures[str(told.path)]),
    ])  # fmt: skip


def _made_by(told: Told) -> str:
    command = f" by {told.command}" if told.command else ""
    return f"Made by deepcams {told.version or 'of an unknown version'}{command}."


def _checks(one: Shown) -> str:
    """What was verified, what is wrong, and what was not looked at."""
    found = one.checked
    lines = [_checked_in_words(one)] if found.date or not found.notes else []
    lines += [f"{found.values:,} values were looked at; deepcams verify looks at all days."] if found.date else []
    lines += list(found.problems[:_LISTED]) + [_sentence(note) for note in found.notes]
    return heading(3, one.run.name) + bullets(lines)


def _pictures(pictures: Iterable[Picture]) -> str:
    return "".join(picture(one.image, alt=one.alt, caption=one.caption) for one in pictures)


def _listed(names: Iterable[str]) -> str:
    known = list(map(str, names))
    return ", ".join(known[:_LISTED]) + (f" and {len(known) - _LISTED:,} more" if len(known) > _LISTED else "")


def _moment(text: str) -> str:
    """An hour for people: 2019-12-31 15:00."""
    return f"{text.replace('T', ' ')}:00"


def _sentence(note: str) -> str:
    text = note[:1].upper() + note[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
