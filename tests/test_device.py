"""Whole jobs on the CPU and on a GPU: the same maps. What needs a GPU is skipped where there is none."""

from __future__ import annotations

import warnings
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from deepcams import downscale
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.methods import CUSTOM, recipe
from deepcams.spatial import abpn, network
from deepcams.temporal import xvfi
from deepcams.units import EPSILON
from deepcams.weights import ABPN_WEIGHTS, CORRECTION_WEIGHTS, DEFORMABLE_WEIGHTS, XVFI_WEIGHTS

LOADERS = {network.load: CORRECTION_WEIGHTS, abpn.load: ABPN_WEIGHTS, xvfi.load: XVFI_WEIGHTS}
CARD = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
NO_CARD = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
DEVICE = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=CARD)])
# ABPN makes rounding a thousand times as large: on a CPU too, single precision is up to 2e-4 from double.
ROUNDING = {"deepcams": 1e-4, "paper": 2e-3}
METHODS = pytest.mark.parametrize("method", ROUNDING)
BOX = Grid(50, 5, 0.75, 12, 16)


@pytest.fixture(scope="module")
def fields(sample_fields):
    """(3, 12, 16) analyses of the sample in a box."""
    return np.ascontiguousarray(sample_fields[:3, 53:65, 6:22])


@pytest.fixture
def maps(fields, cams_array):
    """Make the hours of a method on a device."""

    def make(method, device, workers=2):
        return downscale(cams_array(fields, BOX), recipe(method, device=device), workers=workers).pm2p5.values

    return make


@METHODS
@DEVICE
def test_maps_are_the_same_on_every_device(maps, method, device):
    on_cpu, found = maps(method, "cpu"), maps(method, device)
    assert found.dtype == np.float32
    if device == "cpu":
        np.testing.assert_array_equal(found, on_cpu)
    np.testing.assert_allclose(found, on_cpu, rtol=ROUNDING[method], atol=ROUNDING[method] * EPSILON)


@METHODS
@DEVICE
def test_results_do_not_depend_on_the_run_or_the_number_of_threads(maps, method, device):
    one = maps(method, device, workers=1)
    np.testing.assert_array_equal(maps(method, device, workers=1), one)
    np.testing.assert_array_equal(maps(method, device, workers=5), one)


@CARD
@pytest.mark.parametrize("time", ["xvfi", "xvfi-deformable"])
def test_nothing_on_a_card_is_left_to_chance(maps, fields, cams_array, time):
    """Torch warns where an operation has no deterministic way."""
    chosen = recipe("paper", time=time, device="cuda")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*determinis")
        first, second = (downscale(cams_array(fields, BOX), chosen).pm2p5.values for _ in range(2))
    np.testing.assert_array_equal(first, second)


@DEVICE
@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__module__)
def test_networks_are_loaded_to_their_device_once(load, device):
    one = load(LOADERS[load], device)
    assert load(LOADERS[load], device) is one
    tensors = [*one.parameters(), *one.buffers()]
    assert {tensor.device.type for tensor in tensors} == {device}
    assert not any(tensor.requires_grad for tensor in tensors)


def test_settings_name_the_device_unless_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # nothing is computed here
    for method in ("deepcams", "paper"):
        on_cpu, on_card = recipe(method), recipe(method, device="cuda")
        assert (on_cpu.device, on_card.device) == ("cpu", "cuda")
        assert "device" not in on_cpu.settings
        assert on_card.settings == on_cpu.settings | {"device": "cuda"}
        assert recipe(method, device="auto").settings == on_card.settings
        assert (on_card.name, on_card.notes) == (method, ())


def test_weights_and_parts_go_along(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    chosen = recipe("paper", time="xvfi-deformable", weights=[ABPN_WEIGHTS], device="cuda")
    assert (chosen.name, chosen.space.name, chosen.time.name) == (CUSTOM, "abpn", "xvfi-deformable")
    assert (chosen.space.device, chosen.time.device) == ("cuda", "cuda")
    assert chosen.settings["space_weights_sha256"] == recipe("paper").settings["space_weights_sha256"]
    half = recipe("deepcams", device="cuda")  # its network in time is too small for a card
    assert (half.space.device, half.time.device) == ("cuda", "cpu")


@pytest.mark.parametrize("parts", [{}, {"space": "bicubic"}, {"time": "linear"}])
def test_a_method_without_a_network_says_so_and_goes_on(parts):
    chosen = recipe("fast", **parts, device="cuda")
    assert chosen.settings == recipe("fast", **parts).settings
    assert chosen.notes == (
        f"method {chosen.name} has no network that computes on CUDA: all of it is computed by the CPU",
    )
    assert recipe("fast", **parts, device="auto").notes == recipe("fast", **parts).notes == ()


def test_a_method_whose_network_is_too_small_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    chosen = recipe("deepcams", space="lcbp", device="cuda")
    assert chosen.device == "cpu"
    assert "has no network that computes on CUDA" in chosen.notes[0]


@NO_CARD
@METHODS
def test_a_gpu_that_is_not_there(method):
    with pytest.raises(InputError, match=r"device cuda: torch .* finds no CUDA device; use --device cpu"):
        recipe(method, device="cuda")
    assert recipe(method, device="auto").settings == recipe(method).settings


def test_a_device_that_does_not_exist():
    for method in ("fast", "paper"):
        with pytest.raises(InputError, match="device 'gpu': wanted one of cpu, cuda, auto"):
            recipe(method, device="gpu")


def nothing(*shape):
    """A tensor on a device that computes nothing but shapes; what mixes it with another device's is an error."""
    return torch.empty(shape, device="meta")


@pytest.mark.parametrize(("weights", "wraps"), [(XVFI_WEIGHTS, True), (DEFORMABLE_WEIGHTS, False)])
def test_xvfi_leaves_no_tensor_behind_when_it_moves(weights, wraps):
    ends = nothing(1, 64, 96), nothing(1, 64, 96)
    found = xvfi.load(weights, "meta")(*ends, nothing(1), wraps=wraps)[-1].prediction
    assert (found.device.type, found.shape) == ("meta", (1, 64, 96))


def test_spatial_networks_leave_no_tensor_behind_when_they_move(monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *arguments, **options: nullcontext())  # which knows no such device
    views = network.Views(nothing(1, 24, 30), nothing(1, 9, 24, 30), nothing(1, 9, 24, 30))
    for load, seen in ((network.load, views), (abpn.load, views.coarse)):
        found = load(LOADERS[load], "meta")(seen)
        assert (found.device.type, found.shape) == ("meta", (1, 9, 24, 30))
