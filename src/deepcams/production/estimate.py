"""What a run would do, and about how long it would take: its first hours are made, and the rest reckoned from them."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path

import numpy as np

from deepcams.checks import Tally
from deepcams.io.output import free_space, suffix_of
from deepcams.io.store import finished_days
from deepcams.io.template import stored_size
from deepcams.pipeline import Hour, Job, hours
from deepcams.production.run import STORE, Crew
from deepcams.threads import processors
from deepcams.urls import label_of, location

_PROBED = 7  # hours: two intervals and the analyses around them
_GIGABYTE = 1e9
_HELD = 2.5  # days of maps in memory: the one being written, its rounded copy, what has been made of the next


@dataclass(frozen=True)
class Estimate:
    """A plan, and what it would take.

    Attributes:
        job: what to compute.
        path: the output.
        crew: who would do it.
        hours: maps to be made.
        days: days to be made.
        finished: days of the store that are there already.
        seconds: of one processor, for a map.
        size: bytes of a map in the output.
        memory: bytes of a worker at most.
        free: bytes free on the output's disk; infinite at a URL.
    """

    job: Job
    path: str | Path
    crew: Crew
    hours: int
    days: int
    finished: int
    seconds: float
    size: float
    memory: float
    free: float

    @property
    def lines(self) -> list[str]:
        """For people."""
        times, settings, workers = self.job.timeline.times, self.job.recipe.settings, self.crew.workers
        space = self.hours * self.size
        alone = _duration(self.hours * self.seconds)
        short = "" if space < self.free else ": NOT ENOUGH"
        free = "" if self.free == inf else f"; {_size(self.free)} are free there{short}"
        lines = [
            f"{label_of(self.path)}: would be made of {len(self.job.analyses.files)} files, {times[0]} to {times[-1]} UTC",
            f"grid      {self.job.grid}",
            f"method    {settings['method']}: {settings['space']} in space, {settings['time']} in time, {settings['order']}",
            f"items     {self.days} days to be made, {self.hours} hours",
            f"space     about {_size(space)}{free}",
            f"time      about {alone} of one processor ({self.seconds:.2g} s a map){self._shared}",
            f"memory    about {_size(self.memory)}{' for each worker' * (workers > 1)}, however long the period",
        ]
        lines += (
            [f"kept      {self.finished} days that are finished, if their inputs are the same"] if self.finished else []
        )
        lines += [
            f"gap       nothing between {a} and {b} UTC: further apart than the step" for a, b in self.job.timeline.gaps
        ]
        return lines + [f"note      {note}" for note in (*self.job.analyses.notes, *self.job.notes)]

    @property
    def _shared(self) -> str:
        """The time with all processors."""
        if self.crew.scheduler:
            return ", divided among the workers of the scheduler"
        shared = min(processors(), self.crew.workers * self.crew.threads_each)
        return f", {_duration(self.hours * self.seconds / shared)} with {shared}"


def estimate(job: Job, path: str | Path, *, keepbits: int, layout: str, crew: Crew) -> Estimate:
    """Plan a run, and make its first hours to know what it would take. Nothing is written.

    Args:
        job: what to compute.
        path: the output.
        keepbits: mantissa bits to keep.
        layout: of a store's chunks.
        crew: who would do it.

    Raises:
        InputError: if the first analyses cannot be read.
    """
    path = location(path)
    done = finished_days(path) if suffix_of(path) == STORE else set()
    days = [day for day in crew.days_of(job) if day.date not in done]
    probed, seconds = _probe(job)
    size = stored_size(np.stack([hour.values for hour in probed]), keepbits, layout) / len(probed)
    buffers = _HELD * 24 * probed[0].values.nbytes
    return Estimate(
        job=job,
        path=path,
        crew=crew,
        hours=sum(day.size for day in days),
        days=len(days),
        finished=len(crew.days_of(job)) - len(days),
        seconds=seconds,
        size=size,
        memory=_peak() + (buffers if suffix_of(path) == STORE else 0),
        free=inf if isinstance(path, str) else free_space(path),
    )


def _probe(job: Job) -> tuple[list[Hour], float]:
    """The first hours, and the seconds of one processor that one of them takes after the libraries are loaded."""
    first = list(islice(hours(job, Tally(), workers=1), 1))
    began = time.process_time()
    made = list(islice(hours(job, Tally(), workers=1), _PROBED))
    return made or first, (time.process_time() - began) / max(len(made), 1)


def _peak() -> int:
    """The largest memory of this process so far, bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _size(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / _GIGABYTE:.3g} GB" if count >= _GIGABYTE / 10 else f"{count / _GIGABYTE * 1000:.3g} MB"


def _duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
