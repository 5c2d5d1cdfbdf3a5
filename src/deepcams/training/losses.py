"""Losses: pure functions of predictions and targets."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1.0  # ug m-3, about the median over the oceans: in cleaner air errors count as in air of this concentration
SQUARE = 0.2  # share of the squared term: enough to keep peaks, too little for a few fires to decide everything


def relative(prediction: Tensor, target: Tensor, coarse: Tensor, weights: Tensor, *, square: float = SQUARE,
             total: Tensor | float | None = None) -> Tensor:  # fmt: skip
    """Weighted mean of |r| + square * r^2, with r = e / (C + 1), e the error and C the coarse concentration.

    The network knows ratios only, and what it has to learn is the same in clean and in polluted air: relative errors let
    it learn from both alike. The first term looks for the median, as MAE does, the second for the mean, as RMSE does.
    What divides is the coarse field, which is given: the network cannot make the loss small by changing it. Other
    powers of C + 1 were tried (docs/decisions/0003-spatial-network.md).

    Args:
        prediction: (batch, 9, rows, columns), ug m-3.
        target: the truth, of the same shape, finite.
        coarse: (batch, rows, columns), ug m-3.
        weights: of the prediction's shape, not negative; zero where nothing is to be learned.
        square: factor of the squared term.
        total: what to divide by; None for the sum of ``weights``. The sum over all processes makes each one's loss its
            share of the common one.

    Returns:
        A scalar without unit.
    """
    error = (prediction - target) / (coarse + FLOOR)[:, None]
    loss = torch.abs(error) + square * error**2
    return (weights * loss).sum() / (weights.sum() if total is None else total)
