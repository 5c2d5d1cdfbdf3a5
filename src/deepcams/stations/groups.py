"""Parts of the pairs that are scored for themselves.

Years and seasons are those of the interval's begin in UTC; the hour is that of mean solar time (longitude / 15 hours from
UTC) at the interval's middle, and of hourly observations alone. Regions may overlap.

Classes are of the observed concentration. That makes every product look too high where little was observed and too low
where much was, even a perfect one seen by noisy instruments: regression to the mean. Compare products within a class;
do not read a class's bias as a product's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Region
from deepcams.regions import REGIONS
from deepcams.stations.assessment import ALL
from deepcams.stations.table import DAY, Floats, Pairs

SEASONS = ("DJF", "MAM", "JJA", "SON")
HOURS = tuple(f"{hour:02d}" for hour in range(24))
CLASS_EDGES = (5.0, 15.0, 35.0, 75.0, 150.0)
"""ug m-3: those of gridded evaluation, and one above for what stations see."""
CLASS_NAMES = ("0-5", "5-15", "15-35", "35-75", "75-150", "150-")
"""The lowest one holds negative observations too."""

Numbers = NDArray[np.integer[Any]]


class Part(NamedTuple):
    """A way to divide the pairs.

    Attributes:
        kind: what they are divided by.
        names: of the groups.
        labels: (m,) the number of each pair's group; -1 of those in none.
    """

    kind: str
    names: tuple[str, ...]
    labels: Numbers


def parts(pairs: Pairs) -> Iterator[Part]:
    """All pairs, then every division of them."""
    yield Part(ALL, (ALL,), np.zeros(pairs.size, np.int8))
    for divide in DIVISIONS.values():
        yield from divide(pairs)


def years(pairs: Pairs) -> Iterator[Part]:
    """By the year in UTC."""
    found, labels = np.unique(pairs.observations.begin.astype("datetime64[Y]"), return_inverse=True)
    yield Part("year", tuple(map(str, found)), labels.astype(np.int16))


def seasons(pairs: Pairs) -> Iterator[Part]:
    """By three months, December first; those of all years together."""
    month = pairs.observations.begin.astype("datetime64[M]").astype(np.int64) % 12
    yield Part("season", SEASONS, ((month + 1) % 12 // 3).astype(np.int8))


def hours(pairs: Pairs) -> Iterator[Part]:
    """By the hour of mean solar time; of hourly observations alone."""
    observations = pairs.observations
    middle = observations.begin.astype(np.int64) % DAY + observations.period / 2
    east = (observations.stations.longitude[observations.station] + 180) % 360 - 180
    hour = (middle + east * 4) % DAY // 60  # the sun goes a degree in 4 minutes
    labels = np.where(observations.period < DAY, np.clip(hour, 0, 23), -1)
    yield Part("hour", HOURS, labels.astype(np.int8))


def countries(pairs: Pairs) -> Iterator[Part]:
    """By country, where it is known."""
    stations = pairs.observations.stations
    names = tuple(sorted({str(name) for name in stations.country if name}))
    number = {name: i for i, name in enumerate(names)}
    of_station = np.array([number.get(str(name), -1) for name in stations.country], np.int16)
    yield Part("country", names, of_station[pairs.observations.station])


def regions(pairs: Pairs) -> Iterator[Part]:
    """Each named region that holds any station: in it, or not."""
    stations = pairs.observations.stations
    for name, region in REGIONS.items():
        inside = within(region, stations.latitude, stations.longitude)
        if inside.any():
            yield Part("region", (name,), inside.astype(np.int8)[pairs.observations.station] - 1)


def classes(pairs: Pairs) -> Iterator[Part]:
    """By the observed concentration."""
    yield Part("class", CLASS_NAMES, np.digitize(pairs.observations.value, CLASS_EDGES).astype(np.int8))


DIVISIONS: dict[str, Callable[[Pairs], Iterator[Part]]] = {
    "year": years, "season": seasons, "hour": hours, "country": countries, "region": regions, "class": classes,
}  # fmt: skip
"""What pairs are divided by."""


def within(region: Region, latitude: Floats, longitude: Floats) -> NDArray[np.bool_]:
    """(n,) whether places lie in a region, its edges included.

    Args:
        region: the box.
        latitude: (n,) degrees.
        longitude: (n,) degrees, of any turn.
    """
    inside = (latitude >= region.south) & (latitude <= region.north)
    return inside & ((longitude - region.west) % 360 <= region.width)
