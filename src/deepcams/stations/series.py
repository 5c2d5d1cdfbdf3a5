"""What speaks against observations for those before and after them: repeated, stuck, spikes; and which instrument to use.

All of it works on observations in the order of instrument and time, of which a :class:`Series` is the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.places import Numbers

Flags = NDArray[np.bool_]
Values = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Series:
    """Observations by instrument, then by time.

    Attributes:
        owner: (m,) int32, number of the instrument; ascending.
        minute: (m,) int32, begin of the interval, minutes since 1970; ascending for an instrument.
        value: (m,) float32, ug m-3, finite.
    """

    owner: Numbers
    minute: Numbers
    value: Values

    def repeated(self) -> Flags:
        """(m,) whether the one before is of the same instrument and time."""
        return _again(self.owner) & _again(self.minute)

    def stuck(self, every: int, longest: int, clean: float, longest_clean: int) -> Flags:
        """Which ones belong to a run of the same value that goes on too long.

        Args:
            every: minutes from one interval to the next. Where one is not there, the run goes on.
            longest: intervals that a run may not reach.
            clean: ug m-3.
            longest_clean: the same for values below ``clean``.
        """
        goes_on = _again(self.owner) & _again(self.value)
        goes_on[1:] &= np.diff(self.minute) <= 2.5 * every
        first = np.flatnonzero(~goes_on)
        size = np.diff(first, append=goes_on.size)
        lasts = self.minute[first + size - 1] - self.minute[first] + every
        limit = np.where(self.value[first] < clean, longest_clean, longest)
        return np.repeat(np.rint(lasts / every) >= limit, size)

    def spikes(self, every: int, factor: float, rise: float) -> Flags:
        """Which ones are far above both the one before and the one after, at most ``every`` minutes away.

        Args:
            every: minutes.
            factor: by which they are more than the higher of the two.
            rise: ug m-3 by which they are more, too.
        """
        found = np.zeros(self.owner.size, np.bool_)
        if found.size < 3:
            return found
        beside = (self.owner[1:] == self.owner[:-1]) & (np.diff(self.minute) <= every)
        higher = np.maximum(self.value[:-2], self.value[2:])
        above = (self.value[1:-1] > factor * higher) & (self.value[1:-1] - higher > rise)
        found[1:-1] = above & beside[1:] & beside[:-1]
        return found

    def take(self, kept: Flags) -> Series:
        """Some of them."""
        return Series(self.owner[kept], self.minute[kept], self.value[kept])


def spare(owner: Numbers, minute: Numbers, place: Numbers) -> Flags:
    """Which observations are of a place and time of which another one is used.

    Of the instruments at a place, at each time the one is used that has the most observations of all times, and of
    equals the one with the lowest number.

    Args:
        owner: (m,) number of the instrument.
        minute: (m,) begin of the interval.
        place: (owners,) where each instrument is.
    """
    count = np.bincount(owner, minlength=place.size)
    shared = np.bincount(place[count > 0], minlength=place.size)[place] > 1
    rank = np.empty(place.size, np.int32)
    rank[np.argsort(-count, kind="stable")] = np.arange(place.size, dtype=np.int32)
    rows = np.flatnonzero(shared[owner])
    rows = rows[np.lexsort((rank[owner[rows]], minute[rows], place[owner[rows]]))]
    found = np.zeros(owner.size, np.bool_)
    found[rows] = _again(place[owner[rows]]) & _again(minute[rows])
    return found


def by_time(owner: Numbers, minute: Numbers) -> Rows:
    """The order by instrument, then by time; equals as they came."""
    step = np.diff(owner)
    if np.all((step > 0) | (step == 0) & (np.diff(minute) >= 0)):
        return np.arange(owner.size)
    return np.lexsort((minute, owner))


def _again(values: NDArray[Any]) -> Flags:
    """(m,) whether each value is the one before it; False for the first."""
    result = np.zeros(values.size, np.bool_)
    np.equal(values[1:], values[:-1], out=result[1:])
    return result
