"""Station observations as columns: one line for each station and averaging interval, in UTC and ug m-3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Minutes = NDArray[np.datetime64]
Texts = NDArray[np.object_]
Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_] | NDArray[np.intp] | NDArray[np.int32]

HOUR = 60
DAY = 24 * HOUR
"""Averaging periods in minutes."""


class Reason(IntEnum):
    """Why an observation is not used; the first that holds, in this order."""

    GOOD = 0
    MISSING = 1  # no number
    SENTINEL = 2  # -999 and the like: a code for missing
    UNITS = 3  # a unit that is not one of mass in a volume of air
    FLAGGED = 4  # by who published it
    LOCAL_TIME = 5  # a local time that does not exist, or twice, as clocks are changed
    COORDINATES = 6  # none, (0, 0) or outside the Earth
    SWAPPED = 7  # latitude and longitude
    MOVES = 8  # a station that is not always at the same place
    AVERAGING = 9  # another averaging period than the one asked for
    NEGATIVE = 10  # beyond the noise of instruments
    TOO_HIGH = 11
    DUPLICATE = 12  # the same station and time again, or another instrument at the same place
    STUCK = 13  # the same number for many hours
    SPIKE = 14  # a single hour far above both of its neighbours
    TOO_FEW = 15  # at a station with too few hours
    NO_MODEL = 16  # a product has no value there and then


REASONS = {reason: reason.name.lower() for reason in Reason if reason != Reason.GOOD}
"""The reasons by the names that reports give them."""


class Stamp(IntEnum):
    """What of the averaging interval a time stamp says."""

    BEGIN = 0
    MIDDLE = 1
    END = 2


@dataclass(frozen=True, eq=False)
class Stations:
    """Where was measured: instruments at places.

    Attributes:
        ids: (n,) the station's identifier in its source, as text.
        sensors: (n,) which instrument of the station; empty where sources do not tell.
        names: (n,) for people.
        latitude: (n,) degrees north; NaN where unknown.
        longitude: (n,) degrees east, -180..180 or 0..360 as given; NaN where unknown.
        country: (n,) ISO 3166 code of two letters; empty where unknown.
        source: (n,) the format, or network, it comes from.
        timezone: (n,) IANA name or fixed offset like ``+05:30``; empty where unknown.
        mobile: (n,) whether its source says that it moves.
    """

    ids: Texts
    sensors: Texts
    names: Texts
    latitude: Floats
    longitude: Floats
    country: Texts
    source: Texts
    timezone: Texts
    mobile: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """How many."""
        return self.ids.size

    def take(self, chosen: Chosen) -> Stations:
        """Some of them."""
        return Stations(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Observations:
    """What was measured.

    Attributes:
        stations: where.
        station: (m,) int32, number of the station.
        begin: (m,) datetime64[m], UTC, begin of the averaging interval.
        period: (m,) int32, length of the averaging interval in minutes.
        value: (m,) float32 in ug m-3; NaN if there is none.
        reason: (m,) uint8, a :class:`Reason`; GOOD unless something speaks against it.
    """

    stations: Stations
    station: NDArray[np.int32]
    begin: Minutes
    period: NDArray[np.int32]
    value: NDArray[np.float32]
    reason: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """How many."""
        return self.station.size

    @property
    def good(self) -> NDArray[np.bool_]:
        """(m,) which ones nothing speaks against."""
        return self.reason == Reason.GOOD

    def take(self, chosen: Chosen) -> Observations:
        """Some of them, with all stations."""
        return Observations(self.stations, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    def compact(self) -> Observations:
        """The same with only the stations that any of them is of, in the same order."""
        used = np.zeros(self.stations.size, np.bool_)
        used[self.station] = True
        number = np.cumsum(used, dtype=np.int32) - np.int32(1)
        return replace(self, stations=self.stations.take(used), station=number[self.station])

    def rejected(self) -> dict[str, int]:
        """How many were rejected, for each reason that any was."""
        counts = np.bincount(self.reason, minlength=max(Reason) + 1)
        return {name: int(counts[reason]) for reason, name in REASONS.items() if counts[reason]}


_COLUMNS = tuple(field.name for field in fields(Observations) if field.name != "stations")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Observations with the values of products at the same places and times; all of them complete.

    Attributes:
        observations: those used, in the order of time, with only their stations.
        products: by name, each (m,) float32 in ug m-3, all finite.
    """

    observations: Observations
    products: dict[str, NDArray[np.float32]]

    @property
    def size(self) -> int:
        """How many."""
        return self.observations.size

    def take(self, chosen: Chosen) -> Pairs:
        """Some of them, with only their stations."""
        products = {name: values[chosen] for name, values in self.products.items()}
        return Pairs(self.observations.take(chosen).compact(), products)


def join(parts: Sequence[Observations]) -> Observations:
    """The observations of several sources, one after the other; stations of different parts stay different."""
    offsets = np.cumsum([0, *(part.stations.size for part in parts)])
    stations = Stations(
        *(np.concatenate([getattr(part.stations, field.name) for part in parts]) for field in fields(Stations))
    )
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    columns["station"] += np.repeat(offsets[:-1], [part.size for part in parts]).astype(np.int32)
    return Observations(stations, **columns)
