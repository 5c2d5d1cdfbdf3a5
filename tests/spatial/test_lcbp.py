from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcams.conserve import area_mean
from deepcams.grid import Grid
from deepcams.spatial import SPATIAL
from deepcams.spatial.lcbp import log_field, sharpen
from deepcams.spatial.scene import Scene
from deepcams.sphere import from_blocks

GRIDS = [Grid(40, 10, 0.75, 5, 4), Grid(90, 0, 45, 5, 8), Grid(90, 10, 0.75, 3, 4), Grid(0, 0, 0.75, 1, 1)]
EPSILON = 0.05


def lcbp(coarse, grid, epsilon=EPSILON):
    return from_blocks(sharpen(coarse, grid, 3, epsilon=epsilon), grid)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), grid=st.sampled_from(GRIDS))
def test_single_precision_promises_on_any_small_grid(data, grid):
    values = st.floats(2**-10, 4096, width=32) | st.just(0.0)
    coarse = data.draw(arrays(np.float32, grid.shape, elements=values))
    for row, pole in ((0, grid.north_pole), (-1, grid.south_pole)):
        if pole:
            coarse[row] = coarse[row, 0]
    fine = lcbp(coarse, grid)
    assert fine.dtype == np.float32
    assert (fine >= 0).all()
    np.testing.assert_allclose(area_mean(fine.astype(np.float64), grid), coarse, rtol=1e-6)
    doubled = lcbp(2 * coarse, grid, 2 * EPSILON)
    np.testing.assert_allclose(doubled, 2 * fine, rtol=2e-5)


def test_peaks_survive(sample_fields):
    grid = Grid(90, 0, 0.75, 241, 480)
    assert sample_fields.max() > 3000
    fine = lcbp(sample_fields[0], grid)
    assert fine.max() > sample_fields[0].max() > 800


def test_a_planted_gaussian_stays_where_it_is():
    grid = Grid(60, 0, 0.75, 60, 60)
    fine = grid.refine(3)
    for width in (2.0, 3.0, 5.0):

        def bump(g, w=width):
            return 5 + 200 * np.exp(
                -(((g.latitude - 37.7) / 0.75 / w) ** 2)[:, None] / 2 - ((g.longitude - 21.9) / 0.75 / w) ** 2 / 2
            )

        result = lcbp(area_mean(bump(fine), grid), grid)
        weight = result - 5
        assert abs((weight * fine.latitude[:, None]).sum() / weight.sum() - 37.7) < 0.01
        assert abs((weight * fine.longitude).sum() / weight.sum() - 21.9) < 0.01
        assert np.abs(result - bump(fine)).max() < 0.03 * 200 / width


def test_lcbp_beats_every_untrained_method_on_real_fine_fields_and_the_network_beats_it(shared_data):
    """CAMS Europe at 0.1 degrees, averaged over 3 x 3 cells; no number of this test was used to build the method."""
    import xarray as xr

    truth = xr.open_dataset(shared_data / "cams_europe_0.1deg_poland_snapshots.nc").pm2p5_conc.values[:, :60, :114]
    grid = Grid(54, 14, 0.3, 20, 38)
    coarse = area_mean(truth.astype(np.float64), grid)
    errors = {
        name: np.abs(from_blocks(np.stack([method.sharpen(Scene(one, grid, 3, EPSILON)) for one in coarse]), grid) - truth)
        [:, 9:-9, 9:-9].mean()
        for name, method in SPATIAL.items()
    }  # fmt: skip
    network = errors.pop("network")  # trained, and not on these data
    errors.pop("abpn")  # trained, too
    assert min(errors, key=errors.get) == "lcbp", errors
    assert network < errors["lcbp"]


def test_tensors_give_what_arrays_give():
    grid = GRIDS[1]
    coarse = np.random.default_rng(0).lognormal(1, 1, grid.shape)
    expected = log_field(coarse, grid, 3, epsilon=EPSILON)
    np.testing.assert_allclose(log_field(torch.tensor(coarse), grid, 3, epsilon=EPSILON).numpy(), expected, rtol=1e-10)
