"""``deepcams evaluate``: every method and every baseline on the same hourly truth, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.evaluation.gridded import Evaluation, Exam
    from deepcams.evaluation.products import Product
    from deepcams.evaluation.truth import Truth

_WIDTH = 160  # columns of the table where the output is not a terminal


@click.command(
    epilog="Example: deepcams evaluate geos_cf_2021/ --method fast --against bilinear+linear --output scores"
)
@click.argument("data", nargs=-1)
@click.option(
    "--method",
    multiple=True,
    help="A method of downscale (fast, ...) or a baseline (nearest+linear, ...) to judge; may be repeated.  [default: all]",
)
@click.option(
    "--product",
    multiple=True,
    metavar="NAME=STORE",
    help="Hourly maps that are there already, such as the published ones, on the same grid; may be repeated.",
)
@click.option("--against", default="bicubic+linear", show_default=True, help="The contender to compare with.")
@click.option(
    "--weights",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Weights of your own for a network (deepcams train); may be repeated.",
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Where networks compute.",
)
@click.option("--region", help="Score only there: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--margin",
    default=12.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Degrees from missing truth within which nothing is scored.",
)
@click.option(
    "--step", default=3, show_default=True, type=click.IntRange(min=2), help="Hours between the fields given."
)
@click.option(
    "--bootstrap", default=1000, show_default=True, type=click.IntRange(min=10), help="Draws of the bootstrap."
)
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Write evaluate.json, .csv and .md there."
)
@click.option(
    "--figures",
    is_flag=True,
    help="Also draw the method beside bicubic, linear and the truth, as PNG in DIR.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor]")
@click.option("--overwrite", is_flag=True, help="Replace existing files in DIR.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def evaluate(data: tuple[str, ...], units: str | None, output: Path | None, figures: bool, overwrite: bool, quiet: bool,
             **asked: Any) -> None:  # fmt: skip
    """Score methods and baselines against hourly 0.25 degree fields.

    DATA are GEOS-CF files or any hourly PM2.5 on that grid (NetCDF, Zarr), folders or patterns; the GEOS-CF sample that
    ships with the package if none are given. Each contender is given the area means of every third hour on the grid of
    CAMS, and judged by the hours as they were.
    """
    from deepcams.evaluation.report import write

    if output is None and (quiet or figures):
        raise InputError(f"--{'figures' if figures else 'quiet'} without --output would do nothing: give --output DIR")
    exam = _exam(**asked)
    if output is not None:
        _check(output, figures=figures, overwrite=overwrite)
    truth = _truth(data, units, exam)
    evaluation = _held(truth, exam, quiet=quiet)
    if not quiet:
        _show(evaluation)
    if output is None:
        return
    written = write(evaluation, output, overwrite=overwrite)
    if figures:
        written += _drawn(truth, exam, output, overwrite=overwrite)
    if not quiet:
        names = [path.name for path in written]
        click.echo(f"wrote {', '.join(names[:-1])} and {names[-1]} in {output}")


def _exam(*, method: tuple[str, ...], product: tuple[str, ...], against: str, region: str | None, margin: float,
          step: int, bootstrap: int, weights: tuple[Path, ...], workers: int | None, device: str) -> Exam:  # fmt: skip
    """The exam that the options describe."""
    from deepcams.evaluation.gridded import Exam
    from deepcams.regions import parse_region

    box = parse_region(region) if region else None
    return Exam(method, against, box, margin, step, bootstrap, workers, weights, device, _products(product))


def _products(named: tuple[str, ...]) -> tuple[Product, ...]:
    """The maps that are there already."""
    from deepcams.evaluation import BASELINES
    from deepcams.evaluation.products import Product
    from deepcams.io.results import open_results
    from deepcams.methods import RECIPES

    stores: dict[str, list[str]] = {}
    for one in named:
        name, _, store = one.partition("=")
        if not name or not store or name in BASELINES | RECIPES:
            raise InputError(f"--product {one}: wanted NAME=STORE, with a name of its own")
        stores.setdefault(name, []).append(store)
    return tuple(Product(name, open_results(paths)) for name, paths in stores.items())


def _check(output: Path, *, figures: bool, overwrite: bool) -> None:
    """Refuse what could not be written or drawn, before any work is done."""
    from deepcams.evaluation.report import RENDERINGS
    from deepcams.io.output import check_folder

    others: tuple[str, ...] = ()
    if figures:
        from deepcams.plot.evaluation import NAMES, check_drawing

        check_drawing()
        others = tuple(NAMES.values())
    check_folder(output, (*RENDERINGS, *others), overwrite=overwrite)


def _truth(data: tuple[str, ...], units: str | None, exam: Exam) -> Truth:
    """The truth in the files, or in the sample."""
    from deepcams.evaluation.truth import Truth
    from deepcams.io.files import find_files
    from deepcams.io.geos_cf import open_hourly
    from deepcams.sample import geos_cf_sample

    return Truth.of(open_hourly(find_files(data or geos_cf_sample()), units=units), exam.step)


def _held(truth: Truth, exam: Exam, *, quiet: bool) -> Evaluation:
    """The result of the exam."""
    from deepcams.cli.progress import progress
    from deepcams.evaluation.gridded import count_maps
    from deepcams.evaluation.gridded import evaluate as hold

    with progress(count_maps(truth, exam), "maps", quiet=quiet) as advance:
        return hold(truth, exam, progress=advance)


def _drawn(truth: Truth, exam: Exam, output: Path, *, overwrite: bool) -> list[Path]:
    """The files of the figures, which are drawn and written."""
    from deepcams.evaluation.panels import pictures
    from deepcams.plot.evaluation import write_pictures

    return write_pictures(pictures(truth, exam), output, overwrite=overwrite)


def _show(evaluation: Evaluation) -> None:
    """The tables on standard output, wide enough where it is not a terminal."""
    from rich.console import Console

    from deepcams.evaluation.report import show

    console = Console()
    show(evaluation, console if console.is_terminal else Console(width=_WIDTH))
