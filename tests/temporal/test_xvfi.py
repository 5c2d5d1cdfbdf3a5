from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.weights import write_weights
from deepcams.temporal.alignment import ALIGNMENTS
from deepcams.temporal.setting import Setting
from deepcams.temporal.xvfi import XVFI, Architecture, between, load, share_of_the_later

SMALL = Architecture(features=16, module_scale=4, scales=2)
GLOBE = Grid(90, 0, 2.8125, 65, 128)  # the columns are a multiple of the unit, 16
ODD = Grid(90, 0, 3.0, 61, 120)  # and here they are not
BOX = Grid(40, 10, 0.75, 24, 30)
THIRDS = [1 / 3, 2 / 3]


def network_of(alignment="flow", large=True):
    """A network that knows nothing and, if large, changes much."""
    torch.manual_seed(3)
    one = XVFI(replace(SMALL, alignment=alignment))
    if large:
        with torch.no_grad():
            for part in (one.ends, one.middle, one.refine):
                part.head.weight *= 30
                part.head.bias.normal_(std=0.1)
            for name, parameter in one.align.named_parameters():
                if "fetch" in name:
                    parameter += 0.05 * torch.randn_like(parameter)
    return one.eval().requires_grad_(False)


@pytest.fixture(scope="module", params=ALIGNMENTS)
def network(request):
    return network_of(request.param)


def plumes(size, east=0.0):
    """(size, size) Gaussian plumes that stand so many nodes farther east, and half as many farther north."""
    y, x = torch.meshgrid(torch.arange(float(size)), torch.arange(float(size)), indexing="ij")
    generator = torch.Generator().manual_seed(1)
    column, row, peak, width = torch.rand(4, 8, 1, 1, generator=generator) * torch.tensor(
        [size, size, 60.0, 3.0]
    ).reshape(4, 1, 1, 1) + torch.tensor([0, 0, 10.0, 2.0]).reshape(4, 1, 1, 1)
    return 3 + (peak * torch.exp(-((x - column - east) ** 2 + (y - row + east / 2) ** 2) / (2 * width**2))).sum(0)


def fields_of(grid, gain=1.0):
    """A smooth field before and after its waves moved eastwards by 0.1 radians, with uniform poles."""
    waves = list(enumerate(np.random.default_rng(5).normal(size=(9, 2))))
    around, down = np.arange(grid.columns) * 2 * np.pi / grid.columns, np.arange(grid.rows)[:, None] / 7

    def field(moved):
        values = gain * np.exp(sum(np.sin(k * (around - moved) + a + b * down) for k, (a, b) in waves) / 2 + 1)
        if grid.north_pole:
            values[0], values[-1] = values[0].mean(), values[-1].mean()
        return values.astype(np.float32)

    return field(0), field(0.1)


def at_thirds(ends, grid, network):
    return between(*ends, THIRDS, Setting(grid, 3, 0.05), network)


def test_levels_go_from_coarse_to_fine(network):
    before, after = torch.rand(2, 2, 32, 48) * 20
    levels = network(before, after, torch.tensor(THIRDS))
    assert [tuple(level.prediction.shape) for level in levels] == [(2, 16, 24), (2, 32, 48)]
    for level in levels:
        for u in (level.to_before, level.to_after):
            assert u.shape == (2, 2, *level.prediction.shape[1:])


def test_sizes():
    assert Architecture().unit == 32
    assert SMALL.unit == 16
    for wrong in ({"features": 8}, {"module_scale": 3}, {"module_scale": 1}, {"scales": 0}, {"features": 0}):
        with pytest.raises(InputError, match="module scale of 2, 4, 8"):
            Architecture(**wrong)
    with pytest.raises(InputError, match="alignment 'attention': wanted one of flow, deformable"):
        Architecture(alignment="attention")


def test_the_cost_of_the_paper():
    """The original has 5.602 million numbers and takes 44.2 GFLOP for 256 x 480 nodes; ours may differ by a seventh."""
    with torch.device("meta"), torch.inference_mode():
        one = XVFI(Architecture())
        before, after = torch.empty(2, 1, 256, 480)
        with FlopCounterMode(display=False) as counter:
            one.at(one.motions(before, after)[-1], torch.empty(1))
    assert sum(parameter.numel() for parameter in one.parameters()) == pytest.approx(5.6e6, rel=0.15)
    assert counter.get_total_flops() / 1e9 == pytest.approx(44.2, rel=0.15)


def test_weights_at_one_and_two_thirds():
    """The original's "linear" had them reversed: the hour after the first analysis must be nearer to it."""
    one = XVFI(SMALL).eval().requires_grad_(False)
    for part in (one.ends, one.middle, one.refine):
        torch.nn.init.zeros_(part.head.weight)
    shape = BOX.shape
    ends = np.zeros(shape, np.float32), np.full(shape, 9, np.float32)
    first, second = at_thirds(ends, BOX, one)
    np.testing.assert_allclose(first, 3, rtol=1e-5)
    np.testing.assert_allclose(second, 6, rtol=1e-5)


def test_masks_and_time_weigh_the_ends_as_in_the_paper():
    t = torch.tensor([0.0, 1 / 3, 2 / 3, 1.0])[:, None]
    trust = torch.linspace(-5, 5, 7)
    m0 = torch.sigmoid(trust)
    torch.testing.assert_close(share_of_the_later(t, trust), t * (1 - m0) / ((1 - t) * m0 + t * (1 - m0)))


@pytest.mark.parametrize("grid", [GLOBE, ODD, BOX], ids=["globe", "odd", "box"])
def test_promises_hold_whatever_the_weights(grid, network):
    ends = fields_of(grid)
    ends[0][5:8, 5:8] = 0
    linear = [(1 - t) * ends[0] + t * ends[1] for t in THIRDS]
    for field, straight in zip(at_thirds(ends, grid, network), linear, strict=True):
        assert field.dtype == np.float32
        assert field.shape == grid.shape
        assert (field >= 0).all()
        assert np.abs(field / straight - 1).max() > 0.1
        if grid.north_pole:
            assert np.ptp(field[0]) == np.ptp(field[-1]) == 0


@pytest.mark.parametrize("grid", [GLOBE, ODD, BOX], ids=["globe", "odd", "box"])
def test_a_constant_stays_constant(grid, network):
    constant = np.full(grid.shape, 7.25, np.float32)
    for field in at_thirds((constant, constant), grid, network):
        np.testing.assert_allclose(field, 7.25, rtol=1e-5)


def test_doubling_doubles_but_for_epsilon(network):
    one, two = (at_thirds(fields_of(GLOBE, gain), GLOBE, network) for gain in (1e4, 2e4))
    np.testing.assert_allclose(two, 2 * np.array(one), rtol=5e-3)


@pytest.mark.parametrize("units", [1, 3])
def test_turning_the_globe_turns_the_result(units, network):
    ends, shift = fields_of(GLOBE), units * SMALL.unit
    turned = at_thirds([np.roll(end, shift, 1) for end in ends], GLOBE, network)
    np.testing.assert_allclose(turned, np.roll(at_thirds(ends, GLOBE, network), shift, -1), rtol=2e-4)


@pytest.mark.parametrize("grid", [GLOBE, ODD], ids=["globe", "odd"])
def test_no_seam_where_the_longitudes_begin(grid, network):
    for field in at_thirds(fields_of(grid), grid, network):
        jumps = np.abs(np.diff(np.log(field), axis=1, append=np.log(field[:, :1]))).mean(axis=0)
        assert jumps[-1] < 2 * np.median(jumps)


def test_the_far_side_of_a_pole_is_seen(network):
    ends = fields_of(GLOBE)
    changed = [end.copy() for end in ends]
    for end in changed:
        end[1:4, 64:74] *= 3
    rows = slice(1, 3), slice(0, 10)
    here, there = (np.array(at_thirds(both, GLOBE, network))[:, *rows] for both in (ends, changed))
    assert np.abs(there / here - 1).max() > 1e-3


def test_half_precision_is_near(network):
    before, after, t = *torch.stack([plumes(32), plumes(32, 2.0)])[:, None], torch.tensor([0.4])
    exact = network(before, after, t)[-1]
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(before, after, t)[-1]
    assert rough.prediction.dtype == rough.to_before.dtype == torch.float32
    torch.testing.assert_close(rough.prediction, exact.prediction, rtol=0.05, atol=0.5)


def test_threads_do_not_change_the_result(network):
    threads, results = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            results.append(at_thirds(fields_of(BOX), BOX, network))
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_a_new_network_is_nearly_linear(alignment):
    one, ends = network_of(alignment, large=False), fields_of(GLOBE)
    straight = np.array([(1 - t) * ends[0] + t * ends[1] for t in THIRDS])
    assert np.abs(at_thirds(ends, GLOBE, one) / straight - 1).mean() < 0.02


@pytest.mark.parametrize("grid", [GLOBE, ODD, BOX], ids=["globe", "odd", "box"])
def test_alignments_begin_alike_and_learn_to_differ(grid):
    flow, deformable = (network_of(alignment, large=False) for alignment in ALIGNMENTS)
    for one in (flow, deformable):
        for part in (one.ends, one.middle, one.refine):
            part.head.weight *= 30
    found = [np.array(at_thirds(fields_of(grid), grid, one)) for one in (flow, deformable)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4)
    torch.nn.init.normal_(deformable.align.align.fetch.predictor.bias)
    assert np.abs(np.array(at_thirds(fields_of(grid), grid, deformable)) / found[0] - 1).max() > 1e-3


def learning(alignment, steps):
    """A network that has learned one window, and its error and that of linear interpolation."""
    torch.manual_seed(0)
    one, t = XVFI(replace(SMALL, alignment=alignment)), torch.tensor([1 / 3, 2 / 3])
    before, after = (plumes(48, east).expand(2, -1, -1) for east in (0.0, 4.0))
    truth = torch.stack([plumes(48, 4 * part.item()) for part in t])
    straight = torch.lerp(before, after, t[:, None, None])
    optimiser = torch.optim.Adam(one.parameters(), 2e-3)
    for _ in range(steps):
        levels = one(before, after, t)
        pooled = (torch.nn.functional.avg_pool2d(truth, factor) for factor in (2, 1))
        loss = sum((level.prediction - wanted).abs().mean() for level, wanted in zip(levels, pooled, strict=True))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    error = (levels[-1].prediction.detach() - truth).abs().mean()
    return one, error, (straight - truth).abs().mean()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_every_parameter_learns(alignment):
    """In the second step at the latest: what leads to the offsets learns as soon as they are not zero."""
    one = learning(alignment, steps=2)[0]
    assert [name for name, one in one.named_parameters() if one.grad is None or not one.grad.abs().sum()] == []


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_it_learns_how_one_window_moves(alignment):
    _, error, straight = learning(alignment, steps=45)
    assert error < 0.25 * straight


def test_weights_come_back(tmp_path, network):
    path = tmp_path / "temporal.safetensors"
    write_weights(path, network.state_dict(), {"kind": "xvfi", "architecture": asdict(network.architecture)})
    np.testing.assert_array_equal(at_thirds(fields_of(BOX), BOX, load(path)), at_thirds(fields_of(BOX), BOX, network))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "no architecture"),
        ({"architecture": {"heads": 8}}, "heads"),
        ({"kind": "abpn", "architecture": asdict(SMALL)}, "of the kind 'abpn'; wanted 'xvfi'"),
        ({"architecture": {"features": 32, "scales": 2}}, "has shape"),
        ({"architecture": asdict(SMALL) | {"alignment": "deformable"}}, "has no tensor 'align"),
        ({"architecture": asdict(SMALL) | {"alignment": "attention"}}, "attention"),
    ],
)
def test_weights_of_another_architecture_are_refused(tmp_path, metadata, words):
    path = tmp_path / "temporal.safetensors"
    write_weights(path, network_of().state_dict(), {"kind": "xvfi"} | metadata)
    with pytest.raises(InputError, match=words):
        load(path)
