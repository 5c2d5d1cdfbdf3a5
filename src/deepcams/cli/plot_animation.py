"""``deepcams plot animation``: hours one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deepcams.cli.pictures import hours_of, map_options, report, style_of
from deepcams.errors import InputError


@click.command(epilog="Example: deepcams plot animation hourly.zarr day.gif --start 2019-12-31 --end 2019-12-31")
@click.argument("paths", nargs=-1, required=True, metavar="STORE... OUT")
@click.option("--fps", type=float, default=4, show_default=True, help="Frames a second.")
@click.option("--size", type=int, default=960, show_default=True, help="Width of a frame in pixels.")
@map_options
def animation(paths: tuple[str, ...], fps: float, size: int, region: str | None, overwrite: bool, quiet: bool,
              **asked: Any) -> None:  # fmt: skip
    """Draw hourly maps one after the other, as OUT.gif or OUT.mp4.

    STORE are outputs of deepcams (.zarr, .nc). MP4 needs the program ffmpeg. The dots below the heading are the hours, large
    ones those of analyses.
    """
    from deepcams.cli.progress import progress
    from deepcams.plot.animation import Film, check_film, write_film
    from deepcams.regions import parse_region

    *stores, output = paths
    if not stores:
        raise InputError("wanted STORE... OUT")
    check_film(Path(output), overwrite=overwrite)
    film = Film(parse_region(region) if region else None, style_of(**asked), fps, size)
    extract = hours_of(tuple(stores), *(asked[name] for name in ("variable", "start", "end")))
    with progress(extract.size, "hours", quiet=quiet) as advance:
        write_film(extract, Path(output), film, overwrite=overwrite, progress=advance)
    report(Path(output), quiet=quiet)
