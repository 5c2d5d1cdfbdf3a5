"""The training of our temporal network: on intervals at single places, and of gridded fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deepcams.io.places import open_places
from deepcams.land import land_share
from deepcams.sample import places_samples
from deepcams.temporal.flow import carried_ends
from deepcams.temporal.network import PARTS, Architecture, Situation, TemporalNetwork, situation
from deepcams.temporal.network import between as network_between
from deepcams.temporal.setting import Analyses, Setting
from deepcams.training.intervals import Interval, learned_beginnings, make_interval, whole_cells
from deepcams.training.losses import relative
from deepcams.training.places import Lessons, PlaceSampler
from deepcams.training.sections import ProgressConfig, Source
from deepcams.training.series import Mask, Numbers, Series, Split
from deepcams.training.stage import Arrays, Batch, Contender, Draw
from deepcams.training.temporal import Temporal, asked
from deepcams.training.windows import TRIES, Windows
from deepcams.units import EPSILON

_KNOWN, _ACCOMPANIED = 0.6, 0.8  # of the lessons know one analysis beyond the two, if any
# Changes (log units) and slopes of the situations in which evenness has a price: about as often as they come.
_CHANGES = (-0.92, -0.53, -0.29, -0.09, 0.09, 0.29, 0.53, 0.92)
_SLOPES = ((0, 0), (0, 0), (0.6, 0), (-0.6, 0), (0, 0.6), (0, -0.6), (0.6, -0.6), (-0.6, 0.6))


class Progress(Temporal):
    """Our network.

    Args:
        config: its settings.

    Raises:
        InputError: if the series at places cannot be used.
    """

    purpose = ("Gives surface PM2.5 at the hours between two analyses: the share of the change between them that has "
               "happened by each half hour, in place of an even one, upon the flow.")  # fmt: skip

    def __init__(self, config: ProgressConfig) -> None:
        super().__init__(config.sampling)
        self._config = config
        sources = config.data.places or tuple(Source(path=str(path)) for path in places_samples())
        paths = [Path(source.path) for source in sources]
        gap, last = max(config.sampling.gaps), config.split.last
        places = [open_places(path) for path in paths]
        self._places = [PlaceSampler(one, gap, last) for one in places]
        self._weights = [source.weight for source in sources]
        self.further, self.credits = tuple(paths), tuple(one.attribution for one in places if one.attribution)

    def learned(self, series: Series, split: Split) -> Numbers:
        """The fields at which an interval begins that may be learned from, with every hour between."""
        return every_hour(series, super().learned(series, split), self._longest)

    def network(self) -> TemporalNetwork:
        """One that is the flow."""
        return TemporalNetwork(Architecture(**self._config.network.sizes()))

    def objective(self, network: nn.Module) -> nn.Module:
        """The relative error, and how far from even the network is where nothing asks for it."""
        training = self._config.training
        return ProgressObjective(network, training.square, training.evenness)

    def drawing(self, windows: Mapping[str, Any]) -> Draw[Any]:
        """Draws lessons: from one of the files with places, or from a gridded series."""
        sampling = self._config.sampling
        gridded = LandSampler(**windows, gap=max(sampling.gaps), count=sampling.count, middle=sampling.middle)
        weights = np.array([*self._weights, sampling.gridded])

        def draw(step: int, index: int) -> Lessons:
            random = np.random.default_rng((gridded.seed, step, index))
            source = int(random.choice(weights.size, p=weights / weights.sum()))
            lessons = gridded.draw(step, index) if source == len(self._places) else (
                self._places[source].draw(sampling.count, random))  # fmt: skip
            return _forgetful(lessons, random)

        return draw

    def arrays(self, example: Any) -> Arrays:
        """The lessons as they are."""
        lessons: Lessons = example
        return lessons._asdict()

    def contender(self, network: nn.Module) -> Contender[Interval]:
        """The network as the pipeline uses it."""
        module: Any = network
        middle = np.timedelta64(round(3600 * self._config.sampling.middle), "s")

        def fields(interval: Interval) -> Any:
            before, after, fractions, setting = asked(interval)
            start = None if interval.start is None else interval.start.astype("datetime64[s]") + middle
            timed = replace(setting, start=start, analyses=Analyses(interval.grid, before, after))
            return np.stack(network_between(before, after, fractions, timed, module))

        return fields


def _forgetful(lessons: Lessons, random: np.random.Generator) -> Lessons:
    """The same with some of the analyses before and after not known: the first and the last of a series have none."""
    known = random.random((2, lessons.land.size)) < _KNOWN
    known &= random.random(lessons.land.size) < _ACCOMPANIED
    return lessons._replace(earlier=lessons.earlier * known[0], later=lessons.later * known[1])


@dataclass(frozen=True)
class LandSampler(Windows):
    """Draws intervals at places on land within windows of gridded series.

    Attributes:
        gap: hours of an interval.
        count: places drawn in each window.
        middle: hours from a field's time to the middle of what it is a mean of.
    """

    gap: int = 3
    count: int = 512
    middle: float = 0.0

    @property
    def reach(self) -> int:
        """Hours of an interval."""
        return self.gap

    def learned(self, series: Series) -> Numbers:
        """The fields at which an interval to learn from begins, with every hour between."""
        return every_hour(series, learned_beginnings(series, self.split, self.gap), self.gap)

    def draw(self, step_number: int, index: int) -> Lessons:
        """The lessons at place ``index`` of the batch of a step of training.

        Raises:
            InputError: if no window with enough known cells is found.
        """
        random = self.random(step_number, index)
        place = self.place(random)
        series, numbers = self.series[place], self.numbers[place]
        for _ in range(TRIES):
            number, grid = int(random.choice(numbers)), self.window(series, random)
            fields = [series.coarse_on(grid, one) for one in range(number, number + self.gap + 1)]
            learned = whole_cells(self.split.learned(grid.refine(series.factor)), grid, series.factor)
            unknown: Mask = np.any(np.isnan(fields), axis=0)
            if self.is_enough(unknown, learned, grid, series):
                fractions = (np.arange(1, self.gap) / self.gap).astype(np.float32)
                interval = make_interval(fields, fractions, grid, self.gap, learned, self.margin)
                counted = (land_share(grid) > 0) & (interval.weights > 0).all(axis=0)
                if counted.any():
                    return self._lessons(series, number, interval, counted, random)
        raise self.too_little(series)

    def _lessons(
        self, series: Series, number: int, interval: Interval, counted: Mask, random: np.random.Generator
    ) -> Lessons:
        """Some places of an interval, and the analyses before and after it where the series has them."""
        learned = self.numbers[self.series.index(series)]
        outer = [one for one, hours in series.neighbours(number, self.gap) if hours < 0]
        outer += [one for one, hours in series.neighbours(number + self.gap, self.gap) if hours > 0]
        # The last ends of intervals to learn from are the last hours that are not held out.
        known = {one < number: series.coarse_on(interval.grid, one) for one in outer if one <= learned[-1] + self.gap}
        around = Analyses(interval.grid, interval.before, interval.after, known.get(True), known.get(False))
        start = _moment(series, number, self.middle)
        chosen = np.zeros_like(counted)
        chosen.flat[random.choice(np.flatnonzero(counted), size=self.count)] = True
        setting = Setting(interval.grid, interval.hours, EPSILON)
        ends = carried_ends(interval.before, interval.after, interval.fractions.tolist(), setting)
        first, last = (np.stack(both, axis=-1)[chosen] for both in zip(*ends, strict=True))
        target, weights = (np.moveaxis(one, 0, -1)[chosen] for one in (interval.target, interval.weights))
        seen = situation(around, start, interval.hours, EPSILON, chosen)
        return _filled(Lessons(*seen, first, last, target, weights), self.count)


def _moment(series: Series, number: int, middle: float) -> np.datetime64:
    """UTC in the middle of what a field is a mean of."""
    time = np.datetime64(0, "h") if series.times is None else series.times[number]
    return time.astype("datetime64[s]") + np.timedelta64(round(3600 * middle), "s")


def _filled(lessons: Lessons, count: int) -> Lessons:
    """The lessons, repeated without weight until they are so many: batches need one shape."""
    index = np.arange(count) % lessons.land.size
    filled = Lessons(*(one[index] for one in lessons))
    return filled._replace(weights=filled.weights * (np.arange(count) < lessons.land.size)[:, None])


def every_hour(series: Series, numbers: Numbers, gap: int) -> Numbers:
    """Those of the beginnings of intervals between whose ends the series has every hour."""
    if series.times is None:
        return numbers
    numbers = numbers[numbers + gap < len(series)]  # with hours missing, an interval has fewer fields than that
    return numbers[series.times[numbers + gap] - series.times[numbers] == np.timedelta64(gap, "h")]


class ProgressObjective(nn.Module):
    """The relative error of the even blend's successor, and a price for what is not even.

    Sources of a place and an hour are learned at once from few data, and are wrong at the next place: so a rate that is
    not even costs something, in situations of all kinds, and is only taken where it pays.

    Args:
        network: a temporal network.
        square: share of the squared term, see :func:`deepcams.training.losses.relative`.
        evenness: the price of a unit of variance of the rate's logarithm.
    """

    def __init__(self, network: nn.Module, square: float, evenness: float) -> None:
        super().__init__()
        self.network, self._square, self._evenness = network, square, evenness

    def forward(self, batch: Batch, total: float) -> Tensor:
        """The loss of a batch."""
        shown = Situation(*(batch[name] for name in Situation._fields))
        network: Any = self.network
        first, last = batch["first"], batch["last"]
        hours = torch.arange(1, first.shape[-1] + 1, device=first.device)
        shares = network(shown)[..., hours * shown.hours.shape[-1] // (first.shape[-1] + 1) - 1]
        prediction = torch.lerp(first, last, shares)
        given = torch.lerp(first, last, 0.5).mean(dim=-1)
        made, target, weights = (one.movedim(-1, 1) for one in (prediction, batch["target"], batch["weights"]))
        loss = relative(made, target, given, weights, square=self._square, total=total)
        imagined = Situation(*(one.to(first.device) for one in _imagined(shown.hours.shape[-1])))
        rates = network.rates(imagined)
        uneven = (rates - rates.mean(dim=-1, keepdim=True)).square().mean()
        return loss + self._evenness * uneven * float(batch["weights"].sum()) / total


def _imagined(parts: int) -> Situation:
    """Situations of all kinds: every half hour of the day, changes and slopes small and large; each of shape (n, ...)."""
    begins = np.arange(0, 24, 1 / PARTS)
    begin, change, which = (one.ravel() for one in np.meshgrid(begins, _CHANGES, range(len(_SLOPES)), indexing="ij"))
    hours = (begin[:, None] + np.arange(parts) / PARTS) % 24
    earlier, later = np.array(_SLOPES)[which].T
    one = np.ones_like(change)
    return Situation(*(torch.tensor(part, dtype=torch.float32) for part in (hours, change, earlier, later, one, one)))
