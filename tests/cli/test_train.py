"""``deepcams train``: what it prints, what it writes, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

REPOSITORY = Path(__file__).parents[2]
QUICK = ("--set", "training.steps=2", "--set", "training.batch=2", "--set", "sampling.size=4", "--set", "sampling.margin=2",
         "--set", "network.channels=4", "--set", "network.blocks=1", "--set", "split.hold_out=[[90,7,-90,11]]",
         "--device", "cpu")  # fmt: skip
BOTH = ("--set", "training.steps=1", "--set", "training.batch=1", "--set", "sampling.size=16", "--set", "sampling.margin=8",
        "--set", "split.hold_out=[[90,7,-90,11]]", "--device", "cpu")  # fmt: skip


@pytest.fixture
def hourly(tmp_path):
    """Four hours over the Low Countries, as GEOS-CF has them."""
    latitude, longitude = 48 + 0.25 * np.arange(40), 1 + 0.25 * np.arange(40)
    times = np.datetime64("2020-03-08T00:30", "ns") + np.arange(4) * np.timedelta64(1, "h")
    hours = np.arange(4)[:, None, None]
    values = 12 + 8 * np.sin(2 * latitude)[:, None] * np.cos(1.5 * longitude - 0.3 * hours)
    coordinates = {"time": times, "lat": latitude, "lon": longitude}
    field = xr.DataArray(values.astype(np.float32), coordinates, tuple(coordinates), attrs={"units": "ug m-3"})
    field.to_dataset(name="PM25_RH35_GCC").to_netcdf(tmp_path / "hourly.nc")
    return tmp_path / "hourly.nc"


def test_a_training(run, hourly, tmp_path):
    output = tmp_path / "run"
    result = run("train", "spatial", hourly, *QUICK, "--output", output)
    assert result.status == 0
    for text in (
        "RMSE",
        "bicubic",
        "lcbp",
        "network: RMSE",
        f"wrote {output}/spatial.safetensors",
        f"{output}/spatial.md",
    ):
        assert text in result.out
    assert "2 of 2 steps" in result.err
    assert "step 2: RMSE / MAE bicubic" in result.err
    assert "hourly.nc" in (output / "spatial.md").read_text()
    again = run("train", "spatial", hourly, *QUICK, "--output", output)
    assert again.status == 0
    assert "going on after step 2" in again.err
    other = run("train", "spatial", hourly, *QUICK, "--output", output, "--set", "training.seed=1")
    assert other.status == 2
    assert "training.seed = 0, and 1 is asked for" in other.err
    anew = run(
        "train", "spatial", hourly, *QUICK, "--output", output, "--set", "training.seed=1", "--overwrite", "--quiet"
    )
    assert anew == (0, "", "")


def test_all_trains_both_after_all_settings_are_read(run, hourly, tmp_path):
    output, small = tmp_path / "run", ("--config", "paper", *BOTH)
    result = run("train", "all", hourly, *small, "--output", output)
    assert result.status == 0
    for stage, words in (("temporal", ("linear", "flow")), ("spatial", ("bicubic", "lcbp"))):
        assert f"wrote {output}/{stage}/{stage}.safetensors" in result.out
        assert f"{output}/{stage}/{stage}.md" in result.out
        for word in (*words, "network: RMSE"):
            assert word in result.out
    other = tmp_path / "other"
    wrong = run(
        "train", "all", hourly, *small, "--set", "sampling.gaps=[2]", "--output", other
    )  # not the spatial one's
    assert wrong.status == 2
    assert "sampling.gaps is not a known key" in wrong.err
    assert not other.exists()


def test_a_file_is_for_one_of_the_networks(run, hourly, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[network]\nkind = 'abpn'\n")
    both = run("train", "all", hourly, "--config", path, "--output", tmp_path / "run")
    assert both.status == 2
    assert "a file is for one of the networks; wanted one of fast, full, paper" in both.err
    other = run("train", "temporal", hourly, "--config", path, "--output", tmp_path / "run")
    assert other.status == 2
    assert "its network (abpn) is a spatial one" in other.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "quick"], "config quick: no such file"),
        (["--set", "training.speed=3"], "training.speed is not a known key"),
        (["--set", "training.batch=0"], "training.batch = 0: wanted greater than or equal to 1"),
        (["--set", "sampling.size=200", "--set", "sampling.margin=60"], "do not fit between the poles"),
        (["--output", "/proc/none/run"], "cannot be used"),
        (["--scale", "-1"], "data.scale = -1.0: wanted greater than 0"),
        (["nowhere.nc"], "nowhere.nc: no such file"),
    ],
)
def test_calls_that_cannot_be_done(run, hourly, tmp_path, options, message):
    result = run("train", "spatial", hourly, *QUICK, "--output", tmp_path / "run", *options)
    assert result.status == 2
    assert message in result.err
    assert not (tmp_path / "run" / "spatial.safetensors").exists()


def test_the_door_of_the_original():
    call = [sys.executable, str(REPOSITORY / "main.py"), "--help"]
    shown = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("Usage: deepcams train")
