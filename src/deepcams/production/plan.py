"""The plan of a store: which UTC days are to be made from which analyses, and which are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from deepcams.downscaling import product_of
from deepcams.errors import InputError, OutputError
from deepcams.io.ledger import FIRST, LAST, Entry, mask_of
from deepcams.io.store import Store
from deepcams.io.template import MAPS, Template
from deepcams.pipeline import Job
from deepcams.timeline import Day

Date = np.datetime64
_REMEMBERED = 64  # analyses of a few days
_LONGEST = 24  # hours between analyses for which those of a day's neighbourhood are within the ledger's hours


@dataclass
class Survey:
    """What was found of the days of a plan.

    Attributes:
        missing: days that are to be made.
        kept: days that an earlier run finished, from the same analyses.
        failures: why a day could not be looked at.
    """

    missing: list[Date] = field(default_factory=list)
    kept: list[Date] = field(default_factory=list)
    failures: dict[Date, str] = field(default_factory=dict)

    def add(self, other: Survey) -> None:
        """Add what was found of other days."""
        self.missing += other.missing
        self.kept += other.kept
        self.failures |= other.failures


def template_of(job: Job, keepbits: int, layout: str = MAPS) -> Template:
    """What the store of a job is.

    Raises:
        InputError: if its analyses are more than a day apart.
    """
    if job.analyses.step > _LONGEST:
        raise InputError(
            f"analyses {job.analyses.step} hours apart: wanted at most {_LONGEST} for a store; write a .nc file"
        )
    dates = [day.date for day in job.timeline.days]
    planned = np.zeros(int((dates[-1] - dates[0]).astype(np.int64)) + 1, np.uint32)
    for day in job.timeline.days:
        planned[int((day.date - dates[0]).astype(np.int64))] = hours_mask(day)
    return Template(product_of(job), dates[0], planned, keepbits, layout)


def hours_mask(day: Day) -> int:
    """The hours of a day: bit h for h UTC."""
    first = day.date.astype("datetime64[h]")
    return mask_of((time - first).astype(np.int64) for step in day.steps for time in step.times)


def sources(job: Job, day: Day, digest: Callable[[int], str]) -> dict[int, str]:
    """Content hashes of the analyses that a day is made from, by the hour counted from 00 UTC of the day."""
    first = day.date.astype("datetime64[h]")
    by_hour = {int((job.analyses.times[one] - first).astype(np.int64)): one for one in job.inputs(day)}
    return {hour: digest(number) for hour, number in by_hour.items() if FIRST <= hour <= LAST}


def survey(job: Job, store: Store, days: Sequence[Day]) -> Survey:
    """Find out which days are to be made: those that are not finished, or were with less knowledge than there is now.

    A day is finished anew if its analyses are those it was made from and some more, such as those after the last day
    of an earlier run, or if it has more hours to be made.

    Raises:
        OutputError: if a day was made from other analyses.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def digest(number: int) -> str:
        return job.analyses.read(number).digest

    found = Survey()
    for day in days:
        entry = store.finished(day.date)
        if entry is None:
            found.missing.append(day.date)
            continue
        try:
            now = sources(job, day, digest)
        except InputError as error:
            found.failures[day.date] = f"cannot be compared with what it was made from: {error}"
            continue
        added = hours_mask(day) & ~store.made(day.date)
        outdated = _is_outdated(store, day.date, entry, now, more_hours=bool(added))
        (found.missing if outdated else found.kept).append(day.date)
    return found


def _is_outdated(store: Store, date: Date, entry: Entry, now: Mapping[int, str], *, more_hours: bool) -> bool:
    """Whether a finished day is to be made again.

    Raises:
        OutputError: if it was made from other analyses than there are now.
    """
    before = entry.analyses
    changed = sorted(hour for hour in before.keys() & now.keys() if before[hour] != now[hour])
    if changed:
        when = _moment(date, changed[0])
        raise OutputError(f"{store.path}: {date} was made from other values: the analysis of {when} UTC is not the same now; "
                          "give the same inputs, another name, or --overwrite to start anew")  # fmt: skip
    if now.keys() <= before.keys() and not more_hours:
        return False
    absent = sorted(before.keys() - now.keys())
    if absent:
        when = _moment(date, absent[0])
        raise OutputError(f"{store.path}: {date} is to be made again, since more is known now; the analysis of {when} UTC, "
                          "which it was made from, is not among the inputs: give it as well")  # fmt: skip
    return True


def outdated(job: Job, store: Store) -> list[Date]:
    """Finished days of a job that were made without an analysis that there is now, as far as is seen without reading."""

    def added(day: Day) -> bool:
        entry = store.finished(day.date)
        return entry is not None and not sources(job, day, lambda number: "").keys() <= entry.analyses.keys()

    return [day.date for day in job.timeline.days if added(day)]


def _moment(date: Date, hour: int) -> str:
    return str(date.astype("datetime64[h]") + hour)


def batches(dates: Iterable[Date], workers: int, longest: int = 16) -> list[tuple[Date, ...]]:
    """Runs of days for workers: consecutive ones, since neighbours share analyses; enough of them to share out evenly."""
    left = sorted(dates)
    size = max(1, min(longest, len(left) // (3 * workers)))
    return [tuple(left[start : start + size]) for start in range(0, len(left), size)]


def part_of(days: Sequence[Day], part: int, parts: int) -> Sequence[Day]:
    """Part number ``part`` (from 1 on) of ``parts``: consecutive days, about as many in each."""
    return days[(part - 1) * len(days) // parts : part * len(days) // parts]
