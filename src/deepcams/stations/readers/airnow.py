"""Hourly PM2.5 of AirNow: its files ``HourlyData_*.dat`` and ``HourlyAQObs_*.dat``, and tables made from them.

Stamps are GMT and say the **begin** of the hour (docs.airnowapi.org, "Hourly Data File" fact sheet, as OpenAQ found
when it had taken them for the end: github.com/openaq/openaq-fetch, issue 671; AirNow's exchange format AQCSV says the
same: aqs.epa.gov/aqsweb/documents/AQCSV_Format.html). The web pages for the public name the same hours by their end.

``HourlyData`` has no coordinates: AirNow's list of sites is the site table. Country codes are those of FIPS 10-4, and
turned into ISO 3166. Concentrations are ug m-3, preliminary, with negative numbers and -999 as reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Any

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import MICROGRAMS, chunks_of, each, joined, numbers, texts, times
from deepcams.stations.readers.countries import iso_of_fips
from deepcams.stations.readers.localtime import check_zone
from deepcams.stations.readers.streams import csv_chunks
from deepcams.stations.table import HOUR, Stamp

_HOURLY = ("date", "time", "AQSID", "site", "GMT offset", "parameter", "unit", "value", "source")
_OBS = ("AQSID", "SiteName", "GMTOffset", "CountryCode", "ValidDate", "ValidTime", "PM25_Unit")
_OBS_NUMBERS = ("Latitude", "Longitude", "PM25")
_TABLE = ("AQSID", "time", "PM25")
_PATTERN = "%m/%d/%y %H:%M"
_LONG_PATTERN = "%m/%d/%Y %H:%M"
_SHORT = len("12/31/19 00:00")


def _is_hourly(head: Head) -> bool:
    parts = head.columns
    return head.delimiter == "|" and len(parts) == len(_HOURLY) and parts[0].count("/") == 2 and ":" in parts[1]


def _is_obs(head: Head) -> bool:
    return {"AQSID", "ValidDate", "ValidTime", "PM25"} <= set(head.columns)


def _is_table(head: Head) -> bool:
    return set(_TABLE) <= set(head.columns)


def _read_hourly(head: Head, options: Options) -> Iterator[Chunk]:
    import pyarrow.compute as pc

    for batch in csv_chunks(head, _HOURLY[:-2], names=_HOURLY, numeric=["value"]):
        kept = batch.filter(pc.equal(pc.utf8_upper(batch["parameter"]), "PM2.5"))
        yield Chunk(
            _stamps(head, kept["date"], kept["time"]),
            numbers(kept["value"]),
            unit=texts(kept["unit"]),
            ids=texts(kept["AQSID"]),
            names=texts(kept["site"]),
            timezone=_zones(kept["GMT offset"]),
            period=HOUR,
            others=batch.num_rows - kept.num_rows,
        )


def _read_obs(head: Head, options: Options) -> Iterator[Chunk]:
    import pyarrow.compute as pc

    for batch in csv_chunks(head, _OBS, numeric=_OBS_NUMBERS):
        # A line has all species of a site; most sites have no PM2.5.
        kept = batch.filter(pc.is_valid(batch["PM25"]))
        yield Chunk(
            _stamps(head, kept["ValidDate"], kept["ValidTime"]),
            numbers(kept["PM25"]),
            unit=each(texts(kept["PM25_Unit"]), lambda unit: unit or MICROGRAMS),
            ids=texts(kept["AQSID"]),
            names=texts(kept["SiteName"]),
            latitude=numbers(kept["Latitude"]),
            longitude=numbers(kept["Longitude"]),
            country=each(texts(kept["CountryCode"]), iso_of_fips),
            timezone=_zones(kept["GMTOffset"]),
            period=HOUR,
            others=batch.num_rows - kept.num_rows,
        )


def _read_table(head: Head, options: Options) -> Iterator[Chunk]:
    there = [name for name in ("SiteName", "CountryCode") if name in head.columns]
    places = [name for name in ("Latitude", "Longitude") if name in head.columns]
    for batch in chunks_of(head, [*_TABLE[:2], *there], numeric=[_TABLE[2], *places]):
        yield Chunk(
            times(batch["time"], head.path).times,
            numbers(batch["PM25"]),
            unit=MICROGRAMS,
            ids=texts(batch["AQSID"]),
            names=texts(batch["SiteName"]) if "SiteName" in there else "",
            country=each(texts(batch["CountryCode"]), iso_of_fips) if "CountryCode" in there else "",
            period=HOUR,
            latitude=numbers(batch["Latitude"]) if "Latitude" in places else nan,
            longitude=numbers(batch["Longitude"]) if "Longitude" in places else nan,
        )


def _stamps(head: Head, date: Any, time: Any) -> Any:
    """GMT from ``12/31/19`` or ``12/31/2019`` and ``23:00``."""
    together = joined(date, time)
    short = len(together) == 0 or len(together[0].as_py().strip()) <= _SHORT
    return times(together, head.path, pattern=_PATTERN if short else _LONG_PATTERN).times


def _zones(offsets: Any) -> Any:
    """Offsets of standard time from GMT, in hours, as text."""
    return each(texts(offsets), lambda hours: check_zone(hours) if hours else "")


_RULE = "hour-beginning, GMT (AirNow API, fact sheet of the hourly data file)"
FORMATS = (
    Format(
        name="airnow-hourly",
        title="AirNow HourlyData",
        stamp=Stamp.BEGIN,
        rule=_RULE,
        recognises=_is_hourly,
        read=_read_hourly,
        wanted="lines like 12/31/19|23:00|060371103|Los Angeles|-8|PM2.5|UG/M3|12.0|agency",
    ),
    Format(
        name="airnow-aqobs",
        title="AirNow HourlyAQObs",
        stamp=Stamp.BEGIN,
        rule=_RULE,
        recognises=_is_obs,
        read=_read_obs,
        wanted=", ".join((*_OBS, *_OBS_NUMBERS)),
    ),
    Format(
        name="airnow-table",
        title="AirNow, as a table",
        stamp=Stamp.BEGIN,
        rule=_RULE,
        recognises=_is_table,
        read=_read_table,
        wanted=", ".join(_TABLE),
    ),
)
