"""OpenAQ's archive: a file for each location and local day."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers import read_stations

TITLES = "location_id,sensors_id,location,datetime,lat,lon,parameter,units,value\n"


def day(location=2178, date="2022-05-03", offset="+05:45", sensor="3919,", quote=""):
    """A local day as the archive has it: 01:00 to 00:00, several species."""
    hours = np.datetime64(f"{date}T01") + np.arange(24)
    return "".join(
        f"{location},{sensor}{quote}Del Norte-{location}{quote},{quote}{hour}:00:00{offset}{quote},35.1353,-106.5847,"
        f"{quote}{species}{quote},{quote}µg/m³{quote},{value}\n"
        for species in ("pm10", "pm25")
        for value, hour in enumerate(hours)
    )


@pytest.fixture
def archive(tmp_path):
    """Write a file of a location and day where the archive has it."""

    def archive(text, location=2178, date="2022-05-03"):
        year, month, _ = date.split("-")
        folder = tmp_path / f"locationid={location}" / f"year={year}" / f"month={month}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"location-{location}-{date.replace('-', '')}.csv.gz"
        path.write_bytes(gzip.compress(text.encode()))
        return tmp_path

    return archive


@pytest.mark.parametrize(
    ("offset", "begin"), [("+05:45", "2022-05-02T18:15"), ("-07:00", "2022-05-03T07:00"), ("Z", "2022-05-03T00:00")]
)
def test_hour_ending_local_times_become_beginning_ones_of_utc(archive, offset, begin):
    reading = read_stations([archive(TITLES + day(offset=offset))])
    found = reading.observations
    assert (reading.lines, reading.others, reading.formats) == (24, 24, {"openaq-archive": 1})
    np.testing.assert_array_equal(found.begin, np.datetime64(begin, "m") + 60 * np.arange(24))
    np.testing.assert_array_equal(found.value, np.arange(24))
    assert set(found.period.tolist()) == {60}
    assert found.stations.timezone.tolist() == [offset.replace("Z", "")]
    assert "time-ending" in reading.rules["openaq-archive"]


def test_a_station_is_one_over_many_files(archive):
    dates = [f"2022-05-{one:02d}" for one in range(1, 21)]
    for location in (1, 2, 3):
        for date in dates:
            folder = archive(TITLES + day(location, date), location, date)
    reading = read_stations([folder])
    found = reading.observations
    assert (reading.lines, len(reading.files)) == (3 * 20 * 24, 60)
    assert found.stations.ids.tolist() == ["1", "2", "3"]
    assert found.stations.sensors.tolist() == ["3919"] * 3
    for station in range(3):
        begins = found.begin[found.station == station]
        assert (np.diff(begins) == np.timedelta64(60, "m")).all()


def test_an_offset_that_changes_with_the_clocks_is_the_same_station(archive):
    archive(TITLES + day(date="2022-03-26", offset="+01:00"), date="2022-03-26")
    folder = archive(TITLES + day(date="2022-03-28", offset="+02:00"), date="2022-03-28")
    found = read_stations([folder]).observations
    assert found.stations.size == 1
    assert [str(one) for one in found.begin[[0, 24]]] == ["2022-03-25T23:00", "2022-03-27T22:00"]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("sensors", ["sensors_id,", "sensor_id,", ""])
def test_columns_may_be_quoted_and_the_instrument_lack(archive, quote, sensors):
    titles = TITLES.replace("sensors_id,", sensors)
    text = titles + day(sensor="3919," if sensors else "", quote=quote)
    stations = read_stations([archive(text)]).observations.stations
    assert stations.names.tolist() == ["Del Norte-2178"]
    assert stations.sensors.tolist() == ["3919" if sensors else ""]


def test_two_instruments_are_two(archive):
    found = read_stations([archive(TITLES + day() + day(sensor="77,"))]).observations
    assert found.stations.sensors.tolist() == ["3919", "77"]
    assert np.bincount(found.station).tolist() == [24, 24]


def test_sub_hourly_files_keep_their_period(archive):
    minutes = np.datetime64("2022-05-03T00:15") + 15 * np.arange(96)
    lines = "".join(f"5,6,Quick-5,{one}:00+00:00,1.5,2.5,pm25,µg/m³,8\n" for one in minutes)
    found = read_stations([archive(TITLES + lines)]).observations
    assert set(found.period.tolist()) == {15}
    assert str(found.begin[0]) == "2022-05-03T00:00"


def test_half_a_file_is_refused(archive):
    folder = archive(TITLES + day())
    (path,) = folder.rglob("*.gz")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"location-2178-20220503\.csv\.gz: the file is cut off; fetch it again"):
        read_stations([folder])


def test_a_wrong_delimiter_is_told(archive):
    with pytest.raises(InputError, match=r"csv\.gz: line 2 has .* columns, the first line 9"):
        read_stations([archive(TITLES + day().replace(",", ";"))])


def test_times_may_have_microseconds_but_not_lack_an_offset(tmp_path):
    path = tmp_path / "a.csv"
    titles = "location_id,sensors_id,location,datetime,lat,lon,parameter,units,value"

    def begin(stamp):
        path.write_text(f"{titles}\n1,2,A,{stamp},28,77,pm25,ug/m3,5\n")
        return str(read_stations([path]).observations.begin[0])

    assert begin("2020-01-01T01:00:00.000000+05:30") == begin("2020-01-01T01:00:00+05:30") == "2019-12-31T18:30"
    with pytest.raises(InputError, match=r"the time '2020-01-01T01:00:00'; wanted times like .*05:45"):
        begin("2020-01-01T01:00:00")
