"""The loss: numbers derived by hand, and what it must not depend on."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.training.losses import relative


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
