from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from deepcams.layers.attention import SpatialAttention


class Largest(TorchDispatchMode):
    """Remembers how large the largest tensor is that any operation gives."""

    size = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        results = function(*args, **(kwargs or {}))
        for one in results if isinstance(results, tuple | list) else (results,):
            if isinstance(one, torch.Tensor):
                self.size = max(self.size, one.numel())
        return results


def features(channels=8, rows=5, columns=7, batch=2, layout=torch.contiguous_format, **kind):
    return torch.randn(batch, channels, rows, columns, **kind).to(memory_format=layout)


def plain(attention, first, second):
    """The matrix of all pairs of places, and its softmax."""
    batch, channels, rows, columns = first.shape
    query = torch.einsum("oc,bcij->boij", attention.query.weight, first).flatten(2)
    key, value = torch.einsum("oc,bcij->boij", attention.key_value.weight, second).flatten(2).chunk(2, dim=1)
    pairs = torch.softmax(torch.einsum("bcn,bcm->bnm", query, key) / channels**0.5, dim=-1)
    return first + torch.einsum("bnm,bcm->bcn", pairs, value).reshape(batch, channels, rows, columns)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_softmax_over_all_places(layout):
    torch.manual_seed(1)
    attention = SpatialAttention(8)
    first, second = features(layout=layout), features(layout=layout)
    torch.testing.assert_close(attention(first, second), plain(attention, first, second))


def test_gradients_are_those_of_the_plain_form():
    torch.manual_seed(1)
    attention = SpatialAttention(8).double()
    first, second = features(dtype=torch.float64), features(dtype=torch.float64)
    found = torch.autograd.grad(attention(first, second).square().sum(), attention.parameters())
    wanted = torch.autograd.grad(plain(attention, first, second).square().sum(), attention.parameters())
    torch.testing.assert_close(found, wanted)


def test_where_nothing_is_there_comes_nothing():
    zero = torch.zeros(1, 8, 4, 4)
    assert not SpatialAttention(8)(zero, zero).any()


def test_places_have_no_order():
    torch.manual_seed(1)
    attention, first, second = SpatialAttention(8), features(), features()
    turned = attention(first.flip(-1), second.flip(-1))
    torch.testing.assert_close(turned, attention(first, second).flip(-1))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("training", [False, True])
def test_no_matrix_of_all_pairs_is_made(layout, training):
    attention, (rows, columns) = SpatialAttention(8), (48, 48)
    first = features(rows=rows, columns=columns, batch=1, layout=layout).requires_grad_(training)
    with Largest() as largest:
        result = attention(first, first)
        if training:
            result.sum().backward()
    assert largest.size <= 4 * first.numel() < (rows * columns) ** 2 / 50
