"""Intervals drawn for training and whole ones to judge by: the right hours, true changes, nothing held out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.training.changes import Augmentation
from deepcams.training.intervals import (
    IntervalSampler,
    beginnings,
    fields_of,
    judged_beginnings,
    learned_beginnings,
    whole_interval,
)
from deepcams.training.series import Series, Split

GLOBE = Grid(90, 0, 1, 181, 360)
TIMES = np.datetime64("2021-03-01T00", "h") + np.arange(10)
PLAIN = Augmentation(flip=False, turn=False, gain=1)


def series(values=None, times=TIMES, grid=GLOBE, **options):
    """Hour i is i + 1 everywhere, if not said otherwise."""
    values = np.broadcast_to(np.arange(1.0, 11.0)[:, None, None], (10, *grid.shape)) if values is None else values
    return Series("memory", grid, times, lambda i: np.array(values[i], np.float32), **options)


def noise(count=10, grid=GLOBE):
    return np.random.default_rng(5).gamma(1.5, 8, (count, *grid.shape)).astype(np.float32)


def sampler(*several, augmentation=PLAIN, **options):
    return IntervalSampler(several or (series(),), augmentation=augmentation,
                           **{"size": 8, "margin": 2, "reverse": False} | options)  # fmt: skip


def test_an_interval_begins_where_its_end_and_something_between_are():
    one = series(times=np.delete(np.datetime64("2021-03-01T00", "h") + np.arange(11), 5))  # 0-4, 6-10
    everything = np.arange(10)
    assert beginnings(one, everything, 2).tolist() == [0, 1, 2, 5, 6, 7]  # 4 and 6 have nothing between
    assert beginnings(one, everything, 3).tolist() == [0, 1, 3, 4, 5, 6]
    numbers, fractions = fields_of(one, 3, 3)  # 3, 4 and 6 h
    assert numbers == [3, 4, 5]
    np.testing.assert_allclose(fractions, [1 / 3])
    numbers, fractions = fields_of(one, 6, 3)
    assert numbers == [6, 7, 8, 9]
    np.testing.assert_allclose(fractions, [1 / 3, 2 / 3])
    assert beginnings(Series("images", GLOBE, None, one.read, count=10), everything, 2).size == 0


def test_six_hours_of_three_hourly_fields_have_their_middle():
    one = series(times=TIMES[0] + 3 * np.arange(10))
    assert beginnings(one, np.arange(10), 6).tolist() == list(range(8))
    assert fields_of(one, 2, 6) == ([2, 3, 4], pytest.approx([0.5]))


@pytest.mark.parametrize("gaps", [(2,), (2, 3), (6,)])
@pytest.mark.parametrize("last", [0.2, 0.4])
def test_no_hour_of_an_interval_to_learn_from_is_judged_by(gaps, last):
    one, split = series(np.zeros((30, 1, 1)), TIMES[0] + np.arange(30)), Split(last=last)
    learned = {
        i for gap in gaps for start in learned_beginnings(one, split, gap) for i in fields_of(one, start, gap)[0]
    }
    judged = {i for start in judged_beginnings(one, split, max(gaps)) for i in fields_of(one, start, max(gaps))[0]}
    assert learned
    assert max(learned) < 30 * (1 - last)
    assert all(number >= 30 * (1 - last) for number in judged)
    assert set(learned_beginnings(one, split, *gaps)) == {
        i for gap in gaps for i in learned_beginnings(one, split, gap)
    }


def test_a_held_out_series_is_judged_by_alone():
    one = series(held_out=True)
    assert learned_beginnings(one, Split(), 3).size == 0
    assert judged_beginnings(one, Split(), 3).tolist() == list(range(7))
    assert judged_beginnings(series(), Split(), 3).size == 0


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 10**6), index=st.integers(0, 64))
def test_the_truth_stands_where_the_fraction_says(number, index):
    one = sampler(augmentation=Augmentation(), reverse=True).draw(number, index)
    t = one.fractions[0]
    np.testing.assert_allclose(one.target[0], (1 - t) * one.before + t * one.after, rtol=1e-4)
    assert round(float(t * one.hours)) in range(1, round(one.hours))
    assert one.hours in (2, 3)
    assert one.before.shape == one.after.shape == one.grid.shape == (12, 12)
    assert one.target.shape == one.weights.shape == (1, 12, 12)
    for field in (one.before, one.after, one.target, one.weights, one.fractions):
        assert field.dtype == np.float32


def test_all_gaps_hours_and_directions_come():
    draws = sampler(reverse=True)
    found = [draws.draw(0, index) for index in range(120)]
    kinds = {
        (one.hours, round(float(one.fractions[0]), 2), bool(one.after.mean() > one.before.mean())) for one in found
    }
    assert kinds == {
        (2, 0.5, True),
        (2, 0.5, False),
        (3, 0.33, True),
        (3, 0.67, True),
        (3, 0.33, False),
        (3, 0.67, False),
    }
    assert not {one.after.mean() > one.before.mean() for one in map(sampler().draw, [0] * 20, range(20))} & {False}
    assert len({(round(90 - one.grid.north) % 3, round(one.grid.west) % 3) for one in found}) == 9


def test_a_draw_depends_on_seed_step_and_place_alone():
    one = sampler(series(noise()), augmentation=Augmentation(), reverse=True)
    again = replace(one)
    again.draw(5, 5)
    for number, index in ((0, 0), (3, 7), (1000, 2)):
        first, second = one.draw(number, index), again.draw(number, index)
        for name in ("before", "after", "target", "weights", "fractions"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(one.draw(0, 0).before, one.draw(0, 1).before)
    assert not np.array_equal(one.draw(0, 0).before, replace(one, seed=1).draw(0, 0).before)


def test_fields_are_area_means_of_the_window():
    values = noise()
    one = sampler(series(values)).draw(1, 2)
    row, column = round(90 - one.grid.north) - 1, round(one.grid.west) - 1
    columns = np.arange(column, column + 36) % 360
    means = [area_mean(hour[row : row + 36, columns].astype(float), one.grid) for hour in values]
    for field in (one.before, one.target[0], one.after):
        assert any(np.allclose(field, mean, rtol=1e-5) for mean in means)
    inner = one.weights[0, 2:-2, 2:-2]
    assert (inner > 0).all()
    assert (one.weights > 0).sum() == inner.size
    np.testing.assert_allclose(inner[:, 0] / inner[0, 0], one.grid.areas[2:-2] / one.grid.areas[2], rtol=1e-5)


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_nothing_held_out_or_unknown_is_learned_from(flip, turn):
    split = Split((Region(50, 4, 30, 100), Region(10, -60, -80, 5)))
    held_out = np.broadcast_to(split.mask(GLOBE).astype(np.float32), (10, *GLOBE.shape)).copy()
    held_out[1:3, 20:70, 150:200] = np.nan
    one = sampler(series(held_out), split=split, augmentation=replace(PLAIN, flip=flip, turn=turn))
    partly = 0
    for index in range(60):
        example = one.draw(0, index)
        assert not example.target[example.weights > 0].any()
        assert np.isfinite([example.before, example.after, example.target[0]]).all()
        partly += bool(example.target.any())
    assert partly > 5


def test_a_whole_interval_is_the_series_and_counts_what_is_held_out():
    values, split = noise(), Split((Region(40, 10, -20, 70),))
    values[2, 100:110, 20:30] = np.nan  # between the ends
    one = whole_interval(series(values), 1, split, 3)
    grid = series().whole_grid()
    assert (one.grid, one.hours) == (grid, 3.0)
    np.testing.assert_allclose(one.fractions, [1 / 3, 2 / 3])
    np.testing.assert_allclose(one.before, area_mean(values[1].astype(float), grid), rtol=1e-6)
    np.testing.assert_allclose(one.after, area_mean(values[4].astype(float), grid), rtol=1e-6)
    np.testing.assert_allclose(one.target[1], area_mean(values[3].astype(float), grid), rtol=1e-6)
    rows, columns = np.nonzero(one.weights[1])
    assert (grid.latitude[rows] <= 39).all()
    assert (grid.latitude[rows] >= -19).all()
    assert (grid.longitude[columns] >= 11).all()
    assert (grid.longitude[columns] <= 69).all()
    unknown = np.isnan(area_mean(values[2].astype(float), grid))
    assert (one.weights[0][unknown] == 0).all()
    assert (one.weights[0] > 0).sum() < (one.weights[1] > 0).sum()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sampler(series(times=TIMES[0] + 3 * np.arange(10))), "none of its 10 fields may be learned from"),
        (lambda: sampler(split=Split(last=0.8)), "none of its 10 fields may be learned from"),
        (lambda: sampler(weights=(0,)), "every hour is held out, within 3 h of those that are, or lacks the hours"),
        (lambda: sampler(split=Split((Region(90, 0, -90, 360),))).draw(0, 0), "no window of 8 x 8 .* in 300 draws"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
