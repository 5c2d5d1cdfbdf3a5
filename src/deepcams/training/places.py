"""Intervals at single places: what is given at their ends, and the hours between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.io.places import Places
from deepcams.sun import noon_height, unequal_hours
from deepcams.temporal.network import LOW, change_of, middles_of, slopes_of
from deepcams.units import EPSILON

Floats = NDArray[np.float32]


class Lessons(NamedTuple):
    """Intervals at some places, float32.

    Attributes:
        hours: (places, parts), and the next five (places,): see :class:`deepcams.temporal.network.Situation`.
        change: see there.
        earlier: see there.
        later: see there.
        land: see there.
        noon: see there.
        first: (places, n) the beginning, carried to each of the n hours between; ug m-3.
        last: (places, n) the end.
        target: (places, n) the truth; 0 where it is unknown.
        weights: (places, n) not negative.
    """

    hours: Floats
    change: Floats
    earlier: Floats
    later: Floats
    land: Floats
    noon: Floats
    first: Floats
    last: Floats
    target: Floats
    weights: Floats


@dataclass(frozen=True)
class PlaceSampler:
    """Draws intervals from series at places. They are taken as land, and nothing there moves.

    Attributes:
        places: the series.
        gap: hours of an interval.
        last: share of the hours, at the end, that is not learned from.

    Raises:
        InputError: if no interval is whole.
    """

    places: Places
    gap: int
    last: float = 0.0

    def __post_init__(self) -> None:
        known = ~np.isnan(self.places.values)
        end = known.shape[1] - round(self.last * known.shape[1])
        starts = max(0, end - self.gap)
        whole = np.logical_and.reduce([known[:, i : starts + i] for i in range(self.gap + 1)])
        if not whole.any():
            raise InputError(f"{self.places.name}: no {self.gap + 1} hours in a row are known; wanted a longer series")
        object.__setattr__(self, "_starts", np.argwhere(whole).astype(np.int32))
        object.__setattr__(self, "_end", end)

    def draw(self, count: int, random: np.random.Generator) -> Lessons:
        """Some intervals, all alike likely."""
        starts: NDArray[np.int32] = self._starts  # type: ignore[attr-defined]
        place, hour = starts[random.integers(len(starts), size=count)].T
        before, after = (self._at(place, hour + steps) for steps in (0, self.gap))
        outer = [self._at(place, hour + steps) for steps in (-self.gap, 2 * self.gap)]
        target = np.stack([self._at(place, hour + step) for step in range(1, self.gap)], axis=1)
        hours, noon = self._by_the_sun(place, hour)
        change, slopes = change_of(before, after, LOW * EPSILON), slopes_of(before, after, *outer)
        first, last = (np.repeat(end[:, None], self.gap - 1, axis=1) for end in (before, after))
        land = np.ones(count, np.float32)
        return Lessons(hours, change, *slopes, land, noon, first, last, target, np.ones_like(target))

    def _at(self, place: NDArray[np.int32], hour: NDArray[np.int32]) -> Floats:
        """The values at some hours; NaN beyond the part of the series that is learned from."""
        end: int = self._end  # type: ignore[attr-defined]
        inside = (hour >= 0) & (hour < end)
        return np.where(inside, self.places.values[place, np.clip(hour, 0, end - 1)], np.float32(np.nan))

    def _by_the_sun(self, place: NDArray[np.int32], hour: NDArray[np.int32]) -> tuple[Floats, Floats]:
        """(count, parts) unequal hours in the middle of each part, and (count,) the height of the sun at noon."""
        beginning = self.places.times[hour].astype("datetime64[s]")
        beginning += np.timedelta64(round(3600 * self.places.middle), "s")
        moments: Any = beginning[:, None] + middles_of(self.gap)
        latitude, longitude = (one[place] for one in (self.places.latitude, self.places.longitude))
        hours = unequal_hours(moments, latitude[:, None], longitude[:, None])
        return hours.astype(np.float32), noon_height(moments[:, 0], latitude).astype(np.float32)
