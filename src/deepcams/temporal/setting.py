"""What a temporal method must know besides the fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepcams.grid import Grid
from deepcams.sphere import Array


@dataclass(frozen=True)
class Analyses:
    """The coarse analyses that two fields come from, and those beyond them.

    Attributes:
        grid: their grid.
        before: (rows, columns) the analysis at the first field's time, finite, not negative.
        after: the one at the second field's time.
        earlier: the one as long before the first as the second is after it; None if there is none.
        later: the one as long after the second; None if there is none.
    """

    grid: Grid
    before: Array
    after: Array
    earlier: Array | None = None
    later: Array | None = None


@dataclass(frozen=True)
class Setting:
    """Where and when two fields stand.

    Attributes:
        grid: the grid of both fields.
        hours: hours from the first to the second.
        epsilon: concentration below which ratios do not count, in the fields' unit.
        start: UTC of the first field; None if it is not known.
        analyses: what the fields come from; None if it is not known. Their grid is the fields' own, or one that the
            fields' grid refines.
    """

    grid: Grid
    hours: float
    epsilon: float
    start: np.datetime64 | None = None
    analyses: Analyses | None = None
