"""How sure a difference between two contenders is: a block bootstrap, and the verdict in words.

Errors of neighbouring cells and hours are alike, so whole blocks of space and time are drawn, the same ones for both
contenders (Künsch, Ann. Statist. 17, 1989; Efron and Tibshirani, 1993). Few blocks tell little: their interval is rough,
and with fewer than ``FEWEST`` none is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deepcams.evaluation.metrics import Floats

SEED = 20220848
CONFIDENCE = 0.95
FEWEST = 4  # blocks
_ROUNDING = 1e-5  # a relative difference from here down is none: fields and daily sums are in single precision
_DRAWN_TOGETHER = 10_000_000  # numbers in memory at a time


@dataclass(frozen=True)
class Difference:
    """The relative difference of a score to a reference's: negative is better for errors.

    Attributes:
        value: score / reference - 1.
        low: lower end of its 95 % interval; NaN where too few blocks were there to tell.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether it is beyond the interval's doubt that the score is worse."""
        return self.low > 0

    def verdict(self, reference: str) -> str:
        """What may be claimed: ``better than X by a to b %``, ``worse than ...`` or ``no better than X``."""
        if math.isnan(self.low):
            return f"not known against {reference}: too few blocks"
        if self.high < 0:
            return f"better than {reference} by {-100 * self.high:.1f} to {-100 * self.low:.1f} %"
        if self.worse:
            return f"worse than {reference} by {100 * self.low:.1f} to {100 * self.high:.1f} %"
        return f"no better than {reference}"


Score = Callable[[Floats], Floats]


def differences(
    contenders: Floats, reference: Floats, scores: Mapping[str, Score], *, repeats: int, seed: int = SEED
) -> dict[str, list[Difference]]:
    """How the scores of contenders differ from the reference's.

    Args:
        contenders: (contenders, blocks, terms) sums of each block.
        reference: (blocks, terms).
        scores: by name, the scores of sums (..., terms), as in :data:`deepcams.evaluation.metrics.POINTWISE`.
        repeats: how often as many blocks as there are, are drawn with replacement.
        seed: of the draws, which are the same for all scores.

    Returns:
        For each score one for each contender, with the 2.5th and 97.5th percentile over the draws.
    """
    everything = np.concatenate([contenders, reference[None]])
    used = everything[:, everything[-1, :, 0] > 0]
    total = used.sum(axis=1)[:, None]
    drawn = _draws(used, repeats, seed) if used.shape[1] >= FEWEST else np.full_like(total, np.nan)
    return {name: _differences(_relative(score(total)), _relative(score(drawn))) for name, score in scores.items()}


def _differences(value: Floats, drawn: Floats) -> list[Difference]:
    """From relative differences (contenders, 1) of everything, and (contenders, repeats) of the draws."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=1)
    return [Difference(*map(float, one)) for one in zip(value[:, 0], low, high, strict=True)]


def _draws(blocks: Floats, repeats: int, seed: int) -> Floats:
    """(contenders, repeats, terms) sums over blocks drawn with replacement."""
    generator, size = np.random.default_rng(seed), blocks.shape[1]
    together = max(1, _DRAWN_TOGETHER // size)
    parts = []
    for start in range(0, repeats, together):
        count = generator.multinomial(size, np.full(size, 1 / size), min(together, repeats - start))
        parts.append(count.astype(np.float64) @ blocks)
    return np.concatenate(parts, axis=1)


def _relative(scores: Floats) -> Floats:
    """Every row but the last over the last, less 1; 0 where the two are the same but for rounding."""
    one, reference = scores[:-1], scores[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isclose(one, reference, rtol=_ROUNDING, atol=0), 0.0, one / reference - 1)
