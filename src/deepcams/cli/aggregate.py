"""``deepcams aggregate``: days, months and years out of hourly maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.aggregation.aggregate import Summary, Work
    from deepcams.aggregation.periods import Period

_LISTED = 10  # periods named in the summary


@click.command(epilog="Example: deepcams aggregate hourly.zarr annual annual.nc --region europe --limit 15")
@click.argument("paths", nargs=-1, required=True, metavar="STORE... daily|monthly|annual OUTPUT")
@click.option("--start", help="First hour, ISO, UTC: 2019-12-24 or 2019-12-24T18.")
@click.option("--end", help="Last hour; a mere date means its last hour.")
@click.option("--region", help="N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option("--variable", help="The variable in the files.  [default: pm2p5, or the only one]")
@click.option(
    "--statistic",
    "statistics",
    multiple=True,
    metavar="NAME",
    help="mean, max, min, hours-above; of daily means in months and years: daily-max, daily-p98, daily-p99, days-above. "
    "May be repeated.  [default: all but min; percentiles for years]",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    type=float,
    metavar="VALUE",
    help="Count hours and days above it, in the variable's unit; may be repeated.  [default: WHO and EU daily levels]",
)
@click.option(
    "--coverage", default=0.75, show_default=True, help="Share of the hours, or days, below which a value is missing."
)
@click.option(
    "--utc-offset", default=0, show_default=True, metavar="HOURS", help="Days begin at 00 h of a clock so far from UTC."
)
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor, up to 8]")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def aggregate(paths: tuple[str, ...], start: str | None, end: str | None, region: str | None, variable: str | None,
              statistics: tuple[str, ...], limits: tuple[float, ...], coverage: float, utc_offset: int,
              workers: int | None, overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Means, maxima and hours and days above limits, by day, month or year.

    STORE are hourly maps that deepcams wrote: Zarr stores, NetCDF files, folders or patterns. OUTPUT ends in .nc or
    .zarr.
    """
    from deepcams.aggregation.aggregate import Work
    from deepcams.aggregation.aggregate import aggregate as write
    from deepcams.aggregation.asked import Aggregation
    from deepcams.cli.progress import progress
    from deepcams.io.results import open_results
    from deepcams.regions import parse_region
    from deepcams.timeline import parse_time

    if len(paths) < 3:
        raise InputError("wanted STORE..., then daily, monthly or annual, then OUTPUT")
    *inputs, unit, output = paths
    asked = Aggregation(
        unit,
        statistics,
        limits,
        coverage,
        utc_offset,
        parse_time(start) if start else None,
        parse_time(end, end_of_day=True) if end else None,
        parse_region(region) if region else None,
    )
    work = Work(open_results(inputs, variable=variable), asked)
    with progress(work.days, "days", quiet=quiet) as advance:
        summary = write(work, Path(output), workers=workers, overwrite=overwrite, progress=advance)
    if not quiet:
        click.echo("\n".join(_lines(summary)))


def _lines(summary: Summary) -> list[str]:
    """The summary for people."""
    work, found = summary.work, summary.work.periods
    unit = {"daily": "days", "monthly": "months", "annual": "years"}[work.asked.unit]
    lines = [
        f"{summary.path}: {len(found)} {unit} of {summary.hours} hours, {found[0].label} to {found[-1].label}",
        f"grid      {work.cut.grid}",
        f"values    {', '.join(work.statistics)} of {work.results.species.name}",
        f"time      {summary.seconds:.1f} s, {summary.seconds / max(work.days, 1):.2f} s per day of data",
    ]
    if work.limits:
        lines.append(f"limits    {', '.join(f'{one:g}' for one in work.limits)} {work.results.species.unit}")
    for year, shares in (pair for pair in summary.shares.items() if pair[1]):
        text = ", ".join(f"{level:g} in {share:.1%}" for level, share in shares.items())
        lines.append(f"above     {year}: the mean is above {text} of the area")
    lines += [f"partial   {_partial(work, period)}" for period in summary.partial[:_LISTED]]
    lines += [f"          and {len(summary.partial) - _LISTED} more"] if len(summary.partial) > _LISTED else []
    lines += [f"missing   {summary.missing} cells without a mean, where hours are missing"] if summary.missing else []
    unfinished = "note      the store is unfinished: hours that are still to be made count as missing"
    return [*lines, unfinished] if work.results.unfinished else lines


def _partial(work: Work, period: Period) -> str:
    verdict = "" if work.is_covered(period) else ": below coverage, no values"
    return f"{period.label} has {period.made} of {period.hours} hours{verdict}"
