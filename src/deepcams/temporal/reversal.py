"""Complementary flow reversal: from how both ends of an interval move to how what is between them does.

Formulas 1 and 2 of Sim, Oh and Kim (XVFI, ICCV 2021, arXiv 2103.16413). What is thrown is spread by a spline instead of a
Gaussian cut at the nearest nodes, whose jumps would make the result depend on rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from deepcams.layers.warp import splat

_NOTHING = 1e-4  # weight beside which what arrives at a node counts little: a hole's flow is zero


def reversal(flows: Tensor, trust: Tensor, t: Tensor, *, wraps: bool = False) -> Tensor:
    """The displacement in the whole interval of what is at each node at the time t (complementary flow reversal).

    Both ends' flows are thrown to the time t and averaged with the weights (1 - t) and t, their importance, and how near
    they arrive. In the paper's formulas 1 and 2 the flows from t to both ends have the same weights, so that they are
    -t and 1 - t times this one.

    Args:
        flows: (batch, 4, rows, columns) from the earlier end to the later, and back, in nodes.
        trust: (batch, 2, rows, columns) importance of either.
        t: (batch, 1, 1, 1) fraction of the interval.
        wraps: whether the columns go all around.

    Returns:
        (batch, 2, rows, columns), zero where nothing arrives.
    """
    onwards, back = flows[:, :2], flows[:, 2:]
    from_before, from_after = (1 - t) * trust[:, :1], t * trust[:, 1:]
    arrived = splat(torch.cat([from_before * onwards, from_before], dim=1), t * onwards, wraps=wraps)
    arrived = arrived + splat(torch.cat([-from_after * back, from_after], dim=1), (1 - t) * back, wraps=wraps)
    return arrived[:, :2] / (arrived[:, 2:] + _NOTHING)
