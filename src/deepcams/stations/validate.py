"""A validation as one call: station files are read, checked and compared with products on the same observations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.evaluation.bootstrap import SEED
from deepcams.grid import Region
from deepcams.stations.assess import assess
from deepcams.stations.assessment import Assessment
from deepcams.stations.cells import average_cells
from deepcams.stations.collocate import collocate
from deepcams.stations.groups import within
from deepcams.stations.lags import Lagged, lag_correlations
from deepcams.stations.products import CAMS, Product
from deepcams.stations.quality import Limits, check, refuse_empty
from deepcams.stations.readers.reading import Reading
from deepcams.stations.table import Observations, Pairs, Reason
from deepcams.timeline import Hours

Progress = Callable[[int], None]

_AROUND = np.timedelta64(4, "D")  # before and after the hours compared, so that runs of stuck values are seen whole


@dataclass(frozen=True)
class Settings:
    """All that changes a validation's results, but for the files.

    Attributes:
        limits: of quality control, the averaging period among them.
        rule: when a product is taken: ``mean``, ``begin`` or ``end`` of the averaging interval.
        interpolation: ``bilinear`` or ``nearest``.
        average_cells: whether stations that share a cell of the finest product count as one.
        start: datetime64[h], the first hour compared; None for all.
        end: the last one.
        region: where; None for everywhere.
        repeats: draws of the bootstrap.
        seed: of them.
    """

    limits: Limits = field(default_factory=Limits)
    rule: str = "mean"
    interpolation: str = "bilinear"
    average_cells: bool = False
    start: np.datetime64 | None = None
    end: np.datetime64 | None = None
    region: Region | None = None
    repeats: int = 1000
    seed: int = SEED

    def content(self) -> dict[str, Any]:
        """The settings, JSON-ready."""
        times = {name: None if time is None else str(time) for name, time in (("start", self.start), ("end", self.end))}
        region = self.region.bounds if self.region else None
        return asdict(self) | times | {"region": region}


@dataclass(frozen=True, eq=False)
class Validation:
    """What was compared, and what was found.

    Attributes:
        reading: what the station files held.
        products: in the order of the scores.
        settings: what was asked for.
        outside: observations that were read, but lie outside the period or the region compared.
        rejected: how many of the others are not used, for each reason that any is.
        merged: how many are gone into the means of cells; with those outside, the rejected and the pairs they are all lines.
        pairs: those that are.
        assessment: their scores.
        lags: the check of time stamps, by source.
    """

    reading: Reading
    products: tuple[Product, ...]
    settings: Settings
    outside: int
    rejected: dict[str, int]
    merged: int
    pairs: Pairs
    assessment: Assessment
    lags: dict[str, Lagged]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should be told."""
        lagged = (one.note for one in self.lags.values() if one.note)
        return (*self.reading.notes, *self.assessment.notes, *lagged)


def validate(
    reading: Reading, products: Sequence[Product], settings: Settings | None = None, *, progress: Progress | None = None
) -> Validation:
    """Compare products with stations.

    Args:
        reading: what station files hold.
        products: the reference first.
        settings: the defaults if none are given.
        progress: told of hours done, out of :func:`deepcams.stations.collocate.common_hours`.

    Raises:
        InputError: if no observation is left, or none lies where and when all products have values.
    """
    settings = settings or Settings()
    inside = _inside(reading.observations, products, settings)
    near = _near(inside, products, settings)
    checked = check(near if near.size else inside, settings.limits)
    refuse_empty(checked)
    asked: dict[str, Any] = {"start": settings.start, "end": settings.end}
    checked, pairs = collocate(
        checked, products, rule=settings.rule, interpolation=settings.interpolation, progress=progress, **asked
    )
    compared = checked.take(_during(checked, *_hours(products, settings)) | checked.good)
    rejected = compared.rejected()
    pairs, rare = _frequent(pairs, settings.limits.least)
    if rare:
        name = Reason.TOO_FEW.name.lower()
        rejected[name] = rejected.get(name, 0) + rare
    used = pairs.size
    if settings.average_cells:
        pairs = average_cells(pairs, min((one.grid for one in products), key=lambda grid: grid.step))
    assessment = assess(pairs, repeats=settings.repeats, seed=settings.seed)
    outside = reading.observations.size - compared.size
    judge = next((one.name for one in products if one.name == CAMS), products[0].name)
    lags = lag_correlations(pairs, judge)
    return Validation(reading, tuple(products), settings, outside, rejected, used - pairs.size, pairs, assessment, lags)


def _inside(observations: Observations, products: Sequence[Product], settings: Settings) -> Observations:
    """The observations in the region asked for.

    Raises:
        InputError: if there are none.
    """
    if settings.region is None:
        return observations
    north, east = observations.stations.latitude, observations.stations.longitude
    inside = within(settings.region, north, east)[observations.station]
    if not inside.any():
        asked = ",".join(f"{degrees:g}" for degrees in settings.region.bounds)
        raise InputError(f"no observation in the region {asked}: {observations.size} were read, {_box(north, east)}; give "
                         "another --region")  # fmt: skip
    return observations.take(inside)


def _box(north: NDArray[np.float64], east: NDArray[np.float64]) -> str:
    """Where stations are, in words."""
    known = np.isfinite(north) & np.isfinite(east)
    if not known.any():
        return "without coordinates"
    north, east = north[known], east[known]
    return f"in {north.max():g}..{north.min():g}N, {east.min():g}..{east.max():g}E"


def _near(observations: Observations, products: Sequence[Product], settings: Settings) -> Observations:
    """The observations in the hours compared and some days around them."""
    first, last = _hours(products, settings)
    return observations.take(_during(observations, first - _AROUND, last + _AROUND))


def _hours(products: Sequence[Product], settings: Settings) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last instant compared."""
    times: list[Hours] = [one.times for one in products]
    first, last = max(one[0] for one in times), min(one[-1] for one in times)
    if settings.start is not None:
        first = max(first, settings.start)
    if settings.end is not None:
        last = min(last, settings.end + np.timedelta64(1, "h"))
    return first, last


def _during(observations: Observations, first: np.datetime64, last: np.datetime64) -> NDArray[np.bool_]:
    """Which observations lie within two instants; those without a time do."""
    end = observations.begin + observations.period.astype("timedelta64[m]")
    return ((observations.begin >= first) & (end <= last)) | np.isnat(observations.begin)


def _frequent(pairs: Pairs, least: int) -> tuple[Pairs, int]:
    """The pairs at stations that have at least so many of them, and how many others there are.

    Raises:
        InputError: if no station has.
    """
    station = pairs.observations.station
    counts = np.bincount(station, minlength=pairs.observations.stations.size)
    kept = counts[station] >= least
    if not kept.any():
        raise InputError(f"{pairs.size} observations could be compared, at most {counts.max()} at a station; wanted {least} "
                         "at least: give longer files, or a smaller --least-hours")  # fmt: skip
    return (pairs, 0) if kept.all() else (pairs.take(kept), int((~kept).sum()))
