"""``deepcams plot``: options reach the picture, one line is printed, errors come through as ours."""

import subprocess
import sys

import click
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from deepcams.cli.plot import plot
from deepcams.errors import InputError, OutputError
from deepcams.plot.scales import SCALES
from deepcams.plot.scatter import BY

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
    command = plot.get_command(click.Context(plot), "map")
    option = next(option for option in command.params if option.name == "scale")
    assert tuple(option.type.choices) == tuple(SCALES)


def test_the_choice_of_columns_is_that_of_the_library():
    command = plot.get_command(click.Context(plot), "scatter")
    option = next(option for option in command.params if option.name == "by")
    assert tuple(option.type.choices) == tuple(BY)


@pytest.mark.parametrize("kind", plot.list_commands(None))
def test_help_loads_nothing_heavy(kind):
    code = (
        f"import sys; from deepcams.cli.plot import plot; plot([{kind!r}, '--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'xarray', 'torch', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_compare_between_analyses_with_plain_interpolation_beside(cams_file, tmp_path):
    coordinates = {
        "time": np.array(["2020-01-01T03", "2020-01-01T04"], "datetime64[ns]"),
        "latitude": -30 - 0.25 * np.arange(61),
        "longitude": 225 + 0.25 * np.arange(91),
    }
    values = np.random.default_rng(0).lognormal(2, 1, (2, 61, 91)).astype(np.float32)
    fine = xr.DataArray(values, coordinates, tuple(coordinates), name="pm2p5", attrs={"units": "ug m-3"})
    fine.to_netcdf(tmp_path / "hourly.nc")
    for name, options in {"two": [], "three": ["--bicubic"], "later": ["--bicubic", "--time", "2020-01-01T04"]}.items():
        result = call("compare", cams_file, tmp_path / "hourly.nc", tmp_path / f"{name}.png", *REGION, *options)
        assert result.exit_code == 0, result.exception
    assert len({(tmp_path / f"{name}.png").read_bytes() for name in ("two", "three", "later")}) == 3


@pytest.fixture
def stations(tmp_path):
    lines = ["station,latitude,longitude,begin,end,pm25,units"]
    for hour in range(23):
        lines.append(f"buoy,-38,-120,2020-01-01T{hour:02d}:00Z,2020-01-01T{hour + 1:02d}:00Z,{200 + hour},ug/m3")
    (tmp_path / "stations.csv").write_text("\n".join(lines))
    return tmp_path / "stations.csv"


def test_series_of_places_stations_and_cams(cams_file, store, stations, tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("name,lat,lon\nOcean,-38,-120\nLand,40,10\n")
    calls = {
        "point": ["--point", "-38,-120,Ocean", "--point", "40,10,Land"],
        "points": ["--points", table],
        "cams": ["--cams", cams_file, "--point", "-38,-120"],
        "stations": ["--stations", stations, "--cams", cams_file, "--scale", "log", "--width", "3.5"],
        "both": ["--points", table, "--stations", stations, "--within", "5", "--start", "2020-01-01T02"],
    }
    for name, options in calls.items():
        result = call("series", store, tmp_path / f"{name}.png", *options)
        assert result.exit_code == 0, (name, result.exception)
        assert f"wrote {tmp_path / name}.png\n" in result.output
    pictures = {name: (tmp_path / f"{name}.png").read_bytes() for name in calls}
    assert pictures["point"] == pictures["points"]
    assert len(set(pictures.values())) == len(calls) - 1


def test_values_after_an_option_of_many_end_at_the_picture(store, stations, tmp_path):
    assert call("series", "--stations", stations, store, tmp_path / "a.svg", "--quiet").output == ""
    assert (tmp_path / "a.svg").exists()


def test_series_refuses_what_cannot_be_meant(store, stations, cams_file, tmp_path):
    picture, table = tmp_path / "a.png", tmp_path / "points.csv"
    for options, wanted in [
        ([], "no places"),
        (["--point", "91,0"], "LAT,LON"),
        (["--point", "0,0", "--points", table], "give one of them"),
        (["--point", "0,0", "--stations", stations], "no station within 10 km"),
        (["--point", "0,0", "--width", "1"], "inches wide"),
        (["--point", "0,0", "--scale", "log", "--vmin", "0"], "vmin < vmax"),
        (["--point", "0,0", "--start", "2021"], "wanted a date"),
        (["--point", "0,0", "--start", "2021-01-01"], "no hour"),
    ]:
        error = failure("series", store, picture, *options)
        assert isinstance(error, InputError), (options, error)
        assert wanted in str(error)
    assert "STORE... PICTURE" in str(failure("series", picture))
    assert isinstance(failure("series", store, tmp_path / "a.gif", "--point", "0,0"), InputError)
    assert not picture.exists()


def test_animation_of_some_hours(store, tmp_path):
    image = pytest.importorskip("PIL.Image")
    result = call(
        "animation", store, tmp_path / "a.gif", *REGION, "--size", "320", "--fps", "10", "--start", "2020-01-01T02"
    )
    assert result.exit_code == 0, result.exception
    with image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 2
        assert film.info["duration"] == 100
    assert isinstance(failure("animation", store, tmp_path / "a.gif", *REGION), OutputError)
    assert isinstance(failure("animation", store, tmp_path / "b.gif", "--fps", "0"), InputError)
    assert isinstance(failure("animation", store, tmp_path / "b.png"), OutputError)


def test_spectrum_of_outputs_and_cams(cams_file, store, tmp_path):
    result = call("spectrum", store, f"again={store}", tmp_path / "a.png", "--cams", cams_file)
    assert result.exit_code == 0, result.exception
    assert call("spectrum", store, tmp_path / "b.png", "--time", "2020-01-01T02").exit_code == 0
    assert "one or the other" in str(
        failure("spectrum", store, tmp_path / "c.png", "--time", "2020", "--start", "2020")
    )
    assert "no hour from 2020-01-01T09" in str(
        failure("spectrum", store, tmp_path / "c.png", "--time", "2020-01-01T09")
    )
    assert "more than once" in str(failure("spectrum", f"CAMS={store}", tmp_path / "c.png", "--cams", cams_file))


def test_scatter_of_stored_pairs(tmp_path):
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    generator = np.random.default_rng(0)
    texts = {name: ["a"] * 50 for name in ("id", "sensor", "name", "country", "source")}
    begin = np.datetime64("2020-01-01T00", "ms") + np.arange(50) * np.timedelta64(5, "D")
    columns = texts | {"latitude": np.ones(50), "longitude": np.ones(50), "begin": pyarrow.array(begin)}
    columns |= {"period": np.full(50, 60, np.int32)}
    columns |= {name: generator.lognormal(2, 1, 50).astype(np.float32) for name in ("observed", "CAMS", "DeepCAMS")}
    parquet.write_table(pyarrow.table(columns), tmp_path / "pairs.parquet")
    for name, options in {"a": [], "b": ["--by", "season"], "c": ["--by", "all", "--product", "CAMS"]}.items():
        result = call("scatter", tmp_path, tmp_path / f"{name}.png", *options)
        assert result.exit_code == 0, result.exception
    assert "no product ozone" in str(failure("scatter", tmp_path, tmp_path / "d.png", "--product", "ozone"))


def test_all_pictures_of_paper_take_a_width(store, cams_file, tmp_path):
    for kind in plot.list_commands(None):
        names = {option.name for option in plot.get_command(click.Context(plot), kind).params}
        assert ("width" in names) == (kind != "animation"), kind
    result = call("map", store, tmp_path / "map.svg", "--width", "3.5")
    assert result.exit_code == 0, result.exception
    assert 'width="252pt"' in (tmp_path / "map.svg").read_text()
    assert "inches wide" in str(failure("compare", cams_file, store, tmp_path / "a.png", "--width", "2"))


def test_compare_takes_the_unit_of_cams(cams_file, store, tmp_path):
    call("compare", cams_file, store, tmp_path / "a.png", *REGION)
    result = call("compare", cams_file, store, tmp_path / "b.png", *REGION, "--cams-units", "ug m-3")
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
