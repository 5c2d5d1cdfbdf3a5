"""Exams on a small series: perfect and reversed contenders, missing truth, nesting, and the sample that ships."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcams import evaluation
from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.evaluation.gridded import Exam, away_from, count_maps, evaluate
from deepcams.evaluation.scorer import Places
from deepcams.evaluation.truth import Truth, nest
from deepcams.grid import Grid, Region
from deepcams.io.files import find_files
from deepcams.io.geos_cf import open_hourly
from deepcams.methods import Recipe
from deepcams.sample import geos_cf_sample
from deepcams.spatial import SPATIAL, SpatialMethod
from deepcams.sphere import to_blocks
from deepcams.temporal import TEMPORAL, TemporalMethod
from deepcams.weights import CORRECTION_WEIGHTS

QUICK = {"repeats": 20, "workers": 2}


def scores(result, contender, task, kind="all", group="all"):
    (found,) = [row.scores for row in result.rows
                if (row.contender, row.task, row.kind, row.group) == (contender, task, kind, group)]  # fmt: skip
    return found


def oracle(truth):
    """A recipe that knows the truth."""
    fields = [truth.hourly.fields.read(i).values for i in range(truth.hourly.fields.times.size)]

    def nearest(field, of):
        return int(np.argmin([np.abs(one - field).max() for one in of]))

    def sharpen(scene):
        return to_blocks(fields[nearest(scene.coarse, [truth.mean(one) for one in fields])], scene.grid, scene.factor)

    def between(before, after, fractions, setting):
        start = nearest(before, fields)
        return [fields[start + round(3 * fraction)] for fraction in fractions]

    return Recipe("oracle", SpatialMethod("oracle", sharpen, True, 0), TemporalMethod("oracle", between, 0))


def test_a_perfect_contender_has_no_error(series, monkeypatch):
    truth = Truth.of(series())
    monkeypatch.setitem(evaluation.BASELINES, "oracle", oracle(truth))
    result = evaluate(truth, Exam(names=("oracle",), **QUICK))
    for task in ("space", "time", "both"):
        found = scores(result, "oracle", task)
        for name in ("rmse", "mae", "bias", "log_rmse", "p99_error", "top1_bias", "plain_rmse"):
            assert found[name] == pytest.approx(0, abs=1e-6), name
        assert found["r"] == pytest.approx(1)
        assert found["ssim"] == pytest.approx(1)
    assert scores(result, "oracle", "space")["conservation"] < 1e-6
    assert {v.text for v in result.verdicts if v.kind == "all"} == {"better than bicubic+linear by 100.0 to 100.0 %"}
    assert {round(v.difference.value, 6) for v in result.verdicts} == {-1}


def test_reversed_time_is_worse_and_following_the_air_better(series):
    result = evaluate(Truth.of(series()), Exam(against="lcbp+linear", **QUICK))
    for task in ("time", "both"):
        errors = {name: scores(result, name, task)["rmse"] for name in ("bicubic+reversed", "bicubic+linear", "fast")}
        assert errors["fast"] < errors["bicubic+linear"] < errors["bicubic+reversed"]
    same = [scores(result, name, "space")["rmse"] for name in ("bicubic+reversed", "bicubic+linear")]
    assert same[0] == same[1]
    texts = {(one.contender, one.task, one.score): one.text for one in result.verdicts if one.kind == "all"}
    assert texts["fast", "both", "mae"].startswith("better than lcbp+linear by ")
    assert texts["fast", "space", "mae"] == "no better than lcbp+linear"


def test_reversed_weights_at_a_third(fine):
    before, after = np.zeros((2, 2), np.float32), np.full((2, 2), 3, np.float32)
    linear, swapped = (method.between(before, after, [1 / 3, 2 / 3], None)
                       for method in (TEMPORAL["linear"], evaluation.REVERSED))  # fmt: skip
    np.testing.assert_allclose([one[0, 0] for one in linear], [1, 2], rtol=1e-6)
    np.testing.assert_allclose([one[0, 0] for one in swapped], [2, 1], rtol=1e-6)


def test_scores_by_hand_for_nearest_and_linear(series, fine):
    hourly = series()
    truth = Truth.of(hourly)
    values = np.stack([hourly.fields.read(i).values for i in range(7)]).astype(np.float64)
    coarse = area_mean(values, truth.coarse)
    repeated = np.repeat(np.repeat(coarse, 3, 1), 3, 2)
    weights = np.broadcast_to(fine.areas[:, None], fine.shape)
    result = evaluate(truth, Exam(names=("nearest+linear",), against="nearest+linear", **QUICK))

    errors = repeated[[0, 3, 6]] - values[[0, 3, 6]]
    wanted = np.average(errors**2, weights=np.broadcast_to(weights, errors.shape)) ** 0.5
    assert scores(result, "nearest+linear", "space")["rmse"] == pytest.approx(wanted, rel=1e-5)
    blend = np.stack([(2 * repeated[0] + repeated[3]) / 3, (repeated[0] + 2 * repeated[3]) / 3,
                      (2 * repeated[3] + repeated[6]) / 3, (repeated[3] + 2 * repeated[6]) / 3])  # fmt: skip
    errors = np.abs(blend - values[[1, 2, 4, 5]])
    wanted = np.average(errors, weights=np.broadcast_to(weights, errors.shape))
    assert scores(result, "nearest+linear", "both")["mae"] == pytest.approx(wanted, rel=1e-5)
    assert scores(result, "nearest+linear", "both")["plain_mae"] == pytest.approx(errors.mean(), rel=1e-5)
    assert scores(result, "nearest+linear", "space")["minimum"] == pytest.approx(repeated[[0, 3, 6]].min(), rel=1e-6)
    assert result.verdicts == ()


def test_classes_and_regions_add_up(series):
    result = evaluate(Truth.of(series()), Exam(names=("fast",), against="fast", **QUICK))
    groups = {row.group for row in result.rows if row.kind == "class"}
    assert groups == {"0-5", "5-15", "15-35", "35-75", "75-"}
    assert {row.group for row in result.rows if row.kind == "region"} == {"alps", "central-europe"}
    assert (
        scores(result, "fast", "both", "class", "0-5")["mae"] < scores(result, "fast", "both", "class", "35-75")["mae"]
    )


def test_every_region_and_class_in_the_table_has_verdicts(series):
    result = evaluate(Truth.of(series()), Exam(names=("fast",), against="lcbp+linear", **QUICK))
    parts = {(row.task, row.kind, row.group) for row in result.rows}
    for score in ("rmse", "mae"):
        assert {(one.task, one.kind, one.group) for one in result.verdicts if one.score == score} == parts


def test_a_trained_contender_is_named_in_the_notes(monkeypatch):
    trained = Recipe("trained", replace(SPATIAL["lcbp"], weights=Path("weights")), TEMPORAL["linear"])
    monkeypatch.setitem(evaluation.RECIPES, "trained", trained)
    assert trained in evaluation.contenders()
    assert any(note.startswith("trained was trained") for note in evaluation.notes_on([trained]))
    assert evaluation.notes_on([evaluation.RECIPES["fast"]]) == ()


def test_networks_can_be_judged_with_other_weights(tmp_path):
    path = tmp_path / "own.safetensors"
    shutil.copy(CORRECTION_WEIGHTS, path)
    names = ("deepcams", "fast")
    own = {one.name: one.space.weights for one in evaluation.contenders(names, weights=[path])}
    assert own == {"bicubic+linear": None, "deepcams": path, "fast": None}
    with pytest.raises(InputError, match="no contender has one: add --method deepcams"):
        evaluation.contenders(("fast",), weights=[path])
    with pytest.raises(InputError, match="no such file"):
        evaluation.contenders(names, weights=[tmp_path / "other"])


def hole(hour, nonsense=1.0):
    """Take a cell out of the truth at an hour, or at all for ``slice(None)``, and multiply what is near it."""

    def change(values):
        values[hour, 20:45, 20:45] *= nonsense
        values[hour, 30:33, 30:33] = np.nan
        return values

    return change


def test_cells_near_missing_truth_are_not_scored(series):
    exam = Exam(("fast",), "fast", margin=5, **QUICK)
    results = [
        evaluate(Truth.of(series(change)), exam) for change in (hole(1), hole(1, nonsense=3.0), lambda same: same)
    ]
    for task in ("space", "time", "both"):
        with_hole, with_nonsense, whole = (scores(result, "fast", task) for result in results)
        np.testing.assert_array_equal(list(with_hole.values()), list(with_nonsense.values()))
        assert (with_hole["mae"] == whole["mae"]) == (task == "space")  # hour 1 is not given
    with pytest.raises(InputError, match="no cell is left to score"):
        evaluate(Truth.of(series(hole(slice(None)))), Exam(("fast",), "fast", margin=90, **QUICK))


def test_without_a_margin_only_what_is_unknown_is_left_out(series):
    result = evaluate(Truth.of(series(hole(slice(None)))), Exam(("fast",), "fast", margin=0, **QUICK))
    assert np.isfinite(scores(result, "fast", "both")["rmse"])


def test_missing_truth_at_a_given_hour_also_takes_the_hours_made_from_it(series, fine):
    def hole(values):
        values[0, 40, 50] = np.nan
        return values

    truth = Truth.of(series(hole))
    start = truth.hourly.fields.times[0]
    counts = [int(truth.missing(start + hour).sum()) for hour in (0, 1, 2, 3, 4)]
    assert counts[0] == counts[1] == counts[2] > 0 == counts[3] == counts[4]


def test_margin_is_measured_in_degrees_from_nodes():
    grid = Grid(90, 0, 0.25, 721, 1440)
    missing = np.zeros(grid.shape, bool)
    missing[360, 0] = True
    away = away_from(missing, grid, 12.0)
    assert away[360, 48]
    assert away[360, -48]
    assert not away[360, 47]
    assert not away[360, -47]
    assert not away[360 - 47, 47]
    assert (~away).sum() == 95**2
    np.testing.assert_array_equal(away_from(missing, grid, 0), ~missing)


@pytest.mark.parametrize("shift", [(0, 0), (1, 2), (2, 1)])
def test_a_region_is_cut_to_whole_cells(shift):
    earth = Grid(90, 0, 0.25, 721, 1440)
    window = earth.window(range(100 + shift[0], 160), range(200 + shift[1], 290))
    coarse, rows, columns = nest(window)
    assert coarse.refine(3) == window.window(range(*rows.indices(window.rows)), range(*columns.indices(window.columns)))
    assert (90 - coarse.north) % 0.75 == pytest.approx(0)
    assert coarse.west % 0.75 == pytest.approx(0)


def test_globe_and_polar_cap_nest():
    earth = Grid(90, 0, 0.25, 721, 1440)
    assert nest(earth) == (Grid(90, 0, 0.75, 241, 480), slice(0, 721), slice(0, 1440))
    coarse, rows, _ = nest(earth.window(range(0, 30), range(1440)))
    assert (coarse.rows, rows) == (10, slice(0, 29))
    coarse, rows, _ = nest(earth.window(range(700, 721), range(1440)))
    assert coarse.refine(3) == earth.window(range(701, 721), range(1440))
    assert rows == slice(1, 21)
    with pytest.raises(InputError, match="wanted room for 2 x 2 cells"):
        nest(earth.window(range(100, 104), range(20)))


def test_a_series_without_intervals_is_refused(series):
    with pytest.raises(InputError, match="7 hours from 2020-03-08T00 to 2020-03-08T06 UTC: wanted hourly fields"):
        Truth.of(series(), step=12)


def test_unknown_contenders_are_refused(series):
    with pytest.raises(InputError, match=r"'faster' does not exist: wanted one of nearest\+linear, .*, fast"):
        count_maps(Truth.of(series()), Exam(names=("faster",)))


def test_a_region_limits_what_is_scored(series, fine):
    truth, box = Truth.of(series()), Region(50, 5, 45, 10)
    part, whole = (evaluate(truth, Exam(("fast",), "fast", region=one, **QUICK)) for one in (box, None))
    assert scores(part, "fast", "both")["rmse"] != scores(whole, "fast", "both")["rmse"]
    inside = Places(fine).within(box)
    assert inside.sum() == 21 * 21
    assert part.provenance["settings"]["region"] == [50, 5, 45, 10]
    assert part.provenance["attribution"] == "made up"


def test_the_sample_gives_the_numbers_of_the_open_exam():
    truth = Truth.of(open_hourly(find_files(geos_cf_sample())))
    result = evaluate(truth, Exam(names=("fast",), against="fast", repeats=10))
    wanted = {"space": (1.307, 0.249), "time": (1.252, 0.1475), "both": (1.855, 0.307)}
    for task, pair in wanted.items():  # the open exam keeps 0.25 degrees more away on one side of one band
        found = scores(result, "fast", task)
        assert (found["rmse"], found["mae"]) == pytest.approx(pair, rel=3e-3)
    assert {SPATIAL["lcbp"].name} == {one["space"] for one in result.provenance["settings"]["contenders"].values()}
