"""FAIRMODE's indicator: its formulas by hand, and the rule of the 90 %."""

import numpy as np
import pytest

from deepcams.stations.fairmode import quality, quality90, uncertainty


def test_uncertainty_at_known_concentrations():
    assert uncertainty(np.array([25.0]))[0] == pytest.approx(0.36 * 25)  # the relative uncertainty at the reference
    assert uncertainty(np.array([0.0]))[0] == pytest.approx(0.36 * 0.5 * 25)
    assert uncertainty(np.array([-3.0]))[0] == uncertainty(np.array([0.0]))[0]
    assert uncertainty(np.array([1e6]))[0] == pytest.approx(0.36 * np.sqrt(0.75) * 1e6, rel=1e-6)


def test_an_error_of_twice_the_uncertainty_is_just_allowed():
    observed = np.array([5.0, 25, 80, 10])
    found = quality(observed, observed + 2 * uncertainty(observed), np.zeros(4, int), 1)
    assert found == pytest.approx([1.0])


def test_indicators_of_stations_by_hand():
    observed, predicted = np.array([10.0, 20, 30, 25, 25, 25, 1, 1]), np.array([12.0, 16, 30, 34, 34, 34, 9, 9])
    found = quality(observed, predicted, np.array([0, 0, 0, 2, 2, 2, 3, 3]), 4)
    squared = 0.36**2 * (0.75 * (100 + 400 + 900) + 3 * 0.25 * 625)
    wanted = [np.sqrt((4 + 16) / squared) / 2, np.nan, 9 / (2 * 9), np.nan]  # none, and two days, are too few
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_ninety_percent_of_the_stations():
    assert quality90(np.arange(1.0, 11)) == pytest.approx(9)  # 0.9 N is whole
    assert quality90(np.arange(1.0, 16)[::-1]) == pytest.approx(13.5)  # S = 13 of 15, halfway to the next
    assert quality90(np.array([0.4, 0.8, np.nan])) == pytest.approx(0.4 + 0.8 * 0.4)  # S = 1 of 2, and 0.8 further
    assert quality90(np.array([0.7])) == 0.7
    assert np.isnan(quality90(np.array([np.nan])))
    assert np.isnan(quality90(np.empty(0)))
