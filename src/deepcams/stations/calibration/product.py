"""The calibrated product: hourly maps with the correction, in files of their own that say what they are."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.conventions import Product
from deepcams.cut import Cut, cut
from deepcams.errors import InputError
from deepcams.extraction.extract import Extract
from deepcams.grid import Region
from deepcams.io.netcdf import netcdf_writer, tell_own
from deepcams.io.output import check_output, check_space, refuse_input
from deepcams.provenance import provenance, run_record
from deepcams.rounding import KEEPBITS
from deepcams.stations.calibration.features import Places, Singles, Surroundings, everywhere
from deepcams.stations.calibration.folds import distance
from deepcams.stations.calibration.model import Correction
from deepcams.threads import in_order, processors
from deepcams.timeline import TimeKind
from deepcams.units import MICROGRAMS, Species

Progress = Callable[[int], None]

SPECIES = Species(
    "pm2p5_calibrated",
    MICROGRAMS,
    1.0,
    "Particulate matter d <= 2.5 um, corrected with what stations measured",
    "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air",
)
DISTANCE = "distance_to_station"
FILE = ".nc"
_WANTED = "pm2p5"
_TOGETHER = 200_000  # cells whose features are in memory at a time, for each thread
_YEAR, _MONTH = "%Y", "%m"
_CARRIED = ("references", "license", "attribution")
_DISTANCE = {
    "long_name": "distance to the nearest cell with a station that the correction was learned at",
    "units": "km",
    "comment": "far from stations the correction is an extrapolation",
}
_COMMENT = (
    "not the pure downscaling: pm2p5 of the maps named in deepcams_calibration, times a correction learned from stations; "
    "see held_out there for its worth where none had been. time_kind: "
    + ", ".join(f"{kind.value} {kind.name.lower()}" for kind in TimeKind)
)


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        paths: the files.
        hours: that have maps.
        missing: hours that are NaN because they were never made.
        seconds: how long it took.
        notes: what the user should be told.
    """

    paths: tuple[Path, ...]
    hours: int
    missing: int
    seconds: float
    notes: tuple[str, ...]


def check_target(path: Path, inputs: tuple[str | Path, ...], *, overwrite: bool) -> None:
    """Refuse an output that cannot be written or is one of the inputs, before any work is done.

    Raises:
        OutputError: for such an output.
        InputError: if its name has a part of ``%Y`` and ``%m`` only.
    """
    plain = path.name.replace(_YEAR, "").replace(_MONTH, "")
    if "%" in plain or (_YEAR in path.name) != (_MONTH in path.name):
        raise InputError(f"{path}: wanted %Y and %m in the name, for the year and the month of each file, and no other %: "
                         "calibrated_%Y-%m.nc")  # fmt: skip
    check_output(path, (FILE,), overwrite=overwrite)
    refuse_input(path, inputs)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be written; all that can be refused before the correction is known has been looked at.

    Attributes:
        extract: the hours; those that are missing are NaN.
        part: the box.
        files: the files, and the hours of each.
        overwrite: whether existing files may be replaced.
    """

    extract: Extract
    part: Cut
    files: tuple[tuple[Path, Extract], ...]
    overwrite: bool


def plan(extract: Extract, path: Path, *, region: Region | None = None, overwrite: bool = False) -> Plan:
    """What to write.

    Args:
        extract: the hours.
        path: the output, ``.nc``; with ``%Y`` and ``%m`` in its name a file for each month.
        region: the box; None for all.
        overwrite: whether existing files may be replaced.

    Raises:
        InputError: if the maps are not of PM2.5, or the region is not within them.
        OutputError: if the output cannot be written.
    """
    species = extract.results.species
    if (species.name, species.unit) != (_WANTED, MICROGRAMS):
        raise InputError(f"{extract.results.label} has {species.name} in {species.unit}: wanted {_WANTED} in {MICROGRAMS}, "
                         "uncalibrated: stations measure PM2.5")  # fmt: skip
    part = cut(extract.results, region)
    files = _months(extract, path) if "%" in path.name else ((path, extract),)
    for target, _ in files:
        check_target(target, extract.results.files, overwrite=overwrite)
    check_space(path, extract.size * part.grid.rows * part.grid.columns)
    return Plan(extract, part, files, overwrite)


def refuse_other_maps(extract: Extract, correction: Correction) -> tuple[str, ...]:
    """Refuse maps that a correction is not for, and tell how they differ from those it was learned on.

    Raises:
        InputError: if their grid has another step: surroundings of so many cells are others then.
    """
    results = extract.results
    if abs(results.grid.step - correction.step) > 1e-6:
        raise InputError(f"{results.label} has steps of {results.grid.step:g} degrees, the correction was learned on steps of "
                         f"{correction.step:g}; learn it anew on such maps")  # fmt: skip
    found, wanted = results.attributes.get("deepcams_settings", ""), correction.facts.get("settings", "")
    different = (
        "the maps were made in another way than those the correction was learned on; its scores say little of it"
    )
    return (different,) if found != wanted else ()


def calibrate(
    planned: Plan,
    correction: Correction,
    *,
    workers: int | None = None,
    progress: Progress = lambda count: None,
) -> Written:
    """Write the corrected maps.

    Args:
        planned: what to write.
        correction: learned before.
        workers: threads, each with an hour; None for one per processor.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if a map cannot be read, or the correction is not for such maps.
        OutputError: if the output cannot be written.
    """
    began = time.monotonic()
    extract = planned.extract
    notes = refuse_other_maps(extract, correction)
    work = _Work(extract, correction, planned.part)
    for target, hours in planned.files:
        _write(target, hours, work, workers or processors(), planned.overwrite, progress)
    paths = tuple(target for target, _ in planned.files)
    return Written(paths, extract.size - extract.missing, extract.missing, time.monotonic() - began, notes)


class _Work:
    """The correction of one hour of a box after the other, with what does not change."""

    def __init__(self, extract: Extract, correction: Correction, part: Cut) -> None:
        self.results, self.correction, self.part = extract.results, correction, part
        whole = self.results.grid
        columns = np.concatenate([np.arange(whole.columns)[piece] for piece in part.columns])
        self.where = everywhere(whole, np.arange(whole.rows)[part.rows], columns)

    def corrected(self, item: tuple[np.datetime64, Singles | None]) -> Singles:
        """(rows, columns) the box at an hour; NaN where there is no map."""
        moment, field = item
        shape = self.part.grid.shape
        if field is None:
            return np.full(shape, np.nan, np.float32)
        around = Surroundings(field, self.results.grid, moment)
        found = np.empty(self.where.rows.size, np.float32)
        for start in range(0, found.size, _TOGETHER):
            cells = slice(start, start + _TOGETHER)
            found[cells] = self._of_cells(field, around, self.where.take(cells))
        return found.reshape(shape)

    def _of_cells(self, field: Singles, around: Surroundings, cells: Places) -> Singles:
        return self.correction.correct(field[cells.rows, cells.columns], around.features(cells))

    def distance(self) -> Singles:
        """(rows, columns) km to the nearest cell that was learned at."""
        sites = self.correction.sites
        found = distance(self.where.latitude, self.where.longitude, sites[:, 0], sites[:, 1])
        return found.reshape(self.part.grid.shape).astype(np.float32)


def _write(path: Path, hours: Extract, work: _Work, threads: int, overwrite: bool, progress: Progress) -> None:
    """One file; it has its name only when it is whole."""
    grid, results = work.part.grid, hours.results
    product = Product(SPECIES, grid, hours.times, hours.kinds, provenance({}, results.files))

    def finish(dataset: Any) -> None:
        tell_own(dataset, attributes(hours, work.correction))
        _add_distance(dataset, work.distance())

    with netcdf_writer(path, product, keepbits=KEEPBITS, overwrite=overwrite, finish=finish) as (write, _):
        for day in hours.days():
            kinds = results.kinds[day]
            empty = (kinds == TimeKind.MISSING).all()
            maps = [None] * kinds.size if empty else list(results.read(day))
            known = [None if kind == TimeKind.MISSING else one for kind, one in zip(kinds, maps, strict=True)]
            for values in in_order(work.corrected, zip(results.times[day], known, strict=True), threads):
                write(values)
                progress(1)


def attributes(extract: Extract, correction: Correction) -> dict[str, str]:
    """What the product says of itself: of the maps, of the correction, and of what it is worth."""
    results, facts = extract.results, correction.facts
    run, before = run_record(), results.attributes.get("history")
    carried = {name: str(results.attributes[name]) for name in _CARRIED if name in results.attributes}
    carried |= {
        str(name): str(value) for name, value in results.attributes.items() if str(name).startswith("deepcams_")
    }
    thanks = ". ".join(one for one in (carried.get("attribution"), _thanks(facts)) if one)
    calibration = {**facts, "model_sha256": correction.sha256, "from": [Path(name).name for name in results.files]}
    return {
        "title": "Hourly pm2p5, corrected with stations",
        "institution": "computed with deepcams",
        "source": f"{results.attributes.get('source', results.label)}; corrected with gradient boosting on what stations "
        "measured",
        **carried,
        "attribution": thanks,
        "comment": _COMMENT,
        "deepcams_calibration": json.dumps(calibration, sort_keys=True),
        "history": f"{run['time']}: {run['command']}" + (f"\n{before}" if before else ""),
    }


def _thanks(facts: Mapping[str, Any]) -> str:
    sources = facts.get("sources") or []
    return f"Corrected with measurements of: {', '.join(map(str, sources))}" if sources else ""


def _add_distance(dataset: Any, away: Singles) -> None:
    """Let the file say how far from a station its values are."""
    variable = dataset.createVariable(DISTANCE, "f4", ("latitude", "longitude"), compression="zlib", shuffle=True,
                                      significant_digits=KEEPBITS, quantize_mode="BitRound")  # fmt: skip
    variable.setncatts(_DISTANCE)
    variable[:] = away
    dataset[SPECIES.name].ancillary_variables = f"time_kind {DISTANCE}"


def _months(extract: Extract, path: Path) -> tuple[tuple[Path, Extract], ...]:
    """The files of a pattern, and the hours of each."""
    months = extract.times.astype("datetime64[M]")
    files = []
    for month in np.unique(months):
        own = np.flatnonzero(months == month) + extract.hours.start
        year, number = str(month).split("-")
        target = path.with_name(path.name.replace(_YEAR, year).replace(_MONTH, number))
        files.append((target, Extract(extract.results, slice(int(own[0]), int(own[-1]) + 1))))
    return tuple(files)
