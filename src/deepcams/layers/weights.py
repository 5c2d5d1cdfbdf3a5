"""Tensors in files: safetensors, with all that is to be known about them as JSON in the header. Never pickle.

A file is written under a temporary name, brought to the disk, and then renamed: a job that is killed leaves the file
before it or the file after it, and nothing between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from deepcams.errors import InputError
from deepcams.io.output import partial
from deepcams.layers.device import CPU
from deepcams.layers.header import DEFAULT_KIND, KEY, read_header

A = TypeVar("A")
N = TypeVar("N", bound=nn.Module)

State = dict[str, Tensor]


def write_weights(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and their metadata whole or not at all; a file of that name is replaced.

    Args:
        path: the file.
        state: tensors by name, on any device.
        metadata: JSON-ready, without NaN.

    Raises:
        OutputError: if it cannot be written.
    """
    # Copies, since safetensors refuses tensors that share memory.
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()
    }
    content = save(tensors, {KEY: json.dumps(metadata, sort_keys=True, allow_nan=False)})
    with partial(path, overwrite=True) as temporary, temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        # A rename may reach the disk before the bytes do: without this, a power cut could leave an empty file.
        os.fsync(stream.fileno())


def read_weights(path: Path) -> tuple[State, dict[str, Any]]:
    """The tensors of a file, on the CPU, and their metadata.

    Raises:
        InputError: if there is no such file, it is truncated, not safetensors, or not from deepcams.
    """
    header = read_header(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in list(file.keys())}, header
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch or make it again") from error


def load_network(
    path: Path, kind: str, architecture: Callable[..., A], network: Callable[[A], N], device: str = CPU
) -> N:
    """The network in a file that ``deepcams train`` wrote, ready for use.

    Args:
        path: the file.
        kind: what it must be, as ``network.kind`` in a configuration says.
        architecture: the dataclass of its sizes.
        network: makes one of such sizes.
        device: where it is to compute.

    Raises:
        InputError: if the file is not one of ours, of another kind, or of another architecture than it says.
    """
    state, metadata = read_weights(path)
    found = metadata.get("kind", DEFAULT_KIND)
    if found != kind:
        raise InputError(f"{path}: weights of a network of the kind {found!r}; wanted {kind!r}: give them to the method that "
                         "they are for")  # fmt: skip
    module = network(_architecture_of(metadata, path, architecture))
    load_strict(module, state, str(path))
    return module.eval().requires_grad_(False).to(device)


def _architecture_of(metadata: Mapping[str, Any], label: Path, architecture: Callable[..., A]) -> A:
    """The sizes of a network that a file's metadata state.

    Raises:
        InputError: if they state none, or such as no network of this version has.
    """
    try:
        return architecture(**metadata["architecture"])
    except (KeyError, TypeError, InputError):
        found = metadata.get("architecture", "no architecture")
        wanted = vars(architecture())
        raise InputError(f"{label}: states {found}: wanted {wanted}, or other numbers; these weights are not of a network of "
                         "this version") from None  # fmt: skip


def load_strict(module: nn.Module, state: Mapping[str, Tensor], label: str) -> None:
    """Give a module its weights, all of them and no others.

    Args:
        module: changed in place.
        state: tensors by name, as ``module.state_dict()`` has them.
        label: what to call the weights in messages.

    Raises:
        InputError: naming the first tensor that is missing, has another shape, or is not the module's.
    """
    wanted = module.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise InputError(f"{label}: has no tensor {name!r}, which the network has: weights of another architecture")
        if state[name].shape != tensor.shape:
            raise InputError(f"{label}: tensor {name!r} has shape {tuple(state[name].shape)}, and the network's "
                             f"has {tuple(tensor.shape)}: weights of another architecture")  # fmt: skip
    for name in state:
        if name not in wanted:
            raise InputError(
                f"{label}: has a tensor {name!r}, which the network lacks: weights of another architecture"
            )
    module.load_state_dict(dict(state), strict=True)
