"""All that pairs tell of products: the same station-hours for every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from deepcams.errors import InputError
from deepcams.evaluation.bootstrap import SEED
from deepcams.stations.assessment import Assessment, Line, Paired
from deepcams.stations.daily import daily_pairs, exceedances, solar_days
from deepcams.stations.fairmode import quality, quality90
from deepcams.stations.groups import Numbers, Part, parts
from deepcams.stations.resampling import REPEATS, Resampled, resample
from deepcams.stations.scores import SCORES, Floats, Order, grouped, scores
from deepcams.stations.table import DAY, Pairs

REFERENCE = "CAMS"
SECOND = "CAMS nearest"
"""Whom products are compared with unless another one is asked for, and with whom besides, if it is there."""
DAILY = "daily"
FEWEST_PAIRS = 3  # of a station that has scores of its own
QUARTILES = (25, 50, 75)


def assess(pairs: Pairs, *, reference: str | None = None, repeats: int = REPEATS, seed: int = SEED) -> Assessment:
    """All scores of every product.

    Stations with fewer than ``FEWEST_PAIRS`` pairs have no scores of their own; they count in all others.

    Args:
        pairs: observations with the products' values.
        reference: whom the other products are compared with; CAMS if it is there and nobody is named.
        repeats: draws of the bootstrap.
        seed: of the draws.

    Raises:
        InputError: if there is no pair, or no product of the reference's name.
    """
    if not pairs.size:
        raise InputError("no station observation has a value of every product: there is nothing to score; "
                         "give stations and fields of the same place and period")  # fmt: skip
    references = _references(pairs, reference)
    daily = daily_pairs(pairs)
    resampled = resample(pairs, repeats=repeats, seed=seed)
    stations = station_scores(pairs, daily)
    lines = [*_lines(pairs), *_daily_lines(daily, stations)]
    order = list(pairs.products)
    return Assessment(
        lines=tuple(sorted(lines, key=lambda line: order.index(line.product))),
        intervals=resampled.intervals(),
        stations=stations,
        quartiles={product: _quartiles(found) for product, found in stations.items()},
        exceedances=tuple(exceedances(daily)),
        paired=tuple(_paired(resampled, order, references)),
        days=daily.size,
        notes=(*resampled.notes, *_notes(pairs, daily)),
        kept=resampled.kept,
    )


def station_scores(pairs: Pairs, daily: Pairs) -> dict[str, dict[str, Floats]]:
    """Product -> score -> (stations,); with the number of pairs ``n``, and ``mqi`` of daily means.

    Args:
        pairs: observations with the products' values.
        daily: their daily means, of the same stations.
    """
    one, size = pairs.observations, pairs.observations.stations.size
    n = np.bincount(one.station, minlength=size).astype(np.float64)
    ranks = Order(one.value).ranks(one.station)
    found = {}
    for product, values in pairs.products.items():
        ranked = ranks, Order(values).ranks(one.station)
        own = grouped(one.value, values, one.station, size, ranked)
        own = {name: np.where(n >= FEWEST_PAIRS, value, np.nan) for name, value in own.items()}
        mqi = quality(daily.observations.value, daily.products[product], daily.observations.station, size)
        found[product] = {"n": n} | own | {"mqi": mqi}
    return found


def _lines(pairs: Pairs) -> Iterator[Line]:
    """The scores of every product in every part of the pairs, where it has any."""
    observed = Order(pairs.observations.value)
    orders = {product: Order(values) for product, values in pairs.products.items()}
    for part in parts(pairs):
        there = np.flatnonzero(part.labels >= 0)
        if there.size == pairs.size:
            yield from _scored(pairs, part, observed, orders)
        elif there.size:
            some = pairs.take(there)
            fresh = {product: Order(values) for product, values in some.products.items()}
            yield from _scored(some, part._replace(labels=part.labels[there]), Order(some.observations.value), fresh)


def _scored(pairs: Pairs, part: Part, observed: Order, orders: dict[str, Order]) -> Iterator[Line]:
    """The scores of every product in every group, all pairs being in one."""
    labels, size = part.labels.astype(np.intp), len(part.names)
    n, stations = _members(labels, pairs.observations.station, size)
    ranks = observed.ranks(labels)
    for product, values in pairs.products.items():
        found = grouped(pairs.observations.value, values, labels, size, (ranks, orders[product].ranks(labels)))
        for group in np.flatnonzero(n):
            own = {name: float(found[name][group]) for name in SCORES}
            yield Line(product, part.kind, part.names[group], int(n[group]), int(stations[group]), own)


def _members(labels: Numbers, station: Numbers, groups: int) -> tuple[Numbers, Numbers]:
    """(groups,) how many pairs there are of each group, and how many stations."""
    present = np.zeros((groups, int(station.max()) + 1), np.bool_)
    present[labels, station] = True
    return np.bincount(labels, minlength=groups), present.sum(axis=1)


def _daily_lines(daily: Pairs, stations: dict[str, dict[str, Floats]]) -> Iterator[Line]:
    """The scores of daily means, with the MQI that 90 % of the stations stay below."""
    if not daily.size:
        return
    used = int(np.unique(daily.observations.station).size)
    for product, values in daily.products.items():
        own = scores(daily.observations.value, values)
        n = int(own.pop("n"))
        yield Line(product, DAILY, "all", n, used, own | {"mqi": quality90(stations[product]["mqi"])})


def _quartiles(found: dict[str, Floats]) -> dict[str, tuple[float, float, float]]:
    """Score -> 25th, 50th and 75th percentile over the stations that have it."""
    quartiles = {}
    for name, values in found.items():
        known = values[np.isfinite(values)]
        low, middle, high = np.percentile(known, QUARTILES) if known.size else [np.nan] * 3
        quartiles[name] = float(low), float(middle), float(high)
    return quartiles


def _references(pairs: Pairs, asked: str | None) -> list[str]:
    """Whom products are compared with."""
    if asked is not None and asked not in pairs.products:
        raise InputError(f"reference {asked!r}: wanted one of the products, {', '.join(pairs.products)}")
    first = REFERENCE if asked is None else asked
    return [name for name in dict.fromkeys((first, SECOND)) if name in pairs.products]


def _paired(resampled: Resampled, products: Iterable[str], references: list[str]) -> Iterator[Paired]:
    """Every product against each reference, but no two products twice."""
    others = [name for name in products if name not in references]
    for i, reference in enumerate(references):
        for product in (*others, *references[i + 1 :]):
            yield from resampled.paired(product, reference)


def _notes(pairs: Pairs, daily: Pairs) -> Iterator[str]:
    """What daily means rest on."""
    hourly = pairs.observations.period < DAY
    used = np.unique(pairs.observations.station[hourly])
    solar = solar_days(pairs.observations.stations.take(used))
    if solar:
        yield (f"the time zone of {solar} of {used.size} stations is not known: their days go by local solar time, "
               "rounded to whole hours")  # fmt: skip
    if not daily.size:
        yield "no day has 75 % of its hours: there are no scores of daily means, no exceedances and no MQI"
