"""Parts of a file as HTTP asks for them (RFC 9110, section 14): one range of bytes, from the front or from the end."""

from __future__ import annotations

import re

_RANGE = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")
_UNIT = "bytes="


class RangeRefused(ValueError):
    """A range that cannot be given: there is no such part, or several were asked for."""


def part_of(header: str | None, size: int) -> range | None:
    """The bytes that a ``Range`` header asks for; None if it asks for no part in bytes, and all are to be given.

    Args:
        header: like ``bytes=0-99``, ``bytes=100-`` or ``bytes=-4``.
        size: how many bytes there are.

    Raises:
        RangeRefused: for several ranges, one that is none, or one that begins beyond the end.
    """
    if header is None or not header.strip().lower().startswith(_UNIT):
        return None
    found = _RANGE.fullmatch(header.strip()[len(_UNIT) :])
    if found is None or found.group() == "-":
        raise RangeRefused(header)
    first, last = found.groups()
    end = min(int(last) + 1, size) if first and last else size
    part = range(int(first) if first else max(size - int(last), 0), end)
    if not part:
        raise RangeRefused(header)
    return part
