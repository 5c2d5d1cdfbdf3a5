"""``deepcams validate``: products against stations, on the same station-hours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.cli.many import ManyValues
from deepcams.cli.observed import file_options, limit_options
from deepcams.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from deepcams.stations.assessment import Paired
    from deepcams.stations.products import Product
    from deepcams.stations.validate import Settings, Validation

_NAME = "DeepCAMS"  # of stores without a name
_COLUMNS = {
    "n": ("N", ",d"),
    "stations": ("stations", ",d"),
    "r": ("R", ".3f"),
    "spearman": ("Spearman", ".3f"),
    "rmse": ("RMSE", ".2f"),
    "mae": ("MAE", ".2f"),
    "bias": ("bias", "+.2f"),
    "nmb": ("NMB", "+.2f"),
    "fac2": ("FAC2", ".2f"),
    "kge": ("KGE", ".2f"),
}
_WIDTH = 100  # columns of the table where the output is not a terminal


class _Validate(ManyValues):
    many = {"--cams": (".zarr",), "--stations": (".nc", ".zarr")}  # noqa: RUF012


@click.command(
    cls=_Validate,
    epilog="Example: deepcams validate hourly.zarr --cams cams/*.nc --stations openaq/*.csv.gz --out validation",
)
@click.argument("stores", nargs=-1, metavar="STORE...")
@click.option("--sample", is_flag=True, help="With the CAMS analyses and the monitors that ship (2019-12-31).")
@click.option("--cams", multiple=True, metavar="FILE...", help="The CAMS files that it was made from, to compare with.")
@file_options
@limit_options
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write scores, figures and the report there."
)
@click.option("--pairs", is_flag=True, help="Also write every pair, to DIR/pairs.parquet.")
@click.option(
    "--rule",
    default="mean",
    show_default=True,
    type=click.Choice(["mean", "begin", "end"]),
    help="Products: their mean over the observation's interval, or their value at its begin or end.",
)
@click.option(
    "--interpolation",
    default="bilinear",
    show_default=True,
    type=click.Choice(["bilinear", "nearest"]),
    help="Between four nodes, or the cell that holds the station.",
)
@click.option("--average-cells", is_flag=True, help="Stations that share a cell of the finest product count as one.")
@click.option("--start", help="First hour, ISO, UTC: 2019-12-24 or 2019-12-24T18.")
@click.option("--end", help="Last hour; a mere date means its last hour.")
@click.option("--region", help="Stations there: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option("--variable", help="The variable in the stores.  [default: pm2p5]")
@click.option("--cams-units", help="Unit of the CAMS files, if they do not say it or say it wrongly.")
@click.option(
    "--bootstrap", default=1000, show_default=True, type=click.IntRange(min=10), help="Draws of the bootstrap."
)
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier validation in DIR.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def validate(stores: tuple[str, ...], sample: bool, cams: tuple[str, ...], out: Path | None, pairs: bool,
             variable: str | None, cams_units: str | None, overwrite: bool, quiet: bool, **asked: Any) -> None:  # fmt: skip
    """Compare hourly maps with stations.

    STORE are outputs of deepcams or other hourly maps; NAME=STORE is a product of its own, beside DeepCAMS. CAMS is
    compared as it is, linear in time and nearest in time. All are scored on the same observations.
    """
    from deepcams.cli.observed import read_observed
    from deepcams.cli.progress import progress
    from deepcams.stations.collocate import common_hours
    from deepcams.stations.validate import validate as compare

    if sample:
        cams, asked["stations"] = _sampled(cams, asked["stations"])
    settings = _settings(asked)
    _check(stores, cams, cams_units, out, pairs=pairs, overwrite=overwrite, quiet=quiet)
    if out is not None:
        _refuse_inputs(out, [path for paths in _named(stores).values() for path in paths], asked["stations"])
    products = _products(stores, cams, variable, cams_units)
    reading = read_observed(**asked)
    with progress(common_hours(products), "hours", quiet=quiet) as advance:
        validation = compare(reading, products, settings, progress=advance)
    if not quiet:
        _show(validation)
    if out is not None:
        written = _written(validation, out, pairs=pairs)
        if not quiet:
            names = [path.name for path in written]
            click.echo(f"wrote {', '.join(names[:-1])} and {names[-1]} in {out}")


def _sampled(cams: tuple[str, ...], stations: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The analyses and the station files that ship."""
    from deepcams.sample import cams_sample, monitors_sample

    if cams or stations:
        raise InputError("--sample takes the place of --cams and --stations; give it, or these")
    return (str(cams_sample()),), (str(monitors_sample()),)


def _check(stores: tuple[str, ...], cams: tuple[str, ...], cams_units: str | None, out: Path | None, *, pairs: bool,
           overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Refuse what cannot be done, or would do nothing, before any work."""
    if not stores and not cams:
        raise InputError("nothing to compare with stations: give STORE..., or --cams FILE...")
    if cams_units and not cams:
        raise InputError("--cams-units is for --cams")
    if out is None:
        if pairs or quiet:
            raise InputError(f"--{'pairs' if pairs else 'quiet'} without --out would do nothing: give --out DIR")
        return
    from deepcams.io.output import check_folder
    from deepcams.plot.validation import write
    from deepcams.stations import files

    write.check_drawing()
    check_folder(out, (*files.NAMES, *write.NAMES, files.PAIRS), overwrite=overwrite)


def _refuse_inputs(out: Path, stores: Iterable[str], stations: Iterable[str]) -> None:
    """Refuse to write into a store, or among station files, for which the next run would take the tables of scores.

    Raises:
        OutputError: if the output's folder is such a folder, or within one.
    """
    from deepcams.errors import OutputError

    own = out.resolve()
    zarr = [Path(store) for store in stores if store.rstrip("/").endswith(".zarr")]
    folders = [path.resolve() for path in (*zarr, *map(Path, stations)) if path.is_dir()]
    inside = next((folder for folder in folders if folder in (own, *own.parents)), None)
    if inside is not None:
        raise OutputError(f"{out}: lies in {inside}, which is one of the inputs; give another folder")


def _settings(asked: dict[str, Any]) -> Settings:
    """What was asked for; the station files' own options stay in ``asked``."""
    from deepcams.cli.observed import limits_of
    from deepcams.regions import parse_region
    from deepcams.stations.validate import Settings
    from deepcams.timeline import parse_time

    start, end, region = (asked.pop(name) for name in ("start", "end", "region"))
    return Settings(
        limits=limits_of(asked),
        rule=asked.pop("rule"),
        interpolation=asked.pop("interpolation"),
        average_cells=asked.pop("average_cells"),
        start=parse_time(start) if start else None,
        end=parse_time(end, end_of_day=True) if end else None,
        region=parse_region(region) if region else None,
        repeats=asked.pop("bootstrap"),
    )


def _products(stores: tuple[str, ...], cams: tuple[str, ...], variable: str | None, units: str | None) -> list[Product]:
    """CAMS first, then the stores by their names."""
    from deepcams.stations.products import cams_products, store_product

    products: list[Product] = list(cams_products(cams, units=units)) if cams else []
    named = _named(stores)
    taken = [name for name in named if not name or name in [one.name for one in products]]
    if taken:
        raise InputError(f"{taken[0] + '=' if taken[0] else '='}: wanted a name of its own before the =, not CAMS's")
    return products + [store_product(name, paths, variable=variable) for name, paths in named.items()]


def _named(stores: tuple[str, ...]) -> dict[str, list[str]]:
    """The stores by the names of their products."""
    named: dict[str, list[str]] = {}
    for store in stores:
        name, parted, path = store.partition("=")
        plain = not parted or "/" in name or Path(store).exists()
        named.setdefault(_NAME if plain else name.strip(), []).append(store if plain else path)
    return named


def _written(validation: Validation, out: Path, *, pairs: bool) -> list[Path]:
    """The files, written."""
    from deepcams.plot.validation.write import write_figures
    from deepcams.stations.files import write_validation

    def draw(folder: Path) -> dict[str, Path]:
        return write_figures(validation.pairs, validation.assessment, folder)

    return write_validation(validation, out, draw, pairs=pairs)


def _show(validation: Validation) -> None:
    """The main table and what may be claimed, on the terminal."""
    from rich.console import Console

    console = Console(width=None if Console().is_terminal else _WIDTH, highlight=False)
    console.print(_table(validation))
    for line in _lines(validation):
        console.print(line, markup=False)


def _table(validation: Validation) -> Table:
    """A line for each product."""
    from rich.table import Table

    table = Table(title="all on the same observations, ug m-3", title_justify="left", box=None, pad_edge=False)
    table.add_column("product", no_wrap=True)
    for title, _ in _COLUMNS.values():
        table.add_column(title, justify="right", no_wrap=True)
    for product in validation.products:
        line = validation.assessment.pooled(product.name)
        if line is not None:
            known = {"n": line.n, "stations": line.stations, **line.scores}
            table.add_row(product.name, *(_text(known[name], form) for name, (_, form) in _COLUMNS.items()))
    return table


def _text(value: float, form: str) -> str:
    return format(value, form) if value == value else "-"


def _lines(validation: Validation) -> list[str]:
    """Differences, rejections and notes for people."""
    from deepcams.stations.quality import TITLES

    lines = _differences(validation)
    gone = sorted(validation.rejected.items(), key=lambda item: -item[1])
    lines += [f"not used  {count:,} {TITLES[name]}" for name, count in gone]
    lines += [f"outside   {validation.outside:,} not in the hours or the region compared"] * bool(validation.outside)
    lines += [f"merged    {validation.merged:,} into means of cells with others"] * bool(validation.merged)
    return lines + [f"note      {note}" for note in validation.notes]


def _differences(validation: Validation) -> list[str]:
    """What stores gain over CAMS: a line for each, with a part for each score."""
    first = validation.products[0].name
    named: dict[str, list[Paired]] = {}
    for one in validation.assessment.paired:
        if one.reference == first and not one.product.startswith(first):
            named.setdefault(one.product, []).append(one)
    return [f"{product} minus {first}: {_difference(found)}" for product, found in named.items()]


def _difference(found: list[Paired]) -> str:
    """The differences of all scores, with their verdicts; a verdict on all of them once."""
    verdicts = {one.verdict for one in found}
    texts = []
    for one in found:
        ends = f" ({one.low:+.3g} to {one.high:+.3g})" if one.low == one.low else ""
        own = f" {one.verdict}" if len(verdicts) > 1 else ""
        texts.append(f"{one.score} {_text(one.difference, '+.3g')}{ends}{own}")
    return "; ".join(texts) + (f": {verdicts.pop()}" if len(verdicts) == 1 else "")
