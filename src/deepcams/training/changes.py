"""Ways to change fields that keep them true, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Field


@dataclass(frozen=True)
class Change:
    """One way to change fine fields, the same for a field and its neighbours.

    Attributes:
        flip: whether west becomes east.
        gain: what all values are multiplied with.
        blur: standard deviation of a Gaussian blur in fine cells; 0 for none.
        turn: whether north becomes south.
    """

    flip: bool = False
    gain: float = 1.0
    blur: float = 0.0
    turn: bool = False

    def mirrored(self, field: NDArray[Any]) -> NDArray[Any]:
        """The field (rows, columns), or mask, flipped and turned."""
        return field[:: -1 if self.turn else 1, :: -1 if self.flip else 1]

    def place(self, grid: Grid) -> Grid:
        """The grid on which the changed field lies: a turned one is as far from the equator on its other side."""
        return Grid(-grid.south, grid.west, grid.step, grid.rows, grid.columns) if self.turn else grid

    def apply(self, fields: Field) -> Field:
        """The changed field (rows, columns), float32; unknown nodes stay unknown and are not blurred into others."""
        return np.asarray(_blurred(self.mirrored(fields), self.blur) * np.float32(self.gain), np.float32)


@dataclass(frozen=True)
class Augmentation:
    """How much windows are changed.

    Attributes:
        flip: whether every second one is mirrored in longitude.
        turn: whether every second one is mirrored in latitude.
        gain: concentrations are multiplied with a number from 1/gain to gain, even in its logarithm.
        blur: largest standard deviation in fine cells of a Gaussian blur of the fine field, even from 0; 0 for none.
            Series whose coarse fields are given are not blurred.
        alone: probability that an example is any field, without neighbours; otherwise it is one that has some, if any
            have.
        one_sided: probability, where there are two neighbours and not none, that one is left out.

    Raises:
        InputError: for a number outside its range.
    """

    flip: bool = True
    gain: float = 3.0
    blur: float = 0.0
    alone: float = 0.15
    one_sided: float = 0.5
    turn: bool = True

    def __post_init__(self) -> None:
        if not (self.gain >= 1 and self.blur >= 0 and 0 <= self.alone <= 1 and 0 <= self.one_sided <= 1):
            raise InputError(f"augmentation with gain {self.gain:g}, blur {self.blur:g}, alone {self.alone:g}, one_sided "
                             f"{self.one_sided:g}: wanted gain >= 1, blur >= 0, and probabilities from 0 to 1")  # fmt: skip

    def draw(self, random: np.random.Generator) -> Change:
        """One change, drawn."""
        flip, turn, blur, exponent = *random.random(3), random.uniform(-1, 1)
        return Change(self.flip and bool(flip < 0.5), float(self.gain**exponent), float(self.blur * blur),
                      self.turn and bool(turn < 0.5))  # fmt: skip

    def choose(
        self, neighbours: tuple[tuple[int, float], ...], random: np.random.Generator
    ) -> tuple[tuple[int, float], ...]:
        """Those of the neighbours that are shown."""
        one_sided, side = random.random(2)
        if len(neighbours) == 2 and one_sided < self.one_sided:
            return (neighbours[int(side < 0.5)],)
        return neighbours


def _blurred(values: Field, deviation: float) -> Field:
    """The field blurred from known nodes alone."""
    if not deviation:
        return values

    def blur(one: Field) -> Field:
        return np.asarray(ndimage.gaussian_filter(one, deviation, mode="nearest"))

    unknown = np.isnan(values)
    if not unknown.any():
        return blur(values)
    known = blur((~unknown).astype(np.float32))
    spread = blur(np.where(unknown, 0, values).astype(np.float32))
    return np.where(unknown, np.nan, spread / np.maximum(known, np.float32(1e-6))).astype(np.float32)
