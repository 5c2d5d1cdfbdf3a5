"""Learning: a bias that can be known is found where nothing was learned, one of places alone is not, and it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepcams.errors import DeepcamsError, InputError
from deepcams.grid import Grid
from deepcams.stations.calibration.features import NAMES
from deepcams.stations.calibration.folds import BOTH, PERIODS, REGIONS
from deepcams.stations.calibration.learn import fit, learn, refuse_few, refuse_worse, score
from deepcams.stations.calibration.samples import collect

from .conftest import known


@pytest.fixture(scope="session")
def learned(samples):
    return learn(samples, 1.0, {"maps": ["maps.nc"]})


def test_a_bias_that_can_be_known_is_found_where_nothing_was_learned(learned, samples):
    assert [trial.kind for trial in learned.trials] == [REGIONS, PERIODS, BOTH]
    for trial in learned.trials:
        assert trial.better
        assert trial.after.rmse < 0.85 * trial.before.rmse
        assert trial.after.r > trial.before.r
        assert abs(trial.after.bias) < 0.5 * abs(trial.before.bias) + 0.2
        assert trial.after.n == trial.before.n
    assert learned.trials[0].before.n == samples.size  # every region is left out once
    refuse_worse(learned)


def test_held_out_scores_are_near_those_of_the_known_bias(learned, samples):
    """The known bias itself leaves the noise; the correction comes within a fifth of it."""
    column = [NAMES.index(name) for name in ("solar_time_sin", "solar_time_cos", "latitude", "altitude")]
    sin, cos, latitude, height = samples.features[:, column].T
    hour = np.arctan2(sin, cos) * 12 / np.pi
    truth = (samples.field + 1) * np.exp(known(samples.field, hour, 0, latitude, height) + 0.25**2 / 2) - 1
    floor = score(samples.observed, truth.astype(np.float32))
    found = learned.trials[0].after  # of all samples
    assert floor.mae < found.mae < 1.2 * floor.mae


def test_a_bias_of_places_alone_is_not_found_elsewhere(samples_by_place):
    learned = learn(samples_by_place, 1.0, {}, trees=60)
    trials = {trial.kind: trial for trial in learned.trials}
    assert trials[PERIODS].after.mae < 0.8 * trials[PERIODS].before.mae  # the same places at other times
    assert trials[REGIONS].after.mae > 0.9 * trials[REGIONS].before.mae
    assert not learned.verdict.better
    with pytest.raises(DeepcamsError, match=r"RMSE \d+\.\d+ against \d+\.\d+ without it.*--even-if-worse") as told:
        refuse_worse(learned)
    assert told.value.exit_status == 1


def test_the_mean_is_not_biased_low(samples):
    correction = fit(samples, 1.0, {})
    corrected = correction.correct(samples.field, samples.features)
    assert corrected.mean() == pytest.approx(samples.observed.mean(), rel=0.01)
    assert correction.smearing > 0.01  # the geometric mean is lower than the mean
    plain = replace(correction, smearing=0.0)
    assert plain.correct(samples.field, samples.features).mean() < 0.985 * samples.observed.mean()


def test_no_correction_goes_beyond_what_was_seen(samples):
    correction = fit(samples, 1.0, {})
    ratio = np.log((np.maximum(samples.observed, 0) + 1.0) / (samples.field + 1))
    assert correction.limits == pytest.approx(np.quantile(ratio.astype(float), [0.005, 0.995]), abs=1e-3)
    wild = np.random.default_rng(0).normal(size=(1000, len(NAMES))).astype(np.float32) * 1e6
    found = correction.logarithm(wild)
    assert found.min() >= correction.limits.low
    assert found.max() <= correction.limits.high
    assert correction.correct(np.zeros(1000, np.float32), wild).min() >= 0


def test_threads_and_repetition_change_no_bit(samples, monkeypatch):
    monkeypatch.setattr("deepcams.stations.calibration.learn._EACH", 1000)  # else so few samples have one thread
    one, same, two = (fit(samples, 1.0, {}, trees=20, threads=threads) for threads in (1, 1, 2))
    assert one.text == same.text == two.text
    assert fit(samples, 1.0, {}, trees=20, seed=1).text != one.text


def test_too_little_is_refused_with_what_it_takes(results, observe, samples):
    few = samples.take(samples.begin < samples.begin.min() + np.timedelta64(9, "D"))
    with pytest.raises(InputError, match="with a station: 60, weeks: 2; wanted 30 cells and 4 weeks"):
        refuse_few(few)
    with pytest.raises(InputError, match="with a station: 5, weeks: 5; wanted"):
        refuse_few(collect(results, observe(known, sites=5), seed=0))


def test_what_cannot_be_left_out_is_told_and_nothing_is_claimed(results, observe):
    near = collect(results, observe(known, sites=40, box=Grid(59, 1, 1, 8, 8)), seed=0)
    learned = learn(near, 1.0, {}, trees=30)
    trials = {trial.kind: trial for trial in learned.trials}
    assert trials[PERIODS].better
    assert trials[REGIONS].before is None
    assert "1 of the 3 regions" in trials[REGIONS].why_not
    with pytest.raises(
        DeepcamsError, match="cannot be shown that the correction is any good, because there are 1 of the 3"
    ):
        refuse_worse(learned)


def test_scores():
    found = score(np.array([1, 2, 3], np.float32), np.array([2, 2, 5], np.float32))
    assert found == (3, pytest.approx(0.866, abs=1e-3), pytest.approx(np.sqrt(5 / 3)), 1, 1)


def test_what_it_was_learned_from_is_told(learned, samples):
    facts = learned.correction.facts
    assert facts["training"]["observations"] == samples.size
    assert facts["training"]["cells"] == 60
    assert facts["training"]["weeks"] == 5
    assert facts["maps"] == ["maps.nc"]
    assert facts["held_out"][BOTH]["calibrated"]["rmse"] == learned.verdict.after.rmse
