"""A small series of hourly fine fields: two plumes over a background, carried to the north-east."""

import numpy as np
import pytest

from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.io.geos_cf import Hourly
from deepcams.units import species_of

COARSE = Grid(54.75, 3, 0.75, 30, 30)


def plumes(grid, count=7):
    """(count, rows, columns) float32 ug m-3 on a fine grid."""
    latitude, longitude = grid.latitude[:, None], grid.longitude
    fields = []
    for hour in range(count):
        south, west = grid.south + 7 + 0.1 * hour, grid.west + 6 + 0.3 * hour
        distances = [(latitude - south - a) ** 2 + (longitude - west - b) ** 2 for a, b in ((0, 0), (5, 6))]
        fields.append(4 + np.sin(latitude) + 80 * np.exp(-distances[0] / 2) + 20 * np.exp(-distances[1]))
    return np.array(fields, np.float32)


def hourly_of(values, grid, start="2020-03-08T00"):
    """A series in memory."""
    times = np.datetime64(start, "h") + np.arange(len(values))
    species = species_of("pm2p5", "ug m-3")
    fields = Analyses(times, grid, species, lambda i: values[i].copy(), lambda i: "memory", ("memory.nc",))
    return Hourly(fields, times.astype("datetime64[ns]"), "made up")


@pytest.fixture
def fine():
    return COARSE.refine(3)


@pytest.fixture
def series(fine):
    """Make the series, with its values (time, rows, columns) changed by a function."""
    return lambda change=lambda values: values: hourly_of(change(plumes(fine)), fine)
