"""Whether time stamps are right: how observations correlate with a product some hours earlier and later.

A wrong time zone, or stamps read as the begin of hours that they end, shift observations against the model. The
correlation over whole-hour lags then has its maximum beside 0. Observations and the product are taken as anomalies from
their station's mean, and only from hours at which every lag is there, so that all lags are told from the same pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.scores import Floats, correlation, sums
from deepcams.stations.table import HOUR, Pairs

LAGS = range(-6, 7)  # hours
FEWEST_HOURS = 100  # from which a lag is told
MARGIN = 0.05  # by which another lag's correlation must be higher before anybody is told
LEAST = 0.2  # that it must have: below it both may be noise


@dataclass(frozen=True)
class Lagged:
    """Correlations of one source's observations with a product at other hours.

    Attributes:
        source: the format or network.
        product: its name.
        lags: in hours: the observation of an hour with the product so many hours later.
        correlations: for each lag; NaN where there are too few pairs.
        n: pairs.
        best: the lag with the highest correlation; None where there are too few pairs.
        note: what a reader should be told if it is not 0 by a clear margin; else nothing.
    """

    source: str
    product: str
    lags: tuple[int, ...]
    correlations: tuple[float, ...]
    n: int
    best: int | None
    note: str


def lag_correlations(pairs: Pairs, product: str, lags: Sequence[int] = LAGS) -> dict[str, Lagged]:
    """How observations of every source correlate with a product at other hours.

    Args:
        pairs: of hours; other averaging periods are left out.
        product: its name.
        lags: hours, 0 among them.

    Returns:
        For each source that has hourly observations.
    """
    hourly = pairs.take(pairs.observations.period == HOUR)
    one = hourly.observations
    sources = sorted(set(map(str, one.stations.source)))
    observed, predicted = (_anomalies(values, one.station) for values in (one.value, hourly.products[product]))
    whole, shifted = _shifted(hourly, np.asarray(lags) * HOUR)
    number = {name: i for i, name in enumerate(sources)}
    of_station = np.array([number[str(name)] for name in one.stations.source], np.intp)
    source = of_station[one.station[whole]]
    table = [correlation(sums(observed[whole], predicted[at], source, len(sources))) for at in shifted]
    found = np.stack(table, axis=1) if sources else np.empty((0, len(lags)))
    n = np.bincount(source, minlength=len(sources))
    return {name: _told(name, product, tuple(lags), found[i], int(n[i])) for i, name in enumerate(sources)}


def _anomalies(values: NDArray[np.float32], station: NDArray[np.int32]) -> Floats:
    """(m,) less the mean of each one's station."""
    mean = np.bincount(station, values) / np.maximum(np.bincount(station), 1)
    return values - mean[station]


def _shifted(pairs: Pairs, minutes: NDArray[np.int64]) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """The pairs at whose station there are pairs at every lag, and for each lag which ones those are."""
    begin = pairs.observations.begin.astype(np.int64)
    if not begin.size:
        return np.empty(0, np.intp), [np.empty(0, np.intp) for _ in minutes]
    span = int(begin.max() - begin.min() + 2 * np.abs(minutes).max() + 1)  # no lag leads into the next station
    key = pairs.observations.station.astype(np.int64) * span + (begin - begin.min())
    order = np.argsort(key, kind="stable")
    key = key[order]
    at = [np.minimum(np.searchsorted(key, key + lag), key.size - 1) for lag in minutes]
    there = np.logical_and.reduce([key[one] == key + lag for one, lag in zip(at, minutes, strict=True)])
    return order[there], [order[one[there]] for one in at]


def _told(source: str, product: str, lags: tuple[int, ...], found: Floats, n: int) -> Lagged:
    """What the correlations of one source tell."""
    if n < FEWEST_HOURS or not np.isfinite(found).all():
        return Lagged(source, product, lags, (np.nan,) * len(lags), n, None, "")
    values = tuple(float(value) for value in found)
    best = lags[int(np.argmax(found))]
    note = ""
    if best and max(values) > max(values[lags.index(0)] + MARGIN, LEAST):
        note = (
            f"{source}: observations fit {product} better {abs(best)} h {'later' if best > 0 else 'earlier'} (R "
            f"{max(values):.2f} instead of {values[lags.index(0)]:.2f}): check their time zone and what stamps say"
        )
    return Lagged(source, product, lags, values, n, best, note)
