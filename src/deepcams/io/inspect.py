"""What files hold, what would be done with them, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deepcams.errors import InputError
from deepcams.io.analyses import Analyses
from deepcams.io.cams import AnalysisFile, VariableMissing, combine, open_file
from deepcams.io.files import DataFile, data_files, expand
from deepcams.timeline import timeline
from deepcams.units import noise_limits

_LARGEST = 1e5  # ug m-3: more than any fire gives
_SMALLEST = 1e-3  # ug m-3: less than the cleanest air has at its highest

Track = Callable[[int], AbstractContextManager[Callable[[int], None]]]
_T = TypeVar("_T")


@dataclass(frozen=True)
class FileReport:
    """One file: its form, and what is in it or why it cannot be used; a zip may have members that do not matter."""

    name: str
    form: str
    analyses: int = 0
    first: str = ""
    last: str = ""
    grid: str = ""
    problem: str = ""
    matters: bool = True


@dataclass
class Values:
    """What the values are, over all analyses, in the output's unit."""

    minimum: float = float("inf")
    maximum: float = float("-inf")
    missing: int = 0
    all_missing: list[str] = field(default_factory=list)
    noise: int = 0
    negative: int = 0
    infinite: int = 0

    def add(self, analyses: Analyses, number: int) -> None:
        """Take in one analysis."""
        raw = analyses.load(number)
        lowest, largest = noise_limits(analyses.epsilon)
        absent = np.isnan(raw)
        self.missing += int(absent.sum())
        if absent.all():
            self.all_missing.append(f"{analyses.times[number]}:00")
        finite = raw[np.isfinite(raw)]
        self.infinite += raw.size - int(absent.sum()) - finite.size
        self.minimum = min(self.minimum, float(finite.min(initial=np.inf)))
        self.maximum = max(self.maximum, float(finite.max(initial=-np.inf)))
        self.noise += int(((raw >= lowest) & (raw < largest) & (raw != 0)).sum())
        self.negative += int((raw < lowest).sum())


@dataclass
class Inspection:
    """The whole report; ``obstacles`` is empty if ``deepcams downscale`` would work."""

    files: list[FileReport]
    variable: str
    unit: str = ""
    grid: str = ""
    analyses: int = 0
    first: str = ""
    last: str = ""
    step_hours: int = 0
    duplicates: int = 0
    gaps: list[list[str]] = field(default_factory=list)
    values: Values | None = None
    hours: int = 0
    output_grid: str = ""
    output_megabytes: float = 0.0
    notes: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        report = asdict(self)
        if self.values is not None and self.values.maximum < self.values.minimum:
            report["values"] |= {"minimum": None, "maximum": None}
        return report


def inspect(
    paths: str | Path | Iterable[str | Path],
    *,
    variable: str = "pm2p5",
    units: str | None = None,
    track: Track = lambda total: nullcontext(lambda count: None),
) -> Inspection:
    """Look through files as ``deepcams downscale`` would, and go on where it would stop.

    Args:
        paths: files, folders or patterns.
        variable: the variable looked for.
        units: the values' unit, if the files do not say it.
        track: called with the number of analyses to read; gives a context that is told how many more are read.
    """
    obstacles: list[str] = []
    opened = [_look(file, variable, units) for file in _find(paths, obstacles)]
    report = Inspection([one for one, _ in opened], variable, obstacles=obstacles)
    usable = [file for _, file in opened if file is not None]
    report.obstacles += [one.problem for one, _ in opened if one.problem and (one.matters or not usable)]
    if not usable:
        return report
    try:
        analyses = combine(usable)
    except InputError as error:
        report.obstacles.append(str(error))
        return report
    _describe(report, analyses, sum(file.times.size for file in usable))
    _plan(report, analyses)
    _read_values(report, analyses, track)
    return report


def _find(paths: str | Path | Iterable[str | Path], obstacles: list[str]) -> list[DataFile]:
    """The data files of the given files, folders and patterns; those that are none are obstacles."""
    items = [paths] if isinstance(paths, str | Path) else paths
    found = dict.fromkeys(path for item in items for path in _or_obstacle(expand, item, obstacles))
    return [file for path in found for file in _or_obstacle(data_files, path, obstacles)]


def _or_obstacle(find: Callable[[Any], Sequence[_T]], item: str | Path, obstacles: list[str]) -> Sequence[_T]:
    try:
        return find(item)
    except InputError as error:
        obstacles.append(str(error))
        return []


def _look(file: DataFile, variable: str, units: str | None) -> tuple[FileReport, AnalysisFile | None]:
    form = {"h5netcdf": "NetCDF4", "cfgrib": "GRIB", "zarr": "Zarr"}.get(file.engine, "NetCDF3")
    try:
        found = open_file(file, variable=variable, units=units)
    except InputError as error:
        matters = not (file.is_member and isinstance(error, VariableMissing))
        return FileReport(file.label, form, problem=str(error), matters=matters), None
    first, last = (f"{moment}:00" for moment in (found.times.min(), found.times.max()))
    return FileReport(file.label, form, found.times.size, first, last, str(found.grid)), found


def _describe(report: Inspection, analyses: Analyses, slabs: int) -> None:
    report.unit, report.grid = analyses.species.unit, str(analyses.grid)
    report.analyses, report.duplicates = analyses.times.size, slabs - analyses.times.size
    report.first, report.last = (f"{moment}:00" for moment in analyses.times[[0, -1]])
    report.step_hours = analyses.step
    report.notes += analyses.notes


def _plan(report: Inspection, analyses: Analyses) -> None:
    try:
        plan = timeline(analyses.times, analyses.step)
    except InputError as error:
        report.obstacles.append(str(error))
        return
    fine = analyses.grid.refine(3)
    report.gaps = [[f"{moment}:00" for moment in gap] for gap in plan.gaps]
    report.hours, report.output_grid = plan.times.size, str(fine)
    report.output_megabytes = round(report.hours * fine.rows * fine.columns * 4 / 1e6, 3)


def _read_values(report: Inspection, analyses: Analyses, track: Track) -> None:
    report.values = values = Values()
    try:
        with track(analyses.times.size) as advance:
            for number in range(analyses.times.size):
                values.add(analyses, number)
                advance(1)
    except InputError as error:
        report.obstacles.append(str(error))
        return
    if values.infinite:
        report.obstacles.append(f"{values.infinite} infinite values: damaged, or the units are wrong")
    if values.negative:
        report.obstacles.append(
            f"{values.negative} negative values beyond packing noise, down to {values.minimum:g} {report.unit}"
        )
    if values.all_missing:
        report.obstacles.append(f"every value is missing at {', '.join(values.all_missing[:5])}")
    seen = values.minimum <= values.maximum
    if seen and analyses.species.is_particulate and not _SMALLEST < values.maximum < _LARGEST:
        report.notes.append(f"a maximum of {values.maximum:g} {report.unit} is not of this world: are the units right?")
