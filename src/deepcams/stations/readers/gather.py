"""The chunks of station files made one table of observations: UTC intervals, ug m-3, every station once."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.mass import check_unit, factor_of
from deepcams.stations.readers.periods import told_periods
from deepcams.stations.readers.places import Places
from deepcams.stations.table import Minutes, Observations, Reason

_CODES = (-1.0, -99.0, -999.0, -9990.0, -9999.0, -99999.0, -999999.0)
"""Numbers that stand for missing ones in whatever unit: left as they are, for quality control to find."""
_LARGEST = float(np.finfo(np.float32).max)
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Gathered:
    """All that files hold.

    Attributes:
        observations: those of PM2.5.
        others: lines of other species.
        notes: what a reader should be told.
    """

    observations: Observations
    others: int
    notes: tuple[str, ...]


@dataclass
class Gathering:
    """Takes files one after the other.

    Attributes:
        options: what the user says of them.
        others: lines of other species so far.
    """

    options: Options
    others: int = 0
    _places: Places = field(init=False, repr=False)
    _parts: dict[str, list[NDArray[np.generic]]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _refused: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        check_unit(self.options.units)
        self._places = Places(self.options.sites)

    def add(self, source: Format, head: Head) -> int:
        """Read a file.

        Args:
            source: its format.
            head: its beginning.

        Returns:
            How many lines of PM2.5 it has.

        Raises:
            InputError: if it cannot be read, or tells no unit and nobody else does.
        """
        from pyarrow import ArrowException

        try:
            return sum(self._take(source, head, chunk) for chunk in source.read(head, self.options))
        except ArrowException as error:
            what = str(error).splitlines()[0]
            raise InputError(f"{head.path}: a column has a type that does not fit it ({what}); wanted {source.wanted}"
                             ) from error  # fmt: skip

    def end(self) -> Gathered:
        """All that was read; afterwards nothing can be added.

        Raises:
            InputError: if stations have no coordinates, in the file or the site table.
        """
        stations = self._places.stations()
        station, stamp = self._column("station", np.int32), self._column("stamp", "datetime64[m]")
        period = self._column("period", np.int32)
        notes = self._complete(station, stamp, period)
        rule = self._places.rules if self.options.stamp is None else [self.options.stamp] * stations.size
        halves = np.array(rule, np.int32)[station]  # begin, middle and end: as many halves of the period have passed
        stamp -= (halves * period // 2).astype("timedelta64[m]")  # in place: it is the begin from here on
        value, reason = self._column("value", np.float32), self._column("reason", np.uint8)
        return Gathered(Observations(stations, station, stamp, period, value, reason), self.others, notes)

    def _take(self, source: Format, head: Head, chunk: Chunk) -> int:
        self.others += chunk.others
        size = chunk.value.size
        if not size:
            return 0
        station = self._places.register(source, head, chunk, size)
        factor = self._factors(head, chunk, station)
        stamp = chunk.stamp.astype("datetime64[m]")
        there = np.isfinite(chunk.value)
        # The first reason that holds is the one told, so it is set last.
        reason = np.where(np.isnat(stamp), Reason.LOCAL_TIME, Reason.GOOD).astype(np.uint8)
        reason[np.broadcast_to(chunk.flagged, size)] = Reason.FLAGGED
        reason[np.isnan(factor)] = Reason.UNITS
        reason[~there] = Reason.MISSING
        kept = (factor == 1) | np.isin(chunk.value, _CODES) & ~np.isnan(factor)
        value = np.where(there, np.where(kept, chunk.value, chunk.value * factor), np.nan)
        value = value.clip(-_LARGEST, _LARGEST).astype(np.float32)
        period = np.array(np.broadcast_to(chunk.period, size), np.int32)
        parts = {"station": station, "stamp": stamp, "period": period, "value": value, "reason": reason}
        for name, part in parts.items():
            self._parts[name].append(part)
        return size

    def _factors(self, head: Head, chunk: Chunk, station: NDArray[np.int32]) -> NDArray[np.float64]:
        """(m,) what makes the values ug m-3; NaN for units that are no mass in a volume of air."""
        from pandas import factorize

        if isinstance(chunk.unit, str):
            codes, units = np.zeros(station.size, np.intp), np.array([chunk.unit], object)
        else:
            codes, units = factorize(chunk.unit)
        known = [factor_of(unit) for unit in units]
        for number, (unit, factor) in enumerate(zip(units, known, strict=True)):
            if factor is None and unit.strip():
                self._refused[unit] += int(np.count_nonzero(codes == number))
        factors = np.array([np.nan if one is None else one for one in known])[codes]
        untold = np.array([not unit.strip() for unit in units])[codes]
        if untold.any():
            factors[untold] = self._given(head, station[untold], alone=bool(untold.all()))
        return factors

    def _given(self, head: Head, station: NDArray[np.int32], *, alone: bool) -> NDArray[np.float64]:
        """(m,) the same of lines that tell no unit, from the site table or the options."""
        numbers, which = np.unique(station, return_inverse=True)
        sites = [self._places.site(number) for number in numbers.tolist()]
        units = [site.units if site and site.units else self.options.units or "" for site in sites]
        if alone and not all(units):
            raise InputError(f"{head.path}: the file does not tell its units; give --units, like ug/m3")
        lacking = int(np.count_nonzero(np.array([not unit for unit in units])[which]))
        self._refused.update({"none told": lacking} if lacking else {})
        factors = [factor_of(unit) for unit in units]
        return np.array([np.nan if one is None else one for one in factors])[which]

    def _column(self, name: str, kind: str | type) -> NDArray[Any]:
        """A column of all lines; its parts go, as twice all columns would be much."""
        return np.concatenate([np.zeros(0, kind), *self._parts.pop(name, [])])

    def _complete(self, station: NDArray[np.int32], stamp: Minutes, period: NDArray[np.int32]) -> tuple[str, ...]:
        """Fill unknown periods in place; say what was done."""
        notes = []
        unknown = period <= 0
        if unknown.any():
            period[unknown] = told_periods(station, stamp, unknown)[station[unknown]]
            found = Counter(period[unknown].tolist()).most_common(_SHOWN)
            told = ", ".join(f"{minutes} min ({count} lines)" for minutes, count in found)
            notes.append(f"averaging periods told from the spacing of time stamps: {told}")
        refused = [f"{unit} ({count} lines)" for unit, count in self._refused.most_common(_SHOWN)]
        if refused:
            notes.append(f"units that are no mass in a volume of air: {', '.join(refused)}")
        return tuple(notes)
