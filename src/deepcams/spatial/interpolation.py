"""Interpolation from a coarse grid to the fine nodes of its cells: nearest, bilinear and bicubic, on the sphere.

The fine nodes lie at the fractions k / factor of a coarse step around each coarse node (k = -1, 0, 1 for factor 3), so
interpolation is one small weight matrix for the rows and the same one for the columns. Across the date line the field
wraps; across a pole it goes on along the opposite meridian.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepcams.conserve import conserve_blocks
from deepcams.grid import Grid
from deepcams.sphere import Array, namespace, pad, pin_poles

_REACH = 2  # coarse nodes used on either side
_FLOOR = 1e-6  # smallest share of a cell's value that a conserved interpolation may give a fine cell before scaling

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def nearest_kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 at the nearest node, 0 elsewhere."""
    return np.where(np.abs(x) < 0.5, 1.0, 0.0)


def linear_kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The hat function."""
    return np.clip(1 - np.abs(x), 0, None)


def cubic_kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution with a = -1/2 (Keys, IEEE Trans. ASSP 29, 1981): exact for quadratics."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def interpolate_blocks(coarse: Array, grid: Grid, factor: int, kernel: Kernel) -> Array:
    """Values at the fine nodes of every coarse cell.

    Args:
        coarse: (..., grid.rows, grid.columns), finite.
        grid: the coarse grid.
        factor: odd refinement.
        kernel: weight of a node at a distance in coarse steps.

    Returns:
        Block field (..., rows, factor, columns, factor).
    """
    padded = pad(coarse, grid, _REACH, _REACH)
    taps = kernel(_offsets(factor)[:, None] - np.arange(-_REACH, _REACH + 1))
    by_row = _combine(padded, taps, grid.rows, axis=-2)
    return _combine(by_row, taps, grid.columns, axis=-1)


def sharpen(coarse: Array, grid: Grid, factor: int, *, kernel: Kernel, conserving: bool) -> Array:
    """A fine block field by plain interpolation, with the conservation layer as last step if ``conserving``.

    Without it the area means are not kept; bicubic overshoots are cut at zero (concentrations are not negative).
    """
    xp = namespace(coarse)
    blocks = xp.clip(interpolate_blocks(coarse, grid, factor, kernel), 0, None)
    if not conserving:
        return pin_poles(blocks, coarse, grid)
    own = coarse[..., :, None, :, None]
    positive = xp.where(own > 0, own, xp.ones_like(own))
    return conserve_blocks(coarse, xp.log(xp.clip(blocks / positive, _FLOOR, None)), grid)


KERNELS: dict[str, Kernel] = {"nearest": nearest_kernel, "bilinear": linear_kernel, "bicubic": cubic_kernel}
METHODS = {name: partial(sharpen, kernel=kernel, conserving=False) for name, kernel in KERNELS.items()} | {
    f"{name}-conserving": partial(sharpen, kernel=kernel, conserving=True) for name, kernel in KERNELS.items()
}


def _offsets(factor: int) -> NDArray[np.float64]:
    """Positions of the fine nodes around their coarse node, in coarse steps."""
    return (np.arange(factor) - (factor - 1) // 2) / factor


def _combine(padded: Array, taps: NDArray[np.float64], size: int, *, axis: int) -> Array:
    """Weighted sums of neighbours along one axis, which becomes the two axes (size, factor)."""
    parts = []
    for weights in taps:
        used = [(start, weight) for start, weight in enumerate(weights.tolist()) if weight]
        parts.append(sum(weight * _cut(padded, start, size, axis) for start, weight in used))
    return namespace(padded).stack(parts, axis)


def _cut(array: Array, start: int, size: int, axis: int) -> Array:
    return array[..., start : start + size] if axis == -1 else array[..., start : start + size, :]
