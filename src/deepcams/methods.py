"""The recipes that ``--method`` names: which way in space, which way in time, and which first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from deepcams.errors import InputError
from deepcams.layers.device import CPU, CUDA, check_device, device_of
from deepcams.layers.header import kind_of
from deepcams.provenance import sha256_of
from deepcams.spatial import SPATIAL
from deepcams.spatial import TRAINED as SPATIAL_NETWORKS
from deepcams.spatial.scene import SpatialMethod
from deepcams.temporal import TEMPORAL, TemporalMethod
from deepcams.temporal import TRAINED as TEMPORAL_NETWORKS

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
        notes: what a user should be told about it.
    """

    name: str
    space: SpatialMethod
    time: TemporalMethod
    order: str = SPACE_FIRST
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> str:
        """Where its networks compute: CUDA, if any of them does."""
        return CUDA if CUDA in (self.space.device, self.time.device) else CPU

    @property
    def settings(self) -> dict[str, Any]:
        """What identifies the method in provenance.

        The last bits of a network's result are those of its device, so that one store is never of two. The CPU goes
        without saying.
        """
        named = {"method": self.name, "space": self.space.name, "time": self.time.name, "order": self.order}
        named |= {} if self.device == CPU else {"device": self.device}
        parts = {"space": self.space.weights, "time": self.time.weights}
        return named | {f"{part}_weights_sha256": sha256_of(path) for part, path in parts.items() if path}

    @property
    def is_trained(self) -> bool:
        """Whether it has a network."""
        return self.space.weights is not None or self.time.weights is not None


RECIPES: dict[str, Recipe] = {
    one.name: one
    for one in (
        Recipe("deepcams", SPATIAL["network"], TEMPORAL["network"]),
        Recipe("fast", SPATIAL["lcbp"], TEMPORAL["flow"]),
        Recipe("paper", SPATIAL["abpn"], TEMPORAL["xvfi"], TIME_FIRST),
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
    weights: Sequence[Path] = (),
    device: str = CPU,
) -> Recipe:
    """A recipe by name, with parts of it exchanged if asked for.

    Raises:
        InputError: for a name that does not exist (the message names those that do), weights that are not there or are
            not for one of its networks, or CUDA where there is none.
    """
    asked = chosen = _pick(RECIPES, name, "method")
    if space is not None:
        chosen = replace(chosen, space=_pick(SPATIAL, space, "space"))
    if time is not None:
        chosen = replace(chosen, time=_pick(TEMPORAL, time, "time"))
    if order is not None:
        chosen = replace(chosen, order=_pick(dict(zip(ORDERS, ORDERS, strict=True)), order, "order"))
    chosen = chosen if chosen == asked else replace(chosen, name=CUSTOM)
    for path in weights:
        chosen = with_weights(chosen, path)
    return with_device(chosen, device)


def with_weights(method: Recipe, weights: Path) -> Recipe:
    """A recipe with other weights in one of its networks; its name stays, and its settings tell the weights.

    Raises:
        InputError: if the file is not there, or for none of its networks.
    """
    kind = kind_of(weights)
    if kind == method.space.kind:
        return replace(method, space=SPATIAL_NETWORKS[kind](weights, method.space.device))
    if kind == method.time.kind:
        time = TEMPORAL_NETWORKS[kind](weights, method.time.device)
        return replace(method, time=replace(time, name=method.time.name))
    own = " and ".join(filter(None, (method.space.kind, method.time.kind))) or "none"
    users = [one.name for one in RECIPES.values() if kind in (one.space.kind, one.time.kind)]
    fitting = f"give --method {' or '.join(users)} with them"
    remedy = fitting if users else "no method of this version has such a network"
    raise InputError(f"weights {weights} are for a network of the kind {kind!r}, and the networks of method {method.name} are: "
                     f"{own}; {remedy}")  # fmt: skip


def with_device(method: Recipe, device: str) -> Recipe:
    """A recipe whose networks compute on a device, as far as they gain by it.

    A recipe that has no such network stays as it is, and says so if it was sent to CUDA by name.

    Args:
        method: the recipe.
        device: one of :data:`deepcams.layers.device.DEVICES`; ``auto`` is CUDA where there is one.

    Raises:
        InputError: for another name, or CUDA where there is none.
    """
    check_device(device)
    moved = _moved(method, device) if method.is_trained and device != method.device else method
    if device == CUDA and moved.device == CPU:
        note = f"method {method.name} has no network that computes on CUDA: all of it is computed by the CPU"
        return replace(moved, notes=(*moved.notes, note))
    return moved


def _moved(method: Recipe, device: str) -> Recipe:
    """A recipe with its networks on another device."""
    where, space, time = device_of(device).type, method.space, method.time
    if space.weights is not None:
        space = replace(SPATIAL_NETWORKS[space.kind](space.weights, where), name=space.name)
    if time.weights is not None:
        time = replace(TEMPORAL_NETWORKS[time.kind](time.weights, where), name=time.name)
    return replace(method, space=space, time=time)


def refuse_untrained(method: Recipe, species: str, factor: int) -> None:
    """Refuse a trained method for what it was not trained on.

    Raises:
        InputError: if the method has trained weights and the species is not PM2.5, or it has such in space and the
            factor is not 3.
    """
    fits = species == TRAINED_SPECIES and (method.space.weights is None or factor == TRAINED_FACTOR)
    if method.is_trained and not fits:
        raise InputError(f"method {method.name} is trained for {TRAINED_SPECIES} made {TRAINED_FACTOR} times as fine, and "
                         f"asked for {species} made {factor} times as fine: use --method {UNTRAINED}")  # fmt: skip


def _pick(choices: dict[str, _T], name: str, what: str) -> _T:
    if name not in choices:
        raise InputError(f"{what} {name!r} does not exist: wanted one of {', '.join(choices)}")
    return choices[name]
