"""A result as NetCDF: one file, or one for each month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.checks import Tally
from deepcams.downscaling import product_of
from deepcams.errors import InputError, OutputError
from deepcams.io.netcdf import describe, netcdf_writer
from deepcams.io.output import check_output
from deepcams.pipeline import Job, hours
from deepcams.production.work import Progress
from deepcams.provenance import digest_of

FILE = ".nc"
_YEAR, _MONTH = "%Y", "%m"


@dataclass(frozen=True)
class _File:
    """A file to be written, and what goes into it."""

    path: Path
    job: Job


def write_files(
    job: Job, path: Path, tally: Tally, *, keepbits: int, threads: int, overwrite: bool, progress: Progress
) -> int:
    """Write a job to a file, or to one for each month if the name has ``%Y`` and ``%m``.

    A file for a month that is there already, with the same hours made in the same way from the same analyses, is kept;
    one with fewer hours is written again.

    Returns:
        How many hours were there already.

    Raises:
        InputError: if the name has one of the two only, or an analysis cannot be read.
        OutputError: if a file cannot be written, or is there already and of other work.
    """
    is_monthly = "%" in path.name
    files = _months(job, path) if is_monthly else [_File(path, job)]
    missing = [file for file in files if overwrite or not (is_monthly and _is_there(file, keepbits))]
    kept = sum(file.job.timeline.times.size for file in files) - sum(file.job.timeline.times.size for file in missing)
    progress(kept)
    for file in missing:
        part = Tally()
        again = overwrite or is_monthly  # one that is there has been looked at
        with netcdf_writer(file.path, product_of(file.job), keepbits=keepbits, overwrite=again) as (write, record):
            for hour in hours(file.job, part, workers=threads):
                write(hour.values)
                progress(1)
            record(_inputs_digest(part.digests))
        tally.add(part)
    return kept


def _inputs_digest(digests: dict[int, str]) -> str:
    return digest_of(digests[number] for number in sorted(digests))


def _months(job: Job, path: Path) -> list[_File]:
    """The files of a job by month.

    Raises:
        InputError: if the name does not say where year and month go.
    """
    plain = path.name.replace(_YEAR, "").replace(_MONTH, "")
    if "%" in plain or _YEAR not in path.name or _MONTH not in path.name:
        raise InputError(f"{path}: wanted %Y and %m in the name, for the year and the month of each file, and no other %: "
                         "hourly_%Y-%m.nc")  # fmt: skip
    months = np.unique(job.timeline.times.astype("datetime64[M]"))
    return [_File(_named(path, month), _within(job, month)) for month in months]


def _named(path: Path, month: np.datetime64) -> Path:
    year, number = str(month).split("-")
    return path.with_name(path.name.replace(_YEAR, year).replace(_MONTH, number))


def _within(job: Job, month: np.datetime64) -> Job:
    """The hours of a job that are in a month."""
    first, last = month.astype("datetime64[h]"), (month + 1).astype("datetime64[h]") - 1
    times = job.timeline.times
    return replace(job, start=max(first, times[0]), end=min(last, times[-1]))


def _is_there(file: _File, keepbits: int) -> bool:
    """Whether a file is there with all it is to have; False if it is not there, or has fewer hours.

    Raises:
        OutputError: if there is another one of its name.
    """
    check_output(file.path, (FILE,), overwrite=True)
    if not file.path.exists():
        return False
    found, wanted = describe(file.path), _description(file.job, keepbits)
    different = [name for name, value in wanted.items() if found.get(name) != value]
    if different:
        name = different[0]
        raise OutputError(f"{file.path}: exists already, of other work: {name} is {found.get(name)!r} there, and "
                          f"{wanted[name]!r} was asked for; give another name, or --overwrite to replace it")  # fmt: skip
    hours_there, hours_wanted = set(found["times"].tolist()), set(file.job.timeline.times.tolist())
    if hours_there < hours_wanted:
        return False
    numbers = {number for day in file.job.timeline.days for number in file.job.inputs(day)}
    digest = _inputs_digest({number: file.job.analyses.read(number).digest for number in numbers})
    if hours_there != hours_wanted or found["inputs_sha256"] != digest:
        raise OutputError(
            f"{file.path}: exists already, made from other analyses; give another name, or --overwrite to replace it"
        )
    return True


def _description(job: Job, keepbits: int) -> dict[str, Any]:
    """What tells one work from another."""
    product = product_of(job)
    return {
        "version": product.origin["deepcams_version"],
        "settings": dict(product.origin["settings"]),
        "grid": product.grid.shape,
        "keepbits": keepbits,
    }
