"""OpenAQ's archive on AWS: a gzipped CSV file for each location and local day, local times with their offset.

Columns as docs.openaq.org/aws/about describes them; the instrument's is ``sensors_id``, ``sensor_id`` or none. Stamps
end the averaging interval, as all of OpenAQ's ("an exclusive time-ending standard",
docs.openaq.org/using-the-api/dates-datetimes): the files of a day go from 01:00 to 00:00 of the next. The archive does
not tell averaging periods: they follow from the spacing of stamps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import numbers, texts
from deepcams.stations.readers.openaq import instants, offsets, only_pm25
from deepcams.stations.readers.streams import csv_chunks
from deepcams.stations.table import Stamp

_TEXTS = ("location_id", "location", "datetime", "parameter", "units")
_NUMBERS = ("value", "lat", "lon")
_SENSORS = ("sensors_id", "sensor_id")
_WANTED = (*_TEXTS, *_NUMBERS)


def _recognises(head: Head) -> bool:
    return bool(head.delimiter) and {"location_id", "datetime", "lat", "lon", "parameter"} <= set(head.columns)


def _read(head: Head, options: Options) -> Iterator[Chunk]:
    sensors = [name for name in _SENSORS if name in head.columns][:1]
    for batch in csv_chunks(head, (*_TEXTS, *sensors), numeric=_NUMBERS):
        yield _chunk(head, batch, sensors)


def _chunk(head: Head, batch: Any, sensors: list[str]) -> Chunk:
    lines, others = only_pm25(batch, "parameter")
    return Chunk(
        stamp=instants(lines["datetime"], head.path),
        value=numbers(lines["value"]),
        unit=texts(lines["units"]),
        ids=texts(lines["location_id"]),
        sensors=texts(lines[sensors[0]]) if sensors else "",
        names=texts(lines["location"]),
        latitude=numbers(lines["lat"]),
        longitude=numbers(lines["lon"]),
        timezone=offsets(lines["datetime"]),
        others=others,
    )


FORMAT = Format(
    name="openaq-archive",
    title="OpenAQ archive (one file per location and day)",
    stamp=Stamp.END,
    rule="OpenAQ's datetimes are time-ending (docs.openaq.org/using-the-api/dates-datetimes)",
    recognises=_recognises,
    read=_read,
    wanted=f"CSV with the columns {', '.join(_WANTED)}",
)
