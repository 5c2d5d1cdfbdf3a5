from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.grid import Grid, Region

EAC4 = Grid(90, 0, 0.75, 241, 480)
FINE = Grid(90, 0, 0.25, 721, 1440)
BOX = Grid(51.95, 4.95, 0.75, 4, 6)


def test_eac4_refines_to_the_grid_of_era5():
    assert EAC4.refine(3) == FINE
    assert FINE.nests_in(EAC4)
    assert not EAC4.nests_in(FINE)
    assert FINE.latitude[3 * 7] == EAC4.latitude[7]
    assert FINE.longitude[3 * 479] == EAC4.longitude[479]


def test_areas_of_the_globe_sum_to_the_sphere():
    for grid in (EAC4, FINE):
        assert grid.areas.sum() * grid.columns == pytest.approx(4 * np.pi, rel=1e-12)
    # by hand: the polar cap above 90 - 0.375 degrees, cut into 480 pieces
    assert EAC4.areas[0] == pytest.approx(2 * np.pi * (1 - np.sin(np.deg2rad(89.625))) / 480, rel=1e-9)


def test_fine_areas_sum_to_the_coarse_cell():
    fine = FINE.areas
    assert 3 * fine[3 * 50 - 1 : 3 * 50 + 2].sum() == pytest.approx(EAC4.areas[50], rel=1e-12)
    assert 3 * fine[:2].sum() == pytest.approx(EAC4.areas[0], rel=1e-12)


@given(
    north=st.floats(-60, 85), west=st.floats(-180, 359), rows=st.integers(1, 9), columns=st.integers(1, 9),
    factor=st.sampled_from([1, 3, 5, 7]),
)  # fmt: skip
def test_regional_refinement_keeps_nodes_bounds_and_area(north, west, rows, columns, factor):
    grid = Grid(north, west, 0.75, rows, columns)
    fine = grid.refine(factor)
    middle = (factor - 1) // 2
    assert fine.shape == (rows * factor, columns * factor)
    np.testing.assert_allclose(fine.latitude[middle::factor], grid.latitude, atol=2e-6)
    np.testing.assert_allclose(fine.longitude[middle::factor], grid.longitude, atol=2e-6)
    assert fine.areas.sum() * fine.columns == pytest.approx(grid.areas.sum() * grid.columns, rel=1e-5)
    assert fine.latitude_bounds[0, 0] == pytest.approx(grid.latitude_bounds[0, 0], abs=1e-5)
    assert fine.nests_in(grid)


def test_a_pole_row_stays_on_the_pole():
    cap = Grid(90, 10, 0.75, 5, 8)
    assert cap.refine(3).shape == (14, 24)
    assert cap.refine(3).north == 90
    assert cap.refine(5).shape == (23, 40)


def test_offset_box_as_an_area_request_gives_it():
    fine = BOX.refine(3)
    assert fine.shape == (12, 18)
    assert fine.north == 52.2
    assert fine.west == 4.7


def test_grids_with_the_same_nodes_are_equal_and_hash_alike():
    assert Grid.from_coordinates(BOX.latitude.astype(np.float32), BOX.longitude.astype(np.float32)) == BOX
    assert {Grid(90, 0, 0.75, 241, 480), EAC4} == {EAC4}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((90, 0, -0.75, 3, 3), "empty"),
        ((90, 0, 0.75, 0, 3), "empty"),
        ((10, 0, 0.75, 3, 481), "more than once"),
        ((89.9, 0, 0.75, 3, 3), "beyond the pole"),
        ((-89, 0, 0.75, 3, 3), "beyond the pole"),
    ],
)
def test_impossible_grids_are_refused(arguments, part):
    with pytest.raises(InputError, match=part):
        Grid(*arguments)


def test_irregular_coordinates_are_refused():
    with pytest.raises(InputError, match="latitude is irregular"):
        Grid.from_coordinates([3, 2, 0], [0, 1, 2])
    with pytest.raises(InputError, match=r"steps of 1 degrees in latitude and 2"):
        Grid.from_coordinates([3, 2, 1], [0, 2, 4])
    with pytest.raises(InputError, match="curvilinear"):
        Grid.from_coordinates(np.zeros((2, 2)), [0, 1])
    with pytest.raises(InputError, match="single node"):
        Grid.from_coordinates([3], [4])


def test_even_factors_are_refused():
    with pytest.raises(InputError, match="odd"):
        EAC4.refine(2)


def test_windows_of_regions():
    europe = Region(60, -10, 35, 30)
    rows, columns = FINE.row_window(europe), FINE.column_window(europe)
    window = FINE.window(rows, columns)
    assert (window.north, window.south, window.west) == (60, 35, -10)
    assert window.columns == 161
    date_line = FINE.window(FINE.row_window(Region(10, 170, 0, -170)), FINE.column_window(Region(10, 170, 0, -170)))
    assert date_line.longitude[[0, -1]].tolist() in ([170, 190], [-190, -170])
    assert len(FINE.column_window(Region(10, -180, 0, 180))) == 1440
    assert len(FINE.column_window(Region(10, 0, 0, 360))) == 1440


def test_regions_are_checked():
    with pytest.raises(InputError, match="N,W,S,E"):
        Region(35, -10, 60, 30)
    with pytest.raises(InputError, match="-90"):
        Region(95, -10, 60, 30)
    assert Region(10, 170, 0, -170).width == 20
