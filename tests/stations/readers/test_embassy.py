"""Embassies and consulates."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.embassy import FORMATS
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Stamp

AIRNOW, STATEAIR = FORMATS
TITLES = "Site,Parameter,Date (LT),Year,Month,Day,Hour,NowCast Conc.,AQI,AQI Category,Raw Conc.,Conc. Unit,Duration,QC Name\n"


def line(time, value, site="Beijing", parameter="PM2.5 - Principal", quality="Valid", duration="1 Hr"):
    return f"{site},{parameter},{time},2019,01,01,01,56.9,152,Unhealthy,{value},UG/M3,{duration},{quality}\n"


@pytest.fixture
def read(tmp_path):
    """Write a file and read it as one chunk."""

    def read(text, form=AIRNOW, **options):
        path = tmp_path / "dos.csv.gz"
        path.write_bytes(gzip.compress(text if isinstance(text, bytes) else text.encode()))
        assert form.recognises(head_of(path))
        (chunk,) = form.read(head_of(path), Options(**options))
        return chunk

    return read


def test_a_line_is_an_hour_in_utc(read):
    chunk = read(
        TITLES + line("2019-01-01 01:00 AM", 57.0) + line("2019-01-01 12:00 PM", 3) + line("2020-01-01 12:00 AM", 4)
    )
    assert chunk.stamp.astype("datetime64[h]").astype(str).tolist() == [
        "2018-12-31T17",
        "2019-01-01T04",
        "2019-12-31T16",
    ]
    assert chunk.value.tolist() == [57, 3, 4]
    assert set(chunk.unit) == {"UG/M3"}
    assert set(chunk.ids) == {"Beijing"}
    assert set(chunk.country) == {"CN"}
    assert set(chunk.timezone) == {"Asia/Shanghai"}
    assert chunk.period.tolist() == [60] * 3
    assert np.isnan(chunk.latitude)
    assert AIRNOW.stamp == Stamp.END


def test_only_valid_lines_are_not_flagged_and_values_stay(read):
    kinds = [("Valid", 5), ("Invalid", 6), ("Missing", -999.0), ("Suspect", 985), ("", 7)]
    text = "".join(line(f"2019-01-01 0{i}:00 AM", value, quality=kind) for i, (kind, value) in enumerate(kinds, 1))
    chunk = read(TITLES + text)
    assert chunk.flagged.tolist() == [False, True, True, True, False]
    assert chunk.value.tolist() == [5, 6, -999, 985, 7]


def test_other_species_are_left_out_and_counted(read):
    chunk = read(TITLES + line("2019-01-01 01:00 AM", 1) + line("2019-01-01 01:00 AM", 30, parameter="OZONE"))
    assert (chunk.value.tolist(), chunk.others) == ([1], 1)


def test_a_duration_is_a_period(read):
    kinds = {"1 Hr": 60, "24 Hr": 1440, "15 min": 15, "": 0}
    text = "".join(line(f"2019-01-01 0{i}:00 AM", 1, duration=kind) for i, kind in enumerate(kinds, 1))
    assert read(TITLES + text).period.tolist() == list(kinds.values())


@pytest.mark.parametrize(
    ("site", "zone", "country"),
    [
        ("Embassy Kathmandu", "Asia/Kathmandu", "NP"),
        ("Jakarta South", "Asia/Jakarta", "ID"),
        ("Ho Chi Minh City", "Asia/Ho_Chi_Minh", "VN"),
        ("N'Djamena", "Africa/Ndjamena", "TD"),
        ("New Delhi", "Asia/Kolkata", "IN"),
    ],
)
def test_posts_have_their_time_zone(read, site, zone, country):
    chunk = read(TITLES + line("2019-06-01 06:00 AM", 1, site=site))
    assert (chunk.timezone[0], chunk.country[0]) == (zone, country)


def test_every_known_post_is_in_a_time_zone_that_exists():
    from deepcams.stations.readers import embassy
    from deepcams.stations.readers.localtime import check_zone

    assert all(check_zone(zone) == zone for zone, _ in embassy._POSTS)
    assert len({post for posts in embassy._POSTS.values() for post in posts}) == sum(map(len, embassy._POSTS.values()))


def test_the_site_table_and_the_options_know_better(read, tmp_path):
    text = TITLES + line("2019-06-01 06:00 AM", 1, site="Atlantis")
    sites = Sites(tmp_path, {"atlantis": Site(30, -40, timezone="-02:00")})
    assert read(text, sites=sites, timezone="+09:00").stamp[0] == np.datetime64("2019-06-01T08:00")
    assert read(text, timezone="+09:00").stamp[0] == np.datetime64("2019-05-31T21:00")
    with pytest.raises(
        InputError, match="time zone of 'Atlantis' is not known; give a column timezone in --site-table"
    ):
        read(text)


def test_stamps_that_american_clocks_doubled_are_no_times(read):
    times = ["01:00 AM", "03:00 AM", "03:00 AM", "04:00 AM"]
    chunk = read(TITLES + "".join(line(f"2019-03-10 {time}", i) for i, time in enumerate(times)))
    assert np.isnat(chunk.stamp).tolist() == [False, True, True, False]
    # The same stamp at two posts is nothing strange.
    other = read(TITLES + line("2019-03-10 03:00 AM", 1) + line("2019-03-10 03:00 AM", 1, site="Hanoi"))
    assert not np.isnat(other.stamp).any()


def test_a_doubled_hour_of_the_posts_own_clock_is_no_time(read):
    chunk = read(
        TITLES + line("2019-10-27 02:00 AM", 1, site="Sarajevo") + line("2019-10-27 03:00 AM", 2, site="Sarajevo")
    )
    assert np.isnat(chunk.stamp).tolist() == [True, False]


def test_names_need_not_be_utf_8(read):
    assert read((TITLES + line("2019-01-01 01:00 AM", 1, site="Bogota é")).encode("cp1252")).ids[0] == "Bogota é"


def test_what_is_wrong_is_said(read):
    with pytest.raises(InputError, match="the time '01/01/19 01:00 AM'; wanted one like 2019-12-31 06:00 PM"):
        read(TITLES + line("01/01/19 01:00 AM", 1))
    with pytest.raises(InputError, match=r"no column QC Name; wanted Site, .*; found Site, "):
        read(TITLES.replace(",QC Name", ",Quality") + line("2019-01-01 01:00 AM", 1))


@pytest.mark.parametrize("time", ["2014-01-01 00:00", "1/1/2014 0:00"])
def test_stateair_has_three_lines_before_its_titles(read, time):
    text = "US Department of State\nData use statement, see https://...\n\n"
    text += "Site,Parameter,Date (LT),Year,Month,Day,Hour,Value,Unit,Duration,QC Name\n"
    text += f"Beijing,PM2.5,{time},2014,1,1,0,-999,\N{MICRO SIGN}g/m\N{SUPERSCRIPT THREE},1 Hr,Missing\n"
    chunk = read(text.encode("cp1252"), STATEAIR)
    assert chunk.stamp[0] == np.datetime64("2013-12-31T16:00")
    assert (chunk.value[0], chunk.unit[0], chunk.flagged[0]) == (-999, "\N{MICRO SIGN}g/m\N{SUPERSCRIPT THREE}", True)


def test_fireworks_of_midnight_are_stamped_by_the_end_of_the_hour(shared_data):
    """At Hanoi fireworks are let off from 00:00 of Tet on, at Shenyang until about 01:00: both seen at the stamp 01:00."""
    folder = shared_data / "stations"
    for city, year, night in (("Hanoi", 2020, "2020-01-25"), ("Shenyang", 2019, "2019-02-05")):
        (chunk,) = AIRNOW.read(head_of(folder / f"airnow_dos_{city}_{year}.csv.gz"), Options())
        offset = np.timedelta64(7 if city == "Hanoi" else 8, "h")
        local = chunk.stamp + offset - np.datetime64(night)
        hours = {hour: chunk.value[local == np.timedelta64(hour, "h")][0] for hour in (-1, 0, 1, 2)}
        rise = {hour: hours[hour] - hours[hour - 1] for hour in (0, 1, 2)}
        assert hours[1] > hours[0]
        assert rise[1] > 30
        if city == "Hanoi":
            assert hours[0] < hours[-1]  # midnight itself is not in the hour stamped 00:00


def test_the_files_of_five_cities(shared_data):
    lines = flagged = doubled = 0
    for path in sorted((shared_data / "stations").glob("airnow_dos_*.csv.gz")):
        for chunk in AIRNOW.read(head_of(path), Options()):
            lines, flagged = lines + chunk.value.size, flagged + int(chunk.flagged.sum())
            doubled += int(np.isnat(chunk.stamp).sum())
    assert (lines, flagged, doubled) == (76011, 818, 10)
