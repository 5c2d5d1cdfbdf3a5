from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcams.conserve import area_mean, conserve
from deepcams.grid import Grid

GRIDS = [Grid(40, 10, 0.75, 3, 4), Grid(90, 0, 45, 5, 8), Grid(90, 10, 0.75, 3, 4), Grid(-88.5, 10, 0.75, 3, 4)]


def test_area_means_by_hand():
    """One cell astride the equator: three rows of equal weight but for the cosine."""
    grid = Grid(0, 0, 0.75, 1, 1)
    field = np.array([[1.0, 1, 1], [2, 2, 2], [4, 4, 4]])
    edges = np.sin(np.deg2rad([0.375, 0.125, -0.125, -0.375]))
    expected = (-np.diff(edges) * [1, 2, 4]).sum() / (edges[0] - edges[-1])
    assert area_mean(field, grid)[0, 0] == pytest.approx(expected, rel=1e-14)


def test_area_means_agree_with_a_direct_sum_over_cells():
    grid = Grid(90, 0, 45, 5, 8)
    fine = grid.refine(3)
    field = np.random.default_rng(0).random(fine.shape)
    means = area_mean(field, grid)
    for i in range(grid.rows):
        for j in range(grid.columns):
            rows = [row for row in (3 * i - 1, 3 * i, 3 * i + 1) if 0 <= row < fine.rows]
            columns = [(3 * j + k) % fine.columns for k in (-1, 0, 1)]
            weights = np.repeat(fine.areas[rows][:, None], 3, 1)
            expected = (field[np.ix_(rows, columns)] * weights).sum() / weights.sum()
            assert means[i, j] == pytest.approx(expected, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), grid=st.sampled_from(GRIDS), factor=st.sampled_from([3, 5]))
def test_mass_is_kept_for_any_field(data, grid, factor):
    coarse = data.draw(arrays(np.float64, grid.shape, elements=st.floats(1e-9, 1e4) | st.just(0.0)))
    for row, pole in ((0, grid.north_pole), (-1, grid.south_pole)):
        if pole:
            coarse[row] = coarse[row, 0]
    log_field = data.draw(arrays(np.float64, grid.refine(factor).shape, elements=st.floats(-20, 20)))
    fine = conserve(coarse, log_field, grid, factor)
    np.testing.assert_allclose(area_mean(fine, grid, factor), coarse, rtol=1e-10)
    assert (fine >= 0).all()
    if grid.north_pole:
        assert (fine[0] == coarse[0, 0]).all()
    if grid.south_pole:
        assert (fine[-1] == coarse[-1, 0]).all()


def test_zero_stays_zero_and_missing_stays_missing():
    grid = GRIDS[0]
    coarse = np.ones(grid.shape)
    coarse[1, 1], coarse[2, 3] = 0, np.nan
    fine = conserve(coarse, np.random.default_rng(1).normal(size=(9, 12)), grid)
    assert (fine[3:6, 3:6] == 0).all()
    assert np.isnan(fine[6:9, 9:12]).all()
    assert np.isfinite(fine).sum() == 9 * 12 - 9


def test_what_is_added_to_a_whole_cell_cancels():
    grid = GRIDS[0]
    coarse, log_field = np.full(grid.shape, 5.0), np.random.default_rng(2).normal(size=(9, 12))
    np.testing.assert_allclose(conserve(coarse, log_field + 300, grid), conserve(coarse, log_field, grid), rtol=1e-12)


def test_single_precision_keeps_mass_to_a_millionth():
    grid = Grid(90, 0, 45, 5, 8)
    generator = np.random.default_rng(3)
    coarse = generator.lognormal(1, 2, grid.shape).astype(np.float32)
    coarse[[0, -1]] = 3
    fine = conserve(coarse, generator.normal(0, 3, grid.refine(3).shape).astype(np.float32), grid)
    assert fine.dtype == np.float32
    np.testing.assert_allclose(area_mean(fine.astype(np.float64), grid), coarse, rtol=1e-6)


def test_tensors_give_what_arrays_give_and_carry_gradients():
    grid = Grid(90, 0, 45, 5, 8)
    coarse, log_field = np.full(grid.shape, 2.0), np.random.default_rng(4).normal(size=grid.refine(3).shape)
    tensor = torch.tensor(log_field, requires_grad=True)
    fine = conserve(torch.tensor(coarse), tensor, grid)
    np.testing.assert_allclose(fine.detach().numpy(), conserve(coarse, log_field, grid), rtol=1e-12)
    fine[3, 5].backward()
    assert torch.isfinite(tensor.grad).all()
    assert tensor.grad[3, 5] > 0
