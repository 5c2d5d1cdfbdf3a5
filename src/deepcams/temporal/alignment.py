"""Ways to bring the features of both ends of an interval to where things are at a time between: a dict by name."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from deepcams.layers.deformable import DeformableAlignment
from deepcams.layers.warp import warp

Ends = tuple[Tensor, Tensor]  # of the earlier and of the later end, (batch, channels, rows, columns) each

_GROUPS = 8  # of channels, at most, each displaced by itself
_REACH = 2.0  # nodes of the features: the flow knows the way, what is learned beside it should be small


def carried(ends: Ends, flows: Tensor, *, wraps: bool) -> Ends:
    """Both ends, each fetched by its own flow.

    Args:
        ends: fields or features.
        flows: (batch, 4, rows, columns) to the earlier and to the later end, eastwards and southwards, in nodes.
        wraps: whether the columns go all around. Other edges are replicated.
    """
    before, after = ends
    return warp(before, flows[:, :2], wraps=wraps), warp(after, flows[:, 2:], wraps=wraps)


class ByFlow(nn.Module):
    """Features are fetched by the flow, as in the paper."""

    def forward(self, ends: Ends, flows: Tensor, wraps: bool) -> Ends:
        """Both ends' features at the time that the flows start from; arguments as for :func:`carried`."""
        return carried(ends, flows, wraps=wraps)


class ByDeformableConvolution(nn.Module):
    """Features are fetched by a deformable convolution around where the flow points, one and the same for both ends.

    Its offsets are predicted from both ends as the flow carries them, which ought to agree. It begins as the flow alone.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.align = DeformableAlignment(channels, math.gcd(channels, _GROUPS), reach=_REACH)

    def forward(self, ends: Ends, flows: Tensor, wraps: bool) -> Ends:
        """Both ends' features at the time that the flows start from; arguments as for :func:`carried`."""
        first, last = carried(ends, flows, wraps=wraps)
        before: Tensor = self.align(last, ends[0], flows[:, :2], wraps=wraps)
        after: Tensor = self.align(first, ends[1], flows[:, 2:], wraps=wraps)
        return before, after


ALIGNMENTS: dict[str, Callable[[int], nn.Module]] = {
    "flow": lambda channels: ByFlow(),
    "deformable": ByDeformableConvolution,
}
