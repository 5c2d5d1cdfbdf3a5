"""Stations for the map, from what ``deepcams validate`` left: scores of each, and what each measured hour by hour."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

SCORES_FILE, PAIRS_FILE = "stations.csv", "pairs.parquet"
OBSERVED = "observed"
_KEY = ("id", "sensor", "source")
_PLACE = {"product", "id", "sensor", "name", "latitude", "longitude", "country", "source"}
_OF_PAIRS = {"id", "sensor", "name", "country", "source", "latitude", "longitude", "begin", "period", OBSERVED}
_MINUTES = 1440  # of a day

Key = tuple[str, ...]
"""What tells a station from others: its id, sensor and source."""


@dataclass(frozen=True)
class Place:
    """A station's name for people, and where it is in degrees."""

    name: str
    latitude: float
    longitude: float


Places = dict[Key, Place]
Scores = dict[str, dict[str, dict[Key, float | None]]]
"""By product, score and station."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Every observation that was compared.

    Attributes:
        station: (n,) number of the station of each observation.
        begin: (n,) minutes since 1970-01-01 UTC, ascending.
        period: (n,) minutes that it is a mean over.
        values: (n,) ug m-3 by product, ``observed`` among them.
    """

    station: NDArray[np.intp]
    begin: NDArray[np.int64]
    period: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]

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


@dataclass(frozen=True, eq=False)
class Stations:
    """Stations and what is known of them: observations, scores, or both.

    Attributes:
        places: the stations, those with observations first, in the order of their numbers.
        observations: what they measured; None if it was not kept.
        scores: how well each product agrees with each; empty if it is not known.
    """

    places: Places
    observations: Observations | None
    scores: Scores

    def summary(self) -> dict[str, Any]:
        """Names and places, days with observations, and by product and score a value for each; ready for JSON."""
        places = self.places.values()
        return {
            "name": [one.name for one in places],
            "latitude": [one.latitude for one in places],
            "longitude": [one.longitude for one in places],
            "days": self.dates(),
            "scores": {
                product: {score: [known.get(key) for key in self.places] for score, known in scores.items()}
                for product, scores in self.scores.items()
            },
        }

    def day(self, date: str) -> dict[str, Any] | None:
        """What they measured on a UTC day (ISO); None if nothing, or if it is not known."""
        return self.observations.day(date) if self.observations else None

    def dates(self) -> Sequence[str]:
        """The UTC days with observations."""
        return self.observations.dates() if self.observations else ()


def open_stations(path: Path) -> Stations:
    """The stations of a validation.

    Args:
        path: its folder, or ``stations.csv`` or ``pairs.parquet`` in it; of a folder both, if the pairs were kept.

    Raises:
        InputError: if it is none of these.
    """
    files = [path / name for name in (PAIRS_FILE, SCORES_FILE) if (path / name).is_file()] if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: neither {PAIRS_FILE} nor {SCORES_FILE} in this folder; wanted one that deepcams "
                         "validate wrote")  # fmt: skip
    if not files[0].is_file():
        raise InputError(f"{path}: no such file; wanted {SCORES_FILE} or {PAIRS_FILE} of deepcams validate")
    measured: Places = {}
    scored: Places = {}
    observations, scores = None, Scores()
    for file in files:
        if file.suffix == ".parquet":
            measured, observations = _read_pairs(file)
        else:
            scored, scores = _read_scores(file)
    return Stations(measured | scored, observations, scores)


def _read_scores(path: Path) -> tuple[Places, Scores]:
    """The table that has a line for every product and station."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lines, titles = list(reader), list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    columns = [title for title in titles if title not in _PLACE]
    if not set(titles) >= _PLACE or not columns or not lines:
        raise InputError(f"{path}: not the table of stations that deepcams validate writes ({SCORES_FILE}); it has the "
                         f"columns {', '.join(titles) or 'none'}")  # fmt: skip
    places: Places = {}
    scores: Scores = {}
    for line in lines:
        key = tuple(line[name] for name in _KEY)
        places.setdefault(key, _place(line, path))
        known = scores.setdefault(line["product"], {score: {} for score in columns})
        for score in columns:
            known[score][key] = _number(line[score])
    return places, scores


def _read_pairs(path: Path) -> tuple[Places, Observations]:
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
    begin = table.column("begin").to_numpy().astype("datetime64[m]").astype(np.int64)
    order = np.argsort(begin, kind="stable")
    keys = list(zip(*(table.column(name).to_pylist() for name in _KEY), strict=True))
    first: dict[Key, int] = {}
    for i, key in enumerate(keys):
        first.setdefault(key, i)
    number = {key: i for i, key in enumerate(first)}
    lines = table.select(["id", "name", "latitude", "longitude"]).take(list(first.values())).to_pylist()
    products = [name for name in table.column_names if name not in _OF_PAIRS]
    observations = Observations(
        np.array([number[key] for key in keys])[order],
        begin[order],
        table.column("period").to_numpy().astype(np.int64)[order],
        {name: table.column(name).to_numpy().astype(np.float64)[order] for name in (OBSERVED, *products)},
    )
    return {key: _place(line, path) for key, line in zip(first, lines, strict=True)}, observations


def _place(line: Mapping[str, Any], path: Path) -> Place:
    name, latitude, longitude = line["name"] or line["id"], _number(line["latitude"]), _number(line["longitude"])
    if latitude is None or longitude is None:
        raise InputError(f"{path}: station {name} is at {line['latitude']}, {line['longitude']}: wanted two numbers, the "
                         "latitude and longitude in degrees")  # fmt: skip
    return Place(name, latitude, longitude)


def _number(cell: str | float | None) -> float | None:
    """A cell as a number that JSON can hold."""
    try:
        value = float("nan" if cell is None else cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [round(one, 3) if math.isfinite(one) else None for one in values.tolist()]


def files_of(stations: Stations) -> Iterator[tuple[str, bytes]]:
    """The files that a page reads of stations, by key."""
    yield "stations.json", as_json(stations.summary())
    for date in stations.dates():
        yield f"stations/{date}.json", as_json(stations.day(date))


def as_json(content: Any) -> bytes:
    """Compact JSON; numbers are finite."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
