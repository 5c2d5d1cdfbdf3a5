"""What is shown of a result: an hour or the mean of a day, and CAMS at the same hours; read an hour at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.reading import stored_as_series
from deepcams.grid import Region
from deepcams.io.results import Results
from deepcams.plot.fields import crop, grid_of
from deepcams.plot.results import as_field, attributes_of
from deepcams.plot.spectra import Source
from deepcams.timeline import Hours, TimeKind, parse_time

Field = NDArray[np.float32]

_BAND = 96  # rows: four chunks of a store for series
_LONGEST_DATE = len("2019-12-31")


@dataclass(frozen=True, eq=False)
class View:
    """Some hours of a result.

    Attributes:
        hours: (n,) datetime64[h]; of several the mean is shown.
        kinds: (n,) int8, their TimeKind.
    """

    hours: Hours
    kinds: NDArray[np.int8]

    @property
    def date(self) -> np.datetime64:
        """The UTC day."""
        day: np.datetime64 = self.hours[0].astype("datetime64[D]")
        return day

    @property
    def words(self) -> str:
        """When that is."""
        first, last = (f"{hour.astype('datetime64[m]')}".replace("T", " ") for hour in self.hours[[0, -1]])
        if self.hours.size == 1:
            return f"{first} UTC"
        return f"mean of {self.hours.size} hours, {first} to {last[-5:]} UTC"


def choose(results: Results, time: str | None) -> View:
    """The hours to show.

    Args:
        results: the result.
        time: an hour, or a day for the mean of its hours; None for the first of the days with most hours.

    Raises:
        InputError: if it has none, or not those.
    """
    there = results.kinds != TimeKind.MISSING
    times = results.times[there]
    if not times.size:
        raise InputError(f"{results.label}: has no hour with a map yet")
    days = times.astype("datetime64[D]")
    if time is None:
        found, counts = np.unique(days, return_counts=True)
        chosen = days == found[np.argmax(counts)]
    elif len(time.strip()) <= _LONGEST_DATE:
        chosen = days == parse_time(time).astype("datetime64[D]")
    else:
        chosen = times == parse_time(time)
    if not chosen.any():
        raise InputError(f"{results.label}: no hour at {time}: it has hours from {times[0]} to {times[-1]} UTC")
    return View(times[chosen], results.kinds[there][chosen])


def require_region(results: Results, region: Region | None) -> None:
    """Refuse a region that a result does not meet, before any of it is read.

    Raises:
        InputError: if no cell lies within the region.
    """
    if region is not None:
        empty = np.empty(results.grid.shape, np.float32)
        crop(as_field(empty, results.grid, results.species.name, {}), region)


def field_of(results: Results, view: View, region: Region | None) -> xr.DataArray:
    """The mean over the hours of a view, in memory; cells that are missing in some hours are means of the others.

    Args:
        results: the result.
        view: the hours.
        region: what to show; None for all, the globe from -180 to 180.

    Returns:
        (latitude, longitude) as :func:`deepcams.plot.maps.draw_map` wants it.

    Raises:
        InputError: if a map cannot be read, or the region lies outside.
    """
    values = np.empty(results.grid.shape, np.float32)
    numbers = (view.hours - results.times[0]).astype(np.int64)
    for rows in _bands(results):
        values[rows] = mean(_pieces(results, numbers, rows))
    field = as_field(values, results.grid, results.species.name, attributes_of(results))
    if view.hours.size == 1:
        field = field.assign_coords(time=view.hours[0].astype("datetime64[ns]"), time_kind=int(view.kinds[0]))
    else:
        field = field.assign_attrs(when=view.words, hours=view.hours.size)
    return crop(field, region)


def coarse_of(source: Source, view: View, like: xr.DataArray, *, linear: bool) -> xr.DataArray:
    """CAMS at the hours of a view: their mean.

    Args:
        source: CAMS, as :func:`deepcams.plot.spectra.of_cams` gives it.
        view: the hours, all of which it has.
        like: the fine field, for its name and attributes.
        linear: whether some of the hours lie between analyses.
    """
    values = mean(source.load(hour) for hour in view.hours)
    field = as_field(values, source.grid, str(like.name), dict(like.attrs) | {"origin": source.file})
    kind = TimeKind.INTERPOLATED if linear else TimeKind.ANALYSIS
    return field.assign_coords(time_kind=int(kind))


def mean(fields: Iterator[Field]) -> Field:
    """The mean of fields (rows, columns), one held at a time; NaN where all are."""
    total: NDArray[np.float64] | None = None
    count: NDArray[np.int32] | None = None
    for one in fields:
        known = np.isfinite(one)
        if total is None or count is None:
            total, count = np.zeros(one.shape), np.zeros(one.shape, np.int32)
        total += np.where(known, one, 0)
        count += known
    if total is None or count is None:
        raise InputError("no hour to take the mean of")
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def summary(field: xr.DataArray) -> dict[str, float | None]:
    """Numbers of a field: its mean over the Earth's area, its extremes, and where the highest is; None if unknown."""
    grid, values = grid_of(field), field.values.astype(np.float64)
    known = np.isfinite(values)
    if not known.any():
        return dict.fromkeys(("mean", "minimum", "maximum", "latitude", "longitude"))
    weights = grid.areas[:, None] * known
    row, column = np.unravel_index(int(np.nanargmax(values)), values.shape)
    return {
        "mean": float((weights * np.where(known, values, 0)).sum() / weights.sum()),
        "minimum": float(np.nanmin(values)),
        "maximum": float(np.nanmax(values)),
        "latitude": float(field["latitude"][row]),
        "longitude": float((field["longitude"][column] + 180) % 360 - 180),
        "missing": int((~known).sum()),
    }


def _pieces(results: Results, numbers: NDArray[np.int64], rows: slice) -> Iterator[Field]:
    """Some rows of each of some hours, by their numbers."""
    if stored_as_series(results):
        yield from results.read(slice(int(numbers[0]), int(numbers[-1]) + 1), rows)[numbers - numbers[0]]
        return
    for number in numbers.tolist():
        yield results.read(slice(number, number + 1), rows)[0]


def _bands(results: Results) -> Iterator[slice]:
    """The rows that are read at a time: all, or a few where every hour of a day has to be held."""
    step = _BAND if stored_as_series(results) else results.grid.rows
    return (slice(row, min(row + step, results.grid.rows)) for row in range(0, results.grid.rows, step))
