"""Sums by day and by part of the Earth, for the bootstrap: about 20 kB for a day of global maps, so that a year fits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcams.evaluation.metrics import Floats


class _Packed(NamedTuple):
    """The rows of a day that are not zero, and their sums (rows, terms) in single precision."""

    rows: NDArray[np.int32]
    sums: NDArray[np.float32]


@dataclass
class DailySums:
    """Sums (rows, terms) of every day. Most rows of a day are zero: only the others are kept.

    Attributes:
        shape: rows and terms; the first term is zero where a row has nothing.
    """

    shape: tuple[int, int]
    _days: dict[np.datetime64, _Packed] = field(default_factory=dict)

    def add(self, date: np.datetime64, sums: Floats) -> None:
        """Add sums (rows, terms) to those of a day."""
        total = self._unpacked(date) + sums
        rows = np.flatnonzero(total[:, 0])
        self._days[date] = _Packed(rows.astype(np.int32), total[rows].astype(np.float32))

    @property
    def dates(self) -> list[np.datetime64]:
        """The days that have any sums, in order."""
        return sorted(self._days)

    def gathered(self, labels: NDArray[np.intp], groups: int, dates: Iterable[np.datetime64]) -> Floats:
        """The sums of groups of rows, day by day.

        Args:
            labels: (rows,) number of each row's group; negative for rows that do not count.
            groups: how many groups there are.
            dates: the days wanted; one without sums has zeros.

        Returns:
            (days x groups, terms) float64, in the order of days.
        """
        days = []
        for date in dates:
            found = np.zeros((groups, self.shape[1]))
            if date in self._days:
                rows, sums = self._days[date]
                counted = labels[rows] >= 0
                np.add.at(found, labels[rows][counted], sums[counted])
            days.append(found)
        return np.concatenate(days)

    def _unpacked(self, date: np.datetime64) -> Floats:
        """(rows, terms) the sums of a day so far."""
        total = np.zeros(self.shape)
        if date in self._days:
            rows, sums = self._days[date]
            total[rows] = sums
        return total
