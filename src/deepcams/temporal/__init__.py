"""Temporal downscaling: a dict of methods by name.

Each is called as ``between(before, after, fractions, setting)``: the fields (rows, columns) at the two analyses, finite
and not negative; the times asked for as fractions of the interval, strictly within (0, 1); the :class:`Setting` they
live in. It gives one field for each fraction, not negative; without a network, never below the smallest nor above the
largest value of its two ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.layers.device import CPU
from deepcams.temporal.flow import between as flow_between
from deepcams.temporal.flow import notes as flow_notes
from deepcams.temporal.linear import between as linear_between
from deepcams.temporal.setting import Setting
from deepcams.weights import DEFORMABLE_WEIGHTS, PROGRESS_WEIGHTS, XVFI_WEIGHTS

Field = NDArray[Any]  # float32 throughout
Between = Callable[[Field, Field, Sequence[float], Setting], list[Field]]


@dataclass(frozen=True)
class TemporalMethod:
    """One way from two analyses to the hours between them.

    Attributes:
        name: as given on the command line.
        between: ``(before, after, fractions, setting) -> fields``.
        halo: nodes (of the grid it works on) beyond a window that can change its result; infinite if all of them can.
        notes: what a user should be told about the method on a grid.
        context: analyses beyond the two that it looks at (``setting.analyses``), if there are any.
        weights: the file of a trained method's weights: it is for what they were trained on, PM2.5 in ug m-3.
        kind: of network that the weights must be for.
        device: where the network computes.
    """

    name: str
    between: Between
    halo: float
    notes: Callable[[Grid], tuple[str, ...]] = lambda grid: ()
    context: int = 0
    weights: Path | None = None
    kind: str = ""
    device: str = CPU


def _progress(weights: Path, device: str = CPU) -> TemporalMethod:
    """The flow with our network, which is on the CPU whatever is asked for: with 1202 parameters, a card gains it nothing."""

    def between(before: Field, after: Field, fractions: Sequence[float], setting: Setting) -> list[Field]:
        from deepcams.temporal import network  # torch: only for those who use it

        return network.between(before, after, fractions, setting, network.load(weights))

    return TemporalMethod("network", between, math.inf, _progress_notes, context=1, weights=weights, kind="progress")


def _progress_notes(grid: Grid) -> tuple[str, ...]:
    return tuple(f"{note}, but for the time of day over land" for note in flow_notes(grid))


def _xvfi(weights: Path, device: str = CPU) -> TemporalMethod:
    """The paper's network."""

    def between(before: Field, after: Field, fractions: Sequence[float], setting: Setting) -> list[Field]:
        from deepcams.temporal import xvfi as paper

        return paper.between(before, after, fractions, setting, paper.load(weights, device))

    return TemporalMethod("xvfi", between, math.inf, weights=weights, kind="xvfi", device=device)


TRAINED: dict[str, Callable[[Path, str], TemporalMethod]] = {"progress": _progress, "xvfi": _xvfi}

TEMPORAL: dict[str, TemporalMethod] = {
    method.name: method
    for method in (
        TemporalMethod("linear", linear_between, 0),
        TemporalMethod("flow", flow_between, math.inf, flow_notes),
        _progress(PROGRESS_WEIGHTS),
        _xvfi(XVFI_WEIGHTS),
        replace(_xvfi(DEFORMABLE_WEIGHTS), name="xvfi-deformable"),
    )
}
