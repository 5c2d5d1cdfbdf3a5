"""``deepcams fetch cams``: from an empty folder to hourly maps, what is said when it fails, and killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import concentration, in_kilograms
from tests.fetch.datastore import KEY, Store, problem
from tests.fetch.server import Server

DAYS = ("--start", "2019-12-30", "--end", "2020-01-01", "--region", "55,3,50,9")


@pytest.fixture(autouse=True)
def at_home(monkeypatch, tmp_path):
    """An empty home, no keys in the environment, and no proxies."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in list(os.environ):
        if name.startswith(("ADSAPI", "CDSAPI", "ECMWF_DATASTORES")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def store():
    with Server() as server:
        made = Store(server)
        made.states = ["successful"]
        yield made


@pytest.fixture
def key_file(at_home, store):
    (at_home / ".cdsapirc").write_text(f"url: {store.url}\nkey: {KEY}\n")


def test_fetch_inspect_downscale(run, store, key_file, tmp_path):
    result = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert result.status == 0, result.err
    assert result.out.startswith(
        f"{tmp_path / 'cams'}: CAMS reanalysis EAC4, 2019-12-30 to 2020-01-01\nfiles     2 fetched, 0 kept\n"
    )
    assert "2 of 2 requests" in result.err
    seen = run("inspect", tmp_path / "cams")
    assert (seen.status, "24" in seen.out) == (0, True)
    made = run("downscale", tmp_path / "cams", tmp_path / "hourly.nc", "--method", "fast", "--quiet")
    assert made.status == 0
    again = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert "files     0 fetched, 2 kept\nbytes     0.0 MB" in again.out
    assert len(store.jobs) == 2


def test_quiet(run, store, tmp_path):
    result = run("fetch", "cams", *DAYS, tmp_path / "cams", "--quiet", "--url", store.url, "--key", KEY)
    assert result == (0, "", "")


def test_a_dry_run_contacts_nobody_and_needs_no_key(run, store, tmp_path):
    result = run("fetch", "cams", "--start", "2019-12", "--end", "2019-12-31", tmp_path / "cams", "--dry-run")
    assert result.status == 2  # a month is no day
    result = run("fetch", "cams", "--start", "2019-11-30", "--end", "2019-12-31", tmp_path / "cams", "--dry-run")
    *lines, total = (json.loads(line) for line in result.out.splitlines())
    assert [line["file"] for line in lines] == ["eac4_pm2p5_2019-11-30.zip", "eac4_pm2p5_2019-12.zip"]
    assert [line["fields"] for line in lines] == [8, 248]
    assert lines[0]["dataset"] == "cams-global-reanalysis-eac4"
    assert lines[0]["inputs"]["date"] == ["2019-11-30/2019-11-30"]
    assert total == {"requests": 2, "expected_bytes": sum(line["expected_bytes"] for line in lines)}
    assert 40e6 < total["expected_bytes"] < 50e6
    assert (store.server.requests, (tmp_path / "cams").exists()) == ([], False)


def test_grib_where_it_cannot_be_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run("fetch", "cams", *DAYS, tmp_path / "cams", "--format", "grib")
    assert (result.status, 'pip install "deepcams[grib]"' in result.err) == (2, True)


def test_no_key(run, tmp_path):
    result = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert (result.status, result.out) == (2, "")
    assert "no key for the Atmosphere Data Store" in result.err
    assert "https://ads.atmosphere.copernicus.eu/profile" in result.err


def test_the_file_of_the_climate_store(run, at_home, tmp_path):
    (at_home / ".cdsapirc").write_text(f"url: https://cds.climate.copernicus.eu/api\nkey: {KEY}\n")
    result = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert result.status == 2
    assert "Climate Data Store" in result.err
    assert KEY not in result.err


def test_a_licence_and_a_failed_job(run, store, key_file, tmp_path):
    store.refuse(problem(403, "required licences not accepted"))
    result = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert (result.status, "manage-licences" in result.err) == (2, True)


def test_a_job_that_fails(run, store, key_file, tmp_path):
    store.states, store.reason = ["failed"], "MarsRuntimeError: broken"
    result = run("fetch", "cams", *DAYS, tmp_path / "cams")
    assert (result.status, "broken" in result.err) == (1, True)
    assert KEY not in result.err


def test_waiting_ends(run, store, key_file, tmp_path):
    store.states = ["running"]
    result = run("fetch", "cams", *DAYS, tmp_path / "cams", "--wait", "1e-5")
    assert (result.status, "goes on waiting" in result.err) == (1, True)


def test_the_forecast_is_told_to_be_none_for_downscale(run, store, key_file, tmp_path):
    times = np.datetime64("2024-05-01", "ns") + np.arange(24) * np.timedelta64(1, "h")
    field = concentration(times, 50.4 - 0.4 * np.arange(3), 4 + 0.4 * np.arange(4))
    in_kilograms(field / 100).to_dataset(name="pm2p5").to_netcdf(tmp_path / "made.nc", engine="h5netcdf")
    store.make = lambda inputs: (tmp_path / "made.nc").read_bytes()
    period = ("--start", "2024-05-01", "--end", "2024-05-01", "--region", "50.3,4.1,49.7,5.1")
    result = run("fetch", "cams", *period, "--dataset", "forecast", tmp_path / "cams")
    assert (result.status, result.err.splitlines()[1:]) == (0, [])
    assert "0.4 degrees, which deepcams downscale refuses" in result.out
    refused = run("downscale", tmp_path / "cams", tmp_path / "out.nc", "--method", "fast", "--quiet")
    assert (refused.status, "0.4" in refused.err) == (2, True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_while_it_waits_and_run_again(run, store, key_file, tmp_path, how):
    store.states = ["accepted"]
    command = [sys.executable, "-m", "deepcams", "fetch", "cams", *DAYS, str(tmp_path / "cams"), "--workers", "1"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not list((tmp_path / "cams").glob(".*.job.json")) and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(how)
    _, printed = running.communicate(timeout=10)
    assert running.returncode != 0
    assert "Traceback" not in printed
    assert [path.name for path in (tmp_path / "cams").iterdir() if not path.name.startswith(".")] == []
    store.jobs["job-1"].states = store.states = ["successful"]
    assert run("fetch", "cams", *DAYS, tmp_path / "cams").status == 0
    assert len(store.jobs) == 2  # the first was not ordered again
    assert sorted(path.name for path in (tmp_path / "cams").iterdir()) == [*_names(tmp_path), "fetched.json"]


def _names(tmp_path):
    return sorted(path.name for path in (tmp_path / "cams").glob("*.zip"))
