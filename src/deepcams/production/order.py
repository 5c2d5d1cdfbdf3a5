"""An order: all that a downscaling is, in plain values, so that it can be sent to another process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from deepcams.io.cams import open_analyses
from deepcams.io.files import expand, find_files
from deepcams.methods import DEFAULT, default, recipe
from deepcams.pipeline import Job
from deepcams.regions import parse_region
from deepcams.timeline import parse_time
from deepcams.urls import location


@dataclass(frozen=True)
class Order:
    """What to downscale and how, as on the command line.

    Attributes:
        inputs: files, folders and patterns.
        variable: the variable in the files.
        units: unit of the values, if the files do not say it or say it wrongly.
        method: the recipe; None for the default of the variable and factor.
        space: another way in space than the recipe's.
        time: another way in time.
        order: another order of the two.
        weights: files of weights for the recipe's networks.
        factor: refinement in space.
        region: ``N,W,S,E`` or a name; None for all.
        start: the first hour, ISO.
        end: the last hour, ISO.
        device: where networks compute: ``cpu``, ``cuda`` or ``auto``.
    """

    inputs: tuple[str, ...]
    variable: str = "pm2p5"
    units: str | None = None
    method: str | None = None
    space: str | None = None
    time: str | None = None
    order: str | None = None
    weights: tuple[str, ...] = ()
    factor: int = 3
    region: str | None = None
    start: str | None = None
    end: str | None = None
    device: str = "cpu"

    def job(self) -> Job:
        """The job that it describes, its files open.

        Raises:
            InputError: if the files, the method, the region or the period cannot be used.
        """
        recipe(self.method or DEFAULT, **self._parts)  # a wrong name is said before files are read
        analyses = open_analyses(find_files(self.inputs), variable=self.variable, units=self.units)
        return Job(
            analyses,
            recipe(self.method or default(analyses.species.name, self.factor), **self._parts),
            self.factor,
            parse_region(self.region) if self.region else None,
            parse_time(self.start) if self.start else None,
            parse_time(self.end, end_of_day=True) if self.end else None,
        )

    @property
    def _parts(self) -> dict[str, Any]:
        weights = tuple(Path(one) for one in self.weights)
        parts = {"space": self.space, "time": self.time, "order": self.order}
        return parts | {"weights": weights, "device": self.device}


def job_of(order: Order) -> Job:
    """The job of an order, opened once in a process as long as its files are the same."""
    return _opened(order, _state((*order.inputs, *order.weights)))


@lru_cache(maxsize=1)
def _opened(order: Order, state: tuple[tuple[str, int, int, int], ...]) -> Job:
    return order.job()


def _state(names: Iterable[str]) -> tuple[tuple[str, int, int, int], ...]:
    """What tells whether files have changed since they were opened; those given by URL are not looked at."""
    found = [one for name in names if isinstance(location(name), Path) for one in expand(name)]
    known = [(str(one), Path(one).stat()) for one in found]
    return tuple((name, state.st_ino, state.st_size, state.st_mtime_ns) for name, state in known)
