"""GEOS-CF from a portal on loopback: whole days, odd units, lacking hours, damage, and going on after a failure."""

import json
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import FetchError, InputError, OutputError
from deepcams.fetch.geos_cf import Order, choose_version, fetch_geos_cf
from deepcams.fetch.geos_cf_files import VERSIONS, in_micrograms, write_day
from deepcams.fetch.index import Index
from deepcams.grid import Region
from deepcams.io.files import find_files
from deepcams.io.geos_cf import open_hourly
from tests.fetch.server import Hang, Reply, Reset, Status, Truncate, WrongBody

DAY = np.datetime64("2021-07-01")
REGION = Region(47.25, -3, 45, 1.5)  # across Greenwich
COARSE = 8  # values are equal in blocks, so that the files of the tests are small


def field(hour):
    """(721, 1440) ug m-3 from 90 S and 180 W, as GEOS-CF has it."""
    rows, columns = np.arange(721) // COARSE, np.arange(1440) // COARSE
    return (5 + rows[:, None] / 2 + columns / 10 + hour).astype(np.float32)


def expected(hour, rows, columns):
    """The same at latitudes and longitudes."""
    return field(hour)[np.ix_(np.rint((rows + 90) * 4).astype(int), np.rint((columns + 180) * 4).astype(int) % 1440)]


@pytest.fixture(scope="session")
def hourly(tmp_path_factory):
    """Make the bytes of an hour's file; each is made once."""
    folder, made = tmp_path_factory.mktemp("portal"), {}

    def hourly(version="v1", hour=0, *, day=DAY, scale=1.0, fill=False, level=True, units="ug m-3", stamp=30):
        key = version, hour, day, scale, fill, level, units, stamp
        if key not in made:
            values = field(hour) * np.float32(scale)
            if fill:
                values[:100] = 1e15
            time = [day.astype("datetime64[ns]") + np.timedelta64(60 * hour + stamp, "m")]
            array = xr.DataArray(values[None], dims=("time", "lat", "lon"), attrs={"units": units})
            array = array.expand_dims(lev=[72.0], axis=1) if level else array
            name = VERSIONS[version].variable
            coordinates = {"time": time, "lat": -90 + 0.25 * np.arange(721), "lon": -180 + 0.25 * np.arange(1440)}
            dataset = array.to_dataset(name=name).assign(O3=("lat", np.zeros(721))).assign_coords(coordinates)
            path = folder / f"{len(made)}.nc4"
            dataset.to_netcdf(path, engine="netcdf4", encoding={name: {"zlib": True, "complevel": 1}})
            made[key] = path.read_bytes()
        return made[key]

    return hourly


@pytest.fixture
def portal(server, hourly):
    """Serve the hours of a day; gives the address above the versions, and the names by hour."""

    def portal(version="v1", hours=range(24), *, day=DAY, root=None, revisions=("",), **options):
        year, month, number = str(day).split("-")
        folder = f"/geos-cf/{root or version + '/ana'}/Y{year}/M{month}/D{number}/"
        names = {}
        for hour in hours:
            stamp = f"{year}{month}{number}_{hour:02}30z"
            for revision in revisions:
                names[hour] = (
                    f"GEOS-CF.v01.rpl.aqc_tavg_1hr_g1440x721_v1.{stamp}.nc4"
                    if version == "v1"
                    else f"GEOS.cf.ana.aqc_tavg_1hr_glo_L1440x721_slv.{stamp}{revision}.nc4"
                )
                server.serve(folder + names[hour], hourly(version, hour, day=day, **options))
        others = [f"GEOS-CF.v01.rpl.met_tavg_1hr_g1440x721_x1.{year}{month}{number}_0030z.nc4"]
        links = [f'<a href="{name}">{name}</a> 2021-08-01 12:00 12M' for name in [*others, *names.values()]]
        server.route("GET", folder, Reply(200, f"<html>{'<br>'.join(links)}</html>".encode()))
        return server.url + "/geos-cf", {hour: folder + name for hour, name in names.items()}

    return portal


@pytest.fixture
def fetch(tmp_path, impatient):
    def fetch(url, *, start=DAY, end=DAY, version="v1", region=REGION, folder="geos", **options):
        order = Order(start, end, VERSIONS[version], region, url)
        return fetch_geos_cf(tmp_path / folder, order, patience=impatient, **options)

    return fetch


@pytest.fixture
def there(tmp_path):
    """The names of what can be seen in the folder."""
    return lambda folder="geos": sorted(
        one.name for one in (tmp_path / folder).glob("*") if not one.name.startswith(".")
    )


def opened(folder):
    return open_hourly(find_files(folder))


def test_a_day_is_one_file_that_is_read_like_others(portal, fetch, tmp_path, there):
    url, _ = portal(fill=True)
    summary = fetch(url)
    assert (summary.written, summary.kept, summary.missing) == (1, 0, {})
    assert there() == ["fetched.json", "geos-cf-v1_2021-07-01.nc"]
    hourly = opened(tmp_path / "geos")
    fields = hourly.fields
    np.testing.assert_array_equal(hourly.stamps, DAY + np.arange(24) * np.timedelta64(1, "h") + np.timedelta64(30, "m"))
    assert (fields.grid.north, fields.grid.west, fields.grid.shape) == (47.25, -3, (10, 19))
    assert "NASA" in hourly.attribution
    for hour in (0, 7, 23):
        np.testing.assert_allclose(
            fields.load(hour), expected(hour, fields.grid.latitude, fields.grid.longitude), rtol=1e-6
        )
    with xr.open_dataset(tmp_path / "geos" / "geos-cf-v1_2021-07-01.nc") as dataset:
        assert dataset.attrs["geos_cf_version"] == "v1"
        assert dataset["pm2p5"].attrs["original_name"] == "PM25_RH35_GCC"
    entry = json.loads((tmp_path / "geos" / "fetched.json").read_text().splitlines()[0])
    assert entry["what"] == {"version": "v1", "day": "2021-07-01", "region": [47.25, -3, 45, 1.5]}


def test_what_is_there_is_not_asked_for_again(portal, fetch, server):
    url, _ = portal()
    fetch(url)
    before = len(server.requests)
    summary = fetch(url)
    assert (summary.written, summary.kept, len(server.requests)) == (0, 1, before)


@pytest.mark.parametrize(("scale", "units"), [(1e-9, "kg m-3"), (1e-9, "ug m-3"), (1, "kg m-3")])
def test_units_are_told_by_magnitude(portal, fetch, tmp_path, scale, units):
    url, _ = portal(hours=[3], scale=scale, units=units)
    fetch(url, allow_missing=True)
    fields = opened(tmp_path / "geos").fields
    np.testing.assert_allclose(fields.load(0), expected(3, fields.grid.latitude, fields.grid.longitude), rtol=1e-6)


def test_fill_values_are_missing(portal, fetch, tmp_path):
    url, _ = portal(hours=[0], fill=True, level=False)
    fetch(url, allow_missing=True, region=Region(-60, 170, -70, -170))
    fields = opened(tmp_path / "geos").fields
    unknown = np.isnan(fields.load(0))
    np.testing.assert_array_equal(unknown, np.broadcast_to((fields.grid.latitude < -65)[:, None], unknown.shape))
    assert fields.grid.columns == 81  # across the date line


@pytest.mark.parametrize("largest", [0.0, 0.01])
def test_a_magnitude_that_is_neither_is_refused(largest):
    with pytest.raises(FetchError, match="neither in ug m-3 nor in kg m-3"):
        in_micrograms(np.full((3, 4), largest, np.float32), "x.nc4")


def test_the_whole_earth_is_written_too(hourly, tmp_path):
    (tmp_path / "hour.nc4").write_bytes(hourly())
    write_day(tmp_path / "day.nc", VERSIONS["v1"], Order(DAY, DAY, VERSIONS["v1"]).window,
              {DAY.astype("datetime64[h]"): tmp_path / "hour.nc4"})  # fmt: skip
    fields = opened(tmp_path / "day.nc").fields
    assert (fields.grid.north, fields.grid.west, fields.grid.shape) == (90, 0, (721, 1440))
    np.testing.assert_array_equal(fields.load(0), expected(0, fields.grid.latitude, fields.grid.longitude))


def test_a_day_without_some_hours_is_left_out_and_told(portal, fetch, there):
    url, _ = portal(hours=[hour for hour in range(24) if hour not in (4, 5)])
    with pytest.raises(
        FetchError, match=r"v1 lacks the hours 4, 5 of 2021-07-01, as http.*/v1/ana/Y2021/M07/D01/ .*allow-missing"
    ):
        fetch(url)
    assert not [name for name in there() if name.endswith(".nc")]


def test_a_day_without_some_hours_is_written_if_it_may_be(portal, fetch, tmp_path):
    url, _ = portal(hours=[3, 9])
    summary = fetch(url, allow_missing=True)
    assert (summary.written, len(summary.missing["2021-07-01"])) == (1, 22)
    assert [str(time)[-2:] for time in opened(tmp_path / "geos").fields.times] == ["03", "09"]


def test_a_day_that_is_not_there_does_not_keep_others_back(portal, fetch, there):
    url, _ = portal()
    with pytest.raises(FetchError, match=r"lacks all hours of 2021-06-30.*1 days were written"):
        fetch(url, start=DAY - 1)
    assert there() == ["fetched.json", "geos-cf-v1_2021-07-01.nc"]


def test_the_second_folder_is_looked_at(portal, fetch):
    url, _ = portal(hours=[0], root="v1/das")
    assert fetch(url, allow_missing=True).written == 1


def test_the_latest_revision_is_taken(portal, fetch, server):
    url, names = portal("v2", hours=[0], revisions=("", ".R0", ".R1"))
    fetch(url, version="v2", allow_missing=True)
    assert [len(server.requests_to(names[0].replace(".R1", one))) for one in ("", ".R0", ".R1")] == [0, 0, 1]


def test_versions_and_regions_never_share_a_folder(portal, fetch):
    url, _ = portal(hours=[0])
    fetch(url, allow_missing=True)
    with pytest.raises(InputError, match=r"another version of GEOS-CF \(geos-cf-v1_2021-07-01.nc\).*fetch v2"):
        fetch(url, version="v2")
    with pytest.raises(InputError, match=r"another region of GEOS-CF .*47.25.*all of it into a folder of its own"):
        fetch(url, start=DAY + 1, end=DAY + 1, region=None)


def test_two_runs_into_one_folder(portal, fetch, tmp_path):
    url, _ = portal(hours=[0])
    folder = tmp_path / "geos"
    with Index(folder).alone("geos-cf"), pytest.raises(FetchError, match=f"^{re.escape(str(folder))}: another run"):
        fetch(url, allow_missing=True, region=None)  # which might be of another region
    assert fetch(url, allow_missing=True).written == 1


def test_a_folder_that_cannot_be_one(portal, fetch, tmp_path):
    url, _ = portal(hours=[0])
    (tmp_path / "geos").write_text("mine")
    with pytest.raises(OutputError, match="no files can be written there"):
        fetch(url)


def test_trouble_passes(portal, fetch, server):
    url, names = portal(hours=range(6))
    server.misbehave(names[0], Status(500), Reset())
    server.misbehave(names[1], Truncate(3000))
    server.misbehave(names[2], Status(429, {"Retry-After": "0"}))
    assert fetch(url, allow_missing=True).written == 1


def test_after_a_failure_only_what_is_missing_is_fetched(portal, fetch, server, there):
    url, names = portal(hours=range(5))
    server.misbehave(names[4], *[Status(503)] * 3)
    with pytest.raises(FetchError, match="503"):
        fetch(url, allow_missing=True, workers=1)
    assert not [name for name in there() if name.endswith(".nc")]
    assert fetch(url, allow_missing=True, workers=1).written == 1
    assert [len(server.requests_to(names[hour])) for hour in range(5)] == [1, 1, 1, 1, 4]
    assert there() == ["fetched.json", "geos-cf-v1_2021-07-01.nc"]


@pytest.mark.parametrize("wrong", ["page", "hour", "variable", "truncated"])
def test_a_file_that_is_not_the_hour_is_refused(portal, fetch, server, hourly, there, wrong):
    url, names = portal(hours=[3])
    bodies = {
        "page": b"<html>Log in</html>",
        "hour": hourly("v1", 4),
        "variable": hourly("v2", 3),
        "truncated": hourly("v1", 3)[:-3000],
    }
    server.misbehave(names[3], WrongBody(bodies[wrong]))
    with pytest.raises(FetchError, match=r"what came as GEOS-CF.*0330z.nc4"):
        fetch(url, allow_missing=True)
    assert there() in ([], ["fetched.json"])
    assert fetch(url, allow_missing=True).written == 1


def test_a_portal_that_refuses_its_page_is_told(server, fetch):
    server.route("GET", r".*", Reply(403, b"no"))
    with pytest.raises(FetchError, match=r"/v1/ana/Y2021/M07/D01/ answers 403: wanted a page that lists.*--url"):
        fetch(server.url)


@pytest.mark.parametrize(
    ("start", "end", "asked", "name"),
    [
        ("2018-01-01", "2025-12-31", None, "v1"),
        ("2025-10-01", "2025-10-31", None, "v1"),
        ("2026-02-01", "2026-03-01", None, "v2"),
        ("2025-10-01", "2025-10-31", "v2", "v2"),
        ("2017-12-31", "2018-01-01", "v1", "v1"),
    ],
)
def test_the_version_follows_from_the_period(start, end, asked, name):
    assert choose_version(np.datetime64(start), np.datetime64(end), asked).name == name


def test_a_period_that_no_version_has_is_refused():
    with pytest.raises(
        InputError, match=r"v1 from 2018-01-01 to 2026-01-01 and v2 from 2025-08-05 on, which are two systems"
    ):
        choose_version(np.datetime64("2025-01-01"), np.datetime64("2026-06-01"))


def test_days_to_come_are_refused():
    with pytest.raises(InputError, match=r"today is .*: give an earlier --end"):
        Order(DAY, np.datetime64("2999-01-01"), VERSIONS["v2"])


def test_a_region_of_a_single_node_is_refused():
    with pytest.raises(InputError, match="wanted 2 x 2 at least"):
        Order(DAY, DAY, VERSIONS["v1"], Region(45.1, 3, 45, 3.1)).window  # noqa: B018


def test_killed_in_the_middle_it_goes_on(portal, fetch, server, tmp_path, there):
    url, names = portal(hours=range(6))
    server.misbehave(names[5], Hang(60))
    region = ",".join(map(str, REGION.bounds))
    command = ["fetch", "geos-cf", "--start", str(DAY), "--end", str(DAY), "--region", region, "--url", url]
    options = ["--allow-missing", "--workers", "1", "--quiet", str(tmp_path / "geos")]
    process = subprocess.Popen([sys.executable, "-m", "deepcams", *command, *options])
    try:
        until = time.monotonic() + 60
        while not server.requests_to(names[5]) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert not [name for name in there() if name.endswith(".nc")]
    assert fetch(url, allow_missing=True).written == 1
    assert [len(server.requests_to(names[hour])) for hour in range(6)] == [1, 1, 1, 1, 1, 2]
    assert there() == ["fetched.json", "geos-cf-v1_2021-07-01.nc"]
