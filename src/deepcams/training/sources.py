"""Opening what can be learned from: hourly files, prepared sets, the original's folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcams.errors import InputError
from deepcams.io.analyses import Analyses
from deepcams.io.cams import combine, from_dataset
from deepcams.io.files import DataFile, find_files, open_dataset
from deepcams.io.geos_cf import FINE_STEP, open_hourly
from deepcams.io.layout import find_axis, find_variable, with_coordinates
from deepcams.training.original import is_original, open_original
from deepcams.training.series import MEMORY, Series, Split, remembered
from deepcams.training.sets import is_set, open_set, read_description

_DIGITS = 4  # of the degrees that tell grids apart


def open_series(
    paths: str | Path | Iterable[str | Path],
    *,
    units: str | None = None,
    scale: float | None = None,
    memory: int = MEMORY,
) -> list[Series]:
    """The series in files and folders of any kind that training understands, told by looking at them.

    Args:
        paths: hourly NetCDF or Zarr files, folders of them or patterns; prepared sets; the original's folders. Hourly
            files on one grid make one series, those on another grid another.
        units: the values' unit, if files or MATLAB images do not say it or say it wrongly.
        scale: ug m-3 at the full range of PNG images, if no sidecar says it or says it wrongly.
        memory: bytes of fields to keep, shared by the series.

    Raises:
        InputError: if there is nothing to learn from, or it cannot be used; the message says what was found.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise InputError("no data given: wanted hourly files, a prepared set or the original's folders")
    found: list[Series] = []
    files: list[str | Path] = []
    for item in given:
        if is_set(Path(item)):
            found.append(open_set(Path(item)))
        elif is_original(Path(item)):
            found += open_original(Path(item), units=units, scale=scale)
        else:
            files.append(item)
    found += _hourly(find_files(files), units) if files else []
    return [_remembering(series, memory // len(found)) for series in found]


def stored_split(path: str | Path) -> Split | None:
    """The split that a prepared set was made with, or None if the path is none."""
    return read_description(Path(path)).split if is_set(Path(path)) else None


def _hourly(files: Sequence[DataFile], units: str | None) -> list[Series]:
    """The series in hourly files, one for each grid."""
    groups: dict[tuple[float, ...], list[DataFile]] = {}
    for file in files:
        groups.setdefault(_place(file), []).append(file)
    return [_of_analyses(*_open(step, group, units)) for (step, *_), group in groups.items()]


def _open(step: float, files: Sequence[DataFile], units: str | None) -> tuple[Analyses, str]:
    """The fields of files with one grid step, and their source; other steps than GEOS-CF's must be on whole hours."""
    if abs(step - FINE_STEP) < 10**-_DIGITS:
        hourly = open_hourly(files, units=units)
        return hourly.fields, hourly.attribution
    opened = [
        from_dataset(
            open_dataset(file, variable="pm2p5"), file.label, variable="pm2p5", units=units, source=file, grid_step=step
        )
        for file in files
    ]
    return combine(opened, "no hourly fields"), ""


def _of_analyses(fields: Analyses, attribution: str) -> Series:
    name = Path(fields.label(0)).stem
    more = len(fields.files) - 1
    label = f"{name} and {more} more" if more else name
    return Series(label, fields.grid, fields.times, lambda i: fields.read(i).values, attribution=attribution)


def _place(file: DataFile) -> tuple[float, ...]:
    """The step, the extent and the number of nodes of a file's grid."""
    dataset = with_coordinates(open_dataset(file, variable="pm2p5"))
    name = find_variable(dataset, "pm2p5")
    if name is None:
        known = ", ".join(str(one) for one in dataset.data_vars) or "none"
        raise InputError(f"{file.label}: no variable 'pm2p5' or another name of PM2.5 (there are: {known})")
    try:
        latitude, longitude = (find_axis(dataset[name], axis) for axis in ("latitude", "longitude"))
    except InputError as error:
        raise InputError(f"{file.label}: {error}") from None
    if min(latitude.size, longitude.size) < 2:
        raise InputError(f"{file.label}: {latitude.size} x {longitude.size} nodes; wanted a field to learn from")
    step = float(np.ptp(latitude.values.astype(np.float64))) / (latitude.size - 1)
    north, west = float(latitude.max()), float(longitude.min()) % 360
    return round(step, _DIGITS), round(north, 2), round(west, 2), latitude.size, longitude.size


def _remembering(series: Series, memory: int) -> Series:
    """The same series, keeping what was read last."""
    given, coarse = series.given, series.coarse
    if given is None or coarse is None:
        return replace(series, read=remembered(series.read, series.grid, memory))
    return replace(
        series,
        read=remembered(series.read, series.grid, memory * 9 // 10),
        given=remembered(given, coarse, memory // 10),
    )
