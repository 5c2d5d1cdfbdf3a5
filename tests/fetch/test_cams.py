"""CAMS from the data store: what is asked for, what is refused of what comes, and that a stopped run is gone on with."""

import json
import re
import threading
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from deepcams.errors import FetchError, InputError
from deepcams.fetch.cams import fetch_cams
from deepcams.fetch.cams_requests import DATASETS, grid_of, months, outwards, plan
from deepcams.fetch.datastore import DataStore
from deepcams.fetch.index import Index
from deepcams.fetch.jobs import Waiting
from deepcams.grid import Grid, Region
from deepcams.io.cams import open_cams
from deepcams.regions import parse_region
from tests.conftest import concentration, old_store
from tests.fetch.datastore import Store, fields, problem, zipped
from tests.fetch.server import Status, Truncate

EAC4 = DATASETS["eac4"]
TODAY = date(2026, 11, 23)
BOX = parse_region("55,3,50,9")
FIRST, LAST = date(2019, 12, 30), date(2020, 1, 1)
QUICK = Waiting(first=0.01, longest=0.03, limit=5.0)
FILES = re.compile("/cache/.*")


@pytest.fixture
def store(server):
    return Store(server)


@pytest.fixture
def fetch(store, impatient, tmp_path):
    """Fetch three days in two months over the Low Countries into ``tmp_path / "cams"``."""

    def fetch(start=FIRST, end=LAST, *, waiting=QUICK, workers=2, dataset=EAC4, **options):
        requests = plan(dataset, start, end, **{"region": BOX, "today": TODAY, **options})
        connect = lambda: DataStore(store.credentials, patience=impatient)  # noqa: E731
        return fetch_cams(requests, tmp_path / "cams", connect, workers=workers, waiting=waiting, patience=impatient)

    return fetch


@pytest.fixture
def there(tmp_path):
    """The names of all files in the folder, also hidden ones."""
    return lambda: sorted(path.name for path in (tmp_path / "cams").iterdir())


NAMES = ["eac4_pm2p5_55N-3E-50N-9E_2019-12-30_2019-12-31.zip", "eac4_pm2p5_55N-3E-50N-9E_2020-01-01.zip"]


def test_three_days_in_two_months(fetch, store, there, tmp_path):
    summary = fetch()
    assert (summary.fetched, summary.kept) == (NAMES, [])
    assert summary.size == sum((tmp_path / "cams" / name).stat().st_size for name in NAMES)
    assert there() == [*NAMES, "fetched.json"]
    assert sorted(order["date"][0] for order in store.orders) == ["2019-12-30/2019-12-31", "2020-01-01/2020-01-01"]
    assert store.orders[0] | {"date": None} == {
        "variable": ["particulate_matter_2.5um"],
        "date": None,
        "time": [f"{hour:02d}:00" for hour in range(0, 24, 3)],
        "data_format": "netcdf_zip",
        "area": [55.5, 3.0, 49.5, 9.0],
    }
    field = open_cams(tmp_path / "cams")
    np.testing.assert_allclose(
        field, concentration(field.time.values, field.latitude.values, field.longitude.values), rtol=1e-5
    )
    assert field.sizes["time"] == 24


def test_what_is_there_is_kept_and_nobody_is_asked(fetch, store, server, tmp_path):
    fetch(end=date(2019, 12, 31))
    asked = len(store.jobs)
    summary = fetch()
    assert (summary.fetched, summary.kept, len(store.jobs)) == (NAMES[1:], NAMES[:1], asked + 1)
    seen = len(server.requests)
    summary = fetch()
    assert (summary.fetched, summary.kept, len(server.requests)) == ([], NAMES, seen)
    entry = Index(tmp_path / "cams").known(NAMES[0])
    assert entry.what["dataset"] == EAC4.name
    assert entry.url.startswith(server.url)


def test_what_was_not_fetched_is_left_as_it_is(fetch, tmp_path, store):
    (tmp_path / "cams").mkdir()
    (tmp_path / "cams" / NAMES[0]).write_text("mine")
    with pytest.raises(InputError, match="was not fetched by deepcams"):
        fetch()
    assert (tmp_path / "cams" / NAMES[0]).read_text() == "mine"
    assert store.jobs == {}


def test_a_download_goes_on_where_it_stopped(fetch, server, there):
    server.misbehave(FILES, Truncate(3000), Status(503), Truncate(2000))
    assert fetch(workers=1).fetched == NAMES
    ranges = [request.headers.get("range") for request in server.requests_to(FILES)]
    assert ranges[0] is None
    assert "bytes=3000-" in ranges


def test_a_stopped_run_is_gone_on_with(fetch, store, server, there):
    store.states = ["running"]
    with pytest.raises(FetchError, match="not done after"):
        fetch(end=date(2019, 12, 31), waiting=Waiting(0.01, 0.02, 0.05))
    assert there() == [f".{NAMES[0].removesuffix('.zip')}.job.json"]
    store.jobs["job-1"].states, store.states = ["successful"], ["successful"]
    server.misbehave(FILES, Truncate(2000), *[Status(503)] * 3)
    with pytest.raises(FetchError, match="same command goes on"):
        fetch(end=date(2019, 12, 31))
    assert not any(name.endswith(".zip") and not name.startswith(".") for name in there())
    assert fetch().fetched == NAMES
    assert len(store.jobs) == 2  # the first one was waited for and gone on with
    assert there() == [*NAMES, "fetched.json"]


def test_whole_but_not_admitted_yet(fetch, store, there, tmp_path):
    """A kill between the last byte and the final name costs nothing."""
    fetch(end=date(2019, 12, 31))
    folder, stem = tmp_path / "cams", NAMES[0].removesuffix(".zip")
    (folder / NAMES[0]).rename(folder / f".{stem}.whole")
    (folder / "fetched.json").unlink()
    order = plan(EAC4, FIRST, date(2019, 12, 31), region=BOX, today=TODAY)[0].order.to_dict()
    job = {"job": "job-1", "order": order, "store": store.url}
    (folder / f".{stem}.job.json").write_text(json.dumps(job))
    assert fetch(end=date(2019, 12, 31)).fetched == NAMES[:1]
    assert len(store.jobs) == 1
    assert there() == [NAMES[0], "fetched.json"]


def test_what_another_run_fetched_meanwhile_is_kept(fetch, store, impatient, tmp_path):
    def connect():
        fetch()
        return DataStore(store.credentials, patience=impatient)

    requests = plan(EAC4, FIRST, LAST, region=BOX, today=TODAY)
    summary = fetch_cams(requests, tmp_path / "cams", connect, waiting=QUICK, patience=impatient)
    assert (summary.fetched, summary.kept, summary.size) == ([], NAMES, 0)
    assert len(store.jobs) == 2


def test_what_is_left_of_another_order_is_thrown_away(fetch, tmp_path, there):
    (tmp_path / "cams").mkdir()
    (tmp_path / "cams" / f".{NAMES[0].removesuffix('.zip')}.whole").write_text("of last year")
    assert fetch().fetched == NAMES
    assert there() == [*NAMES, "fetched.json"]


def test_a_file_that_is_gone_is_ordered_again(fetch, server, store):
    server.misbehave(FILES, Status(404))
    assert fetch(end=date(2019, 12, 31)).fetched == NAMES[:1]
    assert len(store.jobs) == 2
    server.misbehave(FILES, Status(403), Status(403))
    with pytest.raises(FetchError, match="403"):
        fetch()


def test_a_failure_ends_the_wait_for_other_jobs(fetch, store):
    store.next_states = [["running"], ["failed"]]
    store.reason = "MarsRuntimeError: broken"
    with pytest.raises(FetchError, match="broken"):
        fetch(waiting=Waiting(0.01, 0.02, 60.0))


def test_no_more_in_flight_than_asked(fetch, store):
    waiting, most, guard = 0, 0, threading.Lock()
    make = store.make

    def counted(inputs):
        nonlocal waiting, most
        with guard:
            waiting += 1
            most = max(most, waiting)
        body = make(inputs)
        with guard:
            waiting -= 1
        return body

    store.make = counted
    fetch(date(2019, 12, 31), date(2020, 4, 1), workers=2)
    assert len(store.jobs) == 5
    assert most <= 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda field: field[:-1], "1 of 16 hours are missing (2019-12-31T21)"),
        (lambda field: field[:8], "8 of 16 hours are missing (2019-12-31T00 to 2019-12-31T21)"),
        (lambda field: field[:, 1:], "a grid of 8 x 9 nodes"),
        (lambda field: field.assign_coords(longitude=field.longitude + 0.2), "a grid of 9 x 9 nodes"),
        (lambda field: field[:, ::2, ::2], "a grid step of 1.5 degrees: wanted 0.75"),
        (lambda field: field * 1e9, "values up to 4"),
        (lambda field: field * np.nan, "no value at all at 2019-12-30T00"),
        (lambda field: field.assign_coords(time=field.time + np.timedelta64(365, "D")), "16 of 16 hours are missing"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_not_kept(fetch, store, there, change, words):
    store.make = lambda inputs: zipped(fields(inputs, change))
    with pytest.raises(FetchError, match="is not kept") as error:
        fetch(end=date(2019, 12, 31))
    assert words in str(error.value)
    assert [name for name in there() if name != "fetched.json"] == []
    store.make = lambda inputs: zipped(fields(inputs))
    assert fetch(end=date(2019, 12, 31)).fetched == NAMES[:1]
    assert len(store.jobs) == 2


@pytest.mark.parametrize(
    "body",
    [b"<html>not here</html>", b"", b"PK\x03\x04 and nothing else", zipped(b"a text", "readme.txt")],
    ids=["html", "empty", "damaged", "no data"],
)
def test_no_data_file_at_all(fetch, store, there, body):
    store.make = lambda inputs: body
    with pytest.raises(FetchError, match="is not kept"):
        fetch(end=date(2019, 12, 31))
    assert [name for name in there() if name != "fetched.json"] == []


def test_another_variable_is_told(fetch, store):
    with pytest.raises(FetchError, match="no variable 'pm10'"):
        fetch(variable="pm10")


def test_a_size_that_is_not_what_was_told(fetch, store, there):
    store.file_size = 10
    with pytest.raises(FetchError, match="wanted 10"):
        fetch(end=date(2019, 12, 31))
    assert not (set(there()) & set(NAMES))


def test_the_suffix_is_that_of_the_content(fetch, store, tmp_path):
    store.make = fields
    assert fetch(end=date(2019, 12, 31)).fetched == [NAMES[0].replace(".zip", ".nc")]
    assert fetch(end=date(2019, 12, 31)).kept == [NAMES[0].replace(".zip", ".nc")]


def test_packed_and_grib(fetch, store, tmp_path):
    pytest.importorskip("cfgrib")
    from tests.io.conftest import _write_message

    eccodes = pytest.importorskip("eccodes")

    def make(inputs):
        times = np.arange(np.datetime64("2019-12-30", "ns"), np.datetime64("2020-01-01"), np.timedelta64(3, "h"))
        field = concentration(times, np.arange(55.5, 49, -0.75), np.arange(3, 9.1, 0.75))
        with (tmp_path / "made.grib").open("wb") as stream:
            for number in range(field.sizes["time"]):
                _write_message(eccodes, stream, field.isel(time=number), 1, 210073)
        return (tmp_path / "made.grib").read_bytes()

    store.make = make
    name = NAMES[0].replace(".zip", ".grib")
    assert fetch(end=date(2019, 12, 31), form="grib").fetched == [name]
    assert store.orders[0]["data_format"] == "grib"
    assert open_cams(tmp_path / "cams" / name).sizes["time"] == 16
    packed = old_store(tmp_path / "old.nc", concentration(np.arange(8) * np.timedelta64(3, "h") + np.datetime64("2020-01-01"),
                                                          np.arange(55.5, 49, -0.75), np.arange(3, 9.1, 0.75)))  # fmt: skip
    store.make = lambda inputs: zipped(packed.read_bytes())
    assert fetch(start=LAST).fetched == [NAMES[1]]


def test_a_licence_stops_everything(fetch, store, there):
    store.refuse(problem(403, "required licences not accepted"))
    with pytest.raises(
        InputError, match=r"accept at .*/datasets/cams-global-reanalysis-eac4\?tab=download#manage-licences"
    ):
        fetch()
    assert there() == []


def test_periods_that_cannot_be():
    for start, end, words in (
        (date(2002, 12, 31), date(2003, 1, 1), "2003-01-01"),
        (date(2020, 1, 2), date(2020, 1, 1), "--start before --end"),
        (date(2026, 11, 1), date(2026, 11, 24), "today"),
    ):
        with pytest.raises(InputError, match=words):
            plan(EAC4, start, end, today=TODAY)


def test_a_whole_month_of_the_globe():
    (request,) = plan(EAC4, date(2019, 12, 1), date(2019, 12, 31), form="grib", today=TODAY)
    assert request.stem == "eac4_pm2p5_2019-12"
    assert "area" not in request.order.inputs
    assert request.grid == Grid(90, 0, 0.75, 241, 480)
    assert (request.times.size, request.times[0], request.times[-1]) == (
        248, np.datetime64("2019-12-01T00"), np.datetime64("2019-12-31T21"))  # fmt: skip
    assert request.size == pytest.approx(248 * 241 * 480 * 2, rel=0.01)


def test_the_forecast():
    (request,) = plan(
        DATASETS["forecast"], date(2024, 5, 1), date(2024, 5, 2), today=TODAY, region=parse_region("europe")
    )
    inputs = request.order.inputs
    assert request.stem == "forecast_pm2p5_europe_2024-05-01_2024-05-02"
    assert (inputs["type"], inputs["time"]) == (["forecast"], ["00:00", "12:00"])
    assert inputs["leadtime_hour"] == [str(hour) for hour in range(12)]
    assert inputs["area"] == [72.0, -25.2, 30.0, 45.2]
    assert request.times.size == 48


def test_the_forecast_in_the_layout_of_the_store(fetch, store, tmp_path):
    """Two runs a day and their first twelve hours: reference times and periods, with a valid time of two dimensions."""

    def make(inputs):
        times = np.datetime64("2024-05-01", "ns") + np.arange(24) * np.timedelta64(1, "h")
        north, west, south, east = inputs["area"]
        flat = concentration(times, np.arange(north, south - 0.1, -0.4), np.arange(west, east + 0.1, 0.4)) / 100
        runs = flat.values.reshape(2, 12, *flat.shape[1:]).swapaxes(0, 1) * 1e-9
        dims = ("forecast_period", "forecast_reference_time", "latitude", "longitude")
        coordinates = {"latitude": flat.latitude, "longitude": flat.longitude}
        array = xr.DataArray(runs, coordinates, dims, "pm2p5", {"units": "kg m**-3"})
        valid = (dims[:2], times.reshape(2, 12).T)
        array.assign_coords(valid_time=valid).to_netcdf(tmp_path / "made.nc", engine="h5netcdf")
        return zipped((tmp_path / "made.nc").read_bytes())

    store.make = make
    day, forecast = date(2024, 5, 1), DATASETS["forecast"]
    name = "forecast_pm2p5_55N-3E-50N-9E_2024-05-01.zip"
    assert fetch(day, day, dataset=forecast).fetched == [name]


@given(st.dates(date(2003, 1, 1), date(2026, 1, 1)), st.integers(0, 500))
def test_months_cover_the_period_once(start, days):
    end = start + timedelta(days=days)
    found = list(months(start, end))
    assert (found[0][0], found[-1][1]) == (start, end)
    assert all(first.replace(day=1) == last.replace(day=1) and first <= last for first, last in found)
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(found))


@given(st.floats(-89, 89), st.floats(0.5, 60), st.floats(-360, 360), st.floats(0.5, 359), st.sampled_from([0.75, 0.4]))
def test_boxes_go_outwards_to_nodes_of_the_global_grid(south, height, west, width, step):
    north, east = min(south + height, 90), west + width - (720 if west + width > 360 else 0)
    region = Region(north, west, south, east if east >= -360 else east + 360)
    area = outwards(region, step)
    assert area.north >= region.north - 1e-6
    assert area.south <= region.south + 1e-6
    assert -180 <= area.west < 180
    assert area.width >= region.width - 1e-6 or area.width == 360
    assert area.width <= region.width + 2 * step + 1e-6 or area.width == 360
    before = (region.west - area.west) % 360
    assert before < step + 1e-6 or before > 360 - 1e-6 or area.width == 360
    nodes = np.array(area.bounds) / step
    assert np.abs(nodes - np.round(nodes)).max() < 1e-6
    grid = grid_of(area, step)
    assert grid.columns <= round(360 / step)
    assert outwards(area, step) == area


def test_a_box_across_the_date_line():
    area = outwards(Region(10, 170, -10, -170), 0.75)
    assert area == Region(10.5, 169.5, -10.5, -169.5)
    assert grid_of(area, 0.75) == Grid(10.5, 169.5, 0.75, 29, 29)
    assert outwards(Region(10, 0, -10, 360), 0.75).bounds == (10.5, -180.0, -10.5, 180.0)
    assert grid_of(outwards(Region(10, 0, -10, 360), 0.75), 0.75) == Grid(10.5, 0, 0.75, 29, 480)
