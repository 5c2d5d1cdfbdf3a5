"""What a day's hourly maps amount to, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_BAND = 16  # rows summed together: 24 hours of them stay in the processor's cache


@dataclass(frozen=True)
class DaySums:
    """Sums of one day, (rows, columns) each.

    Attributes:
        total: float64, the sum of the values known.
        hours: uint8, how many are known.
        highest: float32, the largest; -inf where none is known.
        lowest: float32, the smallest; inf where none is known.
        above: (limits, rows, columns) uint8, the hours above each limit.
    """

    total: NDArray[np.float64]
    hours: NDArray[np.uint8]
    highest: Values
    lowest: Values
    above: NDArray[np.uint8]

    @property
    def mean(self) -> Values:
        """(rows, columns) the mean of the values known; NaN where none is."""
        with np.errstate(invalid="ignore"):
            return (self.total / self.hours).astype(np.float32)


def day_sums(maps: Values, limits: tuple[float, ...]) -> DaySums:
    """The sums of the maps of a day.

    Args:
        maps: (hours, rows, columns), NaN where missing; at most 255 hours.
        limits: in the maps' unit.
    """
    shape = maps.shape[1:]
    sums = DaySums(
        np.empty(shape),
        np.empty(shape, np.uint8),
        np.empty(shape, np.float32),
        np.empty(shape, np.float32),
        np.empty((len(limits), *shape), np.uint8),
    )
    for first in range(0, shape[0], _BAND):
        band = slice(first, first + _BAND)
        _sum_band(maps[:, band], limits, sums, band)
    return sums


def _sum_band(maps: Values, limits: tuple[float, ...], sums: DaySums, band: slice) -> None:
    """Fill the sums of a band of rows; hours are added one after the other, so that the result is always the same."""
    total = maps.sum(axis=0, dtype=np.float64)
    highest, lowest = np.fmax.reduce(maps, axis=0), np.fmin.reduce(maps, axis=0)
    sums.hours[band] = maps.shape[0]
    if np.isnan(total).any():
        known = ~np.isnan(maps)
        sums.hours[band] = known.sum(axis=0, dtype=np.uint8)
        total = np.where(known, maps, 0).sum(axis=0, dtype=np.float64)
        none = sums.hours[band] == 0
        highest[none], lowest[none] = -np.inf, np.inf
    sums.total[band], sums.highest[band], sums.lowest[band] = total, highest, lowest
    for number, limit in enumerate(limits):
        np.add.reduce(maps > np.float32(limit), axis=0, dtype=np.uint8, out=sums.above[number, band])
