"""The fields that pictures show: one hour of a deepcams output, or of it and of CAMS, cut to a region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.files import DataFile, expand, first_line, open_dataset
from deepcams.plot.origin import origin
from deepcams.provenance import ATTRIBUTION
from deepcams.spatial.interpolation import CUBIC, interpolate
from deepcams.sphere import from_blocks
from deepcams.temporal.linear import blend
from deepcams.timeline import TimeKind

Times = NDArray[np.datetime64]

GLOBE = Region(90, -180, -90, 180)

_DIMS = ("time", "latitude", "longitude")
_DEFAULT_VARIABLE = "pm2p5"
_FEWEST = 2  # rows, or columns: one alone does not tell the size of a cell
_BOUNDS = "time_bnds"
_WANTED = "wanted a deepcams output (.nc or .zarr)"


_Loaded = TypeVar("_Loaded")


class _AbsentError(InputError):
    """That a file does not hold what is wanted; another one may."""


class Extent(NamedTuple):
    """The outer edges of a map in degrees, in matplotlib's order; ``west < east``, which may be beyond 180 or 360."""

    west: float
    east: float
    south: float
    north: float


@dataclass(frozen=True)
class Selection:
    """Which part of a file to show.

    Attributes:
        time: the hour as ISO text, UTC unless it says otherwise; None for the first hour with data.
        region: None for the whole field, the globe from -180 to 180.
        variable: None for ``pm2p5``, or the only variable on (time, latitude, longitude).
    """

    time: str | None = None
    region: Region | None = None
    variable: str | None = None


def load_hour(path: Path, selection: Selection) -> xr.DataArray:
    """One hour of a deepcams output.

    Args:
        path: a NetCDF file or a Zarr store with dims (time, latitude, longitude) and, as deepcams writes it, the
            variable ``time_kind`` (time); statistics of ``deepcams aggregate``, too. Of several files, a folder or a
            pattern, the first that has the hour.
        selection: hour, region and variable.

    Returns:
        (latitude, longitude) in the file's unit, in memory, with the scalar coordinates ``time`` and ``time_kind`` and
        the attributes ``attribution`` and ``origin``; statistics have ``when`` and ``hours``, of their period.

    Raises:
        InputError: if the file cannot be read, or does not hold what is selected.
    """
    return _first(path, lambda one: _load_hour(one, selection))


def load_pair(
    cams_path: Path, path: Path, selection: Selection, *, cams_units: str | None = None
) -> tuple[xr.DataArray, xr.DataArray]:
    """The same hour of a CAMS file and of the deepcams output made from it, uncut.

    Args:
        cams_path: CAMS file as downloaded; also a folder or a pattern.
        path: deepcams output; of several files, a folder or a pattern, the first that has the hour.
        selection: hour and variable; the default hour is the first that both files have.
        cams_units: unit of the CAMS files, if they do not say it.

    Returns:
        The coarse and the fine field, as from :func:`load_hour`. Between two analyses the coarse one is linear in time, and
        has the scalar coordinate ``time_kind`` that says so.

    Raises:
        InputError: if a file cannot be read, or they do not both hold what is selected.
    """
    from deepcams.io.cams import open_cams

    coarse = open_cams([cams_path], variable=selection.variable or _DEFAULT_VARIABLE, units=cams_units)
    coarse = coarse.assign_attrs(origin=cams_path.name)
    return _first(path, lambda one: _load_pair(coarse, cams_path.name, one, selection))


def shared_view(
    coarse: xr.DataArray, fine: xr.DataArray, region: Region | None
) -> tuple[xr.DataArray, xr.DataArray, Extent]:
    """Both fields around a region, and the part of it that both cover.

    Args:
        coarse: (latitude, longitude).
        fine: (latitude, longitude).
        region: None for all that both cover.

    Returns:
        The fields with one coarse cell around the region, as far as they have it, and the common extent; all three
        with longitudes that run on from the region's west.

    Raises:
        InputError: if the fields do not meet in the region.
    """
    asked = region or _region_of(fine)
    around = _grown(asked, grid_of(coarse).step)
    views = crop(coarse, around), crop(fine, around)
    extents = [_extent_in(asked, around), extent_of(views[0]), extent_of(views[1])]
    west, east, south, north = zip(*extents, strict=True)
    extent = Extent(max(west), min(east), max(south), min(north))
    if extent.west >= extent.east or extent.south >= extent.north:
        raise InputError(
            f"the two fields do not meet in {box_text(asked)}: they have {grid_of(coarse)} and {grid_of(fine)}"
        )
    return *views, extent


def bicubic(coarse: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """A coarse field on a finer grid by plain cubic interpolation, which keeps no area means.

    Args:
        coarse: (latitude, longitude).
        like: a field on the finer grid, or a part of it.

    Raises:
        InputError: if the finer grid's step is not an odd part of the coarse one's.
    """
    grid = grid_of(coarse)
    factor = grid.step / grid_of(like).step
    if round(factor) % 2 == 0 or round(factor) < 3 or abs(factor - round(factor)) > 1e-6:
        raise InputError(f"steps of {grid.step:g} and {grid_of(like).step:g} degrees: wanted the second to be a third, a fifth "
                         "or so of the first to interpolate to it; leave --bicubic out")  # fmt: skip
    blocks = interpolate(coarse.values.astype(np.float64), grid, round(factor), kernel=CUBIC, conserving=False)
    fine = grid.refine(round(factor))
    values = np.asarray(from_blocks(blocks, grid), np.float32)
    coordinates = {"latitude": fine.latitude, "longitude": fine.longitude}
    scalars = {name: coarse[name] for name in ("time", "time_kind") if name in coarse.coords}
    return xr.DataArray(values, coordinates | scalars, ("latitude", "longitude"), coarse.name, coarse.attrs)


def require_cells(field: xr.DataArray) -> None:
    """Refuse a field that is too small for a map.

    Raises:
        InputError: if it has a single row or column of cells, which does not tell their size.
    """
    rows, columns = field.shape
    if min(rows, columns) < _FEWEST:
        raise InputError(f"{rows} x {columns} cells in the region: wanted {_FEWEST} x {_FEWEST} at least; choose a larger "
                         "region")  # fmt: skip


def grid_of(field: xr.DataArray) -> Grid:
    """The grid of a field with the coordinates ``latitude`` and ``longitude``."""
    return Grid.from_coordinates(field["latitude"].values, field["longitude"].values)


def extent_of(field: xr.DataArray) -> Extent:
    """The outer edges of a field's cells; those of a pole row end at the pole."""
    grid = grid_of(field)
    (west, east), (north, south) = grid.longitude_bounds[[0, -1], [0, 1]], grid.latitude_bounds[[0, -1], [0, 1]]
    return Extent(float(west), float(east), float(south), float(north))


def crop(field: xr.DataArray, region: Region | None) -> xr.DataArray:
    """The nodes within a region, with longitudes that run on from ``region.west``, also across the file's own edge.

    Args:
        field: (..., latitude, longitude).
        region: the box; all around, the result is the whole circle from ``region.west``. None for all there is, the globe
            from -180 to 180.

    Raises:
        InputError: if no node lies within the region.
    """
    grid = grid_of(field)
    if region is None and not grid.periodic:
        return field
    region = region or GLOBE
    rows, columns = grid.row_window(region), grid.column_window(region)
    if not rows or not columns:
        raise InputError(f"no cells within {box_text(region)}: the field has {grid}; choose a region that meets it")
    if len(columns) == grid.columns and grid.periodic:
        first = int(np.argmin(np.round(grid.longitude - region.west, 6) % 360))
        columns = range(first, first + grid.columns)
    longitude = grid.west + grid.step * np.asarray(columns)
    longitude = np.round(longitude + 360 * np.ceil(np.round((region.west - longitude[0]) / 360, 4)), 6)
    field = field.isel(latitude=slice(rows.start, rows.stop), longitude=np.asarray(columns) % grid.columns)
    return field.assign_coords(longitude=("longitude", longitude, field["longitude"].attrs))


def box_text(region: Region) -> str:
    """A region as ``--region`` takes it: N,W,S,E."""
    return ",".join(f"{edge:g}" for edge in region.bounds)


def time_text(moment: np.datetime64 | Times) -> str:
    """A time as ISO text to the minute."""
    return str(np.datetime_as_string(moment, unit="m"))


def _region_of(field: xr.DataArray) -> Region:
    """The region that a field's cells cover; all around it starts at -180."""
    extent = extent_of(field)
    west, east = (GLOBE.west, GLOBE.east) if grid_of(field).periodic else (extent.west, extent.east)
    return Region(extent.north, west, extent.south, east)


def _grown(region: Region, margin: float) -> Region:
    """The region with a margin in degrees on each side, as far as the Earth has one; its west is near -180..180."""
    north, south = min(region.north + margin, 90.0), max(region.south - margin, -90.0)
    west = region.west - 360 * round(region.west / 360)
    if region.width + 2 * margin >= 360:
        return Region(north, west, south, west)
    east = west + region.width + margin
    return Region(north, west - margin, south, east if east <= 360 else east - 360)


def _extent_in(region: Region, around: Region) -> Extent:
    """The edges of a region in the longitudes of the larger one around it."""
    west = region.west + 360 * round((around.west - region.west) / 360)
    return Extent(west, west + region.width, region.south, region.north)


def _first(path: Path, load: Callable[[Path], _Loaded]) -> _Loaded:
    """What the first file of a path, folder or pattern gives that holds what is wanted; the error of the only one."""
    files = [Path(one) for one in expand(path)]
    for one in files[:-1]:
        try:
            return load(one)
        except _AbsentError:
            continue
    try:
        return load(files[-1])
    except _AbsentError as error:
        if len(files) == 1:
            raise
        raise InputError(f"{path}: none of its {len(files)} files has it; of the last: {error}") from error


def _load_hour(path: Path, selection: Selection) -> xr.DataArray:
    with _open(path) as dataset:
        field = _variable(dataset, selection.variable, path)
        return _hour(crop(field, selection.region), selection.time, path.name).load()


def _load_pair(coarse: xr.DataArray, name: str, path: Path, selection: Selection) -> tuple[xr.DataArray, xr.DataArray]:
    with _open(path) as dataset:
        fine = _variable(dataset, selection.variable, path)
        time = selection.time or _first_common(coarse, fine)
        hour = _hour(fine, time, path.name)
        return _coarse_hour(coarse, time, name), hour.load()


def _open(path: Path) -> xr.Dataset:
    """A NetCDF file or Zarr store, lazily."""
    try:
        return open_dataset(DataFile(path, str(path), "zarr")) if path.is_dir() else xr.open_dataset(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); {_WANTED}") from error


def _variable(dataset: xr.Dataset, name: str | None, path: Path) -> xr.DataArray:
    """The variable to show, with its kinds or periods as coordinates and the file's attribution and origin as attributes."""
    found = [str(key) for key, values in dataset.data_vars.items() if sorted(map(str, values.dims)) == sorted(_DIMS)]
    if not found:
        raise InputError(f"{path}: no variable on (time, latitude, longitude); {_WANTED}; the files of CAMS are shown by "
                         "deepcams plot compare, beside it")  # fmt: skip
    usual = next((one for one in (_DEFAULT_VARIABLE, f"{_DEFAULT_VARIABLE}_mean") if one in found), _DEFAULT_VARIABLE)
    wanted = name or (found[0] if len(found) == 1 else usual)
    if wanted not in found:
        raise InputError(f"{path}: no variable {wanted} on (time, latitude, longitude), there is {', '.join(found)}; choose "
                         "one with --variable")  # fmt: skip
    field = dataset[wanted].transpose(*_DIMS)
    if "time_kind" in dataset:
        field = field.assign_coords(time_kind=dataset["time_kind"])
    if _BOUNDS in dataset:
        begin, end = np.moveaxis(dataset[_BOUNDS].values, -1, 0)
        field = field.assign_coords(begin=("time", begin), end=("time", end))
    attribution = dataset.attrs.get("attribution", ATTRIBUTION)
    return field.assign_attrs(attribution=attribution, origin=origin(dataset.attrs, [str(path)]))


def _hour(field: xr.DataArray, time: str | None, source: str) -> xr.DataArray:
    """(latitude, longitude) at a time, or at the first time with a value in this field."""
    times = _times_with_data(field)
    if time is not None:
        return _of_period(field.sel(time=_find(times, _parse(time), source, field)))
    for moment in times:
        hour = field.sel(time=moment)
        if bool(hour.notnull().any()):
            return _of_period(hour)
    raise _AbsentError(
        f"{source} has no hour with data here: look at it with deepcams inspect, or choose another region"
    )


def _of_period(field: xr.DataArray) -> xr.DataArray:
    """A statistic with its period in words; an hour as it is."""
    if "begin" not in field.coords:
        return field
    begin, end = (field[name].values.astype("datetime64[ns]")[()] for name in ("begin", "end"))
    hours = int((end - begin) / np.timedelta64(1, "h"))
    return field.drop_vars(["begin", "end"]).assign_attrs(when=_period_words(begin, end), hours=hours)


def _period_words(begin: Any, end: Any) -> str:
    """A day, month or year of UTC by its name, another period by its ends."""
    for unit in ("Y", "M", "D"):
        if begin == begin.astype(f"M8[{unit}]") and end == begin.astype(f"M8[{unit}]") + 1:
            return f"{begin.astype(f'M8[{unit}]')} (UTC)"
    first, last = (time_text(moment).replace("T", " ") for moment in (begin, end))
    return f"{first} to {last} UTC"


def _coarse_hour(field: xr.DataArray, time: str, source: str) -> xr.DataArray:
    """(latitude, longitude) of CAMS at a time: an analysis, or linear between the two around it."""
    times: Times = field["time"].values
    wanted = _parse(time)
    after = int(np.searchsorted(times, wanted))
    between = 0 < after < times.size and wanted not in times
    if not between or times[after] - times[after - 1] > np.diff(times).min():
        return _hour(field, time, source).load()
    ends = [field.isel(time=number).load() for number in (after - 1, after)]
    share = float((wanted - times[after - 1]) / (times[after] - times[after - 1]))
    mixed = ends[0].copy(data=blend(ends[0].values, ends[1].values, share))
    return mixed.assign_coords(time=wanted, time_kind=int(TimeKind.INTERPOLATED))


def _times_with_data(field: xr.DataArray) -> Times:
    """The times that are not marked as missing."""
    times: Times = field["time"].values
    return times[field["time_kind"].values != TimeKind.MISSING] if "time_kind" in field.coords else times


def _first_common(coarse: xr.DataArray, fine: xr.DataArray) -> str:
    """The first time that both fields have, as ISO text."""
    common = np.intersect1d(_times_with_data(coarse), _times_with_data(fine))
    if not common.size:
        periods = " and ".join(_period(_times_with_data(field)) for field in (coarse, fine))
        raise _AbsentError(f"the files have no hour in common: they hold {periods}; give files of the same period")
    return time_text(common[0])


def _parse(text: str) -> np.datetime64:
    """An instant in UTC from ISO text."""
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        raise InputError(f"time {text!r}: wanted ISO text like 2019-12-31T15:00 (UTC)") from None
    return (moment.tz_convert(None) if moment.tzinfo else moment).to_datetime64()


def _find(times: Times, wanted: np.datetime64, source: str, field: xr.DataArray) -> np.datetime64:
    """The wanted time, if it is there; of statistics, the one in whose period it is.

    Raises:
        InputError: naming the period and the nearest hours, if it is not.
    """
    if "begin" in field.coords:
        within = times[(field["begin"].values <= wanted) & (wanted < field["end"].values)]
        wanted = within[0] if within.size else wanted
    if wanted in times:
        return wanted
    if not times.size:
        raise _AbsentError(f"{source} has no hour with data")
    order = np.argsort(np.abs(times - wanted), kind="stable")[:2]
    nearest = " and ".join(time_text(moment) for moment in np.sort(times[order]))
    raise _AbsentError(f"{source} has no data at {time_text(wanted)}: it has {_period(times)}; nearest: {nearest} "
                     "(choose one with --time)")  # fmt: skip


def _period(times: Iterable[np.datetime64]) -> str:
    """First and last time and their number, for a message."""
    moments = list(times)
    return f"{time_text(moments[0])} to {time_text(moments[-1])} ({len(moments)} in all)" if moments else "no hours"
