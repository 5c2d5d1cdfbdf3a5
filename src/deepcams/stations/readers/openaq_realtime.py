"""OpenAQ's real-time files of API v1 and v2: a JSON object in each line, of several thousand stations a day.

Fields as github.com/openaq/openaq-data-format describes them; coordinates and averaging period may be absent. Of time
stamps it says: "The averages are always backward looking. That means that if a source reports a time range (3 - 4pm),
then the latest time is picked (4pm)." Names of locations are unique only within their source and city, so all three
identify a station; what API v2 answers has neither, but a number of the location (``locationId``), and ``isMobile``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import numbers, texts
from deepcams.stations.readers.openaq import instants, offsets, only_pm25
from deepcams.stations.readers.streams import as_strings, json_chunks
from deepcams.stations.table import DAY, HOUR, Stamp

_MINUTES = {"seconds": 1 / 60, "minutes": 1, "hours": HOUR, "days": DAY}
_WANTED = ("date", "parameter", "value", "unit", "location")
_LOCAL = ("location", "city", "sourceName")
_LONGEST = 400 * DAY


def _schema() -> Any:
    """The fields that are read. Text as bytes: it need not be UTF-8."""
    import pyarrow as pa

    text, number = pa.binary(), pa.float64()
    return pa.schema(
        dict.fromkeys(("parameter", "unit", "country", *_LOCAL), text)
        | {
            "value": number,
            "locationId": number,
            "mobile": pa.bool_(),
            "isMobile": pa.bool_(),
            "date": pa.struct({"utc": text, "local": text}),
            "coordinates": pa.struct({"latitude": number, "longitude": number}),
            "averagingPeriod": pa.struct({"value": number, "unit": text}),
        }
    )


def _recognises(head: Head) -> bool:
    return not head.delimiter and set(_WANTED) <= set(head.columns)


def _read(head: Head, options: Options) -> Iterator[Chunk]:
    for batch in json_chunks(head, _schema()):
        yield _chunk(head, batch)


def _chunk(head: Head, batch: Any) -> Chunk:
    import pyarrow.compute as pc

    lines, others = only_pm25(batch, "parameter")
    date, place = lines["date"], lines["coordinates"]
    local = [as_strings(lines[name]) for name in _LOCAL]
    numbered, named = texts(lines["locationId"]), texts(pc.binary_join_element_wise(*local, " / "))
    mobile = pc.fill_null(pc.coalesce(lines["mobile"], lines["isMobile"]), False)
    return Chunk(
        stamp=instants(as_strings(pc.struct_field(date, "utc")), head.path, utc=True),
        value=numbers(lines["value"]),
        unit=texts(as_strings(lines["unit"])),
        ids=np.where(numbered == "", named, numbered),
        names=texts(local[0]),
        latitude=numbers(pc.struct_field(place, "latitude")),
        longitude=numbers(pc.struct_field(place, "longitude")),
        country=texts(as_strings(lines["country"])),
        timezone=offsets(as_strings(pc.struct_field(date, "local"))),
        period=_minutes(lines["averagingPeriod"]),
        mobile=mobile.to_numpy(zero_copy_only=False),
        others=others,
    )


def _minutes(periods: Any) -> NDArray[np.int32]:
    """Averaging periods in minutes; 0 where there is none, or none that makes sense."""
    import pyarrow.compute as pc

    units = texts(as_strings(pc.struct_field(periods, "unit")))
    kinds, which = np.unique(units.astype(str), return_inverse=True)
    sizes = np.array([_MINUTES.get(kind.strip().lower(), 0) for kind in kinds.tolist()], np.float64)
    minutes = numbers(pc.struct_field(periods, "value")) * sizes[which]
    sensible = (minutes > 0) & (minutes < _LONGEST)
    return np.where(sensible, np.maximum(np.rint(np.where(sensible, minutes, 0)), 1), 0).astype(np.int32)


FORMAT = Format(
    name="openaq-realtime",
    title="OpenAQ real-time JSON lines (API v1 and v2)",
    stamp=Stamp.END,
    rule="OpenAQ's averages are backward looking (github.com/openaq/openaq-data-format)",
    recognises=_recognises,
    read=_read,
    wanted=f"a JSON object in each line with {', '.join(_WANTED)}",
)
