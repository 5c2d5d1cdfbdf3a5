"""Chunks made one table: stations once, units, reasons, intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.gather import Gathering
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.table import Reason, Stamp

HOURS = np.datetime64("2020-03-01T00", "s") + 3600 * np.arange(4)


def texts(*of):
    return np.array(of, object)


def chunk(values=(1.0, 2.0, 3.0, 4.0), **columns):
    given = {"unit": "ug/m3", "ids": "A", "latitude": 50.0, "longitude": 5.0} | columns
    return Chunk(given.pop("stamp", HOURS[: len(values)]), np.array(values, np.float64), **given)


def gather(*chunks, options=Options(), stamp=Stamp.END, path="folder/file.csv"):  # noqa: B008
    """What is gathered from chunks, each in a file of its own."""
    gathering = Gathering(options)
    for one in chunks:
        source = Format("made", "Made here", stamp, "", lambda head: True, lambda head, options, one=one: iter([one]))
        gathering.add(source, Head(Path(path), (), (), ","))
    return gathering.end()


def sites(**of):
    return Options(sites=Sites(Path("sites.csv"), of))


@pytest.mark.parametrize(("stamp", "begin"), [(Stamp.BEGIN, "00:00"), (Stamp.MIDDLE, "23:30"), (Stamp.END, "23:00")])
@pytest.mark.parametrize("asked", [False, True])
def test_stamps_become_begins(stamp, begin, asked):
    rule, options = (Stamp.BEGIN, Options(stamp=stamp)) if asked else (stamp, Options())
    found = gather(chunk(period=60), stamp=rule, options=options).observations
    assert str(found.begin[0]).endswith(begin)
    assert found.begin.dtype == "datetime64[m]"
    assert found.period.tolist() == [60] * 4


def test_a_station_in_many_chunks_is_one():
    every = chunk(ids=texts("A", "B", "A", "B"), latitude=np.array([50, 51, 50.00001, 51]), longitude=np.full(4, 5.0))
    found = gather(
        every, chunk(ids=texts("B", "B", "A", "A"), latitude=np.array([51.0, 51, 50, 50])), every
    ).observations
    assert found.stations.ids.tolist() == ["A", "B"]
    assert found.station.tolist() == [0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    assert found.stations.latitude.tolist() == [50, 51]


def test_another_place_or_instrument_is_another_entry():
    moved = chunk(latitude=np.array([50, 50, 50.01, 50.01]), longitude=np.full(4, 5.0))
    assert gather(moved).observations.station.tolist() == [0, 0, 1, 1]
    assert gather(chunk(sensors=texts("1", "2", "2", "1"))).observations.station.tolist() == [0, 1, 1, 0]


def test_units_are_converted_and_others_refused():
    found = gather(chunk(unit=texts("mg/m3", "ug/m3", "ppm", "ng/m3")))
    np.testing.assert_array_equal(found.observations.value, np.float32([1000, 2, np.nan, 0.004]))
    assert found.observations.reason.tolist() == [0, 0, Reason.UNITS, 0]
    assert found.notes[-1] == "units that are no mass in a volume of air: ppm (1 lines)"


def test_codes_for_missing_numbers_are_not_converted():
    found = gather(chunk([-999, -1, -0.002, 0.01], unit="mg/m3")).observations
    np.testing.assert_allclose(found.value, [-999, -1, -2, 10], rtol=1e-6)


def test_the_users_unit_serves_files_without_one():
    np.testing.assert_allclose(gather(chunk(unit=""), options=Options(units="mg/m3")).observations.value[0], 1000)
    with pytest.raises(InputError, match=r"file\.csv: the file does not tell its units; give --units"):
        gather(chunk(unit=""))
    with pytest.raises(InputError, match="units 'ppb'"):
        Gathering(Options(units="ppb"))


def test_the_site_tables_unit_goes_before_the_users():
    options = Options(sites(A=Site(1, 2, units="mg/m3")).sites, units="ug/m3")
    assert gather(chunk([1, 1], ids=texts("A", "B"), unit=""), options=options).observations.value.tolist() == [1000, 1]


def test_a_single_line_without_unit_is_refused_alone():
    assert gather(chunk([1, 2], unit=texts("ug/m3", ""))).observations.reason.tolist() == [0, Reason.UNITS]


def test_reasons_are_those_that_come_first():
    stamp = HOURS.copy()
    stamp[[0, 1]] = "NaT"
    flagged = np.array([False, True, True, False])
    found = gather(chunk([1, 1, np.nan, np.inf], stamp=stamp, flagged=flagged)).observations
    assert found.reason.tolist() == [Reason.LOCAL_TIME, Reason.FLAGGED, Reason.MISSING, Reason.MISSING]
    assert np.isnat(found.begin).tolist() == [True, True, False, False]
    assert np.isnan(found.value).tolist() == [False, False, True, True]


def test_periods_are_told_over_all_files_where_none_is_given():
    daily = np.datetime64("2020-03-01", "s") + 86400 * np.arange(3)
    found = gather(*(chunk([1.0], stamp=daily[i : i + 1]) for i in range(3)), chunk(ids="B", period=15))
    assert found.observations.period.tolist() == [1440] * 3 + [15] * 4
    assert str(found.observations.begin[0]) == "2020-02-29T00:00"
    assert found.notes == ("averaging periods told from the spacing of time stamps: 1440 min (3 lines)",)


def test_coordinates_come_from_the_site_table_by_id_or_name():
    options = sites(a=Site(10, 20, country="CN", timezone="Asia/Shanghai"), bonn=Site(50.7, 7.1))
    lost = chunk(
        ids=texts("A ", "7", "7", "A "), names=texts("", "Bonn", "Bonn", ""), latitude=np.nan, longitude=np.nan
    )
    found = gather(lost, options=options).observations.stations
    assert found.latitude.tolist() == [10, 50.7]
    assert found.country.tolist() == ["CN", ""]
    assert found.timezone.tolist() == ["Asia/Shanghai", ""]


def test_a_single_site_serves_a_single_station_named_by_its_file():
    lost = chunk(ids="file", latitude=np.nan, longitude=np.nan)
    options = sites(Utrecht=Site(52.1, 5.1, name="Utrecht", units="ug/m3"))
    assert gather(lost, options=options).observations.stations.latitude.tolist() == [52.1]
    with pytest.raises(InputError, match="'Bonn'"):
        gather(chunk(ids="Bonn", latitude=np.nan, longitude=np.nan), options=options)
    with pytest.raises(InputError, match="'other'"):
        gather(lost, chunk(ids="other", latitude=np.nan, longitude=np.nan), options=options)


def test_stations_without_coordinates_are_named():
    lost = chunk(ids=texts("A", "B", "C", "D"), latitude=np.nan, longitude=np.nan)
    wanted = r"file\.csv: no coordinates of station 'A', 'B', 'C' and 1 more: .*--site-table.*id,latitude,longitude"
    with pytest.raises(InputError, match=wanted):
        gather(lost)
    with pytest.raises(InputError, match=r"the site table sites\.csv has no such station"):
        gather(lost, options=sites(E=Site(1, 2)))


def test_a_place_that_some_lines_lack_is_left_to_quality_control():
    found = gather(chunk(latitude=np.array([50, np.nan, 50, np.nan]), longitude=np.full(4, 5.0))).observations
    assert found.station.tolist() == [0, 1, 0, 1]
    assert np.isnan(found.stations.latitude).tolist() == [False, True]


def test_lines_of_other_species_are_counted():
    empty = chunk([], others=5)
    found = gather(empty, chunk(others=2), empty)
    assert (found.others, found.observations.size) == (12, 4)


def test_nothing_at_all():
    found = gather()
    assert (found.observations.size, found.observations.stations.size) == (0, 0)


def test_columns_of_a_type_that_does_not_fit_are_said(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    from deepcams.stations.readers import read_stations

    times = pa.array([np.datetime64("2020-01-01T00", "s")])
    parquet.write_table(pa.table({"time": times, "pm25": pa.array([[1.0]])}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: a column has a type that does not fit it \(.*list"):
        read_stations([tmp_path / "a.parquet"])
