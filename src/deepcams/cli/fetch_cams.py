"""``deepcams fetch cams``: PM fields of CAMS from the Atmosphere Data Store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import date

    from deepcams.fetch.cams import Summary
    from deepcams.fetch.cams_requests import Request


@click.command(epilog="Example: deepcams fetch cams --start 2019-12-01 --end 2020-01-01 cams/")
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--start", required=True, help="First day, UTC: 2019-12-01.")
@click.option("--end", required=True, help="Last day; one more than wanted, for the hours after its last analysis.")
@click.option(
    "--region",
    help="A box: N,W,S,E in degrees (60,-10,35,30), or a name such as europe. The globe, cut by downscale --region, "
    "gives better borders.",
)
@click.option(
    "--variable", type=click.Choice(["pm1", "pm2p5", "pm10"]), default="pm2p5", show_default=True, help="Which size."
)
@click.option(
    "--format", "form", type=click.Choice(["netcdf", "grib"]), default="netcdf", show_default=True, help="Of the files."
)
@click.option(
    "--dataset",
    type=click.Choice(["eac4", "forecast"]),
    default="eac4",
    show_default=True,
    help="The reanalysis, or the forecast (0.4 degrees, not for downscale).",
)
@click.option("--url", metavar="URL", help="Address of the data store.  [default: as found with the key]")
@click.option("--key", help="Personal access token; others on the machine can see it here: rather use ~/.cdsapirc.")
@click.option(
    "--workers", type=click.IntRange(1, 6), default=2, show_default=True, help="Requests in flight; more are refused."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="Longest wait for a request in the store's queue.",
)
@click.option("--dry-run", is_flag=True, help="Print the requests and the sizes expected, and contact nobody.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def cams(folder: Path, start: str, end: str, region: str | None, variable: str, form: str, dataset: str, url: str | None,
         key: str | None, workers: int, wait: float, dry_run: bool, quiet: bool) -> None:  # fmt: skip
    """Fetch CAMS fields into the folder OUT, a file for each calendar month.

    The key is looked for in --key, the environment (CDSAPI_KEY) and ~/.cdsapirc. Run again, the command goes on where it
    stopped, and fetches only what is missing.
    """
    from deepcams.cli.progress import progress
    from deepcams.fetch.cams import fetch_cams
    from deepcams.fetch.cams_checks import require_grib
    from deepcams.fetch.cams_requests import DATASETS, plan
    from deepcams.fetch.datastore import DataStore
    from deepcams.fetch.jobs import Waiting
    from deepcams.fetch.keys import find_credentials
    from deepcams.regions import parse_region

    chosen, box = DATASETS[dataset], parse_region(region) if region else None
    requests = plan(chosen, _day(start), _day(end), variable=variable, form=form, region=box)
    if dry_run:
        click.echo("\n".join(_planned(requests)))
        return
    if form == "grib":
        require_grib()
    with progress(len(requests), "requests", quiet=quiet) as advance:
        summary = fetch_cams(
            requests,
            folder,
            lambda: DataStore(find_credentials(url, key)),
            workers=workers,
            waiting=Waiting(limit=3600 * wait),
            progress=advance,
        )
    if not quiet:
        click.echo(
            "\n".join([f"{folder}: {chosen.title}, {requests[0].first} to {requests[-1].last}", *_lines(summary)])
        )
        if chosen.note:
            click.echo(f"note      {chosen.note}")


def _day(text: str) -> date:
    """A day as it was given, or that of an hour."""
    from deepcams.timeline import parse_time

    return parse_time(text).astype("datetime64[D]").item()


def _planned(requests: list[Request]) -> list[str]:
    """A line of JSON for each request, and one for all."""
    total = {"requests": len(requests), "expected_bytes": sum(request.size for request in requests)}
    return [json.dumps(line) for line in (*(request.to_dict() for request in requests), total)]


def _lines(summary: Summary) -> list[str]:
    """The summary for people."""
    return [
        f"files     {len(summary.fetched)} fetched, {len(summary.kept)} kept",
        f"bytes     {summary.size / 1e6:.1f} MB",
        f"time      {summary.seconds:.1f} s",
        *(f"note      {text}" for text in summary.notes),
    ]
