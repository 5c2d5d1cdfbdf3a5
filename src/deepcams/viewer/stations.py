"""Stations for the map, from what ``deepcams validate`` left: scores of each, or what each measured hour by hour."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

SCORES_FILE, PAIRS_FILE = "stations.csv", "pairs.parquet"
OBSERVED = "observed"
_PLACE = ("product", "id", "sensor", "name", "latitude", "longitude", "country", "source")
_OF_PAIRS = {"id", "sensor", "name", "country", "source", "latitude", "longitude", "begin", "period", OBSERVED}
_MINUTES = 1440  # of a day
_DIGITS = 4


class Stations(Protocol):
    """Stations and what is known of them."""

    def summary(self) -> dict[str, Any]:
        """Where they are, and what can be shown of them; ready for JSON."""

    def day(self, date: str) -> dict[str, Any] | None:
        """What they measured on a UTC day (ISO); None if nothing, or if it is not known."""

    def dates(self) -> Sequence[str]:
        """The UTC days with measurements."""


def open_stations(path: Path) -> Stations:
    """The stations of a validation.

    Args:
        path: its folder, or ``stations.csv`` or ``pairs.parquet`` in it; of a folder the pairs, if they were kept.

    Raises:
        InputError: if it is none of these.
    """
    if path.is_dir():
        found = [path / name for name in (PAIRS_FILE, SCORES_FILE) if (path / name).is_file()]
        if not found:
            raise InputError(f"{path}: neither {PAIRS_FILE} nor {SCORES_FILE} in this folder; wanted one that deepcams "
                             "validate wrote")  # fmt: skip
        path = found[0]
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted {SCORES_FILE} or {PAIRS_FILE} of deepcams validate")
    return _read_pairs(path) if path.suffix == ".parquet" else _read_scores(path)


@dataclass(frozen=True)
class StationScores:
    """Stations with scores of each product.

    Attributes:
        content: what :meth:`summary` gives.
    """

    content: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """Names, places, and by product and score a value for every station, None where unknown."""
        return self.content

    def day(self, date: str) -> None:
        """Nothing: hours are not known."""

    def dates(self) -> Sequence[str]:
        """None."""
        return ()


def _read_scores(path: Path) -> StationScores:
    """The table that has a line for every product and station."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lines, titles = list(reader), list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    scores = [title for title in titles if title not in _PLACE]
    if not set(_PLACE) <= set(titles) or not scores or not lines:
        raise InputError(f"{path}: not the table of stations that deepcams validate writes ({SCORES_FILE}); it has the "
                         f"columns {', '.join(titles) or 'none'}")  # fmt: skip
    places = list(dict.fromkeys(_place(line) for line in lines))
    number = {place: i for i, place in enumerate(places)}
    products = list(dict.fromkeys(line["product"] for line in lines))
    values: dict[str, dict[str, list[float | None]]] = {
        product: {score: [None] * len(places) for score in scores} for product in products
    }
    for line in lines:
        for score in scores:
            values[line["product"]][score][number[_place(line)]] = _number(line[score])
    first = {number[_place(line)]: line for line in reversed(lines)}
    return StationScores({
        "kind": "scores",
        "products": products,
        "scores": scores,
        "name": [_title(first[i]["name"], first[i]["id"]) for i in range(len(places))],
        "latitude": [_number(first[i]["latitude"]) for i in range(len(places))],
        "longitude": [_number(first[i]["longitude"]) for i in range(len(places))],
        "values": values,
    })  # fmt: skip


def _place(line: dict[str, str]) -> tuple[str, str, str]:
    return line["id"], line["sensor"], line["source"]


def _title(name: str, identity: str) -> str:
    return name or identity


def _number(text: str | None) -> float | None:
    """A cell as a number that JSON can hold."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class StationPairs:
    """Stations with every observation that was compared.

    Attributes:
        names: (stations,) for people.
        latitude: (stations,) degrees.
        longitude: (stations,) degrees.
        station: (n,) number of the station of each observation.
        begin: (n,) minutes since 1970-01-01 UTC, ascending.
        period: (n,) minutes that it is a mean over.
        values: (n,) ug m-3 by product, ``observed`` among them.
    """

    names: list[str]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    station: NDArray[np.intp]
    begin: NDArray[np.int64]
    period: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]

    def summary(self) -> dict[str, Any]:
        """Names and places, and the days with observations."""
        return {
            "kind": "pairs",
            "products": list(self.values),
            "name": self.names,
            "latitude": [round(float(one), _DIGITS) for one in self.latitude],
            "longitude": [round(float(one), _DIGITS) for one in self.longitude],
            "days": self.dates(),
        }

    def day(self, date: str) -> dict[str, Any] | None:
        """The observations that begin on a UTC day or reach into it: columns, ``begin`` in minutes of the day."""
        try:
            first = int(np.datetime64(date, "D").astype(np.int64)) * _MINUTES
        except ValueError:
            return None
        longest = int(self.period.max(initial=0))
        near = slice(*np.searchsorted(self.begin, [first - longest, first + _MINUTES]).tolist())
        chosen = np.arange(near.start, near.stop)[self.begin[near] + self.period[near] > first]
        if not chosen.size:
            return None
        columns = {name: _rounded(values[chosen]) for name, values in self.values.items()}
        return {
            "station": self.station[chosen].tolist(),
            "begin": (self.begin[chosen] - first).tolist(),
            "period": self.period[chosen].tolist(),
            "values": columns,
        }

    def dates(self) -> Sequence[str]:
        """The UTC days that observations begin on."""
        return [str(np.datetime64(int(day), "D")) for day in np.unique(self.begin // _MINUTES)]


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [round(one, 3) if math.isfinite(one) else None for one in values.tolist()]


def _read_pairs(path: Path) -> StationPairs:
    """The table that has a line for every observation."""
    from deepcams.stations.readers.streams import require_pyarrow

    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({error})") from error
    if not set(table.column_names) >= _OF_PAIRS or not table.num_rows:
        raise InputError(f"{path}: not the pairs that deepcams validate --pairs writes; it has {table.num_rows} lines with "
                         f"the columns {', '.join(table.column_names)}")  # fmt: skip
    order = np.argsort(_minutes(table), kind="stable")
    texts = [table.column(name).to_pylist() for name in ("id", "sensor", "source", "name")]
    places = list(zip(*texts, strict=True))
    number = {place: i for i, place in enumerate(dict.fromkeys(places))}
    station = np.array([number[place] for place in places])
    first = np.unique(station, return_index=True)[1]
    latitude, longitude = (table.column(name).to_numpy()[first] for name in ("latitude", "longitude"))
    products = [name for name in table.column_names if name not in _OF_PAIRS]
    values = {name: table.column(name).to_numpy().astype(np.float64)[order] for name in (OBSERVED, *products)}
    names = [_title(str(name or ""), str(identity)) for identity, _, _, name in number]
    period = table.column("period").to_numpy().astype(np.int64)[order]
    return StationPairs(names, latitude, longitude, station[order], _minutes(table)[order], period, values)


def _minutes(table: Any) -> NDArray[np.int64]:
    moments: NDArray[np.int64] = table.column("begin").to_numpy().astype("datetime64[m]").astype(np.int64)
    return moments


def files_of(stations: Stations) -> Iterator[tuple[str, bytes]]:
    """The files that a page reads of stations, by key."""
    yield "stations.json", as_json(stations.summary())
    for date in stations.dates():
        yield f"stations/{date}.json", as_json(stations.day(date))


def as_json(content: Any) -> bytes:
    """Compact JSON; numbers are finite."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
