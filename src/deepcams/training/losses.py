"""Losses: pure functions of predictions and targets."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from deepcams.units import EPSILON

FLOOR = 1.0  # ug m-3, about the median over the oceans: in cleaner air errors count as in air of this concentration
SQUARE = 0.2  # share of the squared term: enough to keep peaks, too little for a few fires to decide everything
EDGES = 16.0  # per unit of the logarithm: how soon a flow may break off where the field does


def relative(prediction: Tensor, target: Tensor, coarse: Tensor, weights: Tensor, *, square: float = SQUARE,
             total: Tensor | float | None = None) -> Tensor:  # fmt: skip
    """Weighted mean of |r| + square * r^2, with r = e / (C + 1), e the error and C the coarse concentration.

    The network knows ratios only, and what it has to learn is the same in clean and in polluted air: relative errors let
    it learn from both alike. The first term looks for the median, as MAE does, the second for the mean, as RMSE does.
    What divides is the coarse field, which is given: the network cannot make the loss small by changing it. Other
    powers of C + 1 were tried (docs/decisions/0003-spatial-network.md).

    Args:
        prediction: (batch, channels, rows, columns), ug m-3.
        target: the truth, of the same shape, finite.
        coarse: (batch, rows, columns), ug m-3: what is given.
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


class Scale(NamedTuple):
    """What there is to learn at one scale, (batch, rows, columns) each.

    Attributes:
        target: the truth, ug m-3.
        given: what a relative error is relative to, ug m-3.
        weights: not negative.
    """

    target: Tensor
    given: Tensor
    weights: Tensor


def coarser(fine: Scale, factor: int) -> Scale:
    """The same at a scale with ``factor`` times fewer rows and columns: means.

    A cell of which a part has no weight gets none, since the mean of its truth is not known. Weights are means too, so
    that those of a scale add up to ``factor**2`` times less.
    """
    if factor == 1:
        return fine
    means = [functional.avg_pool2d(field, factor) for field in fine]
    whole = functional.avg_pool2d((fine.weights > 0).to(fine.weights.dtype), factor) == 1
    return Scale(means[0], means[1], means[2] * whole)


def smoothness(field: Tensor, flow: Tensor, weights: Tensor, *, total: Tensor | float | None = None) -> Tensor:
    """Weighted mean of exp(-e |grad log field|) |grad flow|: flows are even, but where the field is not.

    Source: Sim et al., ICCV 2021, after Jonschkowski et al., ECCV 2020. There, images lie within 0..1 and e is 150; here
    they are logarithms, of which four decades are an image's range, and e is :data:`EDGES`.

    Args:
        field: (batch, rows, columns), ug m-3, finite.
        flow: (batch, 2, rows, columns) in nodes.
        weights: (batch, rows, columns), not negative; a difference has the smaller weight of its two ends.
        total: what to divide by; None for the sum of ``weights``.
    """
    logs, loss = torch.log(field + EPSILON)[:, None], torch.zeros((), device=flow.device)
    for axis in (-2, -1):
        even = torch.exp(-EDGES * logs.diff(dim=axis).abs())
        size = weights.shape[axis] - 1
        both = torch.minimum(weights.narrow(axis, 0, size), weights.narrow(axis, 1, size))
        loss = loss + (both[:, None] * even * flow.diff(dim=axis).abs()).sum()
    return loss / (weights.sum() if total is None else total)
