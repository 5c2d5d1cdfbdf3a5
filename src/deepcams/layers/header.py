"""What a file of weights says of itself, read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from deepcams.errors import InputError

DEFAULT_KIND = "correction"  # of a network whose file or configuration names none, as before there were several
KEY = "deepcams"  # of the header's entry that holds the JSON


def read_header(path: Path) -> dict[str, Any]:
    """The metadata of a file that deepcams wrote.

    Raises:
        InputError: if there is no such file, it is truncated, not safetensors, or not from deepcams.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted weights written by deepcams train (.safetensors)")
    try:
        with safe_open(str(path), framework="numpy") as file:
            return metadata_of(path, file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a whole safetensors file ({error}): it is truncated, damaged or of another kind; "
                         "fetch or make it again") from error  # fmt: skip


def kind_of(path: Path) -> str:
    """The kind of network that the weights in a file are for, as ``network.kind`` in a configuration says.

    Raises:
        InputError: if it is no file of weights.
    """
    return str(read_header(path).get("kind", DEFAULT_KIND))


def metadata_of(path: Path, header: Mapping[str, str]) -> dict[str, Any]:
    """What deepcams wrote into a header.

    Raises:
        InputError: if it wrote nothing.
    """
    try:
        metadata = json.loads(header[KEY])
    except (KeyError, ValueError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InputError(f"{path}: safetensors without the metadata that deepcams writes: these are weights of another "
                         "program, or the header was lost in a conversion; wanted a file of deepcams train")  # fmt: skip
    return metadata
