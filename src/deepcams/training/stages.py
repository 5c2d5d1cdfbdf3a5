"""The kinds of networks that can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepcams.training.progress import Progress
from deepcams.training.sections import Config
from deepcams.training.spatial import Abpn, Correction
from deepcams.training.stage import Stage
from deepcams.training.temporal import Xvfi

STAGES: dict[str, Callable[[Any], Stage[Any]]] = {
    "correction": Correction,
    "abpn": Abpn,
    "xvfi": Xvfi,
    "progress": Progress,
}


def stage_of(config: Config) -> Stage[Any]:
    """The kind of network that a configuration is for.

    Raises:
        InputError: if its settings do not go together.
    """
    return STAGES[config.network.kind](config)
