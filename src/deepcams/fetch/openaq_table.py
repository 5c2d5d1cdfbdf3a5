"""The pieces of a month as one table: plain Parquet, in UTC, ug m-3, sorted by time, for ``validate`` to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.fetch.openaq_places import Location
from deepcams.provenance import digest_of, provenance
from deepcams.stations.readers.chunk import Format, Options
from deepcams.stations.readers.columns import MICROGRAMS
from deepcams.stations.readers.gather import Gathering
from deepcams.stations.readers.streams import head_of, require_pyarrow
from deepcams.stations.table import Observations, Reason, Stamp, Stations

ATTRIBUTION = "OpenAQ (openaq.org) and the agencies and owners whose data it collects."
LICENCE = "CC BY 4.0 where a provider asks for nothing else; licences of providers: docs.openaq.org/resources/licenses"
_KEPT = (Reason.GOOD, Reason.FLAGGED)
_ROWS = 1 << 17  # of a row group
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Contents:
    """What a month's table holds.

    Attributes:
        lines: observations.
        stations: instruments at places.
        left_out: lines of PM2.5 that are not in it, by the reason: no number, a unit of mixing ratios.
    """

    lines: int
    stations: int
    left_out: Mapping[str, int]


def gather(pieces: Iterable[Path], source: Format, first: np.datetime64, last: np.datetime64) -> Observations:
    """The observations of PM2.5 in the pieces that begin within a period, in the order of time.

    Args:
        pieces: files of one format, whose stamps say the end of the averaging interval, as all of OpenAQ's.
        source: the format.
        first: datetime64[h], UTC, the first hour.
        last: the last one.

    Raises:
        InputError: if one cannot be read.
    """
    gathering = Gathering(Options(stamp=Stamp.END, units=MICROGRAMS))
    for piece in pieces:
        gathering.add(source, head_of(piece))
    found = gathering.end().observations
    # Periods are told from the spacing of stamps, days beyond the month's ends included: so they are cut off only now.
    found = found.take((found.begin >= first) & (found.begin < last + _HOUR))
    return found.take(np.lexsort((found.station, found.begin))).compact()


def write_table(found: Observations, known: Mapping[str, Location], path: Path, settings: Mapping[str, Any],
                digests: Sequence[str], attributions: Sequence[str]) -> Contents:  # fmt: skip
    """Write observations as Parquet.

    Args:
        found: the observations, in the order of time.
        known: what the API says of locations, by number as text; those of which it says nothing are as the pieces have
            them.
        path: the file, under whatever name.
        settings: what was asked for.
        digests: SHA-256 of the pieces that it is made from.
        attributions: whom to name.

    Raises:
        InputError: if pyarrow is not installed.
    """
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet

    kept = found.take(np.isin(found.reason, _KEPT)).compact()
    left_out = {
        reason.name.lower(): int(np.count_nonzero(found.reason == reason))
        for reason in Reason
        if reason not in _KEPT and (found.reason == reason).any()
    }
    made = provenance(settings, ()) | {
        "attribution": ATTRIBUTION,
        "licence": LICENCE,
        "references": "openaq.org; docs.openaq.org/aws/about",
        "owners": list(attributions),
        "pieces": len(digests),
        "pieces_sha256": digest_of(digests),
        "left_out": left_out,
    }
    metadata = {
        "units": "pm25 in ug m-3; period in minutes; begin and end in UTC",
        "attribution": f"{ATTRIBUTION} {LICENCE}",
        "provenance": json.dumps(made, ensure_ascii=False),
    }
    table = pa.table(_columns(kept, known)).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, path, compression="zstd", row_group_size=_ROWS)
    return Contents(kept.size, kept.stations.size, left_out)


def _columns(found: Observations, known: Mapping[str, Location]) -> dict[str, Any]:
    """The table's columns, as pyarrow's."""
    import pyarrow as pa

    def instant(minutes: Any) -> Any:
        return pa.array(minutes.astype("datetime64[ms]"), pa.timestamp("ms", tz="UTC"))

    places = found.stations
    columns: dict[str, Any] = {
        name: pa.DictionaryArray.from_arrays(found.station, pa.array(values, pa.string()))
        for name, values in _told(places, known).items()
    }
    columns |= {name: getattr(places, name)[found.station] for name in ("latitude", "longitude")}
    mobile = [bool(own) or _mobile(known, one) for own, one in zip(places.mobile, places.ids, strict=True)]
    return columns | {
        "mobile": np.array(mobile, np.bool_)[found.station],
        "begin": instant(found.begin),
        "end": instant(found.begin + found.period.astype("timedelta64[m]")),
        "pm25": found.value,
        "units": pa.DictionaryArray.from_arrays(np.zeros(found.size, np.int32), pa.array([MICROGRAMS])),
        "period": found.period,
        "flag": pa.DictionaryArray.from_arrays(
            (found.reason == Reason.FLAGGED).astype(np.int32), pa.array(["", "flagged"])
        ),
    }


def _told(places: Stations, known: Mapping[str, Location]) -> dict[str, list[str]]:
    """The texts of each station: what the API says of it before what the pieces do."""
    nothing = Location(0)
    said = [known.get(one, nothing) for one in places.ids]
    return {
        "station": list(places.ids),
        "name": [one.name or own for one, own in zip(said, places.names, strict=True)],
        "sensor": list(places.sensors),
        "country": [one.country or own for one, own in zip(said, places.country, strict=True)],
        "timezone": [one.timezone or own for one, own in zip(said, places.timezone, strict=True)],
    }


def _mobile(known: Mapping[str, Location], station: str) -> bool:
    return station in known and known[station].mobile
