"""``deepcams plot scatter``: predicted against observed."""

from __future__ import annotations

from pathlib import Path

import click

from deepcams.cli.pictures import PATH, WIDTH, output_options, report


@click.command(
    epilog="Example: deepcams plot scatter validation seasons.pdf --by season --product CAMS --product DeepCAMS"
)
@click.argument("pairs", type=PATH)
@click.argument("picture", type=PATH)
@click.option(
    "--by",
    type=click.Choice(("year", "season", "all")),
    default="year",
    show_default=True,
    help="A column for each year, or season, or one for all pairs.",
)
@click.option(
    "--product", "products", multiple=True, metavar="NAME", help="Show these, in this order; may be repeated."
)
@WIDTH
@output_options
def scatter(pairs: Path, picture: Path, by: str, products: tuple[str, ...], width: float, overwrite: bool,
            quiet: bool) -> None:  # fmt: skip
    """Draw how products and observations agree in PAIRS, as PICTURE.

    PAIRS is the file that validate --pairs wrote, or its folder. Many years take several pictures.
    """
    from deepcams.plot.scatter import plot_scatter_of_file

    for one in plot_scatter_of_file(pairs, picture, by=by, products=products, width=width, overwrite=overwrite):
        report(one, quiet=quiet)
