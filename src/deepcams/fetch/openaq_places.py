"""OpenAQ's locations: what is known of them, which are asked for, and which numbers a user names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deepcams.errors import FetchError, InputError
from deepcams.grid import Region
from deepcams.stations.readers.localtime import check_zone

PM25 = 2
"""The number of PM2.5 in ug m-3 among OpenAQ's parameters (docs.openaq.org/examples/examples)."""
# degrees by which boxes are larger: the API cuts them after four decimals (github.com/openaq/openaq-api-v2, v3/models/
# queries.py)
_MARGIN = 2e-4
_LONGEST = 200  # characters of an attribution that are kept


@dataclass(frozen=True)
class Location:
    """A place with instruments.

    Attributes:
        number: OpenAQ's.
        name: for people.
        country: ISO 3166 code of two letters, or nothing.
        timezone: IANA name, or nothing.
        latitude: degrees north; NaN where unknown.
        longitude: degrees east.
        mobile: whether it moves.
        sensors: numbers of its instruments for PM2.5.
        first: when its data begin, ISO 8601 with offset; nothing where that is not told.
        last: when they end.
        licences: whom to name, and under which licence.
    """

    number: int
    name: str = ""
    country: str = ""
    timezone: str = ""
    latitude: float = math.nan
    longitude: float = math.nan
    mobile: bool = False
    sensors: tuple[int, ...] = ()
    first: str = ""
    last: str = ""
    licences: tuple[str, ...] = ()


def location_of(found: Mapping[str, Any]) -> Location:
    """A location as the API describes it (``/v3/locations``).

    Raises:
        FetchError: if it lacks what every location has.
    """
    try:
        place = found.get("coordinates") or {}
        sensors = [one for one in found.get("sensors") or () if one["parameter"]["id"] == PM25]
        return Location(
            number=int(found["id"]),
            name=_line(found.get("name")),
            country=_line((found.get("country") or {}).get("code")).upper(),
            timezone=_zone(_line(found.get("timezone"))),
            latitude=_degrees(place.get("latitude")),
            longitude=_degrees(place.get("longitude")),
            mobile=bool(found.get("isMobile")),
            sensors=tuple(int(one["id"]) for one in sensors),
            first=_line((found.get("datetimeFirst") or {}).get("utc")),
            last=_line((found.get("datetimeLast") or {}).get("utc")),
            licences=tuple(sorted({_licence(one) for one in found.get("licenses") or ()})),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(
            f"OpenAQ describes a location in another way than was known ({str(found)[:80]}): wanted id, coordinates and "
            "sensors with their parameter; if that stays so, wait for a newer deepcams"
        ) from error


def boxes_of(region: Region) -> list[str]:
    """The boxes to ask for, ``west,south,east,north``: two where the region crosses the date line.

    They are a little larger than the region, for rounding; :func:`inside` tells what belongs to it.
    """
    width = region.width + 2 * _MARGIN
    west = (region.west - _MARGIN + 180) % 360 - 180
    east = west + width
    parts = [(west, east)] if east <= 180 else [(west, 180.0), (-180.0, east - 360)]
    if width >= 360:
        parts = [(-180.0, 180.0)]
    south, north = max(region.south - _MARGIN, -90.0), min(region.north + _MARGIN, 90.0)
    return [f"{one:.4f},{south:.4f},{other:.4f},{north:.4f}" for one, other in parts]


def inside(location: Location, region: Region | None) -> bool:
    """Whether a location lies in a region; in none, wherever it is."""
    if region is None:
        return True
    eastward = (location.longitude - region.west) % 360
    return region.south <= location.latitude <= region.north and eastward <= region.width


def has_data(location: Location, first: datetime, last: datetime) -> bool:
    """Whether a location may have data in a period, as far as it is told; times have an offset."""
    try:
        ended = bool(location.last) and datetime.fromisoformat(location.last) < first
        begins_later = bool(location.first) and datetime.fromisoformat(location.first) > last
    except (ValueError, TypeError):  # no time, or one without an offset: then it is asked for
        return True
    return not ended and not begins_later


def parse_locations(text: str) -> tuple[int, ...]:
    """The numbers of ``--locations``: ``2178,8118``, or a file with numbers parted by blanks, commas or lines.

    Raises:
        InputError: if one is no number of a location, or there are none.
    """
    path = Path(text)
    numbers = re.fullmatch(r"[\d,;\s]+", text)
    if numbers is None and not path.is_file():
        raise InputError(
            f"locations {text!r}: wanted numbers like 2178,8118 (as in explore.openaq.org/locations/2178), or a file of them"
        )
    try:
        content = text if numbers else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text with numbers of locations") from error
    found = [part for part in re.split(r"[\s,;]+", content) if part]
    wrong = next((part for part in found if not (part.isascii() and part.isdecimal() and 0 < int(part) < 2**31)), None)
    if wrong is not None or not found:
        raise InputError(
            f"locations: found {wrong!r} in {text if numbers else path}; wanted OpenAQ's numbers, like 2178, and no titles"
        )
    return tuple(sorted({int(part) for part in found}))


def attributions(locations: Iterable[Location]) -> list[str]:
    """Whom to name for the data of the locations, each once."""
    return sorted({one for location in locations for one in location.licences})


def _licence(found: Mapping[str, Any]) -> str:
    owner = _line((found.get("attribution") or {}).get("name")) or "an owner that is not named"
    return f"{owner} ({_line(found.get('name'))})"[:_LONGEST]


def _line(value: Any) -> str:
    """A text in one line; nothing for none."""
    return " ".join(str(value).split()) if value is not None else ""


def _zone(text: str) -> str:
    """A time zone; nothing for one that is not known here."""
    try:
        return check_zone(text) if text else ""
    except InputError:
        return ""


def _degrees(value: Any) -> float:
    return math.nan if value is None else float(value)
