"""``deepcams plot map``: one hour as a map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deepcams.cli.pictures import PATH, hour_options, report, selection_of, style_of


@click.command(epilog="Example: deepcams plot map hourly.nc europe.png --region europe --scale who")
@click.argument("file", type=PATH)
@click.argument("picture", type=PATH)
@hour_options
def map(file: Path, picture: Path, overwrite: bool, quiet: bool, **choices: Any) -> None:
    """Draw one hour of FILE, a deepcams output, as the map PICTURE."""
    from deepcams.plot.maps import plot_map_of_file

    plot_map_of_file(file, picture, selection_of(**choices), style_of(**choices), overwrite=overwrite)
    report(picture, quiet=quiet)
