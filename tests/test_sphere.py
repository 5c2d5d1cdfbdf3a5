from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcams.grid import Grid
from deepcams.sphere import from_blocks, pad, row_weights, to_blocks

GLOBE = Grid(90, 0, 15, 13, 24)
BOX = Grid(40, 10, 0.75, 5, 6)


def on_the_sphere(grid):
    """A smooth field given by the position in space: it knows no seams."""
    latitude, longitude = np.deg2rad(grid.latitude)[:, None], np.deg2rad(grid.longitude)
    x, y, z = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    return x + 2 * y * z + 0.5 * z


def test_padding_continues_a_field_across_the_date_line_and_the_poles():
    padded = pad(on_the_sphere(GLOBE), GLOBE, 2, 3)
    longitude = np.deg2rad(GLOBE.west + GLOBE.step * np.arange(-3, 27))
    latitude = np.deg2rad(GLOBE.north - GLOBE.step * np.arange(-2, 15))[:, None]
    x, y, z = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    np.testing.assert_allclose(padded, x + 2 * y * z + 0.5 * z, atol=1e-12)


def test_padding_replicates_a_regional_edge():
    field = np.arange(30.0).reshape(5, 6)
    np.testing.assert_array_equal(pad(field, BOX, 1, 2), np.pad(field, ((1, 1), (2, 2)), mode="edge"))


@pytest.mark.parametrize(
    "grid", [GLOBE, BOX, Grid(90, 0, 0.75, 4, 5), Grid(-87.75, 0, 0.75, 4, 5), Grid(30, 0, 0.75, 3, 480)]
)
@pytest.mark.parametrize("factor", [3, 5])
def test_blocks_hold_the_cells_around_their_node(grid, factor):
    fine = grid.refine(factor)
    field = np.random.default_rng(1).random((2, *fine.shape))
    blocks = to_blocks(field, grid, factor)
    assert blocks.shape == (2, grid.rows, factor, grid.columns, factor)
    np.testing.assert_array_equal(from_blocks(blocks, grid), field)
    middle = (factor - 1) // 2
    rows = [int(np.argmin(np.abs(fine.latitude - latitude))) for latitude in grid.latitude]
    columns = [int(np.argmin(np.abs(fine.longitude - longitude))) for longitude in grid.longitude]
    np.testing.assert_array_equal(blocks[:, :, middle, :, middle], field[:, rows][:, :, columns])


def test_row_weights_are_area_fractions():
    grid = Grid(90, 0, 0.75, 241, 480)
    weights, with_pole = row_weights(grid), row_weights(grid, pole_row=True)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-14)
    np.testing.assert_array_equal(weights[0], [0, 0, 1])
    fine = grid.refine(3).areas
    np.testing.assert_allclose(with_pole[0], [0, fine[0] / fine[:2].sum(), fine[1] / fine[:2].sum()])
    np.testing.assert_allclose(weights[100], fine[299:302] / fine[299:302].sum())


def test_tensors_give_what_arrays_give():
    field = np.random.default_rng(2).random(GLOBE.shape)
    np.testing.assert_array_equal(pad(torch.tensor(field), GLOBE, 2, 2).numpy(), pad(field, GLOBE, 2, 2))
    fine = np.random.default_rng(3).random(GLOBE.refine(3).shape)
    np.testing.assert_array_equal(to_blocks(torch.tensor(fine), GLOBE).numpy(), to_blocks(fine, GLOBE))
