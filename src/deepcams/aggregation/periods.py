"""Days, months and years: which hours of a series belong to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.timeline import TimeKind, check_period, no_hour

Hours = NDArray[np.datetime64]

UNITS = {"daily": "D", "monthly": "M", "annual": "Y"}  # numpy's letters
_DAY = 24
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Period:
    """A day, a month or a year, whole: also where the series begins or ends within it.

    Attributes:
        label: 2019-12-24, 2019-12 or 2019.
        start: the first hour (UTC).
        end: the first hour after it (UTC).
        days: of each of its days with any hour made, the hours' places in the series.
        made: how many of its hours the series has.
    """

    label: str
    start: np.datetime64
    end: np.datetime64
    days: tuple[slice, ...]
    made: int

    @property
    def hours(self) -> int:
        """How many hours it has, made or not."""
        return int((self.end - self.start) / _HOUR)

    @property
    def size(self) -> int:
        """How many days it has."""
        return self.hours // _DAY

    @property
    def middle(self) -> np.datetime64:
        """Its middle, or the hour before."""
        return self.start + self.hours // 2 * _HOUR


def periods(
    times: Hours,
    kinds: NDArray[np.int8],
    unit: str,
    *,
    utc_offset: int = 0,
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
) -> list[Period]:
    """The periods from the first to the last hour that was made, without a break.

    Args:
        times: (n,) datetime64[h], every hour of the series.
        kinds: (n,) int8, their TimeKind.
        unit: ``daily``, ``monthly`` or ``annual``.
        utc_offset: hours by which the clock of the calendar is ahead of UTC.
        start: the first hour wanted (UTC).
        end: the last hour wanted (UTC).

    Raises:
        InputError: if no hour was made within ``start`` and ``end``.
    """
    first, last = times[0] if start is None else start, times[-1] if end is None else end
    check_period(start, end)
    made = np.flatnonzero((kinds != TimeKind.MISSING) & (times >= first) & (times <= last))
    if not made.size:
        raise no_hour(start, end, "the data", times)
    unit, offset = UNITS[unit], utc_offset * _HOUR
    local = times[made] + offset
    dates, begins = np.unique(local.astype("datetime64[D]"), return_index=True)
    ends = np.append(begins[1:], made.size)
    of_day = dates.astype(f"datetime64[{unit}]")
    wanted = np.arange(of_day[0], of_day[-1] + 1)
    found = []
    for one, a, b in zip(wanted, *(np.searchsorted(of_day, wanted, side) for side in ("left", "right")), strict=True):
        days = tuple(slice(int(made[begins[k]]), int(made[ends[k] - 1]) + 1) for k in range(a, b))
        begin, after = (moment.astype("datetime64[h]") - offset for moment in (one, one + 1))
        found.append(Period(str(one), begin, after, days, int((ends[a:b] - begins[a:b]).sum())))
    return found
