"""What a temporal method must know besides the fields."""

from __future__ import annotations

from dataclasses import dataclass

from deepcams.grid import Grid


@dataclass(frozen=True)
class Setting:
    """Where and when two fields stand.

    Attributes:
        grid: the grid of both fields.
        hours: hours from the first to the second.
        epsilon: concentration below which ratios do not count, in the fields' unit.
    """

    grid: Grid
    hours: float
    epsilon: float
