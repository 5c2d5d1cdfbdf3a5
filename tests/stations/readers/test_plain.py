"""Plain tables."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.plain import FORMAT
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Stamp

WHEN = np.datetime64("2020-06-30T22:00:00")


@pytest.fixture
def read(tmp_path):
    """Write a table and read it as one chunk."""

    def read(text, name="station.csv", **options):
        data = text if isinstance(text, bytes) else text.encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        assert FORMAT.recognises(head_of(path))
        (chunk,) = FORMAT.read(head_of(path), Options(**options))
        return chunk

    return read


@pytest.mark.parametrize(
    "time", ["time", "Datetime", "date", "timestamp", "date_utc", "datetimeUtc", "valid time", "UTC"]
)
@pytest.mark.parametrize("value", ["pm25", "PM2.5", "pm2p5", "pm2_5", "value", "Conc", "obs_pm25", "pm25_ugm3"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_go_by_many_names(read, time, value, delimiter):
    chunk = read(f"{time}{delimiter}{value}\n2020-06-30 22:00{delimiter}4.5\n2020-06-30T23:00:00Z{delimiter}\n")
    assert (chunk.stamp == [WHEN, WHEN + np.timedelta64(1, "h")]).all()
    assert chunk.value[0] == 4.5
    assert np.isnan(chunk.value[1])
    assert chunk.ids.tolist() == ["station"] * 2
    assert chunk.unit == ("ug/m3" if value == "pm25_ugm3" else "")
    assert FORMAT.stamp == Stamp.BEGIN


@pytest.mark.parametrize(
    "text",
    [
        "2020-06-30T22:00:00Z",
        "2020-06-30 22:00:00+00:00",
        "2020-07-01T03:45:00+05:45",
        "2020-07-01 03:45:00 +0545",
        "2020-06-30T22:00:00.000Z",
        "2020-06-30T20:00-02:00",
        "20200630T220000Z",
        "2020-06-30 22:00:00 UTC",
    ],
)
def test_an_offset_is_kept_to_whatever_the_zone(read, text):
    assert read(f"time,pm25\n{text},1\n", timezone="Asia/Shanghai").stamp[0] == WHEN


def test_times_without_offset_are_utc_unless_a_zone_is_known(read, tmp_path):
    sites = Sites(tmp_path, {"b": Site(1, 2, timezone="Europe/Berlin")})
    text = "time,station,pm25\n2020-07-01T00:00,a,1\n2020-07-01T00:00,b,1\n"
    offsets = {None: (0, 2), "+08:00": (8, 2)}
    for zone, hours in offsets.items():
        chunk = read(text, sites=sites, timezone=zone)
        midnight = np.datetime64("2020-07-01T00:00")
        assert ((midnight - chunk.stamp) // np.timedelta64(1, "h")).tolist() == list(hours)
        assert chunk.timezone.tolist() == [zone or "", "Europe/Berlin"]
    # A column that says UTC is UTC, and a column timezone is better known than anything else.
    assert read(text.replace("time,", "utc,"), timezone="+08:00").stamp[0] == np.datetime64("2020-07-01T00:00")
    own = read("time,tz,pm25\n2020-07-01T00:00,Asia/Kolkata,1\n2020-07-01T00:00,,1\n", timezone="+08:00")
    assert own.stamp.astype("datetime64[m]").astype(str).tolist() == ["2020-06-30T18:30", "2020-06-30T16:00"]


def test_a_doubled_local_hour_is_no_time(read):
    chunk = read("time,pm25\n2016-10-30T02:30,1\n2016-03-27T02:30,1\n2016-03-27T03:30,1\n", timezone="Europe/Amsterdam")
    assert np.isnat(chunk.stamp).tolist() == [True, True, False]


def test_all_columns_are_taken(read):
    titles = "Begin,End,PM2.5,Station ID,Name,Sensor,Lat,Lon,Country,Units,Valid,QC,Mobile,Parameter,Time Zone\n"
    lines = (
        "2020-07-01,2020-07-02,5,7,Delft,a,52,4.4,nl,ug/m3,1,ok,false,pm25,Europe/Amsterdam\n"
        "2020-07-02,2020-07-03,6,7,Delft,a,52,4.4,nl,ug/m3,0,ok,true,PM2.5,Europe/Amsterdam\n"
        "2020-07-03,2020-07-04,6,7,Delft,a,52,4.4,NLD,ug/m3,true,suspect,no,pm2_5,Europe/Amsterdam\n"
        "2020-07-03,2020-07-04,6,7,Delft,a,52,4.4,nl,ug/m3,1,ok,no,pm10,Europe/Amsterdam\n"
    )
    chunk = read(titles + lines)
    assert chunk.stamp[0] == WHEN
    assert chunk.period.tolist() == [1440] * 3
    assert (chunk.ids[0], chunk.names[0], chunk.sensors[0], chunk.unit[0]) == ("7", "Delft", "a", "ug/m3")
    assert (chunk.latitude[0], chunk.longitude[0]) == (52, 4.4)
    assert chunk.country.tolist() == ["NL", "NL", ""]
    assert chunk.flagged.tolist() == [False, True, True]
    assert chunk.mobile.tolist() == [False, True, False]
    assert chunk.others == 1


def test_a_period_in_minutes(read):
    assert read("time,pm25,averaging_minutes\n2020-01-01,1,1440\n2020-01-02,1,\n").period.tolist() == [1440, 0]


def test_decimal_commas_and_names_that_are_not_utf_8(read):
    chunk = read("zeit;time;station;value\n1;2020-06-30T22:00;Köln;4,5\n".encode("cp1252"))
    assert (chunk.value[0], chunk.ids[0]) == (4.5, "Köln")


@pytest.mark.parametrize(("name", "stem"), [("a.b.csv.gz", "a.b"), ("Utrecht.TSV", "Utrecht"), ("plain", "plain")])
def test_without_a_station_it_is_the_file(read, name, stem):
    assert read("time,pm25\n2020-01-01,1\n", name).ids[0] == stem


@pytest.mark.parametrize("kind", ["timestamp", "aware", "date", "text", "coded"])
def test_parquet(tmp_path, kind):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    when = WHEN.item()
    times = {
        "timestamp": pa.array([when, None], pa.timestamp("ns")),
        "aware": pa.array([when, None], pa.timestamp("us", "Asia/Shanghai")),
        "date": pa.array([when.date(), None], pa.date32()),
        "text": pa.array(["2020-06-30T22:00", None]),
        "coded": pa.array(["2020-06-30T22:00Z", None]).dictionary_encode(),
    }
    table = pa.table({"time": times[kind], "station": pa.array([7, 7]), "pm25": pa.array([1, None], pa.int16())})
    pq.write_table(table, tmp_path / "table.parquet")
    (chunk,) = FORMAT.read(head_of(tmp_path / "table.parquet"), Options())
    assert chunk.stamp[0] == (WHEN.astype("datetime64[D]") if kind == "date" else WHEN)
    assert np.isnat(chunk.stamp[1])
    assert (chunk.ids[0], chunk.value[0]) == ("7", 1)
    assert np.isnan(chunk.value[1])


def test_long_files_come_in_pieces(tmp_path):
    pytest.importorskip("pyarrow")
    hours = np.datetime64("1990-01-01T00") + np.arange(600_000).astype("timedelta64[h]")
    path = tmp_path / "long.csv"
    path.write_text(
        "time,station,pm25\n" + "\n".join(f"{hour}:00Z,a,{i % 97}" for i, hour in enumerate(hours.astype(str)))
    )
    chunks = list(FORMAT.read(head_of(path), Options()))
    assert len(chunks) > 1
    assert (np.concatenate([chunk.stamp for chunk in chunks]) == hours).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,temperature\n2020-01-01,1\n", r"no column of value \(pm25, .*; found time, temperature"),
        ("hour,pm25\n1,1\n", r"no column of time \(time, .*; found hour, pm25"),
        ("a,b\n1,1\n", "no column of time .* nor of value .*; found a, b"),
        ("time,pm25\nyesterday,1\n", "the time 'yesterday'; wanted ISO 8601, like 2019-12-31T18:00Z"),
        ("time,pm25\n2020-02-30,1\n", "the time '2020-02-30'"),
        ("time,pm25\n2020-01-01,much\n", "much"),
        ("time,tz,pm25\n2020-01-01,Asia/Atlantis,1\n", "time zone 'Asia/Atlantis'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        list(FORMAT.read(head_of(path), Options()))


def test_a_begin_contradicts_another_rule(read):
    text = "begin,pm25\n2020-01-01,1\n"
    assert read(text, stamp=Stamp.BEGIN).value[0] == 1
    with pytest.raises(InputError, match="has a column begin; wanted no --stamp end"):
        read(text, stamp=Stamp.END)


def correlation(first, second):
    known = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[known], second[known])[0, 1])


def test_daily_means_at_utrecht_are_stamped_by_their_end(shared_data):
    """Stamps are local midnights; with CAMS, the 24 hours before the stamp correlate better than those after it.

    Correlation of 57 daily means with the mean of CAMS over the 24 hours that begin -48, -36, -24, -18, -12, 0, 12 and 24 h
    from the stamp: 0.28, 0.42, 0.56, 0.60, 0.59, 0.47, 0.24, 0.11. Best is 18 to 15 h before, between the two rules but
    nearer to the end (-24 h) than to the begin (0 h).
    """
    xarray = pytest.importorskip("xarray")
    (chunk,) = FORMAT.read(head_of(shared_data / "stations" / "openaq_utrecht_2016_daily.csv"), Options())
    local = chunk.stamp + np.where(chunk.stamp < np.datetime64("2016-03-27T01:00"), 1, 2).astype("timedelta64[h]")
    assert (local == local.astype("datetime64[D]")).all()
    with xarray.open_dataset(shared_data / "cams_eac4_utrecht_2016_new_layout.nc") as cams:
        model = cams["pm2p5"].squeeze().values * 1e9
        instants = cams["valid_time"].values.astype("datetime64[s]").astype(np.int64)

    def means(lag):
        """Over the 24 hours from ``lag`` hours after each stamp; NaN where the model has not all of them."""
        begin = chunk.stamp.astype(np.int64) + 3600 * lag
        hours = begin[:, None] + 3600 * np.arange(25)
        outside = (hours[:, 0] < instants[0]) | (hours[:, -1] > instants[-1])
        return np.where(outside, np.nan, np.interp(hours, instants, model).mean(axis=1))

    at = {lag: correlation(means(lag), chunk.value) for lag in range(-48, 49, 6)}
    assert at[-24] == pytest.approx(0.56, abs=0.02)
    assert at[0] == pytest.approx(0.47, abs=0.02)
    assert at[-24] > at[0]
    assert max(at, key=at.get) in (-18, -12)


def test_units_in_titles(read):
    found = read("time,PM2.5 (µg/m³)\n2019-12-31T18:00Z,5\n")
    assert (found.value.tolist(), found.unit) == ([5], "ug/m3")


def test_a_period_beyond_all_numbers(read):
    assert read("time,pm25,period\n2019-12-31T18:00Z,5,1e300\n").period.tolist() == [400 * 1440]


def test_json_is_not_recognised(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text('{"time":"2019-12-31T18:00Z","value":5}\n')
    assert not FORMAT.recognises(head_of(path))
