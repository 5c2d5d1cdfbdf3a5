"""The method: read an analysis, sharpen it, follow the air to the next one, check, hand over hour by hour.

Analyses and intervals are worked on in the order of time by a few threads, each of them alone on its piece, so that
the result does not depend on how many there are. Nothing grows with the length of the period.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.checks import Tally, check_means, check_values, mass_drift
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Analyses
from deepcams.methods import SPACE_FIRST, Recipe, refuse_untrained
from deepcams.missing import Mask, fill, refine_mask
from deepcams.spatial.scene import Memo, Neighbour, Scene
from deepcams.sphere import from_blocks
from deepcams.temporal.setting import Analyses as Around
from deepcams.temporal.setting import Setting
from deepcams.threads import processors
from deepcams.timeline import Day, Step, TimeKind, Timeline, timeline
from deepcams.windows import Window, around, whole

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Hour:
    """One map of the result: values (rows, columns) float32 on the job's grid, NaN where missing."""

    time: np.datetime64
    kind: TimeKind
    values: Field


@dataclass(frozen=True)
class Job:
    """All that a downscaling is: data, method, grid and period. It is checked at birth and computes nothing.

    Attributes:
        analyses: the data.
        recipe: the method.
        factor: refinement in space, odd.
        region: what to keep; None for all.
        start: the first hour; None for the first analysis.
        end: the last hour; None for the last analysis.
        timeline: the hours that come of it.
        window: the part of the grid that it takes.

    Raises:
        InputError: if the period or the region is not in the data, or the factor is not 3, 5, ...
    """

    analyses: Analyses
    recipe: Recipe
    factor: int = 3
    region: Region | None = None
    start: np.datetime64 | None = None
    end: np.datetime64 | None = None
    timeline: Timeline = field(init=False)
    window: Window = field(init=False)

    def __post_init__(self) -> None:
        if self.factor < 3:
            raise InputError(f"refinement factor {self.factor}: wanted an odd one from 3 on (3, 5, ...)")
        refuse_untrained(self.recipe, self.analyses.species.name, self.factor)
        plan = timeline(self.analyses.times, self.analyses.step, self.start, self.end)
        object.__setattr__(self, "timeline", plan)
        object.__setattr__(self, "window", self._window())

    def _window(self) -> Window:
        grid = self.analyses.grid
        if self.region is None:
            return whole(grid, self.factor)
        in_time = self.recipe.time.halo / (self.factor if self.recipe.order == SPACE_FIRST else 1)
        return around(grid, self.factor, self.region, halo=(in_time + self.recipe.space.halo) * grid.step)

    @property
    def grid(self) -> Grid:
        """The grid of the result."""
        return self.window.fine

    def beside(self, number: int, reach: int | None = None) -> tuple[int, ...]:
        """Numbers of the analyses up to ``reach`` before and after one, as far as sharpening looks: none across a gap."""
        reach = self.recipe.space.context if reach is None else reach
        times = self.analyses.times
        step = np.timedelta64(self.analyses.step, "h")
        steps = [one for one in range(-reach, reach + 1) if one and 0 <= number + one < times.size]
        return tuple(number + one for one in steps if times[number + one] - times[number] == one * step)

    @property
    def reach(self) -> int:
        """How many analyses beyond its own ends the method looks at."""
        return max(self.recipe.space.context, self.recipe.time.context)

    def inputs(self, day: Day) -> tuple[int, ...]:
        """Numbers of the analyses that a day is made from."""
        sharpened = {one for number in day.analyses for one in (number, *self.beside(number))}
        return tuple(sorted(sharpened.union(*(self.beyond(step) for step in day.steps))))

    def beyond(self, step: Step) -> tuple[int, ...]:
        """Numbers of the analyses before and after the ends of a step, if the method in time looks at them."""
        context = self.recipe.time.context
        # Of an interval shorter than the step, none is as long before or after.
        if step.after is None or not context or step.after not in self.beside(step.before, context):
            return ()
        ends = {step.before, step.after}
        return tuple(one for end in sorted(ends) for one in self.beside(end, 1) if one not in ends)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told about the method on these data."""
        fine = self.recipe.order == SPACE_FIRST
        grid = self.window.coarse.refine(self.factor) if fine else self.window.coarse
        return (*self.recipe.notes, *self.recipe.time.notes(grid))

    @property
    def settings(self) -> dict[str, Any]:
        """What the values depend on besides the data, JSON-ready."""
        region = self.region and list(self.region.bounds)
        variable, epsilon = self.analyses.species.name, self.analyses.epsilon
        return self.recipe.settings | {
            "variable": variable,
            "factor": self.factor,
            "epsilon": epsilon,
            "region": region,
        }


def hours(job: Job, tally: Tally, *, days: Sequence[Day] | None = None, workers: int | None = None) -> Iterator[Hour]:
    """The maps of a job, or of some of its days, in the order of time.

    Args:
        job: what to compute.
        tally: filled as the maps are handed over.
        days: the days to make; None for all.
        workers: threads; None for one per processor.

    Raises:
        InputError: if an analysis cannot be read or has impossible values.
        CheckError: if a map breaks a promise of the method.
    """
    workers = workers or processors()
    pending: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        ends = _Ends(job, pool)
        try:
            for day in job.timeline.days if days is None else days:
                for step in day.steps:
                    before = ends.get(step.before)
                    after = None if step.after is None else ends.get(step.after)
                    pending.append(pool.submit(_make, job, step, before, after, ends.beyond(step)))
                    ends.forget(step.before)
                    while len(pending) > workers:
                        yield from _hand_over(pending.popleft().result(), tally)
            while pending:
                yield from _hand_over(pending.popleft().result(), tally)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Start:
    """An analysis read: on the window, without holes."""

    number: int
    coarse: Field
    missing: Mask | None
    noise: int
    digest: str
    memo: Memo = field(default_factory=Memo)


@dataclass(frozen=True)
class _End:
    """An analysis ready for use: sharpened on the window's refinement."""

    start: _Start
    beside: list[_Start]  # what sharpening looked at
    fine: Field
    missing: Mask | None  # on the refinement
    mean_error: float


@dataclass(frozen=True)
class _Made:
    """The maps of one step and what was found on the way."""

    maps: list[Hour]
    ends: list[_End]
    beyond: list[_Start]  # what the hours between looked at besides the ends
    drift: float


class _Ends:
    """Analyses read and sharpened once each by a pool, kept while they are needed.

    A task waits only for tasks handed to the pool before it, so that they never all wait.
    """

    def __init__(self, job: Job, pool: ThreadPoolExecutor) -> None:
        self._job, self._pool = job, pool
        self._starts: dict[int, Future[_Start]] = {}
        self._ends: dict[int, Future[_End]] = {}

    def get(self, number: int) -> Future[_End]:
        """The sharpened analysis of a number."""
        if number not in self._ends:
            start = self._start(number)
            beside = [self._start(one) for one in self._job.beside(number)]
            self._ends[number] = self._pool.submit(_sharpened, self._job, start, beside)
        return self._ends[number]

    def beyond(self, step: Step) -> list[Future[_Start]]:
        """The analyses before and after the ends of a step, if the method in time looks at them."""
        return [self._start(one) for one in self._job.beyond(step)]

    def forget(self, number: int) -> None:
        """Drop what no analysis after this one looks at."""
        self._starts = {one: start for one, start in self._starts.items() if one > number - self._job.reach}
        self._ends = {one: end for one, end in self._ends.items() if one >= number}

    def _start(self, number: int) -> Future[_Start]:
        if number not in self._starts:
            self._starts[number] = self._pool.submit(_read, self._job, number)
        return self._starts[number]


def _read(job: Job, number: int) -> _Start:
    analysis = job.analyses.read(number)
    coarse, missing = fill(job.window.take(analysis.values), job.window.coarse)
    return _Start(number, coarse, missing, analysis.noise, analysis.digest)


def _sharpened(job: Job, own: Future[_Start], others: Sequence[Future[_Start]]) -> _End:
    start, beside = own.result(), [other.result() for other in others]
    grid = job.window.coarse
    fine = _sharpen(job, start.coarse, [_neighbour(job, start, other) for other in beside], start.memo)
    error = check_means(fine, start.coarse, grid, job.factor) if job.recipe.space.conserving else float("nan")
    return _End(start, beside, fine, refine_mask(start.missing, grid, job.factor), error)


def _neighbour(job: Job, start: _Start, other: _Start) -> Neighbour:
    """An analysis as its neighbour sees it: what is missing in it is as it is there."""
    hours = _length(job, start, other)
    if other.missing is None:
        return Neighbour(other.coarse, hours, other.memo)
    return Neighbour(np.where(other.missing, start.coarse, other.coarse), hours)


def _length(job: Job, first: _Start, second: _Start) -> float:
    """Hours from one analysis to another."""
    return float((job.analyses.times[second.number] - job.analyses.times[first.number]).astype(np.int64))


def _sharpen(job: Job, coarse: Field, neighbours: Sequence[Neighbour], memo: Memo | None = None) -> Field:
    scene = Scene(coarse, job.window.coarse, job.factor, job.analyses.epsilon, tuple(neighbours), memo=memo or Memo())
    fine: Field = from_blocks(job.recipe.space.sharpen(scene), job.window.coarse)
    return fine


def _make(
    job: Job, step: Step, before_end: Future[_End], after_end: Future[_End] | None, others: Sequence[Future[_Start]]
) -> _Made:
    """The maps of one step: the analysis, if it is asked for, and the hours between it and the next."""
    before, beyond = before_end.result(), [other.result() for other in others]
    ends = [before]
    between: dict[float, Field] = {}
    if after_end is not None:
        ends.append(after_end.result())
        fractions = [fraction for fraction in step.fractions if fraction > 0]
        between = dict(zip(fractions, _between(job, ends[0], ends[1], beyond, fractions), strict=True))
    maps, drift = [], 0.0
    for time, fraction in zip(step.times, step.fractions, strict=True):
        values = between[fraction] if fraction else before.fine
        check_values(values, f"{time}:00 UTC")
        drift = max(drift, _drift(job, values, ends, fraction))
        masks = [end.missing for end in (ends if fraction else ends[:1]) if end.missing is not None]
        kind = TimeKind.INTERPOLATED if fraction else TimeKind.ANALYSIS
        maps.append(Hour(time, kind, job.window.keep(_masked(values, masks))))
    return _Made(maps, ends, beyond, drift)


def _drift(job: Job, values: Field, ends: Sequence[_End], fraction: float) -> float:
    """How far the total mass of a map is from the line between its analyses; none for an analysis."""
    if not fraction:
        return 0.0
    kept, before, after = (job.window.keep(one) for one in (values, ends[0].fine, ends[1].fine))
    return mass_drift(kept, before, after, fraction, job.grid.areas)


def _between(job: Job, before: _End, after: _End, beyond: Sequence[_Start], fractions: Sequence[float]) -> list[Field]:
    """The hours between two analyses on the window's refinement, in the recipe's order of time and space."""
    setting = _setting(job, before.start, after.start, beyond)
    if job.recipe.order == SPACE_FIRST:
        fine = replace(setting, grid=setting.grid.refine(job.factor))
        return job.recipe.time.between(before.fine, after.fine, fractions, fine)
    first, last, length = before.start, after.start, setting.hours
    fields = job.recipe.time.between(first.coarse, last.coarse, fractions, setting)

    def neighbours(t: float) -> list[Neighbour]:
        away = ((first, -t * length), (last, (1 - t) * length))
        return [Neighbour(end.coarse, hours, end.memo) for end, hours in away]

    return [_sharpen(job, one, neighbours(t)) for one, t in zip(fields, fractions, strict=True)]


def _setting(job: Job, first: _Start, last: _Start, beyond: Sequence[_Start]) -> Setting:
    """What a method in time must know of an interval, on the coarse grid."""
    coarse = job.window.coarse
    there = {one.number: one.coarse if one.missing is None else _masked(one.coarse, [one.missing]) for one in beyond}
    earlier, later = there.get(first.number - 1), there.get(last.number + 1)
    around = Around(coarse, first.coarse, last.coarse, earlier, later)
    start = job.analyses.times[first.number]
    return Setting(coarse, _length(job, first, last), job.analyses.epsilon, start, around)


def _masked(values: Field, masks: Sequence[Mask]) -> Field:
    """The map with NaN wherever an analysis that it is made from is missing."""
    if not masks:
        return values
    masked: Field = np.where(np.logical_or.reduce(masks), np.float32(np.nan), values)
    return masked


def _hand_over(made: _Made, tally: Tally) -> Iterator[Hour]:
    """Count what was made, and give its maps."""
    for start in (*made.beyond, *(one for end in made.ends for one in (end.start, *end.beside))):
        tally.add_analysis(start.number, start.digest, noise=start.noise)
    for end in made.ends:
        tally.mean_error = float(np.fmax(tally.mean_error, end.mean_error))
    tally.drift = max(tally.drift, made.drift)
    for hour in made.maps:
        tally.hours += 1
        tally.analyses += hour.kind is TimeKind.ANALYSIS
        tally.missing += int(np.isnan(hour.values).sum())
        tally.highest = float(np.fmax(tally.highest, np.fmax.reduce(hour.values, axis=None)))
        yield hour
