"""The coastlines that ship with the package: Natural Earth 4.1 (public domain), so that maps need no download.

``coastlines.npz`` is made by ``tools/make_coastlines.py``: for each scale one flat array of points in hundredths of a
degree and the index of each line's first point. Lines run on across the date line instead of jumping.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

Points = NDArray[np.float64]

SCALES = ("110m", "50m")
_REGIONAL_WIDTH = 180  # degrees; wider maps have room for the coarse coastlines only
_HUNDREDTHS = 100


def coastline_scale(width: float) -> str:
    """The scale of coastlines, one of ``SCALES``, that suits a map ``width`` degrees of longitude wide."""
    return "50m" if width <= _REGIONAL_WIDTH else "110m"


def coastlines(
    west: float, east: float, south: float = -90.0, north: float = 90.0, *, scale: str | None = None
) -> list[Points]:
    """The coastlines that meet a map, in the map's own longitudes.

    Longitudes have period 360: each line comes as often as it meets the map, moved by whole turns, whether the map
    runs over -180..180, 0..360 or 350..390. Lines are not cut at the map's edges.

    Args:
        west: longitude of the map's western edge in degrees.
        east: longitude of its eastern edge, larger than ``west``.
        south: latitude of its southern edge in degrees.
        north: latitude of its northern edge.
        scale: ``"110m"`` or ``"50m"``; by default the one that suits the map's width.

    Returns:
        Lines, each (points, 2): longitude and latitude in degrees.

    Raises:
        InputError: for a scale that is not bundled, or edges in the wrong order.
    """
    if east <= west or north <= south:
        raise InputError(
            f"map from {west:g} to {east:g}E and {south:g} to {north:g}N: wanted west < east, south < north"
        )
    lines, boxes = _load(scale or coastline_scale(east - west))
    in_latitude = (boxes[:, 2] < north) & (boxes[:, 3] > south)
    found: list[Points] = []
    for turn in _turns(west, east):
        meets = in_latitude & (boxes[:, 0] + turn < east) & (boxes[:, 1] + turn > west)
        found += [lines[index] + (turn, 0.0) for index in np.flatnonzero(meets)]
    return found


def _turns(west: float, east: float) -> range:
    """The multiples of 360 by which a line that lies within -360..360 may have to be moved to meet west..east."""
    return range(360 * int(west // 360 - 1), 360 * int(east // 360 + 1) + 1, 360)


@cache
def _load(scale: str) -> tuple[list[Points], NDArray[np.float64]]:
    """The lines of a scale, and (lines, 4) their west, east, south and north ends in degrees."""
    if scale not in SCALES:
        raise InputError(f"no coastlines of scale {scale!r}: wanted one of {', '.join(SCALES)}")
    with (files("deepcams.plot") / "coastlines.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        points, starts = arrays[f"points_{scale}"] / _HUNDREDTHS, arrays[f"starts_{scale}"]
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
    return np.split(points, starts[1:]), boxes
