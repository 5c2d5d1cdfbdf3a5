"""Scores of a product against observations: pure functions of pairs, or of sums of terms over groups of pairs.

O is the observation, P the product, in ug m-3; mean(x) stands for the plain mean over pairs. Everything but Spearman's
correlation and the index of agreement is told from sums of a few terms (:data:`TERMS`), so the scores of thousands of
stations cost one pass, and sums of blocks can be drawn again and again by a bootstrap. O and P are summed from a centre
near their mean: nothing is lost by cancellation.

Instruments' noise makes some observations zero or negative; they are kept, as leaving them out would bias the mean:

- FAC2 counts every pair; an observation that is not positive has no factor, and counts as not within.
- FB and FE take negative values as zero, so that each pair's term stays within -2..2; two zeros count as 0.
- NMB, KGE and its ratio of means are unknown if the mean observation is not positive.

Boylan & Russell (2006) is Atmos. Environ. 40, 4946. Scores of fields, weighted by area, are in
:mod:`deepcams.evaluation.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

FEWEST = 3  # pairs from which a correlation or a fit is told: two always lie on a line
_CONSTANT = 1e-13  # a variance up to this share of the squared mean is rounding, even of single precision

TERMS = ("n", "error", "absolute", "squared", "within", "ratio", "absolute ratio", "o", "p", "oo", "pp", "op")
"""What is summed over pairs: 1, P - O, |P - O|, (P - O)^2, whether P is within a factor of 2 of O, 2 (P - O) / (P + O)
and its absolute value, and from the centres O, P, O O, P P, O P."""


class Sums(NamedTuple):
    """Sums of the terms over groups of pairs.

    Attributes:
        total: (..., 12) of the :data:`TERMS`.
        observed: (...) or a number: from where O is summed, in ug m-3.
        predicted: the same for P.
    """

    total: Floats
    observed: Floats
    predicted: Floats

    def mean(self, term: str) -> Floats:
        """(...) the sum of a term over the number of pairs; NaN where there are none."""
        return _quotient(self.total[..., TERMS.index(term)], self.total[..., 0])


def sums(observed: Values, predicted: Values, labels: Labels, groups: int, *, together: bool = False) -> Sums:
    """The sums of the terms over the pairs of every group.

    Args:
        observed: (m,) ug m-3, finite.
        predicted: (m,) ug m-3, finite.
        labels: (m,) the number of each pair's group.
        groups: how many there are.
        together: whether one centre is used for all groups, so that their sums can be added.
    """
    o, p = (np.asarray(one, np.float64) for one in (observed, predicted))
    centres = [_centre(one, labels, groups, together=together) for one in (o, p)]
    from_centre = [one - (centre if together else centre[labels]) for one, centre in zip((o, p), centres, strict=True)]
    columns = [np.bincount(labels, minlength=groups)]
    columns += [np.bincount(labels, column, minlength=groups) for column in _columns(o, p, *from_centre)]
    return Sums(np.stack(columns, axis=-1).astype(np.float64), *centres)


def mean_observed(total: Sums) -> Floats:
    """mean(O), in ug m-3."""
    return total.observed + total.mean("o")


def mean_predicted(total: Sums) -> Floats:
    """mean(P), in ug m-3."""
    return total.predicted + total.mean("p")


def bias(total: Sums) -> Floats:
    """mean(P - O), in ug m-3."""
    return total.mean("error")


def mae(total: Sums) -> Floats:
    """Mean absolute error mean(|P - O|), in ug m-3."""
    return total.mean("absolute")


def rmse(total: Sums) -> Floats:
    """Root mean square error sqrt(mean((P - O)^2)), in ug m-3."""
    return np.sqrt(total.mean("squared"))


def nmb(total: Sums) -> Floats:
    """Normalised mean bias sum(P - O) / sum(O); unknown unless sum(O) > 0. Source: Boylan & Russell (2006)."""
    return _quotient(bias(total), _positive(mean_observed(total)))


def fractional_bias(total: Sums) -> Floats:
    """FB = mean(2 (P - O) / (P + O)), in -2..2, negative values taken as 0. Source: Boylan & Russell (2006)."""
    return total.mean("ratio")


def fractional_error(total: Sums) -> Floats:
    """FE = mean(2 |P - O| / (P + O)), in 0..2, negative values taken as 0. Source: Boylan & Russell (2006)."""
    return total.mean("absolute ratio")


def fac2(total: Sums) -> Floats:
    """Share of pairs with O > 0 and O / 2 <= P <= 2 O. Source: Chang & Hanna, Meteorol. Atmos. Phys. 87 (2004), 167."""
    return total.mean("within")


def correlation(total: Sums) -> Floats:
    """Pearson's R = cov(O, P) / sqrt(var(O) var(P)); NaN where either is constant, or of fewer than 3 pairs."""
    value = _quotient(_covariance(total), np.sqrt(_variance(total, "o") * _variance(total, "p")))
    return np.clip(value, -1, 1)


def sd_ratio(total: Sums) -> Floats:
    """Ratio of standard deviations sd(P) / sd(O), the radius in a Taylor diagram and KGE's alpha."""
    return np.sqrt(_quotient(_variance(total, "p", constant=0.0), _variance(total, "o")))


def kge(total: Sums) -> Floats:
    """Kling-Gupta efficiency 1 - sqrt((R - 1)^2 + (alpha - 1)^2 + (beta - 1)^2), 1 at best.

    alpha = sd(P) / sd(O), beta = mean(P) / mean(O). Source: Gupta et al., J. Hydrol. 377 (2009), 80.
    """
    beta = _quotient(mean_predicted(total), _positive(mean_observed(total)))
    return 1 - np.sqrt((correlation(total) - 1) ** 2 + (sd_ratio(total) - 1) ** 2 + (beta - 1) ** 2)


def slope(total: Sums) -> Floats:
    """B of the least-squares line P = a + b O: cov(O, P) / var(O). Noise of O makes it smaller."""
    return _quotient(_covariance(total), _variance(total, "o"))


def intercept(total: Sums) -> Floats:
    """A of the least-squares line P = a + b O: mean(P) - b mean(O), in ug m-3."""
    return mean_predicted(total) - slope(total) * mean_observed(total)


FROM_SUMS: dict[str, Callable[[Sums], Floats]] = {
    "observed": mean_observed, "predicted": mean_predicted, "r": correlation, "rmse": rmse, "mae": mae, "bias": bias,
    "nmb": nmb, "fb": fractional_bias, "fe": fractional_error, "fac2": fac2, "kge": kge, "sd_ratio": sd_ratio,
    "slope": slope, "intercept": intercept,
}  # fmt: skip
"""Scores told from sums, by name."""


def agreement(observed: Values, predicted: Values, labels: Labels, total: Sums) -> Floats:
    """(groups,) index of agreement 1 - sum((P - O)^2) / sum((|P - mean(O)| + |O - mean(O)|)^2), in 0..1.

    NaN where O and P are one constant. Source: Willmott, Phys. Geogr. 2 (1981), 184.

    Args:
        observed: (m,) ug m-3.
        predicted: (m,) ug m-3.
        labels: (m,) the number of each pair's group.
        total: the sums of these groups.
    """
    mean = mean_observed(total)
    away = np.abs(predicted - mean[labels]) + np.abs(observed - mean[labels])
    potential = np.bincount(labels, away**2, minlength=mean.size)
    known = potential > _CONSTANT * total.total[..., 0] * mean**2
    return 1 - _quotient(total.total[..., TERMS.index("squared")], np.where(known, potential, np.nan))


class Order:
    """The order of a column's values, found once and used for the ranks within any grouping."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._order = np.argsort(values, kind="stable").astype(np.int32 if values.size < 2**31 else np.int64)

    def ranks(self, labels: Labels) -> Floats:
        """(m,) ranks within each pair's group from an offset of the group; equal values share their mean rank."""
        small = labels.astype(np.int16) if labels.size and labels.max() < 2**15 else labels  # sorted by digits: fast
        order = self._order[np.argsort(small[self._order], kind="stable")]
        values, groups = self._values[order], labels[order]
        first = np.ones(values.size, np.bool_)
        first[1:] = (values[1:] != values[:-1]) | (groups[1:] != groups[:-1])
        starts = np.flatnonzero(first)
        length = np.diff(starts, append=values.size)
        ranks = np.empty(values.size)
        ranks[order] = np.repeat(starts + (length - 1) / 2, length)
        return ranks


def grouped(
    observed: Values, predicted: Values, labels: Labels, groups: int, ranks: tuple[Floats, Floats] | None = None
) -> dict[str, Floats]:
    """All scores of every group.

    Args:
        observed: (m,) ug m-3, finite.
        predicted: (m,) ug m-3, finite.
        labels: (m,) the number of each pair's group.
        groups: how many there are.
        ranks: of both within the groups, if they are known already; see :class:`Order`.

    Returns:
        For each of :data:`SCORES` (groups,) values; NaN where a score is unknown.
    """
    total = sums(observed, predicted, labels, groups)
    ranked = (Order(observed).ranks(labels), Order(predicted).ranks(labels)) if ranks is None else ranks
    found = {name: function(total) for name, function in FROM_SUMS.items()}
    found["spearman"] = correlation(sums(*ranked, labels, groups))
    found["ioa"] = agreement(observed, predicted, labels, total)
    return {name: found[name] for name in SCORES}


def scores(observed: Values, predicted: Values) -> dict[str, float]:
    """All scores of some pairs, with their number ``n``.

    Args:
        observed: (m,) ug m-3, finite.
        predicted: (m,) ug m-3, finite.
    """
    found = grouped(observed, predicted, _one(observed), 1)
    return {"n": float(observed.size)} | {name: float(value[0]) for name, value in found.items()}


def spearman(observed: Values, predicted: Values) -> float:
    """Spearman's rank correlation: Pearson's R of the ranks, equal values sharing their mean rank."""
    labels = _one(observed)
    return float(correlation(sums(Order(observed).ranks(labels), Order(predicted).ranks(labels), labels, 1))[0])


def ioa(observed: Values, predicted: Values) -> float:
    """The index of agreement of some pairs; see :func:`agreement`."""
    labels = _one(observed)
    return float(agreement(observed, predicted, labels, sums(observed, predicted, labels, 1))[0])


def _single(function: Callable[[Sums], Floats], observed: Values, predicted: Values) -> float:
    return float(function(sums(observed, predicted, _one(observed), 1))[0])


_BY_NAME: dict[str, Callable[[Values, Values], float]] = {
    **{name: partial(_single, function) for name, function in FROM_SUMS.items()},
    "spearman": spearman,
    "ioa": ioa,
}
SCORES: dict[str, Callable[[Values, Values], float]] = {
    name: _BY_NAME[name]
    for name in ("observed", "predicted", "r", "spearman", "rmse", "mae", "bias", "nmb", "fb", "fe", "ioa", "fac2",
                 "kge", "sd_ratio", "slope", "intercept")
}  # fmt: skip
"""Every score of (m,) observed and (m,) predicted values, by name."""


def _columns(observed: Floats, predicted: Floats, o: Floats, p: Floats) -> Iterator[Values | NDArray[np.bool_]]:
    """(m,) each of the terms but the first, one at a time; ``o`` and ``p`` are from the centres."""
    error = predicted - observed
    yield error
    yield np.abs(error)
    yield error**2
    yield (observed > 0) & (2 * predicted >= observed) & (predicted <= 2 * observed)
    low, high = (np.clip(one, 0, None) for one in (observed, predicted))
    ratio = 2 * _quotient(high - low, np.where(high + low > 0, high + low, 1.0))
    yield ratio
    yield np.abs(ratio)
    yield from (o, p, o * o, p * p, o * p)


def _centre(values: Floats, labels: Labels, groups: int, *, together: bool) -> Floats:
    """The mean of all values, or (groups,) of each group; 0 of none."""
    if together:
        return np.asarray(values.mean() if values.size else 0.0)
    number = np.bincount(labels, minlength=groups)
    return np.bincount(labels, values, minlength=groups) / np.maximum(number, 1)


def _covariance(total: Sums) -> Floats:
    return total.mean("op") - total.mean("o") * total.mean("p")


def _variance(total: Sums, term: str, constant: float = np.nan) -> Floats:
    """The variance of O or P; ``constant`` where they do not vary, NaN of too few pairs."""
    away, centre = total.mean(term), total.observed if term == "o" else total.predicted
    value = total.mean(2 * term) - away**2
    varied = np.where(value > _CONSTANT * ((centre + away) ** 2 + away**2), value, constant)
    return np.where(total.total[..., 0] >= FEWEST, varied, np.nan)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _quotient(one: Values, other: Values) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(one / other, np.float64)


def _one(values: Values) -> Labels:
    """(m,) labels of a single group."""
    return np.zeros(values.size, np.intp)
