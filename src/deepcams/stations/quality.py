"""Quality control: which observations are not used, and why; each is counted once, by the first reason that holds.

What an observation tells by itself is checked first, then its station's place (:mod:`deepcams.stations.places`), then
its neighbours in time (:mod:`deepcams.stations.series`). The checks of time see only what is good until then, so that
a run of stuck values is not hidden by a code for missing in its midst. Defaults were chosen on the 483 657 hourly
AirNow values of April 2024 and on five embassies' monitors of 2019 and 2020 (75 193 valid hours), and are meant to
reject what is broken, not what is unusual: smoke, dust and fireworks are what a model is to be judged by.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.places import Numbers, instruments, owners, places, suspects
from deepcams.stations.series import Flags, Rows, Series, by_time, spare
from deepcams.stations.table import DAY, HOUR, Observations, Reason

_TITLES = {
    Reason.MISSING: "without a number",
    Reason.SENTINEL: "a code for missing, like -999",
    Reason.UNITS: "in a unit that is not one of mass in a volume of air",
    Reason.FLAGGED: "flagged by who published them",
    Reason.LOCAL_TIME: "without a time, or at a local time that does not exist, or twice",
    Reason.COORDINATES: "of stations without coordinates that can be true",
    Reason.SWAPPED: "of stations with latitude and longitude exchanged",
    Reason.MOVES: "of stations that move",
    Reason.AVERAGING: "of another averaging period than the one asked for",
    Reason.NEGATIVE: "below zero by more than the noise of instruments",
    Reason.TOO_HIGH: "too high to be true",
    Reason.DUPLICATE: "of a place and time of which another one is used",
    Reason.STUCK: "the same number for too long",
    Reason.SPIKE: "far above the hours before and after",
    Reason.TOO_FEW: "at stations with too few others",
    Reason.NO_MODEL: "where or when a product has no value",
}
TITLES = {reason.name.lower(): title for reason, title in _TITLES.items()}
"""The reasons in words, by their names."""

_HINTS = {
    Reason.SENTINEL: "the files hold no measurements of this period",
    Reason.UNITS: "wanted ug/m3 or the like; --units says it for files that do not",
    Reason.LOCAL_TIME: "give the zone of the times by --timezone",
    Reason.COORDINATES: "give the stations' coordinates by --site-table",
    Reason.SWAPPED: "put latitude and longitude right in the file, or give coordinates by --site-table",
    Reason.MOVES: "only stations that stay at one place can be compared",
    Reason.NEGATIVE: "are the values in another unit, or differences? --units says the unit for files that do not",
    Reason.TOO_HIGH: "are the values in another unit? --units says it for files that do not",
    Reason.TOO_FEW: "give files of a longer period, or a smaller --least-hours",
}

# Codes for a missing number. 985 is the end of the scale of monitors whose values begin at -15 (BAM 1020), given when
# they fail: in the embassies' files are eight of them, all called invalid there.
_CODES = np.array([985, 9999, 99999, 999999, -99, -999, -9990, -9999, -99999, -999999], np.float32)
_BEYOND = 1e15  # the fill of many gridded formats, and what they hold beyond it
_AMBIGUOUS, _OTHERS = np.float32(-1), 3  # noise where a station has as many other values below zero, else a code
_DST = 60  # minutes by which a local day is longer or shorter when clocks are changed
_LEAST_REPEATS = 3


@dataclass(frozen=True)
class Limits:
    """What is still believed; the defaults reject 0.23 % of the AirNow values and 0.01 % of the embassies' valid ones.

    Attributes:
        averaging: minutes, the period asked for. Other periods are rejected: the mean of a day has another spread than
            an hour's. Days may be 23 to 25 hours long, as clocks are changed.
        lowest: ug m-3. Clean air scatters around zero: the detection limit of an hour (two standard deviations) is
            4.8 ug m-3 by the data sheet of the BAM 1020, the commonest monitor. Values down to here stay as they are: to
            drop or clip them would bias means.
        highest: ug m-3; hours of wildfire smoke reach more than 1000.
        stuck: hours of the same number that a monitor is not believed, where means are shorter than a day.
        stuck_days: days of the same number, of daily means.
        clean: ug m-3, below which runs may be ``patience`` times as long: whole numbers and floors of instruments
            repeat in clean air (27 hours of 1 ug m-3 at neighbouring sites of Ontario, 24 of 2.2 in Oregon), and to
            reject them would leave the dirtier hours alone. Zeros count as clean.
        patience: how many times as long.
        spike: how many times as high as both neighbours a single interval is that is not believed. Only for means of
            less than a day: a day of dust or smoke between two clean ones is nothing special. New year's fireworks
            (Shenyang, 2019-02-05: 107, 397, 553, 161, 31 ug m-3) take two hours and stay.
        rise: ug m-3 by which it is higher, too.
        least: intervals that must be left at a station.
        moved: degrees between places of a station that moves; 0.02 is 2 km, within which grid boxes hardly differ.
        same_place: degrees between stations that are one place; 0.001 is 100 m. The same monitor comes by two networks
            under two names, and would count twice.
    """

    averaging: int = HOUR
    lowest: float = -5.0
    highest: float = 2000.0
    stuck: float = 12
    stuck_days: float = 5
    clean: float = 5.0
    patience: float = 4
    spike: float = 5.0
    rise: float = 100.0
    least: int = 3
    moved: float = 0.02
    same_place: float = 0.001

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            InputError: naming the limit.
        """
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise InputError(f"quality control: {name} is {value}; wanted a number from {least} up")
        if not -math.inf < self.lowest < self.highest:
            raise InputError(
                f"quality control: values from {self.lowest} to {self.highest} ug m-3; wanted the lowest below the highest"
            )

    @property
    def repeats(self) -> int:
        """How many equal values one after the other are too many; three at least."""
        minutes = self.stuck_days * DAY if self.averaging >= DAY - _DST else self.stuck * HOUR
        return max(_LEAST_REPEATS, math.ceil(minutes / self.averaging))


_LEAST = {
    "averaging": 1,
    "highest": 0,
    "stuck": 0,
    "stuck_days": 0,
    "clean": 0,
    "patience": 1,
    "spike": 1,
    "rise": 0,
    "least": 0,
    "moved": 0,
    "same_place": 0,
}


def check(observations: Observations, limits: Limits | None = None) -> Observations:
    """Say of each observation whether it is used, or why not.

    Duplicates: of the same instrument and time the first is used. Of several instruments at a place (sensors of a
    station, stations within ``same_place``), at each time one is used: that with the most good values overall, and
    where it has none the next. So a place counts once an hour, a monitor that replaced another is not lost, and values
    stay as they were measured, under their own station's name (nothing is averaged). What is stuck or a spike does not
    stand for its place.

    Args:
        observations: with the reasons that readers found; nothing is changed in them.
        limits: what is still believed; the defaults if none are given.

    Returns:
        The same with all reasons: of several that hold, the first in the order of :class:`Reason`.
    """
    limits = limits or Limits()
    reason = observations.reason.copy()
    for why, find in _ALONE.items():
        found = find(observations, limits)
        reason[found & ((reason == Reason.GOOD) | (reason > why))] = why
    suspect = suspects(observations.stations, limits.moved)
    where = suspect[observations.station]
    found = (where != Reason.GOOD) & ((reason == Reason.GOOD) | (reason > where))
    reason[found] = where[found]
    _check_series(observations, limits, suspect == Reason.GOOD, reason)
    return replace(observations, reason=reason)


def refuse_empty(observations: Observations) -> None:
    """Refuse observations of which none is good.

    Raises:
        InputError: with what was rejected, most first, and what to do about the commonest, and about stations with too
            few observations: these were the nearest to being used.
    """
    if observations.good.any():
        return
    if not observations.size:
        raise InputError("no observation of PM2.5 in the files; wanted one at least")
    rejected = sorted(observations.rejected().items(), key=lambda one: -one[1])
    counts = "; ".join(f"{count} {TITLES[name]}" for name, count in rejected)
    few = Reason.TOO_FEW if Reason.TOO_FEW.name.lower() in dict(rejected) else None
    hints = dict.fromkeys((Reason[rejected[0][0].upper()], few))
    hint = "".join(_hint(observations, reason) for reason in hints if reason is not None)
    raise InputError(f"none of {observations.size} observations is left after quality control: {counts}{hint}")


def _check_series(observations: Observations, limits: Limits, sound: Flags, reason: NDArray[np.uint8]) -> None:
    """Write into ``reason`` what speaks against observations that are good so far, from others.

    Args:
        observations: (m,).
        limits: what is still believed.
        sound: (stations,) whether the coordinates are to be believed.
        reason: (m,), changed.
    """
    stations = observations.stations
    instrument = instruments(stations)
    rows, series = _in_order(observations, instrument, np.flatnonzero(reason == Reason.GOOD))
    station, place = np.zeros((2, stations.size), np.int32)
    station[instrument] = owners(stations)
    place[instrument[sound]] = places(stations, sound, limits.same_place)[sound]
    longest = limits.repeats
    patient = math.ceil(longest * limits.patience)
    steps: list[tuple[Reason, Callable[[Series], Flags]]] = [
        (Reason.DUPLICATE, Series.repeated),
        (Reason.STUCK, lambda one: one.stuck(limits.averaging, longest, limits.clean, patient)),
        (Reason.DUPLICATE, lambda one: spare(one.owner, one.minute, place)),
        (Reason.TOO_FEW, lambda one: np.bincount(station[one.owner])[station[one.owner]] < limits.least),
    ]
    if limits.averaging < DAY - _DST:
        steps.insert(2, (Reason.SPIKE, lambda one: one.spikes(limits.averaging, limits.spike, limits.rise)))
    for why, find in steps:
        found = find(series)
        if found.any():
            reason[rows[found]] = why
            rows, series = rows[~found], series.take(~found)


def _in_order(observations: Observations, instrument: Numbers, rows: Rows) -> tuple[Rows, Series]:
    """Some observations by instrument and time, and their rows in this order."""
    owner = instrument[observations.station[rows]]
    minute = observations.begin[rows].astype(np.int64).astype(np.int32)
    order = by_time(owner, minute)
    return rows[order], Series(owner[order], minute[order], observations.value[rows[order]])


def _missing(observations: Observations, _: Limits) -> Flags:
    """No number; a reader has none either for a unit that cannot be converted, which says more."""
    return np.isnan(observations.value) & (observations.reason != Reason.UNITS)


def _sentinel(observations: Observations, limits: Limits) -> Flags:
    """A number that stands for none.

    -1 does so in some files, and in others is one of the commonest values of clean air: it is taken for a number where
    at least three other values of the station are between ``lowest`` and zero (of 2 443 in the AirNow values, 2 137 are).
    """
    value, count = observations.value, observations.stations.size
    found = np.isin(value, _CODES) | (np.abs(value) >= _BEYOND)
    ambiguous = np.flatnonzero(value == _AMBIGUOUS)
    if ambiguous.size:
        below = (value < 0) & (value >= limits.lowest) & (value != _AMBIGUOUS) & observations.good
        station = owners(observations.stations)
        others = np.bincount(station[observations.station[below]], minlength=count)
        found[ambiguous] = others[station[observations.station[ambiguous]]] < _OTHERS
    return found


def _averaging(observations: Observations, limits: Limits) -> Flags:
    slack = _DST if limits.averaging == DAY else 0
    return np.abs(observations.period - limits.averaging) > slack


_ALONE: dict[Reason, Callable[[Observations, Limits], Flags]] = {
    Reason.MISSING: _missing,
    Reason.SENTINEL: _sentinel,
    Reason.LOCAL_TIME: lambda observations, _: np.isnat(observations.begin),
    Reason.AVERAGING: _averaging,
    Reason.NEGATIVE: lambda observations, limits: observations.value < limits.lowest,
    Reason.TOO_HIGH: lambda observations, limits: observations.value > limits.highest,
}


def _hint(observations: Observations, reason: Reason) -> str:
    """What to do about it, to end a message with."""
    if reason == Reason.AVERAGING:
        period = int(np.bincount(observations.period[observations.reason == reason].clip(0)).argmax())
        option = {HOUR: "hourly", DAY: "daily"}.get(DAY if abs(period - DAY) <= _DST else period)
        known = f"most are means of {period} minutes" if period else "most do not tell it"
        return f"; {known}: " + (f"use --averaging {option}" if option else "wanted means of an hour or a day")
    return f"; {_HINTS[reason]}" if reason in _HINTS else ""
