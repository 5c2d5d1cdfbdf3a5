"""Area means and the conservation layer: the mass of every coarse cell is kept exactly.

Sources: Harder et al., JMLR 24 (2023), "Hard-constrained deep learning for climate downscaling"; Geiss et al., GMD 15,
6677 (2022), for the area-weighted multiplicative form.
"""

from __future__ import annotations

from deepcams.grid import Grid
from deepcams.sphere import Array, from_blocks, namespace, pin_poles, row_weights, to_blocks


def block_mean(blocks: Array, grid: Grid, *, pole_row: bool = False) -> Array:
    """Area means (..., rows, columns) of a block field over its coarse cells; ``pole_row`` as in :func:`row_weights`."""
    return weighted_mean(blocks, _weights_like(blocks, grid, pole_row=pole_row))


def _weights_like(blocks: Array, grid: Grid, *, pole_row: bool = False) -> Array:
    """The row weights of a block field, as an array of its own kind."""
    weights = row_weights(grid, blocks.shape[-1], pole_row=pole_row)
    return namespace(blocks).asarray(weights, dtype=blocks.dtype, device=blocks.device)


def weighted_mean(blocks: Array, weights: Array) -> Array:
    """Means (..., rows, columns) of a block field by given weights (..., rows, factor) of each cell's rows, summing to 1."""
    factor = blocks.shape[-1]
    across = sum(blocks[..., column] for column in range(factor))  # .sum(-1) of so few takes long
    return (across * weights[..., None]).sum(-2) / factor


def area_mean(field: Array, grid: Grid, factor: int = 3) -> Array:
    """Area means over the cells of the coarse ``grid`` of a field on ``grid.refine(factor)``.

    Args:
        field: (..., fine rows, fine columns), any unit; NaN anywhere in a cell makes its mean NaN.
        grid: the coarse grid.
        factor: the refinement between them.

    Returns:
        (..., grid.rows, grid.columns).
    """
    return block_mean(to_blocks(field, grid, factor), grid, pole_row=True)


def conserve_blocks(coarse: Array, log_shape: Array, grid: Grid) -> Array:
    """The conservation layer on a block field: y_j = C exp(b_j) / sum_k w_k exp(b_k).

    Args:
        coarse: (..., rows, columns) the cells' values C, not negative.
        log_shape: (..., rows, factor, columns, factor) any log-field b: what it adds to a whole cell cancels.
        grid: the coarse grid.

    Returns:
        Block field whose area means are C: never negative, zero where C is zero, NaN where C is NaN, at most C / w_j.
        The pole's own node has the value of its coarse node.
    """
    return pin_poles(distribute(coarse, log_shape, _weights_like(log_shape, grid)), coarse, grid)


def distribute(coarse: Array, log_shape: Array, weights: Array) -> Array:
    """The conservation layer without a grid, as training needs it, where each field of a batch has its own latitudes.

    Args:
        coarse: (..., rows, columns).
        log_shape: (..., rows, factor, columns, factor).
        weights: (..., rows, factor) share of a cell's area in each of its rows of fine cells.
    """
    xp = namespace(log_shape)
    shape = xp.exp(log_shape - xp.amax(log_shape, axis=(-3, -1), keepdims=True))
    return shape * (coarse / weighted_mean(shape, weights))[..., :, None, :, None]


def conserve(coarse: Array, log_field: Array, grid: Grid, factor: int = 3) -> Array:
    """The conservation layer on fields: the area means of the result over ``grid``'s cells are ``coarse``.

    Args:
        coarse: (..., grid.rows, grid.columns), not negative; one value in a pole row.
        log_field: (..., fine rows, fine columns) on ``grid.refine(factor)``, any log-field.
        grid: the coarse grid.
        factor: the refinement between them.
    """
    return from_blocks(conserve_blocks(coarse, to_blocks(log_field, grid, factor), grid), grid)
