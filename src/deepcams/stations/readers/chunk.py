"""What a reader is, and what it gives: lines of a file as columns, still as the file has them but for the time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.table import Stamp

if TYPE_CHECKING:
    from deepcams.stations.readers.sites import Sites

Column = NDArray[np.object_] | str
"""A text for each line, or one for all."""
Numbers = NDArray[np.float64] | float


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some lines of a file, of PM2.5 alone; others are left out by the reader and counted in ``others``.

    Attributes:
        stamp: (m,) datetime64[s], UTC, as the file stamps them; NaT for a local time that does not exist, or twice.
        value: (m,) float64 in the file's unit; NaN for none.
        unit: the file's unit.
        ids: the station's identifier.
        sensors: the instrument of the station.
        names: the station's name.
        latitude: degrees; NaN if the file does not tell.
        longitude: degrees.
        country: ISO 3166 code of two letters, or nothing.
        timezone: IANA name or fixed offset like ``+05:30``, or nothing.
        period: averaging period in minutes; 0 if the file does not tell: then it is told from the spacing of stamps.
        mobile: whether the station moves.
        flagged: whether who published the line says it is not valid.
        others: lines of other species that were left out.
    """

    stamp: NDArray[np.datetime64]
    value: NDArray[np.float64]
    unit: Column = ""
    ids: Column = ""
    sensors: Column = ""
    names: Column = ""
    latitude: Numbers = np.nan
    longitude: Numbers = np.nan
    country: Column = ""
    timezone: Column = ""
    period: NDArray[np.int32] | int = 0
    mobile: NDArray[np.bool_] | bool = False
    flagged: NDArray[np.bool_] | bool = False
    others: int = 0


@dataclass(frozen=True)
class Options:
    """What the user says of files that do not say it themselves.

    Attributes:
        sites: coordinates and more of stations (``--site-table``).
        units: the values' unit (``--units``).
        timezone: IANA name or fixed offset of local times that have none (``--timezone``).
        stamp: what stamps say (``--stamp``); None for the format's own rule.
    """

    sites: Sites | None = None
    units: str | None = None
    timezone: str | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Head:
    """The beginning of a file, by which its format is recognised.

    Attributes:
        path: the file.
        lines: its first lines as text, without a byte-order mark; none of Parquet.
        columns: the names of its columns, stripped: of Parquet's schema, or the first line parted at its delimiter.
        delimiter: of the first line: comma, semicolon, tab or bar; nothing of Parquet and JSON.
    """

    path: Path
    lines: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True)
class Format:
    """A format of station files.

    Attributes:
        name: as ``--format`` spells it.
        title: for people.
        stamp: what its stamps say, unless the user says otherwise.
        rule: where that is documented, in a sentence.
        recognises: whether a file is of this format.
        read: its lines, chunk by chunk, in bounded memory.
        wanted: what the file must have, for messages.
    """

    name: str
    title: str
    stamp: Stamp
    rule: str
    recognises: Callable[[Head], bool]
    read: Callable[[Head, Options], Iterator[Chunk]] = field(repr=False)
    wanted: str = ""
