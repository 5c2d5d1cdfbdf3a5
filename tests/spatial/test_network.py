from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.weights import write_weights
from deepcams.spatial import SPATIAL
from deepcams.spatial.network import Architecture, SpatialNetwork, load, sharpen
from deepcams.spatial.scene import Neighbour, Scene
from deepcams.sphere import as_blocks, as_channels, from_blocks
from deepcams.weights import CORRECTION_WEIGHTS

GLOBE = Grid(90, 0, 3.0, 61, 120)
BOX = Grid(40, 10, 0.75, 24, 30)
SMALL = Architecture(channels=16, blocks=2)


@pytest.fixture(scope="module")
def network():
    """A network whose corrections are large and know nothing."""
    torch.manual_seed(3)
    one = SpatialNetwork(SMALL)
    torch.nn.init.normal_(one.head.weight, std=0.3)
    torch.nn.init.normal_(one.head.bias, std=0.3)
    return one.eval().requires_grad_(False)


def scene_of(grid, neighbours=2, seed=0, gain=1.0):
    """Smooth fields at three times that move eastwards."""
    rows, columns = np.mgrid[: grid.rows, : grid.columns]
    generator = np.random.default_rng(seed)
    waves = generator.normal(size=(8, 4))

    def field(moved):
        turn = 2 * np.pi / grid.columns
        parts = [a * np.cos(k * turn * (columns - moved) * (1 + i % 5) + b * rows / 9 + c)
                 for i, (a, k, b, c) in enumerate(np.round(waves, 1) * [1, 0, 1, 1] + [0, 1, 0, 0])]  # fmt: skip
        values = gain * np.exp(np.sum(parts, axis=0) / 2 + 1)
        if grid.north_pole:
            values[0], values[-1] = values[0].mean(), values[-1].mean()
        return values.astype(np.float32)

    beside = (Neighbour(field(-0.4), -3.0), Neighbour(field(0.4), 3.0))[:neighbours]
    return Scene(field(0), grid, 3, 0.05, beside)


def fine_of(scene, network):
    return from_blocks(sharpen(scene, network), scene.grid)


def test_channels_and_blocks_are_the_same_cells():
    blocks = torch.randn(2, 5, 3, 7, 3)
    torch.testing.assert_close(as_blocks(as_channels(blocks)), blocks)


@pytest.mark.parametrize("grid", [GLOBE, BOX], ids=["globe", "box"])
@pytest.mark.parametrize("neighbours", [0, 1, 2])
def test_a_new_network_is_lcbp(grid, neighbours):
    scene = scene_of(grid, neighbours)
    fine = fine_of(scene, SpatialNetwork(SMALL).requires_grad_(False))
    np.testing.assert_allclose(fine, from_blocks(SPATIAL["lcbp"].sharpen(scene), grid), rtol=2e-5)


@pytest.mark.parametrize("grid", [GLOBE, BOX], ids=["globe", "box"])
def test_promises_hold_whatever_the_weights(grid, network):
    scene = scene_of(grid)
    scene.coarse[5:8, 5:8] = 0
    fine = fine_of(scene, network)
    assert fine.dtype == np.float32
    assert (fine >= 0).all()
    np.testing.assert_allclose(area_mean(fine.astype(np.float64), grid), scene.coarse, rtol=2e-6, atol=1e-12)
    if grid.north_pole:
        assert np.ptp(fine[0]) == np.ptp(fine[-1]) == 0


def test_a_constant_stays_constant(network):
    constant = np.full(GLOBE.shape, 12.5, np.float32)
    scene = Scene(constant, GLOBE, 3, 0.05, (Neighbour(constant, 3.0),))
    np.testing.assert_allclose(fine_of(scene, network), 12.5, rtol=1e-5)


@pytest.mark.parametrize("shift", [1, 24, 37])
def test_turning_the_globe_turns_the_result(shift, network):
    scene = scene_of(GLOBE)
    beside = tuple(Neighbour(np.roll(one.coarse, shift, 1), one.hours) for one in scene.neighbours)
    turned = Scene(np.roll(scene.coarse, shift, 1), GLOBE, 3, 0.05, beside)
    np.testing.assert_allclose(fine_of(turned, network), np.roll(fine_of(scene, network), 3 * shift, 1), rtol=3e-4)


def test_doubling_doubles_but_for_epsilon(network):
    one, two = (fine_of(scene_of(GLOBE, gain=gain), network) for gain in (1e5, 2e5))
    np.testing.assert_allclose(two, 2 * one, rtol=2e-2)


def test_the_far_side_of_a_pole_is_seen(network):
    """What stands on the opposite meridian counts as its neighbour does, with its fine rows the other way round."""
    scene = scene_of(GLOBE)
    turned = Scene(np.roll(scene.coarse, 60, 1), GLOBE, 3, 0.05)
    alone = Scene(scene.coarse, GLOBE, 3, 0.05)
    np.testing.assert_allclose(fine_of(turned, network), np.roll(fine_of(alone, network), 180, 1), rtol=2e-4)


def test_neighbours_are_seen_and_their_order_is_not(network):
    scene = scene_of(GLOBE)
    swapped = Scene(scene.coarse, GLOBE, 3, 0.05, scene.neighbours[::-1])
    alone = Scene(scene.coarse, GLOBE, 3, 0.05)
    np.testing.assert_allclose(fine_of(swapped, network), fine_of(scene, network), rtol=1e-5)
    assert np.abs(fine_of(scene, network) / fine_of(alone, network) - 1).max() > 0.01


def test_threads_do_not_change_the_result(network):
    before = torch.get_num_threads()
    scene = scene_of(GLOBE)
    try:
        results = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(fine_of(scene, network))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_another_factor_is_refused(network):
    with pytest.raises(InputError, match=r"factor 5.*--method fast"):
        sharpen(Scene(np.ones(BOX.shape, np.float32), BOX, 5, 0.05), network)


def test_weights_come_back(tmp_path, network):
    path = tmp_path / "spatial.safetensors"
    write_weights(path, network.state_dict(), {"architecture": asdict(SMALL)})
    scene = scene_of(BOX)
    np.testing.assert_array_equal(fine_of(scene, load(path)), fine_of(scene, network))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "no architecture"),
        ({"architecture": {"heads": 8}}, "heads"),
        ({"architecture": {"channels": 32, "blocks": 2}}, "tensor 'stem.weight' has shape"),
        ({"architecture": {"channels": 16, "blocks": 3}}, "no tensor 'blocks.2"),
    ],
)
def test_weights_of_another_architecture_are_refused(tmp_path, network, metadata, words):
    path = tmp_path / "spatial.safetensors"
    write_weights(path, network.state_dict(), metadata)
    with pytest.raises(InputError, match=words):
        load(path)


def test_the_shipped_weights_load():
    assert load(CORRECTION_WEIGHTS).architecture.channels % 16 == 0
