"""Reading hourly maps back, a part at a time: a Zarr store, one NetCDF file, or many in the order of time.

Stores are read through zarr itself, by several threads at once if a caller likes; everything else goes through xarray,
one read at a time. Outputs of other programs on a regular grid are read too: their hours say nothing of how they came
about, and count as interpolated, because nothing claims that they are analyses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io import published, remote
from deepcams.io.files import DataFile, failures, find_files, first_line, open_dataset
from deepcams.io.layout import (
    Orientation,
    canonical_name,
    find_axis,
    find_variable,
    orient,
    planar_dims,
    valid_times,
    with_coordinates,
)
from deepcams.timeline import TimeKind
from deepcams.units import Species, species_of

if TYPE_CHECKING:
    import xarray as xr

Hours = NDArray[np.datetime64]
Values = NDArray[np.float32]
Load = Callable[[slice, slice, slice], NDArray[Any]]

DAY = 24  # hours of a UTC day, which a store keeps together
_DEFAULT_VARIABLE = "pm2p5"
_PACKED = {"scale_factor", "add_offset", "_FillValue", "missing_value"}
_SEPARATORS = {"deepcams_inputs": ", ", "history": "\n"}  # of attributes that differ between files; others: "; "
_ABSENT = -1
_READING = threading.Lock()  # the NetCDF libraries are not safe for threads


@dataclass(frozen=True, eq=False)
class Results:
    """Hourly maps as deepcams wrote them, read a part at a time.

    Attributes:
        times: (n,) datetime64[h], every hour from the first to the last, also those that were not made.
        kinds: (n,) int8, their TimeKind; MISSING where nothing was made or no file has the hour.
        grid: the files' grid, with rows from north to south.
        species: the variable and the unit that values are given in.
        attributes: the files' global attributes; where files differ, what they say one after the other.
        label: what to call it in messages.
        files: the files it comes from.
        unfinished: whether a store among them says that it is unfinished; the hours it lacks are MISSING.
    """

    times: Hours
    kinds: NDArray[np.int8]
    grid: Grid
    species: Species
    attributes: Mapping[str, Any]
    label: str
    files: tuple[str, ...]
    unfinished: bool
    _parts: tuple[_Part, ...] = field(repr=False)
    _part: NDArray[np.intp] = field(repr=False)  # (n,) number of the part that has the hour
    _position: NDArray[np.intp] = field(repr=False)  # (n,) the hour's place in that part

    def read(self, hours: slice, rows: slice = slice(None), columns: slice = slice(None)) -> Values:
        """The maps of some hours, or a box of them; only the chunks needed are read, and whole UTC days are quickest.

        Args:
            hours: which of ``times``.
            rows: which rows of the grid.
            columns: which columns of the grid, without going across its edge.

        Returns:
            (hours, rows, columns) float32 in the species' unit, NaN where missing.

        Raises:
            InputError: if a file is damaged.
        """
        part, position = self._part[hours], self._position[hours]
        begins = np.flatnonzero((np.diff(part) != 0) | (np.diff(position) != 1)) + 1
        runs = [slice(a, b) for a, b in pairwise([0, *begins.tolist(), part.size]) if b > a and part[a] != _ABSENT]
        pieces = {run.start: self._read(self._parts[part[run.start]], position[run], rows, columns) for run in runs}
        if len(runs) == 1 and runs[0] == slice(0, part.size):
            return pieces[0]
        box = len(range(self.grid.rows)[rows]), len(range(self.grid.columns)[columns])
        values = np.full((part.size, *box), np.nan, np.float32)
        for run in runs:
            values[run] = pieces[run.start]
        return values

    @staticmethod
    def _read(part: _Part, positions: NDArray[np.intp], rows: slice, columns: slice) -> Values:
        """The maps at consecutive positions of a part."""
        return part.read(slice(int(positions[0]), int(positions[-1]) + 1), rows, columns)

    def days(self) -> list[slice]:
        """The hours of each UTC day of the axis, in order: the pieces that are quickest to read."""
        dates = self.times.astype("datetime64[D]")
        edges = [0, *(np.flatnonzero(dates[1:] != dates[:-1]) + 1).tolist(), self.times.size]
        return [slice(a, b) for a, b in pairwise(edges)]


def open_results(paths: str | Path | Iterable[str | Path], *, variable: str | None = None) -> Results:
    """Open hourly maps that deepcams wrote, or others like them.

    Args:
        paths: Zarr stores, NetCDF files, folders of them or patterns; in any order. Also the maps published with the paper
            (see :mod:`deepcams.io.published`).
        variable: None for ``pm2p5``, or the only variable on (time, latitude, longitude).

    Raises:
        InputError: if a file cannot be used, files differ in grid, species or unit, or disagree about the same hour.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    maps = [one for one in given if published.holds_maps(one)]
    others = [one for one in given if one not in maps]
    parts = [_open(file, variable) for file in find_files(others)] if others or not maps else []
    return _joined([*parts, *([_open_published(maps)] if maps else [])])


@dataclass(frozen=True, eq=False)
class _Part:
    """What one file holds."""

    file: DataFile
    times: Hours
    kinds: NDArray[np.int8]
    grid: Grid
    species: Species
    attributes: Mapping[str, Any]
    load: Load

    def read(self, hours: slice, rows: slice, columns: slice) -> Values:
        """(hours, rows, columns) in the species' unit, on the grid."""
        try:
            values = self.load(hours, rows, columns)
        except failures(self.file) as error:
            first, last = self.times[hours][[0, -1]]
            raise InputError(f"{self.file.label}: the hours {first} to {last} UTC cannot be read ({first_line(error)}); "
                             "the file may be damaged: make or fetch it again") from error  # fmt: skip
        scaled = values if self.species.scale == 1 else values.astype(np.float64) * self.species.scale
        return scaled.astype(np.float32, copy=False)


def _open(file: DataFile, wanted: str | None) -> _Part:
    dataset = with_coordinates(open_dataset(file))
    try:
        array, times = _variable(dataset, wanted)
        orientation = _orientation(dataset, array)
        species = _species(array)
    except InputError as error:
        raise InputError(f"{file.label}: {error}") from None
    kinds = np.full(times.size, TimeKind.INTERPOLATED, np.int8)
    if "time_kind" in dataset:
        kinds = dataset["time_kind"].values.astype(np.int8)
    load = _loader(file, array, orientation)
    return _Part(file, times, kinds, orientation.grid, species, dict(dataset.attrs), load)


def _open_published(places: Sequence[str | Path]) -> _Part:
    """The maps published with the paper; nothing says which hours are analyses."""
    maps = published.open_maps(places)
    kinds = np.full(maps.times.size, TimeKind.INTERPOLATED, np.int8)
    file = DataFile(maps.label, maps.label, "mat")
    return _Part(file, maps.times, kinds, maps.grid, maps.species, maps.attributes, maps.load)


def _variable(dataset: xr.Dataset, wanted: str | None) -> tuple[xr.DataArray, Hours]:
    """The variable to read, with the dimensions (time, rows, columns), and its times."""
    found = [str(name) for name, array in dataset.data_vars.items() if array.ndim >= 3]
    key = find_variable(dataset, wanted or _DEFAULT_VARIABLE)
    if key is None and wanted is None and len(found) == 1:
        key = found[0]
    if key is None:
        has = ", ".join(found) or "no variable"
        raise InputError(f"no variable {wanted or _DEFAULT_VARIABLE} on (time, latitude, longitude), there is {has}; "
                         "choose one with --variable")  # fmt: skip
    array = dataset[key]
    latitude, longitude = find_axis(array, "latitude"), find_axis(array, "longitude")
    planar = planar_dims(latitude, longitude) if latitude.ndim == longitude.ndim == 1 else ()
    others = [dim for dim in array.dims if dim not in planar]
    times, _ = valid_times(dataset, array, others)
    along = [dim for dim in others if array.sizes[dim] != 1] or others[:1]
    if not planar or len(along) != 1 or not array.size:
        sizes = ", ".join(f"{dim} ({size})" for dim, size in array.sizes.items())
        raise InputError(f"variable {key} has the dimensions {sizes}: wanted time, latitude and longitude")
    return array.isel({dim: 0 for dim in others if dim not in along}).transpose(*along, *planar), times


def _orientation(dataset: xr.Dataset, array: xr.DataArray) -> Orientation:
    """How the maps lie on the Earth, whatever their step."""
    latitude, longitude = (find_axis(array, axis).values for axis in ("latitude", "longitude"))
    step = None
    if latitude.size > 1 or longitude.size > 1:
        values = latitude if latitude.size > 1 else np.unwrap(longitude, period=360)
        step = abs(float(values[-1]) - float(values[0])) / (values.size - 1)
        around = round(360 / step) if step else 0
        step = 360 / around if longitude.size >= around > 0 else round(step, _digits(values))
    elif "longitude_bnds" in dataset:
        step = float(np.ptp(dataset["longitude_bnds"].values))
    found = orient(latitude, longitude, step, wanted=step or 0.0)
    north, west = float(latitude[found.rows[0]]), float(longitude[found.columns[0]])
    west += 360 * round((found.grid.west - west) / 360)
    digits = _digits(latitude)
    return replace(found, grid=replace(found.grid, north=round(north, digits), west=round(west, digits)))


def _digits(values: NDArray[Any]) -> int:
    """To how many decimals coordinates tell their step."""
    return 9 if values.dtype == np.float64 else 5


def _species(array: xr.DataArray) -> Species:
    unit = array.attrs.get("units")
    if not unit:
        raise InputError(f"variable {array.name} has no units: wanted an attribute like units = 'ug m-3'")
    names = {name: str(array.attrs.get(name, "")) for name in ("long_name", "standard_name")}
    return species_of(canonical_name(str(array.name)), str(unit), **names)


def _loader(file: DataFile, array: xr.DataArray, orientation: Orientation) -> Load:
    """How to read a box of (hours, rows, columns)."""
    rows, columns = orientation.rows, orientation.columns
    if file.engine == "zarr" and all((picks == np.arange(picks.size)).all() for picks in (rows, columns)):
        import zarr

        store: Any = remote.zarr_store(file.path, read_only=True) if isinstance(file.path, str) else file.path
        group: Any = zarr.open_group(store, mode="r")
        stored = group[array.name]
        plain = stored.metadata.zarr_format == 3 and not _PACKED & stored.attrs.keys()
        if plain and stored.shape == (array.shape[0], rows.size, columns.size):
            return lambda hours, r, c: stored[hours, r, c]

    def load(hours: slice, r: slice, c: slice) -> NDArray[Any]:
        with _READING:
            return array[hours, _run(rows[r]), _run(columns[c])].values

    return load


def _run(picks: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Picks that follow one another as a slice, which is quicker."""
    straight = picks.size > 0 and (np.diff(picks) == 1).all()
    return slice(int(picks[0]), int(picks[-1]) + 1) if straight else picks


def _joined(parts: Sequence[_Part]) -> Results:
    """One series from the files, in order of time."""
    parts = sorted(parts, key=lambda part: part.times.min())
    for other in parts[1:]:
        _refuse_different(parts[0], other)
    first, last = min(part.times.min() for part in parts), max(part.times.max() for part in parts)
    times = np.arange(first, last + np.timedelta64(1, "h"))
    kinds = np.full(times.size, TimeKind.MISSING, np.int8)
    source, position = np.full(times.size, _ABSENT), np.zeros(times.size, np.intp)
    for number, part in enumerate(parts):
        places = np.flatnonzero(part.kinds != TimeKind.MISSING)
        hours = (part.times[places] - first).astype(np.int64)
        if np.unique(hours).size < hours.size:
            raise InputError(f"{part.file.label}: has an hour twice; wanted each hour once")
        for known in np.flatnonzero(source[hours] != _ABSENT):
            hour = hours[known]
            _refuse_disagreement(parts[source[hour]], int(position[hour]), part, int(places[known]))
        new = source[hours] == _ABSENT
        kinds[hours[new]], source[hours[new]], position[hours[new]] = part.kinds[places[new]], number, places[new]
    names = tuple(part.file.label for part in parts)
    label = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    attributes = _merged([part.attributes for part in parts])
    unfinished = any(part.attributes.get("status") == "unfinished" for part in parts)
    return Results(times, kinds, parts[0].grid, parts[0].species, attributes, label, names, unfinished,
                   tuple(parts), source, position)  # fmt: skip


def _refuse_different(first: _Part, other: _Part) -> None:
    turns = round((first.grid.west - other.grid.west) / 360)  # -10 and 350 degrees are the same meridian
    if first.grid != replace(other.grid, west=other.grid.west + 360 * turns):
        raise InputError(f"{other.file.label} is on another grid ({other.grid}) than {first.file.label} ({first.grid}): "
                         "take them one after the other")  # fmt: skip
    found, wanted = ((one.species.name, one.species.unit) for one in (other, first))
    if found != wanted:
        raise InputError(f"{other.file.label} has {' in '.join(found)}, {first.file.label} has {' in '.join(wanted)}: "
                         "take them one after the other")  # fmt: skip


def _refuse_disagreement(first: _Part, i: int, other: _Part, j: int) -> None:
    """Two maps of the same hour must be equal."""
    everything = slice(None)
    a = first.read(slice(i, i + 1), everything, everything)[0]
    b = other.read(slice(j, j + 1), everything, everything)[0]
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if differs.any():
        row, column = (int(k[0]) for k in np.nonzero(differs))
        raise InputError(
            f"{first.file.label} and {other.file.label} disagree, first at {first.times[i]}:00 UTC: {a[row, column]:g} and "
            f"{b[row, column]:g} {first.species.unit} at {first.grid.latitude[row]:g}N {first.grid.longitude[column]:g}E; "
            "leave one of them out"
        )


def _merged(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes of all files; where they differ, each thing said once, in the order of time."""
    merged: dict[str, Any] = {}
    for name in dict.fromkeys(name for attributes in found for name in attributes):
        values = [attributes[name] for attributes in found if name in attributes]
        if len(set(map(str, values))) == 1:
            merged[name] = values[0]
        else:
            separator = _SEPARATORS.get(name, "; ")
            merged[name] = separator.join(dict.fromkeys(one for text in values for one in str(text).split(separator)))
    return merged
