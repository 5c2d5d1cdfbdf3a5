"""``deepcams prepare``: training and test sets from hourly fine fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.training.prepare import Preparation, Summary


@click.command(
    epilog="Example: deepcams prepare geos_cf_2021/ training_set --hold-out 60,0,30,30 --last 0.1 --coarse area-mean"
)
@click.argument("paths", nargs=-1, required=True, metavar="HOURLY_FILES... DIR")
@click.option("--start", help="First hour, ISO, UTC: 2021-01-01 or 2021-01-01T06.")
@click.option("--end", help="Last hour; a mere date means its last hour.")
@click.option("--region", help="Only there: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--coarse",
    default="area-mean",
    show_default=True,
    type=click.Choice(["area-mean", "decimation", "bicubic"]),
    help="How coarse fields are made: means over the coarse cells, the values at their nodes, or antialiased bicubic.",
)
@click.option(
    "--hold-out", multiple=True, help="A region to validate with: N,W,S,E or a name; may be repeated.", metavar="BOX"
)
@click.option(
    "--last",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0, max=1, max_open=True),
    help="Share of the hours, at their end, to validate with.",
)
@click.option(
    "--step", default=3, show_default=True, type=click.IntRange(min=1), help="Hours between a field and its neighbours."
)
@click.option(
    "--layout",
    default="zarr",
    show_default=True,
    type=click.Choice(["zarr", "original"]),
    help="set.json and fields.zarr, or the original's folders of images.",
)
@click.option(
    "--format",
    "form",
    default="png",
    show_default=True,
    type=click.Choice(["png", "mat"]),
    help="Images of the original's layout: PNG of 16 bits, or MATLAB files.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    help="ug m-3 at the full range of PNG images.  [default: the largest value, rounded up]",
)
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option("--overwrite", is_flag=True, help="Replace a set that is there.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def prepare(paths: tuple[str, ...], layout: str, form: str, scale: float | None, overwrite: bool, quiet: bool,
            **asked: Any) -> None:  # fmt: skip
    """Make a training set from hourly fine fields.

    HOURLY_FILES are GEOS-CF files or any hourly PM2.5 on a regular grid (NetCDF, Zarr), folders or patterns. DIR is the
    folder to make. Held out are regions, or the last hours, or both: never hours or places at random.
    """
    from deepcams.cli.progress import progress
    from deepcams.training.prepare import count_hours, prepare_images, prepare_set

    if scale is not None and (layout, form) != ("original", "png"):
        raise InputError("--scale is for PNG images: give --layout original --format png with it, or leave it out")
    *inputs, output = paths
    preparation = _preparation(inputs, **asked)
    with progress(count_hours(preparation, layout, form), "hours", quiet=quiet) as advance:
        if layout == "zarr":
            summary = prepare_set(preparation, Path(output), overwrite=overwrite, progress=advance)
        else:
            summary = prepare_images(
                preparation, Path(output), form=form, scale=scale, overwrite=overwrite, progress=advance
            )
    if not quiet:
        click.echo("\n".join(_lines(summary)))


def _preparation(inputs: list[str], *, start: str | None, end: str | None, region: str | None, coarse: str,
                 hold_out: tuple[str, ...], last: float, step: int, units: str | None) -> Preparation:  # fmt: skip
    """The set that the options describe."""
    from deepcams.regions import parse_region
    from deepcams.timeline import parse_time
    from deepcams.training.dataset import Split, open_series
    from deepcams.training.prepare import Preparation

    if not inputs:
        raise InputError("wanted HOURLY_FILES... and DIR, the folder to make; only one of them was given")
    series = open_series(inputs, units=units)
    if len(series) > 1:
        names = ", ".join(one.name for one in series)
        raise InputError(f"{len(series)} series on different grids ({names}): prepare them one after the other")
    return Preparation(
        series[0],
        parse_region(region) if region else None,
        parse_time(start) if start else None,
        parse_time(end, end_of_day=True) if end else None,
        coarse,
        Split(tuple(parse_region(one) for one in hold_out), last),
        step,
        tuple(inputs),
    )


def _lines(summary: Summary) -> list[str]:
    """The summary for people."""
    made = summary.preparation
    description = made.description
    lines = [
        f"{summary.path}: {made.times.size} hours, {made.times[0]} to {made.times[-1]} UTC",
        f"fine       {description.fine}",
        f"coarse     {description.coarse}, {description.method}",
        *(f"{part:10} {_counts(found)}" for part, found in summary.statistics.items()),
    ]
    lines += [f"scale      {summary.scale:g} ug m-3 at full range"] if summary.scale else []
    return lines + _notes(summary)


def _notes(summary: Summary) -> list[str]:
    """What is missing in a set that was divided: it may be meant so, but mostly is not."""
    if summary.preparation.split.is_empty:
        return []
    purposes = {"training": "learn from", "validation": "validate with"}
    return [
        f"note: there is nothing to {purpose} in it: look at what is held out, and at --step"
        for part, purpose in purposes.items()
        if not summary.statistics[part]["known"]
    ]


def _counts(found: dict[str, Any]) -> str:
    """Hours, values and their range."""
    counts = f"{found['hours']} hours, {found['known']} values known, {found['unknown']} unknown"
    if not found["known"]:
        return counts
    values = found["concentration"]
    return f"{counts}; mean {values['mean']:.3g}, largest {values['maximum']:.4g} {values['unit']}"
