"""Verdicts by region and class: a weakness that the whole hides is seen."""

import numpy as np
import pytest

from deepcams.evaluation.scorer import CLASS_EDGES, CLASS_NAMES, Places, Scorer
from deepcams.evaluation.verdicts import verdicts_of
from deepcams.grid import Grid
from deepcams.regions import REGIONS

EARTH = Grid(90, 0, 2.5, 73, 144)
PLACES = Places(EARTH)


def judged(factors):
    """Contenders at one task, whose errors are the reference's times a function of (truth, cells of Africa)."""
    generator = np.random.default_rng(7)
    target = generator.lognormal(2, 1.2, EARTH.shape)
    error = generator.exponential(1, EARTH.shape)
    found = {}
    for name, factor in factors.items():
        scorer = Scorer(PLACES)
        prediction = target + error * factor(target, PLACES.within(REGIONS["africa"]))
        scored = np.ones(EARTH.shape, bool)
        scorer.add(np.datetime64("2020-03-08"), prediction, target, np.digitize(target, CLASS_EDGES), scored)
        found[name] = {"space": scorer}
    return found


@pytest.fixture(scope="module")
def verdicts():
    contenders = judged({
        "X": lambda target, africa: 1,
        "weak in Africa": lambda target, africa: np.where(africa, 1.2, 0.5),
        "weak when clean": lambda target, africa: np.where(target < 5, 1.2, 0.5),
        "same": lambda target, africa: 1 + 1e-9,
    })  # fmt: skip
    found = verdicts_of(contenders, "X", repeats=100)
    return {(one.contender, one.kind, one.group, one.score): one for one in found}


@pytest.mark.parametrize("score", ["rmse", "mae"])
def test_a_hidden_weakness_is_told_where_it_is(verdicts, score):
    for contender, kind, group in (("weak in Africa", "region", "africa"), ("weak when clean", "class", "0-5")):
        assert not verdicts[contender, "all", "all", score].difference.worse
        assert verdicts[contender, "all", "all", score].text.startswith("better than X")
        worse = {key[1:3] for key, one in verdicts.items()
                 if (key[0], key[3]) == (contender, score) and one.difference.worse}  # fmt: skip
        assert worse == {(kind, group)}
        assert verdicts[contender, kind, group, score].difference.value == pytest.approx(0.2)


def test_every_part_and_score_has_a_verdict_on_every_contender(verdicts):
    assert len(verdicts) == 3 * 2 * (1 + len(CLASS_NAMES) + len(REGIONS))


def test_a_difference_of_rounding_is_none(verdicts):
    same = [one for key, one in verdicts.items() if key[0] == "same"]
    assert {one.difference.value for one in same} == {0.0}
    assert {one.text for one in same} <= {"no better than X", "not known against X: too few blocks"}


def test_a_region_of_few_blocks_has_no_interval():
    whole = judged({"X": lambda target, africa: 1, "half": lambda target, africa: 0.5})
    found = {one.group: one for one in verdicts_of(whole, "X", repeats=50) if one.score == "mae"}
    assert found["europe"].text == "better than X by 50.0 to 50.0 %"
    few = found["southeast-australia"]  # two blocks have nodes of this grid
    assert few.text == "not known against X: too few blocks"
    assert few.difference.value == pytest.approx(-0.5)
    assert np.isnan([few.difference.low, few.difference.high]).all()


def test_the_reference_alone_has_no_verdict():
    assert verdicts_of(judged({"X": lambda target, africa: 1}), "X", repeats=50) == []
