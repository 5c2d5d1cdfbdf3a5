"""How sure scores and their differences are: a block bootstrap by station and by week.

Errors of one station are alike, and so are those of one week everywhere. So stations and weeks are both drawn with
replacement, and all pairs of a station and a week count as often as the product of both draws: the pigeonhole bootstrap
(Owen, Ann. Appl. Stat. 1 (2007), 386), which errs to the careful side. It works on sums of terms per station and week, so
that any number of pairs costs the same, and draws the same for all products, so that their differences are paired.

Few blocks tell little. With fewer than ``FEWEST_WEEKS`` weeks the weeks are kept as they are, and the intervals cover the
choice of stations alone; with fewer than ``FEWEST_STATIONS`` stations the other way round; with few of both there is no
interval, and no verdict. Stations are drawn as if each stood alone: where neighbours err alike, intervals are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.evaluation.bootstrap import CONFIDENCE, SEED
from deepcams.stations.assessment import Paired
from deepcams.stations.scores import FROM_SUMS, Floats, Sums, sums
from deepcams.stations.table import Minutes, Pairs

FEWEST_WEEKS = 8
FEWEST_STATIONS = 5
REPEATS = 1000
INTERVALS = ("r", "rmse", "mae", "bias", "nmb", "fac2", "kge")
"""Scores with an interval."""
COMPARED = {"r": 1, "rmse": -1, "mae": -1, "bias": -1}
"""Scores that products are compared by, and whether more is better (1) or less; biases by their absolute values, with
0 in the interval unless the biases are sure to differ from it."""
BETTER, WORSE, NONE_SHOWN, NOT_KNOWN = "better", "worse", "no difference shown", "not known"
TOO_FEW = f"{NOT_KNOWN}: too few stations and weeks"

_MONDAY = 3  # days from Thursday 1 January 1970 back to a Monday
_TOGETHER = 2_000_000  # weights in memory at a time
_ROUNDING = 1e-9  # a relative difference from here down is none
_TOLD = 0.95  # share of the draws that must have a score
_TAIL = (1 - CONFIDENCE) / 2

Counts = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Resampled:
    """Sums over all pairs, and over as many draws of their stations and weeks as were asked for.

    Attributes:
        whole: product -> sums over all pairs.
        drawn: product -> sums of each draw (repeats, 12); None if there are too few stations and weeks.
        notes: what a reader of the intervals should be told.
        kept: ``stations`` or ``weeks`` if these were too few to be drawn, so that intervals say nothing of others.
    """

    whole: dict[str, Sums]
    drawn: dict[str, Sums] | None
    notes: tuple[str, ...]
    kept: str = ""

    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Product -> score -> ends of the 95 % interval; NaN where it is unknown."""
        if self.drawn is None:
            return {product: dict.fromkeys(INTERVALS, (np.nan, np.nan)) for product in self.whole}
        return {
            product: {name: _ends(FROM_SUMS[name](drawn)) for name in INTERVALS}
            for product, drawn in self.drawn.items()
        }

    def paired(self, product: str, reference: str) -> list[Paired]:
        """How a product differs from another one by every compared score."""
        found = []
        for name, sign in COMPARED.items():
            difference = _difference(name, self.whole[product], self.whole[reference])
            if self.drawn is None:
                found.append(Paired(product, reference, name, float(difference), np.nan, np.nan, TOO_FEW))
                continue
            low, high = _ends(_difference(name, self.drawn[product], self.drawn[reference]))
            if name == "bias" and not _sided(self.drawn[product], self.drawn[reference]):
                low, high = float(np.minimum(low, 0)), float(np.maximum(high, 0))
            verdict = _verdict(sign * low, sign * high)
            found.append(Paired(product, reference, name, float(difference), low, high, verdict))
        return found


def resample(pairs: Pairs, *, repeats: int = REPEATS, seed: int = SEED) -> Resampled:
    """Draw stations and weeks, and sum up every product's terms over each draw.

    Args:
        pairs: at least one.
        repeats: how many draws.
        seed: of the draws.
    """
    observations = pairs.observations
    stations, station = np.unique(observations.station, return_inverse=True)
    weeks, week = np.unique(weeks_of(observations.begin), return_inverse=True)
    blocks, label = np.unique(station * weeks.size + week, return_inverse=True)
    per_block = {
        product: sums(observations.value, values, label, blocks.size, together=True)
        for product, values in pairs.products.items()
    }
    whole = {product: one._replace(total=one.total.sum(axis=0)) for product, one in per_block.items()}
    kept = weeks.size < FEWEST_WEEKS, stations.size < FEWEST_STATIONS
    notes = _notes(stations.size, weeks.size)
    if all(kept):
        return Resampled(whole, None, notes)
    generator = np.random.default_rng(seed)
    of_station = _counts(generator, stations.size, repeats, kept=kept[1])
    of_week = _counts(generator, weeks.size, repeats, kept=kept[0])
    terms = np.concatenate([one.total for one in per_block.values()], axis=1)
    totals = _draw(terms, *np.divmod(blocks, weeks.size), of_station, of_week)
    each = np.split(totals, len(per_block), axis=1)
    drawn = {product: one._replace(total=total) for (product, one), total in zip(per_block.items(), each, strict=True)}
    return Resampled(whole, drawn, notes, "weeks" if kept[0] else "stations" if kept[1] else "")


def weeks_of(begin: Minutes) -> NDArray[np.int64]:
    """(m,) the number of the week, from Monday to Sunday in UTC."""
    return (begin.astype("datetime64[D]").astype(np.int64) + _MONDAY) // 7


def _counts(generator: np.random.Generator, size: int, repeats: int, *, kept: bool) -> Counts:
    """(size, repeats) how often each is drawn; once each if all are kept."""
    if kept:
        return np.ones((size, repeats), np.uint16)
    counts = [np.bincount(generator.integers(0, size, size), minlength=size).astype(np.uint16) for _ in range(repeats)]
    return np.stack(counts, axis=1)


def _draw(
    terms: Floats, station: NDArray[np.int64], week: NDArray[np.int64], of_station: Counts, of_week: Counts
) -> Floats:
    """(repeats, terms) sums over blocks (blocks, terms), each times the counts of its station and of its week."""
    repeats = of_station.shape[1]
    together = max(1, _TOGETHER // repeats)
    total = np.zeros((repeats, terms.shape[1]))
    for start in range(0, len(terms), together):
        part = slice(start, start + together)
        weights = np.multiply(of_station[station[part]], of_week[week[part]], dtype=np.float64)
        total += weights.T @ terms[part]
    return total


def _difference(score: str, one: Sums, other: Sums) -> Floats:
    """The score of one less the other's; 0 where they are the same but for rounding."""
    first, second = (FROM_SUMS[score](sums) for sums in (one, other))
    if score == "bias":
        first, second = np.abs(first), np.abs(second)
    return np.where(np.isclose(first, second, rtol=_ROUNDING, atol=0), 0.0, first - second)


def _sided(one: Sums, other: Sums) -> bool:
    """Whether both biases together are sure to be above 0, or below.

    |b| < |c| takes two things, b - c and b + c of opposite signs. Where the second is not sure, as of two products without
    a bias, the drawn differences of absolute values may all lie on one side of 0 although there is nothing between the two.
    """
    low, high = _ends(FROM_SUMS["bias"](one) + FROM_SUMS["bias"](other))
    return low > 0 or high < 0


def _ends(values: Floats) -> tuple[float, float]:
    """The ends of the interval of drawn values (repeats,); NaN if they are unknown in many draws."""
    known = values[np.isfinite(values)]
    if known.size < _TOLD * values.size or not known.size:
        return np.nan, np.nan
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def _verdict(one: float, other: float) -> str:
    """What may be claimed of an interval by its ends, turned so that more is better."""
    if np.isnan(one):
        return NOT_KNOWN
    if min(one, other) > 0:
        return BETTER
    return WORSE if max(one, other) < 0 else NONE_SHOWN


def _notes(stations: int, weeks: int) -> tuple[str, ...]:
    """What the intervals do not cover."""
    counted = f"{stations} station{'s' * (stations != 1)} and {weeks} week{'s' * (weeks != 1)}"
    if weeks < FEWEST_WEEKS and stations < FEWEST_STATIONS:
        return (f"{counted} are too few to tell how sure the scores are: there are no intervals and no verdicts "
                f"(wanted {FEWEST_STATIONS} stations or {FEWEST_WEEKS} weeks at least)",)  # fmt: skip
    if weeks < FEWEST_WEEKS:
        return (f"with {counted} the intervals cover the choice of stations alone, not that of the period "
                f"(wanted {FEWEST_WEEKS} weeks)",)  # fmt: skip
    if stations < FEWEST_STATIONS:
        return (f"with {counted} the intervals cover the choice of weeks alone, not that of stations "
                f"(wanted {FEWEST_STATIONS} stations)",)  # fmt: skip
    return ()
