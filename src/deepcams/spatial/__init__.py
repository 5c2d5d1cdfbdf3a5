"""Spatial downscaling without a network: a dict of methods by name.

Each takes ``(coarse, grid, factor, epsilon)`` and gives a block field (see :mod:`deepcams.sphere`): coarse
(rows, columns) finite and not negative, epsilon in the field's unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepcams.grid import Grid
from deepcams.spatial.interpolation import CUBIC, LINEAR, NEAREST, SPLINE, Kernel, interpolate
from deepcams.spatial.lcbp import sharpen as sharpen_lcbp
from deepcams.sphere import Array


@dataclass(frozen=True)
class SpatialMethod:
    """One way from coarse to fine.

    Attributes:
        name: as given on the command line.
        sharpen: ``(coarse, grid, factor, epsilon) -> block field``.
        conserving: whether the area means of the result are the coarse values.
        halo: coarse nodes beyond a window that can change its result by more than rounding.
    """

    name: str
    sharpen: Callable[[Array, Grid, int, float], Array]
    conserving: bool
    halo: int


def _lcbp(coarse: Array, grid: Grid, factor: int, epsilon: float) -> Array:
    return sharpen_lcbp(coarse, grid, factor, epsilon=epsilon)


def _plain(name: str, kernel: Kernel, conserving: bool) -> SpatialMethod:
    def sharpen(coarse: Array, grid: Grid, factor: int, epsilon: float) -> Array:
        return interpolate(coarse, grid, factor, kernel=kernel, conserving=conserving)

    return SpatialMethod(name, sharpen, conserving, kernel.halo)


SPATIAL: dict[str, SpatialMethod] = {
    method.name: method
    for method in (
        _plain("nearest", NEAREST, True),
        _plain("bilinear", LINEAR, False),
        _plain("bilinear-conserving", LINEAR, True),
        _plain("bicubic", CUBIC, False),
        _plain("bicubic-conserving", CUBIC, True),
        SpatialMethod("lcbp", _lcbp, True, SPLINE.halo + 4),
    )
}
