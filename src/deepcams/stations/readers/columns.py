"""Columns under any of their usual names, and what pyarrow reads turned into numpy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Head
from deepcams.stations.readers.localtime import Seconds, codes
from deepcams.stations.readers.streams import csv_chunks, parquet_chunks
from deepcams.stations.table import Floats, Texts

# A time of day with what follows it: the offset from UTC, if any.
_WITH_OFFSET = re.compile(r"(?:\d{1,2}:\d{2}|T\d{4}).*?(Z|[+-]\d{2}:?(\d{2})?)$")
_GREENWICH = re.compile(r"\s*(UTC|GMT)$")
_MU = {ord("\N{GREEK SMALL LETTER MU}"): "u"}
_EXAMPLE = datetime(2019, 12, 31, 18)
MICROGRAMS = "ug/m3"
"""The unit, where a format has it always and does not say it."""


def plain(title: str) -> str:
    """A column's name as names are compared: ``Date (LT)`` is ``date_lt``, ``PM2.5 (µg/m³)`` is ``pm2_5_ug_m3``."""
    same = unicodedata.normalize("NFKC", title).lower().translate(_MU)  # one letter mu, and digits for raised ones
    return re.sub(r"[^a-z0-9]+", "_", same).strip("_")


def found(columns: Sequence[str], spellings: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The columns that are there, by what they are: of each the first spelling that is.

    Args:
        columns: of the file.
        spellings: by what a column is, its names as :func:`plain` gives them; the best first.
    """
    titles: dict[str, str] = {}
    for column in columns:
        titles.setdefault(plain(column), column)
    firsts = {what: next((titles[one] for one in names if one in titles), None) for what, names in spellings.items()}
    return {what: title for what, title in firsts.items() if title is not None}


def chunks_of(head: Head, columns: Sequence[str], *, numeric: Sequence[str] = ()) -> Iterator[Any]:
    """Some columns of CSV or Parquet, as the file has it.

    Args:
        head: the file.
        columns: those wanted.
        numeric: those that are numbers, also wanted.

    Yields:
        pyarrow.RecordBatch.

    Raises:
        InputError: as the readers of both do.
    """
    if head.lines:
        return csv_chunks(head, columns, numeric=numeric)
    return parquet_chunks(head, list(dict.fromkeys([*columns, *numeric])))


def texts(array: Any) -> Texts:
    """A pyarrow array as texts, stripped; nothing for null."""
    known, numbers = _coded(array)
    plain_texts = [_text(one) for one in known]
    return np.array([*plain_texts, ""], object)[numbers]


def numbers(array: Any) -> Floats:
    """A pyarrow array as float64; NaN for null and for text that is no number."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        import pandas

        return pandas.to_numeric(array.to_pandas(), errors="coerce").to_numpy(np.float64)
    return array.cast(pa.float64()).to_numpy(zero_copy_only=False)


@dataclass(frozen=True, eq=False)
class Times:
    """Times of a column.

    Attributes:
        times: (n,) datetime64[s]; NaT for none.
        utc: (n,) which are in UTC; others are local.
    """

    times: Seconds
    utc: NDArray[np.bool_]


def times(array: Any, path: Path, *, pattern: str | None = None) -> Times:
    """A pyarrow array as times.

    Args:
        array: ISO 8601 text with or without offset from UTC, time stamps, or dates.
        path: the file, for messages.
        pattern: how a text says the time, as ``strptime`` has it, where it is not ISO 8601.

    Raises:
        InputError: if a text is not such a time.
    """
    import pyarrow as pa

    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        utc = pa.types.is_timestamp(array.type) and array.type.tz is not None
        whole = array.cast(pa.timestamp("us"), safe=False).cast(pa.timestamp("s"), safe=False)
        return Times(whole.to_numpy(zero_copy_only=False).astype("datetime64[s]"), np.full(len(array), utc))
    known, which = _coded(array)
    if not all(isinstance(one, str) for one in known):
        raise InputError(f"{path}: a time {known[0]!r}; wanted text like 2019-12-31T18:00Z, or a column of time stamps")
    stripped = [_GREENWICH.sub("Z", one.strip()) for one in known]
    utc = np.array([pattern is None and bool(_WITH_OFFSET.search(one)) for one in stripped] + [False])
    return Times(np.append(_parsed(stripped, path, pattern), np.datetime64("NaT", "s"))[which], utc[which])


def joined(first: Any, second: Any) -> Any:
    """Two pyarrow arrays of text as one, with a space between: a date and a time of day."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(first, second, " ")


def each(array: Texts, function: Callable[[str], Any], kind: Any = object) -> NDArray[Any]:
    """A function of texts, called once for each different one.

    Args:
        array: (n,) texts.
        function: gives one value.
        kind: the values' type for numpy.
    """
    names, which = codes(array)
    return np.array([function(name) for name in names], kind)[which]


def _coded(array: Any) -> tuple[list[Any], NDArray[np.int64]]:
    """The different values of a pyarrow array, and which each is; one beyond the last for null."""
    import pyarrow as pa

    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    known = coded.dictionary.to_pylist()
    which = coded.indices.cast(pa.int64()).fill_null(len(known))
    return known, which.to_numpy(zero_copy_only=False)


def _text(value: Any) -> str:
    """An identifier as text: whole numbers without their point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode("cp1252", "replace") if isinstance(value, bytes) else str(value).strip()


def _parsed(known: Sequence[str], path: Path, pattern: str | None) -> Seconds:
    """Texts as times, in UTC those with an offset."""
    import pandas

    parsed = pandas.to_datetime(
        pandas.Series(known, dtype=object), format=pattern or "ISO8601", errors="coerce", utc=True
    )
    wrong = [text for text, bad in zip(known, parsed.isna(), strict=True) if bad and text]
    if wrong:
        wanted = f"one like {_EXAMPLE.strftime(pattern)}" if pattern else "ISO 8601, like 2019-12-31T18:00Z"
        raise InputError(f"{path}: the time {wrong[0]!r}; wanted {wanted}")
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
