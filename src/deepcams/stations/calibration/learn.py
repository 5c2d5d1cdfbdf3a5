"""Learning a correction, and finding out whether it holds where and when it has not learned.

What is learned is log((observed + eps) / (field + eps)) by least squares, with logarithms outside their 0.5th and 99.5th
percentile set to these. The exponential of a mean logarithm is a geometric mean, lower than the mean: the ratio of the
sums over all samples of (observed + eps) to (corrected + eps), a smearing (Duan, JASA 78, 1983), is put on top, so that
the corrected values have the observed mean.

Source of the trees: Ke et al. (2017), LightGBM, NeurIPS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import DeepcamsError, InputError
from deepcams.stations.calibration.features import EPSILON, NAMES, Floats, Singles
from deepcams.stations.calibration.folds import BOTH, KINDS, Blocks, Fold, blocks_of, period_of
from deepcams.stations.calibration.model import Correction, Limits, require_lightgbm
from deepcams.stations.calibration.samples import Samples
from deepcams.stations.calibration.trees import plain_trees
from deepcams.stations.scores import FROM_SUMS, sums

SEED = 20220848
FEWEST_SITES = 30
FEWEST_WEEKS = 4
"""Cells with a station, and weeks with an observation, that a correction takes at least."""
TREES = 150
SETTINGS: Mapping[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
"""LightGBM's. Few trees, because each is walked for every cell of every hour."""
QUANTILES = (0.005, 0.995)
"""Of the logarithms learned from: beyond them no correction goes."""
_ENOUGH = 100  # samples that a fold is judged by, and 10 times as many that it learns from
_EACH = 200_000  # samples of a thread; with fewer, threads wait for each other

Progress = Callable[[int], None]


class Score(NamedTuple):
    """How far values are from observations; ug m-3 but for the first two."""

    n: int
    r: float
    rmse: float
    mae: float
    bias: float


@dataclass(frozen=True)
class Trial:
    """What came out where something was left out.

    Attributes:
        kind: what was left out: ``regions``, ``periods``, or both at once.
        before: scores of the uncalibrated field.
        after: of the calibrated one, on the same samples; none of them had been learned from.
        why_not: why it could not be done; then there are no scores.
    """

    kind: str
    before: Score | None
    after: Score | None
    why_not: str = ""

    @property
    def better(self) -> bool:
        """Whether it is shown to be better, in RMSE and in MAE."""
        if self.before is None or self.after is None:
            return False
        return self.after.rmse < self.before.rmse and self.after.mae < self.before.mae


@dataclass(frozen=True, eq=False)
class Learned:
    """A correction and what is known of its worth.

    Attributes:
        correction: learned from everything.
        trials: one for each of :data:`deepcams.stations.calibration.folds.KINDS`.
    """

    correction: Correction
    trials: tuple[Trial, ...]

    @property
    def verdict(self) -> Trial:
        """The trial that decides: whole regions and whole periods left out at once."""
        return next(trial for trial in self.trials if trial.kind == BOTH)


def refuse_few(samples: Samples) -> None:
    """Refuse to learn from too little.

    Raises:
        InputError: if there are fewer cells or weeks than a correction takes.
    """
    sites, weeks = samples.latitude.size, np.unique(period_of(samples.begin, "weeks")[0]).size
    if sites < FEWEST_SITES or weeks < FEWEST_WEEKS:
        raise InputError(f"too little to learn from: stores and stations have {samples.size} observations in common, cells "
                         f"with a station: {sites}, weeks: {weeks}; wanted {FEWEST_SITES} cells and {FEWEST_WEEKS} weeks at "
                         "least: give more of both")  # fmt: skip


def learn(
    samples: Samples,
    step: float,
    facts: Mapping[str, Any],
    *,
    seed: int = SEED,
    threads: int = 1,
    trees: int = TREES,
    progress: Progress = lambda count: None,
) -> Learned:
    """Learn a correction from samples, and try it on regions and periods left out.

    Args:
        samples: what to learn from.
        step: degrees, of the maps' grid.
        facts: what the model file should say besides, JSON-ready.
        seed: of the trees and the folds.
        threads: the result does not depend on them.
        trees: how many, of each correction.
        progress: called with the number of trials done since the last call, the correction itself being the last.

    Raises:
        InputError: if there is too little to learn from, or LightGBM is not installed.
    """
    refuse_few(samples)
    blocks = blocks_of(samples.latitude, samples.longitude, samples.site, samples.begin, seed)

    def fitted(some: Samples, told: Mapping[str, Any]) -> Correction:
        return fit(some, step, told, seed=seed, threads=threads, trees=trees)

    trials = []
    for kind in KINDS:
        trials.append(_trial(kind, blocks, samples, fitted))
        progress(1)
    correction = fitted(samples, {**facts, **_facts(samples, blocks, trials, seed)})
    progress(1)
    return Learned(correction, tuple(trials))


def refuse_worse(learned: Learned) -> None:
    """Refuse a correction that is not shown to be better where nothing was learned.

    Raises:
        DeepcamsError: with the numbers.
    """
    trial = learned.verdict
    if trial.better:
        return
    what = "the calibrated maps are not written (--even-if-worse writes them)"
    if trial.before is None or trial.after is None:
        raise DeepcamsError(f"it cannot be shown that the correction is any good, because {trial.why_not}; {what}")
    one, other = trial.after, trial.before
    raise DeepcamsError(f"with regions and periods left out, the correction does not make RMSE and MAE smaller: RMSE "
                        f"{one.rmse:.3f} against {other.rmse:.3f} without it, MAE {one.mae:.3f} against {other.mae:.3f} "
                        f"ug m-3, N {one.n}; {what}")  # fmt: skip


def fit(samples: Samples, step: float, facts: Mapping[str, Any], *, seed: int = SEED, threads: int = 1,
        settings: Mapping[str, Any] = SETTINGS, trees: int = TREES) -> Correction:  # fmt: skip
    """A correction learned from samples, all of them."""
    lightgbm = require_lightgbm()
    wanted, limits = _target(samples)
    data = lightgbm.Dataset(samples.features, wanted, feature_name=list(NAMES), free_raw_data=True)
    used = max(1, min(threads, samples.size // _EACH))
    booster = lightgbm.train({**settings, "seed": seed, "num_threads": used}, data, num_boost_round=trees)
    text = plain_trees(booster.model_to_string(), len(NAMES))
    sites = np.stack([samples.latitude, samples.longitude], axis=1)
    plain = Correction(text, 0.0, limits, step, facts, sites)
    ratio = np.exp(plain.logarithm(samples.features, threads=threads))
    observed = np.maximum(samples.observed, 0).sum(dtype=np.float64) + EPSILON * samples.size
    smearing = float(np.log(observed / ((samples.field.astype(np.float64) + EPSILON) * ratio).sum()))
    return Correction(text, smearing, limits, step, facts, sites)


def score(observed: Singles, predicted: Singles) -> Score:
    """N, Pearson's R, RMSE, MAE and mean bias (predicted less observed)."""
    total = sums(observed, predicted, np.zeros(observed.size, np.intp), 1)
    return Score(observed.size, *(float(FROM_SUMS[name](total)[0]) for name in Score._fields[1:]))


def _target(samples: Samples) -> tuple[Floats, Limits]:
    """(m,) the logarithms to learn, and the limits that they are cut at."""
    observed = np.maximum(samples.observed.astype(np.float64), 0)
    ratio = np.log((observed + EPSILON) / (samples.field.astype(np.float64) + EPSILON))
    low, high = (float(one) for one in np.quantile(ratio, QUANTILES))
    return ratio.clip(low, high), Limits(low, high)


def _trial(
    kind: str, blocks: Blocks, samples: Samples, fitted: Callable[[Samples, Mapping[str, Any]], Correction]
) -> Trial:
    """Learn and judge fold by fold; the scores are of all folds' samples together."""
    why_not = blocks.why_not(kind)
    if why_not:
        return Trial(kind, None, None, why_not)
    judged: list[tuple[NDArray[np.intp], Singles]] = []
    for fold in blocks.folds(kind, samples.site):
        if _is_large(fold):
            test = np.flatnonzero(fold.test)
            correction = fitted(samples.take(fold.train), {})
            judged.append((test, correction.correct(samples.field[test], samples.features[test])))
    if not judged:
        return Trial(kind, None, None, "there are too few observations in every region and period")
    which, after = (np.concatenate([one[k] for one in judged]) for k in range(2))
    observed = samples.observed[which]
    return Trial(kind, score(observed, samples.field[which]), score(observed, after))


def _is_large(fold: Fold) -> bool:
    return bool(fold.test.sum() >= _ENOUGH and fold.train.sum() >= 10 * _ENOUGH)


def _facts(samples: Samples, blocks: Blocks, trials: list[Trial], seed: int) -> dict[str, Any]:
    """What the model was learned from and what it is worth, for its file and the product's attributes."""
    held_out = {
        trial.kind: {"uncalibrated": trial.before._asdict(), "calibrated": trial.after._asdict()}
        if trial.before and trial.after
        else trial.why_not
        for trial in trials
    }
    return {
        "training": {
            "observations": samples.size,
            "cells": int(samples.latitude.size),
            "first": str(samples.begin.min()),
            "last": str(samples.begin.max()),
            "regions": blocks.regions,
            blocks.unit: blocks.periods,
            "seed": seed,
        },
        "held_out": held_out,
    }
