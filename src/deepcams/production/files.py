"""A result as NetCDF: one file, or one for each month."""

from __future__ import annotations

from pathlib import Path

from deepcams.checks import Tally
from deepcams.downscaling import product_of
from deepcams.io.netcdf import netcdf_writer
from deepcams.pipeline import Job, hours
from deepcams.production.work import Progress
from deepcams.provenance import digest_of

FILE = ".nc"


def write_files(
    job: Job, path: Path, tally: Tally, *, keepbits: int, threads: int, overwrite: bool, progress: Progress
) -> int:
    """Write a job to a file, or to one for each month if the name has ``%Y`` and ``%m``.

    Returns:
        How many hours were there already.

    Raises:
        InputError: if the name has one of the two only, or an analysis cannot be read.
        OutputError: if a file cannot be written, or is there already.
    """
    with netcdf_writer(path, product_of(job), keepbits=keepbits, overwrite=overwrite) as (write, record):
        for hour in hours(job, tally, workers=threads):
            write(hour.values)
            progress(1)
        record(digest_of(tally.digests[number] for number in sorted(tally.digests)))
    return 0
