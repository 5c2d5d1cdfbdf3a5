"""``deepcams prepare``: from hourly fine fields to a training set, or to the original's folders of images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Field, Hours
from deepcams.io.output import check_space, partial_folder
from deepcams.provenance import provenance
from deepcams.training.coarsening import AREA_MEAN, COARSENINGS, Coarsening
from deepcams.training.original import TEST, TRAINING, Pictures, needed_scale
from deepcams.training.series import Mask, Numbers, Series, Split, cut
from deepcams.training.sets import RECORD, Description, write_record, write_set
from deepcams.training.statistics import Statistics

Progress = Callable[[int], None]

FORMATS = ("png", "mat")
_PARTS = ("training", "validation")
_WIDEST = 256  # times the largest value: a scale beyond it leaves less than 8 of the 16 bits


@dataclass(frozen=True)
class Preparation:
    """A set to be made.

    Attributes:
        series: the hourly fields.
        region: what part of them; None for all. Whole coarse cells whose nodes lie in it are taken.
        start: the first hour; None for all.
        end: the last hour; None for all.
        method: how coarse fields are made: a name in :data:`COARSENINGS`.
        split: what is held out.
        step: hours between a field and its neighbours, for the split.
        files: names of the input files, for the provenance.

    Raises:
        InputError: if nothing is left to prepare, or an option is unknown.
    """

    series: Series
    region: Region | None = None
    start: np.datetime64 | None = None
    end: np.datetime64 | None = None
    method: str = AREA_MEAN
    split: Split = field(default_factory=Split)
    step: int = 3
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in COARSENINGS:
            raise InputError(f"coarse fields by {self.method!r}: wanted one of {', '.join(COARSENINGS)}")
        if self.series.times is None or self.series.coarse is not None:
            raise InputError(f"{self.series.name}: coarse fields are given there already, or its fields have no times: "
                             "wanted hourly fields")  # fmt: skip
        if not self.chosen.size:
            times = self.series.times
            raise InputError(f"{self.series.name}: no hour in the period asked for; the data go from {times[0]} to "
                             f"{times[-1]} UTC")  # fmt: skip
        if not any(self.numbers(part).size for part in _PARTS):
            raise InputError(f"{self.times.size} hours from {self.times[0]} to {self.times[-1]} UTC: all lie within "
                             f"{self.step} h of the hours held out; hold out less, or give more hours")  # fmt: skip
        if min(self.description.coarse.shape) < 2:
            raise InputError(f"{self.description.coarse.rows} x {self.description.coarse.columns} coarse cells of "
                             f"{self.series.name} lie in the region; wanted 2 x 2 at least")  # fmt: skip

    @cached_property
    def chosen(self) -> Numbers:
        """Numbers of the series' fields in the period."""
        times = self.series.times
        if times is None:
            return np.arange(0)
        after = True if self.start is None else times >= self.start
        before = True if self.end is None else times <= self.end
        return np.flatnonzero(np.broadcast_to(np.logical_and(after, before), times.shape))

    @cached_property
    def times(self) -> Hours:
        """(n,) the hours to be prepared."""
        times = self.series.times
        return np.array([], "datetime64[h]") if times is None else times[self.chosen]

    @cached_property
    def description(self) -> Description:
        """What is made."""
        grid = self._whole
        if self.region is not None:
            rows, columns = grid.row_window(self.region), grid.column_window(self.region)
            if not (rows and columns):
                raise InputError(
                    f"no coarse cell of {self.series.name} ({grid}) lies in the region: give another --region"
                )
            grid = grid.window(rows, columns)
        return Description(grid, self.series.factor, self.method, self.step, self.split)

    @cached_property
    def _whole(self) -> Grid:
        return self.series.whole_grid()

    def numbers(self, part: str) -> Numbers:
        """Places, among the hours prepared, of those in ``training`` or ``validation``."""
        series = replace(self.series, times=self.times, count=self.times.size)
        choose = self.split.training_numbers if part == "training" else self.split.validation_numbers
        return choose(series, self.step)

    def counted(self, part: str) -> Mask:
        """(rows, columns) the fine nodes that a part learns from or validates with."""
        fine = self.description.fine
        return self.split.learned(fine) if part == "training" else self.split.validated(fine, self.series)

    def pair(self, place: int) -> tuple[Field, Field]:
        """The fine field of an hour prepared, and the coarse one: a part of what would be made of the whole field."""
        fine, coarse = self.description.fine, self.description.coarse
        number, factor = int(self.chosen[place]), self.series.factor
        made = self._coarsening.apply(self.series.fine_on(self._whole, number), self._whole, factor)
        return cut(self.series.read(number), self.series.grid, fine), cut(made, self._whole, coarse)

    @property
    def _coarsening(self) -> Coarsening:
        return COARSENINGS[self.method]

    @property
    def origin(self) -> dict[str, Any]:
        """Where the set comes from."""
        region = self.region and list(self.region.bounds)
        period = [str(self.times[0]), str(self.times[-1])]
        settings = self.description.to_json() | {"region": region, "period": period}
        source = self.series.attribution or "not named in the files"
        return provenance(settings, self.files) | {"licence": "that of the input", "attribution": source}


@dataclass(frozen=True)
class Summary:
    """What was made.

    Attributes:
        path: where it is.
        preparation: what was asked for.
        statistics: by part, as in ``set.json``.
        scale: ug m-3 at the full range of PNG images; None for others.
    """

    path: Path
    preparation: Preparation
    statistics: dict[str, Any]
    scale: float | None = None


def count_hours(preparation: Preparation, layout: str, form: str) -> int:
    """How many hours of work there are, as ``progress`` is told of them."""
    if layout == "zarr":
        return preparation.times.size
    return (2 if form == "png" else 1) * sum(preparation.numbers(part).size for part in _PARTS)


def prepare_set(
    preparation: Preparation, path: Path, *, overwrite: bool = False, progress: Progress = lambda count: None
) -> Summary:
    """Write a set as ``set.json`` and ``fields.zarr``; the folder has its name only when it is whole.

    Args:
        preparation: what to make.
        path: the folder to make.
        overwrite: whether a set that is there may be replaced.
        progress: told of every hour done.

    Raises:
        InputError: if a field cannot be read.
        OutputError: if the folder cannot be written.
    """
    refuse = partial(_refuse_taken, path, overwrite=overwrite)
    refuse()
    parts = {
        part: (Statistics(), preparation.counted(part), set(preparation.numbers(part).tolist())) for part in _PARTS
    }
    description, count = preparation.description, preparation.times.size

    def fields() -> Iterator[tuple[Field, Field]]:
        for place in range(count):
            fine, coarse = preparation.pair(place)
            for statistics, counted, numbers in parts.values():
                if place in numbers:
                    statistics.add(fine[counted])
            yield fine, coarse
            progress(1)

    check_space(path, count * description.fine.rows * description.fine.columns)
    with partial_folder(path, refuse) as folder:
        write_set(folder, description, preparation.times, fields(), preparation.origin)
        gathered = {part: statistics.to_json() for part, (statistics, _, _) in parts.items()}
        write_record(folder, description, {"splits": gathered, "provenance": preparation.origin})
    return Summary(path, preparation, gathered)


def prepare_images(
    preparation: Preparation,
    path: Path,
    *,
    form: str = "png",
    scale: float | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Write a set in the original's layout of images; the folder has its name only when it is whole.

    Args:
        preparation: what to make; hours that are held out go to ``testset``. Of a held-out region, ``testset`` has the
            truth alone, and ``trainset`` all but it (unknown there, which takes MATLAB files).
        path: the folder to make.
        form: ``png`` (16 bits) or ``mat``.
        scale: ug m-3 at the full range of PNG images; None for the largest value, rounded up.
        overwrite: whether a set that is there may be replaced.
        progress: told of every hour done; PNG images are made in two passes, of which the first finds the largest value.

    Raises:
        InputError: if a field cannot be read, or does not fit the form: unknown values in PNG, values above the scale.
        OutputError: if the folder cannot be written.
    """
    if form not in FORMATS:
        raise InputError(f"images as {form!r}: wanted one of {', '.join(FORMATS)}")
    if form == "png" and preparation.split.held_out:
        raise InputError("regions held out are unknown in the images of the other part, which PNG cannot hold: use --format "
                         "mat, or hold out hours with --last")  # fmt: skip
    refuse = partial(_refuse_taken, path, overwrite=overwrite)
    refuse()
    pictures = Pictures(preparation.description.coarse, preparation.series.factor)
    scale = _scale(preparation, pictures, scale, progress) if form == "png" else None
    gathered = {}
    with partial_folder(path, refuse) as folder:
        for part, inside in zip(_PARTS, (TRAINING, TEST), strict=True):
            statistics, counted = Statistics(), preparation.counted(part)
            for place in preparation.numbers(part):
                fine, coarse = preparation.pair(place)
                shown = np.where(counted, fine, np.float32(np.nan))
                statistics.add(fine[counted])
                pictures.write(folder / inside, str(preparation.times[place]), shown, coarse, form, scale)
                progress(1)
            gathered[part] = statistics.to_json()
        pictures.write_sidecar(folder, scale, preparation.origin | {"splits": gathered})
    return Summary(path, preparation, gathered, scale)


def _scale(preparation: Preparation, pictures: Pictures, asked: float | None, progress: Progress) -> float:
    """The concentration at the full range of PNG images.

    Raises:
        InputError: if a value lies above the one asked for, or all lie far below it.
    """
    places = (place for part in _PARTS for place in preparation.numbers(part))
    hours = ((str(preparation.times[place]), pictures.of(*preparation.pair(place))) for place in places)
    needed = needed_scale(hours, progress)
    if asked is not None and asked < needed:
        raise InputError(f"values up to {needed:g} ug m-3, and a scale of {asked:g}: nothing is clipped; give a scale of "
                         f"{math.ceil(needed)} at least, or none")  # fmt: skip
    if asked is not None and asked > _WIDEST * max(needed, 1):
        raise InputError(f"values up to {needed:g} ug m-3, and a scale of {asked:g}: little of it would be left in 16 bits; "
                         f"give a scale near {math.ceil(needed)}, or none")  # fmt: skip
    return asked or float(max(1, math.ceil(needed)))


def _refuse_taken(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where nothing can be made, before any work is done.

    Raises:
        OutputError: if it is taken by something else than a set, or by one that may not be replaced, or cannot be made.
    """
    if path.name in ("", ".."):
        raise OutputError(f"{path}: wanted the name of a folder to make")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if path.is_dir() and not any(path.iterdir()):
        return
    ours = (path / RECORD).is_file() or ((path / "scale.json").is_file() and (path / TRAINING.parent).is_dir())
    if path.exists() and not ours:
        raise OutputError(f"{path}: is there already, and no prepared set; it is left as it is: give another name")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; give another name, or --overwrite to replace it")
