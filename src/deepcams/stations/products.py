"""Gridded products at stations: stores of hourly maps, and CAMS itself, linear or nearest in time.

Sampling at places and interpolation in time commute, so CAMS is sampled at its analyses alone, and each analysis is
read once for both products.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from deepcams.errors import InputError
from deepcams.extraction.reading import sampled, windows_of
from deepcams.extraction.sampling import Cells, Floats, Maps, Sampler
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.io.results import Results, open_results
from deepcams.temporal.linear import blend
from deepcams.timeline import Hours
from deepcams.units import Species, micrograms_per

CAMS, NEAREST = "CAMS", "CAMS nearest"
_SPECIES = "pm2p5"  # what stations measure here
_KEPT = 64  # analyses at stations: a day of them, however many threads are some days ahead of each other


class Product(Protocol):
    """Hourly values on a grid, at whole hours, that are compared with stations."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def label(self) -> str:
        """Its files, for messages."""

    @property
    def description(self) -> str:
        """How its hours come about, for people."""

    @property
    def grid(self) -> Grid:
        """Its grid."""

    @property
    def times(self) -> Hours:
        """(n,) datetime64[h], every hour from the first to the last, also those without values."""

    def series(self, sampler: Sampler, hours: slice) -> Maps:
        """Values at stations; only the chunks needed are read, so a UTC day at a time, or less, takes little memory.

        Args:
            sampler: the stations, on the product's grid.
            hours: which of ``times``.

        Returns:
            (hours, stations) float32 in ug m-3, NaN where missing.

        Raises:
            InputError: if a file is damaged.
        """


def store_product(name: str, paths: str | Path | Iterable[str | Path], *, variable: str | None = None) -> Product:
    """Hourly maps as a product: what ``downscale`` wrote, or others like it.

    Args:
        name: what to call it.
        paths: stores, files, folders or patterns.
        variable: which variable to compare; None for PM2.5.

    Raises:
        InputError: if they cannot be used, or hold another variable than the one wanted.
    """
    results = open_results(paths, variable=variable)
    return _Stored(name, results, _scale(results.species, results.label, asked=variable is not None))


def cams_products(
    paths: str | Path | Iterable[str | Path], *, variable: str = _SPECIES, units: str | None = None
) -> tuple[Product, Product]:
    """CAMS as two products: linear in time between analyses, and the nearest analysis in time.

    Neither has values between analyses that are further apart than their usual step. At the hour of an analysis both are
    that analysis; half way between two the nearest is the earlier one.

    Args:
        paths: files of analyses, folders or patterns.
        variable: its name in the files.
        units: the values' unit, if the files do not say it or say it wrongly.

    Raises:
        InputError: if they cannot be used.
    """
    analyses = open_analyses(find_files(paths), variable=variable, units=units)
    more = f" and {len(analyses.files) - 1} more" if len(analyses.files) > 1 else ""
    label = analyses.files[0] + more
    known = _Known(analyses, _scale(analyses.species, label, asked=variable != _SPECIES))
    every = f"analyses every {analyses.step} hours" if analyses.step else "a single analysis"
    linear = _Cams(CAMS, label, f"{every}, linear in time between them", known, lambda fraction: fraction)
    nearest = _Cams(NEAREST, label, f"{every}, the nearest in time", known, _later)
    return linear, nearest


def _scale(species: Species, label: str, *, asked: bool) -> float:
    """What values are multiplied with to be in ug m-3.

    Raises:
        InputError: if it is not PM2.5, unless it was asked for, or not a mass in a volume.
    """
    if species.name != _SPECIES and not asked:
        raise InputError(f"{label}: holds {species.name}, stations measure {_SPECIES}; to compare them nevertheless, say so "
                         f"with --variable {species.name}")  # fmt: skip
    try:
        return micrograms_per(species.unit)
    except InputError:
        raise InputError(f"{label}: {species.name} is in {species.unit!r}: wanted a mass in a volume of air, like ug m-3, "
                         "to compare with stations") from None  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Stored:
    """Hourly maps, as they were stored."""

    name: str
    results: Results
    scale: float

    @property
    def label(self) -> str:
        return self.results.label

    @property
    def description(self) -> str:
        said = [str(self.results.attributes.get("title", "hourly maps, as they are stored")), *_made(self.results)]
        return "; ".join(said)

    @property
    def grid(self) -> Grid:
        return self.results.grid

    @property
    def times(self) -> Hours:
        return self.results.times

    def series(self, sampler: Sampler, hours: slice) -> Maps:
        values = sampled(self.results, sampler, windows_of(self.results, sampler), hours).values
        return values if self.scale == 1 else values * np.float32(self.scale)


def _made(results: Results) -> list[str]:
    """How deepcams made them, if it did."""
    try:
        settings = json.loads(str(results.attributes["deepcams_settings"]))
        parts = [f"{settings[key]} in {key}" for key in ("space", "time")]
        return [f"deepcams {results.attributes['deepcams_version']}, {settings['method']}: {', '.join(parts)}"]
    except (KeyError, TypeError, ValueError):
        return [str(results.attributes[key]) for key in ("source",) if results.attributes.get(key)]


class _Known:
    """Analyses at stations, each read and sampled once by whoever asks first, while hours are asked for in order."""

    def __init__(self, analyses: Analyses, scale: float) -> None:
        self.analyses = analyses
        self._scale = np.float32(scale)
        self._kept: OrderedDict[int, Maps] = OrderedDict()
        self._sampler: Sampler | None = None
        self._lock = threading.Lock()

    def at(self, index: int, sampler: Sampler) -> Maps:
        """(stations,) analysis number ``index``."""
        with self._lock:
            if sampler is not self._sampler:
                self._kept.clear()
                self._sampler = sampler
            if index not in self._kept:
                self._kept[index] = self._sampled(index, sampler)
            self._kept.move_to_end(index)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[index]

    def _sampled(self, index: int, sampler: Sampler) -> Maps:
        field = self.analyses.read(index).values
        cells = sampler.take(lambda rows, columns: field[None, rows, columns])
        return sampler.means(cells)[0] * self._scale


@dataclass(frozen=True, eq=False)
class _Cams:
    """Analyses interpolated in time; ``share`` is the weight of the later one at a fraction of the interval."""

    name: str
    label: str
    description: str
    known: _Known
    share: Callable[[Floats], Floats]

    @property
    def grid(self) -> Grid:
        return self.known.analyses.grid

    @property
    def times(self) -> Hours:
        times = self.known.analyses.times
        return np.arange(times[0], times[-1] + np.timedelta64(1, "h"))

    def series(self, sampler: Sampler, hours: slice) -> Maps:
        before, fractions = _places(self.known.analyses, self.times[hours])
        values = np.full((before.size, len(sampler.names)), np.nan, np.float32)
        for hour, (index, share) in enumerate(zip(before.tolist(), self.share(fractions).tolist(), strict=True)):
            if share == 0 or share == 1:  # the other end does not matter, not even if it is missing
                values[hour] = self.known.at(index + int(share), sampler)
            elif share > 0:
                values[hour] = blend(self.known.at(index, sampler), self.known.at(index + 1, sampler), share)
        return values


def _later(fraction: Floats) -> Floats:
    """The weight of the later analysis when the nearest is taken; NaN stays NaN."""
    return np.where(np.isnan(fraction), np.nan, fraction > 0.5)


def _places(analyses: Analyses, hours: Hours) -> tuple[Cells, Floats]:
    """The analysis at or before each hour, and the fraction of the interval after it; NaN in gaps."""
    before: Cells = np.searchsorted(analyses.times, hours, "right") - 1
    after = np.minimum(before + 1, analyses.times.size - 1)
    width = (analyses.times[after] - analyses.times[before]).astype(np.int64)
    since = (hours - analyses.times[before]).astype(np.int64)
    within = (since == 0) | (width <= analyses.step)
    return before, np.where(within, since / np.maximum(width, 1), np.nan)
