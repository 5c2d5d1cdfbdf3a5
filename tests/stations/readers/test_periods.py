"""Averaging periods told from the spacing of stamps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.stations.readers import periods
from deepcams.stations.readers.periods import told_periods


def told(*stations):
    """The period told of each station, from its stamps in minutes."""
    station = np.repeat(np.arange(len(stations), dtype=np.int32), [len(one) for one in stations])
    stamp = np.array([minute for one in stations for minute in one], "datetime64[m]")
    order = np.random.default_rng(1).permutation(station.size)
    return told_periods(station[order], stamp[order], np.ones(station.size, bool)).tolist()


def test_the_commonest_spacing_of_each_station_counts():
    assert told([0, 60, 120, 300, 360], [0, 1440, 2880], [7, 22, 37, 97]) == [60, 1440, 15]


def test_of_equally_common_ones_the_shorter_counts():
    assert told([0, 30, 90]) == [30]


def test_a_single_stamp_is_an_hour():
    assert told([5], [5, 5, 5]) == [60, 60]


def test_the_same_stamp_twice_is_one():
    assert told([0, 0, 0, 60, 60, 60]) == [60]


def test_times_that_are_not_known_and_lines_that_do_not_count_are_left_out():
    stamp = np.array(["NaT", "2020-01-01T00", "2020-01-01T00:10", "2020-01-01T01"], "datetime64[m]")
    lines = np.array([True, True, False, True])
    assert told_periods(np.zeros(4, np.int32), stamp, lines).tolist() == [60]
    assert told_periods(np.zeros(1, np.int32), stamp[:1], lines[:1]).tolist() == [60]


@given(st.lists(st.lists(st.integers(-500, 500), min_size=1), min_size=1, max_size=5), st.integers(1, 7))
def test_as_counted_one_by_one(stations, size):
    def counted(stamps):
        steps = np.diff(sorted(set(stamps)))
        return min(steps, key=lambda step: (-np.count_nonzero(steps == step), step), default=60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "_SLICE", size)
        assert told(*stations) == [counted(one) for one in stations]
