"""The Air Quality System."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.aqs import FORMAT
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Stamp

TITLES = (
    '"State Code","County Code","Site Num","Parameter Code","POC","Latitude","Longitude","Datum","Parameter Name",'
    '"Date Local","Time Local","Date GMT","Time GMT","Sample Measurement","Units of Measure","MDL","Uncertainty",'
    '"Qualifier","Method Type","Method Code","Method Name","State Name","County Name","Date of Last Change"\n'
)
UNIT = "Micrograms/cubic meter (LC)"


def line(local="2019-12-31 18:00", gmt="2020-01-01 00:00", value="5.4", state="01", code="88101", poc=3, qualifier=""):
    (day, hour), (gmt_day, gmt_hour) = local.split(), gmt.split()
    return (
        f'"{state}","073","0023","{code}",{poc},33.553056,-86.815,"WGS84","PM2.5 - Local Conditions","{day}","{hour}",'
        f'"{gmt_day}","{gmt_hour}",{value},"{UNIT}",5,,"{qualifier}","FEM","183","Thermo Scientific 5014i, beta",'
        '"Alabama","Jefferson","2020-05-17"\n'
    )


@pytest.fixture
def read(tmp_path):
    def read(text, name="hourly_88101_2019.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("hourly_88101_2019.csv", text)
        assert FORMAT.recognises(head_of(path))
        (chunk,) = FORMAT.read(head_of(path), Options())
        return chunk

    return read


@pytest.mark.parametrize("name", ["hourly_88101_2019.csv", "hourly_88101_2019.zip"])
def test_a_line_is_an_hour_in_gmt(read, name):
    chunk = read(TITLES + line() + line(poc=1), name)
    assert chunk.stamp.tolist() == [np.datetime64("2020-01-01T00:00:00").item()] * 2
    assert chunk.value.tolist() == [5.4, 5.4]
    assert chunk.ids.tolist() == ["01-073-0023"] * 2
    assert chunk.sensors.tolist() == ["3", "1"]
    assert (chunk.latitude[0], chunk.longitude[0]) == (33.553056, -86.815)
    assert (chunk.country[0], chunk.timezone[0], chunk.unit[0], chunk.period) == ("US", "-06:00", UNIT, 60)
    assert FORMAT.stamp == Stamp.BEGIN


def test_codes_without_their_zeros_are_the_same_station(read):
    assert read(TITLES + line().replace('"01","073","0023"', "1,73,23")).ids[0] == "01-073-0023"


def test_countries_and_parameters(read):
    text = line(state="80") + line(state="CC") + line(code="88502") + line(code="88501") + line(code="81102")
    chunk = read(TITLES + text)
    assert chunk.country.tolist() == ["MX", "CA", "US"]
    assert chunk.others == 2


def test_a_qualifier_is_no_flag_and_no_number_is_missing(read):
    chunk = read(TITLES + line(qualifier="IT - Wildfire-U. S.") + line(value="", qualifier="AN - Machine Malfunction."))
    assert not np.any(chunk.flagged)
    assert np.isnan(chunk.value).tolist() == [False, True]


def test_a_missing_column_is_named(read):
    with pytest.raises(InputError, match=r"no column POC; wanted State Code, .*found State Code"):
        read(TITLES.replace('"POC"', '"Poc"') + line())
