"""Spatial downscaling: a dict of methods by name, each from a :class:`Scene` to a block field."""

from __future__ import annotations

import math
from pathlib import Path

from deepcams.errors import InputError
from deepcams.spatial.interpolation import CUBIC, LINEAR, NEAREST, SPLINE, Kernel, interpolate
from deepcams.spatial.lcbp import sharpen as sharpen_lcbp
from deepcams.spatial.scene import Scene, SpatialMethod
from deepcams.sphere import Array
from deepcams.weights import SPATIAL_WEIGHTS


def _lcbp(scene: Scene) -> Array:
    return sharpen_lcbp(scene.coarse, scene.grid, scene.factor, epsilon=scene.epsilon)


def _plain(name: str, kernel: Kernel, conserving: bool) -> SpatialMethod:
    def sharpen(scene: Scene) -> Array:
        return interpolate(scene.coarse, scene.grid, scene.factor, kernel=kernel, conserving=conserving)

    return SpatialMethod(name, sharpen, conserving, kernel.halo)


def trained(weights: Path) -> SpatialMethod:
    """Our network with the weights of a file.

    Raises:
        InputError: if there is no such file; what is in it is looked at when it is used.
    """
    if not weights.is_file():
        raise InputError(f"{weights}: no such file; wanted weights written by deepcams train (.safetensors)")

    def sharpen(scene: Scene) -> Array:
        from deepcams.spatial import network  # torch: only for those who use it

        return network.sharpen(scene, network.load(weights))

    return SpatialMethod("network", sharpen, True, math.inf, context=1, weights=weights)


SPATIAL: dict[str, SpatialMethod] = {
    method.name: method
    for method in (
        _plain("nearest", NEAREST, True),
        _plain("bilinear", LINEAR, False),
        _plain("bilinear-conserving", LINEAR, True),
        _plain("bicubic", CUBIC, False),
        _plain("bicubic-conserving", CUBIC, True),
        SpatialMethod("lcbp", _lcbp, True, SPLINE.halo + 4),
        trained(SPATIAL_WEIGHTS),
    )
}
