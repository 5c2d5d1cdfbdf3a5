"""``deepcams report``: what a run has left, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from deepcams.cli.many import ManyValues
from deepcams.errors import InputError


class _Report(ManyValues):
    many = {"--cams": (".zarr", ".json")}  # noqa: RUF012


@click.command(cls=_Report, epilog="Example: deepcams report run --cams cams/*.nc --out run.html")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option(
    "--cams", multiple=True, metavar="FILE...", help="The CAMS files that it was made from, to show beside it."
)
@click.option("--sample", is_flag=True, help="With the CAMS analyses that ship, for what downscale --sample made.")
@click.option("--cams-units", help="Unit of the CAMS files, if they do not say it or say it wrongly.")
@click.option(
    "--time",
    metavar="ISO",
    help="The hour to show, like 2019-12-31T15, or a day for its mean, UTC.  [default: the first of the days with most hours]",
)
@click.option("--region", metavar="N,W,S,E|NAME", help="Box in degrees or a name; everything by default.")
@click.option("--variable", help="Variable to show; pm2p5, or the only one, by default.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="The page.  [default: report.html in the first RUN]",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing report.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def report(runs: tuple[Path, ...], cams: tuple[str, ...], sample: bool, cams_units: str | None, time: str | None,
           region: str | None, variable: str | None, out: Path | None, overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Tell on one HTML page what RUN holds, and the same as JSON.

    RUN are folders, looked through with the folders in them, or files: hourly results of downscale (.zarr, .nc),
    evaluate.json, scores.json of validate. The page has all pictures in it and loads nothing.
    """
    from deepcams.cli.progress import progress
    from deepcams.evidence.folder import find
    from deepcams.evidence.gather import Asked, count_steps, gather
    from deepcams.evidence.write import NAME, check_report, write_report
    from deepcams.regions import parse_region

    if sample:
        cams = _sampled(cams)
    if cams_units and not cams:
        raise InputError("--cams-units is for --cams")
    found = find(runs)
    path = out or (runs[0] if _is_folder(runs[0]) else runs[0].parent) / NAME
    check_report(path, overwrite=overwrite)
    asked = Asked(runs, cams, cams_units, time, parse_region(region) if region else None, variable)
    with progress(count_steps(found), "steps", quiet=quiet) as advance:
        evidence = gather(asked, found, progress=advance)
    written = write_report(evidence, path, overwrite=overwrite)
    if not quiet:
        others = (f"not shown: {one}: {why}" for one, why in found.others.items())
        for line in (*others, *evidence.absent, *evidence.notes):
            click.echo(line)
        click.echo(f"wrote {written[0]} and {written[1].name}")


def _sampled(cams: tuple[str, ...]) -> tuple[str, ...]:
    """The analyses that ship."""
    from deepcams.sample import cams_sample

    if cams:
        raise InputError("--sample takes the place of --cams; give it, or these")
    return (str(cams_sample()),)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder that is no store."""
    from deepcams.io.files import is_store

    return path.is_dir() and not is_store(path)
