"""A result as it lies on the disk, read day by day to be verified: nothing in it is believed that can be looked up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from deepcams import __version__
from deepcams.conventions import coordinate_arrays
from deepcams.errors import DeepcamsError, InputError
from deepcams.io.files import failures, first_line, is_store
from deepcams.io.ledger import Entry, entry_of, mask_of
from deepcams.io.results import Results, open_results
from deepcams.io.store import status_of
from deepcams.io.template import DAY, LEDGER, PLANNED, first_day, is_dated, last_day
from deepcams.rounding import MANTISSA
from deepcams.timeline import TimeKind
from deepcams.verification.problems import Date, Problem, by_hours

_UNREADABLE = failures(None)
_DAMAGE: tuple[type[Exception], ...] = (InputError, *_UNREADABLE)
_ROOT = "zarr.json"
_ALL = (1 << DAY) - 1


@dataclass(eq=False)
class StoredDay:
    """A day as it was read.

    Attributes:
        date: the UTC day.
        planned: the hours that are to be there, bit h for h UTC; None if that cannot be told.
        kinds: (24,) int8, their TimeKind; None if they cannot be read.
        values: (24, rows, columns) float32; None if some cannot be read, or the day was not made.
        entry: what the ledger says; None without a ledger, or if the day was not made, or it cannot be read.
        finished: whether the day was made.
        bytes: its size as it is stored.
        problems: what could not be read.
    """

    date: Date
    planned: int | None
    kinds: NDArray[np.int8] | None = None
    values: NDArray[np.float32] | None = None
    entry: Entry | None = None
    finished: bool = True
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def made(self) -> int:
        """The hours that are there, bit h for h UTC."""
        if self.kinds is None:
            return 0
        return mask_of(np.flatnonzero(self.kinds != TimeKind.MISSING))


@dataclass(frozen=True, eq=False)
class Stored:
    """A result to be verified.

    Attributes:
        path: where it is.
        attributes: its global attributes.
        dates: the UTC days of its time axis.
        read: reads a day; does not raise for damage, but says it in the day's problems.
        keepbits: mantissa bits that were kept.
        shape: rows and columns of a map.
        coordinates: reads ``latitude``, ``longitude`` or their bounds (``latitude_bnds``); None if they cannot be read.
        group: the arrays, if it is a store.
        planned: (days,) hours that are to be there; None if it cannot be read, or it is no store.
    """

    path: Path
    attributes: Mapping[str, Any]
    dates: tuple[Date, ...]
    read: Callable[[Date], StoredDay]
    keepbits: int
    shape: tuple[int, int]
    coordinates: Callable[[str], NDArray[np.float64] | None]
    group: Any = None
    planned: NDArray[np.uint32] | None = None

    @property
    def is_store(self) -> bool:
        """Whether it is a Zarr store, with a ledger."""
        return self.group is not None

    @property
    def settings(self) -> dict[str, Any]:
        """What the values depend on besides the data.

        Raises:
            DeepcamsError: if that cannot be told.
        """
        try:
            settings: dict[str, Any] = json.loads(self.attributes["deepcams_settings"])
            settings["variable"]
        except (ValueError, LookupError, TypeError) as error:
            raise _damaged(self.path, f"its settings cannot be told ({first_line(error)})") from error
        return settings

    @property
    def version(self) -> str:
        """The version of deepcams that made it; this one, where what it says of that contradicts itself."""
        said = str(self.attributes.get("deepcams_version"))
        return said if str(self.attributes.get("source")).startswith(f"deepcams {said},") else __version__


def open_stored(path: Path) -> Stored:
    """Open a result of ours.

    Raises:
        InputError: if it is none.
        DeepcamsError: if it is damaged so that nothing can be told of it.
    """
    if not path.exists():
        raise InputError(f"{path}: no such store or file")
    if path.is_dir():
        return _open_store(path)
    return _open_file(path)


def _damaged(path: Path, why: str) -> DeepcamsError:
    return DeepcamsError(f"{path}: {why}; nothing else of it can be verified or repaired: put {_ROOT} back from a copy, or "
                         "make the store anew (downscale --overwrite)")  # fmt: skip


def _open_store(path: Path) -> Stored:
    if not is_store(path):
        raise InputError(f"{path}: a folder without {_ROOT}: wanted a Zarr store that deepcams wrote")
    try:
        json.loads((path / _ROOT).read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(path, f"{_ROOT}, which says what the store is, cannot be read ({first_line(error)})") from error
    if status_of(path) is None:
        raise InputError(f"{path}: not a store of deepcams, or its status is damaged: {_ROOT} does not say that it is "
                         "unfinished or complete")  # fmt: skip
    try:
        # The metadata of all arrays are in the root too: by these an array can be read whose own are damaged.
        group: Any = zarr.open_group(path, mode="r", use_consolidated=True)
        attributes = dict(group.attrs)
        first, last, keepbits = first_day(attributes), last_day(attributes), int(attributes["deepcams_keepbits"])
        variable = str(json.loads(attributes["deepcams_settings"])["variable"])
        arrays = {name: group[name] for name in (variable, "time_kind", LEDGER, PLANNED)}
        dated = is_dated(path)
    except _UNREADABLE as error:
        raise _damaged(path, f"{_ROOT}, which says what the store is, is damaged ({first_line(error)})") from error
    if not dated or first > last:
        raise _damaged(path, f"{_ROOT} does not say which days the store has")
    planned = _planned(arrays[PLANNED], int((last - first).astype(np.int64)) + 1)
    reader = _StoreReader(path, first, variable, arrays, planned)
    dates, shape = tuple(np.arange(first, last + 1)), (arrays[variable].shape[1], arrays[variable].shape[2])
    return Stored(path, attributes, dates, reader.read, keepbits, shape, partial(_readable, group), group, planned)


def _readable(group: Any, name: str) -> NDArray[np.float64] | None:
    try:
        values: NDArray[np.float64] = group[name][:]
    except _UNREADABLE:
        return None
    return values


def _planned(array: Any, days: int) -> NDArray[np.uint32] | None:
    try:
        planned: NDArray[np.uint32] = array[:]
    except _UNREADABLE:
        return None
    return planned if planned.shape == (days,) and (planned <= _ALL).all() else None


@dataclass(frozen=True, eq=False)
class _StoreReader:
    """Reads days of a store."""

    path: Path
    first: Date
    variable: str
    arrays: Mapping[str, Any]
    planned: NDArray[np.uint32] | None

    def read(self, date: Date) -> StoredDay:
        number = int((date - self.first).astype(np.int64))
        planned = None if self.planned is None else int(self.planned[number])
        day = StoredDay(date, planned)
        self._read_row(day, number)
        hours = slice(number * DAY, (number + 1) * DAY)
        try:
            day.kinds = self.arrays["time_kind"][hours]
        except _UNREADABLE as error:
            day.problems.append(Problem(f"time_kind cannot be read ({first_line(error)})", date))
        if day.finished:
            shard = self.path / shard_of(self.variable, number)
            day.bytes = shard.stat().st_size if shard.is_file() else 0
            self._read_values(day, hours)
        return day

    def _read_row(self, day: StoredDay, number: int) -> None:
        try:
            day.entry = entry_of(self.arrays[LEDGER][number])
            day.finished = day.entry is not None
        except _UNREADABLE as error:
            day.problems.append(Problem(f"its row of the ledger cannot be read ({first_line(error)})", day.date))

    def _read_values(self, day: StoredDay, hours: slice) -> None:
        array = self.arrays[self.variable]
        try:
            day.values = array[hours]
        except _UNREADABLE:
            day.problems += by_hours(day.date, _unreadable(lambda hour: array[hour], range(hours.start, hours.stop)))


def _unreadable(read: Callable[[int], Any], hours: Iterable[int]) -> Iterable[tuple[int, str]]:
    """The hours that cannot be read, and why."""
    for hour in hours:
        try:
            read(hour)
        except _DAMAGE as error:
            yield hour % DAY, f"chunk unreadable ({first_line(error)})"


def shard_of(variable: str, number: int) -> str:
    """The file of a day's values within a store."""
    return f"{variable}/c/{number}/0/0"


def files_of_day(variable: str, number: int) -> tuple[str, str, str]:
    """The files of a day within a store: its row of the ledger, its values, its kinds of hours."""
    return f"{LEDGER}/c/{number}/0/0", shard_of(variable, number), f"time_kind/c/{number}"


def _open_file(path: Path) -> Stored:
    results = open_results(path)
    if "deepcams_settings" not in results.attributes:
        raise InputError(f"{path}: deepcams did not write it: wanted one of its Zarr stores or NetCDF files")
    days = {results.times[hours.start].astype("datetime64[D]"): hours for hours in results.days()}
    share = path.stat().st_size // len(days)

    def read(date: Date) -> StoredDay:
        day = _read_day_of_file(results, date, days[date])
        day.bytes = share
        return day

    keepbits = _keepbits(path, results.species.name)
    axes = {name: values for name, (_, values) in coordinate_arrays(results.grid).items()}
    return Stored(path, results.attributes, tuple(days), read, keepbits, results.grid.shape, axes.get)


def _read_day_of_file(results: Results, date: Date, hours: slice) -> StoredDay:
    first = int((results.times[hours.start] - date.astype("datetime64[h]")).astype(np.int64))
    own = slice(first, first + hours.stop - hours.start)
    day = StoredDay(date, None, np.full(DAY, TimeKind.MISSING, np.int8))
    kinds, day.values = day.kinds, np.full((DAY, *results.grid.shape), np.nan, np.float32)
    if kinds is not None:
        kinds[own] = results.kinds[hours]
    day.planned = day.made
    try:
        day.values[own] = results.read(hours)
    except InputError:
        day.values = None
        offset = hours.start - first
        some = _unreadable(
            lambda hour: results.read(slice(hour + offset, hour + offset + 1)), range(own.start, own.stop)
        )
        day.problems += by_hours(date, some)
    return day


def _keepbits(path: Path, variable: str) -> int:
    """The mantissa bits that a NetCDF file says it keeps."""
    import netCDF4

    with netCDF4.Dataset(path) as dataset:
        quantization = dataset[variable].quantization()
    return int(quantization[0]) if quantization else MANTISSA
