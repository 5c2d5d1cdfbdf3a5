"""What a spatial method is, and what it sees: the analysis to sharpen, and those beside it in time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from deepcams.grid import Grid
from deepcams.layers.device import CPU
from deepcams.sphere import Array


class Memo:
    """What has been found out about an analysis, so that it is found once, by whichever thread comes first.

    An analysis is its own scene, and a neighbour in others: its memo goes along with it.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}
        self._lock = Lock()

    def once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What ``find`` gives, called the first time only; it must not ask another memo that may ask this one."""
        with self._lock:
            if key not in self._found:
                self._found[key] = find()
            return self._found[key]


@dataclass(frozen=True)
class Neighbour:
    """Another analysis of the same place.

    Attributes:
        coarse: (rows, columns) finite, not negative, on the scene's grid.
        hours: from the scene's own time to this one's: negative if it is earlier.
        memo: what is known about it.
    """

    coarse: Array
    hours: float
    memo: Memo = field(default_factory=Memo)


@dataclass(frozen=True)
class Scene:
    """An analysis and what is known around it.

    Attributes:
        coarse: (rows, columns) finite, not negative: the field to sharpen.
        grid: its grid.
        factor: the refinement asked for, odd.
        epsilon: concentration below which ratios do not count, in the field's unit.
        neighbours: the analyses beside it in time, for methods that look at them.
        memo: what is known about it.
    """

    coarse: Array
    grid: Grid
    factor: int
    epsilon: float
    neighbours: tuple[Neighbour, ...] = ()
    memo: Memo = field(default_factory=Memo)


@dataclass(frozen=True)
class SpatialMethod:
    """One way from coarse to fine.

    Attributes:
        name: as given on the command line.
        sharpen: from a scene to its fine block field (see :mod:`deepcams.sphere`).
        conserving: whether the area means of the result are the coarse values.
        halo: coarse nodes beyond a window that can change its result by more than rounding; infinite if all of them can.
        context: analyses on either side that it looks at.
        weights: the file of a trained method's weights: it is for what they were trained on, PM2.5 in ug m-3 made three
            times as fine.
        kind: of network that the weights must be for.
        device: where the network computes.
    """

    name: str
    sharpen: Callable[[Scene], Array]
    conserving: bool
    halo: float
    context: int = 0
    weights: Path | None = None
    kind: str = ""
    device: str = CPU
