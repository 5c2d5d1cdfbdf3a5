"""What a run has left in its folders: hourly results, and the files of ``evaluate`` and ``validate``.

A folder is looked through, and the folders in it, no deeper. In folders only what is certainly of deepcams is taken; what
is given by its own name is taken for what it can be read as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcams.errors import InputError
from deepcams.io.files import DataFile, data_files, is_store, open_dataset

EVALUATION, VALIDATION = "evaluate.json", "scores.json"

_NETCDF = (".nc", ".nc4")
_STATISTICS = "statistics of deepcams aggregate, not hourly maps"
_SERIES = "series or means of deepcams extract, not hourly maps"
_FOREIGN = "not written by deepcams; CAMS files are given with --cams"
_NAMED = 5  # files in a message
_WANTED = (
    f"wanted what deepcams downscale leaves (.zarr, .nc), deepcams evaluate --output ({EVALUATION}) or deepcams validate "
    f"--out ({VALIDATION})"
)


@dataclass
class Found:
    """What there is.

    Attributes:
        results: the files of each hourly result: a store, or NetCDF files that belong together.
        evaluations: files of ``deepcams evaluate``.
        validations: files of ``deepcams validate``.
        others: files with maps or series that are not shown, and why.
    """

    results: list[tuple[Path, ...]] = field(default_factory=list)
    evaluations: list[Path] = field(default_factory=list)
    validations: list[Path] = field(default_factory=list)
    others: dict[Path, str] = field(default_factory=dict)


def find(paths: Sequence[Path]) -> Found:
    """Look through folders and files.

    Args:
        paths: folders of runs, stores, NetCDF files, ``evaluate.json`` and ``scores.json`` of any name.

    Raises:
        InputError: if one does not exist, or nothing of deepcams is there.
    """
    found = Found()
    files: dict[Path, bool] = {}  # NetCDF files, and whether they were given by name
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        if path.is_dir() and not is_store(path):
            files |= {one: False for one in _look_through(path, found) if one not in files}
        elif path.suffix.lower() == ".json":
            _known(path, found).append(path)
        elif is_store(path):
            found.results.append((path,))
        else:
            files[path] = True
    _sort(files, found)
    if not (found.results or found.evaluations or found.validations):
        raise _nothing(paths, found)
    found.results = list(dict.fromkeys(found.results))
    found.evaluations = list(dict.fromkeys(found.evaluations))
    found.validations = list(dict.fromkeys(found.validations))
    return found


def _look_through(folder: Path, found: Found) -> Iterator[Path]:
    """Take in what a folder and the folders in it hold; gives the NetCDF files, which are to be looked into."""
    inner = [one for one in _visible(folder) if one.is_dir() and not is_store(one)]
    for place in (folder, *inner):
        for one in _visible(place):
            if is_store(one):
                _take_store(one, found)
            elif one.name == EVALUATION:
                found.evaluations.append(one)
            elif one.name == VALIDATION:
                found.validations.append(one)
            elif one.suffix.lower() in _NETCDF and one.is_file():
                yield one


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, by name, but what is hidden as unfinished files are."""
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be looked through ({error.strerror})") from error


def _take_store(path: Path, found: Found) -> None:
    try:
        why = _unsuitable(*_described(DataFile(path, str(path), "zarr")))
    except InputError as error:
        why = _damaged(error)
    if why:
        found.others[path] = why
    else:
        found.results.append((path,))


def _damaged(error: InputError) -> str:
    """Why a file that cannot be read is not shown; among those of a folder it is no reason to stop."""
    return f"cannot be read: {error}"


def _known(path: Path, found: Found) -> list[Path]:
    """Where a JSON file that was given by its name belongs; its content is judged by who reads it."""
    return found.evaluations if path.name == EVALUATION or _mentions(path, b'"reference"') else found.validations


def _mentions(path: Path, word: bytes) -> bool:
    """Whether a file's first bytes have a word."""
    with path.open("rb") as stream:
        return word in stream.read(200)


def _sort(files: Mapping[Path, bool], found: Found) -> None:
    """Tell NetCDF files that are results from others, and gather those that are of one piece of work, such as months."""
    together: dict[tuple[Any, ...], list[Path]] = {}
    for path, given in files.items():
        try:
            attributes, sizes = _described(data_files(path)[0])
            why = _unsuitable(attributes, sizes, strict=not given)
        except InputError as error:
            if given:
                raise
            why = _damaged(error)
        if why:
            found.others[path] = why
            continue
        work = (attributes.get(name) for name in ("deepcams_version", "deepcams_settings", "deepcams_calibration"))
        shape = (sizes.get(name) for name in ("latitude", "longitude"))
        together.setdefault((path.parent, *work, *shape), []).append(path)
    found.results += [tuple(group) for group in together.values()]


def _described(file: DataFile) -> tuple[dict[str, Any], dict[str, int]]:
    """The global attributes of a file or store, and the lengths of its dimensions."""
    with open_dataset(file) as dataset:
        return dict(dataset.attrs), {str(name): size for name, size in dataset.sizes.items()}


def _unsuitable(attributes: Mapping[str, Any], sizes: Mapping[str, int], *, strict: bool = True) -> str:
    """Why a file is no hourly result; nothing if it is one."""
    if "deepcams_aggregation" in attributes:
        return _STATISTICS
    if strict and "deepcams_settings" not in attributes:
        return _FOREIGN
    return "" if {"time", "latitude", "longitude"} <= sizes.keys() or not strict else _SERIES


def _nothing(paths: Sequence[Path], found: Found) -> InputError:
    """The error that there is nothing of ours, with what is there instead."""
    where = ", ".join(map(str, paths))
    if found.others:
        others = _listed(f"{one.name}: {why}" for one, why in found.others.items())
        return InputError(f"{where}: nothing to report on ({others}); {_WANTED}")
    inside = [one.name for path in paths if path.is_dir() for one in _visible(path)]
    there = f"there is {_listed(inside)}" if inside else "it is empty"
    return InputError(f"{where}: nothing of deepcams in it ({there}); {_WANTED}")


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return ", ".join(known[:_NAMED]) + more
