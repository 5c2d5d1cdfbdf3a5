"""Spatial downscaling: a dict of methods by name, each from a :class:`Scene` to a block field."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from deepcams.layers.device import CPU
from deepcams.spatial.interpolation import CUBIC, LINEAR, NEAREST, SPLINE, Kernel, interpolate
from deepcams.spatial.lcbp import sharpen as sharpen_lcbp
from deepcams.spatial.scene import Scene, SpatialMethod
from deepcams.sphere import Array
from deepcams.weights import ABPN_WEIGHTS, CORRECTION_WEIGHTS


def _lcbp(scene: Scene) -> Array:
    return sharpen_lcbp(scene.coarse, scene.grid, scene.factor, epsilon=scene.epsilon)


def _plain(name: str, kernel: Kernel, conserving: bool) -> SpatialMethod:
    def sharpen(scene: Scene) -> Array:
        return interpolate(scene.coarse, scene.grid, scene.factor, kernel=kernel, conserving=conserving)

    return SpatialMethod(name, sharpen, conserving, kernel.halo)


def _correction(weights: Path, device: str = CPU) -> SpatialMethod:
    """Our network."""

    def sharpen(scene: Scene) -> Array:
        from deepcams.spatial import network  # torch: only for those who use it

        return network.sharpen(scene, network.load(weights, device))

    return SpatialMethod(
        "network", sharpen, True, math.inf, context=1, weights=weights, kind="correction", device=device
    )


def _abpn(weights: Path, device: str = CPU) -> SpatialMethod:
    """The paper's network."""

    def sharpen(scene: Scene) -> Array:
        from deepcams.spatial import abpn as paper

        return paper.sharpen(scene, paper.load(weights, device))

    return SpatialMethod("abpn", sharpen, True, math.inf, weights=weights, kind="abpn", device=device)


TRAINED: dict[str, Callable[[Path, str], SpatialMethod]] = {"correction": _correction, "abpn": _abpn}

SPATIAL: dict[str, SpatialMethod] = {
    method.name: method
    for method in (
        _plain("nearest", NEAREST, True),
        _plain("bilinear", LINEAR, False),
        _plain("bilinear-conserving", LINEAR, True),
        _plain("bicubic", CUBIC, False),
        _plain("bicubic-conserving", CUBIC, True),
        SpatialMethod("lcbp", _lcbp, True, SPLINE.halo + 4),
        _correction(CORRECTION_WEIGHTS),
        _abpn(ABPN_WEIGHTS),
    )
}
