"""``deepcams fetch openaq``: PM2.5 of stations, a table a month."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.fetch.openaq import Summary
    from deepcams.fetch.openaq_plan import Plan

_SHOWN = 8  # months


@click.command(
    name="openaq",
    epilog="Example: deepcams fetch openaq --start 2019-12-01 --end 2019-12-31 --locations 2178,8118 openaq/",
)
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--start", required=True, help="First hour, ISO, UTC: 2019-12-01 or 2019-12-01T18.")
@click.option("--end", required=True, help="Last hour; a mere date means its last hour.")
@click.option("--country", metavar="XX", help="All locations of a country, by its ISO code: NP. Needs a key.")
@click.option(
    "--region",
    "--bbox",
    "region",
    help="All locations there: N,W,S,E in degrees (60,-10,35,30), or a name such as europe. Needs a key.",
)
@click.option("--locations", metavar="ID,ID|FILE", help="These locations, by OpenAQ's numbers, or a file of them.")
@click.option(
    "--from",
    "source",
    default="archive",
    show_default=True,
    type=click.Choice(["archive", "api"]),
    help="The public archive, as it was measured; or the API, hourly means. The API needs a key.",
)
@click.option(
    "--key", metavar="KEY", help="Of the API; others on the machine can see it here: rather set OPENAQ_API_KEY."
)
@click.option("--url", help="Where the API is.  [default: api.openaq.org]")
@click.option("--archive-url", help="Where the archive is.  [default: the public bucket]")
@click.option("--workers", default=8, show_default=True, type=click.IntRange(1, 32), help="Requests in flight.")
@click.option("--keep", is_flag=True, help="Keep the files that the tables are made from, in OUT/.pieces.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be fetched; asks only for a country's or region's locations."
)
@click.option("--quiet", is_flag=True, help="Print errors only.")
def openaq(folder: Path, start: str, end: str, country: str | None, region: str | None, locations: str | None, source: str,
           key: str | None, url: str | None, archive_url: str | None, workers: int, keep: bool, dry_run: bool,
           quiet: bool) -> None:  # fmt: skip
    """Fetch PM2.5 of OpenAQ's stations into the folder OUT.

    A Parquet table a month, in UTC and ug m-3, for validate and calibrate. Running it again goes on where it stopped.
    """
    from deepcams.cli.progress import progress
    from deepcams.fetch import openaq_api, openaq_archive
    from deepcams.fetch.openaq import Order, fetch_openaq, make_plan
    from deepcams.fetch.openaq_places import parse_locations
    from deepcams.regions import parse_region
    from deepcams.timeline import parse_time

    order = Order(
        parse_time(start),
        parse_time(end, end_of_day=True),
        source,
        parse_locations(locations) if locations is not None else (),
        country,
        parse_region(region) if region is not None else None,
        url or openaq_api.URL,
        archive_url or openaq_archive.URL,
    )
    plan = make_plan(folder, order, key=key, workers=workers, dry=dry_run, tell=_teller(quiet))
    if dry_run:
        click.echo("\n".join(_planned(plan)))
        return
    with progress(plan.steps, "locations", quiet=quiet) as advance:
        summary = fetch_openaq(plan, workers=workers, keep=keep, progress=advance)
    if not quiet:
        click.echo("\n".join(_lines(summary, plan)))


def _teller(quiet: bool) -> Callable[[str], None]:
    """Says on the terminal what long waits are for."""
    return lambda words: None if quiet else click.echo(words, err=True)


def _planned(plan: Plan) -> list[str]:
    """What would be fetched, and how much."""
    from deepcams.fetch.openaq_order import name_of

    shown = [f"make      {plan.folder / name_of(span)}: {span.first} to {span.last}" for span in plan.todo[:_SHOWN]]
    more = [f"and       {len(plan.todo) - _SHOWN} months more"] if len(plan.todo) > _SHOWN else []
    count = len(plan.locations)
    silent = f", {plan.silent} others have no data then" if plan.silent else ""
    return [
        *shown,
        *more,
        f"months    {len(plan.todo)} to make, {len(plan.kept)} there already",
        *([f"places    {count} location{'s' * (count != 1)} of {plan.order.where}{silent}"] if plan.todo else []),
        *([f"expected  {plan.expected()}"] if plan.todo else []),
    ]


def _lines(summary: Summary, plan: Plan) -> list[str]:
    """The summary for people."""
    from deepcams.fetch.openaq_table import ATTRIBUTION

    order = plan.order
    notes = [f"{lines:,} lines left out: {reason.replace('_', ' ')}" for reason, lines in summary.left_out.items()]
    notes += [f"no PM2.5 in {', '.join(summary.empty)}"] * bool(summary.empty)
    notes += [f"{plan.silent} locations have no data in the period, as OpenAQ tells"] * bool(plan.silent)
    if summary.spoilt:
        names = sorted(set(summary.spoilt))
        notes.append(f"{len(names)} files cannot be read, as the archive itself has them: {', '.join(names[:_SHOWN])}")
    return [
        f"{plan.folder}: OpenAQ ({order.source}), {order.start} to {order.end} UTC, {summary.lines:,} observations",
        f"files     {len(summary.written)} made, {len(summary.kept)} kept",
        f"fetched   {summary.fetched:,} pieces, {summary.size / 1e6:.1f} MB",
        f"time      {summary.seconds:.1f} s",
        *(f"note      {note}" for note in notes),
        f"thanks    {ATTRIBUTION}",
    ]
