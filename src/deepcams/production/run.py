"""Running a downscaling: one machine or many, to a store or to files, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deepcams.checks import Tally
from deepcams.errors import IncompleteError, InputError, WriteError
from deepcams.io.locks import Claim
from deepcams.io.output import check_output, check_space, refuse_input, suffix_of
from deepcams.io.store import Store, claimed, open_or_create, prepare, status_of
from deepcams.io.template import COMPLETE, MAPS
from deepcams.pipeline import Job
from deepcams.production.files import FILE, write_files
from deepcams.production.order import Order
from deepcams.production.plan import Date, Survey, batches, outdated, part_of, survey, template_of
from deepcams.production.processes import run_here
from deepcams.production.work import Made, Progress, Task, make, make_task, survey_task
from deepcams.rounding import KEEPBITS
from deepcams.threads import processors
from deepcams.timeline import Day, missing_days
from deepcams.urls import label_of, location

STORE = ".zarr"
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Crew:
    """Who does the work.

    Attributes:
        workers: processes; 1 for this one alone.
        threads: of each process; None for the processors divided among them.
        scheduler: address of a Dask scheduler, whose workers do it then; None for this machine.
        claim: the part of the days that this run makes.
    """

    workers: int = 1
    threads: int | None = None
    scheduler: str | None = None
    claim: Claim = field(default_factory=Claim)

    def days_of(self, job: Job) -> Sequence[Day]:
        """The days of a job that this run makes."""
        days = job.timeline.days
        return days if self.claim.whole else part_of(days, self.claim.part, self.claim.parts)

    def hours_of(self, job: Job) -> int:
        """How many hours they have."""
        return sum(day.size for day in self.days_of(job))

    @property
    def threads_each(self) -> int:
        """Threads of a process."""
        if self.threads is not None:
            return self.threads
        return 1 if self.scheduler else max(1, processors() // self.workers)


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        path: the output, as people should see it.
        hours: maps written.
        kept: maps that an earlier run had written already.
        seconds: how long it took.
        tally: counts and checks.
        job: what was asked for.
        failures: why a day could not be made.
        complete: whether the output has all that it is to have.
    """

    path: str | Path
    hours: int
    kept: int
    seconds: float
    tally: Tally
    job: Job
    failures: Mapping[Date, str] = field(default_factory=dict)
    complete: bool = True


def downscale_to(
    work: Job | Order,
    path: str | Path,
    *,
    job: Job | None = None,
    keepbits: int = KEEPBITS,
    layout: str = MAPS,
    crew: Crew | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Downscale to a NetCDF file, to monthly ones, or to a Zarr store, by the suffix of ``path``.

    Args:
        work: what to compute; several processes and clusters want an order, which they can be sent.
        path: ``.nc`` is written under a temporary name and renamed; with ``%Y`` and ``%m`` in its name it is one file for
            each month. ``.zarr`` says that it is unfinished until it is complete; a later run of the same work completes
            it, and one of more data extends it.
        job: the order's, if it is open already.
        keepbits: mantissa bits to keep; 23 keeps all.
        layout: of a store's chunks: ``maps`` or ``series``.
        crew: who does it; None for this process, with a thread for each processor.
        overwrite: whether an existing output may be replaced.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if an analysis cannot be read, and nothing could be made.
        OutputError: if the output cannot be written; a NetCDF file is then not left, a store keeps its finished days.
        CheckError: if a map breaks a promise of the method, and nothing could be made.
    """
    began = time.monotonic()
    crew = crew or Crew()
    job = job or (work.job() if isinstance(work, Order) else work)
    path = location(path)
    is_store = suffix_of(path) == STORE
    check_output(path, (FILE, STORE), overwrite=True)  # first whether it is a place at all
    resumed = overwrite or (is_store and status_of(path) is not None)
    check_output(path, (FILE, STORE), overwrite=resumed)
    refuse_input(path, job.analyses.files)
    _refuse_crew(crew, work, is_store=is_store, overwrite=overwrite)
    if isinstance(path, str) or is_store:
        return _Production(work, job, path, keepbits, layout, crew, progress).run(began, overwrite=overwrite)
    check_space(path, job.timeline.times.size * job.grid.rows * job.grid.columns)
    tally = Tally()
    kept = write_files(
        job,
        path,
        tally,
        keepbits=keepbits,
        threads=crew.threads or processors(),
        overwrite=overwrite,
        progress=progress,
    )
    return Summary(path, tally.hours, kept, time.monotonic() - began, tally, job)


def _refuse_crew(crew: Crew, work: Job | Order, *, is_store: bool, overwrite: bool) -> None:
    """Refuse who cannot do the work."""
    if not is_store and (crew.scheduler or not crew.claim.whole):
        raise InputError("a NetCDF file is written by one process: give a .zarr output for --scheduler or --shard")
    if overwrite and not crew.claim.whole:
        raise InputError(
            "--overwrite with --shard would remove what other parts have made: remove the store yourself first"
        )
    if isinstance(work, Job) and (crew.scheduler or crew.workers > 1):
        raise InputError("several processes cannot share a Job: give an Order")


@dataclass(frozen=True)
class _Production:
    """The making of a store."""

    work: Job | Order
    job: Job
    path: str | Path
    keepbits: int
    layout: str
    crew: Crew
    progress: Progress

    def run(self, began: float, *, overwrite: bool) -> Summary:
        """Make the days that the store lacks; without any finished day, nothing of it is left when the work fails."""
        template = template_of(self.job, self.keepbits, self.layout)
        with claimed(self.path, self.crew.claim) as log, ExitStack() as undo:
            store = open_or_create(self.path, template, log, overwrite=overwrite)
            if self.crew.claim.whole:
                undo.callback(store.drop_if_empty)
            days = {day.date: day for day in self.crew.days_of(self.job)}
            found = self._survey(store, list(days.values()))
            kept = [days[date] for date in found.kept]
            self.progress(sum(day.size for day in kept))
            made = Made(failures=dict(found.failures))
            if found.missing:
                missing = [days[date] for date in sorted(found.missing)]
                check_space(self.path, sum(day.size for day in missing) * self.job.grid.rows * self.job.grid.columns)
                store = prepare(store)
                self._make(store, missing, made)
            if made.failures and not made.hours and not kept and self.crew.claim.whole:
                raise InputError(next(iter(made.failures.values())))
            complete = self._complete(store, made)
            undo.pop_all()
        hours_kept = sum(day.size for day in kept)
        seconds = time.monotonic() - began
        return Summary(
            label_of(self.path), made.hours, hours_kept, seconds, made.tally, self.job, made.failures, complete
        )

    def _survey(self, store: Store, days: Sequence[Day]) -> Survey:
        """Which days are to be made."""
        if self._is_alone:
            return survey(self.job, store, days)
        found = Survey()
        finished: list[Date] = []  # only these are worth another process: their analyses are read
        for day in days:
            (found.missing if store.finished(day.date) is None else finished).append(day.date)
        for _, part in self._shared_out(survey_task, finished):
            found.add(part)
        return found

    def _make(self, store: Store, days: Sequence[Day], made: Made) -> None:
        store.log("started", days=len(days))
        try:
            if self._is_alone:
                make(self.job, store, days, made, self.crew.threads_each, self.progress)
                return
            sizes = {day.date: day.size for day in days}
            for task, part in self._shared_out(make_task, list(sizes)):
                made.add(part)
                self.progress(sum(sizes[date] for date in task.dates))
        except WriteError as error:
            store.log("failed", why=str(error))
            missing = sorted({day.date for day in days} & set(store.unmade()))
            if len(missing) < len(days):
                raise IncompleteError(
                    f"{error}; {missing_days(missing)}: the same command goes on from here"
                ) from error
            raise

    @property
    def _is_alone(self) -> bool:
        return self.crew.workers == 1 and self.crew.scheduler is None

    def _shared_out(self, function: Callable[[Task], _Result], dates: Sequence[Date]) -> Iterator[tuple[Task, _Result]]:
        """The results of a function on days, shared out among the crew."""
        order: Any = self.work

        def tasks(workers: int) -> list[Task]:
            parts = batches(dates, workers)
            return [Task(order, self.path, self.keepbits, self.layout, part, self.crew.threads_each) for part in parts]

        if not dates:
            return
        if self.crew.scheduler is None:
            yield from run_here(function, tasks(self.crew.workers), self.crew.workers)
            return
        from deepcams.production.cluster import connect, run_there, threads_of

        with connect(self.crew.scheduler) as client:
            yield from run_there(client, function, tasks(threads_of(client)))

    def _complete(self, store: Store, made: Made) -> bool:
        """Let the store say that it is complete, if it is."""
        complete = not store.unmade() and not outdated(self.job, store)
        if complete and status_of(self.path) != COMPLETE:
            store.complete()
        if made.hours or made.failures:
            store.log("completed" if complete else "ended", hours=made.hours, failures=len(made.failures))
        return complete
