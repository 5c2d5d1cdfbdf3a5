"""``deepcams view``: it serves until it is interrupted, exports, and refuses what it cannot show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

CALL = "import sys; from deepcams.cli.view import view; view.main(sys.argv[1:], prog_name='view')"


@pytest.fixture
def hourly(run, write, tmp_path):
    """Half a day of hourly maps over the Low Countries, in a store."""
    path = tmp_path / "hourly.zarr"
    assert run("downscale", write(), path, "--method", "fast", "--quiet").status == 0
    return path


def test_it_serves_until_it_is_interrupted(hourly, tmp_path):
    arguments = [hourly, "--compare", tmp_path / "cams.nc", "--no-browser", "--port", "0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([sys.executable, "-c", CALL, *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE, env=environment)  # fmt: skip
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}view.json", timeout=20) as answer:
            told = json.load(answer)
        assert (told["label"], told["cams"]["label"], told["stations"]) == ("hourly.zarr", "cams.nc", None)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "ended" in rest
    assert errors == ""


def test_it_exports(run, hourly, tmp_path):
    result = run("view", hourly, "--export", tmp_path / "site", "--compare", tmp_path / "cams.nc")
    assert result.status == 0
    assert "web server" in result.out
    assert (tmp_path / "site" / "index.html").is_file()
    assert (tmp_path / "site" / "store" / "zarr.json").read_bytes() == (hourly / "zarr.json").read_bytes()
    again = run("view", hourly, "--export", tmp_path / "site")
    assert again.status == 2
    assert "exists already" in again.err


def test_a_copy_that_would_lack_data_is_refused(run, hourly, tmp_path):
    """A chunk that is kept elsewhere, with a link to it."""
    chunk = next(one for one in sorted((hourly / "pm2p5" / "c").rglob("*")) if one.is_file())
    chunk.rename(tmp_path / "elsewhere")
    chunk.symlink_to(tmp_path / "elsewhere")
    for _ in range(2):  # a link out, then one to nothing
        result = run("view", hourly, "--export", tmp_path / "site")
        assert result.status == 2
        assert f"{chunk.relative_to(hourly)} cannot be read" in result.err
        assert not [one for one in tmp_path.iterdir() if "site" in one.name]
        (tmp_path / "elsewhere").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.zarr"], "no such file"),
        (["hourly.zarr", "--compare", "none.nc"], "no such file"),
        (["hourly.zarr", "--stations", "none"], "no such file"),
        (["hourly.zarr", "--port", "99999", "--no-browser"], "port 99999"),
        (["hourly.zarr", "--host", "192.0.2.1", "--no-browser"], "cannot be listened on"),
        (["hourly.zarr", "--host", "", "--no-browser"], "host is empty"),
        (["hourly.zarr", "--export", "site", "--port", "80"], "leave them out"),
    ],
)
def test_what_cannot_be_shown_is_refused(run, hourly, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    result = run("view", *arguments)
    assert result.status == 2
    assert told in result.err


def test_means_over_days_are_no_hourly_maps(run, hourly, tmp_path):
    assert run("aggregate", hourly, "daily", tmp_path / "daily.nc", "--quiet").status == 0
    result = run("view", tmp_path / "daily.nc", "--variable", "pm2p5_mean", "--no-browser")
    assert result.status == 2
    assert "wanted hourly maps" in result.err


def test_a_broken_store_is_told(run, hourly):
    (hourly / "zarr.json").write_text("{")
    result = run("view", hourly, "--no-browser")
    assert result.status == 2
    assert "hourly.zarr" in result.err
