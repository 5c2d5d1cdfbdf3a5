"""The files of GEOS-CF: the portal's, one an hour, are read and checked; ours, one a day, are written.

Ours hold ``pm2p5`` in ug m-3 on (time, latitude, longitude), rows from north to south, NaN where unknown, and the stamps in
the middle of the hour that GEOS-CF has.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams import __version__
from deepcams.errors import DeepcamsError, FetchError
from deepcams.grid import Grid
from deepcams.io.cams import from_dataset
from deepcams.io.files import data_files, open_dataset
from deepcams.io.geos_cf import FINE_STEP
from deepcams.io.layout import time_coordinate
from deepcams.io.output import writing
from deepcams.units import MICROGRAMS

Field = NDArray[np.float32]
Hours = Mapping[np.datetime64, Path]

SERVICE = "GEOS-CF"
WHOLE = Grid(90, -180, FINE_STEP, 721, 1440)
_HIDDEN = ".partial."  # what a file is called before it was checked begins so
_READING = threading.Lock()  # the NetCDF libraries are not safe for threads
_UNKNOWN = 1e14  # values from here on are the fill value (1e15), whatever its attribute says
_MICROGRAMS, _KILOGRAMS = 1.0, 1e-4  # a global map's largest value is above in ug m-3, and below in kg m-3


@dataclass(frozen=True)
class Version:
    """A version of GEOS-CF at the portal.

    Attributes:
        name: ``v1`` or ``v2``.
        folders: of the portal, under its address, that hold a folder a day; looked at in this order.
        file: a pattern for the names, with the day, the hour and perhaps a revision.
        variable: PM2.5 in its files.
        first: its first whole day.
        last: its last whole day; None while it goes on.
        fields: how many variables a file holds, which tells how large it may be.
    """

    name: str
    folders: tuple[str, ...]
    file: re.Pattern[str]
    variable: str
    first: str
    last: str | None
    fields: int


VERSIONS = {
    "v1": Version("v1", ("v1/ana", "v1/das"), re.compile(r"GEOS-CF\.v01\.rpl\.aqc_tavg_1hr_g1440x721_v1\."
                  r"(?P<day>\d{8})_(?P<hour>\d\d)30z(?P<revision>)\.nc4"), "PM25_RH35_GCC", "2018-01-01", "2026-01-01", 5),
    "v2": Version("v2", ("v2/ana",), re.compile(r"GEOS\.cf\.ana\.aqc_tavg_1hr_glo_L1440x721_slv\."
                  r"(?P<day>\d{8})_(?P<hour>\d\d)30z(?:\.R(?P<revision>\d+))?\.nc4"), "PM25_RH35", "2025-08-05", None, 6),
}  # fmt: skip


def read_hour(path: Path, version: Version, hour: np.datetime64) -> Field:
    """The hour's PM2.5 in a file of the portal.

    Args:
        path: the file.
        version: whose it is.
        hour: datetime64[h], in which its stamp must lie.

    Returns:
        (721, 1440) float32 in ug m-3 on the whole grid, NaN where unknown.

    Raises:
        FetchError: if it is damaged, or is not that hour on that grid.
    """
    label = path.name.removeprefix(_HIDDEN)
    try:
        with _READING, open_dataset(data_files(path)[0]) as dataset:
            return _read(dataset, label, version, hour)
    except FetchError:
        raise
    except DeepcamsError as error:
        why = str(error).replace(str(path), label)
        raise FetchError(f"{SERVICE}: what came as {label} is not what was wanted: {why}") from error


def _read(dataset: Any, label: str, version: Version, hour: np.datetime64) -> Field:
    names = {str(name).lower(): name for name in dataset.data_vars}
    key, stamps = names.get(version.variable.lower()), time_coordinate(dataset)
    if key is None or stamps.size != 1 or stamps.values.reshape(-1)[0].astype("datetime64[h]") != hour:
        has = f"{', '.join(map(str, names.values()))} at {', '.join(map(str, stamps.values.reshape(-1)[:2]))}"
        raise FetchError(f"{SERVICE}: what came as {label} has {has}: wanted {version.variable} within {hour}:00 UTC and "
                         "the hour after it")  # fmt: skip
    chosen = dataset[[key]].rename({key: "pm2p5"}).assign_coords({stamps.name: stamps.dt.floor("h")})
    # Units are told by magnitude further down, so that here any will do.
    one = from_dataset(chosen, label, variable="pm2p5", units=MICROGRAMS, grid_step=FINE_STEP)
    if one.grid.shape != WHOLE.shape or one.grid.north != WHOLE.north:
        raise FetchError(f"{SERVICE}: what came as {label} is on a grid of {one.grid}: wanted {WHOLE}")
    turned = round((WHOLE.west - one.grid.west) / FINE_STEP) % WHOLE.columns
    return in_micrograms(np.roll(one.read(0), -turned, axis=1), label)


def in_micrograms(values: Field, label: str) -> Field:
    """Global PM2.5 in ug m-3, whatever unit its file names: some months of version 1 are in kg m-3 and do not say so.

    Args:
        values: (rows, columns) of the whole Earth, with fill values.
        label: for messages.

    Returns:
        (rows, columns) float32, NaN where unknown.

    Raises:
        FetchError: if the magnitude tells neither unit.
    """
    known = np.where(np.abs(values) >= _UNKNOWN, np.nan, values)
    largest = float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
    if largest > _MICROGRAMS:
        return known.astype(np.float32)
    if 0 < largest < _KILOGRAMS:
        return (known.astype(np.float64) * 1e9).astype(np.float32)
    raise FetchError(f"{SERVICE}: {label}: a largest value of {largest:g}, which is PM2.5 of the whole Earth neither in ug m-3 "
                     "nor in kg m-3")  # fmt: skip


def write_day(path: Path, version: Version, window: tuple[range, range], hours: Hours) -> None:
    """Write hours of the portal's files as one file.

    Args:
        path: the output.
        version: whose they are.
        window: the rows and columns of the whole grid that are kept; columns may run past the last.
        hours: datetime64[h] and file, in order.

    Raises:
        FetchError: if a file is damaged.
        WriteError: if writing fails.
    """
    import xarray as xr

    (rows, columns), grid = window, WHOLE.window(*window)
    picks = np.array(columns) % WHOLE.columns
    fields = [read_hour(file, version, hour)[rows.start : rows.stop, picks] for hour, file in hours.items()]
    dataset = xr.Dataset(
        {"pm2p5": (("time", "latitude", "longitude"), np.stack(fields), _attributes(version))},
        _coordinates(grid, list(hours)),
        _about(version, [file.name for file in hours.values()]),
    )
    encoding: dict[str, dict[str, Any]] = {
        "pm2p5": {"zlib": True, "complevel": 1, "shuffle": True, "_FillValue": np.float32(np.nan),
                  "chunksizes": (1, *grid.shape)},
        "time": {"units": "minutes since 2018-01-01 00:00:00", "dtype": "int64", "calendar": "standard"},
        "latitude": {"_FillValue": None},
        "longitude": {"_FillValue": None},
    }  # fmt: skip
    with writing(path), _READING:
        dataset.to_netcdf(path, engine="netcdf4", encoding=encoding)


def _coordinates(grid: Grid, hours: Sequence[np.datetime64]) -> dict[str, Any]:
    """The coordinates of a day's file; hourly means are stamped in their middle, as GEOS-CF has them."""
    stamps = np.array(hours, "datetime64[ns]") + np.timedelta64(30, "m")
    return {
        "time": ("time", stamps, {"standard_name": "time", "long_name": "middle of the hour", "axis": "T"}),
        "latitude": ("latitude", grid.latitude, {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}),
        "longitude": (
            "longitude",
            grid.longitude,
            {"standard_name": "longitude", "units": "degrees_east", "axis": "X"},
        ),
    }


def _about(version: Version, names: Sequence[str]) -> dict[str, Any]:
    """What a day's file says of itself."""
    return {
        "Conventions": "CF-1.11",
        "title": f"GEOS-CF {version.name}: hourly mean PM2.5 at the surface",
        "institution": "NASA Global Modeling and Assimilation Office (GMAO)",
        "source": f"GEOS-CF {version.name}, collection aqc_tavg_1hr: {', '.join(names)}",
        "references": "Keller et al. (2021), doi:10.1029/2020MS002413; Knowland et al. (2022), doi:10.1029/2021MS002852",
        "geos_cf_version": version.name,
        "deepcams_version": __version__,
    }


def _attributes(version: Version) -> dict[str, Any]:
    return {
        "units": MICROGRAMS,
        "long_name": "Particulate matter d <= 2.5 um at 35 % relative humidity",
        "standard_name": "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air",
        "cell_methods": "time: mean",
        "original_name": version.variable,
    }
