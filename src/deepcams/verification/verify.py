"""Verifying a result: every day and value of it, by itself, by its ledger and by the files it was made from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepcams import __version__
from deepcams.errors import InputError
from deepcams.io.ledger import Entry
from deepcams.io.store import status_of
from deepcams.io.template import COMPLETE
from deepcams.threads import in_order, processors
from deepcams.timeline import missing_days, named
from deepcams.verification.compare import Comparison, Inputs
from deepcams.verification.metadata import check_metadata, leftovers
from deepcams.verification.problems import Date, Problem, listing
from deepcams.verification.soundness import Soundness, examine
from deepcams.verification.stored import Stored, StoredDay

Progress = Callable[[int], None]
_MOST_WORKERS = 4  # each holds a day of maps; reading is seldom quicker with more


@dataclass(frozen=True)
class DayReport:
    """What was found of a day.

    Attributes:
        date: the UTC day.
        made: the hours that are there, bit h for h UTC.
        planned: the hours that are to be there; None if that cannot be told.
        finished: whether the day was made, as far as can be told.
        entry: what the ledger says, if something is wrong with the day; None if that cannot be told.
        readable: whether all of it can be read.
        bytes: its size as it is stored.
        soundness: what the day says by itself.
        comparison: what the inputs say of it; None without inputs.
    """

    date: Date
    made: int
    planned: int | None
    finished: bool
    entry: Entry | None
    readable: bool
    bytes: int
    soundness: Soundness
    comparison: Comparison | None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with it."""
        return self.soundness.problems + (self.comparison.problems if self.comparison else ())


@dataclass
class Report:
    """What was found of a result.

    Attributes:
        path: where it is.
        whole: what is wrong with the whole.
        days: what was found of each day.
        seconds: how long it took.
        notes: what else is to be said.
        repaired: days that were made again.
        unrepaired: why a day could not be made again.
    """

    path: Path
    whole: list[Problem]
    days: list[DayReport]
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    repaired: list[Date] = field(default_factory=list)
    unrepaired: dict[Date, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong."""
        return self.whole + [problem for day in self.days for problem in day.problems]

    @property
    def failed(self) -> list[DayReport]:
        """Days that something is wrong with."""
        return [day for day in self.days if day.problems]

    @property
    def hours(self) -> int:
        """Hours that are there."""
        return sum(day.soundness.hours for day in self.days)

    @property
    def values(self) -> int:
        """Values in them."""
        return sum(day.soundness.values for day in self.days)

    @property
    def missing(self) -> int:
        """How many of the values are NaN."""
        return sum(day.soundness.missing for day in self.days)

    @property
    def bytes(self) -> int:
        """Size of the values as they are stored."""
        return sum(day.bytes for day in self.days)

    @property
    def mean_error(self) -> float:
        """The largest relative difference of area means from CAMS; NaN if none was compared."""
        errors = [day.comparison.error for day in self.days if day.comparison is not None]
        return float(np.fmax.reduce(errors)) if errors else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        problems = [{"date": None if one.date is None else str(one.date), "hours": list(one.hours), "what": one.what}
                    for one in self.problems]  # fmt: skip
        return {
            "path": str(self.path),
            "ok": not problems,
            "days": sum(day.finished for day in self.days),
            "hours": self.hours,
            "values": self.values,
            "missing_values": self.missing,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "mean_error": None if np.isnan(self.mean_error) else self.mean_error,
            "problems": problems,
            "notes": self.notes,
            "repaired": [str(date) for date in self.repaired],
            "unrepaired": {str(date): why for date, why in self.unrepaired.items()},
        }

    def lines(self) -> list[str]:
        """A line for each problem."""
        return listing(self.problems)


@dataclass(frozen=True)
class Verification:
    """What is to be verified.

    Attributes:
        stored: the result.
        inputs: the files it was made from; None to do without.
        start: the first day; None for the first of the result.
        end: the last day.
        workers: threads; None for one per processor, four at most.

    Raises:
        InputError: if the result has no day in the period.
    """

    stored: Stored
    inputs: Inputs | None = None
    start: Date | None = None
    end: Date | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if not self.dates:
            first, last = self.stored.dates[0], self.stored.dates[-1]
            raise InputError(f"{self.stored.path}: no day from {self.start or first} to {self.end or last}; it has "
                             f"{first} to {last}")  # fmt: skip

    @property
    def dates(self) -> list[Date]:
        """The days."""
        return [date for date in self.stored.dates
                if (self.start is None or date >= self.start) and (self.end is None or date <= self.end)]  # fmt: skip

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the result."""
        return len(self.dates) == len(self.stored.dates)

    def run(self, progress: Progress = lambda count: None) -> Report:
        """Verify it.

        Args:
            progress: called with the number of days done since the last call.
        """
        return self.sum_up(self.look_at(self.dates, progress))

    def sum_up(self, days: Iterable[DayReport]) -> Report:
        """What there is to say of the whole, by its days."""
        began = time.monotonic()
        report = Report(self.stored.path, [], list(days))
        report.whole += self._whole(report)
        report.notes += self._notes(report)
        report.seconds = time.monotonic() - began
        return report

    def look_at(self, dates: Sequence[Date], progress: Progress = lambda count: None) -> Iterator[DayReport]:
        """What there is to say of some days, in order."""
        for day in in_order(self._look_at, dates, self.workers or min(_MOST_WORKERS, processors())):
            progress(1)
            yield day

    def _look_at(self, date: Date) -> DayReport:
        day = self.stored.read(date)
        soundness = examine(day)
        compared = None if self.inputs is None or not day.finished else self.inputs.compare(day)
        return _report(day, soundness, compared)

    def _whole(self, report: Report) -> Iterator[Problem]:
        """What is wrong with the whole."""
        if not self.stored.is_store:
            yield from self._inputs_hash(report)
            return
        unmade = [day.date for day in report.days if not day.finished and day.planned]
        if status_of(self.stored.path) != COMPLETE:
            days = missing_days(unmade) if unmade else "no day missing"
            yield Problem(f"the store is unfinished: {days}; deepcams downscale completes it")
        if self.stored.planned is None:
            yield Problem("ledger/planned, the hours that are to be there, cannot be read")
        if self.stored.version == __version__:
            yield from check_metadata(self.stored, self.inputs.job if self.inputs else None)
        yield from leftovers(self.stored.path)

    def _inputs_hash(self, report: Report) -> Iterator[Problem]:
        """Whether a file was made from the inputs, by the one hash that it has of all of them."""
        made = {day.date: day.made for day in report.days}
        if self.inputs is None or any(day.comparison and day.comparison.left for day in report.days):
            return
        known = self.stored.attributes.get("deepcams_inputs_sha256")
        try:
            if self.inputs.digest_of(list(made), made) != known:
                yield Problem("made from other analyses: their hash is not deepcams_inputs_sha256")
        except InputError as error:
            yield Problem(f"the inputs cannot be read: {error}")

    def _notes(self, report: Report) -> Iterator[str]:
        if report.missing:
            days = [day.date for day in report.days if day.soundness.missing]
            why = "where CAMS has none" if self.inputs else "give --inputs to see whether CAMS has none there"
            yield f"{report.missing} values are missing ({named(days)}): {why}"
        if self.stored.is_store and self.stored.version != __version__:
            yield (f"made by deepcams {self.stored.version}, and this is {__version__}: metadata and coordinates are not "
                   "compared, and nothing can be repaired")  # fmt: skip
        if self.inputs is None:
            return
        if not self.inputs.conserving:
            yield "this method does not keep area means: they are not compared"
        compared = {day.date: day.comparison for day in report.days if day.comparison}
        for why in sorted({one.left for one in compared.values()} - {""}):
            yield f"not compared: {named(date for date, one in compared.items() if one.left == why)}: {why}"
        more = [date for date, one in compared.items() if one.more]
        if more:
            yield f"more analyses are known now than these days were made from: {named(more)}"


def _report(day: StoredDay, soundness: Soundness, compared: Comparison | None) -> DayReport:
    wrong = soundness.problems or (compared is not None and compared.problems)
    return DayReport(
        day.date,
        day.made,
        day.planned,
        day.finished,
        day.entry if wrong else None,  # years of them would take room
        day.values is not None and day.kinds is not None,
        day.bytes,
        soundness,
        compared,
    )
