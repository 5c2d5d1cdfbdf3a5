"""What is learned from: features at the stations' cells and hours, taken out of the maps day by day.

An observation is the mean over an hour, a map an instant. As in a validation, the field that belongs to an observation is
the mean over its hour of the straight line through the maps' instants; features are those of that field, in the middle of
the hour. Stations that share a cell count as one, with the mean of their values: otherwise a city with forty would count
as forty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.points import Points, at_points
from deepcams.grid import Grid
from deepcams.io.results import Results
from deepcams.stations.calibration.features import NAMES, REACH, Cells, Floats, Places, Singles, Surroundings, places
from deepcams.stations.table import HOUR, Minutes, Observations
from deepcams.threads import in_order, processors

Progress = Callable[[int], None]

MOST = 3_000_000
"""Samples that are used; of more, so many are drawn."""
_WORKERS = 4  # at most, without being asked: each holds a day of maps
_MINUTE = np.timedelta64(1, "m")


@dataclass(frozen=True, eq=False)
class Samples:
    """Observations of cells with what a correction may know of them.

    Attributes:
        latitude: (sites,) degrees, of the cells that have a station.
        longitude: (sites,) degrees.
        site: (m,) number of the cell.
        begin: (m,) datetime64[m], UTC, begin of the hour.
        features: (m, 17) as :data:`deepcams.stations.calibration.features.NAMES` has them.
        field: (m,) the uncalibrated value, ug m-3.
        observed: (m,) ug m-3.
    """

    latitude: Floats
    longitude: Floats
    site: NDArray[np.int32]
    begin: Minutes
    features: Singles
    field: Singles
    observed: Singles

    @property
    def size(self) -> int:
        """How many."""
        return self.site.size

    def take(self, chosen: NDArray[Any]) -> Samples:
        """Some of them, with all sites."""
        columns = [getattr(self, one.name)[chosen] for one in fields(self)[2:]]
        return Samples(self.latitude, self.longitude, *columns)


def collect(
    results: Results,
    observations: Observations,
    *,
    seed: int,
    workers: int | None = None,
    progress: Progress = lambda count: None,
) -> Samples:
    """Samples of all good hourly observations that the maps have, in the order of time.

    Args:
        results: the maps.
        observations: after quality control.
        seed: of the draw, if there are more than :data:`MOST`.
        workers: threads, each of which holds a day of maps; None for one per processor, four at most.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if the two have no place or no hour in common, or a map cannot be read.
    """
    chosen = observations.take(observations.good & (observations.period == HOUR)).compact()
    if not chosen.size:
        raise InputError("no hourly observation to learn from is left after quality control")
    _refuse_apart(results, chosen)
    grid, sites, table = _of_cells(results.grid, chosen)
    table = _thinned(table, seed)
    first_row = max(0, int(sites.rows.min()) - REACH)
    rows = slice(first_row, min(grid.rows, int(sites.rows.max()) + REACH + 1))
    band = grid.window(range(rows.start, rows.stop), range(grid.columns))
    own = Places(band, sites.rows - first_row, sites.columns, sites.fixed)

    def work(day: slice) -> tuple[slice, tuple[Singles, Singles, Cells]]:
        return day, _of_day(results, day, rows, own, table)

    parts = []
    for day, part in in_order(work, results.days(), workers or min(processors(), _WORKERS)):
        parts.append(part)
        progress(day.stop - day.start)
    features, field, which = (np.concatenate([part[k] for part in parts]) for k in range(3))
    if not which.size:
        raise InputError(
            f"{results.label} has no map of any of the observations' hours: there is nothing to learn from"
        )
    used, site = np.unique(table.site[which], return_inverse=True)
    return Samples(sites.latitude[used], sites.longitude[used], site.astype(np.int32), table.begin[which], features,
                   field, table.observed[which])  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Table:
    """Means of cells and hours, in the order of time."""

    site: Cells
    begin: Minutes
    observed: Singles


def _refuse_apart(results: Results, observations: Observations) -> None:
    begin, end = (results.times[k].astype("datetime64[m]") for k in (0, -1))
    if not ((observations.begin >= begin) & (observations.begin + HOUR * _MINUTE <= end)).any():
        first, last = observations.begin.min(), observations.begin.max()
        raise InputError(f"no hour in common: {results.label} goes from {begin} to {end} UTC, the observations from {first} "
                         f"to {last} UTC; wanted stores and stations of the same time")  # fmt: skip


def _of_cells(grid: Grid, observations: Observations) -> tuple[Grid, Places, _Table]:
    """The cells with stations, and their means of each hour."""
    stations = observations.stations
    numbers = tuple(str(k) for k in range(stations.size))
    points = Points(tuple(map(str, stations.ids)), stations.latitude, stations.longitude, {"number": numbers})
    sampler = at_points(grid, points, interpolation="nearest", skip_outside=True)
    kept = np.array([int(number) for number in sampler.columns["number"]])
    cell = np.full(stations.size, -1)
    cell[kept] = sampler.cover.rows * grid.columns + sampler.cover.columns
    inside = observations.take(cell[observations.station] >= 0)
    cells, site = np.unique(cell[inside.station], return_inverse=True)
    minutes, moment = np.unique(inside.begin, return_inverse=True)
    keys, group = np.unique(moment * cells.size + site, return_inverse=True)
    mean = np.bincount(group, inside.value.astype(np.float64)) / np.bincount(group)
    table = _Table(keys % cells.size, minutes[keys // cells.size], mean.astype(np.float32))
    return grid, places(grid, cells // grid.columns, cells % grid.columns), table


def _thinned(table: _Table, seed: int) -> _Table:
    if table.site.size <= MOST:
        return table
    drawn = np.sort(np.random.default_rng(seed).choice(table.site.size, MOST, replace=False))
    return _Table(table.site[drawn], table.begin[drawn], table.observed[drawn])


def _of_day(
    results: Results, day: slice, rows: slice, own: Places, table: _Table
) -> tuple[Singles, Singles, NDArray[np.intp]]:
    """Features, field and the lines of the table, of the observations that begin on a day of the maps."""
    hours = slice(day.start, min(day.stop + 2, results.times.size))
    times = results.times[hours].astype("datetime64[m]")
    limits = times[0], times[day.stop - day.start - 1] + HOUR * _MINUTE
    first, last = (int(k) for k in np.searchsorted(table.begin, limits))
    found: list[tuple[Singles, Singles, NDArray[np.intp]]] = []
    maps = results.read(hours, rows) if last > first else np.empty((0, 0, 0), np.float32)
    for begin in np.unique(table.begin[first:last]):
        lines = np.arange(*np.searchsorted(table.begin, [begin, begin + _MINUTE]))
        field = hourly_mean(maps, int((begin - times[0]) / _MINUTE))
        if field is None:
            continue
        where = own.take(table.site[lines])
        values = field[where.rows, where.columns]
        known = np.isfinite(values)
        features = Surroundings(field, own.grid, begin + HOUR // 2 * _MINUTE).features(where)
        found.append((features[known], values[known], lines[known]))
    empty = np.empty((0, len(NAMES)), np.float32), np.empty(0, np.float32), np.empty(0, np.intp)
    features, values, lines = (np.concatenate([one[k] for one in (empty, *found)]) for k in range(3))
    return features, values, lines


def hourly_mean(maps: Singles, minute: int) -> Singles | None:
    """The mean over an hour of the straight line through hourly instants; None if it goes beyond them.

    Args:
        maps: (hours, rows, columns), instants.
        minute: begin of the hour, counted from the first of them.
    """
    first, late = divmod(minute, HOUR)
    share = late / HOUR
    weights = [(1 - share) ** 2 / 2, 0.5 + share * (1 - share), share**2 / 2]
    used = weights if late else weights[:2]
    if first + len(used) > len(maps):
        return None
    return np.tensordot(np.array(used, np.float32), maps[first : first + len(used)], 1)
