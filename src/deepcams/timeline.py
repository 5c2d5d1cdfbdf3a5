"""Which hours are made from which analyses: whole hours, UTC, day by day, never across a gap."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

Hours = NDArray[np.datetime64]
_HOUR = np.timedelta64(1, "h")
_Number = TypeVar("_Number", int, np.datetime64)


class TimeKind(IntEnum):
    """How an hour came about; the values of the output's ``time_kind``."""

    ANALYSIS = 0
    INTERPOLATED = 1
    MISSING = 2


@dataclass(frozen=True)
class Step:
    """The hours from one analysis up to the next, within one UTC day.

    Attributes:
        before: number of the analysis at or before the hours.
        after: number of the next analysis if any hour lies between the two, else None.
        fractions: where the hours lie in the interval: 0 for the analysis itself, else within (0, 1).
        times: the hours, datetime64[h].
    """

    before: int
    after: int | None
    fractions: tuple[float, ...]
    times: tuple[np.datetime64, ...]


@dataclass(frozen=True)
class Day:
    """The work of one UTC day."""

    date: np.datetime64
    steps: tuple[Step, ...]

    @property
    def analyses(self) -> tuple[int, ...]:
        """Numbers of the analyses the day is made from."""
        return tuple(sorted({i for step in self.steps for i in (step.before, step.after) if i is not None}))

    @property
    def size(self) -> int:
        """How many hours it has."""
        return sum(len(step.times) for step in self.steps)


@dataclass(frozen=True)
class Timeline:
    """All hours of a run.

    Attributes:
        days: those with any hour, in order.
        times: (n,) datetime64[h], the hours that exist.
        kinds: (n,) int8, their :class:`TimeKind`.
        gaps: pairs of analyses further apart than the step, between which nothing is made.
    """

    days: tuple[Day, ...]
    times: Hours
    kinds: NDArray[np.int8]
    gaps: tuple[tuple[np.datetime64, np.datetime64], ...]


def timeline(times: Hours, step: int, start: np.datetime64 | None = None, end: np.datetime64 | None = None) -> Timeline:
    """The hours that can be made from analyses at ``times``, within ``start`` and ``end`` (both included).

    Args:
        times: (n,) datetime64[h], ascending.
        step: hours; analyses further apart have a gap between them.
        start: the first hour wanted.
        end: the last hour wanted.

    Raises:
        InputError: if there are fewer than two analyses, the period is empty, or the data have no hour in it.
    """
    if times.size < 2:
        raise InputError(
            f"{times.size} analysis ({', '.join(map(str, times))}): wanted two at least to make the hours between"
        )
    first, last = start if start is not None else times[0], end if end is not None else times[-1]
    check_period(start, end)
    steps = [_step(times, i, step, first, last) for i in range(times.size)]
    made = [one for one in steps if one.times]
    if not made:
        raise no_hour(start, end, "the data", times)
    days = _by_day(made)
    flat = [(t, f) for one in made for t, f in zip(one.times, one.fractions, strict=True)]
    gaps = tuple((a, b) for a, b in pairwise(times) if b - a > step * _HOUR and b > first and a < last)
    kinds = [TimeKind.INTERPOLATED if f else TimeKind.ANALYSIS for _, f in flat]
    return Timeline(days, np.array([t for t, _ in flat], "datetime64[h]"), np.array(kinds, np.int8), gaps)


def parse_time(text: str, *, end_of_day: bool = False) -> np.datetime64:
    """An hour from ISO text, like 2019-12-31 or 2019-12-31T18; with an offset it is turned into UTC.

    Args:
        text: a date or a date and hour.
        end_of_day: whether a mere date means its last hour.

    Raises:
        InputError: if it is not a date, or not on a whole hour.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"time {text!r}: wanted a date like 2019-12-31 or an hour like 2019-12-31T18") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if moment.minute or moment.second or moment.microsecond:
        raise InputError(f"time {text!r}: wanted a whole hour")
    hour = np.datetime64(moment, "h")
    return hour + 23 * _HOUR if end_of_day and len(text.strip()) <= len("2019-12-31") else hour


def check_period(start: np.datetime64 | None, end: np.datetime64 | None) -> None:
    """Refuse a period that ends before it begins; None leaves an end open.

    Raises:
        InputError: for such a period.
    """
    if start is not None and end is not None and start > end:
        raise InputError(f"the period starts at {start} and ends at {end}: wanted --start before --end")


def no_hour(start: np.datetime64 | None, end: np.datetime64 | None, what: str, times: Hours) -> InputError:
    """The error that data with hours from the first to the last of ``times`` have none in a period."""
    asked = "".join(f" {word} {hour}" for word, hour in (("from", start), ("to", end)) if hour is not None)
    return InputError(f"no hour{asked} in {what}: there are hours from {times[0]} to {times[-1]} UTC")


def ranges_of(numbers: Iterable[_Number]) -> list[tuple[_Number, _Number]]:
    """The first and last of each run of consecutive days, or hours."""
    runs: list[list[_Number]] = []
    for one in sorted(numbers):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return [(first, last) for first, last in runs]


def named(dates: Iterable[np.datetime64], longest: int = 12) -> str:
    """Days for people, consecutive ones as a range."""
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in ranges_of(dates)]
    more = f" and {len(texts) - longest} more" if len(texts) > longest else ""
    return ", ".join(texts[:longest]) + more


def missing_days(dates: Collection[np.datetime64]) -> str:
    """Days that are missing, for people: how many, and which."""
    return f"{len(dates)} day{'s' * (len(dates) != 1)} missing ({named(dates)})"


def _step(times: Hours, i: int, step: int, first: np.datetime64, last: np.datetime64) -> Step:
    """The hours from analysis ``i`` up to the next one that lie in the period."""
    hours = [times[i]]
    if i + 1 < times.size and times[i + 1] - times[i] <= step * _HOUR:
        hours = list(np.arange(times[i], times[i + 1]))
    wanted = [hour for hour in hours if first <= hour <= last]
    fractions = tuple(float((hour - times[i]) / _HOUR) / len(hours) for hour in wanted)
    return Step(i, i + 1 if any(fractions) else None, fractions, tuple(wanted))


def _by_day(steps: Sequence[Step]) -> tuple[Day, ...]:
    days: dict[np.datetime64, list[Step]] = {}
    for step in steps:
        dates = [time.astype("datetime64[D]") for time in step.times]
        for date in sorted(set(dates)):
            chosen = [k for k, one in enumerate(dates) if one == date]
            fractions = tuple(step.fractions[k] for k in chosen)
            after = step.after if any(fractions) else None
            days.setdefault(date, []).append(Step(step.before, after, fractions, tuple(step.times[k] for k in chosen)))
    return tuple(Day(date, tuple(parts)) for date, parts in days.items())
