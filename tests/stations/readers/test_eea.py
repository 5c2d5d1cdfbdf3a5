"""The European Environment Agency."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.eea import FORMATS
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Stamp

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

PARQUET, E1A = FORMATS
VOCABULARY = "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/"


def write(path, rows):
    """As the download service gives it: (point, pollutant, start, end, value, aggregation, validity)."""
    points, pollutants, starts, ends, values, kinds, valid = zip(*rows, strict=True)
    size = len(rows)
    columns = {
        "Samplingpoint": pa.array(points),
        "Pollutant": pa.array(pollutants, pa.int32() if isinstance(pollutants[0], int) else pa.string()),
        "Start": pa.array([np.datetime64(one, "ns") for one in starts], pa.timestamp("ns")),
        "End": pa.array([np.datetime64(one, "ns") for one in ends], pa.timestamp("ns")),
        "Value": pa.array([None if one is None else Decimal(str(one)) for one in values], pa.decimal128(38, 18)),
        "Unit": pa.array(["ug.m-3"] * size),
        "AggType": pa.array(kinds),
        "Validity": pa.array(valid, pa.int32()),
        "Verification": pa.array([1] * size, pa.int32()),
        "ResultTime": pa.array([np.datetime64("2025-01-01", "ns")] * size, pa.timestamp("ns")),
        "DataCapture": pa.array([None] * size, pa.decimal128(38, 18)),
        "FkObservationLog": pa.array(["x"] * size),
    }
    pq.write_table(pa.table(columns), path)
    return path


def hour(point="AT/SPO.1", pollutant=6001, start="2024-06-30T23:00", value=7.5, valid=1):
    return (point, pollutant, start, np.datetime64(start) + np.timedelta64(1, "h"), value, "hour", valid)


def day(point="AT/SPO.1", start="2024-07-01T00:00"):
    return (point, 6001, start, np.datetime64(start) + np.timedelta64(1, "D"), 5, "day", 1)


@pytest.fixture
def read(tmp_path):
    def read(*rows, **options):
        path = write(tmp_path / "SPO.1.parquet", rows)
        assert [one.name for one in FORMATS if one.recognises(head_of(path))] == ["eea"]
        (chunk,) = PARQUET.read(head_of(path), Options(**options))
        return chunk

    return read


def test_hours_are_in_utc_plus_one_in_summer_too(read):
    chunk = read(hour(), hour(start="2024-01-01T00:00"))
    assert chunk.stamp.astype("datetime64[m]").astype(str).tolist() == ["2024-06-30T22:00", "2023-12-31T23:00"]
    assert (chunk.value.tolist(), chunk.period.tolist()) == ([7.5, 7.5], [60, 60])
    assert (chunk.ids[0], chunk.names[0], chunk.country[0], chunk.unit[0]) == ("SPO.1", "AT/SPO.1", "AT", "ug.m-3")
    assert PARQUET.stamp == Stamp.BEGIN


def test_a_time_zone_given_is_taken_instead(read):
    """Italy's up-to-date data: on 2024-03-31 there was no 02:00."""
    chunk = read(hour(start="2024-03-31T01:00"), hour(start="2024-03-31T02:00"), timezone="Europe/Rome")
    assert np.isnat(chunk.stamp).tolist() == [False, True]
    assert chunk.stamp[0] == np.datetime64("2024-03-31T00:00")


def test_days_keep_the_time_zone_of_the_site_table(read, tmp_path):
    sites = Sites(tmp_path, {"SPO.2": Site(60, 25, timezone="+02:00")})
    chunk = read(day(), day("FI/SPO.2"), hour("FI/SPO.2"), sites=sites)
    assert chunk.stamp.astype("datetime64[h]").astype(str).tolist() == [
        "2024-06-30T23",
        "2024-06-30T22",
        "2024-06-30T22",
    ]
    assert chunk.period.tolist() == [1440, 1440, 60]


def test_only_valid_observations_are_not_flagged(read):
    chunk = read(*(hour(valid=code) for code in (1, 2, 3, 4, -1, -99)), hour(value=None, valid=None))
    assert chunk.flagged.tolist() == [False] * 4 + [True] * 2 + [False]
    assert np.isnan(chunk.value).tolist() == [False] * 6 + [True]


@pytest.mark.parametrize(("pm25", "pm10"), [(6001, 5), (f"{VOCABULARY}6001", f"{VOCABULARY}5")])
def test_other_pollutants_are_left_out_and_counted(read, pm25, pm10):
    chunk = read(hour(pollutant=pm25), hour(pollutant=pm10), hour(pollutant=pm10))
    assert (chunk.value.size, chunk.others) == (1, 2)


@pytest.mark.parametrize("gap", [" ", ""])
def test_csv_says_its_offset(tmp_path, gap):
    titles = (
        "Countrycode,Namespace,AirQualityNetwork,AirQualityStation,AirQualityStationEoICode,SamplingPoint,"
        "SamplingProcess,Sample,AirPollutant,AirPollutantCode,AveragingTime,Concentration,UnitOfMeasurement,"
        "DatetimeBegin,DatetimeEnd,Validity,Verification\n"
    )
    line = (
        f"NO,NO.NILU.AQD,NET,STA,NO0002R,SPO_NO,SPP,SAM,PM2.5,{VOCABULARY}6001,day,{{}},\N{MICRO SIGN}g/m3,"
        f"2021-01-12 00:00:00{gap}+01:00,2021-01-13 00:00:00{gap}+01:00,{{}},1\n"
    )
    path = tmp_path / "NO_6001_2021_timeseries.csv"
    path.write_text(titles + line.format("0.02", 1) + line.format("", -1), encoding="utf-8-sig")
    assert [one.name for one in FORMATS if one.recognises(head_of(path))] == ["eea-csv"]
    (chunk,) = E1A.read(head_of(path), Options(timezone="America/Lima"))
    assert (chunk.stamp == np.datetime64("2021-01-11T23:00")).all()
    assert (chunk.period.tolist(), chunk.flagged.tolist()) == ([1440, 1440], [False, True])
    assert (chunk.ids[0], chunk.country[0], chunk.value[0]) == ("SPO_NO", "NO", 0.02)


def test_a_missing_column_is_named(tmp_path):
    pq.write_table(pa.table({"Samplingpoint": ["a"], "Start": ["2020"], "Value": [1.0]}), tmp_path / "a.parquet")
    with pytest.raises(
        InputError, match=r"no column Pollutant, End, Unit, Validity; wanted .*; found Samplingpoint, Start"
    ):
        list(PARQUET.read(head_of(tmp_path / "a.parquet"), Options()))
