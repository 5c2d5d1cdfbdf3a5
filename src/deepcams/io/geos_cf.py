"""Reading hourly fine fields: GEOS-CF files, our own outputs, or any NetCDF or Zarr on the 0.25 degree node grid.

GEOS-CF v1 (Keller et al., JAMES 13, 2021) has dims ``(time, [lev,] lat, lon)``, latitudes ascending, longitudes from
-180, hourly means stamped at half past, 1e15 where nothing is known, and PM2.5 in ug m-3 or, in some months, kg m-3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.io.analyses import Analyses, Field
from deepcams.io.cams import AnalysisFile, combine, from_dataset
from deepcams.io.files import DataFile, find_files, open_dataset
from deepcams.io.layout import time_coordinate
from deepcams.timeline import TimeKind

if TYPE_CHECKING:
    import xarray as xr

FINE_STEP = 0.25  # degrees
_UNKNOWN = 1e14  # values from here on are the fill value (1e15), whatever its attribute says
_PLAUSIBLE = (1e-3, 1e4)  # ug m-3: no field's largest value is below, and no median above
_ROUNDING = np.timedelta64(1, "s")  # times in decimal days may fall short of their hour
_LOOKED_AT = 8  # every eighth row and column tells the magnitude
_MEANS = "hourly means stamped within their hour count for the hour that they begin in"

Stamps = NDArray[np.datetime64]


@dataclass(frozen=True)
class Hourly:
    """A series of hourly fields on a fine grid, read one at a time.

    Attributes:
        fields: the fields, with latitude descending and global longitudes ascending from 0; times are whole hours.
        stamps: (n,) datetime64[ns], the times as the files have them.
        attribution: whom the files name as their source.
    """

    fields: Analyses
    stamps: Stamps
    attribution: str = ""


def open_geos_cf(paths: str | Path | Iterable[str | Path], *, units: str | None = None) -> xr.DataArray:
    """Open hourly fine PM2.5 as one lazy DataArray ``(time, latitude, longitude)``.

    Args:
        paths: files, Zarr stores, folders, or patterns.
        units: the values' unit, if the files do not say it or say it wrongly.

    Returns:
        float32 in ug m-3, NaN where unknown; latitude descends, global longitudes ascend from 0; ``time`` is the whole
        hour and ``stamp`` (time) what the files say.

    Raises:
        InputError: if the files are not what is wanted; the message says what was found.
    """
    hourly = open_hourly(find_files(paths), units=units)
    return hourly.fields.to_dataarray().assign_coords(stamp=("time", hourly.stamps))


def open_hourly(files: Sequence[DataFile], *, units: str | None = None) -> Hourly:
    """The hourly fields of all files, in order of time; where files overlap they must agree.

    Raises:
        InputError: as :func:`open_geos_cf`.
    """
    opened = [_open(file, units) for file in files]
    fields = combine([one.file for one in opened], "no hourly fields")
    stamp_of = {hour: stamp for one in opened for hour, stamp in zip(one.file.times, one.stamps, strict=True)}
    stamps = np.array([stamp_of[hour] for hour in fields.times], "datetime64[ns]")
    notes = (*fields.notes, _MEANS) if (stamps != fields.times).any() else fields.notes
    load = _checked(fields.load, fields.label)
    attribution = "; ".join(dict.fromkeys(one.attribution for one in opened if one.attribution))
    return Hourly(replace(fields, load=load, notes=notes), stamps, attribution)


@dataclass(frozen=True)
class _Opened:
    """One file, the stamps of its fields, and its source."""

    file: AnalysisFile
    stamps: Stamps
    attribution: str


def _open(file: DataFile, units: str | None) -> _Opened:
    """What one file holds, without the hours that it says are missing."""
    dataset = open_dataset(file)
    if "time_kind" in dataset:
        dataset = dataset.isel(time=np.flatnonzero(dataset["time_kind"].values != TimeKind.MISSING))
    try:
        time = time_coordinate(dataset)
    except InputError as error:
        raise InputError(f"{file.label}: {error}") from None
    stamps = time.values.reshape(-1)
    if time.dtype.kind == "M" and time.name in dataset.variables:
        dataset = dataset.assign_coords({time.name: (time + _ROUNDING).dt.floor("h")})
    found = from_dataset(dataset, file.label, variable="pm2p5", units=units, source=file, grid_step=FINE_STEP)
    source = dataset.attrs.get("attribution") or dataset.attrs.get("institution") or dataset.attrs.get("Institution")
    return _Opened(found, stamps, str(source or ""))


def _checked(load: Callable[[int], Field], label: Callable[[int], str]) -> Callable[[int], Field]:
    """``load`` with the fill value as NaN, refusing values that the unit cannot mean."""

    def checked(index: int) -> Field:
        values = load(index)
        values[np.abs(values) >= _UNKNOWN] = np.nan
        _refuse_magnitude(values[::_LOOKED_AT, ::_LOOKED_AT], label(index))
        return values

    return checked


def _refuse_magnitude(values: Field, label: str) -> None:
    """Refuse values that are micrograms called kilograms, or the other way round."""
    known = values[np.isfinite(values)]
    if known.size == 0 or known.max() <= 0:
        return
    lowest, highest = _PLAUSIBLE
    if known.max() < lowest or np.median(known) > highest:
        raise InputError(f"{label}: PM2.5 with a median of {np.median(known):.3g} ug m-3 and values up to {known.max():.3g}, "
                         "if its units are as the file says: wanted plausible ones; say what they are with --units "
                         "(for example --units 'kg m-3')")  # fmt: skip
