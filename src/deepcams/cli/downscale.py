"""``deepcams downscale``: the main job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from deepcams.errors import IncompleteError, InputError

if TYPE_CHECKING:
    from deepcams.io.locks import Claim
    from deepcams.production.order import Order
    from deepcams.production.run import Summary


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
    type=click.Path(),
    metavar="FILE",
    help="Weights of your own for a network (deepcams train); may be repeated.",
)
@click.option("--factor", default=3, show_default=True, help="Refinement in space, odd.")
@click.option("--variable", default="pm2p5", show_default=True, help="The variable in the files.")
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option(
    "--keepbits", default=9, show_default=True, type=click.IntRange(1, 23), help="Mantissa bits kept; 23: exact."
)
@click.option(
    "--layout",
    default="maps",
    show_default=True,
    type=click.Choice(["maps", "series"]),
    help="Chunks of a .zarr: whole maps, or series at points.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Processes, for a .zarr.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads of each.  [default: the processors, divided among the workers]",
)
@click.option("--shard", metavar="I/N", help="Make only part I of N of the days: a job array on a shared file system.")
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of a Dask scheduler do it: tcp://host:8786.")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Where networks compute.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan: days, space, time, memory; write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def downscale(paths: tuple[str, ...], sample: bool, keepbits: int, layout: str, workers: int, threads: int | None,
              shard: str | None, scheduler: str | None, dry_run: bool, overwrite: bool, quiet: bool,
              weights: tuple[str, ...], **asked: Any) -> None:  # fmt: skip
    """Turn CAMS analyses into hourly maps on a grid three times as fine.

    INPUT are CAMS EAC4 files (NetCDF, GRIB, zip), folders or patterns. OUTPUT ends in .nc or .zarr; hourly_%Y-%m.nc is a
    file for each month. A .zarr that an interrupted run has left is completed, and one that is complete is extended by
    the days that are new.
    """
    from deepcams.cli.progress import progress
    from deepcams.production.run import Crew, downscale_to

    *inputs, output = paths
    order = _order(inputs, sample, weights=weights, **asked)
    crew = Crew(workers, threads, scheduler, _claim(shard))
    job = order.job()
    order = replace(order, device=job.recipe.device)  # "auto" is decided here, and not by each worker for itself
    if dry_run:
        from deepcams.production.estimate import estimate

        click.echo("\n".join(estimate(job, output, keepbits=keepbits, layout=layout, crew=crew).lines))
        return
    with progress(crew.hours_of(job), "hours", quiet=quiet) as advance:
        summary = downscale_to(
            order,
            output,
            job=job,
            keepbits=keepbits,
            layout=layout,
            crew=crew,
            overwrite=overwrite,
            progress=advance,
        )
    if not quiet:
        click.echo("\n".join(_lines(summary)))
    if summary.failures:
        raise IncompleteError(_failures(summary))


def _order(inputs: list[str], sample: bool, **asked: Any) -> Order:
    """The order that the options describe."""
    from deepcams.production.order import Order
    from deepcams.sample import cams_sample

    if sample == bool(inputs):
        raise InputError("wanted INPUT... and OUTPUT, or --sample and OUTPUT alone")
    return Order(tuple(inputs) or (str(cams_sample()),), **asked)


def _claim(shard: str | None) -> Claim:
    """The part of the days that ``--shard`` names."""
    from deepcams.io.locks import Claim

    if shard is None:
        return Claim()
    part, slash, parts = shard.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise InputError(f"--shard {shard}: wanted I/N with I from 1 to N, such as 3/12")
    return Claim(int(part), int(parts))


def _lines(summary: Summary) -> list[str]:
    """The summary for people."""
    job, tally = summary.job, summary.tally
    plan, unit = job.timeline, job.analyses.species.unit
    settings = job.recipe.settings
    if summary.hours:
        lines = [
            f"{summary.path}: {summary.hours} hours written ({tally.analyses} analyses, {summary.hours - tally.analyses} "
            f"between), {plan.times[0]} to {plan.times[-1]} UTC",
            f"grid      {job.grid}",
            f"method    {settings['method']}: {settings['space']} in space, {settings['time']} in time, {settings['order']}",
            f"time      {summary.seconds:.1f} s, {summary.seconds / summary.hours:.2f} s per hour of data",
            f"checks    finite, not negative, up to {tally.highest:.4g} {unit}; {_mean_check(tally.mean_error)}; "
            f"total mass between analyses within {tally.drift:.2%} of linear",
        ]
    else:
        lines = [f"{summary.path}: nothing to do, {plan.times[0]} to {plan.times[-1]} UTC is there"]
    lines += [f"kept      {summary.kept} hours of an earlier run"] if summary.kept else []
    lines += [] if summary.complete else ["status    unfinished: other days are still to be made"]
    lines += [f"noise     {tally.noise} values of packing noise around zero set to zero"] if tally.noise else []
    lines += [f"missing   {tally.missing} values, where CAMS has none"] if tally.missing else []
    lines += [f"gap       nothing between {a} and {b} UTC: further apart than the step" for a, b in plan.gaps[:10]]
    lines += [f"          and {len(plan.gaps) - 10} gaps more"] if len(plan.gaps) > 10 else []
    return lines + [f"note      {note}" for note in (*job.analyses.notes, *job.notes)]


def _failures(summary: Summary, longest: int = 10) -> str:
    """Which days could not be made, and why."""
    from deepcams.timeline import missing_days

    reasons: dict[str, list[Any]] = {}
    for date, why in summary.failures.items():
        reasons.setdefault(why, []).append(date)
    lines = [f"  {missing_days(dates)}: {why}" for why, dates in list(reasons.items())[:longest]]
    more = [f"  and {len(reasons) - longest} reasons more"] if len(reasons) > longest else []
    head = f"{summary.path}: {missing_days(summary.failures)}; mend the inputs and give the same command again:"
    return "\n".join([head, *lines, *more])


def _mean_check(error: float) -> str:
    if error != error:
        return "area means not kept by this method"
    return f"area means of analyses as in CAMS to {error:.0e}"
