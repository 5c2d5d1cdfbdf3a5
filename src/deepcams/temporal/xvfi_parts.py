"""The parts that XVFI is made of: what extracts features, what corrects flows, what refines them at full size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deepcams.layers.blocks import Chain, Convolution, ResidualBlock, enlarge

_SMALL = 0.005  # gain of last layers: a new network is nearly linear interpolation, and all of it learns from the start


class Extractor(nn.Module):
    """Features of one image.

    Args:
        width: their number.
        scale: how many times fewer rows and columns they have; a power of two.
    """

    def __init__(self, width: int, scale: int) -> None:
        super().__init__()
        halvings = range(scale.bit_length() - 1)
        self.halve = Chain(Convolution(width if number else 1, width, halves=True) for number in halvings)
        self.blocks = nn.ModuleList(ResidualBlock(width) for _ in range(2))

    def forward(self, image: Tensor, wraps: bool) -> Tensor:
        """(batch, width, rows / scale, columns / scale) of (batch, 1, rows, columns)."""
        hidden: Tensor = self.halve(image, wraps)
        for block in self.blocks:
            hidden = block(hidden, wraps)
        return hidden


class FlowNet(nn.Module):
    """The paper's auto-encoder of flows: once halved, and back to the size of the input.

    Args:
        inputs: channels.
        outputs: channels.
        width: channels of the hidden layers; four times as many where they are smallest.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.first = Chain([Convolution(inputs, width)])
        self.deep = Chain(
            [
                Convolution(width, 2 * width, halves=True),
                Convolution(2 * width, 4 * width),
                Convolution(4 * width, 4 * width),
                Convolution(4 * width, 2 * width),
            ]
        )
        self.last = Chain([Convolution(3 * width, width)])
        self.head = Convolution(width, outputs, gain=_SMALL)

    def forward(self, inputs: Tensor, wraps: bool) -> Tensor:
        """(batch, outputs, rows, columns) in float32 of (batch, inputs, rows, columns), both even."""
        shallow = self.first(inputs, wraps)
        deep = enlarge(self.deep(shallow, wraps), 2, wraps=wraps)
        output: Tensor = self.head(self.last(torch.cat([deep, shallow], dim=1), wraps), wraps)
        return output.float()


class Refinement(nn.Module):
    """The paper's U-Net at full size: three times halved, and back.

    Args:
        inputs: channels.
        outputs: channels.
        width: channels of the hidden layers; four times as many where they are smallest.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            Chain([Convolution(before, after, halves=True)])
            for before, after in ((inputs, width), (width, 2 * width), (2 * width, 4 * width))
        )
        self.deep = Chain([Convolution(4 * width, 4 * width)])
        self.up = nn.ModuleList([Chain([Convolution(6 * width, 2 * width)]), Chain([Convolution(3 * width, width)])])
        self.head = Convolution(width, outputs, gain=_SMALL)

    def forward(self, inputs: Tensor, wraps: bool) -> Tensor:
        """(batch, outputs, rows, columns) in float32 of (batch, inputs, rows, columns), both multiples of 8."""
        half = self.down[0](inputs, wraps)
        quarter = self.down[1](half, wraps)
        hidden = self.deep(self.down[2](quarter, wraps), wraps)
        for larger, up in zip((quarter, half), self.up, strict=True):
            hidden = up(torch.cat([enlarge(hidden, 2, wraps=wraps), larger], dim=1), wraps)
        output: Tensor = self.head(enlarge(hidden, 2, wraps=wraps), wraps)
        return output.float()
