"""An order says all that a downscaling is, in plain values."""

import dataclasses
import json

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.production.order import Order, job_of


@pytest.fixture
def order(six, six_days):
    return Order((str(six_days),), **six.quick)


def test_it_is_plain_values(order):
    assert Order(**{k: tuple(v) if isinstance(v, list) else v
                    for k, v in json.loads(json.dumps(dataclasses.asdict(order))).items()}) == order  # fmt: skip
    assert hash(order) == hash(dataclasses.replace(order))


def test_it_opens_what_it_names(order):
    job = dataclasses.replace(order, region="53,4,51,6", start="2019-12-30", end="2019-12-31", factor=5).job()
    assert job.recipe.settings["time"] == "linear"
    assert job.factor == 5
    assert job.grid.latitude.max() <= 53
    assert (job.timeline.times[0], job.timeline.times[-1]) == tuple(
        np.array(["2019-12-30T00", "2019-12-31T23"], "datetime64[h]")
    )


def test_the_default_method_is_of_the_variable(six_days):
    assert Order((str(six_days),)).job().recipe.settings["method"] == "deepcams"
    assert Order((str(six_days),), factor=5).job().recipe.settings["method"] == "fast"


WRONG = [({"method": "slow"}, "method 'slow' does not exist"), ({"time": "travel"}, "time 'travel' does not exist")]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_wrong_name_is_said_before_files_are_looked_for(wrong, message):
    with pytest.raises(InputError, match=message):
        Order(("/nowhere/none.nc",), **wrong).job()


def test_a_process_opens_a_job_once(order):
    assert job_of(order) is job_of(dataclasses.replace(order))
    assert job_of(dataclasses.replace(order, factor=5)) is not job_of(order)


def test_a_process_opens_a_job_anew_when_a_file_has_changed(order, six, six_days, damaged, tmp_path):
    """A worker of a cluster outlives a run: once the file is mended, it must read the new one."""
    path = damaged(six_days, 3, tmp_path / "cams.nc")
    order = dataclasses.replace(order, inputs=(str(path),))
    with pytest.raises(InputError, match="cannot be read"):
        job_of(order).analyses.read(3)
    six.write(path)
    assert job_of(order).analyses.read(3).values.shape == (8, 10)
    six.write(tmp_path / "more.nc", 6, 7)
    order = dataclasses.replace(order, inputs=(str(tmp_path),))
    assert job_of(order).analyses.times.size == 56
    six.write(tmp_path / "yet_more.nc", 7, 8)
    assert job_of(order).analyses.times.size == 64
