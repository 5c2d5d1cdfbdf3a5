"""Local times in UTC."""

from __future__ import annotations

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.localtime import check_zone, to_utc


def at(*texts):
    return np.array(texts, "datetime64[s]")


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        (" UTC ", "UTC"),
        ("Z", "UTC"),
        ("0", "UTC"),
        ("+00:00", "UTC"),
        ("+05:45", "+05:45"),
        ("+0545", "+05:45"),
        ("5.75", "+05:45"),
        ("8", "+08:00"),
        ("-3.5", "-03:30"),
        ("UTC+1", "+01:00"),
        ("http://dd.eionet.europa.eu/vocabulary/aq/timezone/UTC-04", "-04:00"),
        ("Etc/GMT-8", "Etc/GMT-8"),
    ],
)
def test_zones_have_one_spelling(given, zone):
    assert check_zone(given) == zone
    assert check_zone(zone) == zone


@pytest.mark.parametrize(
    "text", ["Asia/Atlantis", "", "+25:00", "../etc/passwd", "/etc/localtime", "CEST?", "Asia", "99"]
)
def test_an_unknown_zone_is_an_error(text):
    with pytest.raises(InputError, match=r"wanted an IANA name like Asia/Shanghai or an offset like \+08:00"):
        check_zone(text)


def test_offsets_are_hours_east():
    local = at("2020-01-01T05:45", "2020-07-01T05:45")
    assert (to_utc(local, "+05:45") == at("2020-01-01T00:00", "2020-07-01T00:00")).all()
    assert (to_utc(local, "-01:15") == at("2020-01-01T07:00", "2020-07-01T07:00")).all()
    assert (to_utc(local, "Asia/Kathmandu") == to_utc(local, "+05:45")).all()
    assert (to_utc(local, "UTC") == local).all()


def test_what_clocks_never_showed_or_showed_twice_is_no_time():
    """In Amsterdam 02:30 did not exist on 2016-03-27, and was there twice on 2016-10-30."""
    local = at(
        "2016-03-27T01:30", "2016-03-27T02:30", "2016-03-27T03:30", "2016-10-30T02:30", "2016-10-30T03:30", "NaT"
    )
    utc = to_utc(local, "Europe/Amsterdam")
    assert np.isnat(utc).tolist() == [False, True, False, True, False, True]
    assert (utc[[0, 2, 4]] == at("2016-03-27T00:30", "2016-03-27T01:30", "2016-10-30T02:30")).all()


def test_a_year_of_hours_comes_back():
    """Every hour of UTC but the doubled one, said in local time, is the same hour again."""
    import pandas

    hours = np.arange("2019-01-01", "2020-01-01", dtype="datetime64[h]").astype("datetime64[s]")
    local = pandas.DatetimeIndex(hours).tz_localize("UTC").tz_convert("America/Santiago").tz_localize(None)
    back = to_utc(local.to_numpy().astype("datetime64[s]"), "America/Santiago")
    known = ~np.isnat(back)
    assert np.count_nonzero(~known) == 2
    assert (back[known] == hours[known]).all()


def test_each_time_has_its_own_zone():
    local = at("2020-01-01T08:00", "2020-01-01T00:00", "2020-01-01T05:30")
    zones = np.array(["Asia/Shanghai", "UTC", "+05:30"], object)
    assert (to_utc(local, zones) == np.datetime64("2020-01-01T00:00")).all()
    assert to_utc(local[:0], zones[:0]).size == 0
