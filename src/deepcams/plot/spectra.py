"""Zonal power spectra: how much of a field varies at which wavelength around the Earth.

Interpolation leaves short waves out, and a method that invents detail has too much of them: a spectrum tells, without any
hour or place being chosen. Power is that of :func:`deepcams.evaluation.metrics.zonal_power`, as a density, so that fields of
different resolution can be compared: its sum over wavenumbers is the variance along circles of latitude. Parts of circles
are multiplied with Hann's window (Press et al., Numerical Recipes, section 13.4) after their mean is taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.evaluation.metrics import zonal_power
from deepcams.extraction.points import check_names
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Analyses
from deepcams.io.geos_cf import Hourly
from deepcams.io.results import Results
from deepcams.plot.fields import box_text
from deepcams.spatial.interpolation import CUBIC, interpolate
from deepcams.sphere import from_blocks
from deepcams.temporal.linear import blend
from deepcams.timeline import Hours, TimeKind, no_hour
from deepcams.units import micrograms_per

Field = NDArray[np.float32]
Floats = NDArray[np.float64]
Progress = Callable[[int], None]

BAND = Region(60, -180, -60, 180)
"""Where global fields are compared: nearer to the poles the same wavenumber is another length."""
TRUTH, CAMS, BICUBIC = "truth", "CAMS", "bicubic"

_EARTH = 6371.0  # radius in km
_PER_OCTAVE = 12  # bins of wavenumbers
_COVERED = 1.01  # grid steps by which a field may fall short of the region


@dataclass(frozen=True, eq=False)
class Source:
    """Hourly fields whose spectrum is wanted.

    Attributes:
        name: what to call them.
        file: where they come from, for people.
        variable: name of what they hold.
        unit: of the values.
        grid: of the fields.
        times: (n,) datetime64[h] the hours there are, ascending.
        load: gives the field (rows, columns) of one of them, NaN where missing.
        attribution: whom to name.
    """

    name: str
    file: str
    variable: str
    unit: str
    grid: Grid
    times: Hours
    load: Callable[[np.datetime64], Field]
    attribution: str = ""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The mean spectrum of a source.

    Attributes:
        name: of the source.
        wavenumber: (n,) waves around the whole circle of latitude; means of bins.
        power: (n,) density: variance per wavenumber, in the square of the unit.
    """

    name: str
    wavenumber: Floats
    power: Floats

    def at(self, wavenumber: Floats) -> Floats:
        """The power at other wavenumbers, linear in the logarithms; NaN beyond its own."""
        with np.errstate(divide="ignore"):
            found = np.exp(np.interp(np.log(wavenumber), np.log(self.wavenumber), np.log(self.power)))
        inside = (wavenumber >= self.wavenumber[0] * 0.999) & (wavenumber <= self.wavenumber[-1] * 1.001)
        return np.where(inside, found, np.nan)


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of the same hours and the same part of the Earth.

    Attributes:
        spectra: in the order of the sources.
        sources: what they are of.
        region: where.
        whole: whether it goes all around.
        hours: (n,) datetime64[h].
        circumference: km around the Earth, the mean over the band's area.
    """

    spectra: tuple[Spectrum, ...]
    sources: tuple[Source, ...]
    region: Region
    whole: bool
    hours: Hours
    circumference: float

    @property
    def reference(self) -> Spectrum | None:
        """Whose power the others are compared with: the truth, else bicubic, CAMS, or the first of several."""
        named = {one.name: one for one in self.spectra}
        if len(named) < 2:
            return None
        return next((named[name] for name in (TRUTH, BICUBIC, CAMS) if name in named), self.spectra[0])


def of_results(name: str, results: Results) -> Source:
    """Hourly maps as a source."""
    times, first = results.times[results.kinds != TimeKind.MISSING], results.times[0]

    def load(time: np.datetime64) -> Field:
        number = int((time - first).astype(np.int64))
        return results.read(slice(number, number + 1))[0]

    attribution = str(results.attributes.get("attribution", ""))
    return Source(name, _file(results.files), results.species.name, results.species.unit, results.grid, times, load,
                  attribution)  # fmt: skip


def of_truth(hourly: Hourly) -> Source:
    """Hourly fine fields as the truth."""
    fields = hourly.fields
    return Source(TRUTH, _file(fields.files), fields.species.name, fields.species.unit, fields.grid, fields.times,
                  _reader(fields), hourly.attribution)  # fmt: skip


def of_cams(analyses: Analyses, factor: int = 3) -> tuple[Source, Source]:
    """CAMS on its own grid, and interpolated to a finer one; between analyses both are linear in time."""
    times, step, read = analyses.times, analyses.step, _reader(analyses)
    hours = [np.arange(a, b) if (b - a).astype(int) <= step else [a] for a, b in pairwise(times)]
    known = np.concatenate([*hours, times[-1:]]).astype("datetime64[h]")

    def load(time: np.datetime64) -> Field:
        after = int(np.searchsorted(times, time))
        if times[after] == time:
            return read(time)
        before = times[after - 1]
        return blend(read(before), read(times[after]), float((time - before) / (times[after] - before)))

    def interpolated(time: np.datetime64) -> Field:
        blocks = interpolate(load(time).astype(np.float64), analyses.grid, factor, kernel=CUBIC, conserving=False)
        return np.asarray(from_blocks(blocks, analyses.grid), np.float32)

    about = _file(analyses.files), analyses.species.name, analyses.species.unit
    own = Source(CAMS, *about, analyses.grid, known, load)
    return own, Source(BICUBIC, *about, analyses.grid.refine(factor), known, interpolated)


def common_hours(
    sources: Sequence[Source], start: np.datetime64 | None = None, end: np.datetime64 | None = None
) -> Hours:
    """The hours that all sources have from ``start`` to ``end``, both included.

    Raises:
        InputError: if there is none.
    """
    hours = sources[0].times
    for one in sources[1:]:
        hours = np.intersect1d(hours, one.times)
    if not hours.size:
        periods = "; ".join(f"{one.name} {one.times[0]} to {one.times[-1]}" for one in sources)
        raise InputError(f"the files have no hour in common: {periods}; give files of the same hours")
    kept = np.ones(hours.size, np.bool_)
    kept &= hours >= start if start is not None else True
    kept &= hours <= end if end is not None else True
    if not kept.any():
        raise no_hour(start, end, "all files", hours)
    return hours[kept]


def read_spectra(sources: Sequence[Source], hours: Hours, region: Region | None = None, *,
                 progress: Progress = lambda count: None) -> Spectra:  # fmt: skip
    """The mean spectra of all sources; one field of each is held at a time.

    Args:
        sources: each with another name.
        hours: some that all of them have, as :func:`common_hours` gives them.
        region: where; None for 60°S to 60°N, or for what a regional source covers.
        progress: called with the number of fields done since the last call.

    Raises:
        InputError: if units differ, a source does not cover the region, or has no complete row in it.
    """
    check_names("spectra", [one.name for one in sources])
    scales = _scales(sources)
    around = region or next((_nodes(one.grid) for one in sources if not one.grid.periodic), BAND)
    parts = [_Part.of(source, around) for source in sources]
    sums = [np.zeros(part.wavenumber.size) for part in parts]
    for hour in hours:
        for source, part, scale, total in zip(sources, parts, scales, sums, strict=True):
            total += part.power(source.load(hour) * scale, f"{source.file} at {hour}")
            progress(1)
    found = [Spectrum(source.name, *_binned(part.wavenumber, total / hours.size))
             for source, part, total in zip(sources, parts, sums, strict=True)]  # fmt: skip
    finest = min(parts, key=lambda part: part.grid.step)
    return Spectra(tuple(found), tuple(sources), around, all(part.window is None for part in parts), hours,
                   finest.circumference)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Part:
    """The part of a source's fields that its spectrum is of.

    Attributes:
        grid: of the fields.
        rows: those within.
        columns: (n,) those within, from west to east.
        window: (n,) what values are multiplied with; None for whole circles.
    """

    grid: Grid
    rows: slice
    columns: NDArray[np.intp]
    window: Floats | None

    @classmethod
    def of(cls, source: Source, region: Region) -> _Part:
        """The part of a source in a region.

        Raises:
            InputError: if it does not cover the region.
        """
        grid = source.grid
        rows, columns = grid.row_window(region), grid.column_window(region)
        wanted = round((region.north - region.south) / grid.step), round(region.width / grid.step)
        if len(rows) + _COVERED < wanted[0] or len(columns) + _COVERED < wanted[1] or len(columns) < 8:
            raise InputError(f"{source.file} ({source.name}) does not cover {box_text(region)}: it has {grid}; choose a "
                             "--region of 8 columns at least that all files have")  # fmt: skip
        whole = grid.periodic and len(columns) == grid.columns
        window = None if whole else np.sin(np.pi * (np.arange(len(columns)) + 0.5) / len(columns)) ** 2
        return cls(grid, slice(rows.start, rows.stop), np.asarray(columns, np.intp) % grid.columns, window)

    @property
    def spacing(self) -> float:
        """Between its wavenumbers, in waves around the whole circle."""
        return 360 / (self.grid.step * self.columns.size)

    @property
    def wavenumber(self) -> Floats:
        """(n,) from the first wave on."""
        return np.arange(1.0, self.columns.size // 2 + 1) * np.float64(self.spacing)

    @property
    def areas(self) -> Floats:
        """(rows,) of cells."""
        return self.grid.areas[self.rows]

    @property
    def circumference(self) -> float:
        """Km around the Earth, the mean over the rows' area."""
        cosines = np.cos(np.deg2rad(self.grid.latitude[self.rows]))
        return float(2 * np.pi * _EARTH * (self.areas @ cosines) / self.areas.sum())

    def power(self, field: Field, label: str) -> Floats:
        """(n,) variance per wavenumber of a field (rows, columns).

        Raises:
            InputError: if no row is complete.
        """
        values: Floats = field[self.rows][:, self.columns].astype(np.float64)
        gain = 1.0
        if self.window is not None:
            values = (values - values.mean(axis=1, keepdims=True)) * self.window
            gain = float((self.window**2).mean())
        # The power of ones at wavenumber 0 is the area of the complete rows, in the same unit.
        found, ones = zonal_power(values, np.ones_like(values), self.areas)
        if ones[0] == 0:
            raise InputError(f"{label}: no circle of latitude is complete in the region; choose a --region without missing "
                             "values")  # fmt: skip
        twice = np.full(self.columns.size // 2, 2.0)
        twice[-1] = 1.0 + self.columns.size % 2  # the shortest wave of an even number is there once
        density: Floats = np.asarray(twice * found[1:] / ones[0] / gain / self.spacing, np.float64)
        return density


def _scales(sources: Sequence[Source]) -> list[np.float32]:
    """What each source is multiplied with to have the unit of the first one."""
    unit = sources[0].unit
    return [np.float32(1 if one.unit == unit else micrograms_per(one.unit) / micrograms_per(unit)) for one in sources]


def _nodes(grid: Grid) -> Region:
    """The region from a regional grid's first node to its last."""
    west, east = float(grid.longitude[0]), float(grid.longitude[-1])
    turns = 360 * round((west - (west + 180) % 360 + 180) / 360)
    return Region(float(grid.latitude[0]), west - turns, float(grid.latitude[-1]), east - turns)


def _reader(analyses: Analyses) -> Callable[[np.datetime64], Field]:
    """Reads the field of an hour; the last two are kept, because hours between need both."""
    kept: dict[np.datetime64, Field] = {}

    def read(time: np.datetime64) -> Field:
        if time not in kept:
            while len(kept) > 1:
                kept.pop(min(kept))
            kept[time] = analyses.read(int(np.searchsorted(analyses.times, time))).values
        return kept[time]

    return read


def _binned(wavenumber: Floats, power: Floats) -> tuple[Floats, Floats]:
    """Means over bins of a twelfth of an octave, where there are several wavenumbers in one."""
    label: Any = np.floor(np.log2(wavenumber) * _PER_OCTAVE).astype(np.int64)
    _, label, count = np.unique(label, return_inverse=True, return_counts=True)
    return np.bincount(label, wavenumber) / count, np.bincount(label, power) / count


def _file(files: Sequence[str]) -> str:
    """The name of the first file, and how many more there are."""
    return Path(files[0]).name + (f" and {len(files) - 1} more" if len(files) > 1 else "")
