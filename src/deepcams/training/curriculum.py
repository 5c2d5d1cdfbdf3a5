"""What a configuration says to learn from and to be judged by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.errors import InputError
from deepcams.evaluation.truth import FACTOR
from deepcams.grid import Region
from deepcams.provenance import sha256_of
from deepcams.sample import geos_cf_sample
from deepcams.training.batches import Prepare
from deepcams.training.dataset import Series, Split, open_series, stored_split
from deepcams.training.sections import Config
from deepcams.training.stage import Arrays, Stage
from deepcams.training.stages import stage_of

_LOOKED_AT = 8  # fields of a series whose values go into the digest

Sources = list[tuple[list[str | Path], float]]


@dataclass(frozen=True)
class Curriculum:
    """The data of a training.

    Attributes:
        stage: the network's kind.
        series: what is learned from.
        prepare: the example at a place in the batch of a step, as arrays.
        judged: the held-out fields, or what begins with them, to validate with, as series and number.
        split: what is held out.
        digest: SHA-256 of the split, of the series' grids and times, and of the values of some of their fields.
        unknown: share of the values in those fields that are unknown.
        inputs: names of the files.
    """

    stage: Stage[Any]
    series: tuple[Series, ...]
    prepare: Prepare
    judged: tuple[tuple[Series, int], ...]
    split: Split
    digest: str
    unknown: float
    inputs: tuple[str, ...]

    @property
    def line(self) -> str:
        """What there is, for people."""
        told = f"{sum(map(len, self.series))} fields in {len(self.series)} series, {len(self.judged)} held-out"
        return f"{told} {self.stage.items} to judge by; {share(self.unknown)} of the truth unknown, not learned from"


def share(part: float) -> str:
    """A share in percent, for people; a small one is not rounded to nothing."""
    return f"{100 * part:.2g} %"


def gather(config: Config) -> Curriculum:
    """Open the data of a configuration; the GEOS-CF sample that ships if it names none.

    Raises:
        InputError: if they cannot be read, do not fit the network, or leave nothing to learn from or to be judged by.
    """
    stage, sources, sampling = stage_of(config), _sources(config), config.sampling
    split = _split(sources, config)
    weighted = [one for paths, weight in sources for one in _weighted(_opened(paths, config), weight, split, stage)]
    series = tuple(one for one, _ in weighted)
    windows = {"series": series, "weights": tuple(weight for _, weight in weighted), "split": split}
    draw = stage.drawing(windows | {"size": sampling.size, "margin": sampling.margin, "seed": config.training.seed})
    held_out = [(one, int(number)) for one in series for number in stage.judged(one, split)]
    judged = _spread(held_out, config.training.validate_maps)
    if not judged and config.training.select == "best":
        raise InputError("no field is held out, or all are too near to those learned from, so that there is no best "
                         "validation: give split.hold_out or a larger split.last, or --set training.select=last to keep the "
                         "last weights unjudged")  # fmt: skip
    names = tuple(Path(path).name for paths, _ in [*sources, (stage.further, 1.0)] for path in paths)

    def prepare(step: int, index: int) -> Arrays:
        return stage.arrays(draw(step, index))

    return Curriculum(stage, series, prepare, judged, split, *_looked_at(series, split, stage.further), names)


def _sources(config: Config) -> Sources:
    """Paths that are opened together, and their common weight."""
    found: Sources = [([source.path], source.weight) for source in config.data.series]
    if config.data.files:
        found.insert(0, (list(config.data.files), 1.0))
    return found or [([geos_cf_sample()], 1.0)]


def _split(sources: Sources, config: Config) -> Split:
    """What is held out: as prepared sets say, or else as the configuration says.

    A set was divided when it was made, and learning from what it keeps for tests would spoil them.

    Raises:
        InputError: if sets were divided in different ways.
    """
    found = [stored_split(path) for paths, _ in sources for path in paths]
    stored = list(dict.fromkeys(split for split in found if split is not None and not split.is_empty))
    if len(stored) > 1:
        raise InputError(f"prepared sets with different splits ({stored[0]} and {stored[1]}): wanted the same in all; prepare "
                         "them with the same --hold-out and --last, or train on one of them")  # fmt: skip
    return stored[0] if stored else Split(tuple(Region(*box) for box in config.split.hold_out), config.split.last)


def _opened(paths: list[str | Path], config: Config) -> list[Series]:
    """The series of some paths, all with the networks' factor."""
    found = open_series(paths, units=config.data.units, scale=config.data.scale)
    for series in found:
        if series.factor != FACTOR:
            raise InputError(f"{series.name}: its fields are {series.factor} times as fine as their coarse ones; wanted "
                             f"{FACTOR}, as the networks refine")  # fmt: skip
    return found


def _weighted(series: list[Series], weight: float, split: Split, stage: Stage[Any]) -> Iterator[tuple[Series, float]]:
    """The series of one source, which share its weight by the number of fields to learn from."""
    counts = [stage.learned(one, split).size for one in series]
    for one, count in zip(series, counts, strict=True):
        yield one, weight * count / max(sum(counts), 1)


def _spread(fields: list[tuple[Series, int]], count: int) -> tuple[tuple[Series, int], ...]:
    """At most ``count`` of them, evenly spread."""
    chosen = np.unique(np.linspace(0, len(fields) - 1, min(count, len(fields))).round().astype(int))
    return tuple(fields[i] for i in chosen)


def _looked_at(series: Iterable[Series], split: Split, further: Iterable[Path]) -> tuple[str, float]:
    """A SHA-256 that tells other data from these, and the share of unknown values in the fields that were looked at.

    Reading years of them whole would take longer than it is worth.
    """
    whole, unknown, count = hashlib.sha256(repr(split).encode()), 0, 0
    for path in further:
        whole.update(sha256_of(path).encode())
    for one in series:
        whole.update(f"{one.grid!r} {one.coarse!r} {len(one)} {one.held_out}".encode())
        if one.times is not None:
            whole.update(one.times.astype("datetime64[s]").astype(np.int64).tobytes())
        for number in np.unique(np.linspace(0, len(one) - 1, _LOOKED_AT).round().astype(int)):
            field = one.read(int(number))
            unknown, count = unknown + int(np.isnan(field).sum()), count + field.size
            known = np.nan_to_num(field, nan=-1.0)  # NaN has many bit patterns
            whole.update(np.ascontiguousarray(known, np.float32).tobytes())
    return whole.hexdigest(), unknown / max(count, 1)
