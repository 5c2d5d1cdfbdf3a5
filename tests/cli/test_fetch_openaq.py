"""``deepcams fetch openaq``: what it prints, what it leaves, and its exit status."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from deepcams.fetch.openaq_api import VARIABLE
from tests.fetch.openaq_service import KEY, Service
from tests.fetch.server import Server, Status


@pytest.fixture
def service(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        yield Service(server)


@pytest.fixture
def fetch(run, service, tmp_path):
    """Run the command with the addresses of the loopback server."""

    def fetch(*options, start="2019-12-02", end="2019-12-03"):
        where = ("--url", service.server.url, "--archive-url", service.server.url)
        return run("fetch", "openaq", "--start", start, "--end", end, *where, *options, tmp_path / "out")

    return fetch


def days(service, location):
    for number in range(1, 5):
        service.day(location, f"2019-12-0{number}", minutes=0)


def test_a_table_and_a_summary(service, fetch, tmp_path):
    days(service, 5)
    result = fetch("--locations", "5")
    assert result.status == 0, result.err
    for words in ("OpenAQ (archive)", "48 observations", "1 made, 0 kept", "4 pieces", "thanks    OpenAQ"):
        assert words in result.out
    assert (tmp_path / "out" / "openaq_2019-12.parquet").is_file()
    again = fetch("--locations", "5")
    assert again.status == 0
    assert "0 made, 1 kept" in again.out
    assert fetch("--locations", "5", "--quiet") == (0, "", "")


def test_from_the_api_by_country_with_the_key_of_the_environment(service, fetch, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, KEY)
    service.place(5)
    service.series(50, datetime(2019, 12, 1, tzinfo=UTC), 100)
    result = fetch("--country", "NP", "--from", "api")
    assert result.status == 0, result.err
    assert "OpenAQ (api)" in result.out
    assert KEY not in result.out + result.err
    assert json.loads((tmp_path / "out" / "fetched.json").read_text())["what"]["country"] == "NP"


def test_a_dry_run_with_numbers_asks_nobody_and_writes_nothing(service, fetch, tmp_path):
    result = fetch("--locations", "5,6,7", "--dry-run", start="2019-11-05", end="2019-12-03")
    assert result.status == 0
    for words in ("2 to make, 0 there", "3 locations", "at most 99 files"):
        assert words in result.out
    assert "requests" in fetch("--locations", "5,6,7", "--from", "api", "--dry-run").out
    assert not service.server.requests
    assert not (tmp_path / "out").exists()


def test_a_dry_run_for_a_region_asks_only_for_its_locations(service, fetch, tmp_path):
    service.place(5)
    result = fetch("--bbox", "30,80,20,90", "--key", KEY, "--dry-run")
    assert result.status == 0, result.err
    assert "1 location of region 30,80,20,90" in result.out
    assert [one.path for one in service.server.requests] == ["/v3/locations"]
    assert not (tmp_path / "out").exists()


def test_a_service_that_is_down_ends_with_status_1(service, fetch):
    days(service, 5)
    service.server.misbehave("/", Status(403))
    result = fetch("--locations", "5")
    assert result.status == 1
    assert "gives no listing (status 403" in result.err


BAD = {
    "no locations": ((), "which stations"),
    "no key": (("--country", "NP"), "explore.openaq.org/register"),
    "a wrong key": (("--country", "NP", "--key", "not-the-right-one"), "does not know the key"),
    "no such country": (("--country", "Nepal"), "two letters"),
    "no number": (("--locations", "Kathmandu"), "wanted numbers like"),
    "nothing there": (("--locations", "77"), "no PM2.5 at 1 location"),
    "a region that is none": (("--region", "nowhere"), "wanted N,W,S,E"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_calls_end_with_status_2_and_leave_no_table(fetch, tmp_path, name):
    options, message = BAD[name]
    result = fetch(*options)
    assert result.status == 2, result.err
    assert message in result.err
    assert not list(tmp_path.rglob("*.parquet"))
