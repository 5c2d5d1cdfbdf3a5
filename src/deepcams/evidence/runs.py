"""One hourly result: what made it, which hours it has, and whether a day of it is sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams import __version__
from deepcams.errors import DeepcamsError
from deepcams.io.files import is_store
from deepcams.io.results import DAY, Results, open_results
from deepcams.timeline import Hours, TimeKind, ranges_of
from deepcams.verification.compare import Inputs, open_inputs
from deepcams.verification.metadata import check_metadata, leftovers
from deepcams.verification.problems import listing
from deepcams.verification.stored import Stored, open_stored
from deepcams.verification.verify import Verification

_MOST = 1000  # lines of a log, and pauses, that are told


@dataclass(frozen=True)
class HoursFound:
    """Which hours there are.

    Attributes:
        first: the first hour with a map, ISO; empty without any.
        last: the last one.
        analyses: how many are analyses.
        interpolated: how many are not.
        missing: how many there are none of between the first and the last.
        pauses: first and last hour of each run of missing ones.
    """

    first: str
    last: str
    analyses: int
    interpolated: int
    missing: int
    pauses: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Checked:
    """What a check of one day has found.

    Attributes:
        date: the day; empty if nothing was checked.
        problems: what is wrong with it, or with the whole.
        notes: what was not checked, and why.
        values: how many values were looked at.
        mean_error: the largest relative difference of the analyses' area means from CAMS; None if they were not compared.
    """

    date: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    values: int = 0
    mean_error: float | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """An hourly result.

    Attributes:
        name: what to call it.
        paths: its files.
        results: the maps.
        log: what its log or history tells of the runs that made it, oldest first.
    """

    name: str
    paths: tuple[Path, ...]
    results: Results
    log: tuple[Mapping[str, Any], ...] = ()

    @property
    def times(self) -> Hours:
        """(n,) datetime64[h] the hours that have a map."""
        found: Hours = self.results.times[self.results.kinds != TimeKind.MISSING]
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """The method and all that changes values; empty if the files do not say it, or say it in no known way."""
        try:
            said = json.loads(str(self.results.attributes.get("deepcams_settings", "{}")))
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def is_calibrated(self) -> bool:
        """Whether stations have corrected it."""
        return "deepcams_calibration" in self.results.attributes

    def provenance(self) -> dict[str, str]:
        """What made it, as far as the files tell."""
        said = self.results.attributes
        known = {"version": "deepcams_version", "inputs": "deepcams_inputs", "inputs sha256": "deepcams_inputs_sha256",
                 "mantissa bits kept": "deepcams_keepbits", "layout": "deepcams_layout", "status": "status",
                 "correction": "deepcams_calibration", "comment": "comment", "licence": "license",
                 "references": "references"}  # fmt: skip
        facts = {title: str(said[name]) for title, name in known.items() if name in said}
        settings = {name.replace("_", " "): _value(value) for name, value in self.settings.items()}
        version = {"version": facts.pop("version")} if "version" in facts else {}
        grid = {"grid": f"{self.results.grid}, in {self.results.species.unit}"}
        return version | settings | grid | facts

    def hours(self) -> HoursFound:
        """Which hours there are."""
        kinds = self.results.kinds
        there = np.flatnonzero(kinds != TimeKind.MISSING)
        if not there.size:
            return HoursFound("", "", 0, 0, 0, ())
        within = slice(there[0], there[-1] + 1)
        times, kinds = self.results.times[within], kinds[within]
        pauses = ranges_of(list(times[kinds == TimeKind.MISSING]))
        counts = {kind: int((kinds == kind).sum()) for kind in TimeKind}
        return HoursFound(str(times[0]), str(times[-1]), counts[TimeKind.ANALYSIS], counts[TimeKind.INTERPOLATED],
                          counts[TimeKind.MISSING], tuple((str(a), str(b)) for a, b in pauses[:_MOST]))  # fmt: skip

    def facts(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            "name": self.name,
            "files": [str(path) for path in self.paths],
            "provenance": {str(name): _plain(value) for name, value in self.results.attributes.items()}
            | {"deepcams_settings": self.settings},
            "grid": str(self.results.grid),
            "unfinished": self.results.unfinished,
            "hours": asdict(self.hours()),
            "log": [dict(line) for line in self.log],
        }


def open_run(paths: Sequence[Path], name: str, *, variable: str | None = None) -> Run:
    """Open a result.

    Args:
        paths: its files.
        name: what to call it.
        variable: None for ``pm2p5``, or the only one.

    Raises:
        InputError: if it cannot be read.
    """
    results = open_results([str(path) for path in paths], variable=variable)
    lines = [line for path in paths if is_store(path) for line in _log_of(path.with_name(path.name + ".log"))]
    lines += [{"event": "written", **_of_history(one)} for one in str(results.attributes.get("history", "")).split("\n")
              if one]  # fmt: skip
    return Run(name, tuple(paths), results, tuple(lines[-_MOST:]))


def _log_of(path: Path) -> list[Mapping[str, Any]]:
    """The lines of a store's log; one that is being written, or is not ours, is left out."""
    if not path.is_file():
        return []
    lines: list[Mapping[str, Any]] = []
    with path.open(encoding="utf-8", errors="replace") as stream:
        for text in stream:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict):
                lines.append(line)
    return lines


def _of_history(line: str) -> dict[str, str]:
    """Time and command of a line of a NetCDF file's history."""
    time, parted, command = line.partition(": ")
    return {"time": time, "command": command} if parted else {"command": line}


def check(run: Run, date: np.datetime64, cams: Sequence[str], *, units: str | None = None) -> Checked:
    """Verify one day of a result, and what the whole says of itself; ``deepcams verify`` looks at all days.

    Args:
        run: the result.
        date: the UTC day.
        cams: the files it was made from; none to do without.
        units: unit of their values, if they do not say it.
    """
    path = next((one for one in run.paths if _has(one, run, date)), run.paths[0])
    try:
        stored = open_stored(path)
        inputs, notes = _inputs(run, stored, cams, units)
        day = next(Verification(stored, inputs, workers=1).look_at([date]))
        whole = [*check_metadata(stored, None), *leftovers(path)] if stored.is_store and _is_own(stored) else []
    except DeepcamsError as error:
        return Checked(notes=(f"not verified: {error}",))
    if not _is_own(stored):
        notes.append(f"made by deepcams {stored.version}, and this is {__version__}: metadata were not compared")
    unmade = _unmade(stored, run)
    if unmade:
        notes.append(f"{unmade:,} hours that are planned are not there yet: deepcams downscale goes on")
    compared = day.comparison
    if compared and compared.left:
        notes.append(f"not compared with CAMS: {compared.left}")
    means = compared.error if compared and compared.error == compared.error else None
    problems = listing([*whole, *day.problems])
    return Checked(str(date), tuple(problems), tuple(notes), day.soundness.values, means)


def _unmade(stored: Stored, run: Run) -> int:
    """How many hours a store plans and does not have; none if it does not say, or is being extended."""
    kinds = run.results.kinds
    if stored.planned is None or kinds.size != stored.planned.size * DAY:
        return 0
    planned = (stored.planned[:, None] >> np.arange(DAY, dtype=np.uint32)) & 1
    return int((planned.astype(np.bool_).ravel() & (kinds == TimeKind.MISSING)).sum())


def _is_own(stored: Stored) -> bool:
    """Whether this version made it."""
    return stored.version == __version__


def _inputs(run: Run, stored: Stored, cams: Sequence[str], units: str | None) -> tuple[Inputs | None, list[str]]:
    """The files to compare with, and why they are not compared with if they are not."""
    if run.is_calibrated:
        return None, ["corrected with stations: its area means are not those of CAMS, and were not compared"]
    if not cams:
        return None, ["CAMS was not given: area means were not compared with it"]
    try:
        return open_inputs(stored, cams, units=units), []
    except DeepcamsError as error:
        return None, [f"not compared with CAMS: {error}"]


def _has(path: Path, run: Run, date: np.datetime64) -> bool:
    """Whether a file of a result has a day."""
    if len(run.paths) == 1:
        return True
    return bool((open_results(path, variable=run.results.species.name).times.astype("datetime64[D]") == date).any())


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """An attribute as JSON can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value if isinstance(value, str | int | float | bool | list) else str(value)
