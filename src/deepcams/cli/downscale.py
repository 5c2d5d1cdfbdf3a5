"""``deepcams downscale``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.downscaling import Summary
    from deepcams.pipeline import Job


@click.command(epilog="Example: deepcams downscale 2019-12.nc hourly.zarr --region europe --start 2019-12-24")
@click.argument("paths", nargs=-1, required=True, metavar="INPUT... OUTPUT")
@click.option("--sample", is_flag=True, help="Use the CAMS analyses that ship with the package; give OUTPUT only.")
@click.option("--start", help="First hour, ISO, UTC: 2019-12-24 or 2019-12-24T18.")
@click.option("--end", help="Last hour; a mere date means its last hour.")
@click.option("--region", help="N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--method",
    help="The recipe: deepcams (our networks), fast (none) or paper (XVFI and ABPN).  [default: deepcams for PM2.5, else "
    "fast]",
)
@click.option(
    "--space",
    help="Another way in space than the recipe's: network, abpn, lcbp, nearest, bilinear, bicubic, bicubic-conserving, ...",
)
@click.option("--time", help="Another way in time than the recipe's: network, flow, linear, xvfi, xvfi-deformable.")
@click.option("--order", help="space-first: sharpen each analysis once; time-first: sharpen every hour.")
@click.option(
    "--weights",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Weights of your own for a network (deepcams train); may be repeated.",
)
@click.option("--factor", default=3, show_default=True, help="Refinement in space, odd.")
@click.option("--variable", default="pm2p5", show_default=True, help="The variable in the files.")
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option(
    "--keepbits", default=9, show_default=True, type=click.IntRange(1, 23), help="Mantissa bits kept; 23: exact."
)
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor]")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def downscale(paths: tuple[str, ...], sample: bool, keepbits: int, workers: int | None, overwrite: bool, quiet: bool,
              **asked: Any) -> None:  # fmt: skip
    """Turn CAMS analyses into hourly maps on a grid three times as fine.

    INPUT are CAMS EAC4 files (NetCDF, GRIB, zip), folders or patterns. OUTPUT ends in .nc or .zarr; a .zarr that an
    interrupted run has left is completed.
    """
    from deepcams.cli.progress import progress
    from deepcams.downscaling import downscale_to

    *inputs, output = paths
    job = _job(inputs, sample, **asked)
    with progress(job.timeline.times.size, "hours", quiet=quiet) as advance:
        summary = downscale_to(
            job, Path(output), keepbits=keepbits, workers=workers, overwrite=overwrite, progress=advance
        )
    if not quiet:
        click.echo("\n".join(_lines(summary)))


def _job(inputs: list[str], sample: bool, *, start: str | None, end: str | None, region: str | None, factor: int,
         variable: str, units: str | None, method: str | None, **parts: Any) -> Job:  # fmt: skip
    """The job that the options describe."""
    from deepcams.io.cams import open_analyses
    from deepcams.io.files import find_files
    from deepcams.methods import DEFAULT, default, recipe
    from deepcams.pipeline import Job
    from deepcams.regions import parse_region
    from deepcams.sample import cams_sample
    from deepcams.timeline import parse_time

    if sample == bool(inputs):
        raise InputError("wanted INPUT... and OUTPUT, or --sample and OUTPUT alone")
    recipe(method or DEFAULT, **parts)  # a wrong name is said before files are read
    analyses = open_analyses(find_files(inputs or cams_sample()), variable=variable, units=units)
    return Job(
        analyses,
        recipe(method or default(analyses.species.name, factor), **parts),
        factor,
        parse_region(region) if region else None,
        parse_time(start) if start else None,
        parse_time(end, end_of_day=True) if end else None,
    )


def _lines(summary: Summary) -> list[str]:
    """The summary for people."""
    job, tally = summary.job, summary.tally
    plan, unit = job.timeline, job.analyses.species.unit
    settings = job.recipe.settings
    lines = [
        f"{summary.path}: {summary.hours} hours written ({tally.analyses} analyses, {summary.hours - tally.analyses} "
        f"between), {plan.times[0]} to {plan.times[-1]} UTC",
        f"grid      {job.grid}",
        f"method    {settings['method']}: {settings['space']} in space, {settings['time']} in time, {settings['order']}",
        f"time      {summary.seconds:.1f} s, {summary.seconds / max(summary.hours, 1):.2f} s per hour of data",
        f"checks    finite, not negative, up to {tally.highest:.4g} {unit}; {_mean_check(tally.mean_error)}; "
        f"total mass between analyses within {tally.drift:.2%} of linear",
    ]
    lines += [f"kept      {summary.kept} hours of an earlier run"] if summary.kept else []
    lines += [f"noise     {tally.noise} values of packing noise around zero set to zero"] if tally.noise else []
    lines += [f"missing   {tally.missing} values, where CAMS has none"] if tally.missing else []
    lines += [f"gap       nothing between {a} and {b} UTC: further apart than the step" for a, b in plan.gaps[:10]]
    lines += [f"          and {len(plan.gaps) - 10} gaps more"] if len(plan.gaps) > 10 else []
    return lines + [f"note      {note}" for note in (*job.analyses.notes, *job.notes)]


def _mean_check(error: float) -> str:
    if error != error:
        return "area means not kept by this method"
    return f"area means of analyses as in CAMS to {error:.0e}"
