"""The loss: numbers derived by hand, and what it must not depend on."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.training.losses import EDGES, Scale, coarser, relative, smoothness
from deepcams.units import EPSILON


def fields(seed, batch=2, rows=3, columns=4):
    random = torch.Generator().manual_seed(seed)
    shape = (batch, 9, rows, columns)
    prediction, target, weights = (50 * torch.rand(shape, generator=random, dtype=torch.float64) for _ in range(3))
    return prediction, target, 30 * torch.rand((batch, rows, columns), generator=random, dtype=torch.float64), weights


def test_a_number_by_hand():
    coarse = torch.tensor([[[3.0, 8.0]]])
    target = torch.zeros(1, 9, 1, 2)
    prediction = torch.tensor([4.0, -6.0]).expand(1, 9, 1, 2)
    # 4 / (3 + 1) + 0.5 * 1^2 = 1.5;  6 / (8 + 1) + 0.5 * (2 / 3)^2 = 8 / 9
    assert float(relative(prediction, target, coarse, torch.ones(1, 9, 1, 2), square=0.5)) == pytest.approx(
        (1.5 + 8 / 9) / 2
    )


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_properties(seed, factor):
    prediction, target, coarse, weights = fields(seed)
    loss = relative(prediction, target, coarse, weights)
    assert loss >= 0
    assert relative(target, target, coarse, weights) == 0
    torch.testing.assert_close(relative(target, prediction, coarse, weights), loss)
    torch.testing.assert_close(relative(prediction, target, coarse, factor * weights), loss)
    assert relative(prediction, target, coarse + 1, weights) <= loss


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_parts_of_a_batch_add_up(seed):
    all_of_it = fields(seed, batch=5)
    total = all_of_it[3].sum()
    parts = [relative(*(one[rank::2] for one in all_of_it), total=total) for rank in range(2)]
    torch.testing.assert_close(sum(parts), relative(*all_of_it))


def test_what_has_no_weight_does_not_count():
    prediction, target, coarse, weights = fields(0)
    weights[:, :, 0] = 0
    loss = relative(prediction, target, coarse, weights)
    prediction[:, :, 0] = 1e6
    assert relative(prediction, target, coarse, weights) == loss


def test_what_is_coarser_is_means_of_what_is_known():
    fine = Scale(*(torch.arange(1.0, 17.0).reshape(1, 4, 4) for _ in range(2)), torch.ones(1, 4, 4))
    fine.weights[0, 0, 0] = 0
    coarse = coarser(fine, 2)
    torch.testing.assert_close(coarse.target, torch.tensor([[[3.5, 5.5], [11.5, 13.5]]]))
    torch.testing.assert_close(coarse.given, coarse.target)
    torch.testing.assert_close(coarse.weights, torch.tensor([[[0.0, 1.0], [1.0, 1.0]]]))
    assert coarser(fine, 1) is fine
    whole = Scale(fine.target, fine.given, torch.rand(1, 4, 4) + 0.1)
    torch.testing.assert_close(coarser(whole, 4).weights.sum() * 16, whole.weights.sum())


def test_smoothness_by_hand():
    field, flow, weights = torch.full((1, 2, 2), 5.0), torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2)
    flow[0, 0, :, 1] = 3.0  # two differences of 3 across columns, none across rows, among four nodes
    assert float(smoothness(field, flow, weights)) == pytest.approx(6 / 4)
    weights[0, 0, 1] = 0.5  # so counts the difference that it is part of
    assert float(smoothness(field, flow, weights, total=2.0)) == pytest.approx((1.5 + 3) / 2)
    field[0, :, 1] = (5 + EPSILON) * torch.e**0.1 - EPSILON
    edge = float(torch.exp(torch.tensor(-0.1 * EDGES)))
    assert float(smoothness(field, flow, weights, total=2.0)) == pytest.approx(edge * 2.25, rel=1e-4)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_smoothness_of_parts_adds_up_and_knows_no_unit(seed):
    random = torch.Generator().manual_seed(seed)
    field, weights = (1e4 * torch.rand(5, 6, 7, generator=random, dtype=torch.float64) + 1e3 for _ in range(2))
    flow = torch.randn(5, 2, 6, 7, generator=random, dtype=torch.float64)
    whole = smoothness(field, flow, weights)
    parts = [smoothness(field[r::2], flow[r::2], weights[r::2], total=weights.sum()) for r in range(2)]
    torch.testing.assert_close(sum(parts), whole)
    torch.testing.assert_close(smoothness(2 * field, flow, weights), whole, rtol=1e-2, atol=0)
    assert smoothness(field, torch.ones_like(flow), weights) == 0
