"""The command line: each command parses its options, calls one function and prints.

Heavy libraries are imported inside the commands, so that ``deepcams --help`` is quick.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

import click

from deepcams import __version__
from deepcams.cli.lazy import LazyGroup
from deepcams.errors import DeepcamsError

_COMMANDS = (
    "aggregate",
    "calibrate",
    "doctor",
    "downscale",
    "evaluate",
    "extract",
    "fetch",
    "inspect",
    "plot",
    "prepare",
    "report",
    "train",
    "validate",
    "verify",
    "view",
)  # each a module of its name in this package


class _Commands(LazyGroup):
    modules = {name: f"deepcams.cli.{name}" for name in _COMMANDS}  # noqa: RUF012


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="deepcams")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Hourly PM2.5 at 0.25 degrees from CAMS files."""
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit with 0 when done, 1 when the work failed, 2 when the call or the input is wrong."""
    signal.signal(signal.SIGTERM, _terminated)
    arguments = sys.argv[1:] if arguments is None else arguments
    # --debug is understood anywhere, before or after the command's name
    debug = "--debug" in arguments
    try:
        status = cli.main([one for one in arguments if one != "--debug"], prog_name="deepcams", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DeepcamsError as error:
        if debug:
            raise
        click.echo(f"deepcams: {error}", err=True)
        sys.exit(error.exit_status)
    except Exception as error:  # a fault of ours: still one message, and a status that says so
        if debug:
            raise
        click.echo(
            f"deepcams: an unexpected {type(error).__name__}: {error}; run again with --debug to see where", err=True
        )
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _terminated(number: int, frame: Any) -> None:
    """Leave as after an error, so that temporary files go."""
    sys.exit(128 + number)
