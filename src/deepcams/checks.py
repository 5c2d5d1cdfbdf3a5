"""Checks made while writing, and what they found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcams.conserve import area_mean
from deepcams.errors import CheckError
from deepcams.grid import Grid

_CONSERVED = 2e-6  # relative; single precision gives 3e-7

Field = NDArray[np.float32]


@dataclass
class Tally:
    """Counts and checks of a run.

    Attributes:
        hours: maps made.
        analyses: how many of them are analyses.
        noises: values around zero that were packing noise, by the number of the analysis.
        missing: values missing in the maps.
        mean_error: largest relative difference of an analysis hour's area means from CAMS, before rounding; NaN if the
            method does not conserve or there was none.
        drift: largest relative difference of an hour's total mass from the linear interpolation of its analyses.
        highest: the largest value.
        digests: content hash of every analysis used, by its number.
    """

    hours: int = 0
    analyses: int = 0
    missing: int = 0
    mean_error: float = float("nan")
    drift: float = 0.0
    highest: float = 0.0
    digests: dict[int, str] = field(default_factory=dict)
    noises: dict[int, int] = field(default_factory=dict)

    @property
    def noise(self) -> int:
        """Values around zero that were packing noise."""
        return sum(self.noises.values())

    def add_analysis(self, number: int, digest: str, *, noise: int) -> None:
        """Count an analysis that was used, once."""
        self.digests[number] = digest
        self.noises[number] = noise

    def add(self, other: Tally) -> None:
        """Add the counts of another part of the run."""
        self.hours += other.hours
        self.analyses += other.analyses
        self.missing += other.missing
        self.mean_error = float(np.fmax(self.mean_error, other.mean_error))
        self.drift = max(self.drift, other.drift)
        self.highest = max(self.highest, other.highest)
        self.digests |= other.digests
        self.noises |= other.noises


def check_means(fine: Field, coarse: Field, grid: Grid, factor: int) -> float:
    """The largest relative difference between the area means of a sharpened analysis and the analysis.

    Raises:
        CheckError: if it is more than rounding.
    """
    means = area_mean(fine.astype(np.float64), grid, factor)
    wanted = coarse.astype(np.float64)
    error = float((np.abs(means - wanted) / np.maximum(wanted, np.finfo(np.float32).tiny)).max())
    if not error <= _CONSERVED:
        raise CheckError(
            f"area means of an analysis are off by {error:.1e} of their value: wanted {_CONSERVED:g} at most"
        )
    return error


def check_values(values: Field, name: str) -> None:
    """Refuse a map that is not finite and not negative everywhere.

    Raises:
        CheckError: if it is not.
    """
    lowest, highest = float(values.min()), float(values.max())
    if not (np.isfinite(lowest) and np.isfinite(highest) and lowest >= 0):
        raise CheckError(f"{name}: computed values from {lowest:g} to {highest:g}; wanted finite ones, not negative")


def mass_drift(values: Field, before: Field, after: Field, fraction: float, areas: NDArray[np.float64]) -> float:
    """Relative difference of a map's total from the linear interpolation of its two ends' totals.

    Args:
        values: (rows, columns) the map.
        before: the sharpened analysis before it.
        after: the one after it.
        fraction: where it lies between them.
        areas: (rows,) cell areas.
    """
    totals = [float(areas @ one.sum(axis=1, dtype=np.float64)) for one in (values, before, after)]
    expected = (1 - fraction) * totals[1] + fraction * totals[2]
    return abs(totals[0] / expected - 1) if expected > 0 else 0.0
