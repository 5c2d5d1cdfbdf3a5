"""Convolutions that know whether the columns go all around the globe, and what is built of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def widen(field: Tensor, reach: int, *, wraps: bool) -> Tensor:
    """The field (batch, channels, rows, columns) with ``reach`` more nodes on every side.

    Args:
        field: at least ``reach`` columns, if they wrap.
        reach: nodes to add.
        wraps: whether the columns go all around. Other edges are replicated.
    """
    if not wraps:
        return functional.pad(field, (reach, reach, reach, reach), mode="replicate")
    around = functional.pad(field, (reach, reach, 0, 0), mode="circular")
    return functional.pad(around, (0, 0, reach, reach), mode="replicate")


def local_mean(field: Tensor, reach: int, *, wraps: bool) -> Tensor:
    """The mean over the (2 reach + 1) x (2 reach + 1) nodes around each node."""
    wide, width = widen(field, reach, wraps=wraps), 2 * reach + 1
    return functional.avg_pool2d(functional.avg_pool2d(wide, (width, 1), stride=1), (1, width), stride=1)


def enlarge(field: Tensor, factor: int, *, wraps: bool) -> Tensor:
    """Bilinear interpolation to ``factor`` times the rows and columns; each node lies amid its finer ones."""
    wide = widen(field, 1, wraps=wraps)
    fine = functional.interpolate(wide, scale_factor=factor, mode="bilinear", align_corners=False)
    return fine[..., factor:-factor, factor:-factor]


class Convolution(nn.Conv2d):
    """3 x 3 nodes to one; or, halving rows and columns, 4 x 4 to one that lies in their middle.

    Args:
        inputs: channels.
        outputs: channels.
        halves: whether rows and columns, both even, become half as many.
        gain: of the initial weights: 1 keeps the size of what passes through it and a rectifier.
    """

    def __init__(self, inputs: int, outputs: int, *, halves: bool = False, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, 4 if halves else 3, stride=2 if halves else 1)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        with torch.no_grad():
            self.weight *= gain
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, field: Tensor, wraps: bool = False) -> Tensor:
        """(batch, outputs, rows, columns), or half of both, of (batch, inputs, rows, columns)."""
        return super().forward(widen(field, 1, wraps=wraps))


class Chain(nn.ModuleList):
    """Convolutions one after the other, each with a rectifier behind it."""

    def forward(self, field: Tensor, wraps: bool = False) -> Tensor:
        """What the last of them gives."""
        for convolution in self:
            field = functional.relu(convolution(field, wraps))
        return field


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))) (He et al., CVPR 2016, as Lim et al., CVPRW 2017, without normalisation).

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Convolution(width, width)
        self.second = Convolution(width, width, gain=0.1)

    def forward(self, field: Tensor, wraps: bool = False) -> Tensor:
        """(batch, width, rows, columns), as it came."""
        changed: Tensor = self.second(functional.relu(self.first(field, wraps)), wraps)
        return field + changed
