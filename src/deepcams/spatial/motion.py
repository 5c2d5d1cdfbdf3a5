"""How the air moved between two analyses, exactly alike wherever on the globe it did.

Plumes move by fractions of a coarse cell from one analysis to the next, so that the analyses beside one know something
of what lies within its cells (multi-frame super-resolution). To use it they must be carried to where the air is now. The
flow that makes the hours between (:mod:`deepcams.temporal.flow`) searches patches on a lattice: turn the globe, and the
patches stand elsewhere. Sharpening must not depend on that. Here every node is treated alike: least squares in a
window around it (Lucas and Kanade, IJCAI 1981), iterated, symmetric in the two fields, on images and gradients freed
of their window's mean, so that a field that grows everywhere is not taken for one that moves.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.sphere import pad

Field = NDArray[Any]  # float32 throughout

MARGIN = 48  # fine nodes around a field that are computed with it, so that its edges see across the date line and poles
_LOW = 0.5  # ug m-3: the images are log(1 + x / low)
_SMOOTHING = 1.5  # nodes, standard deviation
_WINDOW = 15  # nodes on a side: an odd number of coarse cells
_ITERATIONS = 4
_APART = 3  # nodes between those for which the displacement is found: a coarse cell, so that turning by cells changes nothing
_NOISE = 1e-3  # added to squared gradients: where nothing is seen, nothing moves
_LONGEST = 24.0  # nodes
_STEP = 2.0  # nodes that one iteration may add


def displacement(before: Field, after: Field, grid: Grid) -> Field:
    """The displacement from the first field to the second, by where it is half-way.

    Args:
        before: (rows, columns) ug m-3, finite, not negative.
        after: the same, later.
        grid: the grid of both.

    Returns:
        (rows, columns, 2) eastwards and southwards, in nodes. Exchanging the fields changes its sign.
    """
    one, other = (_image(field, grid) for field in (before, after))
    u = _smooth(_correction(one, other))
    for _ in range(_ITERATIONS - 1):
        half = _refined(u / 2)
        u = _smooth(u + _correction(carry(one, -half), carry(other, half)))
    return _refined(u)[MARGIN : MARGIN + grid.rows, MARGIN : MARGIN + grid.columns]


def _image(field: Field, grid: Grid) -> Field:
    """The smoothed logarithm of a field with its surroundings, widened to whole coarse cells."""
    logarithm = np.log1p(_widened(field, grid) / np.float32(_LOW))
    whole = np.pad(logarithm, [(0, -size % _APART) for size in logarithm.shape], mode="edge")
    return cv2.GaussianBlur(whole, (0, 0), _SMOOTHING, borderType=cv2.BORDER_REPLICATE)


def _refined(u: Field) -> Field:
    """A displacement at every node, from that in the middle of every coarse cell."""
    rows, columns = u.shape[:2]
    return cv2.resize(u, (columns * _APART, rows * _APART), interpolation=cv2.INTER_LINEAR)


def carried(field: Field, u: Field, grid: Grid) -> Field:
    """The field (rows, columns) fetched from each node displaced by u (rows, columns, 2), also from beyond its edges.

    Linear, and at positions that are never rounded as in :func:`carry`: a step of a 32nd of a node would show.
    """
    image = _widened(field, grid)
    whole = np.floor(u)
    corner = whole.astype(np.int16)
    corner += MARGIN
    east, south = cv2.split(np.subtract(u, whole, out=whole))

    def fetch(down: int, right: int) -> Field:
        return cv2.remap(image[down:, right:], corner, None, cv2.INTER_NEAREST | cv2.WARP_RELATIVE_MAP)

    north_row, south_row = (_mix(fetch(down, 0), fetch(down, 1), east) for down in (0, 1))
    return _mix(north_row, south_row, south)


def _mix(first: Field, last: Field, share: Field) -> Field:
    """(1 - share) first + share last, in place of the last."""
    last -= first
    last *= share
    last += first
    return last


def _widened(field: Field, grid: Grid) -> Field:
    """A field with :data:`MARGIN` nodes around it, across the date line and the poles."""
    return np.ascontiguousarray(pad(field, grid, MARGIN, MARGIN), np.float32)


def carry(image: Field, u: Field) -> Field:
    """The image (rows, columns) fetched from each node displaced by u (rows, columns, 2); linear, edges replicated.

    OpenCV before version 5 rounds positions to a 32nd of a node: by the displacement alone and not by where a node is, so
    that a turned image is fetched alike.
    """
    return cv2.remap(image, u, None, cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP, borderMode=cv2.BORDER_REPLICATE)


def _correction(one: Field, other: Field) -> Field:
    """(coarse rows, coarse columns, 2) the further displacement that least squares around each cell's middle finds."""
    middle, change = (one + other) / 2, other - one
    x, y = (cv2.Sobel(middle, cv2.CV_32F, *axis, ksize=1, scale=0.5) for axis in ((1, 0), (0, 1)))
    mean_x, mean_y, mean_change = (_around(field) for field in (x, y, change))
    xx = _around(x * x) - mean_x * mean_x + np.float32(_NOISE)
    yy = _around(y * y) - mean_y * mean_y + np.float32(_NOISE)
    xy = _around(x * y) - mean_x * mean_y
    xt = _around(x * change) - mean_x * mean_change
    yt = _around(y * change) - mean_y * mean_change
    u = np.stack([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1) / (xx * yy - xy * xy)[..., None]
    return np.clip(u, -_STEP, _STEP)


def _around(field: Field) -> Field:
    """(coarse rows, coarse columns) the mean of a field in the window around each cell's middle."""
    rows, columns = field.shape
    return _mean(cv2.resize(field, (columns // _APART, rows // _APART), interpolation=cv2.INTER_AREA))


def _smooth(u: Field) -> Field:
    """A displacement no longer than can be, and the mean of the cells around."""
    return _mean(np.clip(u, -_LONGEST, _LONGEST))


def _mean(cells: Field) -> Field:
    window = _WINDOW // _APART
    return cv2.blur(cells, (window, window), borderType=cv2.BORDER_REPLICATE)
