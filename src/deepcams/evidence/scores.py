"""The files of ``evaluate`` and ``validate``, read back as what they were written from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deepcams import __version__
from deepcams.errors import InputError
from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import TASKS, Evaluation, Row
from deepcams.evaluation.verdicts import Verdict
from deepcams.stations.assess import DAILY
from deepcams.stations.assessment import ALL, Assessment, Exceedances, Line, Paired

_T = TypeVar("_T")
_LARGEST = 200e6  # bytes: far more than any of these files takes
_WRONG = (LookupError, TypeError, ValueError, AttributeError)
_COUNTS = ("n", "stations")
_PARTS = (*_COUNTS, "intervals", "per_station", "daily", "by", "exceedances")  # of a product that are no scores


@dataclass(frozen=True, eq=False)
class Told:
    """A file of scores.

    Attributes:
        path: where it is.
        content: all that it says.
    """

    path: Path
    content: Mapping[str, Any]

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What it was made from."""
        return dict(self.content.get("provenance") or {})

    @property
    def version(self) -> str:
        """The version of deepcams that made it."""
        return str(self.provenance.get("deepcams_version", ""))

    @property
    def command(self) -> str:
        """By which command it was made; nothing if it does not say."""
        return str(dict(self.content.get("run") or {}).get("command", ""))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        return tuple(map(str, self.content.get("notes") or ()))


@dataclass(frozen=True, eq=False)
class Evaluated(Told):
    """A file of ``deepcams evaluate``, and the evaluation that it tells."""

    evaluation: Evaluation


@dataclass(frozen=True, eq=False)
class Validated(Told):
    """A file of ``deepcams validate``, and the assessment that it tells; scores of single stations are not in it."""

    assessment: Assessment


def read_evaluation(path: Path) -> Evaluated:
    """Read ``evaluate.json``.

    Raises:
        InputError: if it cannot be read, is not whole, or was not written by ``deepcams evaluate``.
    """
    content = _load(path, "evaluate --output")
    evaluation = _understood(path, content, _evaluation, "evaluate --output")
    return Evaluated(path, content, evaluation)


def read_validation(path: Path) -> Validated:
    """Read ``scores.json``.

    Raises:
        InputError: if it cannot be read, is not whole, or was not written by ``deepcams validate``.
    """
    content = _load(path, "validate --out")
    return Validated(path, content, _understood(path, content, _assessment, "validate --out"))


def _load(path: Path, command: str) -> dict[str, Any]:
    """The content of a JSON file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: {path.stat().st_size / 1e6:.0f} MB: wanted a file of deepcams {command}")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not whole, or no JSON ({error}); make it again with deepcams {command}, or take it "
                         "away") from error  # fmt: skip
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: not of deepcams {command}: wanted an object, found {type(content).__name__}; take it away"
        )
    return content


def _understood(path: Path, content: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _T], command: str) -> _T:
    """What a content tells.

    Raises:
        InputError: if it is something else; the message says which version wrote it, if another did.
    """
    try:
        for name in ("provenance", "run"):
            dict(content.get(name) or {})
        return read(content)
    except _WRONG as error:
        made = content.get("provenance")
        version = made.get("deepcams_version") if isinstance(made, dict) else None
        if version not in (None, __version__):
            raise InputError(f"{path}: written by deepcams {version}, and not understood by this one, {__version__} "
                             f"({_reason(error)}): make it again with deepcams {command}") from error  # fmt: skip
        raise InputError(
            f"{path}: not of deepcams {command} ({_reason(error)}); make it again, or take it away"
        ) from error


def _reason(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)


def _evaluation(content: Mapping[str, Any]) -> Evaluation:
    rows = tuple(
        Row(
            _text(one, "contender"),
            _text(one, "task"),
            _text(one, "kind"),
            _text(one, "group"),
            _numbers(one["scores"]),
        )
        for one in _several(content, "rows")
    )
    strange = {row.task for row in rows} - set(TASKS)
    if strange:
        raise ValueError(f"task {sorted(strange)[0]!r} is not known")
    notes = tuple(map(str, content.get("notes") or ()))
    return Evaluation(rows, tuple(map(_verdict, _several(content, "verdicts"))), _text(content, "reference"), notes,
                      dict(content["provenance"]))  # fmt: skip


def _verdict(one: Mapping[str, Any]) -> Verdict:
    contender, task, kind, group, score = (_text(one, name) for name in ("contender", "task", "kind", "group", "score"))
    ends = (_number(one["difference"][name]) for name in ("value", "low", "high"))
    return Verdict(contender, task, kind, group, score, Difference(*ends), _text(one, "text"))


def _assessment(content: Mapping[str, Any]) -> Assessment:
    products = dict(content["products"])
    if not products:
        raise ValueError("it has no products")
    return Assessment(
        lines=tuple(line for name, one in products.items() for line in _lines(name, one)),
        intervals={name: dict(_intervals(one["intervals"])) for name, one in products.items()},
        stations={},
        quartiles={name: dict(_quartiles(one["per_station"])) for name, one in products.items()},
        exceedances=tuple(found for name, one in products.items() for found in _exceedances(name, one["daily"])),
        paired=tuple(_paired(content["paired"], tuple(products))),
        days=max(int(one["daily"]["n"]) for one in products.values()),
        notes=tuple(map(str, content.get("notes") or ())),
        kept=str(content.get("kept") or ""),
    )


def _lines(product: str, one: Mapping[str, Any]) -> Iterator[Line]:
    """The scores of a product, on the whole and in parts."""
    yield _line(product, ALL, ALL, one)
    if int(one["daily"]["n"]):
        yield _line(product, DAILY, ALL, one["daily"])
    for kind, groups in one["by"].items():
        for group, scores in groups.items():
            yield _line(product, kind, group, scores)


def _line(product: str, kind: str, group: str, one: Mapping[str, Any]) -> Line:
    left_out = (*_PARTS, "mqi") if kind == ALL else _PARTS  # of the whole product it is that of daily means
    scores = {name: value for name, value in one.items() if name not in left_out}
    return Line(product, kind, group, int(one["n"]), int(one["stations"]), _numbers(scores))


def _intervals(found: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float, float]]]:
    for name, (low, high) in found.items():
        yield name, (_number(low), _number(high))


def _quartiles(found: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    for name, one in found.items():
        yield name, (_number(one["q25"]), _number(one["median"]), _number(one["q75"]))


def _exceedances(product: str, daily: Mapping[str, Any]) -> Iterator[Exceedances]:
    for threshold, one in daily["exceedances"].items():
        counts = (int(one[name]) for name in ("hits", "misses", "false_alarms", "correct_negatives"))
        yield Exceedances(product, float(threshold), *counts)


def _paired(found: Mapping[str, Any], products: tuple[str, ...]) -> Iterator[Paired]:
    """Differences of products; their names are told apart by those that there are, as one may have a ``minus`` in it."""
    names = {f"{one} minus {other}": (one, other) for one in products for other in products}
    for key, scores in found.items():
        for score, one in scores.items():
            difference, low, high = (_number(one[name]) for name in ("difference", "low", "high"))
            yield Paired(*names[key], score, difference, low, high, _text(one, "verdict"))


def _several(content: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    found = content[name]
    if not isinstance(found, list):
        raise TypeError(f"{name} is no list")
    return found


def _text(content: Mapping[str, Any], name: str) -> str:
    found = content[name]
    if not isinstance(found, str):
        raise TypeError(f"{name} is no text")
    return found


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in found.items()}


def _number(value: Any) -> float:
    """A number; NaN for null, which stands for what is unknown."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)
