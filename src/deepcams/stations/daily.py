"""Daily means of pairs, the same hours of every product, and how often thresholds are exceeded.

A day is a station's local day, by its time zone; where that is unknown, by local solar time rounded to whole hours
(longitude / 15). An hour is of the day in which it begins. A day is kept if its hours cover at least 75 % of it: 18 of
24, and 18 of 23 or 19 of 25 where clocks are changed. Observations of whole days are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcams.stations.assessment import THRESHOLDS, Exceedances
from deepcams.stations.table import DAY, HOUR, Minutes, Observations, Pairs, Reason, Stations

COVERED = 0.75  # of a day's hours
_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_LARGEST = 15 * HOUR  # minutes from UTC

Numbers = NDArray[np.intp]


def daily_pairs(pairs: Pairs) -> Pairs:
    """The daily means, in the order of time.

    Args:
        pairs: of hours or of days.

    Returns:
        Pairs of whole days, with all the stations of ``pairs`` in their order (also those without a day), whose begin is
        the local midnight in UTC, and whose values are means over the hours that are there.
    """
    observations = pairs.observations
    parts = [_at(pairs, np.flatnonzero(observations.period == DAY))]
    hourly = np.flatnonzero(observations.period < DAY)
    clocks, of_station = clocks_of(observations.stations)
    for clock, chosen in _split(of_station[observations.station[hourly]], len(clocks)):
        parts.append(_means(_at(pairs, hourly[chosen]), clocks[clock]))
    columns = {name: np.concatenate([part.products[name] for part in parts]) for name in pairs.products}
    names = ("station", "begin", "period", "value", "reason")
    rows = [np.concatenate([getattr(part.observations, name) for part in parts]) for name in names]
    joined = Pairs(Observations(observations.stations, *rows), columns)
    return _at(joined, np.lexsort((rows[0], rows[1])))


def exceedances(daily: Pairs) -> list[Exceedances]:
    """How often daily means of every product, and the observed ones, are above the thresholds.

    Args:
        daily: pairs of days.
    """
    found = []
    for product, values in daily.products.items():
        for threshold in THRESHOLDS:
            table = 2 * (daily.observations.value > threshold) + (values > threshold)
            neither, alarms, misses, hits = (int(count) for count in np.bincount(table, minlength=4))
            found.append(Exceedances(product, threshold, hits, misses, alarms, neither))
    return found


def clocks_of(stations: Stations) -> tuple[list[tzinfo], Numbers]:
    """The clocks that stations' days go by, and (stations,) the number of each one's clock."""
    zones = {text: zone_of(text) for text in dict.fromkeys(stations.timezone)}
    solar = np.rint(((stations.longitude + 180) % 360 - 180) / 15)
    own = [
        zones[text] or timezone(timedelta(hours=hours)) for text, hours in zip(stations.timezone, solar, strict=True)
    ]
    numbers: dict[tzinfo, int] = {}
    codes = np.array([numbers.setdefault(one, len(numbers)) for one in own], np.intp)
    return list(numbers), codes


def solar_days(stations: Stations) -> int:
    """How many stations have no known time zone, so that their days go by the sun."""
    zones = {text: zone_of(text) for text in dict.fromkeys(stations.timezone)}
    return sum(zones[text] is None for text in stations.timezone)


def zone_of(text: str) -> tzinfo | None:
    """The time zone of an IANA name like ``Asia/Kolkata`` or an offset like ``+05:30``; None if it is neither."""
    text = str(text).strip()
    fixed = _FIXED.fullmatch(text)
    if fixed:
        minutes = HOUR * int(fixed[2]) + int(fixed[3] or 0)
        return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes)) if minutes <= _LARGEST else None
    if text in ("", "Z"):
        return UTC if text else None
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, not a name, or a folder of names
        return None


def _at(pairs: Pairs, chosen: Numbers) -> Pairs:
    """Some of the pairs, with all stations."""
    products = {name: values[chosen] for name, values in pairs.products.items()}
    return Pairs(pairs.observations.take(chosen), products)


def _split(codes: Numbers, groups: int) -> Iterator[tuple[int, Numbers]]:
    """Every group that has any, with the places of its members."""
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(groups + 1))
    for group, (start, end) in enumerate(pairwise(ends)):
        if end > start:
            yield group, order[start:end]


def _means(pairs: Pairs, clock: tzinfo) -> Pairs:
    """The daily means of hours at stations that go by one clock, only of days that are covered."""
    one = pairs.observations
    days, day = np.unique(_local_days(one.begin, clock), return_inverse=True)
    keys, label = np.unique(one.station.astype(np.int64) * days.size + day, return_inverse=True)
    station, number = np.divmod(keys, max(days.size, 1))
    begin, end = (_midnights(dates, clock) for dates in (days, days + 1))
    minutes = np.bincount(label, one.period, minlength=keys.size)
    kept = minutes >= COVERED * ((end - begin) / np.timedelta64(1, "m"))[number]

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        total = np.bincount(label, values * one.period.astype(np.float64), minlength=keys.size)
        return (total / minutes)[kept].astype(np.float32)

    size = int(kept.sum())
    rows = Observations(
        one.stations,
        station[kept].astype(np.int32),
        begin[number[kept]],
        np.full(size, DAY, np.int32),
        mean(one.value),
        np.full(size, Reason.GOOD, np.uint8),
    )
    return Pairs(rows, {name: mean(values) for name, values in pairs.products.items()})


def _local_days(begin: Minutes, clock: tzinfo) -> NDArray[np.datetime64]:
    """(m,) datetime64[D] the local day in which each interval begins."""
    local = pd.DatetimeIndex(begin.astype("datetime64[s]")).tz_localize("UTC").tz_convert(clock).tz_localize(None)
    return local.to_numpy().astype("datetime64[D]")


def _midnights(days: NDArray[np.datetime64], clock: tzinfo) -> Minutes:
    """(n,) datetime64[m], UTC, when local days begin: the first of two midnights, or when clocks jump over it."""
    local = pd.DatetimeIndex(days.astype("datetime64[s]"))
    first = np.ones(days.size, np.bool_)
    aware = local.tz_localize(clock, ambiguous=first, nonexistent="shift_forward")
    return aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[m]")
