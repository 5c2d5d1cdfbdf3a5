from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.windows import around, whole

GLOBE = Grid(90, 0, 0.75, 241, 480)


@settings(deadline=None, max_examples=80)
@given(
    south=st.integers(-90, 80), height=st.integers(1, 60), west=st.integers(-180, 359), width=st.integers(1, 359),
    halo=st.sampled_from([0.0, 10.0, 40.0]),
)  # fmt: skip
def test_a_window_keeps_just_the_nodes_of_its_region(south, height, west, width, halo):
    region = Region(min(90, south + height), west, south, west + width if west + width <= 360 else west + width - 360)
    window = around(GLOBE, 3, region, halo=halo)
    fine = GLOBE.refine(3)
    numbered = np.arange(fine.rows * fine.columns, dtype=float).reshape(fine.shape)
    refined = window.coarse.refine(3)
    rows = [round((90 - latitude) * 4) for latitude in refined.latitude]
    columns = np.round(refined.longitude % 360 * 4).astype(int) % 1440
    kept = window.keep(numbered[np.ix_(rows, columns)])
    latitude, longitude = 90 - kept // 1440 * 0.25, kept % 1440 * 0.25
    np.testing.assert_allclose(latitude, np.broadcast_to(window.fine.latitude[:, None], kept.shape))
    np.testing.assert_allclose(longitude, np.broadcast_to(window.fine.longitude % 360, kept.shape))
    assert window.fine.north == region.north
    assert window.fine.south == region.south
    assert (window.fine.west - region.west) % 360 == 0
    assert window.fine.columns == min(round(region.width * 4) + 1, 1440)


def test_the_window_reaches_as_far_as_its_halo():
    window = around(GLOBE, 3, Region(45, 5, 40, 10), halo=10)
    assert window.coarse.north >= 55
    assert window.coarse.south <= 30
    assert window.coarse.longitude[0] <= -5
    np.testing.assert_allclose(GLOBE.longitude[window.columns] % 360, window.coarse.longitude % 360)


def test_all_of_a_grid():
    field = np.random.default_rng(0).random(GLOBE.shape)
    assert (whole(GLOBE, 3).take(field) == field).all()
    assert around(GLOBE, 3, Region(90, 0, -90, 360), halo=0).fine == GLOBE.refine(3)


def test_longitudes_are_counted_as_the_region_counts_them():
    assert around(GLOBE, 3, Region(50, -130, 20, -60), halo=0).fine.longitude[[0, -1]].tolist() == [-130, -60]
    assert around(GLOBE, 3, Region(50, 230, 20, 300), halo=0).fine.longitude[[0, -1]].tolist() == [230, 300]


def test_regions_that_the_data_do_not_cover():
    box = Grid(50, 5, 0.75, 10, 10)
    with pytest.raises(InputError, match="outside"):
        around(box, 3, Region(-10, 5, -20, 10), halo=0)
    with pytest.raises(InputError, match="beyond"):
        around(box, 3, Region(49, 5, 30, 10), halo=0)
    with pytest.raises(InputError, match="beyond"):
        around(box, 3, Region(49, 0, 45, 10), halo=0)
    assert around(box, 3, Region(49, 6, 45, 10), halo=50).coarse == box
