"""``deepcams inspect``: what files hold, and whether they can be downscaled."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.io.inspect import Inspection

_SHOWN = 20  # files, gaps


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--variable", default="pm2p5", show_default=True, help="The variable in the files.")
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--quiet", is_flag=True, help="No progress.")
def inspect(files: tuple[str, ...], variable: str, units: str | None, as_json: bool, quiet: bool) -> int:
    """Say what is in FILES, what downscale would do with them, and what stands in the way.

    The exit status is 2 if something stands in the way.
    """
    from deepcams.cli.progress import progress
    from deepcams.io.inspect import inspect as look_through

    track = partial(progress, what="analyses", quiet=quiet or as_json)
    report = look_through(files, variable=variable, units=units, track=track)
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else "\n".join(_lines(report)))
    return 2 if report.obstacles else 0


def _lines(report: Inspection) -> list[str]:
    lines = [f"{one.name}: {one.form}, {one.analyses} analyses, {one.first} to {one.last}" for one in report.files[:_SHOWN]
             if one.analyses]  # fmt: skip
    lines += [f"and {len(report.files) - _SHOWN} files more"] if len(report.files) > _SHOWN else []
    if report.analyses:
        lines += [
            f"variable   {report.variable}, {report.unit}",
            f"grid       {report.grid}",
            f"period     {report.first} to {report.last} UTC, {report.analyses} analyses, every {report.step_hours} h",
            f"duplicates {report.duplicates}",
            f"gaps       {len(report.gaps)}",
        ]
        lines += [f"           {first} to {last}" for first, last in report.gaps[:_SHOWN]]
    values = report.values
    if values is not None and values.minimum <= values.maximum:
        lines += [
            f"values     {values.minimum:.6g} to {values.maximum:.6g} {report.unit}; {values.missing} missing, "
            f"{values.noise} of packing noise around zero, {values.negative} negative beyond it",
        ]
    if report.hours:
        lines.append(f"downscale  would make {report.hours} hours on {report.output_grid}: "
                     f"{report.output_megabytes:.1f} MB before compression")  # fmt: skip
    lines += [f"note       {note}" for note in report.notes]
    lines += [f"obstacle   {obstacle}" for obstacle in report.obstacles]
    return lines or ["nothing that can be used"]
