"""What the figures show: chosen by the truth, cut to whole coarse cells, scored as it is shown."""

import numpy as np
import pytest

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.evaluation.gridded import Exam
from deepcams.evaluation.panels import ours, pictures
from deepcams.evaluation.spotlight import BOX, find_spotlight, most_varied
from deepcams.evaluation.truth import Truth
from deepcams.grid import Grid, Region
from deepcams.methods import DEFAULT

EARTH = Grid(90, 0, 0.75, 241, 480)
QUICK = {"names": ("fast",), "workers": 2}


@pytest.fixture
def truth(series):
    return Truth.of(series())


def test_each_task_has_its_panels_with_the_truth_last(truth):
    found = {one.task: [panel.name for panel in one.panels] for one in pictures(truth, Exam(**QUICK))}
    assert found == {
        "space": ["given, 0.75°", "bicubic", "fast", "truth"],
        "time": ["linear", "fast", "truth"],
        "both": ["linear, bicubic", "fast", "truth"],
    }


def test_what_is_given_is_the_area_mean_of_the_truth(truth):
    space = pictures(truth, Exam(**QUICK))[0]
    given, target = space.panels[0].values, space.panels[-1].values
    coarse = Grid(space.grid.north - 0.25, space.grid.west + 0.25, 0.75, space.grid.rows // 3, space.grid.columns // 3)
    assert space.grid == coarse.refine(3)
    means = area_mean(target.astype(np.float64), coarse, 3)
    np.testing.assert_allclose(given, np.repeat(np.repeat(means, 3, 0), 3, 1), rtol=1e-6)


def test_linear_in_time_lies_between_the_given_fields(truth):
    _, time, both = pictures(truth, Exam(**QUICK))
    start = truth.analyses.times[0] + 3 * ((time.time - truth.analyses.times[0]).astype(int) // 3)
    ends = [truth.mean(truth.known(start + hours)) for hours in (0, 3)]
    box = [np.flatnonzero(np.isin(one, other)) for one, other in
           ((truth.coarse.latitude, time.grid.latitude), (truth.coarse.longitude, time.grid.longitude))]  # fmt: skip
    before, after = (one[np.ix_(*box)] for one in ends)
    np.testing.assert_allclose(time.panels[0].values, (2 * before + after) / 3, rtol=1e-5)
    assert both.time == time.time == start + 1


def test_scores_are_of_what_is_shown(truth):
    for picture in pictures(truth, Exam(**QUICK)):
        target = picture.panels[-1]
        assert target.scores is None
        weights = np.repeat(picture.grid.areas[:, None], picture.grid.columns, axis=1)
        for panel in picture.panels[:-1]:
            error = panel.values.astype(np.float64) - target.values
            assert panel.scores["rmse"] == pytest.approx(np.average(error**2, weights=weights) ** 0.5)
            assert panel.scores["mae"] == pytest.approx(np.average(np.abs(error), weights=weights))


def test_a_region_cuts_the_figures(truth):
    region = Region(50, 6, 45, 12)
    for picture in pictures(truth, Exam(region=region, **QUICK)):
        assert region.south - 0.75 <= picture.grid.south < picture.grid.north <= region.north + 0.75
        assert region.west - 0.75 <= picture.grid.west
        assert picture.grid.columns * picture.grid.step <= region.width + 1.5


def spot(row, column, grid=EARTH):
    """A field that is the same everywhere but near a place."""
    field = np.ones(grid.shape)
    field[row, column % grid.columns] = 50
    return field


@pytest.mark.parametrize("column", [0, 3, 100, 478])
def test_the_box_is_where_the_field_varies_most(column):
    place = most_varied(spot(120, column), np.ones(EARTH.shape, bool), EARTH)
    inside = (EARTH.longitude[column] - place.region.west) % 360
    assert inside < place.region.width <= BOX[1] + EARTH.step
    assert place.region.south < EARTH.latitude[120] < place.region.north
    assert place.region.north - place.region.south <= BOX[0] + EARTH.step


def test_what_is_not_scored_is_not_looked_at():
    field = spot(120, 100) + 2 * (spot(60, 300) - 1)
    counted = np.ones(EARTH.shape, bool)
    counted[50:70, 290:310] = False
    assert most_varied(field, counted, EARTH).region.north < 30
    assert most_varied(field, np.ones(EARTH.shape, bool), EARTH).region.north > 30
    field[50:70, 290:310] = np.nan
    assert most_varied(field, np.ones(EARTH.shape, bool), EARTH).region.north < 30
    assert most_varied(field, np.zeros(EARTH.shape, bool), EARTH) is None


def test_a_small_part_is_shown_whole():
    counted = np.zeros(EARTH.shape, bool)
    counted[100:104, [478, 479, 0, 1]] = True
    place = most_varied(spot(101, 479), counted, EARTH)
    half = 0.375
    assert place.region == Region(90 - 75 + half, -1.5 - half, 90 - 77.25 - half, 0.75 + half)


def test_the_hours_are_those_of_an_interval_in_the_data(truth):
    spotlight = find_spotlight(truth, Exam(**QUICK))
    assert spotlight.start in truth.analyses.times[:-1]
    assert spotlight.middle == spotlight.start + 1


def test_nothing_to_score_is_said(series):
    def hole(values):
        values[:, 40, 40] = np.nan
        return values

    with pytest.raises(InputError, match=r"no figures can be drawn: .* smaller --margin .* leave out --figures"):
        pictures(Truth.of(series(hole)), Exam(margin=90, **QUICK))


def test_an_hour_that_is_not_there_is_named(truth):
    with pytest.raises(InputError, match="no field of 2020-03-09T00:00 UTC"):
        truth.known(np.datetime64("2020-03-09T00"))


def test_ours_is_the_first_recipe_asked_for():
    assert ours(Exam()).name == ours(Exam(("lcbp+linear",))).name == DEFAULT
    assert ours(Exam(("lcbp+linear", "fast", "deepcams"))).name == "fast"
