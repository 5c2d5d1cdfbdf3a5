"""``deepcams fetch geos-cf`` against a portal on loopback, and what evaluate and prepare make of it."""

import numpy as np
import pytest
import xarray as xr

from tests.fetch.server import Reply, Server

FOLDER = "/v1/ana/Y2021/M07/D01/"
HOURS = range(7)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """The bytes of some hours' files by name."""
    made, folder = {}, tmp_path_factory.mktemp("hours")
    rows, columns = np.deg2rad(-90 + 0.25 * np.arange(721)), np.deg2rad(-180 + 0.25 * np.arange(1440))
    for hour in HOURS:
        values = 20 + 10 * np.sin(9 * rows)[:, None] * np.cos(7 * columns - 0.3 * hour)
        time = [np.datetime64("2021-07-01T00:30", "ns") + np.timedelta64(hour, "h")]
        coordinates = {"time": time, "lat": np.rad2deg(rows), "lon": np.rad2deg(columns)}
        array = xr.DataArray(np.round(values[None]).astype(np.float32), coordinates, ("time", "lat", "lon"))
        path = folder / f"GEOS-CF.v01.rpl.aqc_tavg_1hr_g1440x721_v1.20210701_{hour:02}30z.nc4"
        encoding = {"PM25_RH35_GCC": {"zlib": True, "complevel": 1}}
        array.assign_attrs(units="ug m-3").to_dataset(name="PM25_RH35_GCC").to_netcdf(path, encoding=encoding)
        made[path.name] = path.read_bytes()
    return made


@pytest.fixture
def portal(bodies):
    with Server() as server:
        for name, body in bodies.items():
            server.serve(FOLDER + name, body)
        server.route("GET", FOLDER, Reply(200, "".join(f'<a href="{name}">' for name in bodies).encode()))
        yield server


ARGUMENTS = ("fetch", "geos-cf", "--start", "2021-07-01", "--end", "2021-07-01", "--region", "52,0,46,9")


def test_days_are_fetched_kept_and_used(portal, run, tmp_path):
    arguments = (*ARGUMENTS, "--url", portal.url, "--allow-missing", tmp_path / "geos")
    first = run(*arguments)
    assert first.status == 0, first.err
    assert "GEOS-CF v1, 2021-07-01 to 2021-07-01\nfiles     1 fetched, 0 kept\n" in first.out
    assert "note      2021-07-01 lacks the hours 7, 8, 9" in first.out
    assert "files     0 fetched, 1 kept" in run(*arguments).out
    options = ("--method", "nearest+linear", "--bootstrap", 10, "--margin", 0, "--output", tmp_path / "scores")
    judged = run("evaluate", tmp_path / "geos", *options)
    assert judged.status == 0, judged.err
    prepared = run("prepare", tmp_path / "geos", tmp_path / "set", "--quiet")
    assert prepared.status == 0, prepared.err


def test_a_dry_run_asks_nobody(portal, run, tmp_path, contents):
    result = run(*ARGUMENTS, "--url", portal.url, "--dry-run", tmp_path / "geos")
    assert result.status == 0
    assert f"fetch     {portal.url}{FOLDER} -> geos-cf-v1_2021-07-01.nc" in result.out
    assert "traffic   24 files of at most 21 MB: 498 MB before compression" in result.out
    assert (portal.requests, contents()) == ([], [])


def test_missing_hours_end_with_1_and_a_wrong_call_with_2(portal, run, tmp_path):
    lacking = run(*ARGUMENTS, "--url", portal.url, "--quiet", tmp_path / "geos")
    assert lacking.status == 1
    assert "lacks the hours 7, 8, 9, 10, 11, 12 ... of 2021-07-01" in lacking.err
    wrong = run("fetch", "geos-cf", "--start", "2021-07-02", "--end", "2021-07-01", tmp_path / "geos")
    assert (wrong.status, "wanted --start before --end" in wrong.err) == (2, True)
    neither = run("fetch", "geos-cf", "--start", "2016-01-01", "--end", "2016-01-02", tmp_path / "geos")
    assert (neither.status, "v1 from 2018-01-01" in neither.err) == (2, True)
