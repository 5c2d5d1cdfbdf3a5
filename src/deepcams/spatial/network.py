"""Our spatial network: a correction to the log-field of LCBP, made before the conservation layer.

All convolutions work on the coarse grid; the nine fine cells of a coarse cell are channels (sub-pixel convolution, Shi et
al., CVPR 2016). The network sees ratios, so that what it learns at one concentration holds at another, and the analyses
beside the one to sharpen, carried to it by the motion between them. It begins as LCBP itself: its last layer is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deepcams.conserve import conserve_blocks, distribute
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.blocks import local_mean
from deepcams.layers.device import CPU
from deepcams.layers.inference import computing
from deepcams.layers.weights import load_network
from deepcams.spatial import lcbp, motion
from deepcams.spatial.scene import Neighbour, Scene
from deepcams.sphere import Array, as_blocks, as_channels, from_blocks, pad, to_blocks
from deepcams.units import EPSILON

FACTOR = 3
FINE = FACTOR * FACTOR
_SURROUNDINGS = 3  # coarse cells on either side that a local mean is taken over
_EVEN = 0.1  # log units: where the surroundings are more even than this, details are not made larger still
_FLAT = 1e-6  # log units: keeps the root's gradient finite
_FIRST, _OTHERS = 2.0, 3.0  # bring the details to the size of the other channels
_LIMIT = 4.0  # of the second detail's channels, beyond which it tells no more
_CORRECTION = 2.0  # times the spread: what an output of one means
_SMALLEST = 1e-20  # ug m-3, before a logarithm: a cell of zero stays zero by the conservation layer


class Views(NamedTuple):
    """What the network is shown, in ug m-3; fine cells are channels, from north to south and from west to east.

    Attributes:
        coarse: (..., rows, columns) the analysis.
        first: (..., 9, rows, columns) LCBP of it.
        others: (..., 9, rows, columns) LCBP of the analyses beside it, carried here by the air; ``first`` where there
            are none.
    """

    coarse: Array
    first: Array
    others: Array


def views(scene: Scene) -> Views:
    """What the network is shown of a scene, as float32 arrays on the scene's grid."""
    first = _sharp(scene, scene)
    carried = [_carried(neighbour, scene) for neighbour in scene.neighbours]
    others = np.exp(np.mean(carried, axis=0)) - np.float32(EPSILON) if carried else first
    coarse = np.asarray(scene.coarse, np.float32)
    return Views(coarse, *(as_channels(to_blocks(field, scene.grid, FACTOR)) for field in (first, others)))


def _carried(neighbour: Neighbour, scene: Scene) -> Array:
    """(fine rows, fine columns) the logarithm of a neighbour's LCBP, carried to where the air is at the scene's time."""
    grid = scene.grid.refine(FACTOR)
    earlier, later = (neighbour, scene) if neighbour.hours < 0 else (scene, neighbour)
    before, after = _sharp(earlier, scene), _sharp(later, scene)
    u = earlier.memo.once(("displacement", later.memo), lambda: motion.displacement(before, after, grid))
    towards = u * np.float32(np.sign(neighbour.hours))
    return motion.carried(np.log(_sharp(neighbour, scene) + np.float32(EPSILON)), towards, grid)


def _sharp(analysis: Scene | Neighbour, scene: Scene) -> Array:
    """(fine rows, fine columns) LCBP of an analysis of the scene, float32."""
    coarse = np.asarray(analysis.coarse, np.float32)
    return analysis.memo.once(
        "lcbp", lambda: from_blocks(lcbp.sharpen(coarse, scene.grid, FACTOR, epsilon=EPSILON), scene.grid)
    )


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Attributes:
        channels: of the hidden layers; multiples of 16 are quick.
        blocks: residual blocks of two convolutions.
    """

    channels: int = 32
    blocks: int = 6

    @property
    def halo(self) -> int:
        """Coarse cells beyond a cell that its correction depends on."""
        return 2 * _SURROUNDINGS + 1 + 2 * self.blocks + 1


class SpatialNetwork(nn.Module):
    """From views in ug m-3 to the correction of the log-field.

    Args:
        architecture: its sizes.
    """

    epsilon: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("epsilon", torch.tensor(EPSILON))
        width = architecture.channels
        self.stem = nn.Conv2d(2 + 2 * FINE, width, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(architecture.blocks))
        self.head = nn.Conv2d(width, FINE, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, views: Views) -> Tensor:
        """The correction (batch, 9, rows, columns), added to the logarithm of ``views.first``.

        Cells nearer to the edge than ``architecture.halo`` see beyond it: there it is for the caller to widen the views.
        """
        inputs, spread = self._inputs(views)
        hidden = self.stem(inputs.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(hidden) * (_CORRECTION * spread)

    def _inputs(self, views: Views) -> tuple[Tensor, Tensor]:
        """(batch, 20, rows, columns): how a cell stands out, how uneven its surroundings are, both details; and the second.

        All but the second are told in units of the unevenness around. Nothing tells how high the concentration is, and
        where it is the same everywhere there is no correction.
        """
        level = torch.log(views.coarse + self.epsilon)[:, None]
        excess = level - _local_mean(level)
        spread = torch.sqrt(_local_mean(excess**2) + _FLAT**2)
        first, others = (torch.log(cells + self.epsilon) for cells in (views.first, views.others))
        unit = spread + _EVEN
        beside = ((others - first) * (_OTHERS / unit)).clamp(-_LIMIT, _LIMIT)
        return torch.cat([excess / unit, spread, (first - level) * (_FIRST / unit), beside], dim=1), spread


class _Block(nn.Module):
    """x + conv(silu(conv(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.second(functional.silu(self.first(hidden)))


def _local_mean(field: Tensor) -> Tensor:
    return local_mean(field, _SURROUNDINGS, wraps=False)


def predict(network: nn.Module, views: Views, shares: Tensor) -> Tensor:
    """The sharpened field (batch, 9, rows, columns) in ug m-3: correction and conservation layer.

    Args:
        network: a :class:`SpatialNetwork`, or what wraps it.
        views: tensors with a batch axis.
        shares: (batch, rows, 3) share of a coarse cell's area in each of its rows of fine cells.
    """
    shape = torch.log(views.first.clamp(min=_SMALLEST)) + network(views).float()
    return as_channels(distribute(views.coarse, as_blocks(shape), shares))


def sharpen(scene: Scene, network: SpatialNetwork) -> Array:
    """The fine block field (rows, 3, columns, 3) of a scene, float32 in ug m-3.

    It does not depend on how many threads there are: the pipeline has several scenes at work at a time.

    Raises:
        InputError: if the scene asks for another factor than the network's.
    """
    if scene.factor != FACTOR:
        raise InputError(f"refinement factor {scene.factor}: the network is trained for {FACTOR}; use --method fast")
    seen = views(scene)
    halo, device = network.architecture.halo, network.epsilon.device
    wide = [torch.from_numpy(_widened(view, scene.grid, halo))[None] for view in seen]
    inside = slice(halo, -halo)
    with computing(device):
        correction = network(Views(*(view.to(device) for view in wide)))[0, :, inside, inside].float().cpu().numpy()
    shape = np.log(np.maximum(seen.first, _SMALLEST)) + correction
    return conserve_blocks(seen.coarse, as_blocks(shape), scene.grid)


def _widened(view: Array, grid: Grid, halo: int) -> Array:
    """A view (..., rows, columns) with cells around it; beyond a pole, a cell's fine rows stand the other way round."""
    wide = pad(view, grid, halo, halo)
    if view.ndim == 3 and grid.periodic and grid.columns % 2 == 0:
        turned = wide.reshape(FACTOR, FACTOR, *wide.shape[1:])[::-1].reshape(wide.shape)
        for beyond, is_pole in ((slice(None, halo), grid.north_pole), (slice(-halo, None), grid.south_pole)):
            if is_pole:
                wide[:, beyond] = turned[:, beyond]
    return np.ascontiguousarray(wide)


@lru_cache(maxsize=4)
def load(path: Path, device: str = CPU) -> SpatialNetwork:
    """The network in a file, ready for use on a device; read once for each.

    Raises:
        InputError: if the file is not one of ours, of another kind, or of another architecture than it says.
    """
    return load_network(path, "correction", Architecture, SpatialNetwork, device)
