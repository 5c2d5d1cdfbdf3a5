"""Where the values of a picture come from, in words: the line of small print above the attribution."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_CORRECTED = "corrected with stations"


def origin(attributes: Mapping[str, Any], files: Sequence[str]) -> str:
    """The files of a result and what made them, as far as they tell.

    Args:
        attributes: global attributes, as deepcams writes them; other files have none of them.
        files: paths or names.

    Returns:
        Like ``hourly.zarr: deepcams 0.1.0, network in space, network in time; from 2019-12.nc``, without a full stop.
    """
    made = [f"deepcams {attributes['deepcams_version']}"] if "deepcams_version" in attributes else []
    settings = _settings(attributes)
    made += [f"{settings[way]} in {way}" for way in ("space", "time") if isinstance(settings.get(way), str)]
    made += [_CORRECTED] * ("deepcams_calibration" in attributes)
    inputs = [name for name in str(attributes.get("deepcams_inputs", "")).split(", ") if name]
    told = f"{several(files)}: {', '.join(made)}" if made else several(files)
    return f"{told}; from {several(inputs)}" if inputs else told


def several(files: Sequence[str]) -> str:
    """The name of the first file, and how many more there are."""
    return Path(files[0]).name + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def _settings(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The method; nothing if the files do not say it, or say it in no known way."""
    try:
        said = json.loads(str(attributes.get("deepcams_settings", "{}")))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
