"""Whether a file that came is what was asked for: it opens, and holds the variable, the units, the grid and the hours."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcams.errors import InputError
from deepcams.fetch.cams_requests import Request
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.io.cams import VariableMissing, combine, from_dataset
from deepcams.io.files import data_files, open_dataset
from deepcams.timeline import ranges_of
from deepcams.units import MICROGRAMS

_PLAUSIBLE = (1e-3, 1e6)  # ug m-3: of the highest value of a file; real ones lie between 10 and 10 000
_SUFFIXES = {b"PK": ".zip", b"GR": ".grib"}  # by a file's first two bytes
_SHOWN = 4


def require_grib() -> None:
    """Refuse to fetch GRIB where it could not be read.

    Raises:
        InputError: if the library for it is not installed.
    """
    if importlib.util.find_spec("cfgrib") is None:
        raise InputError("files in GRIB could not be checked here, since the library for them is not installed: "
                         'run pip install "deepcams[grib]", or give --format netcdf')  # fmt: skip


def suffix_for(path: Path) -> str:
    """The suffix that fits a file's content: ``.zip``, ``.grib`` or ``.nc``."""
    with path.open("rb") as stream:
        return _SUFFIXES.get(stream.read(2), ".nc")


def check(path: Path, request: Request) -> None:
    """Refuse a file that is not what a request asked for; every value is read.

    Raises:
        InputError: if it cannot be read, or lacks something, or is on another grid or in other units.
    """
    analyses = _open(path, request)
    if analyses.species.unit != MICROGRAMS:
        raise InputError(f"{request.variable} in {analyses.species.unit!r}: wanted a mass per volume")
    if not _same(analyses.grid, request.grid):
        raise InputError(f"a grid of {analyses.grid}: wanted {request.grid}")
    missing = np.setdiff1d(request.times, analyses.times)
    if missing.size:
        raise InputError(f"{missing.size} of {request.times.size} hours are missing ({_named(missing, request.hours)}); "
                         "there may be none yet: give an earlier --end")  # fmt: skip
    extra = np.setdiff1d(analyses.times, request.times)
    if extra.size:
        raise InputError(f"{extra.size} hours that were not asked for ({_named(extra, request.hours)})")
    _check_values(analyses)


def _open(path: Path, request: Request) -> Analyses:
    """The fields in a file, or in the files of a zip."""
    opened, absent = [], []
    for file in data_files(path):
        dataset = open_dataset(file, variable=request.variable if file.engine == "cfgrib" else None)
        try:
            step = request.grid.step
            opened.append(from_dataset(dataset, file.label, variable=request.variable, source=file, grid_step=step))
        except VariableMissing as error:
            absent.append(str(error))
    return combine(opened, "; ".join(absent) or "nothing in it")


def _same(found: Grid, wanted: Grid) -> bool:
    """Whether two grids have the same nodes, whichever way their longitudes are counted."""
    turns = round((wanted.west - found.west) / 360)
    return replace(found, west=found.west + 360 * turns) == wanted


def _check_values(analyses: Analyses) -> None:
    """Read all, and see whether the units can be right."""
    highest = -np.inf
    for number in range(analyses.times.size):
        values = analyses.load(number)
        if not np.isfinite(values).any():
            raise InputError(f"no value at all at {analyses.times[number]}:00 UTC")
        highest = max(highest, float(np.nanmax(values)))
    low, high = _PLAUSIBLE
    if not low < highest < high:
        raise InputError(f"values up to {highest:g} {analyses.species.unit}: wanted between {low:g} and {high:g}")


def _named(times: np.ndarray[tuple[int], np.dtype[np.datetime64]], step: int) -> str:
    """Hours for people, those one step apart as a range."""
    numbers = ((times - np.datetime64(0, "h")).astype(int) // step).tolist()
    texts = [_range_text(first, last, step) for first, last in ranges_of(numbers)]
    return ", ".join(texts[:_SHOWN]) + (", ..." if len(texts) > _SHOWN else "")


def _range_text(first: int, last: int, step: int) -> str:
    begin, end = (np.datetime64(number * step, "h") for number in (first, last))
    return str(begin) if first == last else f"{begin} to {end}"
