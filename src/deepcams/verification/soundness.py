"""Whether a day that was read is sound by itself: its hours, its values, and what the ledger says of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.io.ledger import hours_of, mask_of
from deepcams.io.store import content_digest
from deepcams.timeline import TimeKind
from deepcams.verification.problems import Date, Problem, by_hours
from deepcams.verification.stored import StoredDay

_CANONICAL = np.float32(np.nan).view(np.uint32)
_KINDS = tuple(int(kind) for kind in TimeKind)


@dataclass(frozen=True)
class Soundness:
    """What was found of a day.

    Attributes:
        problems: what is wrong.
        hours: hours that are there.
        values: values in them.
        missing: how many of the values are NaN.
        valued: the hours that have any value, bit h for h UTC.
        digest: SHA-256 of the day's values, if they could be read.
        kept: whether the values are those that the ledger knows.
    """

    problems: tuple[Problem, ...]
    hours: int = 0
    values: int = 0
    missing: int = 0
    valued: int = 0
    digest: str = ""
    kept: bool = False


def examine(day: StoredDay) -> Soundness:
    """Check a day."""
    if not day.finished:
        return Soundness((*day.problems, *_unfinished(day)))
    problems = [*day.problems, *_check_hours(day)]
    hours, values = hours_of(day.made), day.values
    if values is None:
        return Soundness(tuple(problems), len(hours))
    problems += by_hours(day.date, (found for hour in range(len(values)) for found in _check_map(day, hour)))
    digest = "" if day.entry is None else content_digest(values)
    kept = day.entry is not None and digest == day.entry.values
    problems += [] if kept or day.entry is None else [_altered(day)]
    empty = [int(np.isnan(one).sum()) for one in values]
    size = values[0].size
    valued = mask_of(hour for hour, count in enumerate(empty) if count < size)
    missing = sum(empty[hour] for hour in hours)
    return Soundness(tuple(problems), len(hours), len(hours) * size, missing, valued, digest, kept)


def _unfinished(day: StoredDay) -> Iterator[Problem]:
    if day.planned:
        yield Problem("not made", day.date)
    elif day.planned == 0 and day.made:
        yield Problem("hours that are not planned, without values", day.date)


def _altered(day: StoredDay) -> Problem:
    lost = "its shard is lost" if not day.bytes else "they were altered after they were written"
    return Problem(f"the values are not those that the ledger knows: {lost}", day.date)


def _check_hours(day: StoredDay) -> Iterator[Problem]:
    """Which hours are there, and of which kind."""
    if day.kinds is None:
        return
    wrong = [int(hour) for hour in np.flatnonzero(~np.isin(day.kinds, _KINDS))]
    if wrong:
        yield Problem("time_kind is not one of its three values", day.date, tuple(wrong))
    if day.planned is not None:
        yield from _hours(day.date, day.planned & ~day.made, "planned, and not there")
        yield from _hours(day.date, day.made & ~day.planned, "there, and not planned")
    if day.entry is not None:
        analyses = mask_of(hour for hour in day.entry.analyses if 0 <= hour < len(day.kinds)) & day.made
        said = mask_of(np.flatnonzero(day.kinds == TimeKind.ANALYSIS))
        yield from _hours(
            day.date, analyses ^ said, "time_kind and the ledger disagree about whether it is an analysis"
        )


def _hours(date: Date, mask: int, what: str) -> Iterator[Problem]:
    if mask:
        yield Problem(what, date, tuple(hours_of(mask)))


def _check_map(day: StoredDay, hour: int) -> Iterator[tuple[int, str]]:
    """What is wrong with the values of an hour."""
    if day.values is None:
        return
    field: NDArray[np.float32] = day.values[hour]
    nan = np.isnan(field)
    count = int(nan.sum())
    if count and (field.view(np.uint32)[nan] != _CANONICAL).any():
        yield hour, "missing values are not written as the canonical NaN"
    if day.kinds is not None and not day.made >> hour & 1:
        if count < field.size:
            yield hour, "has values, though it is said to be missing"
    elif count < field.size:
        lowest, highest = float(np.fmin.reduce(field, axis=None)), float(np.fmax.reduce(field, axis=None))
        if np.isinf(lowest) or np.isinf(highest):
            yield hour, "infinite values"
        if lowest < 0:
            yield hour, f"negative values, down to {lowest:g}"
