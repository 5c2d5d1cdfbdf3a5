"""What every map panel has: cells in their places, coastlines above them, degrees at its edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deepcams.grid import Grid
from deepcams.plot.coastlines import coastlines
from deepcams.plot.fields import Extent
from deepcams.plot.figures import INK
from deepcams.plot.sheet import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

SMALL = 8.0  # points

_DEGREE_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0)
_LABEL_ROOM = (0.52, 0.40)  # inches from one longitude, or latitude, to the next
_COAST_STROKES = (("#ffffff66", 1.1), (INK, 0.45))  # the pale one below keeps a coast visible on dark cells


def draw_cells(axes: Axes, values: Any, grid: Grid, extent: Extent, colours: Colormap, norm: Normalize) -> None:
    """Draw each cell of a field in one colour from edge to edge, the coastlines above it, cut to an extent.

    Args:
        axes: where to draw.
        values: (rows, columns) on the grid; NaN is drawn as missing.
        grid: of the field.
        extent: the edges of the map, in the grid's longitudes.
        colours: the colour map.
        norm: from values to the colour map.
    """
    from matplotlib.collections import LineCollection

    axes.imshow(values, extent=_cell_edges(grid), cmap=colours, norm=norm, interpolation="nearest", aspect="auto",
                origin="upper")  # fmt: skip
    lines = coastlines(*extent)
    for colour, width in _COAST_STROKES:
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width), autolim=False)
    axes.set_xlim(extent.west, extent.east)
    axes.set_ylim(extent.south, extent.north)


def draw_degrees(axes: Axes, extent: Extent, box: Box, *, latitudes: bool = True, longitudes: bool = True) -> None:
    """Draw ticks at round degrees, as many as there is room for, with or without labels.

    Args:
        axes: of the map.
        extent: its edges.
        box: where it stands on the sheet.
        latitudes: whether the latitudes have labels.
        longitudes: whether the longitudes have labels.
    """
    x = _round_degrees(extent.west, extent.east, most=box.width / _LABEL_ROOM[0])
    y = _round_degrees(extent.south, extent.north, most=box.height / _LABEL_ROOM[1])
    axes.set_xticks(x, [_degrees(value, "EW") for value in x])
    axes.set_yticks(y, [_degrees(value, "NS") for value in y])
    axes.tick_params(labelsize=SMALL, length=3, labelleft=latitudes, labelbottom=longitudes)


def _cell_edges(grid: Grid) -> Extent:
    """The edges of a grid's cells, pole rows as whole cells: the map ends at the pole and cuts them."""
    half = grid.step / 2
    west, east = float(grid.longitude[0]), float(grid.longitude[-1])
    return Extent(west - half, east + half, grid.south - half, grid.north + half)


def _round_degrees(low: float, high: float, *, most: float) -> list[float]:
    """Multiples of a round step from low to high, at most so many if there is a step for it."""
    step = next((step for step in _DEGREE_STEPS if (high - low) / step <= most), _DEGREE_STEPS[-1])
    return [round(step * index, 6) for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _degrees(value: float, signs: str) -> str:
    """A coordinate for people: 190 with the signs ``EW`` is 170°W."""
    value = round((value + 180) % 360 - 180, 6)
    return f"{abs(value):g}°" + ("" if value in (0, -180) else signs[value < 0])
