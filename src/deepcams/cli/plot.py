"""``deepcams plot``: pictures of what was computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from deepcams.plot.fields import Selection
    from deepcams.plot.maps import Style

Command = TypeVar("Command", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--time", metavar="ISO", help="Hour in UTC, like 2019-12-31T15:00; the first with data by default."),
    click.option("--region", metavar="N,W,S,E|NAME", help="Box in degrees or a name; everything by default."),
    click.option("--variable", help="Variable to show; pm2p5, or the only one, by default."),
    click.option("--scale", type=click.Choice(("log", "who")), default="log", show_default=True, help="Colour scale: "
                 "logarithmic, or the classes of the WHO guidelines for PM2.5."),
    click.option("--vmin", type=float, help="Lower end of the logarithmic scale, in the variable's unit."),
    click.option("--vmax", type=float, help="Upper end of the logarithmic scale."),
    click.option("--overwrite", is_flag=True, help="Replace an existing picture."),
    click.option("--quiet", is_flag=True, help="Print nothing."),
)  # fmt: skip


def _picture_options(command: Command) -> Command:
    """The options that all pictures of one hour share."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def plot() -> None:
    """Draw maps (.png, .svg or .pdf)."""


@plot.command("map")
@click.argument("file", type=_PATH)
@click.argument("picture", type=_PATH)
@_picture_options
def plot_map(file: Path, picture: Path, overwrite: bool, quiet: bool, **choices: Any) -> None:
    """Draw one hour of FILE, a deepcams output, as the map PICTURE."""
    from deepcams.plot.maps import plot_map_of_file

    plot_map_of_file(file, picture, _selection(**choices), _style(**choices), overwrite=overwrite)
    _report(picture, quiet=quiet)


@plot.command("compare")
@click.argument("cams_file", type=_PATH)
@click.argument("file", type=_PATH)
@click.argument("picture", type=_PATH)
@_picture_options
def plot_compare(cams_file: Path, file: Path, picture: Path, overwrite: bool, quiet: bool, **choices: Any) -> None:
    """Draw an analysis of CAMS_FILE beside the same hour of FILE, the deepcams output made from it, as PICTURE."""
    from deepcams.plot.maps import plot_compare_of_files

    selection, style = _selection(**choices), _style(**choices)
    plot_compare_of_files(cams_file, file, picture, selection, style, overwrite=overwrite)
    _report(picture, quiet=quiet)


def _selection(time: str | None, region: str | None, variable: str | None, **_: Any) -> Selection:
    """What to show, from the options."""
    from deepcams.plot.fields import Selection
    from deepcams.regions import parse_region

    return Selection(time, None if region is None else parse_region(region), variable)


def _style(scale: str, vmin: float | None, vmax: float | None, **_: Any) -> Style:
    """How to show it, from the options."""
    from deepcams.plot.maps import Style
    from deepcams.plot.scales import Limits

    return Style(scale, Limits(vmin, vmax))


def _report(picture: Path, *, quiet: bool) -> None:
    if not quiet:
        click.echo(f"wrote {picture}")
