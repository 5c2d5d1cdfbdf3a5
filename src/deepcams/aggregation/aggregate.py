"""Days, months and years out of hourly maps, in one streaming pass: means, extremes, hours and days above limits.

A day is read and summed by one of a few threads; days are added up in the order of time by one alone, so that the
result does not depend on how many threads there are. Nothing grows with the length of the series.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcams.aggregation.asked import Aggregation
from deepcams.aggregation.day_sums import DaySums, day_sums
from deepcams.aggregation.layers import description, variable_name
from deepcams.aggregation.limits import ANNUAL
from deepcams.aggregation.periods import Period, periods
from deepcams.aggregation.statistics import PERCENTILES, Gathered, is_enough
from deepcams.cut import Cut, cut
from deepcams.io.aggregates import NETCDF, ZARR, aggregate_writer
from deepcams.io.output import check_output, check_space, refuse_input
from deepcams.io.results import Results
from deepcams.threads import in_order, processors

_THREADS = 8  # at most unless asked for: each holds a day of maps

Progress = Callable[[int], None]
Values = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Work:
    """Maps and what is asked of them. It is checked at birth and computes nothing.

    Attributes:
        results: the maps, as :func:`deepcams.io.results.open_results` gives them.
        asked: the statistics.
        cut: the part of the maps that is kept.
        periods: the days, months or years that come of it.
        limits: for the hours and days above them.
        statistics: names of the statistics.

    Raises:
        InputError: if the maps do not have what is asked for.
    """

    results: Results
    asked: Aggregation
    cut: Cut = field(init=False)
    periods: tuple[Period, ...] = field(init=False)
    limits: tuple[float, ...] = field(init=False)
    statistics: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        maps, asked, species = self.results, self.asked, self.results.species.name
        found = periods(
            maps.times, maps.kinds, asked.unit, utc_offset=asked.utc_offset, start=asked.start, end=asked.end
        )
        object.__setattr__(self, "periods", tuple(found))
        object.__setattr__(self, "cut", cut(maps, asked.region))
        object.__setattr__(self, "statistics", asked.statistics_for(species))
        object.__setattr__(self, "limits", asked.limits_for(species))

    @property
    def days(self) -> int:
        """How many days are read."""
        return sum(len(period.days) for period in self.periods)

    def is_covered(self, period: Period) -> bool:
        """Whether a period has enough hours for values anywhere."""
        return bool(is_enough(np.array(period.made), period.hours, self.asked.coverage))


@dataclass(frozen=True)
class Summary:
    """What was made.

    Attributes:
        path: the output.
        work: what it is.
        missing: cells without a mean in periods that have enough hours.
        shares: by the label of a year, the share of the area with a mean above each published annual level.
        seconds: how long it took.
    """

    path: Path
    work: Work
    missing: int
    shares: Mapping[str, Mapping[float, float]]
    seconds: float

    @property
    def hours(self) -> int:
        """How many hours were used."""
        return sum(period.made for period in self.work.periods)

    @property
    def partial(self) -> tuple[Period, ...]:
        """The periods that lack hours."""
        return tuple(period for period in self.work.periods if period.made < period.hours)


def aggregate(
    work: Work,
    path: Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Write the statistics of days, months or years of hourly maps.

    Args:
        work: what to compute.
        path: the output, .nc or .zarr; it has its name only when it is whole.
        workers: threads; None for one per processor, up to 8.
        overwrite: whether an existing output may be replaced.
        progress: called with the number of days done since the last call.

    Raises:
        InputError: if the maps cannot be read.
        OutputError: if the output cannot be written.
    """
    began = time.monotonic()
    check_output(path, (NETCDF, ZARR), overwrite=overwrite)
    refuse_input(path, work.results.files)
    about = description(work.results, work.cut.grid, work.asked, work.periods)
    check_space(path, about.measures)
    missing, shares = 0, dict[str, Mapping[float, float]]()
    species = work.results.species.name
    with closing(_days(work, workers)) as days, aggregate_writer(path, about, overwrite=overwrite) as write:
        for number, period in enumerate(work.periods):
            found = _statistics(work, period, days, progress)
            write(number, {variable_name(name, species): values for name, values in found.items()})
            if "mean" in found and work.is_covered(period):
                missing += int(np.isnan(found["mean"]).sum())
                if work.asked.unit == "annual":
                    shares[period.label] = _shares(work, found["mean"])
    return Summary(path, work, missing, shares, time.monotonic() - began)


def _days(work: Work, workers: int | None) -> Generator[DaySums, None, None]:
    """The sums of all days, in order, made by a few threads."""
    days = (hours for period in work.periods for hours in period.days)
    return in_order(lambda hours: _day(work, hours), days, workers or min(processors(), _THREADS))


def _day(work: Work, hours: slice) -> DaySums:
    return day_sums(work.cut.read(hours), work.limits)


def _statistics(work: Work, period: Period, days: Iterator[DaySums], progress: Progress) -> Values:
    """The statistics of a period, of the next days."""
    wanted = work.statistics
    gathered = Gathered(work.cut.grid.shape, work.limits, work.asked.coverage, bool(PERCENTILES.keys() & set(wanted)))
    for _ in period.days:
        gathered.add(next(days))
        progress(1)
    return gathered.results(period, wanted)


def _shares(work: Work, mean: NDArray[np.generic]) -> dict[float, float]:
    """The share of the area with a mean that is above each published annual level."""
    areas = np.broadcast_to(work.cut.grid.areas[:, None], mean.shape)
    known = ~np.isnan(mean)
    total = float(areas[known].sum())
    levels = ANNUAL.get(work.results.species.name, {}) if total else ()
    return {level: float(areas[known & (mean > np.float32(level))].sum()) / total for level in levels}
