"""What is wanted of OpenAQ: which locations, which period, from where."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from deepcams.errors import InputError
from deepcams.fetch import openaq_api, openaq_archive
from deepcams.grid import Region
from deepcams.timeline import check_period

_SHOWN = 20  # numbers of locations that are written out
_HOUR, _DAY, _MONTH = np.timedelta64(1, "h"), np.timedelta64(1, "D"), np.timedelta64(1, "M")


@dataclass(frozen=True)
class Span:
    """A month, or the part of it that is wanted.

    Attributes:
        first: datetime64[h], UTC, begin of the first hour.
        last: of the last one.
    """

    first: np.datetime64
    last: np.datetime64

    @property
    def month(self) -> str:
        """As ISO 8601 has it, 2019-12."""
        return str(self.first.astype("datetime64[M]"))

    @property
    def days(self) -> tuple[np.datetime64, np.datetime64]:
        """The first and last local day that may have an hour of it: a day more on either side, whatever the time zone."""
        return self.first.astype("datetime64[D]") - _DAY, self.last.astype("datetime64[D]") + _DAY

    @property
    def shared(self) -> tuple[np.datetime64, np.datetime64]:
        """The days of these that the next month needs, too."""
        return self.days[1] - _DAY, self.days[1]


@dataclass(frozen=True)
class Order:
    """What is wanted.

    Attributes:
        start: datetime64[h], UTC, begin of the first hour.
        end: of the last one.
        source: ``archive`` or ``api``.
        locations: their numbers; none for all of a country or region.
        country: ISO 3166 code of two letters.
        region: the part of the Earth.
        url: of the API.
        archive: of the archive.
    """

    start: np.datetime64
    end: np.datetime64
    source: str = "archive"
    locations: tuple[int, ...] = ()
    country: str | None = None
    region: Region | None = None
    url: str = openaq_api.URL
    archive: str = openaq_archive.URL

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
        now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "h")
        if self.end >= now:
            raise InputError(f"the period ends with {self.end}, and now it is {now} UTC: give an earlier --end, since a file "
                             "that is written is never added to")  # fmt: skip
        if bool(self.locations) == (self.country is not None or self.region is not None):
            raise InputError("which stations? Wanted --locations 2178,8118 (numbers or a file of them), or --country NP, or "
                             "--region N,W,S,E, or these two together")  # fmt: skip
        if self.country is not None and not (
            len(self.country) == 2 and self.country.isascii() and self.country.isalpha()
        ):
            raise InputError(f"country {self.country!r}: wanted the ISO 3166 code of two letters, like NP")

    @property
    def spans(self) -> list[Span]:
        """The months of the period."""
        months = np.arange(self.start.astype("datetime64[M]"), self.end.astype("datetime64[M]") + _MONTH)
        begins = [month.astype("datetime64[h]") for month in (*months, months[-1] + _MONTH)]
        return [Span(max(first, self.start), min(after - _HOUR, self.end)) for first, after in pairwise(begins)]

    @property
    def place(self) -> dict[str, Any]:
        """Where, JSON-ready."""
        numbers: Any = list(self.locations)
        if len(numbers) > _SHOWN:
            numbers = {"count": len(numbers), "sha256": hashlib.sha256(json.dumps(numbers).encode()).hexdigest()}
        country = self.country.upper() if self.country else None
        return {"locations": numbers, "country": country, "region": list(self.region.bounds) if self.region else None}

    def what(self, span: Span) -> dict[str, Any]:
        """The request for a month, JSON-ready."""
        return {"source": self.source, "first": str(span.first), "last": str(span.last), **self.place}

    @property
    def needs_no_key(self) -> bool:
        """Whether the archive alone is asked, for locations that are known."""
        return self.source == "archive" and bool(self.locations)

    @property
    def address(self) -> str:
        """Where the data come from."""
        return self.archive if self.source == "archive" else self.url

    @property
    def request(self) -> dict[str, Any]:
        """Which locations are wanted from where, whatever the period, JSON-ready."""
        return {"source": self.source, **self.place}

    @property
    def where(self) -> str:
        """Where, for people."""
        names = [f"country {self.country.upper()}"] if self.country else []
        names += [f"region {','.join(f'{one:g}' for one in self.region.bounds)}"] if self.region else []
        return " and ".join(names) or "--locations"


def name_of(span: Span) -> str:
    """The name of a month's file."""
    return f"openaq_{span.month}.parquet"
