"""Plain tables of observations, CSV or Parquet, with a line for each value.

Columns, by any of these names, whatever their case; blanks, points and dashes count as underscores:

=========  ============================================================================================================
time       ``time``, ``datetime``, ``date``, ``timestamp``, ``valid_time``, ...; ``utc``, ``date_utc``, ``datetimeUtc``
           and the like are UTC. ISO 8601 with an offset, or without: then UTC, unless the table has a column
           ``timezone``, or the site table or ``--timezone`` names a zone. Clearer: ``begin`` (or ``start``) and ``end``
value      ``pm25``, ``pm2_5``, ``pm2.5``, ``pm2p5``, ``pm25_ugm3``, ``obs_pm25``, ``value``, ``concentration``, ...
station    ``station_id``, ``station``, ``site``, ``id``, ``location``, ...; without it the file's name is the station
further    ``name``, ``sensor``, ``latitude``, ``longitude``, ``country``, ``units``, ``period`` (minutes),
           ``timezone``, ``mobile``, ``parameter`` (lines of PM2.5 are kept), ``valid`` (1, true, yes or valid are
           good), ``flag`` or ``qc`` (empty, 0, false, no, ok, good, pass and valid are good)
=========  ============================================================================================================

Stamps say the **begin** of the interval, unless ``--stamp`` says otherwise: nothing in such a file tells, so ask who
made it. OpenAQ stamps the **end**. So does, by its values, its table of daily means at Utrecht in 2016, with stamps at
local midnight: with CAMS over the 57 days that both have, means over the 24 hours before the stamp correlate with 0.56,
those after it with 0.46 (0.55 and 0.43 for ranks; the difference is 0.11, -0.04 to 0.33 with 95 % confidence, so this
is evidence, not proof).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import MICROGRAMS, chunks_of, each, found, numbers, plain, texts, times
from deepcams.stations.readers.localtime import Seconds, check_zone, to_utc
from deepcams.stations.table import DAY, Stamp, Texts

_UTC = (*("utc", "time_utc", "date_utc", "datetime_utc", "datetimeutc", "timestamp_utc", "utc_time", "utc_datetime"),)
_SPELLINGS = {
    "begin": ("begin", "start", "time_begin", "time_start", "begin_time", "start_time", "datetime_begin"),
    "end": ("end", "time_end", "end_time", "datetime_end"),
    "time": (*_UTC, "time", "datetime", "date_time", "timestamp", "valid_time", "date", "datetime_local", "local_time"),
    "value": (
        *("pm25", "pm2_5", "pm2p5", "pm25_ugm3", "pm2_5_ugm3", "pm2p5_ugm3", "pm25_ug_m3", "pm2_5_ug_m3"),
        *("obs_pm25", "obs_pm2_5", "pm25_obs", "obs", "observation", "value", "concentration", "conc", "measurement"),
    ),
    "station": (
        *("station_id", "site_id", "location_id", "station", "site", "id", "location", "stationid", "siteid", "aqsid"),
        *("station_code", "site_code", "code", "samplingpoint", "sampling_point", "name", "station_name", "site_name"),
    ),
    "name": ("name", "station_name", "site_name", "sitename", "location_name", "location"),
    "sensor": ("sensor", "sensor_id", "sensors_id", "poc", "instrument"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long", "lng"),
    "country": ("country", "country_code", "country_iso"),
    "unit": ("units", "unit"),
    "period": ("period", "averaging_minutes", "averaging_period", "period_minutes", "duration_minutes"),
    "timezone": ("timezone", "time_zone", "tz", "utc_offset"),
    "valid": ("valid", "is_valid"),
    "flag": ("flag", "flagged", "qc", "qc_name", "quality", "invalid"),
    "mobile": ("mobile", "is_mobile", "ismobile"),
    "parameter": ("parameter", "pollutant", "species", "variable"),
}
_NUMBERS = ("value", "latitude", "longitude", "period")
_PM25 = ("pm25", "pm2_5", "pm2p5")
_YES = ("1", "true", "yes", "y", "t", "valid")
_GOOD = ("", "0", "false", "no", "n", "f", "none", "ok", "good", "pass", "passed", "valid", "v")
_PACKED = (".gz", ".zip", ".csv", ".txt", ".tsv", ".dat", ".parquet", ".pq")
_MINUTE = np.timedelta64(1, "m")
_LONGEST = 400 * DAY


def _recognises(head: Head) -> bool:
    there = found(head.columns, _SPELLINGS)
    json = bool(head.lines) and not head.delimiter
    return not json and "value" in there and ("time" in there or "begin" in there)


def _read(head: Head, options: Options) -> Iterator[Chunk]:
    at = found(head.columns, _SPELLINGS)
    _check(head, at, options)
    numeric = [at[what] for what in _NUMBERS if what in at]
    wanted = [title for what, title in at.items() if what not in _NUMBERS]
    for batch in chunks_of(head, wanted, numeric=numeric):
        yield _chunk(head, options, at, batch)


def _check(head: Head, at: Mapping[str, str], options: Options) -> None:
    """Refuse a table without times or values, or a rule of stamps that its columns contradict.

    Raises:
        InputError: that names what is missing and what is there.
    """
    lacking = [] if "time" in at or "begin" in at else ["time (time, datetime, date, utc, begin, ...)"]
    lacking += [] if "value" in at else ["value (pm25, pm2_5, value, concentration, ...)"]
    if lacking:
        raise InputError(f"{head.path}: no column of {' nor of '.join(lacking)}; found {', '.join(head.columns)}")
    if "begin" in at and options.stamp not in (None, Stamp.BEGIN):
        word = options.stamp.name.lower() if options.stamp is not None else ""
        raise InputError(f"{head.path}: has a column {at['begin']}; wanted no --stamp {word}, which contradicts it")


def _chunk(head: Head, options: Options, at: Mapping[str, str], batch: Any) -> Chunk:
    kept = _of_pm25(batch, at)
    size = kept.num_rows
    text = {what: texts(kept[title]) for what, title in at.items() if what not in (*_NUMBERS, "time", "begin", "end")}
    number = {what: numbers(kept[at[what]]) for what in _NUMBERS if what in at}
    ids = text.get("station", np.full(size, _stem(head), object))
    zones = _zones(ids, text, options)
    stamp = _stamps(head, at, kept, "begin" if "begin" in at else "time", zones)
    period = number.get("period", np.zeros(size))
    if "begin" in at and "end" in at:
        period = (_stamps(head, at, kept, "end", zones) - stamp) / _MINUTE
    return Chunk(
        stamp,
        number["value"],
        unit=text.get("unit", _unit(at["value"])),
        ids=ids,
        sensors=text.get("sensor", ""),
        names=text.get("name", ids),
        latitude=number.get("latitude", np.nan),
        longitude=number.get("longitude", np.nan),
        country=each(text["country"], _country) if "country" in text else "",
        timezone=zones,
        period=np.nan_to_num(period).clip(0, _LONGEST).astype(np.int32),
        mobile=_among(text, "mobile", _YES, size),
        flagged=_flagged(text, size),
        others=batch.num_rows - size,
    )


def _of_pm25(batch: Any, at: Mapping[str, str]) -> Any:
    """The lines of PM2.5."""
    import pyarrow as pa

    if "parameter" not in at:
        return batch
    return batch.filter(pa.array(each(texts(batch[at["parameter"]]), lambda name: plain(name) in _PM25, np.bool_)))


def _zones(ids: Texts, text: Mapping[str, Texts], options: Options) -> Texts:
    """The time zone of each line, as the table, the site table or the options tell; nothing if none does."""

    def known(station: str) -> str:
        site = options.sites.find(station) if options.sites else None
        return (site.timezone if site else "") or options.timezone or ""

    zones = each(ids, known)
    if "timezone" not in text:
        return zones
    own = each(text["timezone"], lambda zone: check_zone(zone) if zone else "")
    return np.where(own == "", zones, own).astype(object)


def _stamps(head: Head, at: Mapping[str, str], batch: Any, what: str, zones: Texts) -> Seconds:
    """Times in UTC."""
    given = times(batch[at[what]], head.path)
    local = ~given.utc & (zones != "") & (plain(at[what]) not in _UTC)
    stamp = given.times.copy()
    stamp[local] = to_utc(stamp[local], zones[local])
    return stamp


def _among(text: Mapping[str, Texts], what: str, words: tuple[str, ...], size: int) -> NDArray[np.bool_]:
    """Which lines have one of the words in a column; none if it is not there."""
    if what not in text:
        return np.zeros(size, np.bool_)
    return each(text[what], lambda word: word.lower() in words, np.bool_)


def _flagged(text: Mapping[str, Texts], size: int) -> NDArray[np.bool_]:
    """Which lines their table says are not valid."""
    bad = np.zeros(size, np.bool_)
    if "valid" in text:
        bad |= ~_among(text, "valid", ("", *_YES), size)
    return bad | ~_among(text, "flag", _GOOD, size) if "flag" in text else bad


def _unit(title: str) -> str:
    """The unit that a value's column says in its name, if any."""
    return MICROGRAMS if plain(title).replace("_", "").endswith("ugm3") else ""


def _country(code: str) -> str:
    return code.upper() if len(code) == len("NL") else ""


def _stem(head: Head) -> str:
    """The file's name without its endings."""
    name = head.path.name
    while name.lower().endswith(_PACKED):
        name = name.rpartition(".")[0]
    return name


FORMAT = Format(
    name="table",
    title="plain table",
    stamp=Stamp.BEGIN,
    rule="begin of the interval, unless --stamp says otherwise",
    recognises=_recognises,
    read=_read,
    wanted="a column of times (time, datetime, date, begin, ...) and one of values (pm25, value, ...)",
)
