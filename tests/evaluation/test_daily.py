"""Sums by day, kept sparse: they are those of dense arrays, and a year of them is small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.evaluation.daily import DailySums

DAYS = [np.datetime64("2020-03-08"), np.datetime64("2020-03-09"), np.datetime64("2020-03-10")]


def sparse_sums(generator, rows, share=0.3):
    """(rows, 4) sums of which most rows are zero."""
    return generator.exponential(1, (rows, 4)) * (generator.random((rows, 1)) < share)


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(DAYS), min_size=1, max_size=8))
def test_groups_have_the_sums_of_dense_arrays(seed, dates):
    generator = np.random.default_rng(seed)
    daily, dense = DailySums((12, 4)), {}
    for date in dates:
        sums = sparse_sums(generator, 12)
        daily.add(date, sums)
        dense[date] = dense.get(date, 0) + sums
    assert daily.dates == sorted(dense)
    labels = generator.integers(-1, 5, 12)
    found = daily.gathered(labels, 5, DAYS).reshape(len(DAYS), 5, 4)
    for date, groups in zip(DAYS, found, strict=True):
        wanted = [dense.get(date, np.zeros((12, 4)))[labels == group].sum(axis=0) for group in range(5)]
        np.testing.assert_allclose(groups, wanted, rtol=1e-6)


def test_a_year_of_global_maps_is_a_few_megabytes():
    generator, daily = np.random.default_rng(0), DailySums((2440, 4))
    for day in range(10):  # about a thousand pieces and classes have cells at any hour of the sample
        daily.add(DAYS[0] + day, sparse_sums(generator, 2440, share=0.4))
    held = sum(one.rows.nbytes + one.sums.nbytes for one in daily._days.values())
    assert 365 / 10 * held < 10e6


def test_a_day_that_comes_again_goes_on():
    daily = DailySums((3, 2))
    for date in (DAYS[0], DAYS[1], DAYS[0]):
        daily.add(date, np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 4.0]]))
    found = daily.gathered(np.array([0, 0, 0]), 1, DAYS[:2])
    assert found.tolist() == pytest.approx(np.array([[4.0, 12.0], [2.0, 6.0]]))
