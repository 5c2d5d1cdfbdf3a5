"""The recipes that ``--method`` names: which way in space, which way in time, and which first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from deepcams.errors import InputError
from deepcams.provenance import sha256_of
from deepcams.spatial import SPATIAL, trained
from deepcams.spatial.scene import SpatialMethod
from deepcams.temporal import TEMPORAL, TemporalMethod

SPACE_FIRST, TIME_FIRST = "space-first", "time-first"
ORDERS = (SPACE_FIRST, TIME_FIRST)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Recipe:
    """A whole method.

    Attributes:
        name: as given on the command line.
        space: how an analysis is sharpened.
        time: how the hours between two are made.
        order: ``space-first`` sharpens each analysis once and works in time on the fine grid; ``time-first`` works in
            time on the coarse grid and sharpens every hour (the order of Xiao et al., 2022).
    """

    name: str
    space: SpatialMethod
    time: TemporalMethod
    order: str = SPACE_FIRST

    @property
    def settings(self) -> dict[str, Any]:
        """What identifies the method in provenance."""
        named = {"method": self.name, "space": self.space.name, "time": self.time.name, "order": self.order}
        return named | ({"weights_sha256": sha256_of(self.space.weights)} if self.space.weights else {})


RECIPES: dict[str, Recipe] = {
    one.name: one
    for one in (
        Recipe("deepcams", SPATIAL["network"], TEMPORAL["flow"]),
        Recipe("fast", SPATIAL["lcbp"], TEMPORAL["flow"]),
    )
}
DEFAULT = "deepcams"
UNTRAINED = "fast"  # for what no network is trained on
TRAINED_SPECIES, TRAINED_FACTOR = "pm2p5", 3
CUSTOM = "custom"  # a recipe with exchanged parts


def default(species: str, factor: int) -> str:
    """The name of the recipe for a species and factor when none is asked for."""
    return DEFAULT if (species, factor) == (TRAINED_SPECIES, TRAINED_FACTOR) else UNTRAINED


def recipe(
    name: str = DEFAULT,
    *,
    space: str | None = None,
    time: str | None = None,
    order: str | None = None,
    weights: Path | None = None,
) -> Recipe:
    """A recipe by name, with parts of it exchanged if asked for.

    Raises:
        InputError: for a name that does not exist (the message names those that do), or weights that are not there or
            have no network to go to.
    """
    asked = chosen = _pick(RECIPES, name, "method")
    if space is not None:
        chosen = replace(chosen, space=_pick(SPATIAL, space, "space"))
    if time is not None:
        chosen = replace(chosen, time=_pick(TEMPORAL, time, "time"))
    if order is not None:
        chosen = replace(chosen, order=_pick(dict(zip(ORDERS, ORDERS, strict=True)), order, "order"))
    chosen = chosen if chosen == asked else replace(chosen, name=CUSTOM)
    return chosen if weights is None else with_weights(chosen, weights)


def with_weights(method: Recipe, weights: Path) -> Recipe:
    """A recipe with other weights in its network; its name stays, and its settings tell the weights.

    Raises:
        InputError: if it has no network, or the file is not there.
    """
    if method.space.weights is None:
        raise InputError(
            f"weights {weights} for {method.space.name} in space, which has none: give --method {DEFAULT} with --weights"
        )
    return replace(method, space=trained(weights))


def refuse_untrained(method: Recipe, species: str, factor: int) -> None:
    """Refuse a trained method for what it was not trained on.

    Raises:
        InputError: if the method has trained weights, and the species is not PM2.5 or the factor not 3.
    """
    if method.space.weights is not None and (species, factor) != (TRAINED_SPECIES, TRAINED_FACTOR):
        raise InputError(f"method {method.name} is trained for {TRAINED_SPECIES} made {TRAINED_FACTOR} times as fine, and "
                         f"asked for {species} made {factor} times as fine: use --method {UNTRAINED}")  # fmt: skip


def _pick(choices: dict[str, _T], name: str, what: str) -> _T:
    if name not in choices:
        raise InputError(f"{what} {name!r} does not exist: wanted one of {', '.join(choices)}")
    return choices[name]
