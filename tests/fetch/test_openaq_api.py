"""OpenAQ's API: pages, keys, limits, and what it says when it refuses; hours become monthly tables."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import FetchError, InputError
from deepcams.fetch.openaq import Order, fetch_openaq, make_plan
from deepcams.fetch.openaq_api import VARIABLE, Client, key_of
from deepcams.fetch.openaq_limits import Allowance, reset_of
from deepcams.fetch.openaq_places import Location, boxes_of, has_data, inside, location_of, parse_locations
from deepcams.fetch.patience import Patience
from deepcams.grid import Region
from deepcams.stations.readers import read_stations
from deepcams.timeline import parse_time
from tests.fetch.openaq_service import KEY, Service, value_of
from tests.fetch.server import Drip, Hang, Reset, Status, Truncate, WrongBody, json_reply

FIRST = datetime(2019, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = np.datetime64("2019-12-01T00", "h"), np.datetime64("2019-12-31T23", "h")


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def service(server):
    return Service(server)


@pytest.fixture
def client(server, impatient):
    return Client(KEY, url=server.url, patience=impatient)


@pytest.fixture
def fetch(server, tmp_path, impatient):
    """Fetch December 2019 from the API, or another period."""

    def fetch(start="2019-12-01", end="2019-12-31", *, key=KEY, progress=lambda count: None, **asked):
        order = Order(parse_time(start), parse_time(end, end_of_day=True), "api", url=server.url, **asked)
        plan = make_plan(tmp_path / "out", order, key=key, patience=impatient)
        return fetch_openaq(plan, patience=impatient, workers=3, progress=progress)

    return fetch


def observations(tmp_path):
    return read_stations([tmp_path / "out" / "openaq_*.parquet"]).observations


def check(found, location, first, hours):
    own = found.take(found.stations.ids[found.station] == str(location))
    begins = [first + number * HOUR for number in range(hours)]
    np.testing.assert_array_equal(own.begin, np.array([one.replace(tzinfo=None) for one in begins], "datetime64[m]"))
    np.testing.assert_array_equal(own.value, np.array([value_of(location, one) for one in begins], np.float32))


def test_hours_become_a_table_with_all_their_digits(service, fetch, tmp_path):
    for number in (5, 6):
        service.place(number)
        service.series(10 * number, FIRST - 30 * HOUR, 40 * 24, flagged={31})
    seen = []
    summary = fetch(country="np", progress=seen.append)
    found = observations(tmp_path)
    for number in (5, 6):
        check(found, number, FIRST, 31 * 24)
    assert (summary.written, summary.lines, sum(seen)) == (["openaq_2019-12.parquet"], 2 * 31 * 24, 2)
    assert set(found.period.tolist()) == {60}
    assert found.stations.country.tolist() == ["NP", "NP"]
    assert found.stations.timezone.tolist() == ["Asia/Kathmandu"] * 2
    assert found.rejected() == {"flagged": 2}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fetched.json", "openaq_2019-12.parquet"]


def test_an_instrument_without_hours_and_one_that_has_gone(service, server, fetch, tmp_path):
    service.place(5, sensors=[50, 51, 52])
    service.series(50, FIRST, 24)
    server.misbehave("/v3/sensors/51/hours", Status(404))
    fetch("2019-12-01", "2019-12-01", locations=(5,))
    check(observations(tmp_path), 5, FIRST, 24)


@pytest.mark.parametrize("most", [25, 100, 744, 1000])
def test_pages(service, client, most):
    service.most = most
    service.series(50, FIRST, 744)
    hours = list(client.hours(50, *SPAN))
    assert [one.value for one in hours] == [value_of(5, FIRST + number * HOUR) for number in range(744)]


def test_pages_of_locations(service, client):
    service.most = 10
    for number in range(1, 36):
        service.place(number)
    assert [one.number for one in client.locations(country="NP")] == list(range(1, 36))


def test_the_same_page_again_and_again_ends(server, client):
    results = [{"id": 1, "sensors": []}] * 1000
    server.route("GET", "/v3/locations", lambda request: json_reply({"meta": {"found": ">1000"}, "results": results}))
    with pytest.raises(FetchError, match="the same page again and again"):
        client.locations(country="NP")


def test_only_locations_with_pm25_in_the_region(service, client):
    service.place(1, north=27, east=85)
    service.place(2, north=27, east=95)
    service.place(3, north=27, east=85, sensors=[])
    service.place(4, north=28, east=86, country="CN")
    box = Region(30, 80, 20, 90)
    assert [one.number for one in client.locations(region=box)] == [1, 4]
    assert [one.number for one in client.locations(region=box, country="CN")] == [4]


def test_a_region_across_the_date_line_is_asked_for_in_two_boxes(service, server, client):
    service.place(1, north=-18, east=178)
    service.place(2, north=-18, east=-179)
    service.place(3, north=-18, east=0)
    assert [one.number for one in client.locations(region=Region(0, 170, -30, -170))] == [1, 2]
    assert len(server.requests_to("/v3/locations")) == 2


@settings(max_examples=500, deadline=None)
@given(st.floats(-89, 89), st.floats(0.01, 90), st.floats(-360, 360), st.floats(0.01, 360), st.floats(-180, 180))
def test_boxes_hold_the_region_and_are_boxes(south, height, west, width, east):
    east_end = west + width if west + width <= 360 else west + width - 720
    region = Region(min(south + height, 90), west, south, east_end)
    boxes = [tuple(map(float, box.split(","))) for box in boxes_of(region)]
    for one in boxes:
        assert -180 <= one[0] <= one[2] <= 180
        assert -90 <= one[1] <= one[3] <= 90
    place = Location(1, latitude=south, longitude=east)
    if inside(place, region):
        assert any(one[0] <= east <= one[2] and one[1] <= south <= one[3] for one in boxes)


@pytest.mark.parametrize("number", [7, 77])
def test_numbers_that_there_are_not(service, fetch, number):
    service.place(5)
    with pytest.raises(InputError, match=f"has no location {number}: compare"):
        fetch(locations=(5, number))


def test_a_country_without_locations(service, fetch):
    with pytest.raises(InputError, match=r"no location with PM2\.5 in country XK"):
        fetch(country="XK")


REFUSALS = {
    401: (InputError, "does not know the key .*OPENAQ_API_KEY with https://explore.openaq.org/account"),
    403: (InputError, "refuses this key .*dev@openaq.org"),
    404: (FetchError, "compare --url with https://api.openaq.org"),
    410: (FetchError, "has been shut"),
    422: (InputError, r"does not understand the request for locations \(it says: no\.\.\.\)"),
    418: (FetchError, "answers 418"),
    500: (FetchError, "answers 500 .*goes on from there"),
    408: (FetchError, "answers 408"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_refusals_say_what_to_do_and_never_the_key(service, server, client, status):
    kind, message = REFUSALS[status]
    server.misbehave("/v3/locations", *[Status(status, body=f"no{KEY}".encode())] * 3)
    with pytest.raises(kind, match=message) as told:
        client.locations(country="NP")
    assert KEY not in str(told.value)


@pytest.mark.parametrize(("url", "words"), [
    ("http://api.example.org", "http://api.example.org: the key would travel in the clear; wanted https"),
    ("api.example.org", "not an address of the web"),
])  # fmt: skip
def test_a_key_is_sent_to_no_address_where_others_can_read_it(fetch, url, words, tmp_path, impatient):
    order = Order(*SPAN, "api", locations=(5,), url=url)
    with pytest.raises(InputError, match=words):
        make_plan(tmp_path, order, key=KEY, patience=impatient)


def test_a_key_that_is_not_known(service, server, fetch, tmp_path):
    service.place(5)
    with pytest.raises(InputError, match="invalid credentials"):
        fetch(key="another-key", country="NP")
    assert not list(tmp_path.rglob("*.parquet"))


FAULTS = [Status(500), Status(429, {"Retry-After": "0"}), Status(408), Hang(5), Reset(), Truncate(40), Drip(60)]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_faults_are_outlived(service, server, client, fault):
    service.series(50, FIRST, 24)
    server.misbehave("/v3/sensors/50/hours", fault)
    assert len(list(client.hours(50, *SPAN))) == 24
    assert len(server.requests_to("/v3/sensors/50/hours")) == 2


@pytest.mark.parametrize("fault", [Status(503), Hang(5), Reset()], ids=str)
def test_a_service_that_stays_down_and_the_same_call_goes_on(service, server, fetch, tmp_path, fault):
    service.place(5, sensors=[50, 51])
    service.series(50, FIRST, 24, location=5)
    service.series(51, FIRST + 24 * HOUR, 24, location=5)
    server.misbehave("/v3/sensors/51/hours", *[fault] * 3)
    with pytest.raises(FetchError, match=r"OpenAQ: .*/v3/sensors/51/hours: .*goes on from there"):
        fetch(locations=(5,))
    assert not list(tmp_path.rglob("*.parquet"))
    fetch(locations=(5,))
    check(observations(tmp_path), 5, FIRST, 48)
    assert len(server.requests_to("/v3/sensors/50/hours")) == 1
    assert len(server.requests_to("/v3/locations/5")) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"results": 3}', b'{"results": [1]}'])
def test_answers_that_are_none(server, client, body):
    server.misbehave("/v3/locations", WrongBody(body))
    with pytest.raises(FetchError, match="wanted"):
        client.locations(country="NP")


@pytest.mark.parametrize("result", [{}, {"value": 3}, {"value": "x", "period": {}, "parameter": {}}])
def test_hours_that_are_described_otherwise(server, client, result):
    server.route("GET", "/v3/sensors/50/hours", lambda request: json_reply({"results": [result]}))
    with pytest.raises(FetchError, match="describes an hour in another way"):
        list(client.hours(50, *SPAN))
    with pytest.raises(FetchError, match="describes a location in another way"):
        location_of(result)


def test_a_service_that_ignores_the_period_is_noticed(service, server, client):
    service.series(50, datetime(2016, 1, 1, tzinfo=UTC), 24)
    everything = service._hours

    def ignoring(request):
        request.query.update(datetime_from=["2000-01-01T00:00:00Z"], datetime_to=["2030-01-01T00:00:00Z"])
        return everything(request)

    server.route("GET", re.compile(r"/v3/sensors/(\d+)/hours"), service._api(ignoring))
    with pytest.raises(FetchError, match="hours like 2016-01-01T01 came where 2019-12-01T00"):
        list(client.hours(50, *SPAN))


def test_limits_are_kept_to_before_the_service_refuses(service, client):
    service.rate, service.window = 4, 1.0
    service.series(50, FIRST, 24)
    began = time.monotonic()
    for _ in range(9):
        list(client.hours(50, *SPAN))
    assert set(service.log) == {200}
    assert time.monotonic() - began >= 1.5


def test_a_refusal_for_too_many_requests_is_waited_for(service, server, client):
    service.rate, service.window = 4, 1.0
    service.series(50, FIRST, 24)
    service._used, service._until = 4, time.monotonic() + 1.0  # another program with the same key
    assert len(list(client.hours(50, *SPAN))) == 24
    assert service.log == [429, 200]


def test_a_limit_that_takes_too_long_is_told(service, server):
    service.rate, service.window = 1, 3600.0
    service.series(50, FIRST, 24)
    client = Client(KEY, url=server.url, patience=Patience(longest_asked=100))
    list(client.hours(50, *SPAN))
    with pytest.raises(FetchError, match=r"may ask again in 60 min.*goes on from there"):
        list(client.hours(50, *SPAN))


def test_what_resets_say():
    assert reset_of({"x-ratelimit-reset": "58"}) == 58
    assert reset_of({"x-ratelimit-reset": str(int(time.time()) + 30)}) == pytest.approx(30, abs=2)
    assert reset_of({"x-ratelimit-reset": "-2"}) is None
    assert reset_of({}) is None


def test_long_waits_are_told():
    told = []
    allowance = Allowance(Patience(longest_asked=1), told.append)
    allowance.take()
    allowance.told({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000"}, refused=False)
    with pytest.raises(FetchError, match="17 min"):
        allowance.take()


def test_keys(monkeypatch):
    assert key_of(None) is None
    monkeypatch.setenv(VARIABLE, f" {KEY}\n")
    assert key_of(None) == KEY
    assert key_of("another-key") == "another-key"
    for wrong in ("", "short", "with blank in it", "ünïcode-key"):
        with pytest.raises(InputError, match=f"{len(wrong)} characters") as told:
            key_of(wrong)
        assert not wrong or wrong not in str(told.value)


def test_numbers_of_locations(tmp_path):
    assert parse_locations("8118, 2178,2178") == (2178, 8118)
    path = tmp_path / "numbers.txt"
    path.write_text("2178\n8118,9;\t10\n")
    assert parse_locations(str(path)) == (9, 10, 2178, 8118)
    path.write_text("id\n2178")
    for wrong in (str(path), "", ",", "0", "12x", "nowhere.txt", "99999999999"):
        with pytest.raises(InputError, match="wanted"):
            parse_locations(wrong)
    path.write_bytes(b"\xff\xfe1\x00")
    with pytest.raises(InputError, match="cannot be read"):
        parse_locations(str(path))


def test_locations_without_what_is_often_missing():
    one = location_of({"id": 3, "sensors": None, "coordinates": None, "country": None, "timezone": "Nowhere/At_All"})
    assert (one.number, one.timezone, one.country, one.sensors) == (3, "", "", ())
    assert has_data(one, FIRST, FIRST)
    assert has_data(Location(1, first="yesterday", last="2001-01-01"), FIRST, FIRST)
