"""What the networks do in a run, each as a piece of work: on one global analysis, or on the interval between two."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from deepcams import open_cams
from deepcams.grid import Grid
from deepcams.sample import cams_sample
from deepcams.spatial import SPATIAL
from deepcams.spatial.scene import Memo, Neighbour, Scene, SpatialMethod
from deepcams.sphere import Array, from_blocks
from deepcams.temporal import TEMPORAL, TemporalMethod
from deepcams.temporal.setting import Analyses, Setting
from deepcams.units import EPSILON

GLOBE = Grid(90, 0, 0.75, 241, 480)
HOURS = 3  # between analyses
FACTOR = 3
_LOADERS = {
    "correction": "spatial.network",
    "abpn": "spatial.abpn",
    "progress": "temporal.network",
    "xvfi": "temporal.xvfi",
}


class Work(NamedTuple):
    """A network's share of a run.

    Attributes:
        network: with its weights.
        maps: hourly maps that the work is for.
        first: the work, with nothing known before.
        prepared: makes ready what a run has at hand by then, and gives the work as it is done again and again.
    """

    network: Any  # an nn.Module with an architecture
    maps: int
    first: Callable[[], Any]
    prepared: Callable[[], Callable[[], Any]]


def correction() -> Work:
    """Our spatial network: an analysis between two others, once for three hours."""
    method, fields = SPATIAL["network"], analyses()

    def prepared() -> Callable[[], Any]:
        memos = [Memo() for _ in fields]
        method.sharpen(scene(fields, 1, memos))  # the analysis before: what both share is found once in a run
        return lambda: method.sharpen(scene(fields, 2, memos))

    return Work(_network(method), HOURS, lambda: method.sharpen(scene(fields, 2)), prepared)


def abpn(rows: int = GLOBE.rows, columns: int = GLOBE.columns) -> Work:
    """The paper's spatial network: every hour. A smaller field than the globe is cut out of it."""
    method = SPATIAL["abpn"]
    start = (GLOBE.rows - rows) // 2
    grid = Grid(90 - start * GLOBE.step, 0, GLOBE.step, rows, columns)
    coarse = np.ascontiguousarray(analyses()[1][start : start + rows, :columns])

    def work() -> Array:
        return method.sharpen(Scene(coarse, grid, FACTOR, EPSILON))

    return Work(_network(method), 1, work, lambda: work)


def progress() -> Work:
    """Our temporal network, upon the flow: the two hours between two sharpened analyses."""
    fields, sharpen = analyses(), SPATIAL["lcbp"].sharpen
    ends = [from_blocks(sharpen(scene(fields, number)), GLOBE) for number in (1, 2)]
    return _between("network", ends, GLOBE.refine(FACTOR))


def xvfi(name: str = "xvfi") -> Work:
    """The paper's temporal network: the two hours between two coarse analyses."""
    return _between(name, analyses()[1:3], GLOBE)


def _between(name: str, ends: list[Array], grid: Grid) -> Work:
    method = TEMPORAL[name]
    earlier, before, after, later = analyses()
    around = Analyses(GLOBE, before, after, earlier, later)
    setting = Setting(grid, HOURS, EPSILON, np.datetime64("2019-12-31T18"), around)
    fractions = [hour / HOURS for hour in range(1, HOURS)]

    def work() -> list[Array]:
        return method.between(ends[0], ends[1], fractions, setting)

    return Work(_network(method), HOURS, work, lambda: work)


def analyses() -> list[Array]:
    """The four global analyses of the sample, (241, 480) float32 in ug m-3."""
    return list(open_cams(cams_sample()).values.astype(np.float32))


def scene(fields: list[Array], number: int, memos: list[Memo] | None = None) -> Scene:
    """An analysis between the two beside it; nothing is remembered of them unless there are memos."""
    known = memos or [Memo() for _ in fields]
    beside = tuple(Neighbour(fields[number + way], HOURS * way, known[number + way]) for way in (-1, 1))
    return Scene(fields[number], GLOBE, FACTOR, EPSILON, beside, known[number])


def _network(method: SpatialMethod | TemporalMethod) -> Any:
    """The network of a method, read."""
    return import_module(f"deepcams.{_LOADERS[method.kind]}").load(method.weights)


WORKS: dict[str, Callable[[], Work]] = {
    "our spatial network": correction,
    "our temporal network, with the flow": progress,
    "ABPN": abpn,
    "XVFI, flow": xvfi,
    "XVFI, deformable": lambda: xvfi("xvfi-deformable"),
    "ABPN, part": lambda: abpn(104, 240),
}
