"""Losses: pure functions of predictions and targets."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1.0  # ug m-3, about the median over the oceans: in cleaner air errors count as in air of this concentration
SQUARE = 0.02  # share of the squared term: enough to keep peaks, too little for a few fires to decide everything


def stabilised(prediction: Tensor, target: Tensor, coarse: Tensor, weights: Tensor, *, square: float = SQUARE,
               total: Tensor | float | None = None) -> Tensor:  # fmt: skip
    """Weighted mean of |e| / sqrt(C + 1) + square * e^2 / (C + 1), with e the error and C the coarse concentration.

    PM2.5 errors grow about as the square root of the concentration, so that dividing by it makes clean and polluted
    air count alike (the variance-stabilising transform of counts: Anscombe, Biometrika 35, 1948). The first term looks
    for the median, as MAE does, the second for the mean, as RMSE does. What divides is the coarse field, which is
    given: the network cannot make the loss small by changing it.

    Args:
        prediction: (batch, 9, rows, columns), ug m-3.
        target: the truth, of the same shape, finite.
        coarse: (batch, rows, columns), ug m-3.
        weights: of the prediction's shape, not negative; zero where nothing is to be learned.
        square: factor of the squared term.
        total: what to divide by; None for the sum of ``weights``. The sum over all processes makes each one's loss its
            share of the common one.

    Returns:
        A scalar, (ug m-3)^(1/2) in its first term.
    """
    scale = (coarse + FLOOR).sqrt()[:, None]
    error = (prediction - target) / scale
    # The scale enters the first term once and the second twice: |e|/s + square (e/s)^2.
    loss = torch.abs(error) + square * error**2
    return (weights * loss).sum() / (weights.sum() if total is None else total)
