"""A day of a result against the CAMS files it was made from: content hashes, hours, missing values, area means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.conserve import area_mean
from deepcams.conventions import coordinate_arrays
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Analysis
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.methods import DEFAULT, RECIPES, Recipe, recipe
from deepcams.missing import Mask, refine_mask
from deepcams.pipeline import Job
from deepcams.production.plan import Date, hours_mask, sources
from deepcams.provenance import digest_of
from deepcams.rounding import MANTISSA
from deepcams.timeline import Day, Step, TimeKind
from deepcams.verification.problems import Problem, by_hours
from deepcams.verification.stored import Stored, StoredDay

_REMEMBERED = 64  # analyses of a few days
_PRECISION = 2e-6  # of area means before rounding, as when they are made
_NEAR = 2e-5  # degrees: float32 coordinates carry no more
Field = NDArray[np.float32]


@dataclass(frozen=True)
class Comparison:
    """What the inputs say of a day.

    Attributes:
        problems: what is not as in the inputs.
        other: whether an analysis is not the one that the day was made from.
        more: whether analyses are known now that it was made without.
        left: what could not be compared.
        error: the largest relative difference of area means from CAMS; NaN if none was compared.
    """

    problems: tuple[Problem, ...] = ()
    other: bool = False
    more: bool = False
    left: str = ""
    error: float = float("nan")


@dataclass(frozen=True, eq=False)
class Inputs:
    """The CAMS files that a result was made from, and the job that would make it again.

    Attributes:
        job: made from the result's settings.
        keepbits: mantissa bits that the result keeps.
        days: the job's days, by date.
        read: reads an analysis by its number, and remembers a few.
    """

    job: Job
    keepbits: int
    days: Mapping[Date, Day] = field(init=False)
    read: Callable[[int], Analysis] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", {day.date: day for day in self.job.timeline.days})
        object.__setattr__(self, "read", lru_cache(_REMEMBERED)(self.job.analyses.read))

    @property
    def conserving(self) -> bool:
        """Whether the method keeps area means."""
        return self.job.recipe.space.conserving

    def day(self, date: Date, planned: int) -> Day | None:
        """A day with the hours that are planned of it; None if the inputs do not give them all."""
        whole = self.days.get(date)
        if whole is None or planned & ~hours_mask(whole):
            return None
        return _with_hours(whole, planned)

    def hours(self, date: Date) -> int:
        """The hours of a day that can be made from the inputs: bit h for h UTC."""
        return hours_mask(self.days[date]) if date in self.days else 0

    def digest(self, number: int) -> str:
        """The content hash of an analysis."""
        return self.read(number).digest

    def digest_of(self, dates: Sequence[Date], made: Mapping[Date, int]) -> str:
        """One hash for the analyses that days are made from, as a NetCDF file has it."""
        days = [day for date in dates if (day := self.day(date, made[date])) is not None]
        numbers = sorted({number for day in days for number in self.job.inputs(day)})
        return digest_of(self.digest(number) for number in numbers)

    def compare(self, stored: StoredDay) -> Comparison:
        """Compare a day that was made."""
        planned = stored.made if stored.planned is None else stored.planned
        day = self.day(stored.date, planned & self.hours(stored.date))
        if day is None or not day.steps:
            return Comparison(left="the inputs have no such day")
        left = "" if not planned & ~hours_mask(day) else "the inputs do not have all its hours"
        try:
            return replace(self._compare(stored, day), left=left)
        except InputError as error:
            return Comparison((Problem(f"the inputs cannot be read: {error}", stored.date),))

    def _compare(self, stored: StoredDay, day: Day) -> Comparison:
        problems, more = [], False
        if stored.entry is not None:
            now, before = sources(self.job, day, self.digest), stored.entry.analyses
            first = stored.date.astype("datetime64[h]")
            changed = [str(first + hour) for hour in sorted(now.keys() & before.keys()) if now[hour] != before[hour]]
            more = bool(now.keys() - before.keys())
            if changed:
                what = "the analysis of this hour is" if len(changed) == 1 else f"{len(changed)} analyses are"
                problems.append(Problem(f"made from other values: {what} not the same in the inputs, the first at "
                                        f"{changed[0]} UTC", stored.date))  # fmt: skip
        other = bool(problems)
        problems += by_hours(stored.date, self._check_kinds(stored, day))
        error = float("nan")
        if stored.values is not None and not other:
            problems += by_hours(stored.date, self._check_missing(stored, day))
            errors = dict(self._mean_errors(stored, day))
            error = max(errors.values(), default=error)
            off = {hour: one for hour, one in errors.items() if not one <= self.tolerance}
            problems += by_hours(stored.date, ((hour, f"area means differ from CAMS by {one:.1e} of their value, more than "
                                               f"rounding ({self.tolerance:.1e})") for hour, one in off.items()))  # fmt: skip
        return Comparison(tuple(problems), other, more, "", error)

    @property
    def tolerance(self) -> float:
        """How far the area mean of rounded values may be from CAMS: half a unit of the last bit kept."""
        return _PRECISION + (0.5 ** (self.keepbits + 1) if self.keepbits < MANTISSA else 0)

    def _check_kinds(self, stored: StoredDay, day: Day) -> Iterator[tuple[int, str]]:
        """Hours that are analyses in one and not in the other."""
        for hour, _, fraction in _hours(stored, day):
            kind = TimeKind.INTERPOLATED if fraction else TimeKind.ANALYSIS
            if stored.kinds is not None and stored.kinds[hour] != kind:
                yield hour, f"time_kind is {stored.kinds[hour]}, and {int(kind)} by the inputs"

    def _check_missing(self, stored: StoredDay, day: Day) -> Iterator[tuple[int, str]]:
        """Hours whose NaN are not where the analyses have them."""
        if stored.values is None:
            return
        for hour, step, fraction in _hours(stored, day):
            wanted, found = self._mask(step.before), np.isnan(stored.values[hour])
            if fraction and step.after is not None:
                wanted = wanted | self._mask(step.after)
            count = int((found & ~wanted).sum())
            if count:
                yield hour, f"{count} values missing that CAMS has"
            elif (wanted & ~found).any():
                yield hour, "values where CAMS has none"

    def _mask(self, number: int) -> Mask:
        """(rows, columns) where an analysis is missing, on the result's grid; a single False for nowhere."""
        window = self.job.window
        missing = np.isnan(window.take(self.read(number).values))
        fine = refine_mask(missing, window.coarse, self.job.factor) if missing.any() else None
        if fine is None:
            return np.zeros((1, 1), np.bool_)
        return np.isnan(window.keep(np.where(fine, np.float32(np.nan), np.float32(0))))

    def _mean_errors(self, stored: StoredDay, day: Day) -> Iterator[tuple[int, float]]:
        """The largest relative difference of an analysis hour's area means from CAMS, for each such hour."""
        if not self.conserving or stored.values is None or not self._inside.any():
            return
        for hour, step, fraction in _hours(stored, day):
            if not fraction:
                wanted = self.job.window.take(self.read(step.before).values).astype(np.float64)
                means = self._means(stored.values[hour])
                known = self._inside & np.isfinite(wanted) & np.isfinite(means)
                difference = np.abs(means - wanted) / np.maximum(wanted, np.finfo(np.float32).tiny)
                yield hour, float(difference[known].max(initial=0.0))

    def _means(self, values: Field) -> NDArray[np.float64]:
        """Means over the window's coarse cells; NaN for those that are not wholly in the result."""
        window = self.job.window
        fine = window.coarse.refine(self.job.factor)
        everywhere = values.astype(np.float64)
        if fine.shape != window.fine.shape:
            everywhere = np.full(fine.shape, np.nan)
            everywhere[window.fine_rows[:, None], window.fine_columns] = values
        means: NDArray[np.float64] = area_mean(everywhere, window.coarse, self.job.factor)
        return means

    @cached_property
    def _inside(self) -> Mask:
        """The window's coarse cells that are wholly in the result."""
        return np.isfinite(self._means(np.zeros(self.job.grid.shape, np.float32)))


def _hours(stored: StoredDay, day: Day) -> Iterator[tuple[int, Step, float]]:
    """The hours of a day that are there: the hour UTC, its step, and where in the step it lies."""
    first = day.date.astype("datetime64[h]")
    for step in day.steps:
        for time, fraction in zip(step.times, step.fractions, strict=True):
            hour = int((time - first).astype(np.int64))
            if stored.kinds is None or stored.made >> hour & 1:
                yield hour, step, fraction


def _with_hours(day: Day, wanted: int) -> Day:
    """A day with some of its hours only."""
    if wanted == hours_mask(day):
        return day
    first, steps = day.date.astype("datetime64[h]"), []
    for step in day.steps:
        kept = [k for k, time in enumerate(step.times) if wanted >> int((time - first).astype(np.int64)) & 1]
        fractions = tuple(step.fractions[k] for k in kept)
        after = step.after if any(fractions) else None
        steps += [Step(step.before, after, fractions, tuple(step.times[k] for k in kept))] if kept else []
    return Day(day.date, tuple(steps))


def open_inputs(
    stored: Stored, paths: Sequence[str], *, weights: Sequence[str] = (), units: str | None = None
) -> Inputs:
    """The inputs of a result.

    Args:
        stored: the result.
        paths: CAMS files, folders and patterns.
        weights: files of weights of one's own that it was made with.
        units: unit of the inputs' values, if the files do not say it or say it wrongly.

    Raises:
        InputError: if the files cannot be used, or the result cannot have been made from such ones.
    """
    settings = stored.settings
    region = settings.get("region")
    analyses = open_analyses(find_files(paths), variable=settings["variable"], units=units)
    job = Job(analyses, _recipe(settings, weights), int(settings["factor"]), Region(*region) if region else None)
    now = json.loads(json.dumps(job.settings))
    different = [name for name in sorted({*now, *settings}) if now.get(name) != settings.get(name)]
    if different:
        name = different[0]
        remedy = (
            "give the --weights it was made with" if name.endswith("sha256") else "give the inputs it was made from"
        )
        raise InputError(f"{stored.path}: was made with {name} {settings.get(name)!r}, and with these inputs and this "
                         f"version it would be {now.get(name)!r}; {remedy}")  # fmt: skip
    if job.grid.shape != stored.shape or _is_elsewhere(stored, job.grid):
        raise InputError(f"{stored.path}: its maps of {stored.shape[0]} x {stored.shape[1]} nodes lie elsewhere than those of "
                         f"these inputs ({job.grid}); give the inputs it was made from")  # fmt: skip
    return Inputs(job, stored.keepbits)


def _is_elsewhere(stored: Stored, grid: Grid) -> bool:
    """Whether nodes lie elsewhere: coordinates and their bounds say so, as one of the two may be damaged."""
    differs = {}
    for name, (_, wanted) in coordinate_arrays(grid).items():
        found = stored.coordinates(name)
        same_shape = found is not None and found.shape == wanted.shape
        away = np.abs((found - wanted + 180) % 360 - 180).max() if found is not None and same_shape else 0.0
        differs[name] = away > _NEAR
    return any(differs[axis] and differs[f"{axis}_bnds"] for axis in ("latitude", "longitude"))


def _recipe(settings: Mapping[str, Any], weights: Sequence[str]) -> Recipe:
    """The method that settings describe, with weights of one's own or those that ship."""
    name, parts = settings["method"], {part: settings[part] for part in ("space", "time", "order")}
    known = name in RECIPES
    chosen = recipe(name if known else DEFAULT, **({} if known else parts), weights=[Path(one) for one in weights],
                    device=settings.get("device", "cpu"))  # fmt: skip
    return replace(chosen, name=name)
