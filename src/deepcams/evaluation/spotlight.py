"""Where and when an evaluation has most to show, told from the truth alone: its figures are of there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.errors import InputError
from deepcams.evaluation.gridded import Exam, scored_cells
from deepcams.evaluation.metrics import Floats, Mask
from deepcams.evaluation.scorer import Places
from deepcams.evaluation.truth import FACTOR, Truth
from deepcams.grid import Grid, Region
from deepcams.sphere import to_blocks
from deepcams.units import EPSILON

BOX = (20.0, 28.0)  # degrees of latitude and of longitude that a figure shows
_LOOKED_AT = 8  # intervals of the series, evenly spread
_POLEWARD = 66.0  # degrees of latitude; beyond, a map of equal degrees shows little
_NEARLY = 0.999  # of the most cells that count in any box

Indices = NDArray[np.intp]


class Spotlight(NamedTuple):
    """Where and when there is most to see.

    Attributes:
        start: a given hour.
        middle: an hour between it and the next given one.
        varied: where the truth varies most at ``start``.
        changing: where it changes most, by its logarithm, up to the next given hour.
    """

    start: np.datetime64
    middle: np.datetime64
    varied: Region
    changing: Region


class Place(NamedTuple):
    """A box, and the variance of what is in it."""

    region: Region
    variance: float


def find_spotlight(truth: Truth, exam: Exam) -> Spotlight:
    """The most telling hours and boxes among the cells that are scored.

    Raises:
        InputError: if the series has no interval with any cell to score.
    """
    places, middle, length = Places(truth.coarse.refine(FACTOR)), _hours(truth.step // 2), _hours(truth.step)
    found = {}
    for time in _starts(truth):
        scored = _scored(truth, exam, places, time + middle)
        place = most_varied(truth.mean(truth.known(time)), scored, truth.coarse)
        if place is not None:
            found[time] = place
    if not found:
        raise InputError("no figures can be drawn: no two given fields have scored cells between them; give a smaller --margin "
                         "or another --region, or leave out --figures")  # fmt: skip
    start = max(found, key=lambda time: found[time].variance)
    before, after = (truth.mean(truth.known(time)) + EPSILON for time in (start, start + length))
    changing = most_varied(np.log(after / before), _scored(truth, exam, places, start + middle), truth.coarse)
    return Spotlight(start, start + middle, found[start].region, (changing or found[start]).region)


def most_varied(values: Floats, counted: Mask, grid: Grid) -> Place | None:
    """The box of at most ``BOX`` degrees in which a field varies most, among those with most cells that count.

    Args:
        values: (rows, columns); NaN does not count.
        counted: (rows, columns).
        grid: of both.

    Returns:
        None if no cell counts.
    """
    known = counted & np.isfinite(values)
    if (known & (np.abs(grid.latitude) <= _POLEWARD)[:, None]).any():
        known &= (np.abs(grid.latitude) <= _POLEWARD)[:, None]
    if not known.any():
        return None
    reach = [int(min(degrees / grid.step, length) / 2) for degrees, length in zip(BOX, grid.shape, strict=True)]
    mode = ("constant", "wrap" if grid.periodic else "constant")
    share, first, second = (
        ndimage.uniform_filter(np.where(known, one, 0.0), [2 * one + 1 for one in reach], mode=mode)
        for one in (np.ones(grid.shape), values, values.astype(np.float64) ** 2)
    )
    full = share >= _NEARLY * share.max()
    variance = np.where(full, second / np.where(full, share, 1) - (first / np.where(full, share, 1)) ** 2, -np.inf)
    row, column = np.unravel_index(variance.argmax(), grid.shape)
    rows, columns = (
        np.arange(middle - half, middle + half + 1) for middle, half in zip((row, column), reach, strict=True)
    )
    return Place(_around(known, grid, rows, columns), float(variance.max()))


def _around(known: Mask, grid: Grid, rows: Indices, columns: Indices) -> Region:
    """The edges of the cells that count among rows and columns, which may run beyond the grid."""
    rows = rows[(rows >= 0) & (rows < grid.rows)]
    columns = columns if grid.periodic else columns[(columns >= 0) & (columns < grid.columns)]
    inside, half = known[np.ix_(rows, columns % grid.columns)], grid.step / 2
    rows, columns = rows[inside.any(axis=1)], columns[inside.any(axis=0)]
    west = (grid.west + grid.step * columns[0] - half + 180) % 360 - 180
    east = west + grid.step * (columns[-1] - columns[0] + 1)
    north, south = min(grid.latitude[rows[0]] + half, 90.0), max(grid.latitude[rows[-1]] - half, -90.0)
    return Region(float(north), float(west), float(south), float(east))


def _scored(truth: Truth, exam: Exam, places: Places, time: np.datetime64) -> Mask:
    """(coarse rows, coarse columns) the coarse cells whose centre is scored at an hour."""
    centre = (FACTOR - 1) // 2
    mask: Mask = to_blocks(scored_cells(truth, exam, places, time), truth.coarse, FACTOR)[:, centre, :, centre]
    return mask


def _hours(number: int) -> np.timedelta64:
    return np.timedelta64(number, "h")


def _starts(truth: Truth) -> list[np.datetime64]:
    """Some given hours, spread over the series, with the next given one and the middle between them in the data."""
    times, known = truth.analyses.times, set(truth.hourly.fields.times)
    whole = [one for one in times if {one + _hours(truth.step // 2), one + _hours(truth.step)} <= known]
    spread = np.linspace(0, len(whole) - 1, min(len(whole), _LOOKED_AT))
    return [whole[number] for number in spread.round().astype(int)]
