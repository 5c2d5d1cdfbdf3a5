"""PM2.5 of Europe, as the European Environment Agency gives it: Parquet since 2024, CSV (E1a and E2a) before.

An observation says its begin and its end. In the Parquet files they are without offset: "converted to the UTC+1
timezone", says the EEA's download page of hourly data, all year round. That was tested by others
(github.com/southlondonscientific/aeolus, pull request 14): true for the up-to-date data of Germany, the Netherlands,
Ireland, Spain and Poland and the verified data of Germany, the Netherlands, Poland and Italy; **not** for Italy's
up-to-date data, which are in local time with summer time, nor for Ireland's verified data, which are in UTC: give
``--timezone`` (``Europe/Rome``, ``UTC``) for these. Data that are not hourly keep their original time zone (EEA, table
definitions of E1a, ``DatetimeBegin``): that of the site table if it has one, or else UTC+1. The CSV files say the
offset themselves.

Codes of validity (dd.eionet.europa.eu/vocabulary/aq/observationvalidity): 1 valid, 2 and 3 valid below the detection
limit, 4 valid by another method; -1 not valid and -99 not valid for maintenance or calibration, which are flagged.

There are no coordinates: the table of the EEA's metadata ("Sampling Point Id", "Latitude", "Longitude") is the site
table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import Times, chunks_of, each, numbers, texts, times
from deepcams.stations.readers.localtime import Seconds, to_utc
from deepcams.stations.table import HOUR, Stamp, Texts

_PARQUET = ("Samplingpoint", "Pollutant", "Start", "End", "Unit")
_PARQUET_NUMBERS = ("Value", "Validity")
_E1A = ("SamplingPoint", "AirPollutantCode", "DatetimeBegin", "DatetimeEnd", "UnitOfMeasurement")
_E1A_NUMBERS = ("Concentration", "Validity")
_COUNTRY = "Countrycode"
_PM25 = "6001"
_UTC1 = "+01:00"
_MINUTE = np.timedelta64(1, "m")


def _is_parquet(head: Head) -> bool:
    return {"Samplingpoint", "Start", "Value"} <= set(head.columns)


def _is_e1a(head: Head) -> bool:
    return {"SamplingPoint", "DatetimeBegin", "Concentration"} <= set(head.columns)


def _read_parquet(head: Head, options: Options) -> Iterator[Chunk]:
    return _read(head, options, _PARQUET, _PARQUET_NUMBERS)


def _read_e1a(head: Head, options: Options) -> Iterator[Chunk]:
    return _read(head, options, _E1A, _E1A_NUMBERS)


def _read(head: Head, options: Options, titles: tuple[str, ...], numeric: tuple[str, ...]) -> Iterator[Chunk]:
    point, pollutant, begin, end, unit = titles
    further = [_COUNTRY] if _COUNTRY in head.columns else []
    for batch in chunks_of(head, [*titles, *further], numeric=numeric):
        wanted = each(texts(batch[pollutant]), lambda code: code.rpartition("/")[2] == _PM25, np.bool_)
        kept = batch.filter(_mask(wanted))
        full = texts(kept[point])
        starts, ends = times(kept[begin], head.path), times(kept[end], head.path)
        period = _minutes(starts.times, ends.times)
        zones = _zones(full, period, options)
        valid = numbers(kept[numeric[1]])
        yield Chunk(
            _utc(starts, zones),
            numbers(kept[numeric[0]]),
            unit=texts(kept[unit]),
            ids=each(full, _local),
            names=full,
            country=texts(kept[_COUNTRY]) if further else each(full, _country),
            timezone=zones,
            period=period,
            flagged=~np.isnan(valid) & (valid <= 0),
            others=batch.num_rows - kept.num_rows,
        )


def _mask(wanted: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.array(wanted)


def _utc(given: Times, zones: Texts) -> Seconds:
    """Times without offset from their zones, the others as they are."""
    utc = given.times.copy()
    utc[~given.utc] = to_utc(given.times[~given.utc], zones[~given.utc])
    return utc


def _minutes(begin: Seconds, end: Seconds) -> NDArray[np.int32]:
    """The length of the interval; 0 where it is not told."""
    told = ~(np.isnat(begin) | np.isnat(end))
    return np.where(told, (end - begin) // _MINUTE, 0).astype(np.int32)


def _zones(points: Texts, period: NDArray[np.int32], options: Options) -> Texts:
    """The time zone of each line."""

    def original(point: str) -> str:
        site = options.sites.find(point, _local(point)) if options.sites else None
        return (site.timezone if site else "") or _UTC1

    if options.timezone:
        return np.full(points.shape, options.timezone, object)
    return np.where(period > HOUR, each(points, original), _UTC1).astype(object)


def _local(point: str) -> str:
    """A sampling point without its country: ``AT/SPO.1`` is ``SPO.1`` in the metadata."""
    country, bar, rest = point.partition("/")
    return rest if bar and len(country) == len("AT") else point


def _country(point: str) -> str:
    return "" if _local(point) == point else point[: len("AT")].upper()


FORMATS = (
    Format(
        name="eea",
        title="European Environment Agency, Parquet",
        stamp=Stamp.BEGIN,
        rule="begin and end are given, in UTC+1 all year round (EEA, download page of air quality data)",
        recognises=_is_parquet,
        read=_read_parquet,
        wanted=", ".join((*_PARQUET, *_PARQUET_NUMBERS)),
    ),
    Format(
        name="eea-csv",
        title="European Environment Agency, CSV",
        stamp=Stamp.BEGIN,
        rule="begin and end are given, with their offset from UTC",
        recognises=_is_e1a,
        read=_read_e1a,
        wanted=", ".join((*_E1A, *_E1A_NUMBERS)),
    ),
)
