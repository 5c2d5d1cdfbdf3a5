"""Statistics of many fields, gathered one field at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.units import EPSILON, MICROGRAMS

PERCENTILES = (1, 5, 25, 50, 75, 95, 99, 99.9)
_BINS = 20000  # of the logarithm, between zero and the largest value that is plausible: 0.1 % each
_LARGEST = 1e7  # ug m-3


class Statistics:
    """Count, moments, extremes and percentiles of concentrations; percentiles are right to about 0.1 %."""

    def __init__(self) -> None:
        self._edges = np.linspace(math.log(EPSILON), math.log(_LARGEST), _BINS + 1)
        self._counts = np.zeros(_BINS, np.int64)
        self._sums = np.zeros(4)  # of the values and their logarithms, and of their squares
        self._extremes = (math.inf, -math.inf)
        self.hours, self.known, self.unknown = 0, 0, 0

    def add(self, values: NDArray[np.floating[Any]]) -> None:
        """Count one hour's values, of any shape, in ug m-3; NaN where unknown."""
        known = values[~np.isnan(values)].astype(np.float64)
        self.hours, self.known = self.hours + 1, self.known + known.size
        self.unknown += values.size - known.size
        if not known.size:
            return
        logs = np.log(known + EPSILON)
        self._sums += known.sum(), (known**2).sum(), logs.sum(), (logs**2).sum()
        self._extremes = min(self._extremes[0], float(known.min())), max(self._extremes[1], float(known.max()))
        self._counts += np.histogram(np.clip(logs, self._edges[0], self._edges[-1]), self._edges)[0]

    def to_json(self) -> dict[str, Any]:
        """All of them, without moments and percentiles where no value is known."""
        counts = {"hours": self.hours, "known": self.known, "unknown": self.unknown}
        if not self.known:
            return counts
        logs = self._percentiles()
        lowest, highest = self._extremes
        plain = {"unit": MICROGRAMS, **self._moments(0), "minimum": lowest, "maximum": highest}
        plain["percentiles"] = {str(p): max(0.0, math.exp(value) - EPSILON) for p, value in logs.items()}
        ends = {"minimum": math.log(lowest + EPSILON), "maximum": math.log(highest + EPSILON)}
        logarithm = {"of": f"concentration + {EPSILON:g} {MICROGRAMS}", **self._moments(2), **ends}
        logarithm["percentiles"] = {str(p): value for p, value in logs.items()}
        return counts | {"concentration": plain, "log": logarithm}

    def _moments(self, first: int) -> dict[str, float]:
        """Mean and standard deviation from the sums at ``first`` and after it."""
        mean, square = self._sums[first : first + 2] / self.known
        return {"mean": float(mean), "standard_deviation": math.sqrt(max(0.0, float(square - mean**2)))}

    def _percentiles(self) -> dict[float, float]:
        """The percentiles of the logarithm: the middle of the bin that each falls in, within the extremes."""
        lowest, highest = (math.log(end + EPSILON) for end in self._extremes)
        bins = np.searchsorted(np.cumsum(self._counts), np.array(PERCENTILES) / 100 * self.known)
        middles = (self._edges[bins] + self._edges[bins + 1]) / 2
        return dict(zip(PERCENTILES, np.clip(middles, lowest, highest).tolist(), strict=True))
