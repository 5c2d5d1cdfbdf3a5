"""What is left out: whole blocks, nothing of them learned from, nothing near them either."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.stations.calibration.folds import (
    BOTH,
    BUFFER,
    GAP,
    KINDS,
    PERIODS,
    REGIONS,
    blocks_of,
    distance,
    period_of,
    region_of,
)

START = np.datetime64("2020-01-06T00", "m")


def world(sites=80, weeks=6, seed=0):
    generator = np.random.default_rng(seed)
    latitude, longitude = generator.uniform(30, 60, sites), generator.uniform(-20, 40, sites)
    site = generator.integers(0, sites, 4000).astype(np.int32)
    begin = np.sort(START + generator.integers(0, weeks * 168, 4000) * np.timedelta64(60, "m"))
    return latitude, longitude, site, begin


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), kind=st.sampled_from(KINDS))
def test_nothing_near_what_is_judged_is_learned_from(seed, kind):
    latitude, longitude, site, begin = world(seed=seed)
    blocks = blocks_of(latitude, longitude, site, begin, seed)
    judged = np.zeros(site.size, int)
    for fold in blocks.folds(kind, site):
        judged += fold.test
        assert not (fold.test & fold.train).any()
        if kind != PERIODS:
            test, train = np.unique(site[fold.test]), np.unique(site[fold.train])
            assert distance(latitude[train], longitude[train], latitude[test], longitude[test]).min() > BUFFER
        if kind != REGIONS:
            apart = np.abs(begin[fold.train][:, None] - np.unique(begin[fold.test])[None])
            assert apart.min() >= GAP
    assert judged.max() == 1
    assert kind == BOTH or judged.min() == 1


def test_blocks_are_whole():
    latitude, longitude, site, begin = world()
    blocks = blocks_of(latitude, longitude, site, begin, 3)
    for label, fold in ((region_of(latitude, longitude), blocks.region), (period_of(begin)[0], blocks.period)):
        assert all(np.unique(fold[label == one]).size == 1 for one in np.unique(label))
    assert blocks.periods == 6
    assert blocks.unit == "weeks"


def test_the_same_seed_gives_the_same_folds():
    one, same = (blocks_of(*world(), 1) for _ in range(2))
    np.testing.assert_array_equal(one.region, same.region)
    np.testing.assert_array_equal(one.period, same.period)


@settings(deadline=None, max_examples=50)
@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
def test_a_region_is_small_and_does_not_mind_the_turn(latitude, longitude):
    here = region_of(np.array([latitude]), np.array([longitude]))[0]
    assert here == region_of(np.array([latitude]), np.array([longitude % 360]))[0]
    assert here != region_of(np.array([-latitude if abs(latitude) > 10 else 45]), np.array([longitude]))[0]


@pytest.mark.parametrize(("sites", "weeks", "kind", "why"), [
    (80, 2, PERIODS, "2 of the 4 weeks"), (1, 6, REGIONS, "1 of the 3 regions"), (1, 2, BOTH, "regions .* and 2 of the 4"),
])  # fmt: skip
def test_too_few_blocks_are_told(sites, weeks, kind, why):
    latitude, longitude, site, begin = world(80, weeks)
    blocks = blocks_of(latitude[:sites], longitude[:sites], site % sites, np.minimum(begin, begin[-1]), 0)
    assert re.search(why, blocks.why_not(kind))
    assert blocks_of(*world(), 0).why_not(kind) is None


def test_months_are_left_out_of_a_year():
    begin = START + np.arange(0, 366 * 24, 5) * np.timedelta64(60, "m")
    labels, unit = period_of(begin)
    assert unit == "months"
    assert np.unique(labels).size == 13


def test_distances_go_around_the_earth():
    near = distance(np.array([0.0, 90.0, 0.0]), np.array([179.5, 0.0, 0.0]), np.array([0.0]), np.array([-179.5]))
    np.testing.assert_allclose(near, [111.2, 10007.5, 19959.7], rtol=1e-3)
