"""What the hours between look at besides their ends: the analyses beyond, where they are as long away."""

from __future__ import annotations

import numpy as np
import pytest

from deepcams.checks import Tally
from deepcams.grid import Grid
from deepcams.io.cams import combine, from_dataset
from deepcams.methods import recipe
from deepcams.pipeline import Job, hours

LAND = Grid(50, 5, 0.75, 10, 12)
START = "2020-06-01T00"
TIME_ALONE = {"space": "lcbp", "time": "network"}


@pytest.fixture
def analyses_of(cams_array):
    """Analyses of fields that rise and fall over land, at some of the hours 0, 3, ..., or at any."""

    def make(numbers, changed=None, at=None):
        rows, columns = np.mgrid[: LAND.rows, : LAND.columns]
        fields = np.stack(
            [20 + 12 * np.sin(1.1 * k + rows / 4) + 3 * np.cos(columns / 3 + k) for k in range(max(numbers) + 1)]
        )
        if changed is not None:
            fields[changed] *= 1.5
        cams = cams_array(fields.astype(np.float32), LAND, START).isel(time=list(numbers))
        if at is not None:
            cams = cams.assign_coords(time=np.datetime64(START, "ns") + np.array(at) * np.timedelta64(1, "h"))
        return combine([from_dataset(cams.to_dataset(name="pm2p5"), "test", variable="pm2p5")])

    return make


def maps(analyses, tally=None, **options):
    job = Job(analyses, recipe(**options.pop("parts", TIME_ALONE)), **options)
    return {
        int((hour.time - np.datetime64(START, "h")).astype(int)): hour.values for hour in hours(job, tally or Tally())
    }


def changed_hours(one, other):
    return {hour for hour in one if hour in other and not np.array_equal(one[hour], other[hour])}


def test_how_far_a_method_looks(analyses_of):
    analyses = analyses_of(range(4))
    for parts, reach in (({"name": "fast"}, 0), ({"name": "deepcams"}, 1), (TIME_ALONE, 1), ({"name": "paper"}, 0)):
        job = Job(analyses, recipe(**parts))
        assert job.reach == reach
        assert job.inputs(job.timeline.days[0]) == (0, 1, 2, 3)


def test_a_day_is_made_again_when_an_analysis_beyond_it_changes(analyses_of):
    """A store compares what Job.inputs names: the first day ends with hour 23, which looks at 24, and so at 27."""
    job = Job(analyses_of(range(17)), recipe(**TIME_ALONE))
    first, second, last = job.timeline.days
    assert job.inputs(first) == tuple(range(10))
    assert job.inputs(second) == tuple(range(7, 17))
    assert job.inputs(last) == (16,)  # its only hour is an analysis, and nothing is between
    plain = Job(job.analyses, recipe("fast"))
    assert plain.inputs(first) == tuple(range(9))
    tally = Tally()
    list(hours(job, tally, days=[first]))
    assert set(tally.digests) == set(range(10))  # what was read is what is named


@pytest.mark.parametrize("number", [0, 2, 5])
def test_the_hours_beside_a_changed_analysis_change_and_no_others(analyses_of, number):
    one, other = maps(analyses_of(range(6))), maps(analyses_of(range(6), changed=number))
    looked = {hour for hour in one if 3 * number - 6 < hour < 3 * number + 6 and (hour % 3 or hour == 3 * number)}
    assert changed_hours(one, other) <= looked
    own = {hour for hour in looked if abs(hour - 3 * number) < 3}
    assert own <= changed_hours(one, other)
    by_day = {hour for hour in looked - own if 6 <= hour <= 15}
    assert by_day <= changed_hours(one, other)


def test_nothing_is_looked_at_across_a_gap(analyses_of):
    """Without the analysis at 9, those at 6 and at 12 know nothing of each other's intervals."""
    numbers = (0, 1, 2, 4, 5, 6)
    whole = maps(analyses_of(numbers))
    for part in ((0, 1, 2), (4, 5, 6)):
        alone = maps(analyses_of(part))
        assert len(alone) == 7
        assert not changed_hours(whole, alone)
        for hour, values in alone.items():
            np.testing.assert_array_equal(whole[hour], values)
    job = Job(analyses_of(numbers), recipe(**TIME_ALONE))
    assert [job.beside(number, 1) for number in range(6)] == [(1,), (0, 2), (1,), (4,), (3, 5), (4,)]


def test_what_is_not_as_long_away_is_not_looked_at(analyses_of):
    """An interval of two hours among those of three: its neighbours tell no slope."""
    at = [0, 3, 6, 8, 11, 14]
    one, other = (maps(analyses_of(range(6), changed=changed, at=at)) for changed in (None, 4))
    assert set(one) == set(range(15))
    assert 7 not in changed_hours(one, other)
    assert {9, 10, 11, 12, 13} <= changed_hours(one, other)


def test_a_missing_node_beyond_counts_as_none_there(analyses_of):
    def made(hole):
        cams = analyses_of(range(3)).to_dataarray().load()
        cams.values[2, 3:6, 4:8] = hole
        return maps(combine([from_dataset(cams.to_dataset(name="pm2p5"), "test", variable="pm2p5")]))

    holed = made(np.nan)
    alone = maps(analyses_of(range(2)))
    assert np.isfinite(holed[1]).all()
    inner = np.s_[12:15, 15:21]  # fine nodes all of whose coarse ones are missing
    np.testing.assert_array_equal(holed[2][inner], alone[2][inner])
    assert np.isnan(holed[4]).any()


@pytest.mark.parametrize("parts", [TIME_ALONE, {"name": "deepcams"}, TIME_ALONE | {"order": "time-first"}],
                         ids=["time alone", "deepcams", "time first"])  # fmt: skip
@pytest.mark.parametrize(("start", "end"), [(7, 16), (10, 10), (22, 26), (30, 48)])
def test_a_part_of_the_period_is_the_same_as_in_the_whole(analyses_of, parts, start, end):
    analyses = analyses_of(range(17))
    first = np.datetime64(START, "h")
    whole = maps(analyses, parts=dict(parts))
    part = maps(analyses, parts=dict(parts), start=first + start, end=first + end)
    assert sorted(part) == list(range(start, end + 1))
    assert not changed_hours(part, whole)


def test_the_number_of_threads_and_the_days_do_not_matter(analyses_of):
    job = Job(analyses_of(range(17)), recipe("deepcams"))
    one, three = (list(hours(job, Tally(), workers=workers)) for workers in (1, 3))
    by_day = [hour for day in job.timeline.days for hour in hours(job, Tally(), days=[day], workers=2)]
    for a, b, c in zip(one, three, by_day, strict=True):
        assert a.values.tobytes() == b.values.tobytes() == c.values.tobytes()
