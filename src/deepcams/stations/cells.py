"""Stations that share a cell of a grid as one, so that a dense network does not count as many places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcams.extraction.points import Points, at_points
from deepcams.extraction.sampling import Cells
from deepcams.grid import Grid
from deepcams.stations.table import Observations, Pairs, Reason, Stations, Texts

Groups = NDArray[np.intp]


def average_cells(pairs: Pairs, grid: Grid) -> Pairs:
    """The pairs with the stations of each cell of a grid as one.

    Observations of the same interval in the same cell become their mean, and so do the values of each product. There may
    be fewer stations in a cell at some times than at others.

    Args:
        pairs: at stations.
        grid: whose cells; all stations lie in it.

    Returns:
        Pairs at the centres of cells, in the order of begin, then of cells from north to south and west to east.

    Raises:
        InputError: if a station lies outside the grid.
    """
    observations = pairs.observations
    cells, cell_of = np.unique(_cells(observations.stations, grid), return_inverse=True)
    station = cell_of.astype(np.int32)[observations.station]
    order = np.lexsort((observations.period, station, observations.begin))
    begin, number, period = observations.begin[order], station[order], observations.period[order]
    changes = np.logical_or.reduce([one[1:] != one[:-1] for one in (begin, number, period)])
    first = np.flatnonzero(np.concatenate([np.ones(min(order.size, 1), np.bool_), changes]))

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        sums = np.add.reduceat(values[order].astype(np.float64), first)
        return (sums / np.diff(first, append=order.size)).astype(np.float32)

    reason = np.full(first.size, Reason.GOOD, np.uint8)
    places = _places(observations.stations, cell_of, cells, grid)
    averaged = Observations(places, number[first], begin[first], period[first], mean(observations.value), reason)
    return Pairs(averaged, {name: mean(values) for name, values in pairs.products.items()})


def _cells(stations: Stations, grid: Grid) -> Cells:
    """(n,) the number of the cell that holds each station, counted along the rows; a pole is one cell."""
    points = Points(tuple(map(str, stations.ids)), stations.latitude, stations.longitude, {})
    cover = at_points(grid, points, interpolation="nearest").cover
    pole = np.abs(grid.latitude[cover.rows]) == 90
    return cover.rows * grid.columns + np.where(pole, 0, cover.columns)


def _places(stations: Stations, cell_of: Groups, cells: Cells, grid: Grid) -> Stations:
    """The cells as stations."""
    latitude = grid.latitude[cells // grid.columns]
    longitude = (grid.longitude[cells % grid.columns] + 180) % 360 - 180
    ids = [_named(north, east) for north, east in zip(latitude.tolist(), longitude.tolist(), strict=True)]
    counts = np.bincount(cell_of, minlength=cells.size).tolist()
    names = [f"{one} ({count} station{'s' * (count != 1)})" for one, count in zip(ids, counts, strict=True)]
    order = np.argsort(cell_of, kind="stable")
    members = np.split(order, np.cumsum(counts)[:-1])
    return Stations(
        ids=np.array(ids, object),
        sensors=np.full(cells.size, "", object),
        names=np.array(names, object),
        latitude=latitude,
        longitude=longitude,
        country=_unique(stations.country, members),
        source=np.array([", ".join(sorted(set(stations.source[own]))) for own in members], object),
        timezone=_unique(stations.timezone, members),
        mobile=np.array([stations.mobile[own].any() for own in members], np.bool_),
    )


def _named(north: float, east: float) -> str:
    """A cell by its centre: ``cell 40.00N 116.50E``."""
    return f"cell {abs(north):.2f}{'NS'[north < 0]} {abs(east):.2f}{'EW'[east < 0]}"


def _unique(texts: Texts, members: list[Groups]) -> Texts:
    """What the stations of each cell agree on; nothing where they do not."""
    found = [set(texts[own]) for own in members]
    return np.array([one.pop() if len(one) == 1 else "" for one in found], object)
