"""``deepcams prepare``: what it makes, what it prints, and what it refuses."""

import json
import os
import re

import numpy as np
import pytest
import xarray as xr

from deepcams.training.dataset import open_series


@pytest.fixture
def hourly(tmp_path):
    """Twelve hours over the Low Countries, as GEOS-CF has them."""
    latitude, longitude = 48 + 0.25 * np.arange(24), 1 + 0.25 * np.arange(30)
    times = np.datetime64("2021-03-08T00:30", "ns") + np.arange(12) * np.timedelta64(1, "h")
    values = 12 + 8 * np.sin(2 * latitude)[:, None] * np.cos(1.5 * longitude) + np.arange(12)[:, None, None]
    coordinates = {"time": times, "lat": latitude, "lon": longitude}
    field = xr.DataArray(values.astype(np.float32), coordinates, tuple(coordinates), attrs={"units": "ug m-3"})
    field.to_dataset(name="PM25_RH35_GCC").to_netcdf(tmp_path / "hourly.nc")
    return tmp_path / "hourly.nc"


def test_a_set_and_what_is_said_of_it(run, hourly, tmp_path):
    result = run("prepare", hourly, tmp_path / "set", "--hold-out", "53,3,50,5", "--last", 0.25, "--step", 1)
    assert result.status == 0
    assert "set: 12 hours, 2021-03-08T00 to 2021-03-08T11 UTC" in result.out
    assert re.search(r"^coarse +7 x 9 nodes, 0.75 degrees.*, area-mean$", result.out, re.M)
    assert re.search(r"^training +8 hours, \d+ values known, 0 unknown; mean \d", result.out, re.M)
    assert re.search(r"^validation +2 hours", result.out, re.M)
    assert re.search(r"^12 of 12 hours", result.err)
    record = json.loads((tmp_path / "set" / "set.json").read_text())
    assert record["split"] == {"held_out": [[53, 3, 50, 5]], "last": 0.25}
    assert record["provenance"]["inputs"] == ["hourly.nc"]


def test_quiet_and_again(run, hourly, tmp_path):
    call = (
        "prepare",
        hourly,
        tmp_path / "set",
        "--coarse",
        "decimation",
        "--start",
        "2021-03-08T03",
        "--end",
        "2021-03-08T04",
    )
    assert run(*call, "--quiet") == (0, "", "")
    assert len(open_series(tmp_path / "set")[0]) == 2
    again = run(*call)
    assert again.status == 2
    assert "exists already" in again.err
    assert run(*call, "--overwrite").status == 0


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (["--hold-out", "90,0,-90,30"], "note: there is nothing to learn from in it"),
        (["--last", "0.99", "--step", "1"], "note: there is nothing to learn from in it"),
        (["--last", "0.05"], "note: there is nothing to validate with in it"),
    ],
)
def test_a_part_without_anything_is_told_of(run, hourly, tmp_path, options, note):
    result = run("prepare", hourly, tmp_path / "set", *options)
    assert result.status == 0
    assert result.out.count("note:") == 1
    assert note in result.out


@pytest.mark.parametrize("form", ["png", "mat"])
def test_the_originals_folders(run, hourly, tmp_path, form):
    result = run(
        "prepare", hourly, tmp_path / "set", "--layout", "original", "--format", form, "--last", 0.2, "--step", 1
    )
    assert result.status == 0
    assert ("ug m-3 at full range" in result.out) == (form == "png")
    total = 2 * 10 if form == "png" else 10
    assert f"{total} of {total} hours" in result.err
    train, test = open_series(tmp_path / "set")
    assert (len(train), len(test)) == (8, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "original", "--scale", "5"], "nothing is clipped; give a scale of"),
        (["--layout", "original", "--scale", "1e9"], "little of it would be left in 16 bits"),
        (["--scale", "500"], "--scale is for PNG images"),
        (["--layout", "original", "--hold-out", "europe"], "use --format mat"),
        (["--hold-out", "atlantis"], "region 'atlantis'"),
        (["--last", "1"], "--last"),
        (["--coarse", "nearest"], "--coarse"),
        (["--start", "yesterday"], "time 'yesterday'"),
        (["--start", "2022-01-01"], "no hour in the period"),
        (["--region", "australia"], "no coarse cell"),
        (["--units", "ppb"], "not a mass per volume"),
    ],
)
def test_calls_that_cannot_be_done(run, hourly, tmp_path, options, message):
    result = run("prepare", hourly, tmp_path / "set", *options)
    assert result.status == 2
    assert message in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["hourly.nc"]


def test_inputs_that_cannot_be_used(run, hourly, tmp_path):
    assert "only one of them was given" in run("prepare", hourly).err
    assert "wanted the name of a folder" in run("prepare", hourly, ".").err
    assert "no such file" in run("prepare", tmp_path / "none.nc", tmp_path / "set").err
    with xr.open_dataset(hourly) as dataset:
        coarser = dataset.isel(lat=slice(None, None, 2), lon=slice(None, None, 2)).load()
    coarser = coarser.assign_coords(time=coarser["time"].values - np.timedelta64(30, "m"))
    coarser["time"].encoding = {}
    coarser.to_netcdf(tmp_path / "coarser.nc")
    assert "2 series on different grids" in run("prepare", hourly, tmp_path / "coarser.nc", tmp_path / "set").err
    assert not (tmp_path / "set").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(run, hourly, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    result = run("prepare", hourly, tmp_path / "closed" / "set")
    assert result.status == 2
    assert "cannot be written" in result.err
