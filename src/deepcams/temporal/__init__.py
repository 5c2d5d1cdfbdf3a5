"""Temporal downscaling without a network: a dict of methods by name.

Each is called as ``between(before, after, fractions, setting)``: the fields (rows, columns) at the two analyses, finite
and not negative; the times asked for as fractions of the interval, strictly within (0, 1); the :class:`Setting` they
live in. It gives one field for each fraction, never below the smallest nor above the largest value of its two ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.temporal.flow import between as flow_between
from deepcams.temporal.flow import notes as flow_notes
from deepcams.temporal.linear import between as linear_between
from deepcams.temporal.setting import Setting

Between = Callable[[NDArray, NDArray, Sequence[float], Setting], list[NDArray]]  # type: ignore[type-arg]


@dataclass(frozen=True)
class TemporalMethod:
    """One way from two analyses to the hours between them.

    Attributes:
        name: as given on the command line.
        between: ``(before, after, fractions, setting) -> fields``.
        halo: nodes (of the grid it works on) beyond a window that can change its result; infinite if all of them can.
        notes: what a user should be told about the method on a grid.
    """

    name: str
    between: Between
    halo: float
    notes: Callable[[Grid], tuple[str, ...]] = lambda grid: ()


TEMPORAL: dict[str, TemporalMethod] = {
    method.name: method
    for method in (
        TemporalMethod("linear", linear_between, 0),
        TemporalMethod("flow", flow_between, math.inf, flow_notes),
    )
}
