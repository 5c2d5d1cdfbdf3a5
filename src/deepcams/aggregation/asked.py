"""What can be asked of hourly maps: which statistics of days, months or years, by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepcams.aggregation.limits import DAILY
from deepcams.aggregation.periods import UNITS
from deepcams.aggregation.statistics import HOURLY, OF_DAYS
from deepcams.errors import InputError
from deepcams.grid import Region

COVERAGE = 0.75
_DEFAULTS = {
    "daily": ("mean", "max", "hours-above"),
    "monthly": ("mean", "max", "daily-max", "hours-above", "days-above"),
    "annual": ("mean", "max", "daily-max", "daily-p98", "daily-p99", "hours-above", "days-above"),
}
_OFFSETS = (-12, 14)  # hours, of the clocks of the Earth
_PER_LIMIT = {"hours-above", "days-above"}


@dataclass(frozen=True)
class Aggregation:
    """What is asked for. It is checked at birth.

    Attributes:
        unit: ``daily``, ``monthly`` or ``annual``.
        statistics: names of statistics; empty for those usual for the unit.
        limits: for the hours and days above them, in the maps' unit; empty for the published ones of the species.
        coverage: the share of hours (or days) that must be known.
        utc_offset: hours by which the calendar's clock is ahead of UTC.
        start: the first hour (UTC); None for the first of the maps.
        end: the last hour (UTC); None for the last of the maps.
        region: what to keep; None for all.

    Raises:
        InputError: if any of them cannot be.
    """

    unit: str
    statistics: tuple[str, ...] = ()
    limits: tuple[float, ...] = ()
    coverage: float = COVERAGE
    utc_offset: int = 0
    start: np.datetime64 | None = None
    end: np.datetime64 | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InputError(f"period {self.unit!r}: wanted {', '.join(UNITS)}, given before OUTPUT")
        known = HOURLY if self.unit == "daily" else (*HOURLY, *OF_DAYS)
        for name in self.statistics:
            if name not in known:
                raise InputError(f"statistic {name!r} of {self.unit} values: wanted one of {', '.join(known)}")
        if not 0 <= self.coverage <= 1:
            raise InputError(f"coverage {self.coverage:g}: wanted a share from 0 to 1, such as {COVERAGE:g}")
        if not _OFFSETS[0] <= self.utc_offset <= _OFFSETS[1]:
            raise InputError(f"UTC offset {self.utc_offset}: wanted whole hours from {_OFFSETS[0]} to {_OFFSETS[1]}")
        if not all(np.isfinite(limit) and limit >= 0 for limit in self.limits):
            raise InputError(f"limits {', '.join(f'{one:g}' for one in self.limits)}: wanted finite ones, not negative")

    def limits_for(self, species: str) -> tuple[float, ...]:
        """The limits of a species, ascending."""
        return tuple(sorted(set(self.limits or DAILY.get(species, ()))))

    def statistics_for(self, species: str) -> tuple[str, ...]:
        """The statistics of a species, in the usual order; without limits there is nothing above them.

        Raises:
            InputError: if something above limits is asked for, and no limits are known.
        """
        asked = self.statistics or _DEFAULTS[self.unit]
        above = [name for name in asked if name in _PER_LIMIT]
        if above and not self.limits_for(species):
            if self.statistics:
                raise InputError(
                    f"statistic {above[0]!r} of {species}: no limits are known for it; give them with --limit"
                )
            asked = tuple(name for name in asked if name not in above)
        return tuple(name for name in (*HOURLY, *OF_DAYS) if name in asked)

    def settings(self, species: str) -> dict[str, Any]:
        """What the values depend on besides the maps, JSON-ready."""
        return {
            "period": self.unit,
            "statistics": list(self.statistics_for(species)),
            "limits": list(self.limits_for(species)),
            "coverage": self.coverage,
            "utc_offset": self.utc_offset,
            "start": None if self.start is None else str(self.start),
            "end": None if self.end is None else str(self.end),
            "region": self.region and list(self.region.bounds),
        }
