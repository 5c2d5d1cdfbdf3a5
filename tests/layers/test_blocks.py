from __future__ import annotations

import pytest
import torch

from deepcams.layers.blocks import Convolution, ResidualBlock, enlarge, local_mean, widen


@pytest.fixture
def field():
    return torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(1))


def test_columns_go_around_or_are_replicated(field):
    around, replicated = (widen(field, 2, wraps=wraps) for wraps in (True, False))
    torch.testing.assert_close(around[..., 2:-2, :2], field[..., -2:])
    torch.testing.assert_close(replicated[..., 2:-2, :2], field[..., :1].expand(-1, -1, -1, 2))
    for wide in (around, replicated):
        torch.testing.assert_close(wide[..., 2:-2, 2:-2], field)
        torch.testing.assert_close(wide[..., 0, 2:-2], field[..., 0, :])


@pytest.mark.parametrize(
    "layer",
    [
        lambda one, **wraps: local_mean(one, 2, **wraps),
        lambda one, **wraps: enlarge(one, 2, **wraps),
        Convolution(3, 4),
        Convolution(3, 4, halves=True),
        ResidualBlock(3),
    ],
    ids=["local mean", "enlarge", "convolution", "halving", "residual"],
)
def test_turning_the_globe_turns_the_result(layer, field):
    straight, turned = layer(field, wraps=True), layer(field.roll(2, -1), wraps=True)
    shift = 2 * straight.shape[-1] // field.shape[-1]
    torch.testing.assert_close(turned, straight.roll(shift, -1))


def test_a_constant_passes_means_and_enlargement(field):
    constant = torch.full_like(field, 0.3)
    for wraps in (False, True):
        torch.testing.assert_close(local_mean(constant, 2, wraps=wraps), constant)
        assert enlarge(constant, 4, wraps=wraps).shape == (2, 3, 24, 32)
        torch.testing.assert_close(enlarge(constant, 4, wraps=wraps)[..., :6, :8], constant)


def test_an_enlarged_field_has_the_field_as_its_means():
    """Inside, where the field is a plane: fine nodes lie around the middle of the coarse one."""
    plane = torch.arange(8.0).expand(1, 1, 6, 8)
    means = torch.nn.functional.avg_pool2d(enlarge(plane, 2, wraps=False), 2)
    torch.testing.assert_close(means[..., 1:-1], plane[..., 1:-1])


def test_sizes_are_halved():
    assert Convolution(3, 4, halves=True)(torch.rand(1, 3, 6, 8)).shape == (1, 4, 3, 4)
