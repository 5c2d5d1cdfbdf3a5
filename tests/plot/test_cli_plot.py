"""``deepcams plot``: options reach the picture, one line is printed, errors come through as ours."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from deepcams.cli.plot import plot
from deepcams.errors import InputError, OutputError
from deepcams.plot.scales import SCALES

pytest.importorskip("matplotlib")

REGION = ["--region", "-32,-132,-44,-114"]


def call(*arguments):
    return CliRunner().invoke(plot, [str(argument) for argument in arguments])


def failure(*arguments):
    """The error that a call ends with."""
    return call(*arguments).exception


def test_map_writes_the_picture_and_says_so_in_one_line(store, tmp_path):
    result = call("map", store, tmp_path / "map.png", *REGION)
    assert result.exit_code == 0, result.exception
    assert result.output == f"wrote {tmp_path / 'map.png'}\n"
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_quiet_prints_nothing(store, tmp_path):
    assert call("map", store, tmp_path / "map.png", *REGION, "--quiet").output == ""


def test_options_change_the_picture(store, tmp_path):
    variants = {
        "default": [],
        "time": ["--time", "2020-01-01T03"],
        "who": ["--scale", "who"],
        "limits": ["--vmin", "50", "--vmax", "200"],
        "region": ["--region", "southeast-australia"],
    }
    for name, options in variants.items():
        assert call("map", store, tmp_path / f"{name}.png", *REGION, *options).exit_code == 0
    assert len({(tmp_path / f"{name}.png").read_bytes() for name in variants}) == len(variants)


def test_compare_writes_the_picture(cams_file, store, tmp_path):
    result = call("compare", cams_file, store, tmp_path / "both.svg", *REGION)
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "both.svg").read_text().startswith("<?xml")


def test_errors_are_the_packages_own(cams_file, store, tmp_path):
    picture = tmp_path / "map.png"
    assert isinstance(failure("map", tmp_path / "no.nc", picture), InputError)
    assert isinstance(failure("map", store, picture, "--region", "atlantis"), InputError)
    assert isinstance(failure("map", store, picture, "--variable", "ozone"), InputError)
    assert isinstance(failure("map", store, picture, "--scale", "who", "--vmin", "5"), InputError)
    assert "nearest" in str(failure("compare", cams_file, store, picture, "--time", "2020-01-01T02"))
    assert not picture.exists()


def test_an_existing_picture_is_kept_unless_overwrite(store, tmp_path):
    picture = tmp_path / "map.png"
    picture.write_bytes(b"mine")
    assert isinstance(failure("map", store, picture), OutputError)
    assert picture.read_bytes() == b"mine"
    assert call("map", store, picture, *REGION, "--overwrite").exit_code == 0


def test_the_choice_of_scales_is_that_of_the_library():
    option = next(option for option in plot.commands["map"].params if option.name == "scale")
    assert tuple(option.type.choices) == tuple(SCALES)


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from deepcams.cli.plot import plot; plot(['map', '--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'xarray', 'torch', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
