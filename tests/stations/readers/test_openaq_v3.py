"""OpenAQ's CSV export of a location."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers import read_stations
from deepcams.stations.table import Reason

TITLES = (
    "location_id,location_name,parameter,value,unit,datetimeUtc,datetimeLocal,timezone,latitude,longitude,country_iso,"
    "isMobile,isMonitor,owner_name,provider\n"
)


def line(hour=1, parameter="pm25", value="3.25", unit="µg/m³", name="Kathmandu", mobile="", country=""):
    return (
        f'9,"{name}","{parameter}",{value},"{unit}","2025-09-01T{hour:02d}:00:00Z","2025-09-01T{hour + 5:02d}:45:00+05:45",'
        f'"Asia/Kathmandu",27.7,85.3,{country},{mobile},,"Unknown Governmental Organization","AirNow"\n'
    )


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8", name="openaq.csv"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return read_stations([tmp_path / name])

    return read


@pytest.mark.parametrize("location", [7570, 1612333])
def test_the_real_export_as_pandas_reads_it(shared_data, location):
    path = shared_data / "stations" / f"openaq_v3_location_{location}.csv"
    table = pd.read_csv(path)
    pm25 = table[table.parameter == "pm25"]
    reading = read_stations([path])
    found = reading.observations
    assert (reading.lines, reading.others) == (len(pm25), len(table) - len(pm25))
    assert reading.formats == {"openaq": 1}
    ends = pd.to_datetime(pm25.datetimeUtc).dt.tz_localize(None).to_numpy()
    np.testing.assert_array_equal(found.begin, ends - np.timedelta64(1, "h"))
    np.testing.assert_array_equal(found.value, pm25.value.to_numpy(np.float32))
    assert set(found.period.tolist()) == {60}
    assert found.good.all()
    assert found.stations.ids.tolist() == [str(location)]
    assert found.stations.latitude.tolist() == [pm25.latitude.iloc[0]]
    assert found.stations.timezone.tolist() == ["America/Toronto"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_names_need_not_be_utf_8(read, encoding):
    found = read(TITLES + line(1, name="São Paulo – Norte") + line(2), encoding).observations
    assert found.stations.names.tolist() == ["São Paulo – Norte"]
    assert found.good.all()


def test_other_species_and_units(read):
    reading = read(TITLES + line(1) + line(1, "pm10") + line(2, value="") + line(3, unit="ppm") + line(3, "no2"))
    assert (reading.lines, reading.others) == (3, 2)
    assert reading.observations.reason.tolist() == [Reason.GOOD, Reason.MISSING, Reason.UNITS]


def test_stations_that_move_and_countries(read):
    stations = read(TITLES + line(mobile="true", country="NP")).observations.stations
    assert (stations.mobile.tolist(), stations.country.tolist()) == ([True], ["NP"])
    assert read(TITLES + line(mobile="false")).observations.stations.mobile.tolist() == [False]


def test_a_column_that_lacks_is_named(read):
    with pytest.raises(InputError, match=r"openaq\.csv: no column unit; wanted .*; found location_id, location_name"):
        read((TITLES + line()).replace("unit", "things", 1))


def test_a_time_that_is_none_is_named(read):
    with pytest.raises(InputError, match=r"openaq\.csv: the time '2025-09-41T01:00:00Z'; wanted ISO 8601"):
        read(TITLES + line().replace("2025-09-01T01", "2025-09-41T01"))


def test_nothing_of_pm25(read):
    with pytest.raises(InputError, match=r"no PM2\.5 in the station files \(2 lines of other species\)"):
        read(TITLES + line(1, "o3") + line(2, "no2"))
    with pytest.raises(InputError, match=r"no PM2\.5 in the station files \(no lines\)"):
        read(TITLES)
