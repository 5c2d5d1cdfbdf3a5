"""Fields moved by a displacement: fetched from where they came from, or thrown to where they go.

Both take the whole nodes of a displacement apart from the rest before they meet a position, so that what a node gets
does not depend on where the node is: a displacement of zero gives the field back bit for bit, and turning the globe
turns the result.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor


def warp(field: Tensor, u: Tensor, *, wraps: bool = False) -> Tensor:
    """The field fetched from each node displaced by u: bilinear, never beyond the values it is made of.

    Args:
        field: (batch, channels, rows, columns).
        u: (batch, 2, rows, columns) eastwards and southwards, in nodes; its precision is that of the positions.
        wraps: whether the columns go all around. Other edges are replicated.

    Returns:
        (batch, channels, rows, columns).
    """
    channels, rows, columns = field.shape[1:]
    floor = u.detach().floor()
    east, south = torch.split((u - floor).to(field.dtype), 1, dim=1)
    column, row = _nodes(floor)
    flat = field.flatten(2)

    def fetch(down: int, right: int) -> Tensor:
        place = (row + down).clamp(0, rows - 1) * columns + _within(column + right, columns, wraps)
        return flat.gather(2, place.flatten(1)[:, None].expand(-1, channels, -1)).reshape(field.shape)

    north_row, south_row = (torch.lerp(fetch(down, 0), fetch(down, 1), east) for down in (0, 1))
    return torch.lerp(north_row, south_row, south)


def splat(field: Tensor, u: Tensor, *, wraps: bool = False) -> Tensor:
    """The sum of what arrives at each node when every value is thrown from its node by u.

    A value is spread over the 3 x 3 nodes around its arrival by a quadratic B-spline: nearly a Gaussian (variance 1/4),
    with a sum of one, and without a jump where the nearest node becomes another.

    Args:
        field: (batch, channels, rows, columns).
        u: (batch, 2, rows, columns) eastwards and southwards, in nodes.
        wraps: whether the columns go all around. What is thrown beyond other edges is lost.

    Returns:
        (batch, channels, rows, columns).
    """
    channels, rows, columns = field.shape[1:]
    nearest = u.detach().round()
    offset = u - nearest
    column, row = _nodes(nearest)
    arrived = torch.zeros_like(field).flatten(2)
    for down, right in product((-1, 0, 1), repeat=2):
        to_row, to_column = row + down, column + right
        inside = (to_row >= 0) & (to_row < rows) & (wraps | (to_column >= 0) & (to_column < columns))
        weight = _spline(offset[:, :1] - right) * _spline(offset[:, 1:] - down) * inside[:, None]
        place = to_row.clamp(0, rows - 1) * columns + _within(to_column, columns, wraps)
        index = place.flatten(1)[:, None].expand(-1, channels, -1)
        arrived = arrived.scatter_add(2, index, (field * weight).flatten(2))
    return arrived.reshape(field.shape)


def _nodes(whole: Tensor) -> tuple[Tensor, Tensor]:
    """The column and the row (batch, rows, columns) that lie whole nodes (batch, 2, rows, columns) from each node."""
    rows, columns = whole.shape[-2:]
    steps = whole.long()
    column = steps[:, 0] + torch.arange(columns, device=whole.device)
    return column, steps[:, 1] + torch.arange(rows, device=whole.device)[:, None]


def _within(column: Tensor, columns: int, wraps: bool) -> Tensor:
    return column % columns if wraps else column.clamp(0, columns - 1)


def _spline(distance: Tensor) -> Tensor:
    """The quadratic B-spline of distances within 1.5 nodes."""
    away = distance.abs()
    return torch.where(away < 0.5, 0.75 - away**2, (1.5 - away) ** 2 / 2)
