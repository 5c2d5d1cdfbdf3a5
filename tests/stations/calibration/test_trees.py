"""Texts of trees: those of the library pass, anything else is refused before it could crash there."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.stations.calibration.trees import check_trees, plain_trees

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(500, 17)).astype(np.float32)


def trained(**settings):
    target = FEATURES[:, 0] + 0.1 * GENERATOR.normal(size=500)
    options = {"objective": "regression", "num_leaves": 7, "verbosity": -1, "num_threads": 1} | settings
    return lightgbm.train(options, lightgbm.Dataset(FEATURES, target), 5)


BOOSTER = trained()
TEXT = plain_trees(BOOSTER.model_to_string(), 17)


def test_the_librarys_text_passes_and_gives_the_same():
    check_trees(TEXT, 17)
    assert plain_trees(TEXT, 17) == TEXT
    assert TEXT.count("Tree=") == 5
    assert "num_threads" not in TEXT
    np.testing.assert_array_equal(lightgbm.Booster(model_str=TEXT).predict(FEATURES), BOOSTER.predict(FEATURES))


def test_trees_without_a_split():
    stumps = trained(min_gain_to_split=1e9)
    text = plain_trees(stumps.model_to_string(), 17)
    np.testing.assert_array_equal(lightgbm.Booster(model_str=text).predict(FEATURES), stumps.predict(FEATURES))


@pytest.mark.parametrize(("found", "instead", "why"), [
    ("tree\n", "bush\n", "as they were saved"), ("max_feature_idx=16", "max_feature_idx=20", "not of a regression"),
    ("objective=regression", "objective=gamma", "not of a regression"), ("tree_sizes=", "tree_sizes=9 ", "as they were saved"),
    ("tree_sizes=", "tree_sizes=1", "as they were saved"), ("Tree=1\n", "Tree=7\n", "as they were saved"),
    ("num_class=1\n", "num_class=1\nnum_class=1\n", "as they were saved"), ("Tree=", "Bush=", "damaged|saved"),
    ("num_tree_per_iteration=1", "num_tree_per_iteration=0", "as they were saved"), ("is_linear=0", "is_linear=1", "damaged"),
    ("num_cat=0", "num_cat=1", "damaged"), ("num_leaves=7", "num_leaves=700", "as they were saved"),
])  # fmt: skip
def test_what_is_not_as_it_was_saved(found, instead, why):
    with pytest.raises(InputError, match=why):
        check_trees(TEXT.replace(found, instead, 1), 17)


@pytest.mark.parametrize(
    "key", ["split_feature", "left_child", "right_child", "leaf_value", "threshold", "decision_type"]
)
@pytest.mark.parametrize("number", ["99", "-99", "99999999999999999999", "1e9", "nan", "x", "", "1 1"])
def test_a_tree_that_is_not_right(key, number):
    start = TEXT.index(f"{key}=") + len(key) + 1
    end = min(TEXT.index(" ", start), TEXT.index("\n", start))
    with pytest.raises(InputError, match=r"damaged|as they were saved"):
        check_trees(TEXT[:start] + number + TEXT[end:], 17)


def test_a_circle_is_no_tree():
    line = next(line for line in TEXT.splitlines() if line.startswith("left_child="))
    first = line.removeprefix("left_child=").split()
    with pytest.raises(InputError, match="damaged"):
        check_trees(TEXT.replace(line, "left_child=" + " ".join(["0", *first[1:]]), 1), 17)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_whatever_passes_can_be_used(data):
    place = data.draw(st.integers(0, len(TEXT) - 1))
    length = data.draw(st.integers(0, 3))
    text = TEXT[:place] + data.draw(st.text("0123456789-. =\nabe", max_size=3)) + TEXT[place + length :]
    try:
        check_trees(text, 17)
    except InputError:
        return
    assert lightgbm.Booster(model_str=text).predict(FEATURES).shape == (500,)
