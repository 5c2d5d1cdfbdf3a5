"""``deepcams plot spectrum``: power by wavelength."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepcams.cli.many import ManyValues
from deepcams.cli.pictures import SUFFIXES, WIDTH, output_options, period_of, period_options, report
from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.plot.spectra import Source

_NAME = "DeepCAMS"


class _Spectrum(ManyValues):
    many = {"--cams": (".zarr", *SUFFIXES), "--truth": SUFFIXES}  # noqa: RUF012


@click.command(
    cls=_Spectrum, epilog="Example: deepcams plot spectrum hourly.nc spectrum.pdf --cams cams.nc --time 2019-12-31T18"
)
@click.argument("paths", nargs=-1, required=True, metavar="FILE... PICTURE")
@click.option(
    "--cams", multiple=True, metavar="FILE...", help="The CAMS files that it was made from; shown with bicubic."
)
@click.option("--truth", multiple=True, metavar="FILE...", help="Hourly fine fields that are taken for the truth.")
@click.option("--cams-units", help="Unit of the CAMS files, if they do not say it or say it wrongly.")
@click.option("--time", metavar="ISO", help="This hour alone.  [default: the mean over all common hours]")
@period_options
@click.option("--region", metavar="N,W,S,E|NAME", help="Where.  [default: 60°S to 60°N, or what the files cover]")
@click.option("--variable", help="The variable in FILE.  [default: pm2p5, or the only one]")
@WIDTH
@output_options
def spectrum(paths: tuple[str, ...], cams: tuple[str, ...], truth: tuple[str, ...], cams_units: str | None,
             time: str | None, start: str | None, end: str | None, region: str | None, variable: str | None,
             width: float, overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Draw how much of FILE varies at which wavelength as PICTURE.

    FILE are outputs of deepcams; NAME=FILE is another one. All are taken at the same hours and places.
    """
    from deepcams.cli.progress import progress
    from deepcams.plot.figures import check_picture
    from deepcams.plot.spectra import common_hours, read_spectra
    from deepcams.plot.spectrum import plot_spectrum
    from deepcams.regions import parse_region

    *files, output = paths
    if not files and not cams and not truth:
        raise InputError("wanted FILE... PICTURE")
    if time and (start or end):
        raise InputError("--time is one hour, --start and --end are many: give one or the other")
    if cams_units and not cams:
        raise InputError("--cams-units is for --cams")
    check_picture(Path(output), overwrite=overwrite)
    sources = list(_sources(files, cams, truth, variable, cams_units))
    first, last = period_of(time or start, time or end)
    hours = common_hours(sources, first, first if time else last)
    with progress(len(sources) * hours.size, "fields", quiet=quiet) as advance:
        spectra = read_spectra(sources, hours, parse_region(region) if region else None, progress=advance)
    plot_spectrum(spectra, Path(output), width=width, overwrite=overwrite)
    report(Path(output), quiet=quiet)


def _sources(files: list[str], cams: tuple[str, ...], truth: tuple[str, ...], variable: str | None,
             cams_units: str | None) -> Iterator[Source]:  # fmt: skip
    """All that is shown: the truth, CAMS, then the outputs by their names."""
    from deepcams.io.cams import open_analyses
    from deepcams.io.files import find_files
    from deepcams.io.geos_cf import open_hourly
    from deepcams.io.results import open_results
    from deepcams.plot.spectra import of_cams, of_results, of_truth

    if truth:
        yield of_truth(open_hourly(find_files(truth)))
    if cams:
        yield from of_cams(open_analyses(find_files(cams), variable=variable or "pm2p5", units=cams_units))
    named: dict[str, list[str]] = {}
    for file in files:
        name, parted, path = file.partition("=")
        plain = not parted or "/" in name or Path(file).exists()
        named.setdefault(_NAME if plain else name.strip(), []).append(file if plain else path)
    for name, own in named.items():
        yield of_results(name, open_results(own, variable=variable))
