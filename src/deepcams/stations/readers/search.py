"""Which station files a user means, and of which format each is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Format, Head

_SUFFIXES = (".csv", ".tsv", ".dat", ".json", ".jsonl", ".ndjson", ".parquet")
_INDEX = "fetched.json"  # what deepcams fetch notes beside its files
_PACKED = (".gz", ".zip")
_SHOWN = 12


def station_files(paths: Iterable[str | Path], *, other_than: Path | None = None) -> list[Path]:
    """The files of the given files, folders and patterns, in order, each once.

    Args:
        paths: of a folder all tables in it and its folders are taken, by their names, but no hidden ones.
        other_than: a file that is not meant even if it lies in one of the folders: the site table.

    Raises:
        InputError: if one of them does not exist or has no file.
    """
    given = list(paths)
    if not given:
        raise InputError("no station files given: wanted files, a folder of them, or a pattern")
    meant = {path.absolute(): path for item in given for path in _expand(Path(item))}
    if other_than is not None and len(meant) > 1:
        meant.pop(other_than.absolute(), None)
    return list(meant.values())


def recognised(head: Head, formats: Sequence[Format], name: str | None = None) -> Format:
    """The format of a file.

    Args:
        head: its beginning.
        formats: those known, the most particular ones first.
        name: what the user says it is: a format, or a family of formats, as ``airnow`` is of ``airnow-hourly``.

    Raises:
        InputError: if it is of none of them.
    """
    if name is not None:
        named = [one for one in formats if one.name == name or one.name.startswith(f"{name}-")]
        if not named:
            known = ", ".join(dict.fromkeys(one.name for one in formats))
            raise InputError(f"format {name!r}: wanted one of {known}")
        return next((one for one in named if one.recognises(head)), named[0])
    found = next((one for one in formats if one.recognises(head)), None)
    if found is None:
        raise InputError(_unrecognised(head, formats))
    return found


def _expand(place: Path) -> list[Path]:
    """The files of a path, a folder or a pattern.

    Raises:
        InputError: if there is none.
    """
    if place.is_file():
        return [place]
    if place.is_dir():
        inside = [path for path in sorted(place.rglob("*")) if _is_table(path) and _is_visible(path, place)]
        return _or_error(inside, f"{place}: no station file in this folder; wanted {', '.join(_SUFFIXES)} or such .gz")
    if _is_pattern(str(place)):
        fixed = next(parent for parent in place.parents if not _is_pattern(str(parent)))
        matching = sorted(path for path in fixed.glob(str(place.relative_to(fixed))) if path.is_file())
        visible = [path for path in matching if _is_visible(path, fixed)]
        return _or_error(visible, f"{place}: no file matches this pattern")
    raise InputError(f"{place}: no such file or folder")


def _is_pattern(text: str) -> bool:
    return bool(set(text) & set("*?["))


def _is_table(path: Path) -> bool:
    return path.is_file() and path.name != _INDEX and path.suffix.lower() in (*_SUFFIXES, *_PACKED)


def _is_visible(path: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _or_error(paths: list[Path], message: str) -> list[Path]:
    if not paths:
        raise InputError(message)
    return paths


def _unrecognised(head: Head, formats: Sequence[Format]) -> str:
    columns = ", ".join(head.columns[:_SHOWN]) + (", ..." if len(head.columns) > _SHOWN else "")
    found = f"the columns {columns}" if columns else f"the line {head.lines[0][:80]!r}"
    wanted = "\n".join(f"  {one.name}: {one.wanted}" for one in formats)
    return f"{head.path}: not a known format of station files; found {found}; wanted one of\n{wanted}\nor give --format"
