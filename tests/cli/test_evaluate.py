"""``deepcams evaluate``: what it prints, what it writes, and what it refuses."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def truth(tmp_path):
    """Seven hours over four blocks of the bootstrap around 45N 15E, as GEOS-CF has them."""
    latitude, longitude = 40 + 0.25 * np.arange(40), 10 + 0.25 * np.arange(40)
    times = np.datetime64("2020-03-08T00:30", "ns") + np.arange(7) * np.timedelta64(1, "h")
    hours = np.arange(7)[:, None, None]
    values = 12 + 8 * np.sin(2 * latitude)[:, None] * np.cos(1.5 * longitude - 0.3 * hours) + 0.5 * hours
    coordinates = {"time": times, "lat": latitude, "lon": longitude}
    field = xr.DataArray(values.astype(np.float32), coordinates, tuple(coordinates), attrs={"units": "ug m-3"})
    field.to_dataset(name="PM25_RH35_GCC").to_netcdf(tmp_path / "truth.nc")
    return tmp_path / "truth.nc"


def test_the_table(run, truth):
    result = run("evaluate", truth, "--bootstrap", 20)
    assert result.status == 0
    for text in ("space: the hours that were given", "time: the hours between, as area means", "both: ", "RMSE", "SSIM",
                 "nearest+linear", "bicubic+reversed", "fast: RMSE better than bicubic+linear by "):  # fmt: skip
        assert text in result.out
    assert re.search(r"^(\d+) of \1 maps", result.err)


def test_chosen_contenders_and_files(run, truth, tmp_path):
    call = ("evaluate", truth, "--method", "fast", "--method", "lcbp+linear", "--against", "bilinear+linear",
            "--bootstrap", 20, "--output", tmp_path / "scores", "--quiet")  # fmt: skip
    assert run(*call) == (0, "", "")
    content = json.loads((tmp_path / "scores" / "evaluate.json").read_text())
    assert content["reference"] == "bilinear+linear"
    assert {row["contender"] for row in content["rows"]} == {"fast", "lcbp+linear", "bilinear+linear"}
    assert content["provenance"]["inputs"] == ["truth.nc"]
    lines = list(csv.DictReader((tmp_path / "scores" / "evaluate.csv").open()))
    assert len(lines) == len(content["rows"])
    assert "| fast |" in (tmp_path / "scores" / "evaluate.md").read_text()
    again = run(*call)
    assert again.status == 2
    assert "exists already" in again.err
    assert run(*call, "--overwrite").status == 0


def test_the_same_call_gives_the_same_scores(run, truth, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        run("evaluate", truth, "--method", "fast", "--bootstrap", 20, "--output", tmp_path / name, "--workers", workers)
    tables = [(tmp_path / name / "evaluate.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1]


def test_a_region(run, truth):
    result = run("evaluate", truth, "--region", "46,12,43,16", "--method", "fast", "--bootstrap", 20)
    assert result.status == 0
    elsewhere = run("evaluate", truth, "--region", "australia", "--method", "fast")
    assert elsewhere.status == 2
    assert "no cell is left to score" in elsewhere.err


def test_figures(run, truth, tmp_path):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "scores"
    call = ("evaluate", truth, "--method", "fast", "--bootstrap", 20, "--output", folder, "--figures")
    result = run(*call)
    assert result.status == 0
    assert "evaluate.md, evaluate-space.png, evaluate-time.png and evaluate-both.png in " in result.out
    assert len(list(folder.iterdir())) == 6
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    for path in folder.glob("evaluate.*"):
        path.unlink()
    again = run(*call)
    assert again.status == 2
    assert "evaluate-space.png: exists already" in again.err
    assert run(*call, "--overwrite", "--quiet") == (0, "", "")


def test_figures_without_matplotlib_are_refused_before_any_work(run, truth, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("evaluate", truth, "--output", tmp_path / "scores", "--figures")
    assert result.status == 2
    assert 'matplotlib, which is not installed: pip install "deepcams[plot]"' in result.err
    assert "maps" not in result.err
    assert not (tmp_path / "scores").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "best"], "contender 'best' does not exist: wanted one of nearest+linear"),
        (["--against", "best"], "contender 'best' does not exist"),
        (["--region", "atlantis"], "region 'atlantis'"),
        (["--step", "9"], "wanted hourly fields, with some 9 h after the first"),
        (["--units", "ppb"], "not a mass per volume"),
        (["--quiet"], "--quiet without --output"),
        (["--figures"], "--figures without --output"),
        (["--output", "/proc/none/scores"], "no folder can be made there"),
    ],
)
def test_calls_that_cannot_be_done(run, truth, options, message):
    result = run("evaluate", truth, *options)
    assert result.status == 2
    assert message in result.err


def test_the_door_of_the_original():
    call = [sys.executable, str(REPOSITORY / "eval.py"), "--help"]
    shown = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("Usage: deepcams evaluate")


def test_a_device(run, truth, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    call = ("evaluate", truth, "--bootstrap", 20, "--method", "deepcams")
    missing = run(*call, "--device", "cuda")
    assert missing.status == 2
    assert "finds no CUDA device; use --device cpu" in missing.err
    wrong = run(*call, "--device", "gpu")
    assert wrong.status == 2
    assert "'gpu' is not one of" in wrong.err
