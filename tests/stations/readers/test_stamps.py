"""The rule of stamps of each reader, shown by the lag at which what it reads correlates best with the truth."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from deepcams.stations.readers import airnow, aqs, eea, embassy, plain
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.gather import Gathering
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.readers.streams import head_of
from deepcams.stations.table import Reason, Stamp

pytest.importorskip("pyarrow")

HOURS = np.datetime64("2019-02-01T00", "h") + np.arange(24 * 30)
HOUR = np.timedelta64(1, "h")
LAGS = range(-6, 7)
BEIJING = np.timedelta64(8, "h")


@pytest.fixture(scope="module")
def truth():
    """(hours,) means over [HH:00, HH+1:00] UTC: a daily cycle and autoregressive noise."""
    rng = np.random.default_rng(5)
    noise = np.zeros(HOURS.size)
    for i in range(1, HOURS.size):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 3)
    return np.round(60 + 10 * np.sin(2 * np.pi * np.arange(HOURS.size) / 24) + noise, 2)


def written(times, values, titles, line):
    """A file's text: ``line`` makes one from a datetime and a value."""
    texts = [line(one, value) for one, value in zip(times.astype("datetime64[s]").tolist(), values, strict=True)]
    return titles + "".join(texts)


def embassy_airnow(values):
    titles = "Site,Parameter,Date (LT),NowCast Conc.,AQI,AQI Category,Raw Conc.,Conc. Unit,Duration,QC Name\n"
    return written(
        HOURS + HOUR + BEIJING,
        values,
        titles,
        lambda time, value: f"Beijing,PM2.5 - Principal,{time:%Y-%m-%d %I:%M %p},1,1,Good,{value},UG/M3,1 Hr,Valid\n",
    )


def stateair(values):
    titles = "one\ntwo\nthree\nSite,Parameter,Date (LT),Year,Month,Day,Hour,Value,Unit,Duration,QC Name\n"
    return written(
        HOURS + BEIJING,
        values,
        titles,
        lambda time, value: f"Beijing,PM2.5,{time:%Y-%m-%d %H:%M},2019,1,1,0,{value},UG/M3,1 Hr,Valid\n",
    )


def aqs_hourly(values):
    titles = (
        '"State Code","County Code","Site Num","Parameter Code","POC","Latitude","Longitude","Date Local","Time Local",'
        '"Date GMT","Time GMT","Sample Measurement","Units of Measure"\n'
    )
    return written(
        HOURS,
        values,
        titles,
        lambda time, value: (
            f'"01","073","0023","88101",1,33.5,-86.8,"{time:%Y-%m-%d}","{time:%H:%M}","{time:%Y-%m-%d}","{time:%H:%M}",'
            f'{value},"Micrograms/cubic meter (LC)"\n'
        ),
    )


def airnow_hourly(values):
    return written(
        HOURS,
        values,
        "",
        lambda time, value: (
            f"{time:%m/%d/%y}|{time:%H:%M}|000010102|St. John's|-4|PM2.5|UG/M3|{value}|Environment Canada\n"
        ),
    )


def airnow_obs(values):
    titles = "AQSID,SiteName,GMTOffset,CountryCode,Latitude,Longitude,ValidDate,ValidTime,PM25,PM25_Unit\n"
    return written(
        HOURS, values, titles, lambda time, value: f"1,A,-4,CA,47,-53,{time:%m/%d/%Y},{time:%H:%M},{value},UG/M3\n"
    )


def airnow_table(values):
    titles = "AQSID,SiteName,CountryCode,Latitude,Longitude,time,PM25\n"
    return written(HOURS, values, titles, lambda time, value: f"1,A,CA,47,-53,{time:%Y-%m-%d %H:%M:%S},{value}\n")


def eea_table(values):
    titles = "Samplingpoint,Pollutant,Start,End,Value,Unit,AggType,Validity\n"
    return written(
        HOURS + HOUR,
        values,
        titles,
        lambda time, value: f"NL/SPO.1,6001,{time},{time + timedelta(hours=1)},{value},ug.m-3,hour,1\n",
    )


def eea_csv(values):
    titles = "SamplingPoint,AirPollutantCode,DatetimeBegin,DatetimeEnd,UnitOfMeasurement,Concentration,Validity\n"
    lines = []
    for begin, value in zip(HOURS, values, strict=True):
        first, last = (str((begin + add).astype("datetime64[s]")).replace("T", " ") for add in (HOUR, 2 * HOUR))
        lines.append(f"SPO.1,6001,{first} +01:00,{last} +01:00,ug/m3,{value},1\n")
    return titles + "".join(lines)


def table(values):
    return written(HOURS, values, "time,pm25_ugm3\n", lambda time, value: f"{time},{value}\n")


CASES = {
    "embassy": (embassy.FORMATS[0], embassy_airnow, Stamp.END),
    "stateair": (embassy.FORMATS[1], stateair, Stamp.BEGIN),
    "aqs": (aqs.FORMAT, aqs_hourly, Stamp.BEGIN),
    "airnow-hourly": (airnow.FORMATS[0], airnow_hourly, Stamp.BEGIN),
    "airnow-aqobs": (airnow.FORMATS[1], airnow_obs, Stamp.BEGIN),
    "airnow-table": (airnow.FORMATS[2], airnow_table, Stamp.BEGIN),
    "eea": (eea.FORMATS[0], eea_table, Stamp.BEGIN),
    "eea-csv": (eea.FORMATS[1], eea_csv, Stamp.BEGIN),
    "table": (plain.FORMAT, table, Stamp.BEGIN),
}


@pytest.fixture
def read(tmp_path, truth):
    """Write the truth in a format and read it back."""
    sites = Sites(tmp_path, {one: Site(10, 20) for one in ("Beijing", "000010102", "SPO.1", "station")})

    def read(name, stamp=None):
        form, write, _ = CASES[name]
        path = tmp_path / "station.csv"
        path.write_text(write(truth))
        gathering = Gathering(Options(sites=sites, stamp=stamp))
        assert gathering.add(form, head_of(path)) == HOURS.size
        return gathering.end().observations

    return read


def lag_of(observations, truth):
    """At how many hours after the truth the observations are most like it."""
    begin = observations.begin.astype("datetime64[h]")
    scores = {}
    for lag in LAGS:
        _, mine, own = np.intersect1d(begin, HOURS + lag * HOUR, return_indices=True)
        scores[lag] = np.corrcoef(observations.value[mine], truth[own])[0, 1]
    return max(scores, key=scores.get)


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_begins_when_it_did(name, read, truth):
    observations = read(name)
    assert CASES[name][0].name == name
    assert CASES[name][0].stamp == CASES[name][2]
    assert lag_of(observations, truth) == 0
    assert (observations.reason == Reason.GOOD).all()
    np.testing.assert_allclose(observations.value[np.argsort(observations.begin)], truth, rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_opposite_rule_is_an_hour_off(name, read, truth):
    rule = CASES[name][2]
    opposite = Stamp.BEGIN if rule == Stamp.END else Stamp.END
    assert lag_of(read(name, opposite), truth) == (1 if rule == Stamp.END else -1)


@pytest.mark.parametrize("name", CASES)
def test_each_rule_is_documented(name):
    form = CASES[name][0]
    assert form.rule
    assert form.wanted
    assert form.title
