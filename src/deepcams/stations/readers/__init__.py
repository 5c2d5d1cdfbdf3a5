"""Readers of station PM2.5: each format in a module of its own, all giving the same columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deepcams.stations.readers import (
    airnow,
    aqs,
    eea,
    embassy,
    openaq_archive,
    openaq_realtime,
    openaq_v3,
    plain,
)
from deepcams.stations.readers.chunk import Format, Options
from deepcams.stations.readers.reading import Reading as Reading
from deepcams.stations.readers.reading import read_files

_KNOWN: tuple[Format, ...] = (
    openaq_v3.FORMAT,
    openaq_archive.FORMAT,
    openaq_realtime.FORMAT,
    aqs.FORMAT,
    *airnow.FORMATS,
    *embassy.FORMATS,
    *eea.FORMATS,
    plain.FORMAT,  # the last: it takes whatever has a time and a value
)
FORMATS: dict[str, Format] = {one.name: one for one in _KNOWN}
"""The formats by name."""
_NOTHING = Options()


def read_stations(paths: Iterable[str | Path], options: Options = _NOTHING, *, format: str | None = None) -> Reading:
    """Read station files of any known format; each file is recognised by itself.

    Args:
        paths: files, folders (all tables in them are read) and patterns.
        options: what the user says of files that do not say it themselves.
        format: the format of all files, one of :data:`FORMATS` or a family of them, as ``airnow`` is of
            ``airnow-hourly`` and others; None to recognise each.

    Raises:
        InputError: if there is no file, one cannot be read or is of no known format, units or coordinates are told
            nowhere, or no line is of PM2.5.
    """
    return read_files(paths, _KNOWN, options, format)
