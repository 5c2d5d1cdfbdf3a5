"""What a scorer keeps: pieces of the Earth, and their sums put together to regions, classes and blocks."""

import numpy as np
import pytest

from deepcams.evaluation.metrics import POINTWISE, Matched, sums
from deepcams.evaluation.scorer import CLASS_EDGES, CLASS_NAMES, EVERYTHING, Part, Places, Scorer
from deepcams.grid import Grid
from deepcams.regions import REGIONS

EARTH = Grid(90, 0, 2.5, 73, 144)
PLACES = Places(EARTH)
DAYS = [np.datetime64("2020-03-08"), np.datetime64("2020-03-09")]


@pytest.fixture(scope="module")
def maps():
    """Two days of two maps each: day, prediction, truth, class and scored cells."""
    generator, found = np.random.default_rng(3), []
    for date in np.repeat(DAYS, 2):
        target = generator.lognormal(2, 1.2, EARTH.shape)
        prediction = target * generator.lognormal(0, 0.3, EARTH.shape)
        found.append((date, prediction, target, np.digitize(target, CLASS_EDGES), generator.random(EARTH.shape) < 0.97))
    return found


@pytest.fixture(scope="module")
def scorer(maps):
    scorer = Scorer(PLACES)
    for one in maps:
        scorer.add(*one)
    return scorer


def directly(maps, wanted):
    """(10,) the sums over the cells that a function of (prediction, truth, class) asks for."""
    total = np.zeros(10)
    for _, prediction, target, classes, scored in maps:
        chosen = scored & wanted(classes)
        total += sums(Matched(prediction[chosen], target[chosen], PLACES.areas[chosen]))
    return total


def test_pieces_are_within_one_block_and_wholly_in_a_region_or_out_of_it():
    pieces = PLACES.pieces
    np.testing.assert_array_equal(pieces.blocks[pieces.labels], PLACES.blocks)
    for name, inside in zip(REGIONS, pieces.regions.T, strict=True):
        np.testing.assert_array_equal(inside[pieces.labels], PLACES.within(REGIONS[name]))


@pytest.mark.parametrize("name", ["europe", "india", "southeast-australia"])
def test_scores_of_a_region_are_those_of_its_cells(scorer, maps, name):
    total = directly(maps, lambda classes: PLACES.within(REGIONS[name]))
    wanted = {score: float(function(total)) for score, function in POINTWISE.items()}
    assert scorer.region_scores()[name] == pytest.approx(wanted)
    blocks = scorer.block_sums(Part("region", name))
    np.testing.assert_allclose(blocks.sum(axis=0), total[:4], rtol=1e-6)


@pytest.mark.parametrize("number", range(len(CLASS_NAMES)))
def test_scores_of_a_class_are_those_of_its_cells(scorer, maps, number):
    total = directly(maps, lambda classes: classes == number)
    wanted = {score: float(function(total)) for score, function in POINTWISE.items()}
    assert scorer.class_scores()[CLASS_NAMES[number]] == pytest.approx(wanted)
    blocks = scorer.block_sums(Part("class", CLASS_NAMES[number]))
    np.testing.assert_allclose(blocks.sum(axis=0), total[:4], rtol=1e-6)


def test_blocks_are_those_of_their_day_and_place(scorer, maps):
    found = scorer.block_sums().reshape(2, -1, 4)
    for day, ours in ((0, maps[:2]), (1, maps[2:])):
        for block in (3, 100, 287):
            np.testing.assert_allclose(
                found[day, block], directly(ours, lambda classes, block=block: PLACES.blocks == block)[:4], rtol=1e-6
            )


def test_classes_make_up_everything_also_block_by_block(scorer):
    classes = sum(scorer.block_sums(Part("class", name)) for name in CLASS_NAMES)
    np.testing.assert_allclose(classes, scorer.block_sums(EVERYTHING), rtol=1e-6)


def test_parts_are_everything_then_regions_then_classes(scorer):
    parts = list(scorer.parts())
    assert parts[0] == EVERYTHING
    assert [part.kind for part in parts[1:]] == ["region"] * len(REGIONS) + ["class"] * len(CLASS_NAMES)
    assert scorer.parts()[EVERYTHING] == pytest.approx(scorer.scores(), nan_ok=True)


def test_a_day_without_maps_has_blocks_without_weight(scorer):
    assert not scorer.block_sums(dates=[np.datetime64("2021-01-01")]).any()
