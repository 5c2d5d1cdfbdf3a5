"""``deepcams fetch geos-cf``: NASA's hourly PM2.5 at 0.25 degrees, a file a day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.fetch.geos_cf import Order, Summary

_FIELD = 721 * 1440 * 4 / 1e6  # MB of a variable of an hour before compression
_SHOWN = 8  # days


@click.command(name="geos-cf", epilog="Example: deepcams fetch geos-cf --start 2020-03-01 --end 2020-03-31 geos_cf/")
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--start", required=True, help="First day, UTC: 2020-03-01.")
@click.option("--end", required=True, help="Last day.")
@click.option("--region", help="Keep a part only: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--version", "version", type=click.Choice(["v1", "v2"]), help="Of GEOS-CF.  [default: the one with the period]"
)
@click.option("--url", help="Where the portal is.  [default: the NCCS data portal]")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 16), help="Requests in flight.")
@click.option("--allow-missing", is_flag=True, help="Write days that lack hours with the hours there are.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and ask nobody.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def geos_cf(folder: Path, start: str, end: str, region: str | None, version: str | None, url: str | None, workers: int,
            allow_missing: bool, dry_run: bool, quiet: bool) -> None:  # fmt: skip
    """Fetch hourly PM2.5 of GEOS-CF into the folder OUT.

    A NetCDF file a day, in ug m-3, for prepare and evaluate. The portal has whole hours of the whole Earth: a region saves
    disk, and no traffic. Running it again goes on where it stopped. No key is needed.
    """
    from deepcams.cli.progress import progress
    from deepcams.fetch.geos_cf import HOURS, URL, Order, choose_version, fetch_geos_cf
    from deepcams.regions import parse_region
    from deepcams.timeline import check_period, parse_time

    first, last = (parse_time(text).astype("datetime64[D]") for text in (start, end))
    check_period(first, last)
    order = Order(
        first, last, choose_version(first, last, version), parse_region(region) if region else None, url or URL
    )
    if dry_run:
        click.echo("\n".join(_planned(order, folder)))
        return
    with progress(order.days.size * HOURS, "hours", quiet=quiet) as advance:
        summary = fetch_geos_cf(folder, order, workers=workers, allow_missing=allow_missing, progress=advance)
    if not quiet:
        click.echo("\n".join(_lines(summary, order, folder)))


def _planned(order: Order, folder: Path) -> list[str]:
    """What would be fetched, and how much."""
    from deepcams.fetch.geos_cf import HOURS

    days = list(order.days)
    known = [day for day in days if (folder / order.name(day)).exists()]
    wanted = [day for day in days if not (folder / order.name(day)).exists()]
    shown = [f"fetch     {order.folder(order.version.folders[0], day)} -> {order.name(day)}" for day in wanted[:_SHOWN]]
    more = [f"and       {len(wanted) - _SHOWN} days more"] if len(wanted) > _SHOWN else []
    grid, hours, largest = order.grid, len(wanted) * HOURS, _FIELD * order.version.fields
    kept = grid.rows * grid.columns * 4 * hours / 1e6
    return [
        *shown,
        *more,
        f"days      {len(wanted)} to fetch, {len(known)} there already",
        f"traffic   {hours} files of at most {largest:.0f} MB: {largest * hours:.0f} MB before compression",
        f"disk      at most {kept:.0f} MB, {grid}",
    ]


def _lines(summary: Summary, order: Order, folder: Path) -> list[str]:
    """The summary for people."""
    lacking = [
        f"note      {day} lacks the hours {', '.join(map(str, hours))}" for day, hours in summary.missing.items()
    ]
    return [
        f"{folder}: GEOS-CF {order.version.name}, {order.start} to {order.end}",
        f"files     {summary.written} fetched, {summary.kept} kept",
        f"bytes     {summary.size / 1e6:.1f} MB",
        f"time      {summary.seconds:.1f} s",
        *lacking,
    ]
