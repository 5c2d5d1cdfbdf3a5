"""The stations met in many chunks and files, each of them once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Chunk, Format, Head
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.table import Stations

_PLACES = 1e4  # of a degree: instruments closer than ten metres are at the same place
_NOWHERE = np.iinfo(np.int32).min
_FAR = 1e5
_SHOWN = 3


class Places:
    """A register of stations: the same identifier, instrument, source and coordinates are the same station."""

    def __init__(self, sites: Sites | None) -> None:
        self.rules: list[int] = []
        """What the stamps of each station say, a :class:`deepcams.stations.table.Stamp`."""
        self._sites = sites
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._lines: list[list[Any]] = []
        self._alone: dict[int, Path] = {}  # without coordinates in a file that has none: where it was met

    def register(self, source: Format, head: Head, chunk: Chunk, size: int) -> NDArray[np.int32]:
        """The numbers of the stations of a chunk's lines; those not met before get new ones."""
        if not size:
            return np.zeros(0, np.int32)
        parts = [chunk.ids, chunk.sensors, _rounded(chunk.latitude), _rounded(chunk.longitude)]
        which, first = _combinations(parts, size)
        keys = zip(*(_entries(part, first) for part in parts), repeat((source.name, source.stamp)), strict=False)
        numbers = [
            self._numbers[key] if key in self._numbers else self._new(key, source, head, chunk, i)
            for i, key in zip(first.tolist(), keys, strict=False)  # what is the same for all lines never ends
        ]
        return np.array(numbers, np.int32)[which]

    def site(self, number: int) -> Site | None:
        """What the site table says of a station."""
        if self._sites is None:
            return None
        one, _, name, *_ = self._lines[number]
        return self._sites.find(one, name) or self._only_site(self._sites, number)

    def stations(self) -> Stations:
        """All of them, with what the site table knows.

        Raises:
            InputError: if there are none for a station whose file has no coordinates.
        """
        lacking = [number for number in self._alone if self.site(number) is None]
        if lacking:
            raise InputError(self._message(lacking))
        for number in range(len(self._lines)):
            self._complete(number)
        columns = list(zip(*self._lines, strict=True)) or [()] * 9
        types = [object, object, object, np.float64, np.float64, object, object, object, np.bool_]
        return Stations(*(np.array(column, kind) for column, kind in zip(columns, types, strict=True)))

    def _new(self, key: tuple[Any, ...], source: Format, head: Head, chunk: Chunk, i: int) -> int:
        """A station that a line of a chunk is the first of."""
        number = self._numbers[key] = len(self._lines)
        columns = (chunk.ids, chunk.sensors, chunk.names, chunk.latitude, chunk.longitude, chunk.country)
        line = [_at(column, i) for column in columns]
        line[2] = line[2] or line[0]
        self._lines.append([*line, source.name, _at(chunk.timezone, i), bool(_at(chunk.mobile, i))])
        self.rules.append(source.stamp)
        if not isinstance(chunk.latitude, np.ndarray) and np.isnan(chunk.latitude):
            self._alone[number] = head.path
        return number

    def _complete(self, number: int) -> None:
        """Fill what the file does not tell from the site table."""
        line, site = self._lines[number], self.site(number)
        if site is None:
            return
        if np.isnan(line[3]) or np.isnan(line[4]):
            line[3:5] = site.latitude, site.longitude
        line[2] = site.name if site.name and line[2] == line[0] else line[2]
        line[5], line[7] = line[5] or site.country, line[7] or site.timezone

    def _only_site(self, sites: Sites, number: int) -> Site | None:
        """The single site of a table, for the single station without coordinates that only its file's name tells."""
        if len(sites.sites) != 1 or list(self._alone) != [number]:
            return None
        named_by_file = self._alone[number].name.startswith(f"{self._lines[number][0]}.")
        return next(iter(sites.sites.values())) if named_by_file else None

    def _message(self, lacking: list[int]) -> str:
        names = [repr(self._lines[number][0]) for number in lacking]
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        found = f"the site table {self._sites.path} has no such station" if self._sites else "the file has none"
        return (
            f"{self._alone[lacking[0]]}: no coordinates of station {shown}: {found}; "
            "give --site-table, a CSV file with the columns id,latitude,longitude"
        )


def _at(column: Any, i: int) -> Any:
    """A line's entry of a column, or of all lines."""
    return column[i] if isinstance(column, np.ndarray) else column


def _entries(column: Any, lines: NDArray[np.intp]) -> Iterable[Any]:
    """The entries of some lines."""
    return column[lines].tolist() if isinstance(column, np.ndarray) else repeat(column)


def _rounded(degrees: Any) -> Any:
    """Coordinates as whole numbers; a number of its own for none."""
    degrees = np.asarray(degrees, np.float64)
    known = np.abs(degrees) < _FAR
    return np.where(known, np.rint(np.where(known, degrees, 0) * _PLACES), _NOWHERE).astype(np.int64)[()]


def _combinations(columns: list[Any], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which different combination of entries each line has, and the first line of each."""
    import pandas

    which = np.zeros(size, np.int64)
    for column in columns:
        if isinstance(column, np.ndarray):
            codes, kinds = pandas.factorize(column, use_na_sentinel=False)
            which = pandas.factorize(which * len(kinds) + codes)[0]
    first = np.empty(int(which.max()) + 1, np.intp)
    first[which[::-1]] = np.arange(size)[::-1]  # of several lines the last assignment counts: the first line
    return which, first
