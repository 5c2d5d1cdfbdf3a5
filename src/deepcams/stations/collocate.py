"""Products at the places and times of observations: the same observations for every product.

A model value at HH:00 is instantaneous, and an observation is a mean over an interval. So a product is taken as piecewise
linear through its hourly values, and averaged over the interval (``mean``) or taken at either end of it. The mean over
[b, e] weighs the hour k with the integral over [b, e] of the hat function around k, divided by e - b: an hour that begins
at a whole hour is (y0 + y1) / 2, one that begins at half past has three values, a day 25 with half weights at its ends.

Hours are read day by day. What is held grows with the number of observations, and not with the number of hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.points import INTERPOLATIONS, Points, at_points, check_names
from deepcams.extraction.sampling import Cells, Floats, Maps, Sampler
from deepcams.grid import Grid
from deepcams.stations.products import Product
from deepcams.stations.table import Observations, Pairs, Reason, Stations
from deepcams.threads import in_order, processors
from deepcams.timeline import check_period

Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]
Progress = Callable[[int], None]

_HOUR = 60  # minutes
_DAY = 24  # hours
_WORKERS = 2  # each holds a day of maps
_INTERVALS: dict[str, Callable[[Integers, NDArray[np.int32]], tuple[Integers, Integers]]] = {
    "mean": lambda begin, period: (begin, begin + period),
    "begin": lambda begin, period: (begin, begin),
    "end": lambda begin, period: (begin + period, begin + period),
}
RULES = tuple(_INTERVALS)


def collocate(
    observations: Observations,
    products: Sequence[Product],
    *,
    rule: str = "mean",
    interpolation: str = "bilinear",
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    progress: Progress | None = None,
) -> tuple[Observations, Pairs]:
    """The values of products at the observations.

    Args:
        observations: those that are good are used.
        products: each with another name.
        rule: ``mean`` over the averaging interval, or the value at its ``begin`` or its ``end``.
        interpolation: ``bilinear`` between nodes, or ``nearest``: the cell that holds the station.
        start: datetime64[h], the first hour; observations that begin before it are left out of all that is given back.
        end: the last hour; observations that reach beyond its end are left out, too.
        progress: called with the number of hours, out of :func:`common_hours`, that are done since the last call.

    Returns:
        The observations in their order, NO_MODEL where a product has no value: outside its grid or period, or a missing
        value among those needed. And the pairs: the observations that are good, and have a value of every product, in the
        order of their begin, then of the stations.

    Raises:
        InputError: if no observation is good, none lies within all products, all values are missing, or a file cannot be
            read.
    """
    if rule not in RULES or interpolation not in INTERPOLATIONS or not products:
        raise InputError(f"rule {rule!r}, interpolation {interpolation!r}, {len(products)} products: wanted one of "
                         f"{', '.join(RULES)}, one of {', '.join(INTERPOLATIONS)}, and one product at least")  # fmt: skip
    check_names("products", [product.name for product in products])
    everything, observations = observations, _within(observations, start, end)
    if everything.size and not observations.size:
        raise InputError(_not_then(everything, products, start, end))
    chosen = _good(observations, start, end)
    good = observations.take(chosen).compact()
    inside = _inside(good, products, rule)
    common: Truths = np.logical_and.reduce(inside)
    if not common.any():
        raise InputError(_no_overlap(good, products, inside))
    chosen, good = chosen[common], good.take(common).compact()
    values = _values(good, products, rule, interpolation, progress or (lambda count: None))
    there: Truths = np.logical_and.reduce([np.isfinite(one) for one in values])
    if not there.any():
        raise InputError(_all_missing(products, values))
    reason = np.where(observations.good, np.uint8(Reason.NO_MODEL), observations.reason)
    reason[chosen[there]] = Reason.GOOD
    named = {product.name: one for product, one in zip(products, values, strict=True)}
    return replace(observations, reason=reason), Pairs(good, named).take(there)


def common_hours(products: Sequence[Product]) -> int:
    """How many hours there are from the first to the last that all products have."""
    first, last = max(product.times[0] for product in products), min(product.times[-1] for product in products)
    return max(int((last - first).astype(np.int64)) + 1, 0)


def _within(observations: Observations, start: np.datetime64 | None, end: np.datetime64 | None) -> Observations:
    """The observations whose interval lies within the hours; those without a time stay."""
    check_period(start, end)
    if start is None and end is None:
        return observations
    inside = np.ones(observations.size, np.bool_)
    if start is not None:
        inside &= observations.begin >= start
    if end is not None:
        inside &= observations.begin + observations.period <= end + np.timedelta64(1, "h")
    return observations.take(inside | np.isnat(observations.begin))


def _good(observations: Observations, start: np.datetime64 | None, end: np.datetime64 | None) -> Cells:
    """The good observations, in the order of their begin, then of the stations.

    Raises:
        InputError: if there are none.
    """
    good = np.flatnonzero(observations.good)
    if not good.size:
        asked = "".join(f" {word} {hour}" for word, hour in (("from", start), ("to", end)) if hour is not None)
        why = ", ".join(f"{name} {count}" for name, count in observations.rejected().items())
        raise InputError(f"no observation{asked} to compare products with: of {observations.size} none is good"
                         + f" ({why})" * bool(why))  # fmt: skip
    return good[np.lexsort((observations.station[good], observations.begin[good]))]


def _minutes(observations: Observations, rule: str) -> tuple[Integers, Integers]:
    """The ends of the interval that each observation is compared over, in minutes since 1970."""
    begin = observations.begin.astype("datetime64[m]", copy=False).view(np.int64)
    return _INTERVALS[rule](begin, observations.period)


def _inside(observations: Observations, products: Sequence[Product], rule: str) -> Truths:
    """(products, m) which observations lie within each product, in time and space."""
    begin, end = _minutes(observations, rule)
    places = _points(observations.stations)
    found = np.empty((len(products), observations.size), np.bool_)
    for own, product in zip(found, products, strict=True):
        first, last = (int(product.times[i].astype("datetime64[m]").astype(np.int64)) for i in (0, -1))
        own[...] = _covered(product.grid, places)[observations.station] & (begin >= first) & (end <= last)
    return found


def _covered(grid: Grid, places: Points) -> Truths:
    """(n,) which places lie in the grid."""
    covered = np.zeros(len(places.names), np.bool_)
    try:
        kept = at_points(grid, places, interpolation="nearest", skip_outside=True).names
    except InputError:  # all of them are outside
        return covered
    covered[np.array(kept, np.intp)] = True
    return covered


def _points(stations: Stations) -> Points:
    """The stations' places, called by their numbers."""
    return Points(tuple(map(str, range(stations.size))), stations.latitude, stations.longitude, {})


@dataclass(frozen=True, eq=False)
class _Spans:
    """Observations that are compared over intervals of the same length.

    Attributes:
        places: (g,) where they are among all.
        begin: (g,) minutes since 1970, ascending.
        length: minutes; 0 for an instant.
        station: (g,) number of the station.
    """

    places: Cells
    begin: Integers
    length: int
    station: NDArray[np.int32]

    @property
    def whole(self) -> int:
        """The sum of an interval's weights."""
        return 2 * _HOUR * self.length if self.length else _HOUR

    def at(self, hour: int) -> slice:
        """The intervals in which an hour (since 1970) has a weight."""
        node = _HOUR * hour
        first = np.searchsorted(self.begin, node - _HOUR - self.length, "right")
        return slice(int(first), int(np.searchsorted(self.begin, node + _HOUR, "left")))

    def weights(self, which: slice, hour: int) -> Integers:
        """The weights of an hour in some intervals: whole numbers, so that those that have none have exactly none."""
        since = self.begin[which] - _HOUR * hour
        return _area(since + self.length) - _area(since) if self.length else _HOUR - np.abs(since)

    @property
    def first(self) -> Integers:
        """(g,) the first hour that each interval needs."""
        return self.begin // _HOUR

    @property
    def last(self) -> Integers:
        """(g,) the last hour that each interval needs."""
        return -(-(self.begin + self.length) // _HOUR)


def _area(minutes: Integers) -> Integers:
    """Twice 60 times the area under the hat function of an hour, from an hour before it to some minutes after it."""
    near = minutes.clip(-_HOUR, _HOUR)
    return np.where(near < 0, (_HOUR + near) ** 2, 2 * _HOUR**2 - (_HOUR - near) ** 2)


def _spans(observations: Observations, rule: str) -> list[_Spans]:
    """The observations by the length of their intervals."""
    begin, end = _minutes(observations, rule)
    lengths = (end - begin).astype(np.int32)
    spans = []
    for length in np.unique(lengths).tolist():
        own = np.flatnonzero(lengths == length)
        own = own[np.argsort(begin[own], kind="stable")]
        spans.append(_Spans(own, begin[own], length, observations.station[own]))
    return spans


def _values(
    observations: Observations, products: Sequence[Product], rule: str, interpolation: str, progress: Progress
) -> list[Maps]:
    """(m,) of each product: its values at observations that all lie within it; NaN where a value is missing."""
    spans, places = _spans(observations, rule), _points(observations.stations)
    samplers = {grid: at_points(grid, places, interpolation=interpolation) for grid in {one.grid for one in products}}
    sums = [np.zeros(observations.size) for _ in products]
    begin, total, done = _since_1970(max(product.times[0] for product in products)), common_hours(products), 0
    for hours, found in _read(_runs(spans), products, samplers):
        for row, hour in enumerate(hours):
            for one in spans:
                _add(sums, one, hour, [values[row] for values in found])
        progress(hours.stop - begin - done)
        done = hours.stop - begin
    progress(total - done)
    return [_divided(own, spans) for own in sums]


def _runs(spans: Sequence[_Spans]) -> list[range]:
    """The hours (since 1970) that any interval needs: such as follow one another within a UTC day."""
    base, last = min(int(one.first[0]) for one in spans), max(int(one.last[-1]) for one in spans)
    changes = np.zeros(last - base + 2, np.int64)
    for one in spans:
        changes += np.bincount(one.first - base, minlength=changes.size)
        changes -= np.bincount(one.last + 1 - base, minlength=changes.size)
    needed = base + np.flatnonzero(np.cumsum(changes) > 0)
    edges = np.flatnonzero((np.diff(needed) != 1) | (needed[1:] % _DAY == 0)) + 1
    return [range(int(run[0]), int(run[-1]) + 1) for run in np.split(needed, edges)]


def _read(
    runs: Sequence[range], products: Sequence[Product], samplers: dict[Grid, Sampler]
) -> Iterator[tuple[range, list[Maps]]]:
    """The values (hours, stations) of all products, run by run, read a little ahead."""

    def work(hours: range) -> list[Maps]:
        return [product.series(samplers[product.grid], _part(product, hours)) for product in products]

    return zip(runs, in_order(work, runs, min(processors(), _WORKERS)), strict=True)


def _part(product: Product, hours: range) -> slice:
    """Where hours (since 1970) are among the product's."""
    first = _since_1970(product.times[0])
    return slice(hours.start - first, hours.stop - first)


def _since_1970(hour: np.datetime64) -> int:
    return int(hour.astype("datetime64[h]").astype(np.int64))


def _add(sums: Sequence[Floats], spans: _Spans, hour: int, values: Sequence[Maps]) -> None:
    """Add the values (stations,) of all products at an hour to the sums of the intervals that need it."""
    which = spans.at(hour)
    if which.start == which.stop:
        return
    weights, places, station = spans.weights(which, hour), spans.places[which], spans.station[which]
    for own, one in zip(sums, values, strict=True):
        own[places] += weights * one[station]


def _divided(sums: Floats, spans: Sequence[_Spans]) -> Maps:
    """(m,) the means, from sums of weighted values."""
    for one in spans:
        sums[one.places] /= one.whole
    return sums.astype(np.float32)


def _no_overlap(observations: Observations, products: Sequence[Product], inside: Truths) -> str:
    """What there is of observations and of the products that have none of them."""
    alone = [product for product, own in zip(products, inside, strict=True) if not own.any()]
    north, east = observations.stations.latitude, observations.stations.longitude
    last = (observations.begin + observations.period).max()
    box = f"{north.max():g}..{north.min():g}N, {east.min():g}..{east.max():g}E"
    found = "; ".join(f"{one.name} ({one.label}) goes from {one.times[0]} to {one.times[-1]} UTC on {one.grid}"
                      for one in alone or products)  # fmt: skip
    return (f"no observation lies within {', '.join(one.name for one in alone) or 'all products'}: "
            f"{observations.size} observations (stations: {observations.stations.size}) in {box} go from "
            f"{observations.begin.min()} to {last} UTC; {found}; give files of the same time and place")  # fmt: skip


def _not_then(
    observations: Observations, products: Sequence[Product], start: np.datetime64 | None, end: np.datetime64 | None
) -> str:
    """The period asked for, and those that there are."""
    asked = " ".join(f"{word} {hour}" for word, hour in (("from", start), ("to", end)) if hour is not None)
    last = (observations.begin + observations.period).max()
    there = "; ".join(f"{one.name} from {one.times[0]} to {one.times[-1]} UTC" for one in products)
    return (f"no observation {asked} UTC: the {observations.size} that were read go from {observations.begin.min()} to "
            f"{last} UTC, {there}; give another --start or --end")  # fmt: skip


def _all_missing(products: Sequence[Product], values: Sequence[Maps]) -> str:
    """How many values each product has, where together they have none."""
    counts = (f"{one.name} ({one.label}) {np.isfinite(own).sum()}" for one, own in zip(products, values, strict=True))
    return (f"no observation has a value of every product: of {values[0].size} that lie within all of them, the number "
            f"with a value is {', '.join(counts)}; others need hours or nodes that are missing")  # fmt: skip
