"""``deepcams plot compare``: CAMS beside DeepCAMS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deepcams.cli.pictures import PATH, hour_options, report, selection_of, style_of


@click.command(epilog="Example: deepcams plot compare cams.nc hourly.nc both.png --region europe --bicubic")
@click.argument("cams_file", type=PATH)
@click.argument("file", type=PATH)
@click.argument("picture", type=PATH)
@click.option("--bicubic", is_flag=True, help="Between the two what plain interpolation makes of CAMS.")
@click.option("--cams-units", help="Unit of the CAMS files, if they do not say it or say it wrongly.")
@hour_options
def compare(cams_file: Path, file: Path, picture: Path, bicubic: bool, cams_units: str | None, overwrite: bool, quiet: bool,
            **choices: Any) -> None:  # fmt: skip
    """Draw CAMS_FILE beside the same hour of FILE, the deepcams output made from it, as PICTURE.

    Between two analyses, CAMS and its interpolation are linear in time.
    """
    from deepcams.plot.maps import plot_compare_of_files

    selection, style = selection_of(**choices), style_of(**choices)
    plot_compare_of_files(cams_file, file, picture, selection, style, cams_units=cams_units, interpolated=bicubic,
                          overwrite=overwrite)  # fmt: skip
    report(picture, quiet=quiet)
