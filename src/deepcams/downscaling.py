"""Downscaling as a caller sees it: arrays to a dataset, or files to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams import conventions
from deepcams.checks import Tally
from deepcams.conventions import Product
from deepcams.errors import InputError, OutputError
from deepcams.grid import Region
from deepcams.io.cams import combine, from_dataset
from deepcams.io.netcdf import netcdf_writer
from deepcams.io.output import check_output, check_space
from deepcams.io.store import Store, is_unfinished, open_or_create
from deepcams.methods import Recipe, default, recipe
from deepcams.pipeline import Hour, Job, hours
from deepcams.provenance import digest_of, provenance
from deepcams.regions import parse_region
from deepcams.rounding import KEEPBITS
from deepcams.timeline import Day

if TYPE_CHECKING:
    import xarray as xr

NETCDF, ZARR = ".nc", ".zarr"
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        path: the output.
        hours: maps written.
        kept: maps that an earlier run had written already.
        seconds: how long it took.
        tally: counts and checks.
        job: what was asked for.
    """

    path: Path
    hours: int
    kept: int
    seconds: float
    tally: Tally
    job: Job


def downscale(
    cams: xr.DataArray,
    method: str | Recipe | None = None,
    *,
    region: str | Region | None = None,
    factor: int = 3,
    workers: int | None = None,
) -> xr.Dataset:
    """Downscale analyses to hourly maps, in memory (a day of global maps takes 100 MB; for more, see the command line).

    Args:
        cams: (time, latitude, longitude) as :func:`deepcams.open_cams` gives it, or any array with such coordinates and a
            ``units`` attribute on the CAMS grid. Its name tells the species; without one it is taken for pm2p5.
        method: a recipe or its name; None for ``deepcams``, or ``fast`` for other species and factors.
        region: keep only this region: a name, ``"N,W,S,E"`` in degrees, or a Region.
        factor: odd refinement in space.
        workers: threads; None for one per processor.

    Returns:
        The variable (time, latitude, longitude) float32 and ``time_kind`` (time), with CF attributes; unrounded.

    Raises:
        InputError: if the array, region or method cannot be used.
    """
    import xarray as xr

    if not isinstance(cams, xr.DataArray):
        raise InputError(
            f"a {type(cams).__name__}: wanted an xarray.DataArray of analyses, as deepcams.open_cams gives it"
        )
    name = str(cams.name or "pm2p5")
    analyses = combine([from_dataset(cams.to_dataset(name=name), "the array given", variable=name)])
    box = parse_region(region) if isinstance(region, str) else region
    chosen = method if isinstance(method, Recipe) else recipe(method or default(analyses.species.name, factor))
    job = Job(analyses, chosen, factor, box)
    product = product_of(job)
    values = np.empty((product.times.size, *product.grid.shape), np.float32)
    for number, hour in enumerate(hours(job, Tally(), workers=workers)):
        values[number] = hour.values
    coordinates: dict[str, Any] = {
        key: (dimensions, array, conventions.COORDINATES.get(key, {}))
        for key, (dimensions, array) in conventions.coordinate_arrays(product.grid).items()
    }
    coordinates["time"] = product.times.astype("datetime64[ns]")
    planes = ("time", "latitude", "longitude")
    variables = {
        product.species.name: (planes, values, conventions.variable_attributes(product.species)),
        "time_kind": ("time", product.kinds, conventions.TIME_KIND),
    }
    return xr.Dataset(variables, coordinates, conventions.global_attributes(product))


def downscale_to(
    job: Job,
    path: Path,
    *,
    keepbits: int = KEEPBITS,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Downscale to a NetCDF file or a Zarr store, by the suffix of ``path``.

    Args:
        job: what to compute.
        path: ``.nc`` is written under a temporary name and renamed; ``.zarr`` says that it is unfinished until it is
            complete, and a later run of the same job completes it.
        keepbits: mantissa bits to keep; 23 keeps all.
        workers: threads; None for one per processor.
        overwrite: whether an existing output may be replaced.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if an analysis cannot be read.
        OutputError: if the output cannot be written; a NetCDF file is then not left, a store keeps its finished days.
        CheckError: if a map breaks a promise of the method.
    """
    began = time.monotonic()
    check_output(path, (NETCDF, ZARR), overwrite=overwrite or (path.suffix.lower() == ZARR and is_unfinished(path)))
    _refuse_input(path, job)
    product, tally = product_of(job), Tally()
    check_space(path, product.times.size * product.grid.rows * product.grid.columns)
    if path.suffix.lower() == ZARR:
        _to_store(job, open_or_create(path, product, keepbits=keepbits, overwrite=overwrite), tally, workers, progress)
    else:
        with netcdf_writer(path, product, keepbits=keepbits, overwrite=overwrite) as (write, record):
            for hour in _reported(hours(job, tally, workers=workers), progress):
                write(hour.values)
            record(digest_of(tally.digests[number] for number in sorted(tally.digests)))
    return Summary(path, tally.hours, product.times.size - tally.hours, time.monotonic() - began, tally, job)


def _refuse_input(path: Path, job: Job) -> None:
    """An output must never replace a file that it is made from."""
    inputs = [Path(name).resolve() for name in job.analyses.files]  # of a zip's member, the zip is the parent
    if any(path.resolve() in (one, *one.parents) for one in inputs):
        raise OutputError(f"{path}: is one of the inputs; give the output another name")


def product_of(job: Job) -> Product:
    """What a job makes."""
    plan = job.timeline
    return Product(job.analyses.species, job.grid, plan.times, plan.kinds, provenance(job.settings, job.analyses.files))


def _to_store(job: Job, store: Store, tally: Tally, workers: int | None, progress: Progress) -> None:
    """Make the days that the store lacks; without any finished day, nothing of it is left when the work fails."""
    with ExitStack() as undo:
        undo.callback(store.drop_if_empty)
        days = {day.date: day for day in job.timeline.days if not _is_done(job, store, day)}
        progress(job.timeline.times.size - sum(day.size for day in days.values()))
        store.log("started", days=len(days))
        made = _reported(hours(job, tally, days=list(days.values()), workers=workers), progress)
        for date, maps in groupby(made, key=lambda hour: hour.time.astype("datetime64[D]")):
            first = date.astype("datetime64[h]")
            fields = {int((hour.time - first).astype(np.int64)): (hour.kind, hour.values) for hour in maps}
            store.write_day(date, fields, _day_digest(job, days[date], tally.digests.__getitem__))
        store.complete()
        store.log("completed", hours=tally.hours)
        undo.pop_all()


def _reported(maps: Iterator[Hour], progress: Progress) -> Iterator[Hour]:
    """The maps, each reported when it has been dealt with."""
    for one in maps:
        yield one
        progress(1)


def _is_done(job: Job, store: Store, day: Day) -> bool:
    """Whether an earlier run finished the same hours of the day from the same analyses."""
    finished = store.finished(day.date)
    return finished is not None and finished == _day_digest(job, day, lambda number: job.analyses.read(number).digest)


def _day_digest(job: Job, day: Day, digest: Callable[[int], str]) -> str:
    """What tells a finished day from another: its hours and the analyses they are made from."""
    hours_of_day = [str(moment) for step in day.steps for moment in step.times]
    return digest_of([*hours_of_day, *(digest(number) for number in job.inputs(day))])
