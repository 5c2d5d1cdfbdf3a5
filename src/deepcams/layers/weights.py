"""Tensors in files: safetensors, with all that is to be known about them as JSON in the header. Never pickle.

A file is written under a temporary name, brought to the disk, and then renamed: a job that is killed leaves the file
before it or the file after it, and nothing between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from deepcams.errors import InputError
from deepcams.io.output import partial

_KEY = "deepcams"  # of the header's entry that holds the JSON

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
    content = save(tensors, {_KEY: json.dumps(metadata, sort_keys=True, allow_nan=False)})
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
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted weights written by deepcams train (.safetensors)")
    try:
        with safe_open(str(path), framework="pt") as file:
            header: dict[str, str] = file.metadata() or {}
            names: list[str] = list(file.keys())
            state = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a whole safetensors file ({error}): it is truncated, damaged or of another kind; "
                         "fetch or make it again") from error  # fmt: skip
    return state, _metadata(path, header)


def _metadata(path: Path, header: Mapping[str, str]) -> dict[str, Any]:
    try:
        metadata = json.loads(header[_KEY])
    except (KeyError, ValueError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InputError(f"{path}: safetensors without the metadata that deepcams writes: these are weights of another "
                         "program, or the header was lost in a conversion; wanted a file of deepcams train")  # fmt: skip
    return metadata


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
