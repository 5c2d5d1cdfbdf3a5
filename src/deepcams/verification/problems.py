"""What is wrong with a result, and how it is said: a line for each thing, days that have it in common together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepcams.timeline import ranges_of

Date = np.datetime64
_DAY = 24


@dataclass(frozen=True)
class Problem:
    """Something that is wrong.

    Attributes:
        what: what is wrong.
        date: the UTC day; None for the whole.
        hours: hours of the day; none for all of it.
    """

    what: str
    date: Date | None = None
    hours: tuple[int, ...] = ()


def by_hours(date: Date, found: Iterable[tuple[int, str]]) -> list[Problem]:
    """One problem for all hours that have it; without hours if that is the whole day."""
    hours: dict[str, list[int]] = {}
    for hour, what in found:
        hours.setdefault(what, []).append(hour)
    return [Problem(what, date, tuple(some) if len(some) < _DAY else ()) for what, some in hours.items()]


def listing(problems: Sequence[Problem]) -> list[str]:
    """A line for each problem, those of the whole first; consecutive days that have the same one share a line."""
    dates: dict[tuple[tuple[int, ...], str], list[Date]] = {}
    for one in problems:
        if one.date is not None:
            dates.setdefault((one.hours, one.what), []).append(one.date)
    lines = [
        (first, hours, f"{_when(first, last, hours)}: {what}")
        for (hours, what), days in dates.items()
        for first, last in ranges_of(days)
    ]
    return [one.what for one in problems if one.date is None] + [line for *_, line in sorted(lines)]


def _when(first: Date, last: Date, hours: Sequence[int]) -> str:
    days = int((last - first).astype(np.int64)) + 1
    at = f" {_clock(hours)} UTC" if hours else ""
    return f"{first}{at}" if days == 1 else f"{first} to {last} ({days} days){at}"


def _clock(hours: Sequence[int]) -> str:
    """Hours for people: 05, 07-09."""
    return ", ".join(f"{first:02d}" if first == last else f"{first:02d}-{last:02d}" for first, last in ranges_of(hours))
