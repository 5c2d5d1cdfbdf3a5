"""The limits that are told are those of the documentation, and none is forgotten."""

import re
from pathlib import Path

import pytest

from deepcams.evidence.limits import ELSEWHERE, LIMITS, THIN, limits_of
from deepcams.evidence.runs import open_run
from deepcams.evidence.scores import read_evaluation

DOCS = Path(__file__).parents[2] / "docs" / "limits.md"


def test_every_headline_of_the_page_is_told_or_left_out_on_purpose():
    headlines = re.findall(r"^\*\*(.+?)\*\*", DOCS.read_text().replace("\n", " \n"), re.MULTILINE)
    assert len(headlines) > 10
    assert set(headlines) == {one.headline for one in LIMITS} | {THIN[0], *ELSEWHERE}


@pytest.fixture
def told(folder):
    run = open_run([folder / "run" / "hourly.zarr"], "hourly.zarr")
    return dict(limits_of([run], [read_evaluation(folder / "run" / "scores" / "evaluate.json")]))


def test_those_of_the_method_and_of_the_evaluation_are_told(told):
    assert "Detail is estimated, not observed." in told
    assert "Sharp edges have pale rims." in told
    assert "Evaluation is thin" in told


def test_those_of_other_methods_are_not(told):
    assert not [headline for headline in told if "network" in headline or "paper" in headline]
    assert "Near the poles" not in told
    assert "Other species depend on their first analysis." not in told


def test_nothing_is_told_of_nothing():
    assert limits_of([], []) == []
