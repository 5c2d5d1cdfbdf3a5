"""Maps that are there already as contenders: they are scored at the same cells and hours, but made from something else.

A method is given the area means of the truth. A product (the published dataset, another model's) was made from CAMS or from
whatever it was: how its source differs from the truth is part of its error, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcams.errors import InputError
from deepcams.evaluation.truth import FACTOR, Truth
from deepcams.grid import Grid
from deepcams.io.results import Results
from deepcams.pipeline import Hour
from deepcams.timeline import TimeKind

_DIGITS = 6  # of a step of the grid


@dataclass(frozen=True, eq=False)
class Product:
    """Hourly maps with a name.

    Attributes:
        name: as tables call it.
        results: the maps, in ug m-3.
    """

    name: str
    results: Results

    @property
    def note(self) -> str:
        """What a reader should know of it."""
        return (f"{self.name} ({self.results.label}) was not made from the area means of the truth: how its source differs "
                "from the truth is in its errors")  # fmt: skip

    def hours(self, truth: Truth) -> Iterator[Hour]:
        """Its maps (rows, columns) at the hours and on the grid of the truth, in the order of time.

        Raises:
            InputError: if it lacks an hour or a value, or lies on other nodes.
        """
        rows, columns = _places(self, truth.coarse.refine(FACTOR))
        given = set(truth.analyses.times.tolist())
        for time in truth.hourly.fields.times:
            (found,) = np.nonzero(self.results.times == time)
            if not found.size or self.results.kinds[found[0]] == TimeKind.MISSING:
                raise InputError(f"{self.name} ({self.results.label}) has no map of {time}:00 UTC, which the truth has: "
                                 "leave it out, or give the hours that both have")  # fmt: skip
            values = self.results.read(slice(int(found[0]), int(found[0]) + 1), rows)[0][:, columns]
            if not np.isfinite(values).all():
                raise InputError(
                    f"{self.name} ({self.results.label}) has missing values at {time}:00 UTC: wanted whole maps"
                )
            kind = TimeKind.ANALYSIS if time.item() in given else TimeKind.INTERPOLATED
            yield Hour(time, kind, values)


def _places(product: Product, fine: Grid) -> tuple[slice, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Which rows and columns of a product are a grid's nodes.

    Raises:
        InputError: if some are not there.
    """
    grid = product.results.grid
    row = round((grid.north - fine.north) / fine.step, _DIGITS)
    columns = np.round((fine.longitude - grid.west) % 360 / fine.step, _DIGITS)
    inside = row >= 0 and row + fine.rows <= grid.rows and (columns < grid.columns).all()
    if grid.step != fine.step or not inside or row % 1 or (columns % 1).any():
        raise InputError(f"{product.name} ({product.results.label}) lies on another grid ({grid}) than the truth ({fine}): "
                         "maps are not shifted; give it on these nodes")  # fmt: skip
    return slice(int(row), int(row) + fine.rows), columns.astype(np.intp)
