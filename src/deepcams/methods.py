"""The recipes that ``--method`` names: which way in space, which way in time, and which first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from deepcams.errors import InputError
from deepcams.spatial import SPATIAL, SpatialMethod
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
        return {"method": self.name, "space": self.space.name, "time": self.time.name, "order": self.order}


RECIPES: dict[str, Recipe] = {"fast": Recipe("fast", SPATIAL["lcbp"], TEMPORAL["flow"])}
DEFAULT = "fast"
CUSTOM = "custom"  # a recipe with exchanged parts


def recipe(
    name: str = DEFAULT, *, space: str | None = None, time: str | None = None, order: str | None = None
) -> Recipe:
    """A recipe by name, with parts of it exchanged if asked for.

    Raises:
        InputError: for a name that does not exist; the message names those that do.
    """
    asked = chosen = _pick(RECIPES, name, "method")
    if space is not None:
        chosen = replace(chosen, space=_pick(SPATIAL, space, "space"))
    if time is not None:
        chosen = replace(chosen, time=_pick(TEMPORAL, time, "time"))
    if order is not None:
        chosen = replace(chosen, order=_pick(dict(zip(ORDERS, ORDERS, strict=True)), order, "order"))
    return chosen if chosen == asked else replace(chosen, name=CUSTOM)


def _pick(choices: dict[str, _T], name: str, what: str) -> _T:
    if name not in choices:
        raise InputError(f"{what} {name!r} does not exist: wanted one of {', '.join(choices)}")
    return choices[name]
