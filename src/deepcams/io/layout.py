"""Where the time, the latitudes and the longitudes are in a dataset, and how its slabs are turned the usual way round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

CAMS_STEP = 0.75  # degrees
_ALIASES = {"pm2p5": ("pm25", "pm2_5", "pm2.5", "pm2d5", "pm25_rh35_gcc"), "pm10": ("pm10p0",), "pm1": ("pm1p0",)}
_STEP_ADVICE = {
    CAMS_STEP: ", the step of CAMS EAC4 (ask the data store for the reanalysis without a 'grid' of your own)",
}
_AXES = {
    "latitude": ({"latitude", "lat"}, {"degrees_north", "degree_north", "degrees_N"}),
    "longitude": ({"longitude", "lon"}, {"degrees_east", "degree_east", "degrees_E"}),
}
_SECONDS = {"day": 86400, "hour": 3600, "h": 3600, "minute": 60, "second": 1}

Hours = NDArray[np.datetime64]


@dataclass(frozen=True)
class Orientation:
    """How to index a slab (latitude, longitude) so that it lies on ``grid``."""

    grid: Grid
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def canonical_name(name: str) -> str:
    """The usual name of a variable: ``pm2p5`` for ``PM25``."""
    plain = name.strip().lower()
    return next((key for key, aliases in _ALIASES.items() if plain in aliases), plain)


def find_variable(dataset: xr.Dataset, name: str) -> str | None:
    """The name in the dataset of the variable called ``name``, by its name, alias or GRIB short name; None if absent."""
    plain = canonical_name(name)
    wanted = {plain, *_ALIASES.get(plain, ())}
    for key, variable in dataset.data_vars.items():
        names = (str(key), variable.attrs.get("GRIB_cfVarName", ""), variable.attrs.get("GRIB_shortName", ""))
        if wanted & {str(one).lower() for one in names}:
            return str(key)
    return None


def with_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with its latitude and longitude as coordinates, also where the file does not say that they are."""
    names = set.union(*(names for names, _ in _AXES.values()))
    return dataset.set_coords([key for key in dataset.data_vars if str(key).lower() in names])


def planar_dims(latitude: xr.DataArray, longitude: xr.DataArray) -> tuple[Any, Any]:
    """The dimensions of the rows and of the columns.

    Raises:
        InputError: if they are the same: a list of points.
    """
    rows, columns = latitude.dims[0], longitude.dims[0]
    if rows == columns:
        raise InputError(f"a list of points (latitude and longitude both along {rows!r}): "
                         "wanted a regular latitude-longitude grid")  # fmt: skip
    return rows, columns


def find_axis(array: xr.DataArray, axis: str) -> xr.DataArray:
    """The 1-D coordinate of ``array`` that is its latitude or longitude.

    Raises:
        InputError: if there is none, or it is curvilinear.
    """
    names, units = _AXES[axis]
    for key, coordinate in array.coords.items():
        if str(key).lower() in names or {coordinate.attrs.get("units"), coordinate.attrs.get("standard_name")} & {
            axis,
            *units,
        }:
            if coordinate.ndim == 2:
                raise InputError(f"a curvilinear grid ({key} has the dimensions {_join(coordinate.dims)}): "
                                 "wanted a regular latitude-longitude grid")  # fmt: skip
            return coordinate
    raise InputError(f"no {axis} among the coordinates ({_join(array.coords)})")


def orient(
    latitude: NDArray[np.floating[Any]],
    longitude: NDArray[np.floating[Any]],
    step: float | None,
    *,
    wanted: float = CAMS_STEP,
) -> Orientation:
    """The grid of coordinates in any order and convention, and how to get there.

    Global longitudes start at the first node east of 0; a repeated meridian is dropped. Regional ones run from west to
    east without a jump.

    Args:
        latitude: (rows,) degrees, in either order.
        longitude: (columns,) degrees, as 0..360 or -180..180 or across either seam.
        step: degrees; used for a single node only.
        wanted: degrees; the step that the grid must have.

    Raises:
        InputError: if the grid is irregular or has another step.
    """
    rows = np.argsort(-latitude.reshape(-1), kind="stable")
    unit = np.round(longitude.reshape(-1).astype(np.float64) % 360, 4) % 360
    _, first = np.unique(unit, return_index=True)
    columns = first[np.argsort(unit[first], kind="stable")]
    east = unit[columns]
    gaps = np.diff(east, append=east[0] + 360)
    if gaps.max() > 1.5 * np.median(gaps) or east.size == 1:
        start = int(gaps.argmax() + 1) % east.size
        columns = np.roll(columns, -start)
        east = np.unwrap(np.roll(east, -start), period=360)
        east += 360 * np.round((longitude.reshape(-1)[columns[0]] - east[0]) / 360)
        east -= 360 * (east[-1] > 360)
    grid = Grid.from_coordinates(latitude.reshape(-1)[rows], east, step=step)
    if abs(grid.step - wanted) > 1e-3:
        advice = _STEP_ADVICE.get(wanted, "")
        raise InputError(f"a grid step of {grid.step:g} degrees: wanted {wanted:g}{advice}")
    return Orientation(Grid(grid.north, grid.west, wanted, grid.rows, grid.columns), rows, columns)


def valid_times(
    dataset: xr.Dataset, array: xr.DataArray, other_dims: Iterable[Any]
) -> tuple[Hours, list[dict[Any, int]]]:
    """The time of every slab of ``array``, and the indices along its other dimensions that select it.

    Understands ``valid_time`` over one or two dimensions, ``time``, and a reference time with a period or step.

    Returns:
        (n,) datetime64[h], and n dicts of dimension -> index.

    Raises:
        InputError: if no time is found, it is not a real date on a whole hour, or another dimension has a choice left.
    """
    times = time_coordinate(dataset)
    missing = [dim for dim in times.dims if dim not in array.dims]
    if missing:
        raise InputError(f"the time has the dimension {_join(missing)}, which the variable has not")
    extra = [dim for dim in other_dims if dim not in times.dims]
    crowded = [f"{dim} ({array.sizes[dim]})" for dim in extra if array.sizes[dim] > 1]
    if crowded:
        raise InputError(
            f"more than one field for each time: dimension {_join(crowded)}; wanted time, latitude, longitude only"
        )
    values = np.asarray(times.values)
    if values.dtype.kind != "M" or np.isnat(values).any():
        raise InputError(f"times of type {values.dtype} with the first {values.reshape(-1)[:1]}: wanted dates of the standard "
                         "calendar ('hours since 1900-01-01')")  # fmt: skip
    hours = (values + np.timedelta64(30, "m")).astype("datetime64[h]")
    off = np.abs(values - hours) > np.timedelta64(1, "s")  # days as decimals are seldom exact
    if off.any():
        odd = values[off][0].astype("datetime64[s]")
        raise InputError(f"a field at {odd}: wanted instants on whole hours (hourly means are not analyses)")
    positions = [
        dict.fromkeys(extra, 0) | dict(zip(times.dims, index, strict=True)) for index in np.ndindex(hours.shape)
    ]
    return hours.reshape(-1), positions


def time_coordinate(dataset: xr.Dataset) -> xr.DataArray:
    """The valid time, as a coordinate or as the sum of a reference time and a period.

    Raises:
        InputError: if there is none.
    """
    variables = dataset.variables
    if "valid_time" in variables:
        return dataset["valid_time"]
    for reference in ("forecast_reference_time", "time"):
        for period in ("forecast_period", "step"):
            if reference in variables and period in variables and variables[reference].dtype.kind == "M":
                return dataset[reference] + _duration(dataset[period])
    dated = [name for name in dataset.coords if dataset[name].dtype.kind == "M"]
    for name in ("time", *dated):
        if name in variables:
            return dataset[name]
    raise InputError(f"no time coordinate (there are {_join(dataset.coords) or 'none'}): wanted valid_time or time, "
                     "as the data store gives them")  # fmt: skip


def _duration(period: xr.DataArray) -> xr.DataArray:
    """A forecast period as durations; newer versions of xarray leave plain numbers of hours as they are."""
    if period.dtype.kind == "m":
        return period
    unit = str(period.attrs.get("units", "")).rstrip("s")
    if unit not in _SECONDS and period.values.any():
        raise InputError(f"{period.name} in units of {unit!r}: wanted hours, to tell the time of each field")
    seconds = np.round(np.asarray(period.values, np.float64) * _SECONDS.get(unit, 0)).astype("timedelta64[s]")
    return period.copy(data=seconds.astype("timedelta64[ns]"))


def _join(names: Iterable[Any]) -> str:
    return ", ".join(str(name) for name in names)
