"""The work on some days of a store, wherever it is done: in this process, in another one, on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from deepcams.checks import Tally
from deepcams.errors import CheckError, InputError
from deepcams.io.store import Store, attach
from deepcams.pipeline import Hour, Job, hours
from deepcams.production.order import Order, job_of
from deepcams.production.plan import Date, Survey, sources, survey, template_of
from deepcams.timeline import Day

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Task:
    """Some days of a store, to be looked at or made by another process.

    Attributes:
        order: what to downscale.
        path: the store, with its template.
        keepbits: mantissa bits kept.
        layout: of the store's chunks.
        dates: the days.
        threads: to compute with.
    """

    order: Order
    path: str | Path
    keepbits: int
    layout: str
    dates: tuple[Date, ...]
    threads: int

    def open(self) -> tuple[Job, Store, list[Day]]:
        """What is needed to work on it."""
        job = job_of(self.order)
        days = {day.date: day for day in job.timeline.days}
        return job, attach(self.path, template_of(job, self.keepbits, self.layout)), [days[date] for date in self.dates]


@dataclass
class Made:
    """What came of some days.

    Attributes:
        hours: maps written.
        tally: counts and checks.
        failures: why a day could not be made.
    """

    hours: int = 0
    tally: Tally = field(default_factory=Tally)
    failures: dict[Date, str] = field(default_factory=dict)

    def add(self, other: Made) -> None:
        """Add what came of other days."""
        self.hours += other.hours
        self.tally.add(other.tally)
        self.failures |= other.failures


def survey_task(task: Task) -> Survey:
    """Find out which days of a task are to be made.

    Raises:
        OutputError: if a day was made from other analyses.
    """
    return survey(*task.open())


def make_task(task: Task) -> Made:
    """Make the days of a task.

    Raises:
        OutputError: if a day cannot be written.
    """
    job, store, days = task.open()
    made = Made()
    make(job, store, days, made, task.threads)
    return made


def make(
    job: Job, store: Store, days: Sequence[Day], made: Made, threads: int, progress: Progress = lambda count: None
) -> None:
    """Make days, one after the other; one that cannot be made is left out, and said why.

    Args:
        job: what to compute.
        store: where to.
        days: the days, in the order of time.
        made: filled as days are written.
        threads: to compute with.
        progress: called with the number of hours done since the last call.

    Raises:
        OutputError: if a day cannot be written.
    """
    left = list(days)
    while left:
        try:
            maps = hours(job, made.tally, days=tuple(left), workers=threads)
            while left:
                # No map of the next day is asked for: what is wrong with it is not wrong with this one.
                _write(job, store, left[0], list(_reported(islice(maps, left[0].size), progress)), made)
                del left[0]
        except (InputError, CheckError) as error:
            made.failures[left.pop(0).date] = str(error)


def _write(job: Job, store: Store, day: Day, maps: Sequence[Hour], made: Made) -> None:
    first = day.date.astype("datetime64[h]")
    fields = {int((hour.time - first).astype(np.int64)): (hour.kind, hour.values) for hour in maps}
    store.write_day(day.date, fields, sources(job, day, made.tally.digests.__getitem__))
    made.hours += len(maps)


def _reported(maps: Iterator[Hour], progress: Progress) -> Iterator[Hour]:
    """The maps, each reported when the next is asked for."""
    for one in maps:
        yield one
        progress(1)
