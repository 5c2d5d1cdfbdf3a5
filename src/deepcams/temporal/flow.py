"""Advection between two analyses: estimate how the pattern moved, carry both ends along, and blend them.

y(t) = (1 - t) W(y0, -t u) + t W(y1, (1 - t) u), with W a bicubic backward warp and u one displacement field in pixels
per interval. u is estimated by dense inverse search (Kroeger et al., ECCV 2016; OpenCV's DIS) on the logarithm of the
field, forwards and backwards, and is trusted only as far as moving the ends explains how they differ, and as winds can
diverge: where the change is a source, a sink or a jump of the analysis, u fades to zero and the method becomes linear
interpolation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.sphere import pad
from deepcams.temporal.linear import blend
from deepcams.temporal.setting import Setting

# The patches are searched one after the other, so OpenCV's result depends on how many threads share an image: with one
# it is always the same. The pipeline runs several intervals at a time instead.
cv2.setNumThreads(1)

_WRAP = 96  # nodes by which a periodic image is repeated on either side
_SCALES = 3  # scales searched: the coarsest halves the finest twice
_STEPS = 12  # of the search in each patch; the preset's 25 take a seventh longer and gain nothing
_LOG_RANGE = (10.0, 1e5)  # multiples of epsilon (0.5 and 5000 ug m-3 for PM2.5) mapped to 8 bits by log(1 + x / low)
_SMALLEST = 24  # nodes: a grid with fewer has no flow
_SPEED = 37.0  # m/s: no pattern at the surface moves faster
_TRUST_RADIUS = 4.0  # degrees over which a flow is judged
_TRUST_GAIN = 1.5  # a flow that explains two thirds of the local change is trusted fully
_DIVERGENCE = 0.12  # per hour: at this (local RMS) divergence a flow is trusted by half
_NOISE = 0.01  # log units: smaller changes are no evidence
_TAPER = 3.0  # degrees from the pole within which the flow fades to zero
_MARGIN = 64  # pixels of padding for the warp: the largest displacement in longitude (near the poles)
_BAND = 64  # rows that are warped at a time
_METRES_PER_DEGREE = 111_195.0

Field = NDArray[Any]  # float32 throughout


def between(before: Field, after: Field, fractions: Sequence[float], setting: Setting) -> list[Field]:
    """Fields (rows, columns) at the given fractions of the interval, by advection of both ends.

    A grid with fewer than 24 rows or columns has no flow: there this is linear interpolation.
    """
    ends = carried_ends(before, after, fractions, setting)
    return [blend(*both, t) for both, t in zip(ends, fractions, strict=True)]


def carried_ends(
    before: Field, after: Field, fractions: Sequence[float], setting: Setting
) -> Iterator[tuple[Field, Field]]:
    """Both ends carried to where the air is at each of the fractions; as they are where the grid has no flow."""
    if not has_flow(setting.grid):
        yield from ((before, after) for _ in fractions)
        return
    u = displacement(before, after, setting)
    first, last = _Warp(before, setting.grid), _Warp(after, setting.grid)
    yield from ((first(u, -t), last(u, 1 - t)) for t in fractions)


def has_flow(grid: Grid) -> bool:
    """Whether the grid is large enough for a displacement field."""
    return min(grid.shape) >= _SMALLEST


def notes(grid: Grid) -> tuple[str, ...]:
    """What a user should be told about this method on a grid."""
    if has_flow(grid):
        return ()
    return (f"a grid of {grid.rows} x {grid.columns} nodes is too small to follow the air: linear in time",)


def displacement(before: Field, after: Field, setting: Setting) -> Field:
    """The displacement (rows, columns, 2) from the first to the second field, in pixels: eastwards, southwards."""
    grid, frame = setting.grid, _Frame(setting.grid)
    logs = [frame.image(_log(field, setting.epsilon)) for field in (before, after)]
    images = [
        np.round(image * np.float32(255 / np.log1p(_LOG_RANGE[1] / _LOG_RANGE[0]))).astype(np.uint8) for image in logs
    ]
    u = (_dis(images[0], images[1]) - _dis(images[1], images[0])) / 2
    u = _limit_speed(u, frame, setting.hours)
    radius = _TRUST_RADIUS / frame.step
    u *= (_explained(logs[0], logs[1], u, radius) * _plausible(u, setting.hours, radius))[..., None]
    taper = np.clip((90 - np.abs(grid.latitude)) / _TAPER, 0, 1).astype(np.float32)
    return np.clip(frame.cut(u), 4 - _MARGIN, _MARGIN - 4) * taper[:, None, None]


@dataclass(frozen=True)
class _Frame:
    """How a field becomes the image that is searched.

    A periodic image is repeated on both sides; edges are repeated to whole pixels of all scales. Fields finer than half
    a degree are searched at half their resolution.
    """

    grid: Grid

    @property
    def halved(self) -> bool:
        """Whether a pixel of the image is 2 x 2 nodes."""
        return self.grid.step < 0.5

    @property
    def wrap(self) -> int:
        """Columns by which the image is repeated on either side."""
        return min(_WRAP, self.grid.columns) if self.grid.periodic else 0

    @property
    def step(self) -> float:
        """Degrees between the image's pixels."""
        return self.grid.step * (1 + self.halved)

    def image(self, field: Field) -> Field:
        """The image of a field (rows, columns)."""
        unit = 2 ** (_SCALES - 1 + self.halved)
        wrapped = np.concatenate([field[:, -self.wrap :], field, field[:, : self.wrap]], axis=1) if self.wrap else field
        rest = [(0, max(-length % unit, 8 * unit - length)) for length in wrapped.shape]
        image = np.pad(wrapped, rest, mode="edge")
        if self.halved:
            image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
        return image

    def cut(self, u: Field) -> Field:
        """The displacement on the field's nodes, in its pixels, from the one on the image's."""
        if self.halved:
            u = cv2.resize(u * 2, (u.shape[1] * 2, u.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
        return u[: self.grid.rows, self.wrap : self.wrap + self.grid.columns]

    def latitudes(self, rows: int) -> NDArray[np.float64]:
        """(rows,) latitudes of the image's pixels, cut at the poles."""
        first = self.grid.north - self.halved * self.grid.step / 2
        return np.clip(first - self.step * np.arange(rows), -90, 90)


def _log(field: Field, epsilon: float) -> Field:
    """log(1 + x / low) within the range that 8 bits are to show."""
    low, high = (np.float32(epsilon * multiple) for multiple in _LOG_RANGE)
    return np.log1p(np.clip(field, 0, high) / low)


def _dis(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> Field:
    """DIS displacement (rows, columns, 2) from source to target: medium preset with half the steps, all scales."""
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setGradientDescentIterations(_STEPS)
    search.setCoarsestScale(_SCALES - 1)
    return search.calc(source, target, None)


def _limit_speed(u: Field, frame: _Frame, hours: float) -> Field:
    """The displacement, no faster than the wind blows."""
    metres = np.float32(_METRES_PER_DEGREE * frame.step)
    narrowing = np.cos(np.deg2rad(frame.latitudes(u.shape[0]))).astype(np.float32)[:, None]
    distance = np.sqrt((u[..., 0] * (metres * narrowing)) ** 2 + (u[..., 1] * metres) ** 2)
    return u * np.minimum(1, _SPEED * 3600 * hours / np.maximum(distance, 1))[..., None].astype(np.float32)


def _explained(before: Field, after: Field, u: Field, radius: float) -> Field:
    """(rows, columns) in 0..1: how much of the local change between two log images moving by u explains."""
    moved = (_remap(before, -u / 2) - _remap(after, u / 2)) ** 2
    change, left = _blur((before - after) ** 2, radius), _blur(moved, radius)
    return np.clip(_TRUST_GAIN * (change - left) / (change + np.float32(_NOISE**2)), 0, 1)


def _plausible(u: Field, hours: float, radius: float) -> Field:
    """(rows, columns) in 0..1: small where u runs together or apart as no wind does, but a source or sink would seem to."""
    divergence = np.gradient(u[..., 0], axis=1) + np.gradient(u[..., 1], axis=0)
    return 1 / (1 + _blur(divergence**2, radius) / np.float32(_DIVERGENCE * hours) ** 2)


def _blur(image: Field, radius: float) -> Field:
    return cv2.GaussianBlur(image, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)


def _remap(image: Field, u: Field) -> Field:
    return cv2.remap(image, u, None, cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP, borderMode=cv2.BORDER_REPLICATE)


class _Warp:
    """A field ready to be fetched from displaced positions, across the date line and the poles.

    Bicubic, and limited to the smallest and largest of the 4 x 4 pixels used: no negatives, no new peaks. Where the
    displacement is zero the field comes back unchanged.
    """

    def __init__(self, field: Field, grid: Grid) -> None:
        padded = pad(field, grid, _MARGIN, _MARGIN)
        around = np.ones((4, 4), np.uint8)
        self._field = padded
        self._low = cv2.erode(padded, around, anchor=(1, 1))
        self._high = cv2.dilate(padded, around, anchor=(2, 2))

    def __call__(self, u: Field, share: float) -> Field:
        """(rows, columns) the field at each pixel displaced by a share of u (rows, columns, 2)."""
        moved = np.empty(u.shape[:2], np.float32)
        for first in range(0, len(u), _BAND):
            rows = slice(first, first + _BAND)
            moved[rows] = self._band(first, u[rows] * np.float32(share))
        return moved

    def _band(self, first: int, u: Field) -> Field:
        """The same for the rows from the first one on: few enough that all that is made stays in the cache."""
        u += _MARGIN
        rows, corner = slice(first, first + len(u) + 2 * _MARGIN), u.astype(np.int16)
        moved = cv2.remap(self._field[rows], u, None, cv2.INTER_CUBIC | cv2.WARP_RELATIVE_MAP)
        for limit, cut in ((self._low, np.maximum), (self._high, np.minimum)):
            cut(moved, cv2.remap(limit[rows], corner, None, cv2.INTER_NEAREST | cv2.WARP_RELATIVE_MAP), out=moved)
        return moved
