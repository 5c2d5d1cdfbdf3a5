"""Modulated deformable convolution, and alignment by it, in plain torch: every tap looks where it is told to.

A convolution has its taps at fixed places. A deformable one (DCNv2: Zhu et al., CVPR 2019, arXiv 1811.11168) adds to each
place an offset of its own, fetches the value there linearly, and weighs it with a mask, both predicted from features.
Between two analyses such offsets are a motion that the network finds itself: several at once for every node, and apart
for groups of channels, where a flow has only one (TDAN: Tian et al., CVPR 2020; EDVR: Wang et al., CVPR Workshops 2019).

Beyond the edges the operator has zeros, as others have it. The blocks made of it do as all blocks here
(:mod:`deepcams.layers.blocks`): columns that go all around the globe wrap, however far a tap is displaced, and other edges
are replicated, so that even features stay even.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from deepcams.errors import InputError
from deepcams.layers.blocks import Chain, Convolution
from deepcams.layers.warp import warp

Pair = int | tuple[int, int]  # one number for rows and columns, or one for each

REACH = 8.0  # pixels: the default limit of learned offsets
_FULL = 2.0  # times the sigmoid: a mask that begins at one


def deform_conv2d(
    features: Tensor,
    offsets: Tensor,
    weight: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    wraps: bool | None = None,
) -> Tensor:
    """Convolve features, with every tap displaced by its own offset and weighed by its own mask.

    The arguments are laid out as those of ``torchvision.ops.deform_conv2d``, and so is the result. It can be
    differentiated by all of them, once; at whole pixels, where an offset has a kink, from its greater side. Memory grows
    by one tap and not by all: the gradient fetches again what it needs, as the CUDA operators do.

    Args:
        features: (batch, in, rows, columns).
        offsets: (batch, 2 groups k_h k_w, out_rows, out_columns) in pixels: for each offset group, for each tap from
            north to south and from west to east, southwards and then eastwards. An offset group is a share of the input
            channels.
        weight: (out, in / conv_groups, k_h, k_w); the groups of the convolution follow from its shape.
        mask: (batch, groups k_h k_w, out_rows, out_columns), in the same order; ones where not given.
        bias: (out,).
        stride: pixels between neighbours of the result.
        padding: rows and columns beyond the edges, of zeros, that the taps stand on.
        dilation: pixels between taps.
        wraps: whether the columns go all around; other edges are replicated then. Where not given, all that lies beyond
            the edges, also where ``padding`` lets taps stand, is zero.

    Returns:
        (batch, out, out_rows, out_columns).

    Raises:
        InputError: if the shapes do not fit together.
    """
    size = features.shape[2:]
    nodes, shifts = _stencil(size, weight, _pair(stride), _pair(padding), _pair(dilation))
    groups = _offset_groups(features, offsets, weight, mask, nodes)
    wide, each_offset = _widened(features, offsets, wraps), torch.unflatten(offsets, 1, (groups, -1, 2)).unbind(2)
    each_mask = [None] * len(shifts) if mask is None else torch.unflatten(mask, 1, (groups, -1)).unbind(2)
    taps = zip(shifts, each_offset, each_mask, weight.flatten(2).unbind(2), strict=True)
    result: Tensor = reduce(torch.add, (_once(wide, size, wraps, nodes, *tap) for tap in taps))
    return result if bias is None else result + bias[:, None, None]


def _once(*tap: Any) -> Tensor:
    """:func:`_tap`, done again for the gradient instead of kept for it."""
    if not torch.is_grad_enabled():  # the first checkpoint imports the compiler, which takes longer than the layer
        return _tap(*tap)
    return cast(Tensor, checkpoint(_tap, *tap, use_reentrant=False, preserve_rng_state=False))


def _tap(
    wide: Tensor,
    size: torch.Size,
    wraps: bool | None,
    nodes: Tensor,
    shift: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
) -> Tensor:
    """(batch, out, out_rows, out_columns) what one tap adds to the result.

    Args:
        wide: the features, as :func:`_widened` gives them.
        size: their rows and columns.
        wraps: what lies beyond them.
        nodes: (2, out_rows, out_columns) where the first tap stands.
        shift: (2, 1, 1) how far from there this one does.
        offset: (batch, groups, 2, out_rows, out_columns) its displacement.
        mask: (batch, groups, out_rows, out_columns) its modulation, if any.
        weight: (out, in / conv_groups) its part of the kernel.
    """
    fetched = _fetched(wide, _within(nodes + shift + offset, size, wraps))
    if mask is not None:
        fetched = fetched * mask[:, :, None]
    flat = fetched.flatten(1, 2).to(weight.dtype)
    return functional.conv2d(flat, weight[:, :, None, None], groups=flat.shape[1] // weight.shape[1])


def _fetched(wide: Tensor, positions: Tensor) -> Tensor:
    """Values at any positions, linearly between the four nodes around.

    Args:
        wide: (batch, in, ...) the features, as :func:`_widened` gives them.
        positions: (batch, groups, 2, out_rows, out_columns) southwards and eastwards from the first node, as
            :func:`_within` gives them.

    Returns:
        (batch, groups, in / groups, out_rows, out_columns).
    """
    batch, groups = positions.shape[:2]
    scaled = (2 * positions + 1) / _column_of(wide.shape[2:], positions) - 1
    grid = scaled.flip(2).movedim(2, -1).flatten(0, 1).to(wide.dtype)
    shares = torch.unflatten(wide, 1, (groups, -1)).flatten(0, 1)
    fetched = functional.grid_sample(shares, grid, padding_mode="zeros", align_corners=False)
    return torch.unflatten(fetched, 0, (batch, groups))


def _within(positions: Tensor, size: torch.Size, wraps: bool | None) -> Tensor:
    """Positions (..., 2, out_rows, out_columns) brought to where :func:`_widened` has what lies there."""
    if wraps is None:
        # Beyond one pixel from the edge all is zero. Infinity must not reach the fraction of a position.
        return positions.clamp(positions.new_tensor(-1), _column_of(size, positions))
    row, column = positions.unbind(-3)
    column = column.remainder(size[1]) if wraps else column.clamp(0, size[1] - 1)
    return torch.stack([row.clamp(0, size[0] - 1), column], -3)


def _widened(features: Tensor, offsets: Tensor, wraps: bool | None) -> Tensor:
    """The features with more in the south and east: a row and a column, unless all is zero there, and zeros.

    ``grid_sample`` wants positions as parts of the size. Of a power of two they are exact: a tap that stands on a node
    gets that node's value, and its gradient comes from a side that does not hang on rounding: the greater one, for which
    the last nodes need a neighbour. Both must be of one type; half precision, too coarse for positions, becomes single.
    """
    if wraps is not None:
        beside = functional.pad(features, (0, 1, 0, 0), mode="circular" if wraps else "replicate")
        features = functional.pad(beside, (0, 0, 0, 1), mode="replicate")
    rows, columns = ((1 << (length - 1).bit_length()) - length for length in features.shape[2:])
    precise = torch.promote_types(torch.promote_types(features.dtype, offsets.dtype), torch.float32)
    return functional.pad(features.to(precise), (0, columns, 0, rows))


def _column_of(pair: Sequence[float], like: Tensor) -> Tensor:
    """(2, 1, 1) a number for rows and one for columns."""
    return like.new_tensor(pair)[:, None, None]


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _stencil(
    size: torch.Size, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Where taps stand undisplaced: (2, out_rows, out_columns) the first of each place; (taps, 2, 1, 1) all, seen from it."""
    starts, shifts = [], []
    for length, taps, step, margin, gap in zip(size, weight.shape[2:], stride, padding, dilation, strict=True):
        count = (length + 2 * margin - gap * (taps - 1) - 1) // step + 1
        if count < 1 or taps < 1:
            raise InputError(f"{length} rows or columns with {margin} of padding: too few for {taps} taps that stand {gap} "
                             "apart; widen the features or the padding")  # fmt: skip
        starts.append(torch.arange(count, dtype=torch.float32, device=weight.device) * step - margin)
        shifts.append(torch.arange(taps, dtype=torch.float32, device=weight.device) * gap)
    nodes = torch.stack(torch.meshgrid(*starts, indexing="ij"))
    return nodes, torch.cartesian_prod(*shifts)[:, :, None, None]


def _offset_groups(features: Tensor, offsets: Tensor, weight: Tensor, mask: Tensor | None, nodes: Tensor) -> int:
    """The number of offset groups; refuses shapes that do not fit together."""
    taps = weight.shape[2] * weight.shape[3]
    groups = max(offsets.shape[1] // (2 * taps), 1)
    for channels, divisor in ((features.shape[1], groups), (features.shape[1], weight.shape[1])):
        if channels % divisor:
            raise InputError(f"{channels} input channels are not a multiple of {divisor}: wanted whole groups of channels for "
                             f"offsets of {offsets.shape[1]} channels and weights of shape {tuple(weight.shape)}")  # fmt: skip
    for name, tensor, per_tap in (("offsets", offsets, 2), ("mask", mask, 1)):
        wanted = (len(features), per_tap * groups * taps, *nodes.shape[1:])
        if tensor is not None and tensor.shape != wanted:
            raise InputError(
                f"{name} of shape {tuple(tensor.shape)}: wanted {wanted}, for {taps} taps in {groups} offset groups"
            )
    return groups


class DeformableConv(nn.Module):
    """A convolution whose taps a guide displaces and weighs; there are as many rows and columns as before.

    It begins as an ordinary convolution: its predictor is zero, so that nothing is displaced and every mask is one. (The
    paper's masks begin at one half. With twice the sigmoid, weights mean from the start what they mean in a convolution:
    an identity is one, and pretrained weights stay true.) Learned offsets stay within ``reach``, smoothly, as in Chan et
    al. (CVPR 2022): unbounded ones run away in training, and a network whose reach is known can be given what it sees.

    Args:
        inputs: channels of the features.
        outputs: channels of the result.
        kernel: taps on a side, odd.
        groups: shares of the input channels, each displaced by itself.
        guide: channels of the guide; ``inputs`` where not given.
        dilation: pixels between taps.
        reach: pixels that a tap moves at most, southwards and eastwards, from where the displacement puts it.

    Raises:
        InputError: if the kernel is even, or the channels are not whole groups.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        groups: int = 1,
        *,
        guide: int | None = None,
        dilation: int = 1,
        reach: float = REACH,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0 or inputs % groups:
            raise InputError(
                f"kernel {kernel} and {inputs} channels in {groups} groups: wanted an odd kernel and whole groups"
            )
        self.dilation, self.padding, self.reach = dilation, dilation * (kernel // 2), reach
        self.moves = 2 * groups * kernel**2  # channels of offsets; half as many of masks
        self.convolution = nn.Conv2d(inputs, outputs, kernel)  # holds the weights
        self.predictor = Convolution(inputs if guide is None else guide, self.moves * 3 // 2)
        for parameter in self.predictor.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Tensor, guide: Tensor, u: Tensor | None = None, *, wraps: bool = False) -> Tensor:
        """The convolved features.

        Args:
            features: (batch, inputs, rows, columns).
            guide: (batch, guide channels, rows, columns), from which offsets and masks are predicted.
            u: (batch, 2, rows, columns) eastwards and southwards, in pixels: added to the offset of every tap.
            wraps: whether the columns go all around. Other edges are replicated.

        Returns:
            (batch, outputs, rows, columns).
        """
        raw, masks = self.predictor(guide, wraps).tensor_split([self.moves], dim=1)
        offsets = self.reach * torch.tanh(raw / self.reach)
        if u is not None:
            offsets = offsets + u.flip(1).repeat(1, self.moves // 2, 1, 1)
        return deform_conv2d(
            features,
            offsets,
            self.convolution.weight,
            mask=_FULL * torch.sigmoid(masks),
            bias=self.convolution.bias,
            padding=self.padding,
            dilation=self.dilation,
            wraps=wraps,
        )


class DeformableAlignment(nn.Module):
    """Brings the features of another time to the places that things have in the reference.

    Offsets are predicted from both, the other already carried by a known displacement, and are added to it (flow-guided
    deformable alignment: Chan et al., BasicVSR++, CVPR 2022). The convolution begins as the identity, so that the block
    begins as a linear warp by the displacement: without one, the other's features come back.

    Args:
        channels: of the features.
        groups: shares of the channels, each displaced by itself.
        reach: pixels that a tap moves at most from where the displacement puts it.

    Raises:
        InputError: if the channels are not whole groups.
    """

    def __init__(self, channels: int, groups: int = 8, *, reach: float = REACH) -> None:
        super().__init__()
        self.compare = Chain([Convolution(2 * channels, channels), Convolution(channels, channels)])
        self.fetch = DeformableConv(channels, channels, groups=groups, reach=reach)
        nn.init.dirac_(self.fetch.convolution.weight)
        nn.init.zeros_(self.fetch.convolution.get_parameter("bias"))

    def forward(self, reference: Tensor, other: Tensor, u: Tensor | None = None, *, wraps: bool = False) -> Tensor:
        """The other's features at the reference's places.

        Args:
            reference: (batch, channels, rows, columns).
            other: (batch, channels, rows, columns), of another time.
            u: (batch, 2, rows, columns) eastwards and southwards, in pixels: where in the other, seen from here, what is
                here in the reference is thought to be. Nowhere else, where not given.
            wraps: whether the columns go all around. Other edges are replicated.

        Returns:
            (batch, channels, rows, columns).
        """
        carried = other if u is None else warp(other, u, wraps=wraps)
        guide = self.compare(torch.cat([reference, carried], dim=1), wraps)
        return self.fetch(other, guide, u, wraps=wraps)
