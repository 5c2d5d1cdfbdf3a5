"""The spatial network of the paper: attention-based back-projection, written anew from its description.

Source: Liu, Wang, Li, Siu and Chan, "Image Super-Resolution via Attention based Back Projection Networks", ICCV Workshops
2019, arXiv 1910.04476; the projections are those of Haris et al., "Deep Back-Projection Networks", CVPR 2018. Features go
up to the fine grid and down again ten times; every step is corrected by what its way back misses, and on the coarse grid
the features of a stage look at those of the stage before, wherever they are. All fine features together make the image;
what its coarse means then miss goes up once more. What the description leaves open is ours: how the weights begin, the
1/sqrt(channels) in the attention, and that the coarse features of all stages take part in the last step.

Three things differ from the paper, so that the rules hold which every method here obeys. The image is the logarithm of the
concentration, less its mean over the tile: twice the concentration is the same image. No layer has a bias and every
activation keeps zero at zero, so that an even field has an even image, and nothing is added to it. And the image is not
the result but its shape: the conservation layer makes concentrations of it, which have the area means of the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from deepcams.conserve import conserve_blocks
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.layers.attention import SpatialAttention
from deepcams.layers.device import CPU, CUDA
from deepcams.layers.inference import computing
from deepcams.layers.weights import load_network
from deepcams.spatial.interpolation import CUBIC
from deepcams.spatial.scene import Scene
from deepcams.sphere import Array, as_blocks, pad
from deepcams.units import EPSILON

FACTOR = 3
INNER = 40  # coarse cells on a side that a tile answers for, at most: attention costs the square of a tile's cells
OVERLAP = 8  # coarse cells by which a tile goes on into the next one, on each side
AT_ONCE = {CPU: 1, CUDA: 12}  # tiles that the network is given in one call: a card is idle with one
_EDGE = 2  # outermost cells of a tile, which do not count: there the cubic interpolation reaches beyond it
_KERNEL = 5  # of the projections, fine cells
_CORRECTING = 0.1  # initial size of a projection's correction: with it, features keep their size through ten stages


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network; the defaults are the paper's.

    Attributes:
        channels: of the features; multiples of 16 are quick.
        stages: of one up-projection, one down-projection and one attention block each.
    """

    channels: int = 32
    stages: int = 10


_Step = Callable[..., nn.Sequential]


class ABPN(nn.Module):
    """From a coarse field in ug m-3 to the logarithm of the fine one, but for what is the same in a whole coarse cell.

    Args:
        architecture: its sizes.
    """

    epsilon: Tensor
    cubic: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("epsilon", torch.tensor(EPSILON))
        self.register_buffer("cubic", _cubic_taps(), persistent=False)
        width, stages = architecture.channels, architecture.stages
        self.extraction = _Extraction(width)
        self.stages = nn.ModuleList(_Stage(width) for _ in range(stages))
        self.reconstruction = nn.Sequential(_conv(stages * width, width, 1), _conv(width, width, 3), _image(width))
        self.refinement = _Refinement(stages, width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth quicker

    def forward(self, coarse: Tensor) -> Tensor:
        """The log-field of the fine cells, for the conservation layer.

        Args:
            coarse: (batch, rows, columns) in ug m-3, not negative.

        Returns:
            (batch, 9, rows, columns), in the order of :func:`deepcams.sphere.as_channels`.
        """
        level = torch.log(coarse + self.epsilon)[:, None]
        image = level - level.mean(dim=(-2, -1), keepdim=True)
        features = self.extraction(image)
        fine, low = [], []
        for stage in self.stages:
            up, features = stage(features)
            fine.append(up)
            low.append(features)
        first = self._interpolated(image) + self.reconstruction(torch.cat(fine, dim=1))
        missed = image - functional.avg_pool2d(first, FACTOR)
        return functional.pixel_unshuffle(first + self.refinement(missed, torch.cat(low, dim=1)), FACTOR)

    def _interpolated(self, image: Tensor) -> Tensor:
        """(batch, 1, 3 rows, 3 columns) the cubic interpolation of (batch, 1, rows, columns); edges are replicated.

        It keeps its precision where the rest is computed with less: in bfloat16 its steps would be a per cent of the result.
        """
        reach = CUBIC.reach
        wide = functional.pad(image, (reach, reach, reach, reach), mode="replicate")
        with torch.autocast(image.device.type, enabled=False):
            return functional.pixel_shuffle(functional.conv2d(wide, self.cubic), FACTOR)


class _Extraction(nn.Module):
    """(batch, 1, rows, columns) to features, which have looked at themselves while they were twice as many."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(1, 2 * width, 3)
        self.attention = SpatialAttention(2 * width)
        self.second = _conv(2 * width, width, 3)

    def forward(self, image: Tensor) -> Tensor:
        found = self.first(image)
        features: Tensor = self.second(self.attention(found, found))
        return features


class _Stage(nn.Module):
    """Coarse features (batch, channels, rows, columns) to the fine ones and to the next coarse ones."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = _Projection(width, _up, _down)
        self.down = _Projection(width, _down, _up)
        self.attention = SpatialAttention(width)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.up(features)
        return fine, self.attention(self.down(fine), features)


class _Projection(nn.Module):
    """Enhanced back-projection: there, back to see what was missed, and there again with it.

    Two 1 x 1 convolutions weigh the input and the first projection; they begin as the identity.
    """

    def __init__(self, width: int, there: _Step, back: _Step) -> None:
        super().__init__()
        self.there, self.back, self.again = there(width), back(width), there(width, _CORRECTING)
        self.given, self.kept = (nn.Conv2d(width, width, 1, bias=False) for _ in range(2))
        for weigh in (self.given, self.kept):
            nn.init.dirac_(weigh.weight)

    def forward(self, features: Tensor) -> Tensor:
        first = self.there(features)
        missed = self.given(features) - self.back(first)
        projected: Tensor = self.kept(first) + self.again(missed)
        return projected


class _Refinement(nn.Module):
    """Refined back-projection: what the coarse means of the image miss, up once more beside all coarse features."""

    def __init__(self, stages: int, width: int) -> None:
        super().__init__()
        self.missed = _conv(1, width, 3)
        self.seen = _conv(stages * width, width, 1)
        self.up = _up(width)
        self.image = _image(width)

    def forward(self, missed: Tensor, features: Tensor) -> Tensor:
        image: Tensor = self.image(self.up(self.missed(missed) + self.seen(features)))
        return image


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return _active(layer, taps=inputs * kernel**2)


def _up(width: int, gain: float = 1.0) -> nn.Sequential:
    """Coarse to fine. With these sizes n cells become 3 n, and what is at cell i stays centred at fine cell 3 i + 1."""
    layer = nn.ConvTranspose2d(width, width, _KERNEL, stride=FACTOR, padding=1, bias=False)
    return _active(layer, taps=width * _KERNEL**2 / FACTOR**2, gain=gain)


def _down(width: int, gain: float = 1.0) -> nn.Sequential:
    """Fine to coarse, the reverse of :func:`_up`."""
    layer = nn.Conv2d(width, width, _KERNEL, stride=FACTOR, padding=1, bias=False)
    return _active(layer, taps=width * _KERNEL**2, gain=gain)


def _active(layer: nn.Conv2d | nn.ConvTranspose2d, taps: float, gain: float = 1.0) -> nn.Sequential:
    """The layer with a PReLU after it; its weights keep the size of what goes through (He et al., ICCV 2015).

    Args:
        layer: without bias.
        taps: products that it sums, on average.
        gain: times that size.
    """
    activation = nn.PReLU()
    slope = float(activation.weight.item())
    nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / (1 + slope**2) / taps))
    return nn.Sequential(layer, activation)


def _image(width: int) -> nn.Conv2d:
    """Features to an image. It begins as zero: an untrained network is its cubic interpolation."""
    layer = nn.Conv2d(width, 1, 3, padding=1, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


def _cubic_taps() -> Tensor:
    """(9, 1, 5, 5) weights of the coarse cells around, for each fine cell of a cell."""
    offsets = (np.arange(FACTOR) - (FACTOR - 1) // 2) / FACTOR
    table = CUBIC.weights(offsets[:, None] - np.arange(-CUBIC.reach, CUBIC.reach + 1))
    taps = np.einsum("ik,jl->ijkl", table, table).reshape(FACTOR**2, 1, *(2 * (table.shape[1],)))
    return torch.from_numpy(taps.astype(np.float32))


def sharpen(scene: Scene, network: ABPN, at_once: int | None = None) -> Array:
    """The fine block field (rows, 3, columns, 3) of a scene, float32 in ug m-3, made tile by tile.

    The network sees few tiles at a time, so that the memory it needs does not grow with the field. Tiles overlap, around
    the globe and across the poles, and their log-fields go over into one another smoothly. The result does not depend on
    how many threads there are, nor on other scenes at work: which tiles the network sees together follows from the grid.

    Args:
        scene: what to sharpen.
        network: on either device.
        at_once: tiles that the network sees together; None for what :data:`AT_ONCE` has for its device. Rounding may
            depend on it.

    Raises:
        InputError: if the scene asks for another factor than the network's.
    """
    if scene.factor != FACTOR:
        raise InputError(f"refinement factor {scene.factor}: the network is trained for {FACTOR}; use --method fast")
    coarse = np.asarray(scene.coarse, np.float32)
    shape = _blended(coarse, scene.grid, network, at_once or AT_ONCE[network.epsilon.device.type])
    return conserve_blocks(coarse, as_blocks(shape), scene.grid)


def _blended(coarse: Array, grid: Grid, network: ABPN, at_once: int) -> NDArray[np.float32]:
    """(9, rows, columns) the log-field, from that of each tile."""
    shape = np.zeros((*coarse.shape, FACTOR**2), np.float32)
    wide = np.ascontiguousarray(pad(coarse, grid, OVERLAP, OVERLAP))
    spans = list(product(_spans(grid.rows), _spans(grid.columns, periodic=grid.periodic)))
    tiles = [torch.from_numpy(wide[rows.wide, columns.wide]) for rows, columns in spans]
    for (rows, columns), found in zip(spans, _seen(tiles, network, at_once), strict=True):
        weighted = np.moveaxis(found * (rows.weights[:, None] * columns.weights), 0, -1)
        # Not +=, which would lose cells that a tile wider than the globe has twice.
        np.add.at(shape, (rows.cells[:, None], columns.cells), weighted)
    return np.moveaxis(shape, -1, 0)


def _seen(tiles: Sequence[Tensor], network: ABPN, at_once: int) -> list[NDArray[np.float32]]:
    """(9, rows, columns) what the network makes of each tile (rows, columns): of several together, if they are as large."""
    device, found = network.epsilon.device, dict[int, Tensor]()
    with computing(device):
        for numbers in _together([tile.shape for tile in tiles], at_once):
            made = network(torch.stack([tiles[number] for number in numbers]).to(device))
            found.update(zip(numbers, made.float(), strict=True))
        return [found[number].cpu().numpy() for number in range(len(tiles))]


def _together(shapes: Sequence[torch.Size], most: int) -> Iterator[list[int]]:
    """Numbers of tiles of one shape, so many at most, beginning with the first tile."""
    alike: dict[torch.Size, list[int]] = {}
    for number, shape in enumerate(shapes):
        alike.setdefault(shape, []).append(number)
    for numbers in alike.values():
        yield from (numbers[start : start + most] for start in range(0, len(numbers), most))


class _Span(NamedTuple):
    """The cells of a tile along one axis: in the widened field, in the field, and how much each counts there.

    A weight is one number for all fine cells of a coarse cell, so that the tiles' different means cancel.
    """

    wide: slice
    cells: NDArray[np.int64]
    weights: NDArray[np.float32]


def _spans(size: int, *, periodic: bool = False) -> Iterator[_Span]:
    """Tiles of equal widths, but for a cell, that answer for all of an axis; a cell's weights add up to one."""
    count = math.ceil(size / INNER)
    edges = [number * size // count for number in range(count + 1)]
    for start, stop in pairwise(edges):
        places = np.arange(start - OVERLAP, stop + OVERLAP)
        inside = periodic | (places >= 0) & (places < size)
        # Nothing comes before the first tile or after the last one, unless it is the last or the first.
        entered = 1.0 if start == 0 and not periodic else _beyond(places, start)
        left = 0.0 if stop == size and not periodic else _beyond(places, stop)
        cells = places % size if periodic else places.clip(0, size - 1)
        yield _Span(slice(start, stop + 2 * OVERLAP), cells, (inside * (entered - left)).astype(np.float32))


def _beyond(places: NDArray[np.int64], edge: int) -> NDArray[np.float64]:
    """How far cells lie beyond an edge: a smooth step from 0 to 1 over the overlap on both sides of it."""
    across = ((places + 0.5 - edge) / (OVERLAP - _EDGE)).clip(-1, 1)
    step: NDArray[np.float64] = (1 + np.sin(np.pi / 2 * across)) / 2
    return step


@lru_cache(maxsize=4)
def load(path: Path, device: str = CPU) -> ABPN:
    """The network in a file, ready for use on a device; read once for each.

    Raises:
        InputError: if the file is not one of ours, of another kind, or of another architecture than it says.
    """
    return load_network(path, "abpn", Architecture, ABPN, device)
