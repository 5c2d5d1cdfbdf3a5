"""Which files are meant, and which format each has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepcams.errors import InputError
from deepcams.stations.readers import FORMATS, read_stations
from deepcams.stations.readers.chunk import Head, Options
from deepcams.stations.readers.search import recognised, station_files
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.table import Stamp

ARCHIVE = "location_id,sensors_id,location,datetime,lat,lon,parameter,units,value\n"
LINE = "7,8,Here,2020-01-01T01:00:00Z,50,5,pm25,ug/m3,{}\n"
EXPORT = "location_id,parameter,value,unit,datetimeUtc,latitude,longitude\n7,pm25,3,ug/m3,2020-01-01T02:00:00Z,50,5\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with folders, hidden files, and files of other kinds."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.csv", "a.csv", "deep/c.csv", "deep/er/d.CSV", ".e.csv", ".hidden/f.csv"):
        (tmp_path / name).write_text(ARCHIVE + LINE.format(1))
    (tmp_path / "README.txt").write_text("of stations")
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_folders_are_searched_but_for_what_is_hidden(folder):
    assert names(station_files([folder])) == ["a.csv", "b.csv", "c.csv", "d.CSV"]


def test_each_file_is_read_once(folder):
    given = [folder / "b.csv", folder, f"{folder}/*.csv", str(folder / "b.csv")]
    assert names(station_files(given)) == ["b.csv", "a.csv", "c.csv", "d.CSV"]
    assert read_stations(given).lines == 4


def test_patterns(folder, monkeypatch):
    assert names(station_files([f"{folder}/**/*.csv"])) == ["a.csv", "b.csv", "c.csv"]
    monkeypatch.chdir(folder)
    assert names(station_files(["deep/[c-d]*.csv"])) == ["c.csv"]


def test_the_site_table_is_no_station_file(folder):
    assert names(station_files([folder], other_than=folder / "a.csv")) == ["b.csv", "c.csv", "d.CSV"]
    sites = Sites(folder / "a.csv", {"A": Site(1, 2)})
    assert read_stations([folder], Options(sites=sites)).lines == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no station files given"),
        (["nowhere.csv"], "nowhere.csv: no such file or folder"),
        (["no*.csv"], "no.*: no file matches this pattern"),
        ([".hidden"], r"\.hidden: no station file in this folder"),
    ],
)
def test_no_file_is_an_error(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    Path(".hidden").mkdir()
    with pytest.raises(InputError, match=message):
        station_files(given)


def test_files_of_several_formats_are_each_recognised(tmp_path):
    (tmp_path / "archive.csv").write_text(ARCHIVE + LINE.format(1))
    (tmp_path / "export.csv").write_text(EXPORT)
    reading = read_stations([tmp_path])
    assert reading.formats == {"openaq-archive": 1, "openaq": 1}
    assert reading.files == (str(tmp_path / "archive.csv"), str(tmp_path / "export.csv"))
    # The same place in two sources is left to quality control.
    assert reading.observations.stations.source.tolist() == ["openaq-archive", "openaq"]


def test_an_unknown_format_says_what_is_known(tmp_path):
    (tmp_path / "other.csv").write_text("colour,size\nred,3\n")
    with pytest.raises(InputError) as error:
        read_stations([tmp_path / "other.csv"])
    text = str(error.value)
    assert text.startswith(
        f"{tmp_path / 'other.csv'}: not a known format of station files; found the columns colour, size"
    )
    assert all(f"\n  {one.name}: {one.wanted}" in text for one in FORMATS.values())
    assert all(one.wanted for one in FORMATS.values())


def test_a_format_may_be_asked_for(tmp_path):
    (tmp_path / "export.csv").write_text(EXPORT)
    assert read_stations([tmp_path], format="openaq").lines == 1
    with pytest.raises(InputError, match="no column location, datetime"):
        read_stations([tmp_path], format="openaq-archive")
    with pytest.raises(InputError, match="format 'excel': wanted one of openaq, openaq-archive, "):
        read_stations([tmp_path], format="excel")


def test_a_family_of_formats_may_be_asked_for():
    one = FORMATS["openaq"]
    family = [
        replace(one, name="air-first", recognises=lambda head: False),
        replace(one, name="air-second", recognises=lambda head: True),
    ]
    head = Head(Path("file"), (), (), ",")
    assert recognised(head, family, "air").name == "air-second"
    assert recognised(head, family[:1], "air").name == "air-first"


def test_the_rule_of_stamps_is_told_and_may_be_another(tmp_path):
    (tmp_path / "export.csv").write_text(EXPORT)
    reading = read_stations([tmp_path])
    assert reading.rules["openaq"].startswith("end of the averaging interval: OpenAQ")
    assert str(reading.observations.begin[0]) == "2020-01-01T01:00"
    reading = read_stations([tmp_path], Options(stamp=Stamp.BEGIN))
    assert reading.rules["openaq"] == "begin of the averaging interval, as asked for"
    assert str(reading.observations.begin[0]) == "2020-01-01T02:00"


def test_the_particular_formats_go_before_the_plain_one():
    assert list(FORMATS)[:3] == ["openaq", "openaq-archive", "openaq-realtime"]
    assert len(FORMATS) > 3
