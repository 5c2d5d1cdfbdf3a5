"""What the formats of OpenAQ have in common: the name of the species, ISO 8601 times with their offset from UTC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.columns import texts, times
from deepcams.stations.table import Texts

PM25 = ("pm25", "PM25", "pm2.5", "PM2.5")
"""The species as OpenAQ spells it."""


def only_pm25(batch: Any, species: str) -> tuple[Any, int]:
    """The lines of PM2.5, and how many others there were.

    Args:
        batch: pyarrow.RecordBatch.
        species: the column, of text or bytes, that says what was measured.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch[species]
    kept = batch.filter(pc.is_in(column, value_set=pa.array(PM25).cast(column.type)))
    return kept, batch.num_rows - kept.num_rows


def instants(array: Any, path: Path, *, utc: bool = False) -> NDArray[np.datetime64]:
    """ISO 8601 times with an offset, or Z, as UTC.

    Args:
        array: text.
        path: the file, for messages.
        utc: whether those without an offset are in UTC, as their column says.

    Returns:
        datetime64[s]; NaT for empty text.

    Raises:
        InputError: if one is something else.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    given = pc.if_else(pc.equal(array, ""), None, array)
    try:
        # Milliseconds: a finer unit would not read fewer digits, a coarser one not those that OpenAQ writes.
        known = given.cast(pa.timestamp("ms", "UTC"))
    except pa.ArrowInvalid:  # other digits, or no offset: slower
        return _any_instants(given, path, utc=utc)
    return known.to_numpy(zero_copy_only=False).astype("datetime64[s]")


def _any_instants(given: Any, path: Path, *, utc: bool) -> NDArray[np.datetime64]:
    """Any ISO 8601 times; null for empty text."""
    found = times(given, path)
    local = np.flatnonzero(~found.utc & ~np.isnat(found.times))
    if local.size and not utc:
        text = given[int(local[0])].as_py()
        raise InputError(f"{path}: the time {text!r}; wanted times like 2020-10-01T00:00:00Z or with +05:45")
    return found.times


def offsets(array: Any) -> Texts:
    """The offsets from UTC that ISO 8601 times end with, like ``+05:45``; nothing if there is none."""
    import pyarrow.compute as pc

    found = pc.extract_regex(array, r"(?P<offset>[+-]\d\d:\d\d)$")
    return texts(pc.fill_null(pc.struct_field(found, "offset"), ""))
