"""OpenAQ's CSV export of a location (explore.openaq.org, API v3): all its species, UTC and local times, coordinates.

"Data on OpenAQ are harmonized to follow an exclusive time-ending standard. This means a time stamp for an hourly
measurement 03:00 represents the data from 02:00 until 02:59." (docs.openaq.org/using-the-api/dates-datetimes). The
export does not tell averaging periods: they follow from the spacing of stamps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import numbers, texts
from deepcams.stations.readers.openaq import instants, only_pm25
from deepcams.stations.readers.streams import csv_chunks
from deepcams.stations.table import Stamp

_TEXTS = ("location_id", "parameter", "unit", "datetimeUtc")
_NUMBERS = ("value", "latitude", "longitude")
_FURTHER = ("location_name", "timezone", "country_iso", "isMobile")
_WANTED = (*_TEXTS, *_NUMBERS)


def _recognises(head: Head) -> bool:
    return bool(head.delimiter) and {"location_id", "datetimeUtc", "parameter", "value"} <= set(head.columns)


def _read(head: Head, options: Options) -> Iterator[Chunk]:
    further = [name for name in _FURTHER if name in head.columns]
    for batch in csv_chunks(head, (*_TEXTS, *further), numeric=_NUMBERS):
        yield _chunk(head, batch)


def _chunk(head: Head, batch: Any) -> Chunk:
    lines, others = only_pm25(batch, "parameter")
    there = set(lines.schema.names)
    mobile = np.char.lower(texts(lines["isMobile"]).astype(str)) == "true" if "isMobile" in there else False
    name, zone, country = (texts(lines[one]) if one in there else "" for one in _FURTHER[:3])
    return Chunk(
        stamp=instants(lines["datetimeUtc"], head.path, utc=True),
        value=numbers(lines["value"]),
        unit=texts(lines["unit"]),
        ids=texts(lines["location_id"]),
        names=name,
        latitude=numbers(lines["latitude"]),
        longitude=numbers(lines["longitude"]),
        country=country,
        timezone=zone,
        mobile=mobile,
        others=others,
    )


FORMAT = Format(
    name="openaq",
    title="OpenAQ CSV export (API v3)",
    stamp=Stamp.END,
    rule="OpenAQ's datetimes are time-ending (docs.openaq.org/using-the-api/dates-datetimes)",
    recognises=_recognises,
    read=_read,
    wanted=f"CSV with the columns {', '.join(_WANTED)}",
)
