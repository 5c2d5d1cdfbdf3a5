"""``deepcams downscale``: what it makes, what it says, and what it leaves when it cannot."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.io import netcdf
from deepcams.io.store import is_unfinished
from deepcams.sample import cams_sample

Usage = namedtuple("Usage", "total used free")


def test_a_file_to_a_file(run, write, tmp_path):
    result = run("downscale", write(), tmp_path / "out.nc")
    assert result.status == 0
    assert "out.nc: 13 hours written (5 analyses, 8 between), 2019-12-30T00 to 2019-12-30T12 UTC" in result.out
    assert "deepcams: network in space, network in time, space-first" in result.out
    assert "area means of analyses as in CAMS" in result.out
    with xr.open_dataset(tmp_path / "out.nc") as written:
        assert written["pm2p5"].shape == (13, 24, 30)


def test_several_inputs_patterns_and_options(run, write, tmp_path, contents):
    write("a.nc", lambda field: field[:3])
    write("b.nc", lambda field: field[2:])
    result = run("downscale", tmp_path / "a.nc", tmp_path / "b*.nc", tmp_path / "out.zarr", "--start", "2019-12-30T02",
                 "--end", "2019-12-30T10", "--region", "53,4,51,6", "--space", "bicubic", "--time", "linear",
                 "--order", "time-first", "--keepbits", "12", "--workers", "1", "--quiet")  # fmt: skip
    assert result == (0, "", "")
    assert contents() == ["a.nc", "b.nc", "out.zarr", "out.zarr.log"]
    with xr.open_zarr(tmp_path / "out.zarr") as written:
        assert (written["time_kind"] < 2).sum() == 9
        assert written["pm2p5"].shape == (24, 9, 9)


def test_noise_holes_and_gaps_are_in_the_summary(run, write, tmp_path):
    def spoil(field):
        field[0, 0, 0], field[1, 0, :2] = -1e-13, np.nan
        return field.drop_isel(valid_time=3)

    out = run("downscale", write(change=spoil), tmp_path / "out.nc").out
    assert "noise     1 values of packing noise" in out
    assert "missing   90 values" in out
    assert "gap       nothing between 2019-12-30T06 and 2019-12-30T12 UTC" in out
    assert "note " in run("downscale", write(rows=1, columns=1), tmp_path / "node.nc").out


def test_a_mixing_ratio(run, write, tmp_path):
    path = write(change=lambda field: field.rename("co").assign_attrs(units="kg kg**-1", standard_name="unknown"))
    assert run("downscale", path, tmp_path / "out.nc", "--variable", "co").status == 0
    with xr.open_dataset(tmp_path / "out.nc") as written:
        assert written["co"].attrs["units"] == "kg kg**-1"
        assert "standard_name" not in written["co"].attrs


BAD_CALLS = [
    (["--start", "2019-12-31", "--end", "2019-12-30"], "wanted --start before --end"),
    (["--start", "2021-01-01"], "no hour|wanted --start before --end"),
    (["--start", "2021-01-01", "--end", "2021-02-01"], "no hour from 2021-01-01T00 to 2021-02-01T23 in the data"),
    (["--start", "yesterday"], "wanted a date like"),
    (["--start", "2019-12-30T00:30"], "wanted a whole hour"),
    (["--region", "10,100,0,110"], "outside the data"),
    (["--region", "60,0,50,20"], "reaches beyond the data"),
    (["--region", "50,0,60,20"], "the order is N,W,S,E"),
    (["--region", "atlantis"], "wanted N,W,S,E in degrees .* or one of africa"),
    (["--method", "slow"], "method 'slow' does not exist: wanted one of deepcams, fast"),
    (["--space", "cubist"], "space 'cubist' does not exist: wanted one of nearest"),
    (["--time", "travel"], "time 'travel' does not exist: wanted one of linear, flow"),
    (["--order", "paper-first"], "order 'paper-first' does not exist: wanted one of space-first"),
    (["--factor", "2"], "refinement factor 2: wanted an odd one"),
    (["--factor", "-3"], "refinement factor -3: wanted an odd one"),
    (["--variable", "pm10"], "no variable 'pm10' .there are: pm2p5"),
    (["--units", "furlongs"], "'furlongs' are not a mass per volume"),
    (["--sample"], "or --sample and OUTPUT alone"),
]


@pytest.mark.parametrize(("options", "message"), BAD_CALLS)
def test_a_wrong_call_is_one_message_and_leaves_nothing(run, write, tmp_path, contents, options, message):
    for name in ("out.nc", "out.zarr"):
        result = run("downscale", write(), tmp_path / name, *options)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith("deepcams: ")
        assert result.err.count("\n") == 1
        assert re.search(message, result.err)
    assert contents() == ["cams.nc"]


def test_one_path_only(run, write):
    result = run("downscale", write())
    assert result.status == 2
    assert "wanted INPUT... and OUTPUT" in result.err


BAD_FIELDS = {
    "one analysis": (lambda field: field[:1], "1 analysis .2019-12-30T00.: wanted two at least"),
    "negative": (lambda field: field - 1e-7, "pm2p5 is -"),
    "infinite": (lambda field: field * np.inf, "infinite values"),
    "missing": (lambda field: field * np.nan, "every value of pm2p5 is missing"),
    "no units": (lambda field: field.drop_attrs(), "has no units"),
    "another step": (lambda field: field.assign_coords(latitude=50 - 0.4 * np.arange(8), longitude=0.4 * np.arange(10)),
                     "a grid step of 0.4 degrees"),
    "no time": (lambda field: field[0].drop_vars("valid_time"), "no time coordinate"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_bad_input_is_one_message_and_leaves_no_file(run, write, tmp_path, contents, case):
    change, message = BAD_FIELDS[case]
    result = run("downscale", write(change=change), tmp_path / "out.nc")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("deepcams: ")
    assert re.search(message, result.err)
    assert contents() == ["cams.nc"]


def test_outputs_that_cannot_be(run, write, tmp_path, contents):
    path = write()
    (tmp_path / "old.nc").write_text("precious")
    for output, message in [("out.tif", "unknown suffix"), ("none/out.nc", "does not exist; make it first"),
                            ("old.nc", "exists already"), ("cams.nc", "exists already")]:  # fmt: skip
        result = run("downscale", path, tmp_path / output)
        assert result.status == 2
        assert message in result.err
    result = run("downscale", path, path, "--overwrite")
    assert result.status == 2
    assert "is one of the inputs" in result.err
    assert (tmp_path / "old.nc").read_text() == "precious"
    assert contents() == ["cams.nc", "old.nc"]


def test_overwriting(run, write, tmp_path, contents):
    (tmp_path / "out.nc").write_text("old")
    assert run("downscale", write(), tmp_path / "out.nc", "--overwrite").status == 0
    xr.open_dataset(tmp_path / "out.nc").close()
    assert contents() == ["cams.nc", "out.nc"]


@pytest.mark.parametrize("name", ["out.nc", "out.zarr"])
def test_too_small_a_disk_is_seen_before_the_work(run, write, tmp_path, contents, monkeypatch, name):
    path = write()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**6, 10**6 - 100, 100))
    result = run("downscale", path, tmp_path / name)
    assert result.status == 2
    assert "0 MB are free there" in result.err
    assert "nothing was written" in result.err
    assert contents() == ["cams.nc"]


def test_a_disk_that_fills_up_while_a_file_is_written(run, write, tmp_path, contents, monkeypatch):
    define = netcdf._define

    class Full:
        def __init__(self, variable):
            self.variable = variable

        def __setitem__(self, number, values):
            if number == 7:
                raise OSError(28, "No space left on device")
            self.variable[number] = values

    monkeypatch.setattr(netcdf, "_define", lambda *arguments: Full(define(*arguments)))
    result = run("downscale", write(), tmp_path / "out.nc")
    assert result.status == 1
    assert "out.nc: the disk is full" in result.err
    assert contents() == ["cams.nc"]


@pytest.mark.parametrize("days", [0, 1])
def test_a_disk_that_fills_up_while_a_store_is_written(run, write, tmp_path, monkeypatch, days):
    """Finished days are kept; without any, nothing is."""
    plain, calls = zarr.Array.__setitem__, []

    def full_after_some_days(self, selection, values):
        calls.append(self.name)
        if calls.count("/pm2p5") > days and self.name == "/pm2p5":
            raise OSError(28, "No space left on device")
        plain(self, selection, values)

    source = write(change=lambda field: field.assign_coords(valid_time=field.valid_time + np.timedelta64(15, "h")))
    monkeypatch.setattr(zarr.Array, "__setitem__", full_after_some_days)
    result = run("downscale", source, tmp_path / "out.zarr")
    assert result.status == 1
    assert "out.zarr: the disk is full" in result.err
    assert ("1 day missing (2019-12-31): the same command goes on from here" in result.err) == bool(days)
    assert sorted(tmp_path.glob("out.zarr*")) == ([tmp_path / "out.zarr", tmp_path / "out.zarr.log"] if days else [])
    monkeypatch.setattr(zarr.Array, "__setitem__", plain)
    assert is_unfinished(tmp_path / "out.zarr") == bool(days)
    assert run("downscale", source, tmp_path / "out.zarr").status == 0
    assert not is_unfinished(tmp_path / "out.zarr")


@pytest.mark.parametrize("name", ["out.nc", "out.zarr"])
def test_a_real_failure_of_the_system_is_one_message(write, tmp_path, name):
    """The system refuses files of more than 40 kB, as it would on a full disk."""
    call = [sys.executable, "-m", "deepcams", "downscale", str(write(rows=60, columns=80)), str(tmp_path / name)]
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))  # noqa: E731
    done = subprocess.run(call, capture_output=True, text=True, check=False, preexec_fn=small)
    assert done.returncode == 1, done.stderr
    assert f"deepcams: {tmp_path}/{name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.nc").exists()
    assert not list(tmp_path.glob(".out*"))


@pytest.fixture(scope="module")
def long_input(tmp_path_factory):
    """The sample again and again: long enough to be interrupted."""
    path = tmp_path_factory.mktemp("long") / "cams.nc"
    with xr.open_dataset(cams_sample()) as sample:
        name = next(name for name in ("valid_time", "time") if name in sample.dims)
        once = sample[["pm2p5"]].isel({name: slice(0, 2)}).load()
        parts = [once.assign_coords({name: once[name] + np.timedelta64(6 * k, "h")}) for k in range(16)]
        xr.concat(parts, name).to_netcdf(path)
    return path


def started(arguments, watched):
    """A run of the command line that has begun to write."""
    run = subprocess.Popen([sys.executable, "-m", "deepcams", "downscale", *map(str, arguments), "--quiet"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    until = time.monotonic() + 60
    while not watched() and run.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert run.poll() is None, run.stderr.read().decode()
    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_leaves_nothing_under_the_final_name(long_input, tmp_path, contents, number):
    big = lambda: any(path.stat().st_size > 2_000_000 for path in tmp_path.glob(".out*"))  # noqa: E731
    run = started([long_input, tmp_path / "out.nc", "--time", "linear"], big)
    os.kill(run.pid, number)
    _, error = run.communicate(timeout=60)
    assert run.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    assert not (tmp_path / "out.nc").exists()
    if number != signal.SIGKILL:
        assert contents() == []
        assert b"Traceback" not in error


def test_a_killed_store_is_completed_to_the_same_bytes(long_input, tmp_path):
    files = lambda path: {one.relative_to(path): one.read_bytes() for one in path.rglob("*") if one.is_file()}  # noqa: E731
    whole, killed = tmp_path / "whole.zarr", tmp_path / "killed.zarr"
    options = ["--time", "linear", "--space", "nearest", "--region", "europe"]
    subprocess.run([sys.executable, "-m", "deepcams", "downscale", long_input, whole, "--quiet", *options], check=True)
    run = started([long_input, killed, *options, "--workers", "1"], lambda: any(killed.glob("pm2p5/c/1/0/0")))
    run.kill()
    run.communicate(timeout=60)
    assert is_unfinished(killed)
    done = subprocess.run([sys.executable, "-m", "deepcams", "downscale", long_input, killed, *options],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "kept " in done.stdout
    assert files(killed) == files(whole)
