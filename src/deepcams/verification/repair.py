"""Making the days of a store again that did not stand up to verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from deepcams import __version__
from deepcams.checks import Tally
from deepcams.errors import CheckError, InputError
from deepcams.io.locks import Claim
from deepcams.io.output import writing
from deepcams.io.store import Store, claimed, content_digest, prepare
from deepcams.io.template import DAY, Template
from deepcams.pipeline import hours
from deepcams.production.plan import sources
from deepcams.production.work import Made, make
from deepcams.rounding import bitround
from deepcams.threads import processors
from deepcams.timeline import Day, named
from deepcams.verification.compare import Inputs
from deepcams.verification.metadata import template_of_store
from deepcams.verification.problems import Date
from deepcams.verification.stored import Stored, files_of_day, open_stored
from deepcams.verification.verify import DayReport, Report, Verification

Progress = Callable[[int], None]


@contextmanager
def alone(path: Path) -> Iterator[IO[str]]:
    """Let nobody else write a store while it is verified and repaired; yields its log.

    Raises:
        OutputError: if another run is writing it.
    """
    with claimed(path, Claim()) as log:
        yield log


def repair(check: Verification, report: Report, log: IO[str], progress: Progress = lambda count: None) -> Report:
    """Make failed days again, write damaged metadata anew, and look at them again.

    What is made again has the same bytes as before if it is made from the same analyses by the same versions. A day is
    left as it is if the inputs do not have what it was made from.

    Args:
        check: what was verified, with inputs.
        report: what was found.
        log: of the store, on which this process holds the claim.
        progress: called with the number of hours made since the last call.

    Returns:
        What there is to say after the repair.

    Raises:
        InputError: if it cannot be repaired at all.
        OutputError: if it cannot be written.
    """
    if not report.problems:
        return report
    work = _Repair(check.stored, _inputs_of(check), report, check.workers or processors())
    days, refused = work.sort_out()
    if refused and not days and not report.whole:
        return replace(report, unrepaired=refused)
    for date in days:  # before the store says that it is unfinished: a run that goes on must not take them for made
        work.forget(date, whole=days[date] is None)
    store = prepare(Store(check.stored.path, work.template, [log]))
    store.log("repairing", days=len(days))
    made = Made(failures=dict(refused))
    make(work.inputs.job, store, [day for day in days.values() if day is not None], made, work.threads, progress)
    if not store.unmade():
        store.complete()
    store.log("repaired", hours=made.hours, failures=len(made.failures))
    return _again(check, report, list(days), made)


def refuse_repair(stored: Stored, *, has_inputs: bool) -> None:
    """Refuse to repair what cannot be, before any work is done.

    Raises:
        InputError: if it is no store, was made by another version, or there are no inputs.
    """
    if not stored.is_store:
        raise InputError(
            f"{stored.path}: only a Zarr store can be repaired; write a file again with deepcams downscale"
        )
    if not has_inputs:
        raise InputError("--repair makes days again: give the CAMS files with --inputs")
    if stored.version != __version__:
        raise InputError(f"{stored.path}: was made by deepcams {stored.version}, and this is {__version__}: a repair would mix "
                         "the two; repair it with the version that made it")  # fmt: skip


def _inputs_of(check: Verification) -> Inputs:
    refuse_repair(check.stored, has_inputs=check.inputs is not None)
    if check.stored.planned is None and not check.is_whole:
        raise InputError(
            f"{check.stored.path}: the plan of all its days is damaged: repair it without --start and --end"
        )
    if check.inputs is None:  # refused above
        raise InputError("there are no inputs")
    return check.inputs


def _again(check: Verification, before: Report, dates: list[Date], made: Made) -> Report:
    """Look again at days that were made again, and at the whole."""
    fresh = replace(check, stored=open_stored(check.stored.path))
    old = {day.date: day for day in before.days}
    new = {day.date: day for day in fresh.look_at(dates)}
    report = fresh.sum_up([new.get(date, day) for date, day in old.items()])
    report.seconds += before.seconds
    report.repaired = [date for date, day in new.items() if not day.problems]
    report.unrepaired = dict(made.failures)
    other = [date for date in report.repaired if _is_other(old[date], new[date])]
    if other:
        report.notes.append(f"came out otherwise than the ledger knew them, from more analyses or with other versions of "
                            f"libraries: {named(other)}")  # fmt: skip
    return report


def _is_other(old: DayReport, new: DayReport) -> bool:
    """Whether a day's values are others than they were, though these were known."""
    known = {old.entry.values, old.soundness.digest} if old.entry is not None else set()
    return bool(known) and new.soundness.digest not in known


def _contradicts(planned: int, made: int, possible: int) -> bool:
    """Whether hours cannot have been planned: others were made, or some cannot be made."""
    return bool(made & ~planned or planned & ~possible)


@dataclass(frozen=True)
class _Repair:
    """The repair of a store.

    Attributes:
        stored: the store.
        inputs: what its days are made from.
        report: what was found.
        threads: to compute with.
        planned: (days,) the hours that are to be there, put right where all else says otherwise.
    """

    stored: Stored
    inputs: Inputs
    report: Report
    threads: int
    planned: NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "planned", self._plan())

    @property
    def template(self) -> Template:
        """What the store is to be."""
        return template_of_store(self.stored, self.inputs.job, self.planned)

    def sort_out(self) -> tuple[dict[Date, Day | None], dict[Date, str]]:
        """The failed days that can be made again (None: nothing is to be there), and why others cannot."""
        days: dict[Date, Day | None] = {}
        refused: dict[Date, str] = {}
        differs = False
        for report in self.report.failed:
            wanted = int(self.planned[self._number(report.date)])
            day = self.inputs.day(report.date, wanted)
            why = self._lacks(report, day) if wanted else ""
            other = not why and day is not None and self._is_from_others(report, day)
            # One that comes out otherwise tells that the inputs are others: then no more days are tried.
            if other and day is not None and (differs or not self._gives_back(report, day)):
                differs, why = True, "the inputs are not those that it was made from"
            if why:
                refused[report.date] = why
            else:
                days[report.date] = day if wanted else None
        return days, refused

    def forget(self, date: Date, *, whole: bool) -> None:
        """Remove a day's row from the ledger, and what is unreadable or not to be there.

        Without its row a day counts as not made, whatever happens next; zarr does not write over a shard that it cannot
        read.
        """
        report = next(day for day in self.report.failed if day.date == date)
        row, *others = files_of_day(self.stored.settings["variable"], self._number(date))
        with writing(self.stored.path):
            for name in (row, *others) if whole or not report.readable else (row,):
                (self.stored.path / name).unlink(missing_ok=True)

    def _plan(self) -> NDArray[np.uint32]:
        known = self.stored.planned
        planned = np.zeros(len(self.stored.dates), np.uint32) if known is None else known.copy()
        for day in self.report.days:
            number, possible = self._number(day.date), self.inputs.hours(day.date)
            made = day.made or (day.soundness.valued if day.soundness.kept else 0)
            if known is None or (day.finished and not known[number]):  # what is made was planned
                planned[number] = made or possible
            elif day.soundness.kept and made and (made == possible or _contradicts(int(known[number]), made, possible)):
                planned[number] = made
        return planned

    def _number(self, date: Date) -> int:
        return int((date - self.stored.dates[0]).astype(np.int64))

    def _lacks(self, report: DayReport, day: Day | None) -> str:
        """What the inputs lack to make a day again; empty for nothing."""
        if day is None:
            return "the inputs do not have the analyses for all its hours"
        try:
            sources(self.inputs.job, day, self.inputs.digest)
        except InputError as error:
            return str(error)
        if report.entry is None:
            for beside in (report.date - 1, report.date + 1):
                number = self._number(beside)
                inside = 0 <= number < self.planned.size
                if inside and int(self.planned[number]) & ~self.inputs.hours(beside):
                    return f"what it was made from is not known, and the inputs do not have all of {beside} beside it"
        return ""

    def _is_from_others(self, report: DayReport, day: Day) -> bool:
        """Whether the ledger says that a day was made from analyses that the inputs do not have."""
        if report.entry is None:
            return False
        now = sources(self.inputs.job, day, self.inputs.digest)
        return any(now.get(hour) != digest for hour, digest in report.entry.analyses.items())

    def _gives_back(self, report: DayReport, day: Day) -> bool:
        """Whether the inputs give the values that are there or were: then it is the ledger that is damaged."""
        values = np.full((DAY, *self.inputs.job.grid.shape), np.nan, np.float32)
        first = day.date.astype("datetime64[h]")
        try:
            for one in hours(self.inputs.job, Tally(), days=(day,), workers=self.threads):
                values[int((one.time - first).astype(np.int64))] = bitround(one.values, self.stored.keepbits)
        except (InputError, CheckError):
            return False
        known = {report.soundness.digest, report.entry.values if report.entry is not None else ""}
        return content_digest(values) in known
