"""Where there is land: places that everybody knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.grid import Grid
from deepcams.land import land_share

GLOBE = Grid(90, 0, 0.75, 241, 480)
FINE = GLOBE.refine(3)


def share_at(latitude, longitude, grid=FINE):
    row = round((grid.north - latitude) / grid.step)
    return land_share(grid)[row, round((longitude - grid.west) % 360 / grid.step) % grid.columns]


@pytest.mark.parametrize("grid", [GLOBE, FINE, Grid(90, -180, 0.75, 241, 480)], ids=["coarse", "fine", "from the west"])
@pytest.mark.parametrize(
    ("latitude", "longitude", "share"),
    [
        (22.5, 15, 1), (-24, 134.25, 1), (60, 99, 1), (39.75, 259.5, 1), (-15, 300, 1),  # inland
        (-85.5, 0, 1), (-80.25, 120, 1), (72, 319.5, 1),  # on ice
        (45.75, 86.25, 1), (0, 33, 1), (42, 51, 1),  # far from the sea, on a lake, on the Caspian
        (0, 200.25, 0), (30, 325.5, 0), (-60, 0, 0), (-45, 150.75, 0), (85.5, 180, 0), (35.25, 18, 0), (43.5, 34.5, 0),
    ],
)  # fmt: skip
def test_known_places(grid, latitude, longitude, share):
    assert share_at(latitude, longitude, grid) == pytest.approx(share, abs=1e-6)


def test_coasts_lie_between():
    share = land_share(GLOBE)
    between = (share > 0.05) & (share < 0.95)
    assert 0.03 < between.mean() < 0.2
    assert 0.1 < share_at(38.75, 350.5) < 0.9  # Lisbon
    assert (share * GLOBE.areas[:, None]).sum() / (GLOBE.areas.sum() * 480) == pytest.approx(0.29, abs=0.01)


@settings(deadline=None, max_examples=30)
@given(row=st.integers(0, 180), column=st.integers(-480, 480), rows=st.integers(1, 60), columns=st.integers(1, 60))
def test_a_region_is_the_globe_cut(row, column, rows, columns):
    part = Grid(90 - 0.75 * row, 0.75 * column, 0.75, rows, columns)
    whole = land_share(GLOBE)[row : row + rows].take(np.arange(column, column + columns), axis=1, mode="wrap")
    np.testing.assert_allclose(land_share(part), whole, atol=1e-6)


@pytest.mark.parametrize("moved", [0.1, 0.25, 0.375, 0.7])
def test_grids_that_lie_between_the_cells_see_the_same_coasts(moved):
    one, other = Grid(60, 0, 0.75, 60, 80), Grid(60 - moved, moved, 0.75, 60, 80)
    assert abs(land_share(one).mean() - land_share(other).mean()) < 0.03
    near = land_share(other)
    assert near.min() >= 0
    assert near.max() <= 1 + 1e-6
    inland = np.abs(np.stack([land_share(one), near]) - 1).max(axis=0) < 1e-6
    assert inland.mean() > 0.5


@pytest.mark.parametrize(
    "grid", [GLOBE, FINE, Grid(90, 0, 0.1, 31, 50), Grid(-80, 10, 2.5, 4, 3), Grid(10, 10, 1, 1, 1)]
)
def test_shares_are_shares(grid):
    share = land_share(grid)
    assert share.shape == grid.shape
    assert share.dtype == np.float32
    assert share.min() >= 0
    assert share.max() <= 1 + 1e-6


def test_what_is_shared_cannot_be_changed():
    share = land_share(GLOBE)
    assert land_share(Grid(90, 0, 0.75, 241, 480)) is share
    with pytest.raises(ValueError, match="read-only"):
        share[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        share *= 2
