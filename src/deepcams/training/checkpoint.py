"""Checkpoints: all that a training needs to go on as if it had never stopped, in one file.

Every step of a training is a function of the state before it and of (seed, step): examples are drawn by number, and
torch's generator is seeded anew at each step. So the state is the weights, their average, the optimiser's moments, the
best weights so far, and a few numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from deepcams.errors import InputError
from deepcams.layers.weights import State, load_strict, read_weights, write_weights
from deepcams.training.config import differing_key

FORMAT, VERSION = "deepcams training checkpoint", 1
_NETWORK, _AVERAGED, _BEST, _OPTIMISER = "network.", "averaged.", "best.", "optimiser."
_COUNT = "step"  # of the optimiser's tensors: the steps that a parameter was moved
_MOMENTS = ("exp_avg", "exp_avg_sq")
_HARMLESS = ("data.files", "data.series", "training.checkpoint_every")  # may change in a training; data have a digest


@dataclass
class Progress:
    """How far a training has come, in numbers.

    Attributes:
        step: steps done.
        best_step: the step of the best validation; 0 before the first one.
        best: its scores by contender and name; empty before the first one.
        latest: the scores of the last validation.
        waited: validations since the best one.
    """

    step: int = 0
    best_step: int = 0
    best: dict[str, dict[str, float]] = field(default_factory=dict)
    latest: dict[str, dict[str, float]] = field(default_factory=dict)
    waited: int = 0


@dataclass
class Learner:
    """What training changes.

    Attributes:
        network: the weights that the optimiser moves.
        averaged: the moving average of them.
        optimiser: its moments.
        best: the averaged weights of the best validation; empty before the first one.
        progress: numbers.
    """

    network: nn.Module
    averaged: nn.Module
    optimiser: Optimizer
    best: State = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)


def save_checkpoint(path: Path, learner: Learner, facts: Mapping[str, Any]) -> None:
    """Write the state, whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        learner: what to keep.
        facts: what the state belongs to, JSON-ready: ``config`` and ``data`` are compared when it is loaded.

    Raises:
        OutputError: if it cannot be written.
    """
    state = _prefixed(_NETWORK, learner.network.state_dict()) | _prefixed(_AVERAGED, learner.averaged.state_dict())
    state |= _prefixed(_BEST, learner.best) | _prefixed(_OPTIMISER, _moments(learner))
    header = {"format": FORMAT, "version": VERSION, "progress": asdict(learner.progress), **facts}
    write_weights(path, state, header)


def load_checkpoint(path: Path, learner: Learner, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a learner to the state in a file.

    Args:
        path: the file.
        learner: changed in place; of no use any more if the file does not fit.
        facts: what the state must belong to, as given to :func:`save_checkpoint`.

    Returns:
        The facts in the file.

    Raises:
        InputError: if the file is damaged, of another kind, or belongs to other settings or data; it names the first
            key that differs.
    """
    try:
        state, header = read_weights(path)
    except InputError as error:
        raise InputError(f"{error}; --overwrite begins anew") from error
    _check(path, header, facts)
    progress, moments, best = Progress(**header["progress"]), _within(_OPTIMISER, state), _within(_BEST, state)
    load_strict(learner.network, _within(_NETWORK, state), str(path))
    load_strict(learner.averaged, _within(_AVERAGED, state), str(path))
    if progress.step:
        _require(moments, _shapes_of_moments(learner), f"{path}: of the optimiser")
    if progress.best_step:
        _require(best, _shapes(learner.averaged.state_dict()), f"{path}: of the best weights")
    _load_moments(learner, moments)
    learner.best, learner.progress = best, progress
    return header


def _check(path: Path, header: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of another format, configuration or data."""
    if (header.get("format"), header.get("version")) != (FORMAT, VERSION):
        raise InputError(f"{path}: a {header.get('format')!r} of version {header.get('version')}; wanted a {FORMAT!r} "
                         f"of version {VERSION}; give another --output, or --overwrite to begin anew")  # fmt: skip
    config, progress = header.get("config"), header.get("progress")
    if not (isinstance(config, dict) and isinstance(progress, dict) and _types(progress) == _types(asdict(Progress()))):
        raise InputError(f"{path}: its header does not say how far the training came and with which settings: it is damaged; "
                         "--overwrite begins anew")  # fmt: skip
    key = differing_key(config, facts["config"], ignored=_HARMLESS)
    if key is not None:
        section, _, name = key.partition(".")
        found, wanted = (one["config"].get(section, {}).get(name) for one in (header, facts))
        raise InputError(f"{path}: was made with {key} = {found!r}, and {wanted!r} is asked for: go on with the same "
                         "settings, give another --output, or --overwrite to begin anew")  # fmt: skip
    if header.get("data") != facts["data"]:
        raise InputError(f"{path}: was made with other data (their digest differs): go on with the same data, give another "
                         "--output, or --overwrite to begin anew")  # fmt: skip


def _types(record: Mapping[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in record.items()}


def _moments(learner: Learner) -> State:
    """The optimiser's tensors by the name of their parameter, ``parameter/moment``."""
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in learner.network.named_parameters()}
    return {
        f"{names[parameter]}/{moment}": value
        for parameter, moments in learner.optimiser.state.items()
        for moment, value in moments.items()
    }


def _shapes(state: State) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}


def _shapes_of_moments(learner: Learner) -> dict[str, torch.Size]:
    """The shapes of the optimiser's tensors after a step."""
    shapes = {name: one.shape for name, one in learner.network.named_parameters()}
    counts = {f"{name}/{_COUNT}": torch.Size() for name in shapes}
    return counts | {f"{name}/{moment}": shape for name, shape in shapes.items() for moment in _MOMENTS}


def _require(state: State, shapes: Mapping[str, torch.Size], label: str) -> None:
    """Refuse tensors that are not those wanted: going on without one would train, but to another end."""
    for name in [*shapes, *state]:
        if name not in state or state[name].shape != shapes.get(name):
            raise InputError(f"{label}, the tensor {name!r} is missing, has another shape, or should not be there: the "
                             "checkpoint is damaged; --overwrite begins anew")  # fmt: skip


def _load_moments(learner: Learner, state: State) -> None:
    """Give the optimiser its tensors back; a parameter without any has not been moved yet."""
    parameters = dict(learner.network.named_parameters())
    for key, value in state.items():
        name, _, moment = key.rpartition("/")
        own = parameters[name]
        # Counts stay on the CPU, as AdamW keeps them; moments lie in memory as their parameter does.
        learner.optimiser.state[own][moment] = value.clone() if moment == _COUNT else _like(own, value)


def _like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(value).detach()


def _prefixed(prefix: str, state: Mapping[str, torch.Tensor]) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def _within(prefix: str, state: Mapping[str, torch.Tensor]) -> State:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
