"""LCBP: log-cubic interpolation, back-projected once, conservative. Positive, and without parameters."""

from __future__ import annotations

from deepcams.conserve import block_mean, conserve_blocks
from deepcams.grid import Grid
from deepcams.spatial.interpolation import SPLINE, interpolate_blocks
from deepcams.sphere import Array, namespace


def log_field(coarse: Array, grid: Grid, factor: int, *, epsilon: float) -> Array:
    """The smooth log-field b that the conservation layer turns into LCBP; a network may add its correction to it.

    z = cubic(log(C + epsilon)) loses some of each cell's mass; b adds back, smoothly, what its exponential lacks:
    b = z + cubic(log((C + epsilon) / areamean(exp z))). "cubic" is the interpolating cubic spline (see
    docs/decisions/0001-log-cubic-kernel.md).

    Args:
        coarse: (..., grid.rows, grid.columns) finite, not negative.
        grid: the coarse grid.
        factor: odd refinement.
        epsilon: added before the logarithm, in the field's unit: below it, ratios do not count.

    Returns:
        Block field (..., rows, factor, columns, factor), log of the field's unit.
    """
    xp = namespace(coarse)
    raised = coarse + epsilon
    z = interpolate_blocks(xp.log(raised), grid, factor, SPLINE)
    lack = xp.log(raised / block_mean(xp.exp(z), grid))
    return z + interpolate_blocks(lack, grid, factor, SPLINE)


def sharpen(coarse: Array, grid: Grid, factor: int, *, epsilon: float) -> Array:
    """The fine block field by LCBP; arguments as in :func:`log_field`."""
    return conserve_blocks(coarse, log_field(coarse, grid, factor, epsilon=epsilon), grid)
