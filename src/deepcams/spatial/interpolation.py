"""Interpolation from a coarse grid to the fine nodes of its cells: nearest, bilinear, bicubic, spline, on the sphere.

The fine nodes lie at the fractions k / factor of a coarse step around each coarse node (k = -1, 0, 1 for factor 3), so
interpolation is one small table of weights, the same for rows and columns. Across the date line the field wraps; across
a pole it goes on along the opposite meridian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.conserve import conserve_blocks
from deepcams.grid import Grid
from deepcams.sphere import Array, namespace, pad, pin_poles

_FLOOR = 1e-6  # smallest share of its coarse value that a fine cell has before it is conserved

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """An interpolation kernel: a weight for each distance, and how to prepare the nodes' values.

    Attributes:
        weights: weight of a node at a distance in coarse steps; zero beyond ``reach``.
        reach: coarse nodes used on either side.
        prefilter: weights (2 n + 1,) of a filter that turns values into coefficients first, or None.
    """

    weights: Callable[[Floats], Floats]
    reach: int
    prefilter: tuple[float, ...] | None = None

    @property
    def halo(self) -> int:
        """Coarse nodes on either side that can change a fine value."""
        return self.reach + (len(self.prefilter) // 2 if self.prefilter else 0)


def nearest_weights(x: Floats) -> Floats:
    """1 at the nearest node, 0 elsewhere."""
    return np.where(np.abs(x) < 0.5, 1.0, 0.0)


def linear_weights(x: Floats) -> Floats:
    """The hat function."""
    return np.clip(1 - np.abs(x), 0, None)


def cubic_weights(x: Floats) -> Floats:
    """Cubic convolution with a = -1/2 (Keys, IEEE Trans. ASSP 29, 1981): exact for quadratics."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def bspline_weights(x: Floats) -> Floats:
    """The cubic B-spline."""
    x = np.abs(x)
    return np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))


def _spline_prefilter(terms: int = 12) -> tuple[float, ...]:
    """The filter from values to cubic B-spline coefficients (Unser, IEEE Signal Process. Mag. 16, 1999), cut at 1e-7."""
    pole = np.sqrt(3.0) - 2
    response = pole ** np.abs(np.arange(-terms, terms + 1))
    return tuple((response / response.sum()).tolist())


NEAREST = Kernel(nearest_weights, 1)
LINEAR = Kernel(linear_weights, 1)
CUBIC = Kernel(cubic_weights, 2)
SPLINE = Kernel(bspline_weights, 2, _spline_prefilter())


def interpolate_blocks(coarse: Array, grid: Grid, factor: int, kernel: Kernel) -> Array:
    """Values at the fine nodes of every coarse cell.

    Args:
        coarse: (..., grid.rows, grid.columns), finite.
        grid: the coarse grid.
        factor: odd refinement.
        kernel: one of NEAREST, LINEAR, CUBIC and SPLINE.

    Returns:
        Block field (..., rows, factor, columns, factor).
    """
    nodes = pad(coarse, grid, kernel.halo, kernel.halo)
    if kernel.prefilter is not None:
        for axis in (-2, -1):
            nodes = _combine(nodes, kernel.prefilter, nodes.shape[axis] - len(kernel.prefilter) + 1, axis)
    distances = _offsets(factor)[:, None] - np.arange(-kernel.reach, kernel.reach + 1)
    table = kernel.weights(distances).tolist()
    xp = namespace(nodes)
    # Fine cells are planes in memory: what is computed cell by cell runs along whole rows.
    by_row = xp.stack([_combine(nodes, taps, grid.rows, -2) for taps in table])
    planes = xp.stack([_combine(by_row, taps, grid.columns, -1) for taps in table])
    return xp.moveaxis(planes, (1, 0), (-3, -1))


def interpolate(coarse: Array, grid: Grid, factor: int, *, kernel: Kernel, conserving: bool) -> Array:
    """A fine block field by plain interpolation, with the conservation layer as last step if ``conserving``.

    Without it the area means are not kept. Overshoots below zero are cut: concentrations are not negative.
    """
    xp = namespace(coarse)
    blocks = xp.clip(interpolate_blocks(coarse, grid, factor, kernel), 0, None)
    if not conserving:
        return pin_poles(blocks, coarse, grid)
    own = coarse[..., :, None, :, None]
    share = blocks / xp.where(own > 0, own, xp.ones_like(own))
    return conserve_blocks(coarse, xp.log(xp.clip(share, _FLOOR, None)), grid)


def _offsets(factor: int) -> Floats:
    """Positions of the fine nodes around their coarse node, in coarse steps."""
    return (np.arange(factor) - (factor - 1) // 2) / factor


def _combine(nodes: Array, taps: tuple[float, ...] | list[float], size: int, axis: int) -> Array:
    """The sums of ``size`` runs of neighbours along an axis (-2 or -1), weighted by ``taps``."""
    total = None
    for start, weight in enumerate(taps):
        if weight == 0.0:
            continue
        part = nodes[..., start : start + size] if axis == -1 else nodes[..., start : start + size, :]
        total = weight * part if total is None else total + weight * part
    return total
