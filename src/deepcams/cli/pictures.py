"""The options that commands for pictures share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import numpy as np

    from deepcams.extraction.extract import Extract
    from deepcams.plot.fields import Selection
    from deepcams.plot.maps import Style

_Command = TypeVar("_Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
SUFFIXES = (".png", ".svg", ".pdf", ".gif", ".mp4")

_HOUR = click.option(
    "--time", metavar="ISO", help="Hour in UTC, like 2019-12-31T15:00; the first with data by default."
)
_PERIOD = (
    click.option("--start", help="First hour, ISO, UTC: 2019-12-24 or 2019-12-24T18."),
    click.option("--end", help="Last hour; a mere date means its last hour."),
)
_MAP = (
    click.option("--region", metavar="N,W,S,E|NAME", help="Box in degrees or a name; everything by default."),
    click.option("--variable", help="Variable to show; pm2p5, or the only one, by default."),
    click.option(
        "--scale",
        type=click.Choice(("log", "who")),
        default="log",
        show_default=True,
        help="Colour scale: logarithmic, or the classes of the WHO guidelines for PM2.5.",
    ),
    click.option("--vmin", type=float, help="Lower end of the logarithmic scale, in the variable's unit."),
    click.option("--vmax", type=float, help="Upper end of the logarithmic scale."),
)
WIDTH = click.option(
    "--width", type=float, default=7.2, show_default=True, help="Of the picture in inches; 3.5 is a column."
)
_OUTPUT = (
    click.option("--overwrite", is_flag=True, help="Replace an existing picture."),
    click.option("--quiet", is_flag=True, help="Print nothing."),
)


def hour_options(command: _Command) -> _Command:
    """The options of pictures of one hour."""
    return _with(command, (_HOUR, *_MAP, WIDTH, *_OUTPUT))


def map_options(command: _Command) -> _Command:
    """The options of maps of any hours."""
    return _with(command, (*_PERIOD, *_MAP, *_OUTPUT))


def period_options(command: _Command) -> _Command:
    """The first and the last hour."""
    return _with(command, _PERIOD)


def output_options(command: _Command) -> _Command:
    """What happens to the picture."""
    return _with(command, _OUTPUT)


def _with(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def selection_of(time: str | None, region: str | None, variable: str | None, **_: Any) -> Selection:
    """What to show, from the options."""
    from deepcams.plot.fields import Selection
    from deepcams.regions import parse_region

    return Selection(time, None if region is None else parse_region(region), variable)


def style_of(scale: str, vmin: float | None, vmax: float | None, width: float | None = None, **_: Any) -> Style:
    """How to show it, from the options."""
    from deepcams.plot.maps import Style
    from deepcams.plot.scales import Limits
    from deepcams.plot.sheet import TWO_COLUMNS

    return Style(scale, Limits(vmin, vmax), width=TWO_COLUMNS if width is None else width)


def period_of(start: str | None, end: str | None) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """The hours asked for, from the options."""
    from deepcams.timeline import parse_time

    return parse_time(start) if start else None, parse_time(end, end_of_day=True) if end else None


def hours_of(stores: tuple[str, ...], variable: str | None, start: str | None, end: str | None) -> Extract:
    """The hours of hourly results, from the arguments and options.

    Raises:
        InputError: if they cannot be read, or have no such hour.
    """
    from deepcams.extraction.extract import choose
    from deepcams.io.results import open_results

    return choose(open_results(stores, variable=variable), *period_of(start, end))


def report(picture: Path, *, quiet: bool) -> None:
    """Say what was written."""
    if not quiet:
        click.echo(f"wrote {picture}")
