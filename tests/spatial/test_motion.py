from __future__ import annotations

import numpy as np
import pytest

from deepcams.grid import Grid
from deepcams.spatial.motion import carried, carry, displacement

GLOBE = Grid(90, 0, 0.75, 241, 480)
BOX = Grid(40, 10, 0.25, 120, 150)


def plumes(grid, east=0.0, south=0.0):
    """Some Gaussians on a background, moved by nodes."""
    rows, columns = np.mgrid[: grid.rows, : grid.columns].astype(np.float32)
    field = np.full(grid.shape, 2, np.float32)
    for row, column, width, height in ((40, 50, 9, 40), (70, 90, 14, 25), (60, 25, 11, 60), (95, 60, 12, 30)):
        away = (columns - column - east) % grid.columns if grid.periodic else columns - column - east
        away = np.where(away > grid.columns / 2, away - grid.columns, away)
        field += height * np.exp(-(away**2 + (rows - row - south) ** 2) / (2 * width**2))
    return field


@pytest.mark.parametrize(("east", "south"), [(3, 0), (0, -2), (2.5, 1.5)])
def test_a_moved_pattern_is_followed(east, south):
    before, after = plumes(BOX), plumes(BOX, east, south)
    u = displacement(before, after, BOX)
    inside = before > 10
    left = np.abs(u[inside] - [east, south]).mean()
    assert left < 0.35 * (abs(east) + abs(south)) / 2  # four iterations go most of the way


def test_growth_is_not_motion():
    field = plumes(BOX)
    assert np.abs(displacement(field, 1.5 * field, BOX)).mean() < 0.1


def test_exchanging_the_fields_turns_the_displacement_round():
    before, after = plumes(BOX), plumes(BOX, 2, 1)
    np.testing.assert_array_equal(displacement(after, before, BOX), -displacement(before, after, BOX))


def test_turning_the_globe_turns_the_displacement():
    before, after = plumes(GLOBE), plumes(GLOBE, 2, 1)
    u = displacement(before, after, GLOBE)
    turned = displacement(*(np.roll(field, 3 * 37, 1) for field in (before, after)), GLOBE)
    np.testing.assert_allclose(turned, np.roll(u, 3 * 37, 1), atol=5e-3)


def test_nothing_moves_in_a_constant():
    field = np.full(BOX.shape, 7, np.float32)
    np.testing.assert_array_equal(displacement(field, field, BOX), 0)


def test_carrying_fetches_from_where_the_displacement_points():
    image = np.arange(20, dtype=np.float32)[None].repeat(9, 0)
    u = np.zeros((9, 20, 2), np.float32)
    u[..., 0] = 1.5
    np.testing.assert_allclose(carry(image, u)[:, 2:15], image[:, 2:15] + 1.5)


def test_a_field_is_carried_across_the_date_line_by_any_part_of_a_node():
    field = plumes(GLOBE, east=-50)
    u = np.broadcast_to(np.array([2.3, 0], np.float32), (*GLOBE.shape, 2))
    wanted = 0.7 * np.roll(field, -2, 1) + 0.3 * np.roll(field, -3, 1)
    found = carried(field, u, GLOBE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
