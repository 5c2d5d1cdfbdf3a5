"""OpenAQ from the archive and the API to monthly tables: the numbers that were put in come out, whatever goes wrong."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet
import pytest

from deepcams.errors import FetchError, InputError
from deepcams.fetch.index import Index
from deepcams.fetch.openaq import Order, fetch_openaq, make_plan
from deepcams.fetch.openaq_api import VARIABLE
from deepcams.regions import parse_region
from deepcams.stations.readers import read_stations
from deepcams.timeline import parse_time
from tests.fetch.openaq_service import KEY, TITLES, Service, object_key, value_of
from tests.fetch.server import Drip, Hang, Reset, Status, Truncate, WrongBody

HOUR = timedelta(hours=1)
FIRST = datetime(2019, 12, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def service(server):
    return Service(server)


@pytest.fixture
def order(server):
    def order(start="2019-12-02", end="2019-12-03", **asked):
        return Order(parse_time(start), parse_time(end, end_of_day=True), url=server.url, archive=server.url, **asked)

    return order


@pytest.fixture
def fetch(tmp_path, impatient):
    def fetch(wanted, *, key=None, folder=tmp_path / "out", keep=False, **options):
        plan = make_plan(folder, wanted, key=key, patience=impatient)
        return fetch_openaq(plan, patience=impatient, keep=keep, **options)

    return fetch


def days(service, location, first="2019-12-01", count=4, **options):
    for number in range(count):
        date = str(np.datetime64(first) + number)
        service.day(location, date, **options)


def read(folder):
    return read_stations([folder / "openaq_*.parquet"])


def check(folder, location, first, hours):
    """That the tables hold the hours of a location, each once, with the values that were put in."""
    found = read(folder).observations
    own = found.take(found.stations.ids[found.station] == str(location))
    begins = [first + number * HOUR for number in range(hours)]
    np.testing.assert_array_equal(own.begin, np.array([one.replace(tzinfo=None) for one in begins], "datetime64[m]"))
    np.testing.assert_array_equal(own.value, np.array([value_of(location, one) for one in begins], np.float32))
    assert set(own.period.tolist()) == {60}
    return own


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("minutes", [0, 840, -720, 540])
def test_local_days_are_cut_in_utc(service, order, fetch, tmp_path, minutes):
    days(service, 2178, minutes=minutes)
    summary = fetch(order(locations=(2178,)))
    own = check(tmp_path / "out", 2178, FIRST, 48)
    assert own.stations.sensors.tolist() == ["21780"]
    assert (summary.written, summary.lines, summary.fetched) == (["openaq_2019-12.parquet"], 48, 4)
    assert contents(tmp_path / "out") == ["fetched.json", "openaq_2019-12.parquet"]


def test_a_time_zone_that_is_no_whole_hour(service, order, fetch, tmp_path):
    days(service, 7, minutes=345)
    fetch(order(locations=(7,)))
    check(tmp_path / "out", 7, FIRST + timedelta(minutes=15), 48)


def test_each_month_has_its_table(service, order, fetch, tmp_path):
    for location in (5, 6):
        days(service, location, "2019-12-30", 5)
    summary = fetch(order("2019-12-31", "2020-01-01", locations=(5, 6)))
    assert summary.written == ["openaq_2019-12.parquet", "openaq_2020-01.parquet"]
    assert summary.fetched == 2 * 4  # the days that both months need came once
    for location in (5, 6):
        check(tmp_path / "out", location, datetime(2019, 12, 31, 0, 15, tzinfo=UTC), 48)
    begins = pyarrow.parquet.read_table(tmp_path / "out" / "openaq_2019-12.parquet")["begin"].to_numpy()
    assert (np.diff(begins) >= np.timedelta64(0)).all()


def test_the_table_says_where_it_comes_from(service, order, fetch, tmp_path):
    service.place(5)
    days(service, 5)
    fetch(order(country="NP"), key=KEY)
    schema = pyarrow.parquet.read_schema(tmp_path / "out" / "openaq_2019-12.parquet")
    made = json.loads(schema.metadata[b"provenance"])
    assert "OpenAQ" in made["attribution"]
    assert "CC BY 4.0" in made["licence"]
    assert made["owners"] == ["Owner 1 (CC BY 4.0)"]
    assert made["settings"]["country"] == "NP"
    assert made["pieces"] == 4
    assert KEY not in str(schema.metadata)
    assert KEY not in (tmp_path / "out" / "fetched.json").read_text()
    found = read(tmp_path / "out").observations.stations
    assert (found.names[0], found.country[0], found.timezone[0]) == ("Place 5", "NP", "Asia/Kathmandu")


def test_running_again_asks_nobody(service, server, order, fetch):
    days(service, 5)
    fetch(order(locations=(5,)))
    before = len(server.requests)
    summary = fetch(order(locations=(5,)))
    assert (summary.written, summary.kept, len(server.requests)) == ([], ("openaq_2019-12.parquet",), before)


def test_another_request_into_the_same_folder_is_refused(service, order, fetch, tmp_path):
    days(service, 5)
    fetch(order(locations=(5,)))
    before = (tmp_path / "out" / "openaq_2019-12.parquet").read_bytes()
    with pytest.raises(InputError, match="was fetched for"):
        fetch(order(locations=(6,)))
    assert (tmp_path / "out" / "openaq_2019-12.parquet").read_bytes() == before


def test_runs_give_the_same_table(service, order, fetch, tmp_path):
    for location in range(1, 6):
        days(service, location)
    for name, workers in (("a", 1), ("b", 8)):
        fetch(order(locations=(1, 2, 3, 4, 5)), folder=tmp_path / name, workers=workers)
    one, other = (pyarrow.parquet.read_table(tmp_path / name / "openaq_2019-12.parquet") for name in ("a", "b"))
    assert one.equals(other, check_metadata=True)


def test_listings_come_in_pages(service, server, order, fetch, tmp_path):
    service.names = 7
    days(service, 5, "2019-11-25", 45)
    fetch(order("2019-12-01", "2019-12-31", locations=(5,)))
    check(tmp_path / "out", 5, datetime(2019, 12, 1, 0, 15, tzinfo=UTC), 31 * 24)
    assert len(server.requests_to("/")) == 5
    assert len(server.requests_to(re.compile("/records/.*"))) == 33


def test_a_location_without_data_is_no_error(service, order, fetch, tmp_path):
    days(service, 5)
    seen = []
    fetch(order(locations=(4, 5)), progress=seen.append)
    check(tmp_path / "out", 5, FIRST + timedelta(minutes=15), 48)
    assert sum(seen) == 2


def test_days_may_be_missing(service, order, fetch, tmp_path):
    days(service, 5)
    del service.objects[object_key(5, "2019-12-02")]
    summary = fetch(order(locations=(5,)))
    assert summary.lines == 30


def test_a_file_that_goes_after_it_was_listed_is_missing(service, server, order, fetch):
    days(service, 5)
    server.misbehave("/" + object_key(5, "2019-12-02"), Status(404))
    assert fetch(order(locations=(5,))).lines == 30


def test_nothing_at_all_is_told(service, order, fetch, tmp_path):
    with pytest.raises(InputError, match=r"no PM2\.5 at 1 location of --locations from 2019-12-02T00 to 2019-12-03T23"):
        fetch(order(locations=(5,)))
    assert contents(tmp_path / "out") == []


def test_a_month_without_data_gets_no_table(service, order, fetch):
    days(service, 5)
    summary = fetch(order("2019-10-01", "2019-12-03", locations=(5,)))
    assert (summary.written, summary.empty) == (["openaq_2019-11.parquet", "openaq_2019-12.parquet"], ["2019-10"])


def test_a_location_that_moves_keeps_its_places(service, order, fetch, tmp_path):
    service.day(5, "2019-12-02", minutes=0, north=27.7)
    service.day(5, "2019-12-03", minutes=0, north=29.7)
    fetch(order(locations=(5,)))
    found = read(tmp_path / "out").observations
    assert sorted(found.stations.latitude.tolist()) == [27.7, 29.7]
    assert set(found.stations.ids.tolist()) == {"5"}


def test_what_is_said_to_move_is_marked(service, order, fetch, tmp_path):
    service.place(5, isMobile=True)
    days(service, 5)
    fetch(order(country="NP"), key=KEY)
    assert read(tmp_path / "out").observations.stations.mobile.all()


def test_values_without_a_number_or_in_other_units_are_left_out_and_counted(service, order, fetch, tmp_path):
    lines = "5,50,P,2019-12-02T02:00:00Z,1,2,pm25,µg/m³,\n5,50,P,2019-12-02T03:00:00Z,1,2,pm25,ppm,3\n"
    lines += "5,50,P,2019-12-02T04:00:00Z,1,2,pm25,µg/m³,-999\n5,50,P,2019-12-02T05:00:00Z,1,2,pm25,mg/m³,0.25\n"
    service.day(5, "2019-12-02", lines=lines)
    summary = fetch(order(locations=(5,)))
    assert dict(summary.left_out) == {"missing": 1, "units": 1}
    found = read(tmp_path / "out").observations
    assert found.value.tolist() == [-999, 250]


FAULTS = {
    "500": (Status(500), Status(503)),
    "429": (Status(429, {"Retry-After": "0"}),),
    "a slow drip": (Drip(100),),
    "silence": (Hang(5),),
    "half a body": (Truncate(100),),
    "a reset": (Reset(), Reset()),
    "another body": (WrongBody(b"<html>sorry</html>"),),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_archive_are_outlived(service, server, order, fetch, tmp_path, name):
    days(service, 5)
    key = "/" + object_key(5, "2019-12-02")
    server.misbehave(key, *FAULTS[name])
    fetch(order(locations=(5,)))
    check(tmp_path / "out", 5, FIRST + timedelta(minutes=15), 48)
    assert len(server.requests_to(key)) == len(FAULTS[name]) + 1


@pytest.mark.parametrize("place", ["/", "/" + object_key(5, "2019-12-03")])
@pytest.mark.parametrize("fault", [Status(503), Hang(5), Reset()])
def test_an_archive_that_stays_down_ends_with_an_error_and_the_same_call_goes_on(service, server, order, fetch, tmp_path,
                                                                                place, fault):  # fmt: skip
    days(service, 5)
    server.misbehave(place, *[fault] * 3)
    with pytest.raises(FetchError, match=r"OpenAQ's archive: .* goes on from there"):
        fetch(order(locations=(5,)), workers=1)
    assert contents(tmp_path / "out") == [".pieces"]
    summary = fetch(order(locations=(5,)))
    check(tmp_path / "out", 5, FIRST + timedelta(minutes=15), 48)
    assert summary.fetched == (4 if place == "/" else 2)
    assert contents(tmp_path / "out") == ["fetched.json", "openaq_2019-12.parquet"]


@pytest.mark.parametrize(("status", "message"), [(403, "answers 403"), (410, None)])
def test_refusals_of_a_file(service, server, order, fetch, status, message):
    days(service, 5)
    server.misbehave("/" + object_key(5, "2019-12-02"), Status(status))
    if message is None:
        assert fetch(order(locations=(5,))).lines == 30
    else:
        with pytest.raises(FetchError, match=message):
            fetch(order(locations=(5,)))


@pytest.mark.parametrize("body", [b"<html></html>", b"not xml", b'<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult/>'])
def test_a_listing_that_is_none(service, server, order, fetch, body):
    server.misbehave("/", WrongBody(body))
    with pytest.raises(FetchError, match="gives no listing"):
        fetch(order(locations=(5,)))


def test_a_refused_listing(server, order, fetch):
    server.misbehave("/", Status(404, body=b"<Error><Code>NoSuchBucket</Code></Error>"))
    with pytest.raises(FetchError, match=r"NoSuchBucket.*compare it with https://openaq-data-archive"):
        fetch(order(locations=(5,)))


SPOILT = {
    "cut off": lambda body: body[:-30],
    "binary": lambda body: bytes(range(100)),
    "empty": lambda body: b"",
    "half a line": lambda body: gzip.compress(TITLES.encode() + b"1,2\n"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_is_damaged_in_the_archive_is_left_out_and_told(service, order, fetch, name):
    days(service, 5)
    key = object_key(5, "2019-12-02")
    service.objects[key] = SPOILT[name](service.objects[key])
    summary = fetch(order(locations=(5,)))
    assert (summary.lines, summary.spoilt) == (30, ["location-5-20191202.csv.gz"])


def test_files_of_another_form_are_refused(service, order, fetch, tmp_path):
    days(service, 5)
    service.objects[object_key(5, "2019-12-02")] = gzip.compress(b"a,b\n1,2\n")
    with pytest.raises(FetchError, match=r"^location-5-20191202\.csv\.gz: OpenAQ's archive has the columns a, b"):
        fetch(order(locations=(5,)))
    assert not (tmp_path / "out" / "openaq_2019-12.parquet").exists()


def test_an_empty_day_is_nothing(service, order, fetch, tmp_path):
    days(service, 5)
    service.day(5, "2019-12-02", lines="")
    assert fetch(order(locations=(5,))).lines == 30


def test_a_piece_that_the_archive_wrote_again_is_fetched_again(service, server, order, fetch, tmp_path):
    days(service, 5)
    last = "/" + object_key(5, "2019-12-04")
    server.misbehave(last, *[Status(503)] * 3)
    with pytest.raises(FetchError):
        fetch(order(locations=(5,)), workers=1)
    service.day(5, "2019-12-02", lines="5,50,Place-5,2019-12-02T06:45:00+05:45,1,2,pm25,µg/m³,3\n")
    fetch(order(locations=(5,)))
    found = read(tmp_path / "out").observations
    assert 3 in found.value.tolist()


def test_kept_pieces_are_not_taken_for_data(service, order, fetch, tmp_path):
    days(service, 5)
    fetch(order(locations=(5,)), keep=True)
    assert len(list((tmp_path / "out" / ".pieces").rglob("*.csv.gz"))) == 4
    check(tmp_path / "out", 5, FIRST + timedelta(minutes=15), 48)


def test_no_more_requests_at_once_than_asked_for(service, server, order, fetch):
    for location in range(1, 9):
        days(service, location)
    fetch(order(locations=tuple(range(1, 9))), workers=3)
    assert 1 < server.peak <= 3


def test_a_changed_table_is_left_as_it_is(service, order, fetch, tmp_path):
    days(service, 5)
    fetch(order(locations=(5,)))
    (tmp_path / "out" / "openaq_2019-12.parquet").write_bytes(b"mine")
    with pytest.raises(InputError, match="has changed"):
        fetch(order(locations=(5,)))
    assert (tmp_path / "out" / "openaq_2019-12.parquet").read_bytes() == b"mine"


def test_two_runs_into_one_folder(service, order, fetch, tmp_path):
    days(service, 5)
    with Index(tmp_path / "out").alone("openaq"), pytest.raises(FetchError, match="another run"):
        fetch(order(locations=(5,)))


SCRIPT = """
import sys
from deepcams.cli import main
main(["fetch", "openaq", "--start", "2019-12-02", "--end", "2019-12-03", "--locations", "1,2,3", "--workers", "2",
      "--archive-url", sys.argv[1], sys.argv[2]])
"""


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_killed_goes_on(service, server, order, fetch, tmp_path, signal_number):
    for location in (1, 2, 3):
        days(service, location)
    server.misbehave("/" + object_key(3, "2019-12-04"), Hang(60))
    out = tmp_path / "out"
    run = subprocess.Popen([sys.executable, "-c", SCRIPT, server.url, str(out)], stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while len(list(out.rglob("location-*.csv.gz"))) < 11 and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal_number)
    run.communicate(timeout=10)
    assert run.returncode != 0
    assert not list(out.glob("*.parquet"))
    summary = fetch(order(locations=(1, 2, 3)))
    assert summary.fetched == 1
    for location in (1, 2, 3):
        check(out, location, FIRST + timedelta(minutes=15), 48)


def test_the_api_is_needed_for_a_country(order, fetch, server):
    with pytest.raises(InputError, match=r"explore.openaq.org/register.*OPENAQ_API_KEY.*--locations 2178,8118 works"):
        fetch(order(region=parse_region("europe")))
    assert not server.requests


def test_an_unfinished_run_goes_on_with_the_same_locations_and_without_a_key(service, server, order, fetch, tmp_path):
    service.place(5)
    days(service, 5)
    server.misbehave("/" + object_key(5, "2019-12-04"), *[Status(503)] * 3)
    with pytest.raises(FetchError):
        fetch(order(country="NP"), key=KEY, workers=1)
    service.place(6)
    before = len(server.requests_to("/v3/locations"))
    fetch(order(country="NP"))
    assert len(server.requests_to("/v3/locations")) == before
    check(tmp_path / "out", 5, FIRST + timedelta(minutes=15), 48)


def test_what_an_unfinished_run_was_told_is_for_its_period_only(service, server, order, fetch, tmp_path):
    ended = {"utc": "2019-12-04T10:00:00Z", "local": "2019-12-04T15:45:00+05:45"}
    service.place(5, datetimeLast=ended)
    days(service, 5, count=12)
    server.misbehave("/" + object_key(5, "2019-12-04"), *[Status(503)] * 3)
    with pytest.raises(FetchError):
        fetch(order(country="NP"), key=KEY, workers=1)
    service.places[0] |= {"datetimeLast": None}  # it had not ended, it was of today
    fetch(order("2019-12-10", "2019-12-10", country="NP"), key=KEY)
    check(tmp_path / "out", 5, datetime(2019, 12, 10, 0, 15, tzinfo=UTC), 24)


def test_locations_that_had_ended_are_not_asked_for(service, server, order, fetch):
    service.place(5)
    service.place(6, datetimeLast={"utc": "2019-11-30T10:00:00Z", "local": "2019-11-30T15:45:00+05:45"})
    service.place(7, datetimeFirst={"utc": "2020-06-01T00:00:00Z", "local": ""})
    days(service, 5)
    fetch(order(country="NP"), key=KEY)
    assert len(server.requests_to("/")) == 1


BAD = {
    "nothing": ({}, "--locations 2178,8118"),
    "both": ({"locations": (1,), "country": "NP"}, "which stations"),
    "a country's name": ({"country": "Nepal"}, "two letters"),
    "backwards": ({"locations": (1,), "start": "2019-12-04"}, "--start before --end"),
    "the future": ({"locations": (1,), "start": "2019-12-04", "end": "2999-01-01"}, "give an earlier --end"),
}


@pytest.mark.parametrize("name", BAD)
def test_orders_that_cannot_be(order, name):
    asked, message = BAD[name]
    with pytest.raises(InputError, match=message):
        order(**asked)
