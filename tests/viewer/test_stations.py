"""Stations for the map: from the tables of a validation, as JSON without surprises."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.viewer.stations import as_json, files_of, open_stations

HEAD = "product,id,sensor,name,latitude,longitude,country,source,n,rmse"


@pytest.fixture
def table(tmp_path):
    def table(*lines, head=HEAD):
        (tmp_path / "stations.csv").write_text("\n".join([head, *lines]) + "\n")
        return tmp_path

    return table


def test_scores_by_product_and_station(table):
    stations = open_stations(
        table('A,1,s,"Here, there",50,5,BE,x,3,1.5', "A,2,s,,-10,181,AU,x,0,", "B,1,s,Here,50,5,BE,x,3,nan")
    )
    told = json.loads(as_json(stations.summary()))
    assert told["name"] == ["Here, there", "2"]
    assert told["scores"]["A"] == {"n": [3, 0], "rmse": [1.5, None]}
    assert told["scores"]["B"] == {"n": [3, None], "rmse": [None, None]}
    assert told["days"] == []
    assert stations.day("2020-01-01") is None
    assert [name for name, _ in files_of(stations)] == ["stations.json"]


def test_tables_of_others_are_refused(table, tmp_path):
    with pytest.raises(InputError, match=r"neither pairs\.parquet nor stations\.csv"):
        open_stations(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        open_stations(tmp_path / "stations.csv")
    for lines in [("id,lat,lon", "1,2,3"), (HEAD,), ("",)]:
        with pytest.raises(InputError, match="not the table of stations"):
            open_stations(table(*lines[1:], head=lines[0]))
    with pytest.raises(InputError, match="station Here is at 50, north: wanted two numbers"):
        open_stations(table("A,1,s,Here,50,north,BE,x,3,1.5"))
    (tmp_path / "stations.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        open_stations(tmp_path)


@pytest.fixture
def pairs(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    begin = np.array(["2020-01-01T22:30", "2020-01-01T23:30", "2020-01-02T05:00", "2020-01-01T23:00"], "datetime64[ms]")
    columns = {"id": ["a", "a", "b", "b"], "sensor": ["1"] * 4, "name": ["", "", "B", "B"], "country": ["DE"] * 4,
               "source": ["x"] * 4, "latitude": [50.0, 50, 51, 51], "longitude": [5.0, 5, 6, 6],
               "begin": pa.array(begin, pa.timestamp("ms", tz="UTC")), "period": [60, 60, 60, 30],
               "observed": [1.0, 2.0, 3.0, np.nan], "CAMS": [4.0, 5.0, 6.0, 7.0]}  # fmt: skip
    parquet.write_table(pa.table(columns), tmp_path / "pairs.parquet")
    return tmp_path


def test_observations_by_the_days_they_touch(pairs):
    stations = open_stations(pairs)
    told = stations.summary()
    assert (told["name"], told["days"], told["scores"]) == (["a", "B"], ["2020-01-01", "2020-01-02"], {})
    first, second = (json.loads(as_json(stations.day(day))) for day in told["days"])
    assert first["begin"] == [1350, 1380, 1410]
    assert first["values"]["observed"] == [1, None, 2]
    assert second == {"station": [0, 1], "begin": [-30, 300], "period": [60, 60],
                      "values": {"observed": [2, 3], "CAMS": [5, 6]}}  # fmt: skip
    assert [name for name, _ in files_of(stations)] == [
        "stations.json",
        "stations/2020-01-01.json",
        "stations/2020-01-02.json",
    ]


def test_observations_and_scores_together(pairs, table):
    table("A,b,1,B,51,6,DE,x,3,1.5", "A,c,1,C,52,7,DE,x,3,2.5", "A,b,2,other sensor,51,6,DE,x,3,3.5")
    stations = open_stations(pairs)
    told = stations.summary()
    assert told["name"] == ["a", "B", "C", "other sensor"]
    assert told["longitude"] == [5, 6, 7, 6]
    assert told["scores"]["A"]["rmse"] == [None, 1.5, 2.5, 3.5]
    assert stations.day("2020-01-02")["station"] == [0, 1]
    assert len(list(files_of(stations))) == 3
    assert open_stations(pairs / "pairs.parquet").summary()["name"] == ["a", "B"]
    assert open_stations(pairs / "stations.csv").summary()["name"] == ["B", "C", "other sensor"]


@pytest.mark.parametrize("day", ["2020-01-03", "", "yesterday", "../secret", "2020-13-01", "99999999999"])
def test_days_that_are_none(pairs, day):
    assert open_stations(pairs).day(day) is None


def test_pairs_of_others_are_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": [1]}), tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match="not the pairs"):
        open_stations(tmp_path)
    (tmp_path / "pairs.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        open_stations(tmp_path)
