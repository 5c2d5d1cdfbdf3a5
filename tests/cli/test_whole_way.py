"""From nothing on disk to a validated map: fetch in pieces, inspect, downscale, validate; services on loopback."""

import json
import os

import pytest

from tests.fetch.datastore import KEY, Store
from tests.fetch.openaq_service import Service
from tests.fetch.server import Server

DAYS = ("--start", "2019-12-30", "--end", "2020-01-01")


@pytest.fixture
def services(monkeypatch, tmp_path):
    """A data store and OpenAQ's archive, and no keys or proxies of this machine."""
    for name in list(os.environ):
        if name.startswith(("ADSAPI", "CDSAPI", "ECMWF_DATASTORES", "OPENAQ")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    with Server() as one, Server() as other:
        yield Store(one), Service(other)


def test_three_days_from_the_services_to_the_scores(run, services, tmp_path):
    store, openaq = services
    (tmp_path / "home" / ".cdsapirc").write_text(f"url: {store.url}\nkey: {KEY}\n")
    cams, stations, hourly, out = (tmp_path / name for name in ("cams", "openaq", "hourly.zarr", "validation"))

    # In two pieces, of which the second fails at first.
    store.next_states, store.reason = [["successful"], ["failed"]], "the archive is down"
    fetch = ("fetch", "cams", *DAYS, "--region", "55,3,50,9", "--workers", 1, cams)
    failed = run(*fetch)
    assert (failed.status, "the archive is down" in failed.err) == (1, True)
    store.states = ["successful"]
    done = run(*fetch)
    assert (done.status, "1 fetched, 1 kept" in done.out) == (0, True), done.err
    assert run("inspect", cams).status == 0

    for location, north, east in ((5, 52.1, 5.1), (6, 50.9, 4.4)):
        for date in ("2019-12-29", "2019-12-30", "2019-12-31", "2020-01-01", "2020-01-02"):
            openaq.day(location, date, minutes=60, north=north, east=east)
    got = run("fetch", "openaq", *DAYS, "--locations", "5,6", "--archive-url", openaq.server.url, stations)
    assert got.status == 0, got.err

    assert run("downscale", cams, hourly, "--method", "fast", "--quiet").status == 0
    result = run("validate", hourly, "--cams", cams, "--stations", stations, "--out", out, "--quiet")
    assert result == (0, "", "")
    content = json.loads((out / "scores.json").read_text())
    hours = 24 * 3 - 3  # from the first analysis to the last
    assert {name: one["n"] for name, one in content["products"].items()} == dict.fromkeys(
        ("CAMS", "CAMS nearest", "DeepCAMS"), 2 * hours
    )
    assert content["read"]["files"] == {"table": 2}
    assert (out / "report.html").is_file()
