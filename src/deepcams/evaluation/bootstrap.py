"""How sure a difference between two contenders is: a block bootstrap, and the verdict in words.

Errors of neighbouring cells and hours are alike, so whole blocks of space and time are drawn, the same ones for both
contenders (Künsch, Ann. Statist. 17, 1989; Efron and Tibshirani, 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcams.evaluation.metrics import Floats

SEED = 20220848
CONFIDENCE = 0.95
_DRAWN_TOGETHER = 10_000_000  # numbers in memory at a time


@dataclass(frozen=True)
class Difference:
    """The relative difference of a score to a reference's: negative is better for errors.

    Attributes:
        value: score / reference - 1.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def verdict(self, reference: str) -> str:
        """What may be claimed: ``better than X by a to b %``, ``worse than ...`` or ``no better than X``."""
        if self.high < 0:
            return f"better than {reference} by {-100 * self.high:.1f} to {-100 * self.low:.1f} %"
        if self.low > 0:
            return f"worse than {reference} by {100 * self.low:.1f} to {100 * self.high:.1f} %"
        return f"no better than {reference}"


def differences(
    contenders: Floats, reference: Floats, score: Callable[[Floats], Floats], *, repeats: int, seed: int = SEED
) -> list[Difference]:
    """How the scores of contenders differ from the reference's.

    Args:
        contenders: (contenders, blocks, terms) sums of each block.
        reference: (blocks, terms).
        score: the score of sums (..., terms), as in :data:`deepcams.evaluation.metrics.POINTWISE`.
        repeats: how often as many blocks as there are, are drawn with replacement.
        seed: of the draws.

    Returns:
        One for each contender, with the 2.5th and 97.5th percentile over the draws.
    """
    everything = np.concatenate([contenders, reference[None]])
    used = everything[:, everything[-1, :, 0] > 0]
    value = _relative(score(used.sum(axis=1)[:, None]))[:, 0]
    drawn = _relative(score(_draws(used, repeats, seed)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=1)
    return [Difference(*map(float, one)) for one in zip(value, low, high, strict=True)]


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
    """Every row but the last over the last, less 1; 0 where both are 0."""
    one, reference = scores[:-1], scores[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(one == reference, 0.0, one / reference - 1)
