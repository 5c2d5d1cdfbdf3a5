"""Reading CAMS analyses in every form they are met: one file or many, as they were downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses, Field, Hours
from deepcams.io.files import DataFile, find_files, open_dataset
from deepcams.io.layout import CAMS_STEP, Orientation, find_axis, find_variable, orient, valid_times
from deepcams.units import Species, species_of

if TYPE_CHECKING:
    import xarray as xr

_READING = threading.Lock()  # neither HDF5 nor the GRIB library may be entered twice


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
    _array: xr.DataArray
    _positions: list[dict[Any, int]]
    _orientation: Orientation
    _source: DataFile | None = None  # keeps the folder that a zip was unpacked to

    def read(self, index: int) -> Field:
        """Slab number ``index`` as (rows, columns) float32 on the grid, in the species' unit."""
        with _READING:
            try:
                slab = np.asarray(self._array.isel(self._positions[index]).values)
            except (OSError, RuntimeError, ValueError, EOFError) as error:
                raise InputError(f"{self.label}: {self.times[index]}:00 UTC cannot be read ({error}); "
                                 "the file may be truncated or damaged: fetch it again") from error  # fmt: skip
        turned = slab[self._orientation.rows[:, None], self._orientation.columns]
        scaled = turned if self.species.scale == 1 else turned.astype(np.float64) * self.species.scale
        return scaled.astype(np.float32)


def open_cams(
    paths: str | Path | Iterable[str | Path], *, variable: str = "pm2p5", units: str | None = None
) -> xr.DataArray:
    """Open CAMS analyses as one lazy DataArray ``(time, latitude, longitude)``.

    Args:
        paths: files (NetCDF of the new or the old data store, GRIB, zip), folders, or patterns.
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
    opened = [open_file(file, variable=variable, units=units) for file in files]
    return combine([one for one in opened if one is not None], _absent(files, variable))


def open_file(file: DataFile, *, variable: str, units: str | None) -> AnalysisFile | None:
    """What one file holds; None for a member of a zip that does not hold the variable.

    Raises:
        InputError: if it cannot be used.
    """
    try:
        dataset = open_dataset(file, variable=variable if file.engine == "cfgrib" else None)
        return from_dataset(dataset, file.label, variable=variable, units=units, source=file)
    except _VariableMissing as error:
        if file.keep is not None:
            return None
        raise InputError(str(error)) from None


def from_dataset(
    dataset: xr.Dataset, label: str, *, variable: str, units: str | None = None, source: DataFile | None = None
) -> AnalysisFile:
    """The analyses in an open dataset.

    Raises:
        InputError: if it has no such variable, or its layout, grid, times or units cannot be used.
    """
    key = find_variable(dataset, variable)
    if key is None:
        present = ", ".join(map(str, dataset.data_vars)) or "none"
        raise _VariableMissing(
            f"{label}: no variable {variable!r} (there are: {present}); give the one to use with --variable"
        )
    try:
        array = _with_dimensions(dataset[key])
        latitude, longitude = find_axis(array, "latitude"), find_axis(array, "longitude")
        planar = [*latitude.dims, *longitude.dims]
        times, positions = valid_times(dataset, array, [dim for dim in array.dims if dim not in planar])
        step, notes = _single_node_step(array, latitude.size * longitude.size)
        orientation = orient(latitude.values, longitude.values, step)
        species = _species(array, variable, units)
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
    array = array.transpose(..., *planar)
    precision = abs(float(array.encoding.get("scale_factor", 0.0))) * species.scale / 2
    return AnalysisFile(
        label, times, orientation.grid, species, precision, notes, array, positions, orientation, source
    )


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


class _VariableMissing(InputError):
    """The dataset is fine but does not hold the variable."""


def _absent(files: Sequence[DataFile], variable: str) -> str:
    return f"no variable {variable!r} in {', '.join(file.label for file in files)}; give the one to use with --variable"


def _single_node_step(array: xr.DataArray, nodes: int) -> tuple[float | None, tuple[str, ...]]:
    """The step of a single node from its GRIB attributes, else the one of EAC4, which is then said."""
    if nodes > 1:
        return None, ()
    step = array.attrs.get("GRIB_iDirectionIncrementInDegrees")
    if step:
        return float(step), ()
    return CAMS_STEP, (f"a single node does not tell its grid step: {CAMS_STEP:g} degrees assumed",)


def _species(array: xr.DataArray, variable: str, units: str | None) -> Species:
    unit = units or array.attrs.get("units") or array.attrs.get("GRIB_units")
    if not unit:
        raise InputError(f"variable {array.name!r} has no units: say which with --units (for example --units 'kg m-3')")
    names = {name: str(array.attrs.get(name, "")) for name in ("long_name", "standard_name")}
    return species_of(variable.lower(), str(unit), **names)


def _refuse_different(first: AnalysisFile, other: AnalysisFile) -> None:
    if first.grid != other.grid:
        raise InputError(f"{other.label} is on another grid ({other.grid}) than {first.label} ({first.grid}): "
                         "downscale them one after the other")  # fmt: skip
    if first.species.unit != other.species.unit:
        raise InputError(
            f"{other.label} is in {other.species.unit!r}, {first.label} in {first.species.unit!r}: wanted one unit"
        )


def _refuse_disagreement(first: AnalysisFile, i: int, other: AnalysisFile, j: int) -> None:
    """Two slabs of the same hour must be equal, to the precision they were packed with."""
    a, b = first.read(i).astype(np.float64), other.read(j).astype(np.float64)
    tolerance = first.precision + other.precision + 1e-6 * np.abs(a)
    differs = ~((np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b)))
    if differs.any():
        row, column = (int(k[0]) for k in np.nonzero(differs))
        raise InputError(
            f"{first.label} and {other.label} disagree, first at {first.times[i]}:00 UTC: {a[row, column]:g} and "
            f"{b[row, column]:g} {first.species.unit} at {first.grid.latitude[row]:g}N {first.grid.longitude[column]:g}E; "
            "leave one of them out"
        )
