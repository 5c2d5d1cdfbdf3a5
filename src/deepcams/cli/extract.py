"""``deepcams extract``: series at points, means over areas and parts of the maps, out of hourly results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.extraction.extract import Extract, Summary
    from deepcams.extraction.sampling import Sampler
    from deepcams.grid import Grid


@click.command(epilog="Example: deepcams extract hourly.zarr stations.csv.gz --points stations.csv --start 2019-12-24")
@click.argument("paths", nargs=-1, required=True, metavar="STORE... OUTPUT")
@click.option(
    "--points",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Series at the points of a table with latitude, longitude and name.",
)
@click.option("--region", help="A box: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--polygon",
    type=click.Path(path_type=Path),
    metavar="FILE.geojson",
    help="Means and maxima over the polygons of a GeoJSON file.",
)
@click.option(
    "--interpolation",
    type=click.Choice(["bilinear", "nearest"]),
    help="Of points: between four nodes, or the cell that holds the point.  [default: bilinear]",
)
@click.option("--skip-outside", is_flag=True, help="Leave points outside the data out.")
@click.option("--name-property", help="The property that names a polygon.  [default: name, title, label, id or code]")
@click.option("--start", help="First hour, ISO, UTC: 2019-12-24 or 2019-12-24T18.")
@click.option("--end", help="Last hour; a mere date means its last hour.")
@click.option("--variable", help="The variable in the files.  [default: pm2p5, or the only one]")
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor, four at most]")
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def extract(paths: tuple[str, ...], points: Path | None, region: str | None, polygon: Path | None,
            interpolation: str | None, skip_outside: bool, name_property: str | None, start: str | None, end: str | None,
            variable: str | None, workers: int | None, overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Take series or a part out of hourly results.

    STORE are outputs of deepcams (.zarr, .nc), folders or patterns. OUTPUT ends in .csv, .csv.gz, .parquet or .nc. A
    region gives its hourly maps as .nc, and its mean and maximum as a table.
    """
    from deepcams.cli.progress import progress
    from deepcams.extraction.extract import NETCDF, check_target, choose, extract_maps, extract_series, suffix_of
    from deepcams.io.results import open_results
    from deepcams.regions import parse_region
    from deepcams.timeline import parse_time

    *stores, output = paths
    target, asked = Path(output), [one for one in (points, region, polygon) if one is not None]
    if not stores or len(asked) != 1:
        raise InputError("wanted STORE... OUTPUT and one of --points, --region and --polygon")
    _refuse_stray(points, polygon, interpolation, skip_outside, name_property)
    check_target(target, tuple(one for one in asked if isinstance(one, Path)), overwrite=overwrite)
    period = parse_time(start) if start else None, parse_time(end, end_of_day=True) if end else None
    part = choose(open_results(stores, variable=variable), *period)
    as_maps = region is not None and suffix_of(target) == NETCDF
    sampler = None if as_maps else _sampler(
        part.results.grid, points, region, polygon, interpolation, skip_outside, name_property
    )  # fmt: skip
    with progress(part.size, "hours", quiet=quiet) as advance:
        if sampler is None:
            box = parse_region(str(region))
            summary = extract_maps(
                part, box, str(region), target, workers=workers, overwrite=overwrite, progress=advance
            )
        else:
            summary = extract_series(part, sampler, target, workers=workers, overwrite=overwrite, progress=advance)
    if not quiet:
        click.echo("\n".join(_lines(summary, part)))


def _refuse_stray(points: Path | None, polygon: Path | None, interpolation: str | None, skip_outside: bool,
                  name_property: str | None) -> None:  # fmt: skip
    """Refuse options that would do nothing."""
    if points is None and (interpolation or skip_outside):
        raise InputError("--interpolation and --skip-outside are for --points")
    if polygon is None and name_property:
        raise InputError("--name-property is for --polygon")


def _sampler(grid: Grid, points: Path | None, region: str | None, polygon: Path | None, interpolation: str | None,
             skip_outside: bool, name_property: str | None) -> Sampler:  # fmt: skip
    """The series that the options describe."""
    from deepcams.extraction.areas import box_mean
    from deepcams.extraction.points import at_points, read_points
    from deepcams.extraction.polygons import over_polygons, read_polygons
    from deepcams.regions import parse_region

    if points is not None:
        wanted = read_points(points)
        return at_points(grid, wanted, interpolation=interpolation or "bilinear", skip_outside=skip_outside)
    if polygon is not None:
        return over_polygons(grid, read_polygons(polygon, name_property=name_property), str(polygon))
    return box_mean(grid, parse_region(str(region)), str(region))


def _lines(summary: Summary, part: Extract) -> list[str]:
    """The summary for people."""
    what = "maps" if summary.series is None else f"{summary.series} series"
    hours = part.size - part.missing
    return [
        f"{summary.path}: {what}, {hours} hours, {part.times[0]} to {part.times[-1]} UTC",
        f"from      {part.results.label}, {part.results.grid}",
        f"time      {summary.seconds:.1f} s",
        *(f"note      {note}" for note in summary.notes),
    ]
