"""AirNow's hourly files."""

from __future__ import annotations

import time

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.airnow import FORMATS
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.countries import iso_of_fips
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Stamp

HOURLY, OBS, TABLE = FORMATS
OBS_TITLES = (
    '"AQSID","SiteName","Status","EPARegion","Latitude","Longitude","Elevation","GMTOffset","CountryCode","StateName",'
    '"ValidDate","ValidTime","DataSource","ReportingArea_PipeDelimited","OZONE_AQI","PM10_AQI","PM25_AQI","NO2_AQI",'
    '"OZONE_Measured","PM10_Measured","PM25_Measured","NO2_Measured","PM25","PM25_Unit","OZONE","OZONE_Unit"\n'
)


def obs(aqsid, pm25, country="US", offset="-5", site="A site, with a comma"):
    measured = int(pm25 != "")
    return (
        f'"{aqsid}","{site}","Active","R1","41.5","-72.6","10.1","{offset}","{country}","CT","04/08/2024","05:00","CT DEEP",'
        f'"Hartford|Somewhere","30","","40","","1","0","{measured}","0","{pm25}","{"UG/M3" if measured else ""}","31","PPB"\n'
    )


@pytest.fixture
def read(tmp_path):
    def read(text, form, name="HourlyData_2024040805.dat"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert [one.name for one in FORMATS if one.recognises(head_of(path))] == [form.name]
        (chunk,) = form.read(head_of(path), Options())
        return chunk

    return read


@pytest.mark.parametrize("date", ["04/08/24", "04/08/2024"])
def test_hourly_data_have_no_titles(read, date):
    text = (
        f"{date}|05:00|000010102|St. John's|-4|OZONE|PPB|31|Environment Canada\n"
        f"{date}|05:00|000010102|St. John's|-4|PM2.5|UG/M3|-1.5|Environment Canada\n"
        f"{date}|05:00|KM1010001|Kathmandu|5.75|PM2.5|UG/M3|80|DOS\n"
        f"{date}|05:00|KM1010001|Kathmandu|5.75|PM2.5-24hr|UG/M3|70|DOS\n"
    )
    chunk = read(text, HOURLY)
    assert (chunk.stamp == np.datetime64("2024-04-08T05:00")).all()
    assert chunk.value.tolist() == [-1.5, 80]
    assert chunk.ids.tolist() == ["000010102", "KM1010001"]
    assert chunk.names.tolist() == ["St. John's", "Kathmandu"]
    assert chunk.timezone.tolist() == ["-04:00", "+05:45"]
    assert (set(chunk.unit), chunk.period, chunk.others) == ({"UG/M3"}, 60, 2)
    assert np.isnan(chunk.latitude)


def test_names_are_often_not_utf_8(read):
    chunk = read("04/08/24|05:00|1|Montréal|-5|PM2.5|UG/M3|3|QC\n".encode("latin-1"), HOURLY)
    assert chunk.names[0] == "Montréal"


def test_observations_have_coordinates(read):
    text = OBS_TITLES + obs("1", "7.5") + obs("2", "") + obs("3", "-999", "CH", "8", "Beijing")
    chunk = read(text, OBS)
    assert (chunk.stamp == np.datetime64("2024-04-08T05:00")).all()
    assert (chunk.ids.tolist(), chunk.value.tolist(), chunk.others) == (["1", "3"], [7.5, -999], 1)
    assert (chunk.latitude[0], chunk.longitude[0]) == (41.5, -72.6)
    assert chunk.country.tolist() == ["US", "CN"]
    assert chunk.timezone.tolist() == ["-05:00", "+08:00"]


@pytest.mark.parametrize("packed", ["csv", "parquet"])
def test_a_table_of_airnow(read, tmp_path, packed):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    titles = ["AQSID", "SiteName", "CountryCode", "Latitude", "Longitude", "Elevation", "time", "PM25"]
    if packed == "csv":
        chunk = read(",".join(titles) + "\nBJ1,Beijing,CH,39.95,116.47,50,2024-04-08 05:00:00,8.5\n", TABLE)
    else:
        text = pa.array(["BJ1"]).dictionary_encode(), pa.array(["Beijing"]), pa.array(["CH"]).dictionary_encode()
        number = [pa.array([one], pa.float32()) for one in (39.95, 116.47, 50)]
        stamp = pa.array([np.datetime64("2024-04-08T05:00:00", "us")])
        columns = [*text, *number, stamp, pa.array([8.5], pa.float32())]
        pq.write_table(pa.table(columns, names=titles), tmp_path / "table.parquet")
        (chunk,) = TABLE.read(head_of(tmp_path / "table.parquet"), Options())
    assert chunk.stamp[0] == np.datetime64("2024-04-08T05:00")
    assert (chunk.ids[0], chunk.names[0], chunk.country[0]) == ("BJ1", "Beijing", "CN")
    assert (chunk.value[0], chunk.latitude[0]) == (8.5, pytest.approx(39.95, abs=1e-5))


def test_countries_are_those_of_fips():
    """As the coordinates of AirNow's posts show: its CH is Beijing, its NI Abuja, its BA Manama, its BK Sarajevo."""
    codes = {"CH": "CN", "VM": "VN", "NI": "NG", "BA": "BH", "BK": "BA", "SG": "SN", "US": "US", "ca": "CA", "": ""}
    assert {code: iso_of_fips(code) for code in codes} == codes
    assert iso_of_fips("USA") == ""


def test_what_is_wrong_is_said(read, tmp_path):
    with pytest.raises(InputError, match="the time '99/99/24 05:00'; wanted one like 12/31/19 18:00"):
        read("99/99/24|05:00|1|A|-5|PM2.5|UG/M3|3|B\n", HOURLY)
    with pytest.raises(InputError, match="no column SiteName, GMTOffset"):
        read("AQSID,ValidDate,ValidTime,PM25\n1,04/08/2024,05:00,3\n", OBS)


def test_all_stamps_are_begins():
    assert {form.stamp for form in FORMATS} == {Stamp.BEGIN}


def test_half_a_million_values_in_seconds(shared_data):
    """The whole sample, against pandas."""
    pandas = pytest.importorskip("pandas")
    path = shared_data / "stations" / "airnow_hourly_2024-04.parquet"
    start = time.perf_counter()
    chunks = list(TABLE.read(head_of(path), Options()))
    assert time.perf_counter() - start < 5
    frame = pandas.read_parquet(path)
    assert sum(chunk.value.size for chunk in chunks) == len(frame) == 483657
    np.testing.assert_array_equal(np.concatenate([chunk.value for chunk in chunks]), frame["PM25"].to_numpy(np.float64))
    stamps = np.concatenate([chunk.stamp for chunk in chunks])
    np.testing.assert_array_equal(stamps, frame["time"].to_numpy().astype("datetime64[s]"))
    assert np.unique(np.concatenate([chunk.ids for chunk in chunks])).size == 1430
