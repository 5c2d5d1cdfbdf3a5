"""Windows drawn for training: pure draws, true changes, weights where something can be learned."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.sphere import row_weights
from deepcams.training.dataset import Series, Split
from deepcams.training.sampler import Augmentation, Change, Sampler
from deepcams.training.series import means

GLOBE = Grid(90, 0, 1, 181, 360)
LAND = Grid(52, 3, 0.25, 60, 80)
TIMES = np.datetime64("2021-03-01T00", "h") + np.arange(10)
PLAIN = Augmentation(flip=False, turn=False, gain=1, alone=0, one_sided=0)


def fields(grid, count=10):
    return np.random.default_rng(5).gamma(1.5, 8, (count, *grid.shape)).astype(np.float32)


def series(grid=GLOBE, values=None, times=TIMES, **options):
    values = fields(grid) if values is None else values
    return Series("memory", grid, times, lambda i: values[i], **options)


def sampler(*several, augmentation=PLAIN, **options):
    return Sampler(several or (series(),), augmentation=augmentation, **{"size": 8, "margin": 2} | options)


def fine_of(example):
    """(rows, columns) the fine field in an example's channels."""
    rows, columns = example.scene.coarse.shape
    return example.target.reshape(3, 3, rows, columns).transpose(2, 0, 3, 1).reshape(3 * rows, 3 * columns)


def equal(one, other):
    arrays = [
        [e.scene.coarse, e.target, e.weights, e.shares, *(n.coarse for n in e.scene.neighbours)] for e in (one, other)
    ]
    return len(arrays[0]) == len(arrays[1]) and all(np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


def test_a_draw_depends_on_seed_step_and_place_alone():
    first = sampler(augmentation=Augmentation(blur=1))
    for number, index in ((0, 0), (3, 7), (1000, 2)):
        again = sampler(augmentation=Augmentation(blur=1))
        again.draw(5, 5)
        assert equal(first.draw(number, index), again.draw(number, index))
    assert not equal(first.draw(0, 0), first.draw(0, 1))
    assert not equal(first.draw(0, 1), first.draw(1, 0))
    assert not equal(first.draw(0, 0), replace(first, seed=1).draw(0, 0))


BLURRING = sampler(augmentation=Augmentation(blur=2))


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 10**6), index=st.integers(0, 64))
def test_the_area_mean_of_the_target_is_the_scene(number, index):
    example = BLURRING.draw(number, index)
    grid = example.scene.grid
    np.testing.assert_allclose(area_mean(fine_of(example).astype(float), grid), example.scene.coarse, rtol=1e-5)
    np.testing.assert_allclose(example.shares, row_weights(grid), rtol=1e-6)
    assert example.scene.coarse.shape == (12, 12)
    assert example.target.dtype == example.weights.dtype == example.shares.dtype == np.float32
    assert example.scene.coarse.dtype == np.float32


def test_weights_are_areas_of_the_inner_cells():
    example = sampler().draw(0, 0)
    inner = example.weights[:, 2:-2, 2:-2]
    assert (inner > 0).all()
    assert (example.weights > 0).sum() == inner.size
    areas = example.scene.grid.refine(3).areas
    np.testing.assert_allclose(inner[0, :, 0] / inner[8, 0, 0], areas[6:-6:3] / areas[8], rtol=1e-5)
    assert inner.mean() == pytest.approx(1, rel=0.02)


def test_all_nine_places_of_cells_on_nodes_come():
    one = sampler()
    grids = [one.draw(0, index).scene.grid for index in range(120)]
    assert len({(round(90 - grid.north) % 3, round(grid.west) % 3) for grid in grids}) == 9
    assert all(abs(grid.latitude).max() <= 88 for grid in grids)


def test_a_draw_across_the_date_line_is_that_of_the_rolled_field():
    values, draws, across = fields(GLOBE), sampler(), 0
    for index in range(40):
        one = draws.draw(2, index)
        shift = round(one.scene.grid.west)
        rolled = np.roll(values, -shift, axis=2)
        row = round(90 - one.scene.grid.north) - 1
        window = [hour[row : row + 36, np.arange(-1, 35)] for hour in rolled]
        assert any(np.array_equal(fine_of(one), hour) for hour in window)
        across += shift + 35 > 360
    assert across > 2


@settings(max_examples=25, deadline=None)
@given(flip=st.booleans(), gain=st.floats(0.3, 3), blur=st.sampled_from([0.0, 0.7, 2.0]), seed=st.integers(0, 99))
def test_gain_and_flip_commute_with_everything(flip, gain, blur, seed):
    random = np.random.default_rng(seed)
    field = random.gamma(1, 9, (12, 15)).astype(np.float32)
    field[random.random(field.shape) < 0.1] = np.nan
    changed = Change(flip, gain, blur).apply(field)
    by_hand = Change(gain=gain).apply(Change(blur=blur).apply(Change(flip=flip).apply(field)))
    np.testing.assert_allclose(changed, by_hand, rtol=1e-4)
    np.testing.assert_array_equal(np.isnan(changed), np.isnan(field[:, ::-1] if flip else field))
    assert np.nanmin(changed) >= 0
    grid = Grid(50, 4, 0.75, 4, 5)
    np.testing.assert_allclose(means(Change(flip, gain).apply(field), grid, 3),
                               Change(flip, gain).apply(means(field, grid, 3)), rtol=1e-5)  # fmt: skip


def test_turning_commutes_with_area_means_on_the_mirrored_grid():
    field = np.random.default_rng(4).gamma(1, 9, (12, 15)).astype(np.float32)
    grid, change = Grid(70, 4, 2.25, 4, 5), Change(turn=True)
    assert change.place(grid).latitude.tolist() == (-grid.latitude[::-1]).tolist()
    turned = means(change.apply(field), change.place(grid), 3)
    np.testing.assert_allclose(turned, change.apply(means(field, grid, 3)), rtol=1e-5)
    assert np.abs(means(change.apply(field), grid, 3) / turned - 1).max() > 1e-3


def test_a_blur_keeps_a_constant_and_the_mean_roughly():
    constant = np.full((20, 20), 7, np.float32)
    constant[3:5, 9] = np.nan
    np.testing.assert_allclose(Change(blur=1.5).apply(constant), constant, rtol=1e-5)
    field = fields(LAND)[0]
    assert Change(blur=1.5).apply(field).std() < 0.5 * field.std()


def test_neighbours_are_changed_like_the_field_itself():
    still = np.repeat(fields(GLOBE, 1), 10, axis=0)
    one = sampler(series(values=still), augmentation=Augmentation(blur=1.5, alone=0, one_sided=0))
    seen = 0
    for index in range(20):
        scene = one.draw(0, index).scene
        seen += len(scene.neighbours)
        for neighbour in scene.neighbours:
            np.testing.assert_array_equal(neighbour.coarse, scene.coarse)
            assert abs(neighbour.hours) == 3
    assert seen > 20


def test_neighbours_are_left_out_as_often_as_asked():
    usual = sampler(augmentation=Augmentation(alone=0.3, one_sided=0.5), step=1)
    counts = [len(usual.draw(0, index).scene.neighbours) for index in range(300)]
    assert counts.count(0) / 300 == pytest.approx(0.3, abs=0.08)
    assert counts.count(2) / 300 == pytest.approx(0.7 * 0.5 * 0.8, abs=0.08)  # two of ten hours have one only
    for alone, one_sided, wanted in ((1, 0, {0}), (0, 1, {1}), (0, 0, {1, 2})):
        draws = sampler(augmentation=Augmentation(alone=alone, one_sided=one_sided), step=1)
        assert {len(draws.draw(0, i).scene.neighbours) for i in range(40)} == wanted


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_nothing_held_out_is_learned_from(flip, turn):
    split = Split((Region(50, 4, 30, 100), Region(10, -60, -80, 5)))
    values = np.broadcast_to(split.mask(GLOBE).astype(np.float32), (10, *GLOBE.shape))
    one = sampler(series(values=values), split=split, augmentation=replace(PLAIN, flip=flip, turn=turn))
    partly = 0
    for index in range(60):
        example = one.draw(0, index)
        assert not example.target[example.weights > 0].any()
        partly += bool(example.target.any())
    assert partly > 5


def test_held_out_hours_are_not_drawn():
    values = np.broadcast_to(np.arange(1, 11, dtype=np.float32)[:, None, None], (10, *GLOBE.shape))
    one = sampler(series(values=values), split=Split(last=0.3), step=2)
    drawn = {float(value) for i in range(60) for value in np.unique(one.draw(0, i).target)}
    assert drawn == {1, 2, 3, 4, 5}


def test_what_is_unknown_has_no_weight_and_enough_is_known():
    values = fields(GLOBE)
    values[:, :, 100:180] = np.nan
    one = sampler(series(values=values))
    partly = 0
    for index in range(150):
        example = one.draw(0, index)
        unknown = (example.target == 0).any(axis=0)
        assert (example.weights[:, unknown] == 0).all()
        assert (example.weights[0] > 0).sum() >= 32
        assert (example.scene.coarse > 0).all()
        partly += bool(unknown.any())
    assert partly > 3


def test_small_regions_are_padded_and_learned_from_inside():
    small = series(Grid(52, 3, 0.25, 26, 40), fields(Grid(52, 3, 0.25, 26, 40)))
    one = sampler(small, size=16, margin=4)
    shapes = set()
    for index in range(30):
        example = one.draw(0, index)
        shapes.add(example.target.shape)
        counted = example.weights[0] > 0
        assert 15 <= counted.sum() <= 8 * 13
        assert np.isfinite(example.scene.coarse).all()
        fine = fine_of(example)[np.repeat(np.repeat(counted, 3, 0), 3, 1)]
        assert (fine > 0).all()
    assert shapes == {(9, 24, 24)}


def test_series_are_drawn_by_weight_whatever_their_step():
    tenth = Grid(54.95, 14.05, 0.1, 61, 115)
    one = sampler(series(LAND), series(tenth, fields(tenth)), series(), weights=(1, 3, 0))
    steps = [one.draw(0, index).scene.grid.step for index in range(200)]
    assert set(steps) == {0.75, 0.3}
    assert steps.count(0.3) / 200 == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize(
    ("grid", "coarse", "nodes"),
    [
        (LAND, Grid(51.5, 3.5, 0.75, 19, 26), lambda hour: hour[2::3, 2::3][:19, :26]),
        (Grid(90, 0, 1.5, 121, 240), Grid(90, 0, 4.5, 41, 80), lambda hour: hour[::3, ::3]),
        (Grid(87, -1.5, 1.5, 117, 240), Grid(85.5, 0, 4.5, 39, 80), lambda hour: hour[1::3, 1::3]),
    ],
)
def test_given_coarse_fields_are_cut_at_whole_cells(grid, coarse, nodes):
    values = fields(grid)
    given = np.stack([nodes(hour) for hour in values])  # the fine values at the coarse nodes
    one = sampler(series(grid, values, given=lambda i: given[i], coarse=coarse),
                  augmentation=Augmentation(blur=2, alone=0, one_sided=0))  # fmt: skip
    for index in range(40):
        example = one.draw(0, index)
        middle, counted = example.target[4], example.weights[4] > 0
        assert counted.sum() >= 32
        np.testing.assert_allclose(example.scene.coarse[counted], middle[counted], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sampler(()), "no series to learn from"),
        (lambda: sampler(weights=(1, 2)), "wanted one for each"),
        (lambda: sampler(weights=(0,)), "nothing to learn from: in 1 series"),
        (lambda: sampler(size=0), "wanted 1 or more"),
        (lambda: sampler(size=60), "do not fit between the poles"),
        (lambda: sampler(series(Grid(52, 3, 0.25, 9, 60))), "wanted 12 nodes on a side"),
        (lambda: sampler(split=Split(last=0.8)), "none of its 10 fields may be learned from"),
        (lambda: sampler(split=Split((Region(90, 0, -90, 360),))).draw(0, 0), "no window of 8 x 8 .* in 300 draws"),
        (lambda: Augmentation(gain=0.5), "wanted gain >= 1"),
        (lambda: Augmentation(alone=2), "probabilities from 0 to 1"),
        (lambda: Augmentation(gain=float("nan")), "wanted gain >= 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
