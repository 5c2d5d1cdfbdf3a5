"""The statistics of a period, gathered day by day in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcams.aggregation.day_sums import DaySums
from deepcams.aggregation.periods import Period

Values = NDArray[np.float32]
Counts = NDArray[np.int16]

HOURLY = ("mean", "max", "min", "hours-above")
"""Statistics of the hours of a period."""
OF_DAYS = ("daily-max", "daily-p98", "daily-p99", "days-above")
"""Statistics of the daily means of a period."""
PERCENTILES = {"daily-p98": 0.98, "daily-p99": 0.99}
NONE = -1
"""Stands for a count that is not given, because too few hours or days are known."""

_ROUNDING = 1e-9


@dataclass
class Gathered:
    """What the days of a period amount to so far.

    Attributes:
        shape: rows and columns.
        limits: for the hours and days above them.
        coverage: the share of the hours that must be known of a day, and of the hours or days of a period.
        percentiles: whether percentiles of daily means are wanted.
    """

    shape: tuple[int, int]
    limits: tuple[float, ...]
    coverage: float
    percentiles: bool = False
    _total: NDArray[np.float64] = field(init=False)
    _hours: Counts = field(init=False)
    _days: Counts = field(init=False)
    _highest: Values = field(init=False)
    _lowest: Values = field(init=False)
    _above: Counts = field(init=False)
    _days_above: Counts = field(init=False)
    _highest_days: Values = field(init=False)

    def __post_init__(self) -> None:
        self._total = np.zeros(self.shape)
        self._hours, self._days = np.zeros(self.shape, np.int16), np.zeros(self.shape, np.int16)
        self._highest = np.full(self.shape, -np.inf, np.float32)
        self._lowest = np.full(self.shape, np.inf, np.float32)
        self._above = np.zeros((len(self.limits), *self.shape), np.int16)
        self._days_above = np.zeros_like(self._above)
        self._highest_days = np.full((_kept() if self.percentiles else 1, *self.shape), -np.inf, np.float32)

    def add(self, day: DaySums) -> None:
        """Add a day; the order of days is part of the result, to the last bit of a sum."""
        self._total += day.total
        self._hours += day.hours
        self._above += day.above
        np.maximum(self._highest, day.highest, out=self._highest)
        np.minimum(self._lowest, day.lowest, out=self._lowest)
        known = is_enough(day.hours, 24, self.coverage)
        self._days += known
        means = np.where(known, day.mean, np.float32(-np.inf))
        for number, limit in enumerate(self.limits):
            self._days_above[number] += means > np.float32(limit)
        for one in self._highest_days:  # the largest means of days, in order; each new one finds its place
            larger = np.maximum(one, means)
            np.minimum(one, means, out=means)
            one[...] = larger

    def results(self, period: Period, wanted: tuple[str, ...]) -> Mapping[str, NDArray[np.generic]]:
        """The statistics asked for, and the hours and days that they are made of.

        Args:
            period: the period that the days are of.
            wanted: names of statistics.

        Returns:
            By name: (rows, columns) float32, NaN where the coverage is too low, or (limits, rows, columns) int16, -1
            there; ``hours-used`` and ``days-used`` (rows, columns) int16.
        """
        of_hours = is_enough(self._hours, period.hours, self.coverage)
        of_days = is_enough(self._days, period.size, self.coverage)
        found: dict[str, NDArray[np.generic]] = {"hours-used": self._hours, "days-used": self._days}
        for name in wanted:
            enough = of_hours if name in HOURLY else of_days
            values = self._statistic(name)
            missing = np.int16(NONE) if values.dtype == np.int16 else np.float32(np.nan)
            found[name] = np.where(enough, values, missing)
        return found

    def _statistic(self, name: str) -> NDArray[np.generic]:
        """A statistic of what is known, however little that is."""
        if name == "mean":
            return (self._total / np.maximum(self._hours, 1)).astype(np.float32)
        if name in PERCENTILES:
            return self._percentile(PERCENTILES[name])
        ready = {"max": self._highest, "min": self._lowest, "hours-above": self._above,
                 "days-above": self._days_above, "daily-max": self._highest_days[0]}  # fmt: skip
        return ready[name]

    def _percentile(self, share: float) -> Values:
        """The percentile of the daily means, linear between the two nearest ones (numpy's default)."""
        place = np.maximum(self._days - 1, 0) * (1 - share)  # counted from the largest
        upper = np.floor(place + _ROUNDING).astype(np.intp)
        lower = np.minimum(upper + 1, len(self._highest_days) - 1)
        a, b = (
            np.take_along_axis(self._highest_days, one[None], axis=0)[0].astype(np.float64) for one in (upper, lower)
        )
        fraction = np.clip(place - upper, 0, 1)
        with np.errstate(invalid="ignore"):
            return np.where(fraction > 0, a + (b - a) * fraction, a).astype(np.float32)


def _kept() -> int:
    """How many of the largest daily means of a year tell the smallest percentile."""
    return int(np.ceil(365 * (1 - min(PERCENTILES.values())))) + 1


def is_enough(count: NDArray[np.integer], whole: int, coverage: float) -> NDArray[np.bool_]:
    """Where enough is known: the share asked for, and something at all.

    Args:
        count: hours or days known.
        whole: hours or days that there are.
        coverage: the share asked for.
    """
    return (count >= coverage * whole - _ROUNDING) & (count > 0)
