from __future__ import annotations

import itertools
import math

import pytest
import torch

from deepcams.layers.warp import splat, warp


def moved_by(east, south, shape):
    u = torch.empty(shape[0], 2, *shape[-2:])
    u[:, 0], u[:, 1] = east, south
    return u


@pytest.fixture
def field():
    return torch.rand(2, 3, 6, 9, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def flow():
    return 3 * torch.randn(2, 2, 6, 9, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("wraps", [False, True])
def test_no_displacement_gives_the_field_back(field, wraps):
    torch.testing.assert_close(warp(field, moved_by(0, 0, field.shape), wraps=wraps), field, rtol=0, atol=0)


def test_whole_nodes_fetch_nodes(field):
    moved = warp(field, moved_by(2, -1, field.shape))
    torch.testing.assert_close(moved[..., 1:, :-2], field[..., :-1, 2:], rtol=0, atol=0)
    torch.testing.assert_close(moved[..., 1:, -2:], field[..., :-1, -1:].expand(-1, -1, -1, 2), rtol=0, atol=0)
    around = warp(field, moved_by(2, 0, field.shape), wraps=True)
    torch.testing.assert_close(around, field.roll(-2, -1), rtol=0, atol=0)


def test_it_is_the_usual_bilinear_warp(field, flow):
    rows, columns = field.shape[-2:]
    x = torch.arange(columns) + flow[:, 0]
    y = torch.arange(rows)[:, None] + flow[:, 1]
    grid = torch.stack([2 * x / (columns - 1) - 1, 2 * y / (rows - 1) - 1], dim=-1)
    usual = torch.nn.functional.grid_sample(field, grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(warp(field, flow), usual, rtol=1e-4, atol=1e-5)


def test_turning_the_globe_turns_both(field, flow):
    for way in (warp, splat):
        turned = way(field.roll(4, -1), flow.roll(4, -1), wraps=True)
        torch.testing.assert_close(turned, way(field, flow, wraps=True).roll(4, -1), rtol=1e-6, atol=1e-6)


def test_a_warp_keeps_within_the_values_and_a_constant(field, flow):
    moved = warp(field, 1e6 * flow)
    assert field.min() <= moved.min() <= moved.max() <= field.max()
    torch.testing.assert_close(warp(torch.full_like(field, 0.1), flow), torch.full_like(field, 0.1), rtol=0, atol=0)


@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("way", [warp, splat])
def test_gradients(way, wraps):
    generator = torch.Generator().manual_seed(3)
    values = torch.rand(1, 2, 3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    u = (2 * torch.rand(1, 2, 3, 4, dtype=torch.float64, generator=generator) - 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda field, flow: way(field, flow, wraps=wraps), (values, u))


def spline(distance):
    """The quadratic B-spline, as the textbook has it."""
    away = abs(distance)
    if away >= 1.5:
        return 0.0
    return 0.75 - away**2 if away < 0.5 else (1.5 - away) ** 2 / 2


@pytest.mark.parametrize("wraps", [False, True])
def test_a_splat_is_what_a_loop_throws(field, flow, wraps):
    rows, columns = field.shape[-2:]
    expected = torch.zeros_like(field)
    for b, y, x in itertools.product(range(2), range(rows), range(columns)):
        to_x, to_y = x + flow[b, 0, y, x].item(), y + flow[b, 1, y, x].item()
        for j, i in itertools.product(range(rows), range(math.floor(to_x) - 3, math.ceil(to_x) + 4)):
            if wraps or 0 <= i < columns:
                expected[b, :, j, i % columns] += field[b, :, y, x] * spline(to_x - i) * spline(to_y - j)
    torch.testing.assert_close(splat(field, flow, wraps=wraps), expected)


def test_a_splat_loses_nothing_within_the_edges(field):
    thrown = torch.nn.functional.pad(field, (4, 4, 4, 4))
    u = 2 * torch.rand(2, 2, 14, 17, generator=torch.Generator().manual_seed(5)) - 1
    torch.testing.assert_close(splat(thrown, u).sum((2, 3)), field.sum((2, 3)))


def test_a_splat_has_no_jump_where_the_nearest_node_changes(field):
    near, far = (splat(field, moved_by(0.5 + step, 0, field.shape)) for step in (-1e-5, 1e-5))
    torch.testing.assert_close(near, far, rtol=1e-3, atol=1e-4)
