from __future__ import annotations

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.timeline import TimeKind, parse_time, timeline


def hours(*texts):
    return np.array(texts, "datetime64[h]")


def test_four_analyses_make_ten_hours_on_two_days():
    plan = timeline(hours("2019-12-31T15", "2019-12-31T18", "2019-12-31T21", "2020-01-01T00"), 3)
    assert plan.times.tolist() == np.arange(np.datetime64("2019-12-31T15"), np.datetime64("2020-01-01T01")).tolist()
    assert plan.kinds.tolist() == [0, 1, 1, 0, 1, 1, 0, 1, 1, 0]
    assert [(str(day.date), day.size, day.analyses) for day in plan.days] == [
        ("2019-12-31", 9, (0, 1, 2, 3)),
        ("2020-01-01", 1, (3,)),
    ]


def test_fractions_lie_the_right_way_round():
    step = timeline(hours("2020-01-01T00", "2020-01-01T03"), 3).days[0].steps[0]
    assert step.fractions == pytest.approx((0, 1 / 3, 2 / 3))
    assert [str(time) for time in step.times] == ["2020-01-01T00", "2020-01-01T01", "2020-01-01T02"]


def test_nothing_is_made_across_a_gap():
    plan = timeline(hours("2020-01-01T00", "2020-01-01T03", "2020-01-01T09", "2020-01-01T12"), 3)
    assert [str(time)[-2:] for time in plan.times] == ["00", "01", "02", "03", "09", "10", "11", "12"]
    assert [[str(end) for end in gap] for gap in plan.gaps] == [["2020-01-01T03", "2020-01-01T09"]]


@pytest.mark.parametrize("step", [1, 3, 6, 12, 24])
def test_other_steps(step):
    times = np.datetime64("2020-01-01T00", "h") + np.arange(3) * np.timedelta64(step, "h")
    plan = timeline(times, step)
    assert plan.times.size == 2 * step + 1
    assert (plan.kinds == TimeKind.ANALYSIS).sum() == 3


def test_an_interval_over_midnight_is_cut_into_days():
    plan = timeline(hours("2020-01-01T21", "2020-01-02T03"), 6)
    assert [[str(t)[-5:] for s in day.steps for t in s.times] for day in plan.days] == [
        ["01T21", "01T22", "01T23"],
        ["02T00", "02T01", "02T02", "02T03"],
    ]
    assert plan.days[1].steps[0].fractions == pytest.approx((3 / 6, 4 / 6, 5 / 6))


def test_a_period_within_an_interval_uses_both_ends():
    plan = timeline(
        hours("2020-01-01T00", "2020-01-01T03", "2020-01-01T06"), 3, *hours("2020-01-01T01", "2020-01-01T02")
    )
    assert plan.times.size == 2
    assert plan.days[0].analyses == (0, 1)


def test_bad_periods():
    times = hours("2020-01-01T00", "2020-01-01T03")
    with pytest.raises(InputError, match="--start before --end"):
        timeline(times, 3, *hours("2020-01-02", "2020-01-01"))
    with pytest.raises(InputError, match="2020-01-01T00 to 2020-01-01T03"):
        timeline(times, 3, *hours("2021-01-01", "2021-01-02"))
    with pytest.raises(InputError, match="two at least"):
        timeline(times[:1], 0)


def test_reading_times():
    assert str(parse_time("2020-01-01")) == "2020-01-01T00"
    assert str(parse_time("2020-01-01", end_of_day=True)) == "2020-01-01T23"
    assert str(parse_time("2020-01-01T05", end_of_day=True)) == "2020-01-01T05"
    assert str(parse_time("2020-01-01T02:00+03:00")) == "2019-12-31T23"
    assert str(parse_time("2020-01-01T02:00Z")) == "2020-01-01T02"
    for text in ("yesterday", "2020-13-01", "2020-01-01T02:30"):
        with pytest.raises(InputError, match="time "):
            parse_time(text)
