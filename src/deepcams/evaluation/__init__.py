"""Scores of methods against hourly fine truth; here the contenders: every recipe, and the baselines it must beat.

All of them run through the same pipeline; a method that becomes a recipe is a contender without further ado.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.methods import RECIPES, TIME_FIRST, Recipe
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
    )
}


def contenders(names: Sequence[str] = (), *, against: str = REFERENCE) -> list[Recipe]:
    """The baselines and recipes of these names, or all of them that can run here, with the reference among them.

    Raises:
        InputError: for a name that does not exist; the message names those that do.
    """
    known = BASELINES | RECIPES
    unknown = [name for name in (*names, against) if name not in known]
    if unknown:
        raise InputError(f"contender {unknown[0]!r} does not exist: wanted one of {', '.join(known)}")
    chosen = {against, *(names or known.keys() - set(_without_torch()))}
    return [recipe for name, recipe in known.items() if name in chosen]


def notes_on(names: Sequence[str], recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """What a reader should know of the contenders: which were trained, and which are left out.

    Args:
        names: those asked for; none for all.
        recipes: those that are judged.
    """
    trained = [recipe.name for recipe in recipes if recipe.space.weights is not None]
    left_out = [name for name in _without_torch() if name not in (recipe.name for recipe in recipes)]
    notes = [f"{name} was trained: on the data of its training (its model card names them) its scores are not held out"
             for name in trained]  # fmt: skip
    notes += [f"{name} is left out: it needs torch, which is not installed" for name in left_out if not names]
    return tuple(notes)


def _without_torch() -> list[str]:
    """The recipes that cannot run here because torch is not installed."""
    if find_spec("torch") is not None:
        return []
    return [name for name, recipe in RECIPES.items() if recipe.space.weights is not None]
