"""Hourly PM2.5 of the US EPA's Air Quality System: the files ``hourly_88101_2019.csv``, also in their zip.

Stamps say the **begin** of the hour: in AQS a time "corresponds to the begin time of the sampling period"
(aqs.epa.gov/aqsweb/documents/AQCSV_Format.html, field datetime); here they are taken in GMT. The local time is standard
time all year round.

Parameters kept: 88101 (FRM and FEM) and 88502 (acceptable PM2.5, not a reference method). The column ``Qualifier`` says
why a value is missing or out of the ordinary (aqs.epa.gov/aqsweb/airdata/FileFormats.html, "Hourly Data Files"): null
data codes, exceptional or natural events, quality assurance. A null code comes without a value; the others, such as
wildfire smoke, do not make the value invalid. So a line is MISSING where it has no number, and no qualifier is taken
for a flag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import each, joined, texts, times
from deepcams.stations.readers.localtime import check_zone, codes
from deepcams.stations.readers.streams import csv_chunks
from deepcams.stations.table import HOUR, Stamp, Texts

_CODES = ("State Code", "County Code", "Site Num")
_WIDTHS = (2, 3, 4)
_TIMES = ("Date GMT", "Time GMT", "Date Local", "Time Local")
_COLUMNS = (*_CODES, "Parameter Code", "POC", *_TIMES, "Units of Measure")
_NUMBERS = ("Latitude", "Longitude", "Sample Measurement")
_PM25 = ("88101", "88502")
_ABROAD = {"80": "MX", "CC": "CA"}
_MINUTE = np.timedelta64(1, "m")


def _recognises(head: Head) -> bool:
    return {"State Code", "Sample Measurement", "Time GMT"} <= set(head.columns)


def _read(head: Head, options: Options) -> Iterator[Chunk]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in csv_chunks(head, _COLUMNS, numeric=_NUMBERS):
        kept = batch.filter(pc.is_in(batch["Parameter Code"], value_set=pa.array(_PM25)))
        stamp = times(joined(kept["Date GMT"], kept["Time GMT"]), head.path).times
        local = times(joined(kept["Date Local"], kept["Time Local"]), head.path).times
        latitude, longitude, value = (kept[name].to_numpy(zero_copy_only=False) for name in _NUMBERS)
        yield Chunk(
            stamp,
            value,
            unit=texts(kept["Units of Measure"]),
            ids=_identifiers(kept),
            sensors=texts(kept["POC"]),
            latitude=latitude,
            longitude=longitude,
            country=each(texts(kept["State Code"]), lambda state: _ABROAD.get(state, "US")),
            timezone=_zones((local - stamp) // _MINUTE),
            period=HOUR,
            others=batch.num_rows - kept.num_rows,
        )


def _identifiers(batch: Any) -> Texts:
    """State, county and site as AQS writes them, ``01-089-0014``."""
    import pyarrow.compute as pc

    padded = [pc.utf8_lpad(batch[name], width, "0") for name, width in zip(_CODES, _WIDTHS, strict=True)]
    return texts(pc.binary_join_element_wise(*padded, "-"))


def _zones(minutes: Any) -> Texts:
    """Offsets from UTC as text."""
    different, which = codes(minutes)
    return np.array([check_zone(str(one / HOUR)) for one in different], object)[which]


FORMAT = Format(
    name="aqs",
    title="US EPA Air Quality System, hourly",
    stamp=Stamp.BEGIN,
    rule="hour-beginning, GMT: the begin time of the sampling period (AQS, AQCSV format)",
    recognises=_recognises,
    read=_read,
    wanted=", ".join((*_COLUMNS, *_NUMBERS)),
)
