"""Reading CAMS analyses in every form they are met: one file or many, as they were downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses, Field, Hours
from deepcams.io.files import DataFile, failures, find_files, first_line, grib_names, open_dataset
from deepcams.io.layout import (
    CAMS_STEP,
    Orientation,
    canonical_name,
    find_axis,
    find_variable,
    orient,
    planar_dims,
    valid_times,
    with_coordinates,
)
from deepcams.io.slabs import Slabs
from deepcams.units import Species, species_of

if TYPE_CHECKING:
    import xarray as xr

_HALF_STEP = 0.505  # of a packing; who packs in single precision is off by a little more than half


class VariableMissing(InputError):
    """The dataset is fine but does not hold the variable."""

    def __init__(self, label: str, variable: str, present: Sequence[str]) -> None:
        names = ", ".join(present) or "none"
        super().__init__(f"{label}: no variable {variable!r} (there are: {names}); give the one to use with --variable")


@dataclass(frozen=True)
class AnalysisFile:
    """The analyses in one file, in the file's order.

    Attributes:
        label: what to call the file in messages.
        times: (n,) datetime64[h].
        grid: their grid.
        species: the variable.
        precision: half a step of its packing, in the species' unit; 0 if it is not packed.
        notes: assumptions made.
    """

    label: str
    times: Hours
    grid: Grid
    species: Species
    precision: float
    notes: tuple[str, ...]
    _slabs: Slabs
    _orientation: Orientation
    _source: DataFile | None = None  # keeps the folder that a zip was unpacked to
    _reading: threading.RLock = field(default_factory=threading.RLock)

    def read(self, index: int) -> Field:
        """Slab number ``index`` as (rows, columns) float32 on the grid, in the species' unit."""
        with self._reading:
            try:
                slab = self._slabs[index]
            except failures(self._source) as error:
                raise InputError(f"{self.label}: {self.times[index]}:00 UTC cannot be read ({first_line(error)}); "
                                 "the file may be truncated or damaged: fetch it again") from error  # fmt: skip
        turned = slab[self._orientation.rows[:, None], self._orientation.columns]
        scaled = turned if self.species.scale == 1 else turned.astype(np.float64) * self.species.scale
        return scaled.astype(np.float32)


def open_cams(
    paths: str | Path | Iterable[str | Path], *, variable: str = "pm2p5", units: str | None = None
) -> xr.DataArray:
    """Open CAMS analyses as one lazy DataArray ``(time, latitude, longitude)``.

    Args:
        paths: files (NetCDF of the new or the old data store, GRIB, zip), folders, or patterns; paths or URLs.
        variable: name of the variable in the files.
        units: the values' unit, if the files do not say it or say it wrongly.

    Returns:
        float32; ug m-3 for PM1, PM2.5 and PM10, else the files' unit. Latitude descends, global longitudes ascend from
        0, times are UTC, sorted and unique. Packing noise around zero is zero. Values are read when they are used.

    Raises:
        InputError: if the files are not what is wanted; the message says what was found.
    """
    return open_analyses(find_files(paths), variable=variable, units=units).to_dataarray()


def open_analyses(files: Sequence[DataFile], *, variable: str = "pm2p5", units: str | None = None) -> Analyses:
    """The analyses of all files, in order of time; where files overlap they must agree.

    Raises:
        InputError: as :func:`open_cams`.
    """
    opened, absent = [], []
    for file in files:
        try:
            opened.append(open_file(file, variable=variable, units=units))
        except VariableMissing as error:
            if not file.is_member:
                raise
            absent.append(str(error))
    return combine(opened, "; ".join(absent) or "no analyses")


def open_file(file: DataFile, *, variable: str, units: str | None) -> AnalysisFile:
    """What one file holds.

    Raises:
        VariableMissing: if the file is fine but does not hold the variable.
        InputError: if it cannot be used.
    """
    dataset = open_dataset(file, variable=canonical_name(variable) if file.engine == "cfgrib" else None)
    if file.engine == "cfgrib" and not dataset.data_vars:
        raise VariableMissing(file.label, variable, grib_names(file))
    return from_dataset(dataset, file.label, variable=variable, units=units, source=file)


def from_dataset(
    dataset: xr.Dataset,
    label: str,
    *,
    variable: str,
    units: str | None = None,
    source: DataFile | None = None,
    grid_step: float = CAMS_STEP,
) -> AnalysisFile:
    """The analyses in an open dataset, on a grid with steps of ``grid_step`` degrees.

    Raises:
        InputError: if it has no such variable, or its layout, grid, times or units cannot be used.
    """
    dataset = with_coordinates(dataset)
    key = find_variable(dataset, variable)
    if key is None:
        raise VariableMissing(label, variable, [str(name) for name in dataset.data_vars])
    try:
        array = _with_dimensions(dataset[key])
        _refuse_empty(array)
        latitude, longitude = find_axis(array, "latitude"), find_axis(array, "longitude")
        planar = planar_dims(latitude, longitude)
        times, positions = valid_times(dataset, array, [dim for dim in array.dims if dim not in planar])
        step, notes = _single_node_step(array, latitude.size * longitude.size, grid_step)
        orientation = orient(latitude.values, longitude.values, step, wanted=grid_step)
        species = _species(array, canonical_name(variable), units)
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
    array = array.transpose(..., *planar)
    precision = abs(float(array.encoding.get("scale_factor", 0.0))) * species.scale * _HALF_STEP
    slabs = Slabs(array, positions, times)
    notes += source.notes if source else ()
    return AnalysisFile(label, times, orientation.grid, species, precision, notes, slabs, orientation, source)


def combine(files: Sequence[AnalysisFile], absent: str = "no analyses") -> Analyses:
    """One series from the files, in order of time.

    Raises:
        InputError: if their grids or units differ, or they disagree about the same hour.
    """
    if not files:
        raise InputError(absent)
    for other in files[1:]:
        _refuse_different(files[0], other)
    slabs = sorted(
        ((time, number, index) for number, file in enumerate(files) for index, time in enumerate(file.times))
    )
    used: list[tuple[AnalysisFile, int]] = []
    times: list[np.datetime64] = []
    for time, number, index in slabs:
        if times and times[-1] == time:
            _refuse_disagreement(*used[-1], files[number], index)
        else:
            times.append(time)
            used.append((files[number], index))
    return Analyses(
        times=np.array(times, "datetime64[h]"),
        grid=files[0].grid,
        species=files[0].species,
        load=lambda i: used[i][0].read(used[i][1]),
        label=lambda i: used[i][0].label,
        files=tuple(dict.fromkeys(file.label for file in files)),
        notes=tuple(dict.fromkeys(note for file in files for note in file.notes)),
    )


def _with_dimensions(array: xr.DataArray) -> xr.DataArray:
    """The array with a dimension for its latitude and its longitude, also where it has one of them only."""
    for axis in ("latitude", "longitude"):
        coordinate = find_axis(array, axis)
        array = array.expand_dims(str(coordinate.name)) if coordinate.ndim == 0 else array
    return array


def _refuse_empty(array: xr.DataArray) -> None:
    empty = [str(dim) for dim, size in array.sizes.items() if size == 0]
    if empty:
        raise InputError(f"variable {array.name!r} has no values: its dimension {', '.join(empty)} has the length 0")


def _single_node_step(array: xr.DataArray, nodes: int, usual: float) -> tuple[float | None, tuple[str, ...]]:
    """The step of a single node from its GRIB attributes, else the usual one, which is then said."""
    if nodes > 1:
        return None, ()
    step = array.attrs.get("GRIB_iDirectionIncrementInDegrees")
    if step:
        return float(step), ()
    return usual, (f"a single node does not tell its grid step: {usual:g} degrees assumed",)


def _species(array: xr.DataArray, variable: str, units: str | None) -> Species:
    unit = units or array.attrs.get("units") or array.attrs.get("GRIB_units")
    if not unit:
        raise InputError(f"variable {array.name!r} has no units: say which with --units (in Python: attrs['units']), "
                         "for example 'kg m-3'")  # fmt: skip
    names = {name: str(array.attrs.get(name, "")) for name in ("long_name", "standard_name")}
    if names["standard_name"] == "unknown":  # what the GRIB library writes
        names["standard_name"] = ""
    return species_of(variable, str(unit), **names)


def _refuse_different(first: AnalysisFile, other: AnalysisFile) -> None:
    turns = round((first.grid.west - other.grid.west) / 360)  # -10 and 350 degrees are the same meridian
    if first.grid != replace(other.grid, west=other.grid.west + 360 * turns):
        raise InputError(f"{other.label} is on another grid ({other.grid}) than {first.label} ({first.grid}): "
                         "downscale them one after the other")  # fmt: skip
    if first.species.unit != other.species.unit:
        raise InputError(
            f"{other.label} is in {other.species.unit!r}, {first.label} in {first.species.unit!r}: wanted one unit"
        )


def _both(first: AnalysisFile, other: AnalysisFile) -> str:
    return f"two fields in {first.label}" if first is other else f"{first.label} and {other.label}"


def _refuse_disagreement(first: AnalysisFile, i: int, other: AnalysisFile, j: int) -> None:
    """Two slabs of the same hour must be equal, to the precision they were packed with."""
    a, b = first.read(i).astype(np.float64), other.read(j).astype(np.float64)
    tolerance = first.precision + other.precision + 1e-6 * np.abs(a)
    differs = ~((np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b)))
    if differs.any():
        row, column = (int(k[0]) for k in np.nonzero(differs))
        raise InputError(
            f"{_both(first, other)} disagree, first at {first.times[i]}:00 UTC: {a[row, column]:g} and "
            f"{b[row, column]:g} {first.species.unit} at {first.grid.latitude[row]:g}N {first.grid.longitude[column]:g}E; "
            "leave one of them out"
        )
