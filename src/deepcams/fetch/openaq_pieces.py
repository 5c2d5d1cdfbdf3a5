"""The pieces of a month: files of the archive, or tables made from the API's hours, in a hidden folder until it is whole."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from deepcams.errors import InputError
from deepcams.fetch import openaq_api, openaq_archive
from deepcams.fetch.many import in_flight
from deepcams.fetch.openaq_api import Client
from deepcams.fetch.openaq_archive import Day, Fetched
from deepcams.fetch.openaq_order import Span
from deepcams.fetch.openaq_places import Location
from deepcams.fetch.patience import Patience
from deepcams.io.output import make_folder, partial
from deepcams.stations.readers import openaq_archive as archive_format
from deepcams.stations.readers import plain
from deepcams.stations.readers.chunk import Format

_TITLES = ("station", "sensor", "name", "time", "pm25", "units", "latitude", "longitude", "country", "timezone", "mobile",
           "flag")  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where pieces come from, and what is needed there.

    Attributes:
        folder: where they go.
        url: of the archive.
        client: of the API; None where only the archive is asked.
        workers: requests in flight.
        patience: how long to wait.
    """

    folder: Path
    url: str
    client: Client | None
    workers: int
    patience: Patience


@dataclass
class Pieces:
    """What there is of a month.

    Attributes:
        format: of the files.
        files: the files.
        fetched: how many of them came now.
        size: bytes that came now.
        spoilt: the names of files that cannot be read, as the archive itself has them.
    """

    format: Format
    files: list[Path] = field(default_factory=list)
    fetched: int = 0
    size: int = 0
    spoilt: list[str] = field(default_factory=list)

    def add(self, one: Fetched) -> None:
        """What came of a file."""
        self.files += [one.path] if one.path is not None else []
        self.fetched += one.size > 0
        self.size += one.size
        self.spoilt += [one.spoilt] if one.spoilt else []


Fetch = Callable[[Source, Span, Sequence[Location], Callable[[int], None]], Pieces]


def from_archive(source: Source, span: Span, locations: Sequence[Location], progress: Callable[[int], None]) -> Pieces:
    """The files of the archive that may have hours of a month.

    Args:
        source: where from.
        span: the month.
        locations: of which.
        progress: told how many locations more are done.

    Raises:
        FetchError: if they do not come.
        WriteError: if the disk is full.
    """
    pieces, wanted = Pieces(archive_format.FORMAT), list[Day]()

    def listed(location: Location) -> list[Day]:
        return openaq_archive.list_days(source.url, location.number, *span.days, source.patience)

    def fetched(day: Day) -> Fetched:
        return openaq_archive.fetch_day(source.url, day, source.folder, source.patience)

    with closing(in_flight(listed, locations, count=source.workers)) as listings:
        for _, days in listings:
            wanted += days
            progress(int(not days))
    waiting = Counter(day.location for day in wanted)
    with closing(in_flight(fetched, wanted, count=source.workers)) as files:
        for day, one in files:
            pieces.add(one)
            waiting[day.location] -= 1
            progress(int(not waiting[day.location]))
    return pieces


def from_api(source: Source, span: Span, locations: Sequence[Location], progress: Callable[[int], None]) -> Pieces:
    """The API's hours of a month, a file for each instrument.

    Args:
        source: where from.
        span: the month.
        locations: of which, with their instruments.
        progress: told how many locations more are done.

    Raises:
        InputError: if the key is refused.
        FetchError: if they do not come.
        WriteError: if the disk is full.
    """
    client = source.client
    if client is None:
        raise InputError(f"OpenAQ's API wants a key: get one at {openaq_api.REGISTER}")
    pieces = Pieces(plain.FORMAT)

    def fetched(item: tuple[Location, int]) -> Fetched:
        location, sensor = item
        path = source.folder / str(location.number) / f"sensor-{sensor}-{span.first}-{span.last}.csv.gz"
        return Fetched(path, 0 if path.exists() else _write_hours(client, location, sensor, span, path))

    waiting = Counter({one.number: len(one.sensors) for one in locations})
    progress(sum(not count for count in waiting.values()))
    items = [(one, sensor) for one in locations for sensor in one.sensors]
    with closing(in_flight(fetched, items, count=source.workers)) as files:
        for (location, _), one in files:
            pieces.add(one)
            waiting[location.number] -= 1
            progress(int(not waiting[location.number]))
    return pieces


FETCH: dict[str, Fetch] = {"archive": from_archive, "api": from_api}
"""By the name of ``--from``."""


def _write_hours(client: Client, location: Location, sensor: int, span: Span, path: Path) -> int:
    """Write what the API has of an instrument, under its name only when it is whole; how many bytes.

    The values keep their ending stamps, as everything of OpenAQ's has them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_TITLES)
    for hour in client.hours(sensor, span.first, span.last):
        north = location.latitude if hour.latitude is None else hour.latitude
        east = location.longitude if hour.longitude is None else hour.longitude
        value = "" if hour.value is None else repr(hour.value)
        row = [location.number, sensor, location.name, hour.end.isoformat(), value, hour.units, north, east]
        writer.writerow([*row, location.country, location.timezone, location.mobile, "flagged" if hour.flagged else ""])
    make_folder(path.parent)
    content = gzip.compress(text.getvalue().encode(), mtime=0)
    with partial(path, overwrite=True) as temporary:
        temporary.write_bytes(content)
    return len(content)
