from __future__ import annotations

import numpy as np
import pytest

from deepcams.conserve import area_mean
from deepcams.grid import Grid
from deepcams.spatial import SPATIAL
from deepcams.spatial.interpolation import CUBIC, LINEAR, NEAREST, SPLINE, interpolate_blocks
from deepcams.spatial.scene import Scene
from deepcams.sphere import from_blocks

GLOBE = Grid(90, 0, 7.5, 25, 48)
BOX = Grid(40, 10, 0.75, 12, 14)
UNTRAINED = [name for name, method in SPATIAL.items() if method.weights is None]
KERNELS = {"nearest": NEAREST, "linear": LINEAR, "cubic": CUBIC, "spline": SPLINE}


def fine_of(field, grid, kernel, factor=3):
    return from_blocks(interpolate_blocks(field, grid, factor, kernel), grid)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("grid", [GLOBE, BOX], ids=["globe", "box"])
def test_nodes_and_constants_are_reproduced(kernel, grid):
    field = np.random.default_rng(0).random(grid.shape)
    fine = from_blocks(interpolate_blocks(field, grid, 3, kernel), grid)
    start = 0 if grid.periodic else 1
    first = 0 if grid.north_pole else 1
    np.testing.assert_allclose(fine[first::3, start::3], field, atol=1e-6)
    np.testing.assert_allclose(fine_of(np.full(grid.shape, 7.0), grid, kernel), 7, rtol=1e-12)


@pytest.mark.parametrize(("kernel", "degree"), [(LINEAR, 1), (CUBIC, 2), (SPLINE, 3)])
@pytest.mark.parametrize("factor", [3, 5])
def test_polynomials_are_reproduced_away_from_the_edges(kernel, degree, factor):
    grid = Grid(40, 10, 0.75, 60, 60)
    fine = grid.refine(factor)

    def polynomial(g):
        return ((g.latitude - 20) / 10)[:, None] ** degree + ((g.longitude - 30) / 10) ** degree

    inner = (slice(22 * factor, -22 * factor),) * 2
    np.testing.assert_allclose(
        fine_of(polynomial(grid), grid, kernel, factor)[inner], polynomial(fine)[inner], atol=1e-6
    )


def test_keys_weights_at_a_third():
    """By hand: a = -1/2 at distances 4/3, 1/3, 2/3, 5/3."""
    np.testing.assert_allclose(CUBIC.weights(np.array([4, 1, 2, 5]) / 3), np.array([-2, 21, 9, -1]) / 27, atol=1e-12)


def test_the_spline_is_scipys():
    from scipy.interpolate import CubicSpline

    grid = Grid(40, 10, 0.75, 1, 80)
    values = np.random.default_rng(1).random(80)
    fine = fine_of(values[None], grid, SPLINE)[1]
    reference = CubicSpline(grid.longitude, values)(grid.refine(3).longitude)
    np.testing.assert_allclose(fine[60:-60], reference[60:-60], atol=1e-6)


@pytest.mark.parametrize("name", UNTRAINED)
@pytest.mark.parametrize("shift", [1, 24, 37])
def test_turning_the_globe_turns_the_result(name, shift):
    field = np.random.default_rng(2).lognormal(1, 1, GLOBE.shape)
    field[0], field[-1] = 3, 4

    def sharpen(one):
        return from_blocks(SPATIAL[name].sharpen(Scene(one, GLOBE, 3, 0.05)), GLOBE)

    np.testing.assert_allclose(sharpen(np.roll(field, shift, 1)), np.roll(sharpen(field), 3 * shift, 1), rtol=1e-9)


@pytest.mark.parametrize("name", UNTRAINED)
@pytest.mark.parametrize("grid", [GLOBE, BOX], ids=["globe", "box"])
def test_promises_of_every_method(name, grid):
    method = SPATIAL[name]
    field = np.random.default_rng(3).lognormal(1, 1.5, grid.shape)
    field[5:8, 5:8] = 0
    field[6, 9] = 3657
    if grid.north_pole:
        field[0], field[-1] = 3, 4
    fine = from_blocks(method.sharpen(Scene(field, grid, 3, 0.05)), grid)
    assert fine.shape == grid.refine(3).shape
    assert (fine >= 0).all()
    assert fine.max() > 3000
    if method.conserving:
        np.testing.assert_allclose(area_mean(fine, grid), field, rtol=1e-9)
    if grid.north_pole:
        assert np.ptp(fine[0]) == 0
        assert np.ptp(fine[-1]) == 0
    constant = np.full(grid.shape, 12.5)
    np.testing.assert_allclose(from_blocks(method.sharpen(Scene(constant, grid, 3, 0.05)), grid), 12.5, rtol=1e-9)


def test_a_region_within_its_halo_is_the_globe_cropped(sample_fields):
    globe = Grid(90, 0, 0.75, 241, 480)
    rows, columns = slice(60, 120), slice(300, 380)
    box = globe.window(range(60, 120), range(300, 380))
    for name, method in ((name, SPATIAL[name]) for name in UNTRAINED):
        whole = from_blocks(method.sharpen(Scene(sample_fields[0], globe, 3, 0.05)), globe)
        part = from_blocks(method.sharpen(Scene(sample_fields[0][rows, columns], box, 3, 0.05)), box)
        halo = method.halo * 3
        inner = part[halo:-halo, halo:-halo]
        expected = whole[179 + halo : 179 + part.shape[0] - halo, 899 + halo : 899 + part.shape[1] - halo]
        np.testing.assert_allclose(inner, expected, rtol=2e-5, atol=1e-6, err_msg=name)
