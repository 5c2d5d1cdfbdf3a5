"""JSON objects whose fields are not always of one type, turned into columns that are.

Files that many programs have written hold a few such lines among hundreds of thousands: a value in quotes, coordinates as
a list, a name that is a number. pyarrow refuses the whole file for one of them.
"""

from __future__ import annotations

import json
from math import nan
from pathlib import Path
from typing import Any

from deepcams.errors import InputError

_SHOWN = 60  # characters of a line


def coerced(path: Path, block: bytes, schema: Any, before: int) -> Any:
    """Lines of JSON as a table.

    Args:
        path: the file, for messages.
        block: the lines.
        schema: pyarrow.Schema of the wanted fields: text as binary, float64, booleans, and structs of them.
        before: how many lines of the file come before.

    Returns:
        pyarrow.Table of this schema; null for what is missing, or cannot be turned into the field's type.

    Raises:
        InputError: if a line is not a JSON object.
    """
    import pyarrow as pa

    lines = ((number, line) for number, line in enumerate(block.split(b"\n"), before + 1) if line.strip())
    objects = [_object(path, number, line) for number, line in lines]
    columns = [pa.array([_as(field.type, one.get(field.name)) for one in objects], field.type) for field in schema]
    return pa.table(columns, schema=schema)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """A line of a file as an object. Text that is not UTF-8 comes back as the bytes that it was."""
    text = line.decode("utf-8", "surrogateescape")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        shown = text.strip()[:_SHOWN].encode("utf-8", "replace").decode()
        raise InputError(f"{path}: line {number} is not a JSON object: {shown!r}; is the file cut off or damaged?")
    return found


def _as(kind: Any, value: Any) -> Any:
    """A value as the type of a field; None if it cannot be."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return {one.name: _as(one.type, value.get(one.name)) for one in kind} if isinstance(value, dict) else None
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}.get(str(value).lower())
    if pa.types.is_floating(kind):
        return _number(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return str(value).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair of escapes
        return str(value).encode("utf-8", "replace")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:  # a whole number of hundreds of digits
        return nan
