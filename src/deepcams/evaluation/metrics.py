"""Scores of a prediction against the truth: pure functions of fields, or of sums that can be added up over years.

Fields are in ug m-3. What a score needs of one map is a small array; those of many maps are added, and the score is told
from the total. NaN is matched in one place, :func:`matched`. p is the prediction, y the truth, w the weight of a cell:
its area, or 1 for plain scores; mean(x) stands for sum(w x) / sum(w).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcams.units import EPSILON

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

TERMS = ("weight", "error", "absolute", "squared", "log squared", "p", "y", "pp", "yy", "py")
"""What is summed over cells: w times 1, p - y, |p - y|, (p - y)^2, log((p + e) / (y + e))^2, p, y, p p, y y, p y."""

SSIM_WINDOW = 7  # cells on a side
SSIM_RANGE = float(np.log1p(500 / EPSILON))  # of the log field, from 0 to 500 ug m-3
TOP_SHARE = 0.01  # of the area: the most polluted percent
BANDS = ((120, 240), (240, 720))  # zonal wavenumbers; 480 columns resolve the first, 1440 also the second

_PER_DECADE = 1000
_LOWEST_DECADE, _DECADES = -4, 9  # bins of concentrations from 1e-4 to 1e5 ug m-3
_BINS = _PER_DECADE * _DECADES


class Matched(NamedTuple):
    """Values (n,) of the cells that are scored, and their weights."""

    prediction: Floats
    target: Floats
    weights: Floats


def matched(prediction: Floats, target: Floats, weights: Floats, scored: Mask) -> tuple[Matched, Mask]:
    """The cells that are asked for and known in both fields, and where they are.

    Args:
        prediction: (rows, columns).
        target: (rows, columns).
        weights: (rows, columns).
        scored: (rows, columns) the cells asked for.
    """
    chosen = scored & np.isfinite(prediction) & np.isfinite(target)
    values = (one[chosen].astype(np.float64) for one in (prediction, target, weights))
    return Matched(*values), chosen


def terms(cells: Matched, *, epsilon: float = EPSILON) -> Floats:
    """(n, 10) the :data:`TERMS` of every cell, not yet weighted."""
    p, y, _ = cells
    error = p - y
    ratio = np.log((p + epsilon) / (y + epsilon))
    return np.stack([np.ones_like(p), error, np.abs(error), error**2, ratio**2, p, y, p * p, y * y, p * y], axis=1)


def sums(cells: Matched, *, epsilon: float = EPSILON) -> Floats:
    """(10,) the weighted sums of the :data:`TERMS`."""
    return cells.weights @ terms(cells, epsilon=epsilon)


def group_sums(term: Floats, weights: Floats, labels: NDArray[np.intp], groups: int) -> Floats:
    """(groups, 10) the weighted sums of ``term`` (n, 10) over the cells with each label (n,)."""
    columns = [np.bincount(labels, weights * column, minlength=groups) for column in term.T]
    return np.stack(columns, axis=1)


def bias(total: Floats) -> Floats:
    """mean(p - y), in ug m-3, from sums (..., 10)."""
    return _mean(total, "error")


def mae(total: Floats) -> Floats:
    """Mean absolute error mean(|p - y|), in ug m-3, from sums (..., 10)."""
    return _mean(total, "absolute")


def rmse(total: Floats) -> Floats:
    """Root mean square error sqrt(mean((p - y)^2)), in ug m-3, from sums (..., 10)."""
    return np.sqrt(_mean(total, "squared"))


def log_rmse(total: Floats) -> Floats:
    """sqrt(mean(log((p + e) / (y + e))^2)) with e = 0.05 ug m-3, from sums (..., 10); 0.1 is about 10 %."""
    return np.sqrt(_mean(total, "log squared"))


def correlation(total: Floats) -> Floats:
    """Pearson's R, from sums (..., 10): cov(p, y) / sqrt(var(p) var(y)); NaN where either is constant."""
    p, y = _mean(total, "p"), _mean(total, "y")
    spread = np.clip(_mean(total, "pp") - p**2, 0, None) * np.clip(_mean(total, "yy") - y**2, 0, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, (_mean(total, "py") - p * y) / np.sqrt(spread), np.nan)


POINTWISE: dict[str, Callable[[Floats], Floats]] = {
    "rmse": rmse, "mae": mae, "bias": bias, "r": correlation, "log_rmse": log_rmse,
}  # fmt: skip
"""Scores from sums, by name."""


def psnr(root_mean_square: float, peak: float) -> float:
    """Peak signal-to-noise ratio 20 log10(peak / RMSE) in dB; infinite for a perfect prediction."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(20 * np.log10(np.float64(peak) / root_mean_square))


def tail_table(cells: Matched) -> Floats:
    """(4, bins) what the upper end of the distribution needs, in 1000 bins per decade of concentration.

    The weight by bins of the prediction; then by bins of the truth the weight, the weighted p, and the weighted y.
    """
    p, y, w = cells
    by_prediction, by_truth = _bin(p), _bin(y)
    rows = [(by_prediction, w), (by_truth, w), (by_truth, w * p), (by_truth, w * y)]
    return np.stack([np.bincount(bins, values, minlength=_BINS) for bins, values in rows])


def percentile_error(table: Floats) -> float:
    """Relative error of the 99th percentile (by area) of the prediction, from a tail table; exact to 0.3 %."""
    predicted, true = (_quantile(weights, 1 - TOP_SHARE) for weights in table[:2])
    return predicted / true - 1


def top_bias(table: Floats) -> float:
    """Sum(w p) / sum(w y) - 1 over the one percent of the area where the truth is highest, from a tail table."""
    weight, predicted, true = table[1:, ::-1]
    wanted = TOP_SHARE * weight.sum()
    before = np.cumsum(weight) - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(weight > 0, np.clip((wanted - before) / weight, 0, 1), 0)
        return float((share @ predicted) / (share @ true) - 1)


def ssim_sums(prediction: Floats, target: Floats, weights: Floats, chosen: Mask, *, periodic: bool) -> Floats:
    """(2,) sum(w s) and sum(w) of the structural similarity s of the log fields, over windows wholly within ``chosen``.

    s = (2 mp my + c1) (2 cov + c2) / ((mp^2 + my^2 + c1) (vp + vy + c2)) in windows of 7 x 7 cells, of log(1 + x / e)
    with e = 0.05 ug m-3, c1 = (0.01 L)^2, c2 = (0.03 L)^2 and the fixed range L from 0 to 500 ug m-3. Source: Wang et
    al., IEEE Trans. Image Process. 13, 600 (2004), with plain windows.

    Args:
        prediction: (rows, columns).
        target: (rows, columns).
        weights: (rows, columns).
        chosen: (rows, columns) the cells that are scored.
        periodic: whether the columns go all around.
    """
    mode = ("constant", "wrap" if periodic else "constant")

    def local(field: Floats) -> Floats:
        return ndimage.uniform_filter(field, SSIM_WINDOW, mode=mode)

    p, y = (np.log1p(np.where(chosen, one, 0) / EPSILON).astype(np.float64) for one in (prediction, target))
    mean_p, mean_y = local(p), local(y)
    variances = local(p * p) - mean_p**2 + local(y * y) - mean_y**2
    covariance = local(p * y) - mean_p * mean_y
    c1, c2 = (0.01 * SSIM_RANGE) ** 2, (0.03 * SSIM_RANGE) ** 2
    similarity = (2 * mean_p * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_p**2 + mean_y**2 + c1) * (variances + c2)
    whole = local(chosen.astype(np.float64)) > 1 - 0.5 / SSIM_WINDOW**2
    return np.array([similarity[whole] @ weights[whole], weights[whole].sum()])


def zonal_power(prediction: Floats, target: Floats, areas: Floats) -> Floats:
    """(2, columns // 2 + 1) power by zonal wavenumber of both fields, summed over latitude circles weighted by area.

    Args:
        prediction: (rows, columns) all around the Earth.
        target: (rows, columns).
        areas: (rows,) cell areas.

    Returns:
        Zeros if no circle is known completely.
    """
    complete = np.isfinite(prediction).all(axis=1) & np.isfinite(target).all(axis=1)
    powers = [np.abs(np.fft.rfft(one[complete].astype(np.float64), axis=1)) ** 2 for one in (prediction, target)]
    return np.stack([areas[complete] @ power for power in powers])


def band_ratio(power: Floats, first: int, last: int) -> float:
    """Power of the prediction over power of the truth at wavenumbers from ``first`` up to ``last``; NaN if unknown.

    Below 1 the prediction is too smooth, above 1 too rough.
    """
    if last > power.shape[1] - 1 or not power[1, first:last].any():
        return float("nan")
    return float(power[0, first:last].sum() / power[1, first:last].sum())


def conservation_error(means: Floats, coarse: Floats) -> float:
    """Largest abs(mean / C - 1) of the area means of a prediction, over the coarse cells with a known C > 0."""
    known = np.isfinite(means) & (coarse > 0)
    return float(np.abs(means[known] / coarse[known] - 1).max()) if known.any() else float("nan")


def _mean(total: Floats, term: str) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return total[..., TERMS.index(term)] / total[..., 0]


def _bin(values: Floats) -> NDArray[np.intp]:
    decades = np.log10(np.clip(values, 10.0**_LOWEST_DECADE, None)) - _LOWEST_DECADE
    return np.clip((decades * _PER_DECADE).astype(np.intp), 0, _BINS - 1)


def _quantile(weights: Floats, share: float) -> float:
    """The concentration that ``share`` of the weight in the bins (bins,) stays below; within a bin by its logarithm."""
    total = np.cumsum(weights)
    if total[-1] <= 0:
        return float("nan")
    number = int(np.searchsorted(total, share * total[-1]))
    within = (share * total[-1] - (total[number] - weights[number])) / weights[number]
    return float(10 ** (_LOWEST_DECADE + (number + within) / _PER_DECADE))
