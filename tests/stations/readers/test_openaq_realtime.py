"""OpenAQ's real-time files."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers import read_stations
from deepcams.stations.table import Reason


def record(**changes):
    """A line of the documentation, with changes; None takes a field away."""
    given = {
        "date": {"utc": "2020-10-01T00:00:00.000Z", "local": "2020-10-01T04:00:00+04:00"},
        "parameter": "pm25",
        "value": 20,
        "unit": "µg/m³",
        "averagingPeriod": {"value": 1, "unit": "hours"},
        "location": "US Diplomatic Post: Abu Dhabi",
        "city": "Abu Dhabi",
        "country": "AE",
        "coordinates": {"latitude": 24.424399, "longitude": 54.433746},
        "attribution": [{"name": "EPA AirNow DOS", "url": "http://airnow.gov"}],
        "sourceName": "StateAir_AbuDhabi",
        "sourceType": "government",
        "mobile": False,
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def at(text):
    return {"utc": f"{text}:00.000Z", "local": f"{text}:00+00:00"}


@pytest.fixture
def read(tmp_path):
    def read(*records, name="2020-10-01.ndjson", encoding="utf-8", pack=bytes):
        text = "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in records)
        (tmp_path / name).write_bytes(pack(text.encode(encoding)))
        return read_stations([tmp_path / name])

    return read


@pytest.mark.parametrize(
    ("name", "pack"), [("a.ndjson", bytes), ("a.json", bytes), ("1633046400.ndjson.gz", gzip.compress)]
)
def test_the_line_of_the_documentation(read, name, pack):
    reading = read(record(), name=name, pack=pack)
    found = reading.observations
    assert (reading.lines, reading.others, reading.formats) == (1, 0, {"openaq-realtime": 1})
    assert (str(found.begin[0]), found.period[0], found.value[0], found.reason[0]) == ("2020-09-30T23:00", 60, 20, 0)
    stations = found.stations
    assert stations.ids.tolist() == ["US Diplomatic Post: Abu Dhabi / Abu Dhabi / StateAir_AbuDhabi"]
    assert stations.names.tolist() == ["US Diplomatic Post: Abu Dhabi"]
    assert (stations.latitude[0], stations.longitude[0]) == (24.424399, 54.433746)
    assert (stations.country[0], stations.timezone[0], stations.mobile[0]) == ("AE", "+04:00", False)
    assert "backward looking" in reading.rules["openaq-realtime"]


@pytest.mark.parametrize(
    ("value", "unit", "minutes"),
    [(1, "hours", 60), (24, "hours", 1440), (1, "days", 1440), (15, "minutes", 15), (0.25, "hours", 15),
     (3600, "seconds", 60), (10, "seconds", 1), (1, "Hours", 60)],
)  # fmt: skip
def test_averaging_periods_in_any_unit(read, value, unit, minutes):
    found = read(record(averagingPeriod={"value": value, "unit": unit})).observations
    assert found.period.tolist() == [minutes]
    assert found.begin[0] == np.datetime64("2020-10-01T00:00") - minutes


@pytest.mark.parametrize(
    "period", [None, {"unit": "hours"}, {"value": 0, "unit": "hours"}, {"value": 1, "unit": "ages"}]
)
def test_periods_that_are_not_told_follow_from_the_spacing(read, period):
    records = [record(averagingPeriod=period, date=at(f"2020-10-01T00:{minute:02d}")) for minute in (0, 10, 20)]
    mixed = record(averagingPeriod={"value": 1, "unit": "days"}, date=at("2020-10-01T00:05"))
    assert read(*records, mixed).observations.period.tolist() == [10, 10, 10, 1440]


def test_whole_numbers_and_fractions_missing_ones_and_other_species(read):
    values = [record(value=value) for value in (1, 2.5, None, -999)]
    reading = read(*values, record(parameter="o3", unit="ppm"), record(unit="ppm"), record(value=0.03, unit="mg/m³"))
    found = reading.observations
    assert (reading.lines, reading.others) == (6, 1)
    np.testing.assert_allclose(found.value, [1, 2.5, np.nan, -999, np.nan, 30], rtol=1e-6)
    assert found.reason.tolist() == [0, 0, Reason.MISSING, 0, Reason.UNITS, 0]


def test_coordinates_may_be_absent(read):
    found = read(record(coordinates=None), record(), record(location="B", coordinates={})).observations
    assert np.isnan(found.stations.latitude).tolist() == [True, False, True]


def test_names_are_unique_only_in_their_source_and_city(read):
    same = [record(), record(sourceName="other"), record(city="Dubai"), record(city=None), record()]
    assert read(*same).observations.station.tolist() == [0, 1, 2, 3, 0]


def test_stations_that_move(read):
    found = read(record(mobile=True), record(location="B", mobile=None)).observations
    assert found.stations.mobile.tolist() == [True, False]


def test_what_api_v2_answers_has_numbers_of_locations(read):
    shape = {"city": None, "sourceName": None, "mobile": None, "location": "Home"}
    found = read(
        record(locationId=7, isMobile=False, **shape),
        record(locationId=8, isMobile=True, **shape),
        record(locationId="7", **shape),
    ).observations
    assert found.stations.ids.tolist() == ["7", "8"]
    assert found.stations.names.tolist() == ["Home", "Home"]
    assert found.stations.mobile.tolist() == [False, True]
    assert found.station.tolist() == [0, 1, 0]


def test_names_need_not_be_utf_8(read):
    found = read(record(location="Ålesund"), record(location="São João"), encoding="cp1252").observations
    assert found.stations.names.tolist() == ["Ålesund", "São João"]
    assert found.good.all()


def test_several_thousand_stations_a_day_over_several_blocks(read):
    records = [
        record(location=f"Station {i}", date=at(f"2020-10-01T{hour:02d}:00"), value=hour + i / 4)
        for hour in range(8)
        for i in range(2000)
    ]
    found = read(*records).observations
    assert found.stations.size == 2000
    np.testing.assert_array_equal(found.station, np.tile(np.arange(2000), 8))
    np.testing.assert_array_equal(found.value, [one["value"] for one in records])


@pytest.mark.parametrize(
    ("changes", "value", "reason"),
    [
        ({"value": "12.5"}, 12.5, Reason.GOOD),
        ({"value": "n/a"}, np.nan, Reason.MISSING),
        ({"value": [1]}, np.nan, Reason.MISSING),
        ({"value": 1e300}, np.finfo(np.float32).max, Reason.GOOD),
        ({"coordinates": [0, 0]}, 20, Reason.GOOD),
        ({"averagingPeriod": 1}, 20, Reason.GOOD),
        ({"averagingPeriod": {"value": "1", "unit": "hours"}}, 20, Reason.GOOD),
        ({"location": 42}, 20, Reason.GOOD),
        ({"city": False}, 20, Reason.GOOD),
        ({"mobile": "false"}, 20, Reason.GOOD),
        ({"attribution": "nobody"}, 20, Reason.GOOD),
        ({"unit": ""}, np.nan, Reason.UNITS),
        ({"date": "yesterday"}, 20, Reason.LOCAL_TIME),
    ],
)
def test_a_field_of_another_type_does_not_spoil_the_file(read, changes, value, reason):
    odd = record(**({"location": "odd"} | changes))
    reading = read(*[record()] * 3, odd, record(), record(parameter="o3"))
    found = reading.observations
    assert (reading.lines, reading.others) == (5, 1)
    np.testing.assert_array_equal(found.value[3], np.float32(value))
    assert found.reason[3] == reason
    assert (found.value[[0, 1, 2, 4]] == 20).all()
    assert (found.period == 60).all()


def test_names_of_a_line_of_another_type_are_as_those_of_others(read):
    records = [record(location="Ålesund"), record(location="Ålesund", value="20")]
    for encoding in ("utf-8", "cp1252"):
        assert read(*records, encoding=encoding).observations.stations.names.tolist() == ["Ålesund"]


def test_coordinates_in_quotes(read):
    found = read(record(), record(coordinates={"latitude": "24.424399", "longitude": "54.433746"})).observations
    assert found.station.tolist() == [0, 0]


@pytest.mark.parametrize(
    "utc", ["2020-10-01T00:00:00Z", "2020-10-01T00:00:00", "2020-10-01T00:00:00.000000Z", "2020-10-01T02:00:00+02:00"]
)
def test_times_in_utc_with_any_digits_with_and_without_offset(read, utc):
    found = read(record(), record(date={"utc": utc})).observations
    assert found.begin.tolist() == found.begin[:1].tolist() * 2


def test_lines_without_a_unit_are_told(read):
    reading = read(record(), record(unit=None))
    assert reading.notes == ("units that are no mass in a volume of air: none told (1 lines)",)


def test_the_first_line_need_not_have_all_fields(read):
    assert read(record(unit=None), record()).lines == 2


def test_half_a_line_is_refused(read, tmp_path):
    path = tmp_path / "half.ndjson"
    line = json.dumps(record())
    path.write_text(line + "\n" + line[: len(line) // 2])
    with pytest.raises(InputError, match=r"half\.ndjson: line 2 is not a JSON object"):
        read_stations([path])
    path = tmp_path / "half.ndjson.gz"
    path.write_bytes(gzip.compress((line + "\n").encode() * 5000)[:-30])
    with pytest.raises(InputError, match=r"half\.ndjson\.gz: the file is cut off"):
        read_stations([path])


def test_a_list_of_objects_is_not_this_format(tmp_path):
    (tmp_path / "list.json").write_text(json.dumps([record()]))
    with pytest.raises(
        InputError, match=r"list\.json: not a known format .*\n.*\n.*\n  openaq-realtime: a JSON object"
    ):
        read_stations([tmp_path / "list.json"])
