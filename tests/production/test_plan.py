"""Which days are made, from what, and when one is made again."""

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.production import plan
from deepcams.production.order import Order
from deepcams.production.run import Crew, downscale_to
from deepcams.production.work import Made
from deepcams.provenance import digest_of

DAY = np.timedelta64(1, "D")


def dates(*numbers):
    return [np.datetime64("2019-12-29") + number for number in numbers]


@pytest.fixture
def job(six, six_days):
    return lambda **options: Order((str(six_days),), **six.quick | options).job()


def test_the_hours_of_each_day_are_planned(job):
    template = plan.template_of(job(start="2019-12-29T05", end="2019-12-31T02"), 9)
    assert template.first == np.datetime64("2019-12-29")
    assert template.planned.tolist() == [2**24 - 2**5, 2**24 - 1, 0b111]


def test_a_day_without_data_is_not_planned(job, six, tmp_path):
    parts = [six.write(tmp_path / "a.nc", 0, 1), six.write(tmp_path / "c.nc", 2, 3)]
    template = plan.template_of(Order(tuple(map(str, parts)), **six.quick).job(), 9)
    assert template.planned.tolist() == [2**22 - 1, 0, 2**22 - 1]


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 6, 40, 365])
def test_batches_hold_each_day_once_in_order_and_are_enough_to_share_out(workers, count):
    days = dates(*range(count))
    batches = plan.batches(reversed(days), workers)
    assert [date for batch in batches for date in batch] == days
    assert len(batches) >= min(count, 3 * workers)
    assert all(1 <= len(batch) <= 16 for batch in batches)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 40])
def test_parts_hold_each_day_once(job, parts):
    days = job().timeline.days
    split = [plan.part_of(days, part, parts) for part in range(1, parts + 1)]
    assert [day for part in split for day in part] == list(days)
    assert max(map(len, split)) - min(map(len, split)) <= 1


def test_the_ends_and_neighbours_of_all_steps_are_the_sources(job):
    quick, learned = job(), job(method="deepcams", time=None)
    for one, first, last in ((quick, 0, 24), (learned, -3, 27)):
        found = plan.sources(one, one.timeline.days[2], str)
        assert sorted(found) == list(range(first, last + 1, 3))
        assert found[0] == "16"


WAYS = [
    {"method": "deepcams", "time": None},
    {"method": "deepcams", "time": None, "order": "time-first"},
    {"space": "bicubic", "time": "network"},
    {"space": "network", "time": "linear"},
    {"time": "flow"},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_a_day_is_made_from_is_what_was_read(six, tmp_path, way):
    """Each day is made by itself, so that nothing was read for another one; the last one is a single hour."""
    path = six.write(tmp_path / "cams.nc", 0, 3)
    options = six.quick | way | {"end": "2019-12-31T00"}
    for number in range(3):
        job = Order((str(path),), **options).job()
        out, read = tmp_path / f"{number}.zarr", []
        job = reading(job, read)
        day = job.timeline.days[number]
        store = downscale_one(job, day, out)
        wanted = {int((job.analyses.times[one] - day.date).astype(int)) for one in set(read)}
        assert set(store.finished(day.date).analyses) == wanted


def reading(job, read):
    """The job, with the numbers of analyses that are read noted."""
    from dataclasses import replace

    load = job.analyses.load
    return replace(job, analyses=replace(job.analyses, load=lambda number: read.append(number) or load(number)))


def downscale_one(job, day, out):
    from deepcams.io.store import attach
    from deepcams.production.work import make

    template = plan.template_of(job, 9)
    template.write(out)
    store, made = attach(out, template), Made()
    make(job, store, [day], made, 1)
    assert not made.failures
    return store


@pytest.fixture
def store(tmp_path, six, job):
    """A complete store of all days but the last."""
    from deepcams.io.store import attach

    out, whole = tmp_path / "out.zarr", job(end="2020-01-02")
    downscale_to(whole, out)
    return attach(out, plan.template_of(whole, 9))


def test_a_survey_tells_what_is_missing_from_what_is_kept(job, store):
    now = job()
    found = plan.survey(now, store, now.timeline.days)
    assert found.missing == dates(5)
    assert found.kept == dates(0, 1, 2, 3, 4)
    assert plan.outdated(now, store) == []


def test_a_day_that_has_more_hours_now_is_made_again(job, store, tmp_path):
    out = tmp_path / "short.zarr"
    downscale_to(job(end="2019-12-30T19"), out)
    from deepcams.io.store import attach

    now = job(end="2019-12-30T20")
    found = plan.survey(now, attach(out, plan.template_of(now, 9)), now.timeline.days)
    assert (found.missing, found.kept) == (dates(1), dates(0))


def test_a_day_of_which_more_is_known_now_is_made_again(six, job, tmp_path):
    from deepcams.io.store import attach

    out, short = tmp_path / "out.zarr", six.write(tmp_path / "short" / "cams.nc", 0, 2)
    downscale_to(Order((str(short),), **six.quick), out)
    now = job()
    store = attach(out, plan.template_of(now, 9))
    assert plan.survey(now, store, now.timeline.days[:2]).missing == dates(1)
    assert plan.outdated(now, store) == dates(1)


def test_a_day_that_cannot_be_compared_is_neither_kept_nor_made(six, store, six_days, damaged, tmp_path):
    now = Order((str(damaged(six_days, 9, tmp_path / "bad" / "cams.nc")),), **six.quick).job()
    found = plan.survey(now, store, now.timeline.days[:5])
    assert found.missing == []
    assert found.kept == dates(0, 2, 3, 4)
    assert list(found.failures) == dates(1)
    assert "cannot be compared" in found.failures[dates(1)[0]]


def test_analyses_too_far_apart_for_a_store(six, tmp_path):
    import xarray as xr

    with xr.open_dataset(six.write(tmp_path / "cams.nc", 0, 20)) as many:
        many.isel(valid_time=slice(None, None, 12)).to_netcdf(tmp_path / "far.nc")
    with pytest.raises(InputError, match="analyses 36 hours apart: wanted at most 24 for a store"):
        plan.template_of(Order((str(tmp_path / "far.nc"),), **six.quick).job(), 9)


def test_the_claim_of_a_crew_is_about_days(job):
    from deepcams.io.locks import Claim

    hours = [Crew(claim=Claim(part, 4)).hours_of(job()) for part in range(1, 5)]
    assert sum(hours) == Crew().hours_of(job()) == job().timeline.times.size


def test_one_digest_for_all_analyses_is_that_of_the_whole_period(job):
    numbers = sorted({number for day in job().timeline.days for number in job().inputs(day)})
    assert digest_of(map(str, numbers)) == digest_of(str(number) for number in range(48))
