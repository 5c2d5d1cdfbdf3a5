"""Several values after one option."""

import click
import pytest

from deepcams.cli.many import ManyValues


class Command(ManyValues):
    many = {"--cams": (), "--stations": (".nc", ".zarr")}  # noqa: RUF012


@click.command(cls=Command)
@click.argument("stores", nargs=-1)
@click.option("--cams", multiple=True)
@click.option("--stations", multiple=True)
@click.option("--out")
@click.option("--quiet", is_flag=True)
def command(stores, cams, stations, out, quiet):
    return stores, cams, stations, out, quiet


@pytest.mark.parametrize(
    "line",
    [
        "x.nc y.zarr --cams a b --stations c d --out o",
        "x.nc y.zarr --cams a --cams b --stations c --stations d --out o",
        "--out o --cams=a b --stations=c d x.nc y.zarr",
        "--cams a b --out o --stations c d x.nc y.zarr",
        "--cams a b --out o --stations c d x.nc -- y.zarr",
        "x.nc --cams a b --out o y.zarr --stations c d",
    ],
)
def test_values_in_a_row(line):
    wanted = ("x.nc", "y.zarr"), ("a", "b"), ("c", "d"), "o", False
    assert command.main(line.split(), standalone_mode=False) == wanted


def test_a_flag_ends_the_row():
    found = command.main(["--cams", "a", "--quiet", "x"], standalone_mode=False)
    assert found == (("x",), ("a",), (), None, True)


def test_an_option_without_a_value_is_refused():
    with pytest.raises(click.UsageError):
        command.main(["--stations"], standalone_mode=False)
