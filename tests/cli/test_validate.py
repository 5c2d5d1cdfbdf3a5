"""``deepcams validate``: what it writes, what it prints, and what it refuses."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A station table beside the analyses of ``write``: two places, two days, hourly."""
    return tmp_path_factory.mktemp("stations")


def observations(path, *, hours=24, start="2019-12-30T00:00", east=5.1, **columns):
    times = pd.date_range(start, periods=hours, freq="1h", tz="UTC")
    rows = [
        pd.DataFrame({"station": name, "latitude": north, "longitude": east, "time": times,
                      "pm25": 15 + 4 * np.sin(np.arange(hours) / 3 + north), "units": "ug/m3"})
        for name, north in (("Utrecht", 52.1), ("Lille", 50.6))
    ]  # fmt: skip
    pd.concat(rows).assign(**columns).to_csv(path, index=False)
    return path


@pytest.fixture
def hourly(run, write, tmp_path):
    path = tmp_path / "hourly.zarr"
    assert run("downscale", write(), path, "--method", "fast", "--quiet").status == 0
    return path


def test_all_files_and_the_table(run, hourly, tmp_path):
    cams = tmp_path / "cams.nc"
    stations = observations(tmp_path / "stations.csv")
    call = (
        "validate",
        hourly,
        f"again={hourly}",
        "--cams",
        cams,
        "--stations",
        stations,
        "--out",
        tmp_path / "out",
        "--pairs",
    )
    result = run(*call)
    assert result.status == 0, result.err
    for name in ("CAMS nearest", "DeepCAMS", "again", "DeepCAMS minus CAMS", "report.html"):
        assert name in result.out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"scores.json", "scores.csv", "stations.csv", "pairs.parquet", "report.html", "scatter.png",
                     "stations.png", "cycles.png", "taylor.png"}  # fmt: skip
    products = json.loads((tmp_path / "out" / "scores.json").read_text())["products"]
    assert {one["n"] for one in products.values()} == {24}  # both stations, 12 hours
    assert products["DeepCAMS"] == products["again"]
    again = run(*call)
    assert again.status == 2
    assert "exists already" in again.err
    assert run(*call, "--overwrite", "--quiet") == (0, "", "")


def test_without_a_folder_the_table_alone(run, hourly, tmp_path):
    result = run("validate", hourly, "--stations", observations(tmp_path / "stations.csv"), "--rule", "begin")
    assert result.status == 0
    assert "DeepCAMS" in result.out
    assert {path.name for path in tmp_path.iterdir()} == {"cams.nc", "hourly.zarr", "hourly.zarr.log", "stations.csv"}


BAD = {
    "wrong delimiter": (lambda path: path.write_text(path.read_text().replace(",", "!")), "wanted"),
    "a column is missing": (lambda path: path.write_text(path.read_text().replace("pm25", "ozone")), "ozone"),
    "half a gzip": (lambda path: path.write_bytes(gzip.compress(path.read_bytes() * 50)[:900]), "cut off|truncated"),
    "empty": (lambda path: path.write_text(""), "empty"),
    "no PM2.5 is left": (lambda path: observations(path, pm25=-999), "none of 48 observations is left .* -999"),
    "another averaging period": (lambda path: observations(path, period_minutes=1440), "--averaging daily"),
    "a unit of mixing ratios": (lambda path: observations(path, units="ppb"), "--units"),
    "another time": (lambda path: observations(path, start="2024-01-01T00:00"), "2024-01-01.*2019-12-30"),
    "another place": (lambda path: observations(path, east=-100.0), "-100E.*"),
    "no coordinates": (lambda path: observations(path, latitude=None, longitude=None), "--site-table"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_station_files_end_with_status_2_and_leave_nothing(run, hourly, tmp_path, name):
    spoil, message = BAD[name]
    stations = observations(tmp_path / "stations.csv")
    spoil(stations)
    before = {path.name for path in tmp_path.iterdir()}
    result = run("validate", hourly, "--stations", stations, "--out", tmp_path / "out")
    assert result.status == 2, result.err
    message_lines = [line for line in result.err.splitlines() if line.startswith("deepcams: ")]
    assert len(message_lines) == 1
    assert pd.Series([result.err]).str.contains(message, regex=True).all(), result.err
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stations", "STATIONS"], "give STORE"),
        (["STORE"], "--stations"),
        (["STORE", "--stations", "nowhere.csv"], "nowhere.csv"),
        (["STORE", "--stations", "STATIONS", "--quiet"], "--out"),
        (["STORE", "--stations", "STATIONS", "--pairs"], "--out"),
        (["STORE", "--stations", "STATIONS", "--cams-units", "ug m-3"], "--cams"),
        (["CAMS=STORE", "--cams", "CAMS", "--stations", "STATIONS"], "a name of its own"),
        (["STORE", "--stations", "STATIONS", "--format", "aqs"], "aqs"),
        (["STORE", "--stations", "STATIONS", "--format", "nothing"], "nothing"),
        (["STORE", "--stations", "STATIONS", "--least-hours", "100"], "too few others.*--least-hours"),
        (["STORE", "--stations", "STATIONS", "--region", "africa"], "wanted|no observation|outside"),
        (["STORE", "--stations", "STATIONS", "--start", "2020-01-01", "--end", "2019-01-01"], "--start before --end"),
        (["STORE", "--stations", "STATIONS", "--lowest", "10", "--highest", "5"], "lowest"),
        (["STORE", "--stations", "STATIONS", "--variable", "o3"], "o3"),
    ],
)
def test_bad_calls(run, hourly, tmp_path, arguments, message):
    stations = observations(tmp_path / "stations.csv")
    places = {"STORE": hourly, "STATIONS": stations, "CAMS": tmp_path / "cams.nc", "CAMS=STORE": f"CAMS={hourly}"}
    result = run("validate", *(places.get(one, one) for one in arguments))
    assert result.status == 2, (result.out, result.err)
    assert pd.Series([result.err]).str.contains(message, regex=True).all(), result.err


def test_names_that_are_not_utf_8(run, hourly, tmp_path):
    stations = observations(tmp_path / "stations.csv")
    text = stations.read_text().replace("Lille", "Liège")
    stations.write_bytes(text.encode("latin-1"))
    result = run("validate", hourly, "--stations", stations, "--out", tmp_path / "out", "--quiet")
    assert result.status == 0, result.err
    assert "Liège" in (tmp_path / "out" / "stations.csv").read_text()


def test_nothing_is_written_among_the_inputs(run, hourly, tmp_path):
    (tmp_path / "network").mkdir()
    stations = observations(tmp_path / "network" / "stations.csv").parent
    for out in (hourly, hourly / "scores", stations, stations / "validation"):
        result = run("validate", hourly, "--stations", stations, "--out", out, "--overwrite")
        assert result.status == 2
        assert "is one of the inputs; give another folder" in result.err
    assert [path.name for path in stations.iterdir()] == ["stations.csv"]


def test_a_period_without_observations_is_told_with_both_periods(run, hourly, tmp_path):
    stations = observations(tmp_path / "stations.csv")
    result = run("validate", hourly, "--stations", stations, "--start", "2020-02-01")
    assert result.status == 2
    assert "go from 2019-12-30T00:00 to 2019-12-31T00:00 UTC, DeepCAMS from 2019-12-3" in result.err
