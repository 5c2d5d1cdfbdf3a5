"""The options by which commands take station files, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.stations.quality import Limits
    from deepcams.stations.readers import Reading

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILES = (
    click.option(
        "--stations",
        multiple=True,
        metavar="FILE...",
        help="Station files: OpenAQ, AQS, AirNow, embassies, EEA, or plain tables; files, folders or patterns.",
    ),
    click.option("--format", "form", metavar="NAME", help="Their format.  [default: recognised]"),
    click.option(
        "--site-table",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Coordinates, time zones and units of stations whose files do not tell them.",
    ),
    click.option("--units", help="Unit of the observations, if the files do not say it."),
    click.option("--timezone", metavar="ZONE", help="Of local times that have none: Asia/Shanghai or +08:00."),
    click.option(
        "--stamp",
        type=click.Choice(["begin", "middle", "end"]),
        help="What time stamps say of the averaging interval.  [default: the format's rule]",
    ),
)
_LIMITS = (
    click.option(
        "--averaging",
        default="hourly",
        show_default=True,
        type=click.Choice(["hourly", "daily"]),
        help="Which observations are compared: means of an hour, or of a day.",
    ),
    click.option(
        "--lowest", default=-5.0, show_default=True, help="Below it (ug m-3) no noise of instruments is believed."
    ),
    click.option("--highest", default=2000.0, show_default=True, help="Above it (ug m-3) nothing is believed."),
    click.option(
        "--least-hours",
        default=3,
        show_default=True,
        type=click.IntRange(min=1),
        help="Observations that a station must have left.",
    ),
)


def file_options(command: _Command) -> _Command:
    """Give a command the options for station files; they come as keywords for :func:`read_observed`."""
    return _with(command, _FILES)


def limit_options(command: _Command) -> _Command:
    """Give a command the options of quality control; they come as keywords, which :func:`limits_of` takes."""
    return _with(command, _LIMITS)


def _with(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def limits_of(asked: dict[str, Any]) -> Limits:
    """The limits of quality control, taken out of a command's keywords."""
    from deepcams.stations.quality import Limits
    from deepcams.stations.table import DAY, HOUR

    averaging = {"hourly": HOUR, "daily": DAY}[asked.pop("averaging")]
    lowest, highest, least = (asked.pop(name) for name in ("lowest", "highest", "least_hours"))
    return Limits(averaging=averaging, lowest=lowest, highest=highest, least=least)


def read_observed(*, stations: tuple[str, ...], form: str | None, site_table: Path | None, units: str | None,
                  timezone: str | None, stamp: str | None) -> Reading:  # fmt: skip
    """What the station files hold.

    Raises:
        InputError: if there are none, or they cannot be read.
    """
    if not stations:
        raise InputError("no station files: wanted --stations FILE...")
    from deepcams.stations.readers import read_stations
    from deepcams.stations.readers.chunk import Options
    from deepcams.stations.readers.sites import load_sites
    from deepcams.stations.table import Stamp

    sites = load_sites(site_table) if site_table else None
    options = Options(sites, units, timezone, Stamp[stamp.upper()] if stamp else None)
    return read_stations(stations, options, format=form)
