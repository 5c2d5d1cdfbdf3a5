"""How high the ground is: places that everybody knows."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.grid import Grid
from deepcams.orography import altitude

GLOBE = Grid(90, 0, 0.75, 241, 480)
FINE = GLOBE.refine(3)


def altitude_at(latitude, longitude, grid=FINE):
    row = round((grid.north - latitude) / grid.step)
    return altitude(grid)[row, round((longitude - grid.west) % 360 / grid.step) % grid.columns]


@pytest.mark.parametrize("grid", [GLOBE, FINE, Grid(90, -180, 0.75, 241, 480)], ids=["coarse", "fine", "from the west"])
@pytest.mark.parametrize(
    ("latitude", "longitude", "lowest", "highest"),
    [
        (33, 87, 4500, 5500), (-17.25, 291, 3500, 4600), (72, 321, 3000, 3300), (-80.25, 75, 3500, 4200),  # high
        (52.5, 5.25, -20, 60), (-3, 300, 0, 150), (30, 325.5, -30, 30), (-45, 150.75, -30, 30),  # low
    ],
)  # fmt: skip
def test_known_places(grid, latitude, longitude, lowest, highest):
    assert lowest <= altitude_at(latitude, longitude, grid) <= highest


def test_it_is_what_it_was_made_from(shared_data):
    with xr.open_dataset(shared_data / "orography_0.25.nc") as dataset:
        assert np.abs(altitude(FINE) - dataset["orography"].values).max() <= 2.5


@settings(deadline=None, max_examples=30)
@given(row=st.integers(0, 180), column=st.integers(-480, 480), rows=st.integers(1, 60), columns=st.integers(1, 60))
def test_a_region_is_the_globe_cut(row, column, rows, columns):
    part = Grid(90 - 0.75 * row, 0.75 * column, 0.75, rows, columns)
    whole = altitude(GLOBE)[row : row + rows].take(np.arange(column, column + columns), axis=1, mode="wrap")
    np.testing.assert_allclose(altitude(part), whole, atol=1e-2)


@pytest.mark.parametrize("grid", [GLOBE, FINE, Grid(90, 0, 0.1, 31, 50), Grid(-80, 10, 2.5, 4, 3), Grid(9, 9, 1, 1, 1)])
def test_altitudes_are_those_of_the_earth(grid):
    found = altitude(grid)
    assert found.shape == grid.shape
    assert found.dtype == np.float32
    assert found.min() >= -200
    assert found.max() <= 6000


def test_what_is_shared_cannot_be_changed():
    found = altitude(GLOBE)
    assert altitude(Grid(90, 0, 0.75, 241, 480)) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
