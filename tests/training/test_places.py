"""Intervals at single places: the right hours, nothing unknown, nothing held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.io.places import Places
from deepcams.sun import unequal_hours
from deepcams.temporal.network import slopes_of
from deepcams.training.places import PlaceSampler

START = np.datetime64("2024-04-08T00", "h")


def places_of(values, middle=0.5):
    """Series at some places on the equator, 30 degrees apart."""
    values = np.asarray(values, np.float32)
    count, hours = values.shape
    times = START + np.arange(hours)
    return Places("memory", np.zeros(count), 30.0 * np.arange(count), times, values, middle, "nobody")


def numbered(places=3, hours=60):
    """Values that tell place and hour: 100 place + hour + 1, none the same."""
    return 100.0 * np.arange(places)[:, None] + np.arange(hours) + 1


def drawn(sampler, count=500, seed=0):
    return sampler.draw(count, np.random.default_rng(seed))


@pytest.mark.parametrize("gap", [2, 3, 6])
def test_the_hours_are_those_of_the_series(gap):
    lessons = drawn(PlaceSampler(places_of(numbered()), gap))
    assert lessons.first.shape == lessons.last.shape == lessons.target.shape == lessons.weights.shape == (500, gap - 1)
    assert lessons.hours.shape == (500, 2 * gap)
    assert {one.dtype for one in lessons} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(lessons.last - lessons.first, gap)
    np.testing.assert_array_equal(lessons.target - lessons.first, np.broadcast_to(np.arange(1, gap), (500, gap - 1)))
    np.testing.assert_allclose(lessons.change, np.log((lessons.last + 0.5) / (lessons.first + 0.5))[:, 0], rtol=1e-4)
    assert (lessons.weights == 1).all()
    assert (lessons.land == 1).all()
    starts = {(int(one) // 100, int(one - 1) % 100) for one in lessons.first[:, 0]}
    assert starts <= {(place, hour) for place in range(3) for hour in range(60 - gap)}
    assert {0, 59 - gap} <= {hour for _, hour in starts}


@pytest.mark.parametrize("middle", [0.0, 0.5])
def test_the_sun_stands_where_it_does_in_the_middle_of_each_half_hour(middle):
    lessons = drawn(PlaceSampler(places_of(numbered(), middle), 3), 50)
    for first, hours in zip(lessons.first[:, 0], lessons.hours, strict=True):
        place, hour = int(first) // 100, int(first - 1) % 100
        moments = START.astype("datetime64[m]") + 60 * hour + int(60 * middle) + 15 + 30 * np.arange(6)
        np.testing.assert_allclose(hours, unequal_hours(moments, 0.0, 30.0 * place), atol=1e-3)


def test_the_analyses_beyond_count_where_they_are_known():
    values = np.random.default_rng(0).gamma(2, 10, (2, 30)) + 0.01
    lessons = drawn(PlaceSampler(places_of(values), 3))
    flat = values.astype(np.float32)
    edges = 0
    for first, earlier, later in zip(lessons.first[:, 0], lessons.earlier, lessons.later, strict=True):
        (place,), (hour,) = np.nonzero(flat == first)
        one = flat[place]
        outer = (one[hour - 3] if hour >= 3 else None, one[hour + 6] if hour + 6 < 30 else None)
        expected = slopes_of(one[hour], one[hour + 3], *outer)
        assert (earlier, later) == pytest.approx([float(side) for side in expected], abs=1e-6)
        edges += None in outer
        if hour < 3:
            assert earlier == 0
        if hour + 6 >= 30:
            assert later == 0
    assert edges > 20


def test_what_is_unknown_is_never_drawn():
    values = numbered()
    unknown = np.random.default_rng(1).random(values.shape) < 0.15
    lessons = drawn(PlaceSampler(places_of(np.where(unknown, np.nan, values)), 3), 2000)
    assert all(np.isfinite(one).all() for one in lessons)
    for first in np.unique(lessons.first[:, 0]):
        place, hour = int(first) // 100, int(first - 1) % 100
        assert not unknown[place, hour : hour + 4].any()
    assert (lessons.earlier == 0).any()


def test_all_intervals_are_alike_likely():
    values = numbered(2, 6)
    values[1, 4] = np.nan  # one interval there, three in the other place
    first = drawn(PlaceSampler(places_of(values), 3), 8000).first[:, 0]
    counts = {int(one): int((first == one).sum()) for one in np.unique(first)}
    assert set(counts) == {1, 2, 3, 101}
    assert all(count == pytest.approx(2000, rel=0.1) for count in counts.values())


@pytest.mark.parametrize("last", [0.25, 0.5])
def test_nothing_of_the_last_hours_is_looked_at(last):
    """Neither as truth nor as the analysis beyond: whatever is there, the lessons are the same."""
    values, end = numbered(), round(60 * (1 - last))
    other = values.copy()
    other[:, end:] = np.nan
    other[1, end:] = 1e4
    one, two = (drawn(PlaceSampler(places_of(some), 3, last), 2000) for some in (values, other))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one.last - 1).max() % 100 == end - 1


def test_a_draw_depends_on_its_generator_alone():
    sampler = PlaceSampler(places_of(numbered()), 3)
    one, two, three = drawn(sampler, 20, 7), drawn(sampler, 20, 7), drawn(sampler, 20, 8)
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert (one.first != three.first).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: PlaceSampler(places_of(numbered(3, 2)), 3),
        lambda: PlaceSampler(places_of(numbered(3, 3)), 3),
        lambda: PlaceSampler(places_of(numbered(3, 20)), 3, last=0.9),
        lambda: PlaceSampler(replace(places_of(numbered()), values=np.full((3, 60), np.nan, np.float32)), 3),
        lambda: PlaceSampler(places_of(np.where(np.arange(60) % 4 == 3, np.nan, numbered())), 3),
    ],
)
def test_a_series_without_an_interval_is_refused(make):
    with pytest.raises(InputError, match="memory: no 4 hours in a row are known; wanted a longer series"):
        make()
