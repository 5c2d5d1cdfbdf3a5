"""The temporal network of the DeepCAMS paper: XVFI (Sim, Oh and Kim, ICCV 2021, arXiv 2103.16413), for fields of PM2.5.

Written from the paper. Features shared by both fields, a fourth of their size, are matched from the coarsest scale to the
finest by one module with the same weights at all scales (BiOF-I): flows both ways and how far to trust them. The flows
are thrown to the time asked for, both ways together, so that one fills the holes of the other (complementary flow
reversal, formulas 1 and 2), and refined there (BiOF-T). A U-Net at full size refines them again, and says which end to
trust and by how much the blend is wrong. Every scale gives a prediction, for the loss; only the finest is the result.

It differs from the paper where fields are not photographs:

- What is shown to the network is the logarithm of both fields, less their common local mean, over their common local
  spread: doubling a field changes nothing, and a plume of 10 ug m-3 is followed as one of 1000. The fields themselves
  are warped and blended as they are: a blend of logarithms would be too low wherever the ends differ.
- The residual is a factor, not a summand, and its logarithm counts in units of the local spread: nothing becomes
  negative, and where nothing varies there is nothing to correct, so that a constant stays constant, whatever the weights.
- On a globe the columns wrap, in every convolution, warp and enlargement.

One thing can be chosen: the features that the U-Net is shown are brought to the time asked for by the flow, as in the
paper, or by a deformable convolution that the flow guides. Flows are estimated from features that the flow carried, either
way: what an alignment sets right would hide what is wrong with the flow, by which the fields themselves are warped.

As in the paper, the ends are weighed by 1 - t and t, the earlier first. The widths within the modules are chosen here, so
that numbers and cost are about those of the original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.blocks import Chain, Convolution, enlarge, local_mean
from deepcams.layers.device import CPU
from deepcams.layers.inference import computing
from deepcams.layers.weights import load_network
from deepcams.sphere import pad
from deepcams.temporal.alignment import ALIGNMENTS, carried
from deepcams.temporal.reversal import reversal
from deepcams.temporal.setting import Setting
from deepcams.temporal.xvfi_parts import Extractor, FlowNet, Refinement
from deepcams.units import EPSILON

Field = NDArray[np.float32]

_REFINEMENT = 8  # the U-Net halves three times
_SURROUNDINGS = 12  # nodes on either side that the local mean and spread are taken over
_EVEN = 0.1  # log units: where the surroundings are more even than this, details are not made larger still
_FLAT = 1e-6  # log units: keeps the root's gradient finite
_LARGEST = 2.0  # times the local spread: the largest logarithm of the factor
_MARGIN = 16  # nodes by which a field is widened at least


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Attributes:
        features: channels of the features; a multiple of ``module_scale`` squared.
        module_scale: how many times fewer rows and columns the features have than the fields; a power of two.
        scales: at which flows are estimated, each half as large as the one before.
        alignment: what brings features to the time asked for: ``flow``, or ``deformable`` convolution.

    Raises:
        InputError: for sizes of which no network can be made, and for an unknown alignment.
    """

    features: int = 64
    module_scale: int = 4
    scales: int = 3
    alignment: str = "flow"

    def __post_init__(self) -> None:
        power = self.module_scale > 1 and self.module_scale & (self.module_scale - 1) == 0
        if not power or self.scales < 1 or self.features < 1 or self.features % self.module_scale**2:
            raise InputError(f"an XVFI network of {asdict(self)}: wanted a module scale of 2, 4, 8 ..., features that are a "
                             "multiple of its square, and at least one scale")  # fmt: skip
        if self.alignment not in ALIGNMENTS:
            raise InputError(
                f"an XVFI network with alignment {self.alignment!r}: wanted one of {', '.join(ALIGNMENTS)}"
            )

    @property
    def unit(self) -> int:
        """What the rows and columns of the input are to be multiples of."""
        return int(2 ** (self.scales - 1)) * max(2 * self.module_scale, _REFINEMENT)


class Level(NamedTuple):
    """What the network says at one scale.

    Attributes:
        prediction: (batch, rows, columns) the field at the time asked for, ug m-3. At the scale s below the finest it
            has 2**s times fewer rows and columns, and stands for the area mean over 2**s x 2**s nodes.
        to_before: (batch, 2, rows, columns) where the air at that time was at the earlier end: eastwards and southwards,
            in nodes of this scale.
        to_after: where it is going to be at the later end.
    """

    prediction: Tensor
    to_before: Tensor
    to_after: Tensor


class Motion(NamedTuple):
    """The fields at one scale, and how the network sees them move, whatever the time asked for.

    Attributes:
        fields: (batch, 2, rows, columns) both ends in ug m-3, the earlier first.
        images: of the same shape, as the network is shown them.
        spread: (batch, 1, rows, columns) of their logarithm around each node.
        features: of the earlier and the later end, (batch, features, rows / module_scale, columns / module_scale) each.
        flows: (batch, 4, as the features): the earlier end's displacement to the later, and the reverse, in nodes of the
            features.
        trust: (batch, 2, as the features) in 0..1: the importance of either flow where several meet.
    """

    fields: Tensor
    images: Tensor
    spread: Tensor
    features: tuple[Tensor, Tensor]
    flows: Tensor
    trust: Tensor


class XVFI(nn.Module):
    """From two fields to the one at a time between them.

    Args:
        architecture: its sizes.
    """

    epsilon: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("epsilon", torch.tensor(EPSILON))
        width, scale = architecture.features, architecture.module_scale
        self.extract = Extractor(width, scale)
        self.coarsen = Chain([Convolution(width, width, halves=True)])
        self.ends = FlowNet(4 * width + 4, 6, width)
        self.middle = FlowNet(4 * width + 4, 5, width)
        self.refine = Refinement(9 + 2 * (width // scale**2), 6, width)
        self.align = ALIGNMENTS[architecture.alignment](width)

    def forward(self, before: Tensor, after: Tensor, fraction: Tensor, *, wraps: bool = False) -> list[Level]:
        """The field at a time between two others, at all scales.

        Args:
            before: (batch, rows, columns) ug m-3, finite, not negative; rows and columns multiples of
                ``architecture.unit``.
            after: the same, later.
            fraction: (batch,) of the interval that has passed, within 0..1.
            wraps: whether the columns go all around. Other edges are replicated.

        Returns:
            From the coarsest scale to the finest, which has the shape of the fields.
        """
        return [self.at(motion, fraction, wraps=wraps) for motion in self.motions(before, after, wraps=wraps)]

    def motions(self, before: Tensor, after: Tensor, *, wraps: bool = False) -> list[Motion]:
        """How both fields move, from the coarsest scale to the finest (BiOF-I); arguments as for :meth:`forward`."""
        fields = torch.stack([before, after], dim=1)
        images, spread = self._images(fields, wraps)
        features = [(self.extract(images[:, :1], wraps), self.extract(images[:, 1:], wraps))]
        for _ in range(1, self.architecture.scales):
            one, other = features[-1]
            features.append((self.coarsen(one, wraps), self.coarsen(other, wraps)))
        flows = torch.zeros_like(features[-1][0][:, :4], dtype=torch.float32)
        motions: list[Motion] = []
        for number, (one, other) in reversed(list(enumerate(features))):
            if motions:
                flows = 2 * enlarge(flows, 2, wraps=wraps)
            flows, trust = self._ends(one, other, flows, wraps)
            small, seen, uneven = (functional.avg_pool2d(part, 2**number) for part in (fields, images, spread))
            motions.append(Motion(small, seen, uneven, (one, other), flows, trust))
        return motions

    def at(self, motion: Motion, fraction: Tensor, *, wraps: bool = False) -> Level:
        """What is at a time (batch,) within fields that move: reversal, BiOF-T, refinement, blending."""
        t = fraction[:, None, None, None]
        flows, trust, aligned = self._middle(motion, t, wraps)
        scale = self.architecture.module_scale
        flows, trust = scale * enlarge(flows, scale, wraps=wraps), enlarge(trust, scale, wraps=wraps)
        shown = carried(_ends_of(motion.images), flows, wraps=wraps)
        details = [functional.pixel_shuffle(part, scale) for part in aligned]
        changes = self.refine(torch.cat([*shown, motion.images, flows, trust, *details], dim=1), wraps)
        flows, trust = flows + changes[:, :4], trust + changes[:, 4:5]
        first, last = carried(_ends_of(motion.fields), flows, wraps=wraps)
        factor = torch.exp(_LARGEST * torch.tanh(changes[:, 5:]) * motion.spread)
        prediction = torch.lerp(first, last, share_of_the_later(t, trust)) * factor
        return Level(prediction[:, 0], flows[:, :2], flows[:, 2:])

    def _images(self, fields: Tensor, wraps: bool) -> tuple[Tensor, Tensor]:
        """What the network is shown of (batch, 2, rows, columns), and the local spread (batch, 1, rows, columns)."""
        logs = torch.log(fields + self.epsilon)
        excess = logs - local_mean(logs.mean(1, keepdim=True), _SURROUNDINGS, wraps=wraps)
        variance = local_mean((excess**2).mean(1, keepdim=True), _SURROUNDINGS, wraps=wraps)
        spread = torch.sqrt(variance + _FLAT**2)
        return excess / (spread + _EVEN), spread

    def _ends(self, one: Tensor, other: Tensor, flows: Tensor, wraps: bool) -> tuple[Tensor, Tensor]:
        """Better flows between the ends, and their importance, from those of the coarser scale."""
        met = carried((other, one), flows, wraps=wraps)
        changes = self.ends(torch.cat([one, other, *met, flows], dim=1), wraps)
        return flows + changes[:, :4], torch.sigmoid(changes[:, 4:])

    def _middle(self, motion: Motion, t: Tensor, wraps: bool) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Flows (batch, 4, ...) from t to both ends, which end to trust, and the ends' features carried to t by them."""
        one, other = motion.features
        u = reversal(motion.flows, motion.trust, t, wraps=wraps)
        flows = torch.cat([-t * u, (1 - t) * u], dim=1)
        met = carried((one, other), flows, wraps=wraps)
        changes = self.middle(torch.cat([one, other, *met, flows], dim=1), wraps)
        flows = flows + changes[:, :4]
        return flows, changes[:, 4:], self.align((one, other), flows, wraps)


def share_of_the_later(t: Tensor, trust: Tensor) -> Tensor:
    """The weight of the later end: t m1 / ((1 - t) m0 + t m1), with the masks m0 = sigmoid(trust) and m1 = 1 - m0.

    It is one sigmoid. Without preference it is t: soon after the earlier end, that end weighs most.
    """
    return torch.sigmoid(torch.logit(t) - trust)


def _ends_of(fields: Tensor) -> tuple[Tensor, Tensor]:
    """The earlier and the later field (batch, 1, rows, columns) of both (batch, 2, rows, columns)."""
    return fields[:, :1], fields[:, 1:]


def between(before: Field, after: Field, fractions: Sequence[float], setting: Setting, network: XVFI) -> list[Field]:
    """Fields (rows, columns) at the given fractions of the interval, as the network sees them.

    On a globe whose columns are a multiple of the network's unit they go all around; otherwise the field is widened by
    what is there. The result does not depend on how many threads there are: the pipeline has several intervals at work
    at a time.
    """
    grid, unit = setting.grid, network.architecture.unit
    wraps = grid.periodic and grid.columns % unit == 0
    rows, columns = _widening(grid.rows, unit), (0, grid.columns) if wraps else _widening(grid.columns, unit)
    device, ends = network.epsilon.device, [_widened(field, grid, rows, columns) for field in (before, after)]
    with computing(device):
        motion = network.motions(*(end.to(device) for end in ends), wraps=wraps)[-1]
        times = torch.tensor(fractions, dtype=torch.float32, device=device)
        fields = [network.at(motion, t[None], wraps=wraps).prediction[0].cpu().numpy() for t in times]
    inside = slice(rows[0], rows[0] + grid.rows), slice(columns[0], columns[0] + grid.columns)
    return [_even_poles(np.ascontiguousarray(field[inside]), grid) for field in fields]


def _widening(size: int, unit: int) -> tuple[int, int]:
    """How many nodes to put before a side of this size, and how many there are to be: a multiple of the unit."""
    total = -(-(size + 2 * _MARGIN) // unit) * unit
    return -(-(total - size) // 2), total


def _widened(field: Field, grid: Grid, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """(1, rows, columns) the field with its surroundings across the date line and the poles."""
    wide = pad(np.asarray(field, np.float32), grid, rows[0], columns[0])[: rows[1], : columns[1]]
    return torch.from_numpy(np.ascontiguousarray(wide))[None]


def _even_poles(field: Field, grid: Grid) -> Field:
    """The field, changed in place, with one value on each pole, which is one place."""
    for row, is_pole in ((0, grid.north_pole), (-1, grid.south_pole)):
        if is_pole:
            field[row] = field[row].mean(dtype=np.float64)
    return field


@lru_cache(maxsize=4)
def load(path: Path, device: str = CPU) -> XVFI:
    """The network in a file, ready for use on a device; read once for each.

    Raises:
        InputError: if the file is not one of ours, of another kind, or of another architecture than it says.
    """
    return load_network(path, "xvfi", Architecture, XVFI, device)
