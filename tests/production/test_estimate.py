"""The plan of a run: what there is to do, what is there, and what it would take; nothing is written."""

import re

import pytest

from deepcams.io.locks import Claim
from deepcams.production.estimate import estimate
from deepcams.production.run import Crew, downscale_to


def lines_of(work, path, crew=None):
    return estimate(work, path, keepbits=9, layout="maps", crew=crew or Crew()).lines


@pytest.mark.parametrize("name", ["out.zarr", "out.nc"])
def test_the_plan_says_what_would_be_made(tmp_path, job, name):
    before = sorted(tmp_path.rglob("*"))
    plan = "\n".join(lines_of(job(), tmp_path / name))
    assert "3 days to be made, 38 hours" in plan
    assert re.search(r"space     about [\d.]+ MB; [\d.]+ GB are free there$", plan, re.MULTILINE)
    assert re.search(
        r"time      about \d+ s of one processor \([\d.e-]+ s a map\), \d+ s with \d+$", plan, re.MULTILINE
    )
    assert "gap       nothing between 2019-12-30T15 and 2019-12-31T15 UTC" in plan
    assert sorted(tmp_path.rglob("*")) == [*before, *([tmp_path / "cams.nc"] if not before else [])]


def test_finished_days_are_not_planned_again(tmp_path, job):
    downscale_to(job(), tmp_path / "out.zarr", crew=Crew(claim=Claim(1, 2)))
    plan = "\n".join(lines_of(job(), tmp_path / "out.zarr"))
    assert "2 days to be made, 22 hours" in plan
    assert "kept      1 days that are finished, if their inputs are the same" in plan


def test_a_part_plans_its_days(tmp_path, job):
    assert "items     1 days to be made, 16 hours" in "\n".join(
        lines_of(job(), tmp_path / "out.zarr", Crew(claim=Claim(1, 3)))
    )


def test_the_space_is_about_what_is_taken(tmp_path, job):
    found = estimate(job(), tmp_path / "out.zarr", keepbits=9, layout="maps", crew=Crew())
    downscale_to(job(), tmp_path / "out.zarr")
    taken = sum(one.stat().st_size for one in (tmp_path / "out.zarr" / "pm2p5" / "c").rglob("*") if one.is_file())
    assert found.hours * found.size == pytest.approx(taken, rel=0.3)
