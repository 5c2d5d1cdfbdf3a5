"""``deepcams plot series``: time series at places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.cli.many import ManyValues
from deepcams.cli.observed import file_options, limit_options
from deepcams.cli.pictures import PATH, SUFFIXES, WIDTH, hours_of, output_options, period_options, report
from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.extraction.extract import Extract
    from deepcams.extraction.points import Points
    from deepcams.grid import Grid
    from deepcams.plot.places import Series
    from deepcams.stations.readers import Reading
    from deepcams.stations.table import Observations


class _Series(ManyValues):
    many = {"--cams": (".zarr", *SUFFIXES), "--stations": (".nc", ".zarr", *SUFFIXES)}  # noqa: RUF012


@click.command(
    cls=_Series,
    epilog="Example: deepcams plot series hourly.zarr utrecht.png --point 52.1,5.1,Utrecht --cams cams/*.nc "
    "--stations openaq/*.csv.gz",
)
@click.argument("paths", nargs=-1, required=True, metavar="STORE... PICTURE")
@click.option("--point", "point", multiple=True, metavar="LAT,LON[,NAME]", help="A place; may be repeated.")
@click.option("--points", type=PATH, metavar="FILE.csv", help="Places: a table with latitude, longitude and name.")
@click.option("--cams", multiple=True, metavar="FILE...", help="The CAMS files that it was made from.")
@click.option("--cams-units", help="Unit of the CAMS files, if they do not say it or say it wrongly.")
@file_options
@limit_options
@click.option(
    "--within", type=click.FloatRange(min=0), help="Km from a place within which a station is shown.  [default: 10]"
)
@click.option(
    "--interpolation",
    type=click.Choice(["bilinear", "nearest"]),
    default="bilinear",
    show_default=True,
    help="Between four nodes, or the cell that holds the place.",
)
@click.option("--skip-outside", is_flag=True, help="Leave places outside the data out.")
@period_options
@click.option("--variable", help="The variable in the files.  [default: pm2p5, or the only one]")
@click.option("--scale", type=click.Choice(("linear", "log")), default="linear", show_default=True, help="Of values.")
@click.option("--vmin", type=float, help="Lower end of the scale.")
@click.option("--vmax", type=float, help="Upper end of the scale, of all panels.")
@WIDTH
@output_options
def series(paths: tuple[str, ...], **asked: Any) -> None:
    """Draw hourly series at places as PICTURE, a panel for each.

    STORE are outputs of deepcams (.zarr, .nc). Of CAMS, analyses are dots; of the station nearest to a place, observations
    are steps over their averaging intervals. Without places, the stations are the places.
    """
    from deepcams.plot.figures import check_picture
    from deepcams.plot.series import Look, plot_series

    *stores, output = paths
    if not stores:
        raise InputError("wanted STORE... PICTURE")
    overwrite, quiet = asked.pop("overwrite"), asked.pop("quiet")
    check_picture(Path(output), overwrite=overwrite)
    look = Look(asked.pop("scale"), asked.pop("vmin"), asked.pop("vmax"), asked.pop("width"))
    extract = hours_of(tuple(stores), *(asked.pop(name) for name in ("variable", "start", "end")))
    plot_series(_gathered(extract, quiet=quiet, **asked), Path(output), look=look, overwrite=overwrite)
    report(Path(output), quiet=quiet)


def _gathered(extract: Extract, *, quiet: bool, point: tuple[str, ...], points: Path | None, cams: tuple[str, ...],
              cams_units: str | None, within: float | None, interpolation: str, skip_outside: bool,
              **observed: Any) -> Series:  # fmt: skip
    """All that is shown."""
    from deepcams.cli.progress import progress
    from deepcams.io.cams import open_analyses
    from deepcams.io.files import find_files
    from deepcams.plot.places import KILOMETRES, read_series, with_analyses, with_observations
    from deepcams.plot.series import check_count

    reading, found = _observed(extract, **observed)
    places = _places(point, points, found, extract.results.grid)
    check_count(len(places.names))
    with progress(extract.size, "hours", quiet=quiet) as advance:
        series = read_series(extract, places, interpolation=interpolation, skip_outside=skip_outside, progress=advance)
    if cams:
        species = extract.results.species.name
        analyses = open_analyses(find_files(cams), variable=species, units=cams_units)
        series = with_analyses(series, analyses)
    if reading is None or found is None:
        return series
    return with_observations(series, found, reading, kilometres=KILOMETRES if within is None else within)


def _observed(extract: Extract, **observed: Any) -> tuple[Reading | None, Observations | None]:
    """What was read of station files, and the good observations in the hours; nothing without files."""
    from deepcams.cli.observed import limits_of, read_observed
    from deepcams.plot.places import checked_observations

    limits = limits_of(observed)
    if not observed["stations"]:
        return None, None
    reading = read_observed(**observed)
    return reading, checked_observations(reading, limits, extract)


def _places(texts: tuple[str, ...], table: Path | None, found: Observations | None, grid: Grid) -> Points:
    """The places asked for, or the stations."""
    from deepcams.extraction.points import read_points
    from deepcams.plot.places import at_stations, points_of

    if texts and table is not None:
        raise InputError("--point and --points: give one of them")
    if texts or table is not None:
        return points_of(texts) if table is None else read_points(table)
    if found is None:
        raise InputError(
            "no places: give --point LAT,LON,NAME, --points FILE.csv, or --stations FILE... to see stations"
        )
    return at_stations(found.stations, grid)
