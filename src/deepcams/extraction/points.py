"""Points on the Earth: read from a table, and found between the nodes of a grid."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.sampling import Cells, Cover, Floats, Sampler
from deepcams.grid import Grid

_SPELLINGS = {
    "latitude": ("latitude", "lat", "y"),
    "longitude": ("longitude", "lon", "long", "lng", "x"),
    "name": ("name", "station_name", "station", "station_id", "site", "site_id", "id", "code"),
}
_DIGITS = 9  # of a place among the nodes: a point on a node has no share of its neighbours
_EDGE = 1e-6  # degrees by which a point may lie beyond the outermost cell
_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Points:
    """Places given by the user.

    Attributes:
        names: (n,) each another.
        latitude: (n,) degrees.
        longitude: (n,) degrees, as they were given.
        columns: the table's further columns, as text.
    """

    names: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    columns: dict[str, tuple[str, ...]]

    def take(self, chosen: Cells) -> Points:
        """Some of them."""
        columns = {title: tuple(texts[i] for i in chosen) for title, texts in self.columns.items()}
        names = tuple(self.names[i] for i in chosen)
        return Points(names, self.latitude[chosen], self.longitude[chosen], columns)


def read_points(path: Path) -> Points:
    """The points in a table: CSV with a line of titles, parted by commas, semicolons or tabs.

    Args:
        path: the file, in UTF-8. Latitude and longitude in degrees are needed; without names the points are numbered.

    Raises:
        InputError: if it cannot be read, lacks a column or a number, or has a name twice.
    """
    titles, lines = _table(path)
    found = {what: _column(titles, spellings) for what, spellings in _SPELLINGS.items()}
    for what in ("latitude", "longitude"):
        if found[what] is None:
            wanted = " or ".join(_SPELLINGS[what])
            raise InputError(f"{path}: no column of {what} among {', '.join(titles)}; wanted one called {wanted}")
    at = {what: -1 if place is None else place for what, place in found.items()}
    latitude = _numbers(path, lines, at["latitude"], "latitude", 90)
    longitude = _numbers(path, lines, at["longitude"], "longitude", 360)
    names = [str(i + 1) if at["name"] < 0 else line[at["name"]].strip() for i, (_, line) in enumerate(lines)]
    check_names(str(path), names)
    others = [i for i, title in enumerate(titles) if i not in at.values() and title]
    columns = {titles[i]: tuple(line[i].strip() for _, line in lines) for i in others}
    return Points(tuple(names), latitude, longitude, columns)


def check_names(label: str, names: Sequence[str], remedy: str = "") -> None:
    """Refuse an empty name, or one that is used twice.

    Raises:
        InputError: for such a name.
    """
    if "" in names:
        raise InputError(f"{label}: number {list(names).index('') + 1} has an empty name; give it one")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{label}: {shown(twice)} is there more than once; wanted each name once{remedy}")


def shown(names: Sequence[str]) -> str:
    """The first names of several, for a message."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The titles of a table, and its lines with their numbers in the file, each as long as the titles."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            reader = csv.reader(stream, delimiter=max(",;\t", key=first.count), skipinitialspace=True)
            titles = [title.strip() for title in next(reader, [])]
            lines = [(reader.line_num, line) for line in reader if any(text.strip() for text in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error}); wanted CSV in UTF-8") from error
    if not lines:
        raise InputError(
            f"{path}: no points; wanted a line of titles (name,latitude,longitude) and a line for each point"
        )
    check_names(f"{path}: title", [title for title in titles if title])
    for number, line in lines:
        if len(line) != len(titles):
            raise InputError(f"{path}: line {number} has {len(line)} columns, the titles {len(titles)}; wanted as many")
    return titles, lines


def _column(titles: Sequence[str], spellings: Sequence[str]) -> int | None:
    """The column with the first of the spellings that is there."""
    plain = [title.lower().replace(" ", "_").removesuffix("_deg") for title in titles]
    return next((plain.index(one) for one in spellings if one in plain), None)


def _numbers(path: Path, lines: Sequence[tuple[int, list[str]]], column: int, what: str, limit: int) -> Floats:
    numbers = np.empty(len(lines))
    for i, (number, line) in enumerate(lines):
        try:
            numbers[i] = float(line[column])
        except ValueError:
            numbers[i] = np.nan
        if not abs(numbers[i]) <= limit:
            raise InputError(
                f"{path}: line {number} has the {what} {line[column]!r}: wanted degrees within -{limit}..{limit}"
            )
    return numbers


def at_points(grid: Grid, points: Points, *, interpolation: str = "bilinear", skip_outside: bool = False) -> Sampler:
    """How to take series at points.

    Args:
        grid: the maps' grid. A point in the outer half of a regional grid's outermost cell has the value of its edge.
        points: where.
        interpolation: ``bilinear`` between the four nodes around, or ``nearest``: the cell that holds the point.
        skip_outside: leave points outside the grid out.

    Raises:
        InputError: if a point lies outside the grid and may not be left out, or all do.
    """
    row = (grid.latitude[0] - points.latitude) / grid.step
    column = ((points.longitude - grid.west + grid.step / 2 + _EDGE) % 360 - grid.step / 2 - _EDGE) / grid.step
    outside = ~_covers(grid, row, column)
    if outside.any() and not (skip_outside and not outside.all()):
        raise InputError(_outside_message(grid, points, np.flatnonzero(outside)))
    kept = np.flatnonzero(~outside)
    inside = points.take(kept)
    cover = _INTERPOLATIONS[interpolation](grid, np.round(row[kept], _DIGITS), np.round(column[kept], _DIGITS))
    kind, skipped = f"points, {interpolation}", int(outside.sum())
    return Sampler(inside.names, inside.latitude, inside.longitude, cover, grid, False, kind, inside.columns, skipped)


def _covers(grid: Grid, row: Floats, column: Floats) -> NDArray[np.bool_]:
    """Whether points, in steps from the first node, lie in the grid's cells."""
    room = 0.5 + _EDGE / grid.step
    north, south = row >= -room, row <= grid.rows - 1 + room
    return north & south & (grid.periodic | (column <= grid.columns - 1 + room))


def _outside_message(grid: Grid, points: Points, outside: Cells) -> str:
    there = [f"{points.names[i]} ({points.latitude[i]:g}N {points.longitude[i]:g}E)" for i in outside]
    if len(there) == len(points.names):
        return f"{shown(there)}: outside the data ({grid}), like all points"
    return f"{shown(there)}: outside the data ({grid}); take it out, or leave such points out with --skip-outside"


def _bilinear(grid: Grid, row: Floats, column: Floats) -> Cover:
    row = row.clip(0, grid.rows - 1)
    column = column if grid.periodic else column.clip(0, grid.columns - 1)
    top, left = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
    down, right = row - top, column - left
    rows = top[:, None] + np.array([0, 0, 1, 1])
    columns = left[:, None] + np.array([0, 1, 0, 1])
    columns = columns % grid.columns if grid.periodic else columns
    above, below = (1 - down)[:, None], down[:, None]
    beside = np.stack([1 - right, right], axis=1)
    weights = np.concatenate([above * beside, below * beside], axis=1)
    # A corner without weight is left out: what it holds, or that there is none, does not matter.
    kept = weights > 0
    return Cover(rows[kept], columns[kept], weights[kept], kept.sum(axis=1))


def _nearest(grid: Grid, row: Floats, column: Floats) -> Cover:
    rows = np.floor(row + 0.5).astype(np.intp).clip(0, grid.rows - 1)
    columns = np.floor(column + 0.5).astype(np.intp)
    columns = columns % grid.columns if grid.periodic else columns.clip(0, grid.columns - 1)
    return Cover(rows, columns, np.ones(rows.size), np.ones(rows.size, np.intp))


_INTERPOLATIONS: dict[str, Callable[[Grid, Floats, Floats], Cover]] = {"bilinear": _bilinear, "nearest": _nearest}
INTERPOLATIONS = tuple(_INTERPOLATIONS)
