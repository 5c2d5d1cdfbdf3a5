"""Validation: the network beside what it is to be better than, on whole held-out fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from deepcams.errors import InputError
from deepcams.training.curriculum import Curriculum
from deepcams.training.distributed import World
from deepcams.training.stage import Contender, Judged

NETWORK = "network"
_KEPT = 8  # whole global fields in memory: about 25 MB each
_SMALL = 0.005  # a relative difference below this is none

Scores = dict[str, dict[str, float]]


class Validator:
    """Scores contenders on the same held-out cells; the fields are shared out among the processes.

    Args:
        curriculum: what is judged by.
        world: the processes.
    """

    def __init__(self, curriculum: Curriculum, world: World) -> None:
        self._world, self._stage = world, curriculum.stage
        self._judged = curriculum.judged[world.rank :: world.size]
        self._baselines: Scores = {}

        def example(place: int) -> Judged:
            whole: Judged = self._stage.whole(*self._judged[place], curriculum.split)
            return whole

        self._example: Callable[[int], Judged] = lru_cache(maxsize=_KEPT)(example)

    def scores(self, network: nn.Module) -> Scores:
        """Area-weighted RMSE and MAE in ug m-3 of the network and of the baselines.

        Raises:
            InputError: if no held-out cell is known.
        """
        if not self._baselines:  # they do not learn: once is enough
            self._baselines = {name: self._score(one) for name, one in self._stage.baselines.items()}
        return self._baselines | {NETWORK: self._score(self._stage.contender(network))}

    def _score(self, contender: Contender[Any]) -> dict[str, float]:
        """The scores of one contender, pooled over all fields."""
        sums = np.zeros(3)
        for place in range(len(self._judged)):
            sums += _sums(contender, self._example(place))
        weight, squared, absolute = self._world.sums(*sums.tolist())
        if not weight > 0:
            raise InputError("no known cell lies in the held-out part, so that nothing can be judged by: hold out regions "
                             "that the data cover (split.hold_out), or hours (split.last)")  # fmt: skip
        return {"rmse": float(np.sqrt(squared / weight)), "mae": absolute / weight}


def _sums(contender: Contender[Any], example: Judged) -> NDArray[np.float64]:
    """(3,) the sums of w, w e^2 and w |e| over the cells of one example, in double precision."""
    error = np.asarray(contender(example), np.float64) - example.target
    weights = example.weights.astype(np.float64)
    return np.array([weights.sum(), (weights * error**2).sum(), (weights * np.abs(error)).sum()])


def table(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The scores for people, a line each."""
    lines = [f"{'':10}{'RMSE':>8}{'MAE':>8}  ug m-3, on the held-out part"]
    return lines + [f"{name:10}{one['rmse']:8.3f}{one['mae']:8.3f}" for name, one in scores.items()]


def verdict(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """How the network stands to each baseline, in words; a difference below half a percent is none."""
    own = scores[NETWORK]
    return [
        f"network: RMSE {_compared(own['rmse'], scores[name]['rmse'])}, MAE "
        f"{_compared(own['mae'], scores[name]['mae'])} than {name}"
        for name in scores
        if name != NETWORK
    ]


def _compared(own: float, other: float) -> str:
    change = own / other - 1 if other else 0.0
    if abs(change) < _SMALL:
        return "no better"
    return f"{abs(change):.1%} {'better' if change < 0 else 'worse'}"
