"""Scores of methods against hourly fine truth; here the contenders: every recipe, and the baselines it must beat.

All of them run through the same pipeline; a method that becomes a recipe is a contender without further ado.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.layers.device import CPU
from deepcams.layers.header import kind_of
from deepcams.methods import DEFAULT, RECIPES, TIME_FIRST, Recipe, with_device, with_weights
from deepcams.spatial import SPATIAL
from deepcams.temporal import TEMPORAL, TemporalMethod, linear
from deepcams.temporal.setting import Setting

REFERENCE = "bicubic+linear"  # what most people do today: CDO's inttime and remapbic


Field = NDArray[np.float32]


def _reversed_linear(before: Field, after: Field, fractions: Sequence[float], setting: Setting) -> list[Field]:
    """Weights exchanged, t before + (1 - t) after: what the published DeepCAMS code calls linear."""
    return linear.between(after, before, fractions, setting)


REVERSED = TemporalMethod("reversed-linear", _reversed_linear, 0)

BASELINES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("nearest+linear", SPATIAL["nearest"], TEMPORAL["linear"]),
        Recipe("bilinear+linear", SPATIAL["bilinear"], TEMPORAL["linear"]),
        Recipe("bicubic+linear", SPATIAL["bicubic"], TEMPORAL["linear"]),
        Recipe("bicubic+reversed", SPATIAL["bicubic"], REVERSED),
        Recipe("lcbp+linear", SPATIAL["lcbp"], TEMPORAL["linear"]),
        Recipe("lcbp+flow time-first", SPATIAL["lcbp"], TEMPORAL["flow"], TIME_FIRST),
        Recipe("lcbp+xvfi", SPATIAL["lcbp"], TEMPORAL["xvfi"], TIME_FIRST),
        Recipe("lcbp+xvfi-deformable", SPATIAL["lcbp"], TEMPORAL["xvfi-deformable"], TIME_FIRST),
    )
}


def contenders(
    names: Sequence[str] = (), *, against: str = REFERENCE, weights: Sequence[Path] = (), device: str = CPU
) -> list[Recipe]:
    """The baselines and recipes of these names, or all of them, with the reference among them.

    Args:
        names: those to judge; none for all.
        against: the reference.
        weights: instead of those that networks come with.
        device: where their networks compute.

    Raises:
        InputError: for a name that does not exist (the message names those that do), weights that cannot be used, or CUDA
            where there is none.
    """
    known = BASELINES | RECIPES
    unknown = [name for name in (*names, against) if name not in known]
    if unknown:
        raise InputError(f"contender {unknown[0]!r} does not exist: wanted one of {', '.join(known)}")
    chosen = [recipe for name, recipe in known.items() if name in {against, *(names or known)}]
    for path in weights:
        chosen = _with_weights(chosen, path)
    return [with_device(recipe, device) for recipe in chosen]


def _with_weights(recipes: list[Recipe], weights: Path) -> list[Recipe]:
    """The recipes, those with a network of the same kind with these weights."""
    kind = kind_of(weights)
    if all(kind not in (recipe.space.kind, recipe.time.kind) for recipe in recipes):
        users = [one.name for one in RECIPES.values() if kind in (one.space.kind, one.time.kind)] or [DEFAULT]
        raise InputError(f"weights {weights} are for a network of the kind {kind!r}, and no contender has one: add --method "
                         f"{' or '.join(users)}")  # fmt: skip
    return [with_weights(one, weights) if kind in (one.space.kind, one.time.kind) else one for one in recipes]


def notes_on(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """What a reader should know of the contenders: which were trained."""
    return tuple(
        f"{recipe.name} was trained: on the data of its training (its model card names them) its scores are not held out"
        for recipe in recipes
        if recipe.is_trained
    )
