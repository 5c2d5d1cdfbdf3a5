from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from deepcams.conserve import area_mean, conserve_blocks, distribute
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.weights import write_weights
from deepcams.spatial.abpn import ABPN, INNER, OVERLAP, Architecture, load, sharpen
from deepcams.spatial.interpolation import CUBIC, interpolate_blocks
from deepcams.spatial.scene import Scene
from deepcams.sphere import as_blocks, as_channels, from_blocks
from deepcams.units import EPSILON

GLOBE = Grid(90, 0, 3.0, 61, 120)
BOX = Grid(40, 10, 0.75, 24, 90)
GRIDS = pytest.mark.parametrize("grid", [GLOBE, BOX], ids=["globe", "box"])
SMALL = Architecture(channels=8, stages=2)


@pytest.fixture(scope="module")
def network():
    """A network whose details are large and know nothing."""
    torch.manual_seed(3)
    one = ABPN(SMALL)
    for image in (one.reconstruction[-1], one.refinement.image):
        torch.nn.init.normal_(image.weight, std=0.1)
    return one.eval().requires_grad_(False)


def scene_of(grid, gain=1.0, seed=0):
    """Smooth waves; one value on a pole."""
    rows, columns = np.mgrid[: grid.rows, : grid.columns]
    waves = np.random.default_rng(seed).normal(size=(8, 3))
    turn = 2 * np.pi / grid.columns
    parts = [a * np.cos((1 + k) * turn * columns + b * rows / 9 + c) for k, (a, b, c) in enumerate(waves)]
    values = gain * np.exp(np.sum(parts, axis=0) / 2 + 1)
    if grid.north_pole:
        values[0], values[-1] = values[0].mean(), values[-1].mean()
    return Scene(values.astype(np.float32), grid, 3, EPSILON)


def fine_of(scene, network):
    return from_blocks(sharpen(scene, network), scene.grid)


def of_field(field, grid, network):
    return fine_of(Scene(field.astype(np.float32), grid, 3, EPSILON), network)


def test_pixels_come_out_as_channels():
    blocks = torch.randn(2, 5, 3, 7, 3)
    torch.testing.assert_close(functional.pixel_unshuffle(blocks.reshape(2, 1, 15, 21), 3), as_channels(blocks))


def test_west_to_east_stays_west_to_east():
    columns = torch.arange(12.0)
    shape = as_blocks(ABPN(SMALL)(torch.exp(3 + 0.3 * columns).expand(1, 10, 12)).detach())[0]
    steps = shape.reshape(30, 36).diff(dim=1)[:, 8:-8]
    torch.testing.assert_close(steps, torch.full_like(steps, 0.1), rtol=1e-2, atol=1e-3)
    assert shape.reshape(30, 36).diff(dim=0).abs().max() < 1e-5


@pytest.mark.parametrize("axis", [-2, -1])
def test_nothing_is_shifted_by_a_part_of_a_cell(axis):
    """With kernels that are their own mirror image, a mirrored field has the mirrored result."""
    torch.manual_seed(5)
    mirrored = ABPN(SMALL).requires_grad_(False)
    for image in (mirrored.reconstruction[-1], mirrored.refinement.image):
        torch.nn.init.normal_(image.weight)
    for weight in mirrored.parameters():
        if weight.ndim == 4:
            weight.add_(weight.flip(axis)).div_(2)
    field = torch.rand(1, 9, 11) * 10
    found, turned = (as_blocks(mirrored(one)).flatten(-4, -3).flatten(-2) for one in (field, field.flip(axis)))
    assert found.std() > 0.1
    torch.testing.assert_close(turned, found.flip(axis), rtol=1e-3, atol=1e-4)


@GRIDS
def test_a_new_network_is_cubic_interpolation_of_the_logarithm(grid):
    scene = scene_of(grid)
    shape = interpolate_blocks(np.log(scene.coarse + np.float32(EPSILON)), grid, 3, CUBIC)
    wanted = conserve_blocks(scene.coarse, shape, grid)
    np.testing.assert_allclose(sharpen(scene, ABPN(SMALL)), wanted, rtol=1e-5)


def test_the_interpolation_keeps_its_precision_where_the_rest_does_not():
    field, new = torch.rand(1, 12, 12) * 10, ABPN(SMALL)
    with torch.autocast("cpu", torch.bfloat16):
        found = new(field)
    torch.testing.assert_close(found, new(field))


@GRIDS
def test_promises_hold_whatever_the_weights(grid, network):
    scene = scene_of(grid)
    scene.coarse[5:8, 5:8] = 0
    fine = fine_of(scene, network)
    assert fine.dtype == np.float32
    assert (fine >= 0).all()
    assert not fine[16:21, 16:21].any()
    np.testing.assert_allclose(area_mean(fine.astype(np.float64), grid), scene.coarse, rtol=2e-6, atol=1e-12)
    if grid.north_pole:
        assert np.ptp(fine[0]) == np.ptp(fine[-1]) == 0


@GRIDS
def test_a_constant_stays_constant(grid, network):
    np.testing.assert_allclose(of_field(np.full(grid.shape, 12.5), grid, network), 12.5, rtol=1e-5)


def test_doubling_doubles_but_for_epsilon(network):
    one, two = (fine_of(scene_of(BOX, gain=gain), network) for gain in (1e5, 2e5))
    assert np.abs(np.diff(np.log(one))).max() > 0.1
    np.testing.assert_allclose(two, 2 * one, rtol=1e-3)


@pytest.mark.parametrize("tiles", [1, 2])
def test_turning_the_globe_by_a_tile_turns_the_result(tiles, network):
    scene, shift = scene_of(GLOBE), tiles * INNER
    turned = of_field(np.roll(scene.coarse, shift, 1), GLOBE, network)
    np.testing.assert_allclose(turned, np.roll(fine_of(scene, network), 3 * shift, 1), rtol=1e-4)


class Undecided(torch.nn.Module):
    """Says of every second tile that concentrations rise eastwards in its cells, and of the others that they fall."""

    def __init__(self):
        super().__init__()
        self.register_buffer("epsilon", torch.tensor(EPSILON))
        self.sign = 1

    def forward(self, coarse):
        self.sign = -self.sign
        slope = torch.tensor([-1.0, 0.0, 1.0]).repeat(3)
        return self.sign * slope[:, None, None] * torch.ones_like(coarse)[:, None]


@pytest.mark.parametrize("columns", [80, 90])
def test_tiles_go_over_into_one_another(columns):
    """Also where the globe closes: from one tile's opinion to the other's, in small steps."""
    grid = Grid(30, 0, 360 / columns, 11, columns)
    blocks = sharpen(Scene(np.ones(grid.shape, np.float32), grid, 3, EPSILON), Undecided())
    slope = np.log(blocks[..., 2] / blocks[..., 0])[:, 1] / 2
    assert slope.min() == pytest.approx(-1, abs=1e-5)
    assert slope.max() == pytest.approx(1, abs=1e-5)
    assert np.abs(slope - np.roll(slope, 1, axis=1)).max() < 0.3


def test_the_far_side_of_a_pole_is_seen(network):
    scene = scene_of(GLOBE)
    changed = scene.coarse.copy()
    changed[1:3, 20:22] *= 5
    ratio = of_field(changed, GLOBE, network) / fine_of(scene, network)
    across = slice(3 * 80, 3 * 82)
    assert np.abs(ratio[1:8, across] - 1).max() > 1e-3


@pytest.mark.parametrize(
    "grid", [Grid(10, 20, 0.75, 1, 1), Grid(10, 20, 0.75, 2, 3), Grid(90, 0, 30.0, 7, 12)], ids=str
)
def test_small_grids_are_sharpened_too(grid, network):
    scene = scene_of(grid)
    fine = fine_of(scene, network)
    assert fine.shape == grid.refine(3).shape
    np.testing.assert_allclose(area_mean(fine.astype(np.float64), grid), scene.coarse, rtol=2e-6)


@pytest.mark.parametrize("grid", [BOX, GLOBE, Grid(90, 0, 1.5, 121, 240)], ids=str)
def test_the_network_sees_one_tile_at_a_time(grid, network):
    shapes = []
    hook = network.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape))
    sharpen(scene_of(grid), network)
    hook.remove()
    widest = INNER + 2 * OVERLAP
    assert all(batch == 1 and rows <= widest and columns <= widest for batch, rows, columns in shapes)
    assert len(shapes) == -(-grid.rows // INNER) * -(-grid.columns // INNER)


@pytest.mark.parametrize(("at_once", "batches"), [(2, [2, 1, 2, 1]), (3, [3, 3]), (50, [3, 3])])
def test_tiles_together_are_as_tiles_alone(at_once, batches, network):
    """The globe has two rows of three tiles, one of them a cell higher than the other: those are never together."""
    scene, found = scene_of(GLOBE), []
    hook = network.register_forward_pre_hook(lambda _, inputs: found.append(len(inputs[0])))
    together = sharpen(scene, network, at_once)
    hook.remove()
    assert found == batches
    np.testing.assert_allclose(together, sharpen(scene, network), rtol=1e-5)


def test_threads_do_not_change_the_result(network):
    before, scene, results = torch.get_num_threads(), scene_of(BOX), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(fine_of(scene, network))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_another_factor_is_refused(network):
    with pytest.raises(InputError, match=r"factor 5.*--method fast"):
        sharpen(Scene(np.ones(BOX.shape, np.float32), BOX, 5, EPSILON), network)


def patch():
    """A fine field (1, 9, 12, 12) of thin plumes, its coarse means, and the shares of a cell's rows of fine cells."""
    rows, columns = np.mgrid[:36, :36]
    values = 5 + 60 * np.exp(-(((columns - 18 - 8 * np.sin(rows / 5)) / 2.5) ** 2))
    fine = functional.pixel_unshuffle(torch.from_numpy(values.astype(np.float32))[None, None], 3)
    return fine, fine.mean(dim=1), torch.full((1, 12, 3), 1 / 3)


def loss_of(network):
    fine, coarse, shares = patch()
    found = as_channels(distribute(coarse, as_blocks(network(coarse)), shares))
    return (torch.log(found) - torch.log(fine)).abs().mean()


def trained(steps):
    torch.manual_seed(0)
    network = ABPN(SMALL)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        loss_of(network).backward()
        optimiser.step()
    return network


def test_it_learns_one_patch_by_heart():
    cubic, learned = (loss_of(network).item() for network in (ABPN(SMALL), trained(150)))
    assert learned < cubic / 3


def test_every_parameter_learns():
    network = trained(2)
    network.zero_grad()
    loss_of(network).backward()
    assert [name for name, one in network.named_parameters() if not one.grad.any()] == []


def test_the_default_is_as_large_as_the_papers():
    """1.801 million parameters and 60.4 GFLOP of convolutions for 120 x 120 cells, which is nine times 40 x 40."""
    network = ABPN(Architecture())
    assert sum(one.numel() for one in network.parameters()) == pytest.approx(1.801e6, rel=0.2)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.rand(1, 40, 40))
    convolutions = counter.get_flop_counts()["Global"][torch.ops.aten.convolution]
    assert 9 * convolutions == pytest.approx(60.4e9, rel=0.2)


def test_weights_come_back(tmp_path, network):
    path = tmp_path / "abpn.safetensors"
    write_weights(path, network.state_dict(), {"kind": "abpn", "architecture": asdict(SMALL)})
    assert load(path).architecture == SMALL
    scene = scene_of(BOX)
    np.testing.assert_array_equal(fine_of(scene, load(path)), fine_of(scene, network))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "no architecture"),
        ({"kind": "correction", "architecture": asdict(SMALL)}, "of the kind 'correction'; wanted 'abpn'"),
        ({"architecture": {"channels": 8, "blocks": 2}}, "blocks"),
        ({"architecture": {"channels": 16, "stages": 2}}, "has shape"),
        ({"architecture": {"channels": 8, "stages": 3}}, "no tensor 'stages.2"),
    ],
)
def test_weights_of_another_architecture_are_refused(tmp_path, network, metadata, words):
    path = tmp_path / "abpn.safetensors"
    write_weights(path, network.state_dict(), {"kind": "abpn"} | metadata)
    with pytest.raises(InputError, match=words):
        load(path)
