"""Local times turned into UTC, by IANA time zones and fixed offsets."""

from __future__ import annotations

import re
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

Seconds: TypeAlias = NDArray[np.datetime64]
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-]?)(\d{1,2})(?::?(\d{2})|\.(\d+))?")
_LAST = 16 * 60  # minutes: no clock on Earth is further from UTC


def check_zone(text: str) -> str:
    """A time zone as the rest of the package spells it.

    Args:
        text: an IANA name like ``Asia/Kathmandu``, ``UTC`` or ``Z``, or an offset like ``+05:45``, ``8``, ``5.5`` or
            ``UTC+1``, hours east of Greenwich; also the address of one in the EEA's vocabulary of time zones.

    Returns:
        The IANA name, ``UTC``, or an offset like ``+05:45``.

    Raises:
        InputError: if there is no such time zone.
    """
    plain = text.strip().rpartition("/timezone/")[2]
    if plain.upper() in ("Z", "UTC", "GMT"):
        return "UTC"
    found = _OFFSET.fullmatch(plain)
    minutes = _minutes(found) if found else _LAST + 1
    if abs(minutes) <= _LAST:
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "UTC"
    try:
        return ZoneInfo(plain).key
    except (ValueError, OSError, LookupError):
        raise InputError(
            f"time zone {text!r}: wanted an IANA name like Asia/Shanghai or an offset like +08:00"
        ) from None


def to_utc(local: Seconds, zone: str | NDArray[np.object_]) -> Seconds:
    """Local times in UTC.

    Args:
        local: (n,) datetime64[s] as clocks showed them.
        zone: the time zone, as :func:`check_zone` gives it, of all of them or of each.

    Returns:
        (n,) datetime64[s]; NaT where clocks never showed that time, or showed it twice, as they were changed.

    Raises:
        InputError: if there is no such time zone.
    """
    if isinstance(zone, str):
        return _from_zone(local, check_zone(zone))
    times = np.full(local.shape, np.datetime64("NaT", "s"))
    names, which = codes(zone)
    for number, name in enumerate(names):
        chosen = which == number
        times[chosen] = _from_zone(local[chosen], check_zone(name))
    return times


def codes(texts: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """The different texts, and which of them each is."""
    import pandas

    numbers, names = pandas.factorize(texts)
    return np.asarray(names, object), numbers


def _minutes(found: re.Match[str]) -> int:
    sign, hours, minutes, fraction = found.groups()
    size = 60 * int(hours) + int(minutes or 0) + round(60 * float(f"0.{fraction or 0}"))
    return -size if sign == "-" else size


def _from_zone(local: Seconds, zone: str) -> Seconds:
    """UTC of times in one zone."""
    times = local.astype("datetime64[s]")
    if zone == "UTC":
        return times
    if found := _OFFSET.fullmatch(zone):
        times -= np.timedelta64(60 * _minutes(found), "s")
        return times
    from pandas import DatetimeIndex

    known = DatetimeIndex(times).tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="NaT")
    return known.tz_convert(None).to_numpy().astype("datetime64[s]")
