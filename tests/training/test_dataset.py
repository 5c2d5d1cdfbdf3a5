"""Series from every kind of source, what is held out of them, and whole fields to validate with."""

import numpy as np
import pytest
import xarray as xr

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.images import write_mat, write_png16
from deepcams.missing import fill
from deepcams.sample import cams_sample, geos_cf_sample
from deepcams.sphere import row_weights
from deepcams.training.dataset import Series, Split, open_series, stored_split, whole
from deepcams.training.series import cut, remembered

FINE = Grid(52, 3, 0.25, 40, 50)
GLOBE = Grid(90, 0, 3.75, 49, 96)  # as fine nodes of 11.25 degrees: poles, and a wrap
TIMES = np.datetime64("2021-03-01T00", "h") + np.arange(72)


def field(grid, number=0, seed=0):
    random = np.random.default_rng((seed, number))
    return random.gamma(1.5, 8, grid.shape).astype(np.float32)


def series(grid=FINE, times=TIMES, change=lambda values: values, **options):
    return Series("memory", grid, times, lambda i: change(field(grid, i)), **options)


def images(count=5, **options):
    return Series("images", FINE, None, lambda i: field(FINE, i), count=count, **options)


def hourly_file(path, grid=FINE, count=4, name="pm2p5", start="2021-03-01T00", **attributes):
    times = np.datetime64(start, "ns") + np.arange(count) * np.timedelta64(1, "h")
    values = np.stack([field(grid, i) for i in range(count)])
    coordinates = {"time": times, "latitude": grid.latitude, "longitude": grid.longitude}
    array = xr.DataArray(values, coordinates, tuple(coordinates), name, attrs={"units": "ug m-3"} | attributes)
    array.to_netcdf(path)
    return path


def test_neighbours_are_exactly_a_step_away():
    times = np.delete(TIMES[:12], 7)
    one = series(times=times)
    assert one.neighbours(4, 3) == ((1, -3.0),)  # hour 7 is not there
    assert one.neighbours(5, 3) == ((2, -3.0), (7, 3.0))
    assert one.neighbours(0, 3) == ((3, 3.0),)
    assert images().neighbours(2, 3) == ()


@pytest.mark.parametrize("hours", [8, 24, 47, 72, 240])
@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("last", [0.1, 0.3, 0.5])
def test_no_hour_that_training_looks_at_is_looked_at_by_validation(hours, step, last):
    one = series(times=TIMES[0] + np.arange(hours))
    split = Split(last=last)

    def looked_at(numbers):
        return {int(i) for i in numbers} | {other for i in numbers for other, _ in one.neighbours(int(i), step)}

    learned, validated = split.training_numbers(one, step), split.validation_numbers(one, step)
    assert not looked_at(learned) & looked_at(validated)
    if learned.size and validated.size:
        assert learned.max() < validated.min()
        assert validated[0] - learned[-1] == 2 * step + 1


def test_whole_days_are_held_out_where_there_are_days():
    one, split = series(times=TIMES[0] + np.arange(240)), Split(last=0.15)
    first = one.times[split.validation_numbers(one, 3)[0]]
    assert first == np.datetime64("2021-03-09T03")  # from midnight of the second last day, after the gap
    assert split.training_numbers(one, 3)[-1] == 8 * 24 - 4


def test_what_is_held_out_in_place_and_time():
    one, regions = series(), (Region(51, 4, 48, 6),)
    assert Split().training_numbers(one, 3).size == 72
    assert Split().validation_numbers(one, 3).size == 0
    assert Split(regions).training_numbers(one, 3).size == Split(regions).validation_numbers(one, 3).size == 72
    both = Split(regions, 0.4)
    assert both.training_numbers(one, 3).size + both.validation_numbers(one, 3).size + 6 == 72
    np.testing.assert_array_equal(both.validated(FINE, one), both.mask(FINE))
    assert Split(last=0.4).validated(FINE, one).all()
    held_out = images(held_out=True)
    assert Split(regions).training_numbers(held_out, 3).size == 0
    assert Split().validation_numbers(held_out, 3).size == 5
    assert Split(regions).validated(FINE, held_out).all()


@pytest.mark.parametrize("turn", [-360, 0, 360])
def test_the_mask_is_the_nodes_in_the_regions_on_any_meridian(turn):
    grid = Grid(52, 3 + turn, 0.25, 40, 50)
    mask = Split((Region(51, 4, 50, 6), Region(44, -170, 43, 3.5))).mask(grid)
    assert mask.sum() == 5 * 9 + 5 * 3
    assert mask[4:9, 4:13].all()


@pytest.mark.parametrize("last", [-0.1, 1, 2])
def test_shares_outside_their_range_are_refused(last):
    with pytest.raises(InputError, match="wanted 0 or more, and less than 1"):
        Split(last=last)


def test_a_whole_field_is_what_the_grid_and_the_truth_say():
    one = series(GLOBE)
    example = whole(one, 5, Split(), step=3)
    scene, grid = example.scene, example.scene.grid
    assert grid == Grid(90, 0, 11.25, 17, 32)
    np.testing.assert_allclose(scene.coarse, area_mean(field(GLOBE, 5).astype(float), grid), rtol=1e-6)
    assert [neighbour.hours for neighbour in scene.neighbours] == [-3, 3]
    np.testing.assert_allclose(scene.neighbours[0].coarse, area_mean(field(GLOBE, 2).astype(float), grid), rtol=1e-6)
    np.testing.assert_array_equal(example.shares, row_weights(grid).astype(np.float32))
    np.testing.assert_array_equal(example.target[3 * 1 + 1], field(GLOBE, 5)[::3, ::3])  # the middle of each cell
    np.testing.assert_array_equal(example.target[3 * 1 + 0], np.roll(field(GLOBE, 5), 1, axis=1)[::3, ::3])
    np.testing.assert_array_equal(example.target[3 * 0 + 1][1:], field(GLOBE, 5)[2::3, ::3])
    # beyond the poles and on them nothing counts; elsewhere the area does
    assert (example.weights[:6, 0] == 0).all()
    assert (example.weights[3:, -1] == 0).all()
    np.testing.assert_allclose(example.weights[4, 1:-1, 0] / example.weights[4, 8, 0], np.cos(np.deg2rad(grid.latitude))[1:-1],
                               rtol=1e-6)  # fmt: skip
    assert example.weights.mean() == pytest.approx(1, rel=1e-6)


def test_the_shares_give_the_coarse_field_back_from_the_target():
    example = whole(series(), 0, Split(), step=3)
    rows, columns = example.scene.coarse.shape
    blocks = example.target.reshape(3, 3, rows, columns).mean(axis=1)
    mean = (blocks * example.shares.T[:, :, None]).sum(axis=0)
    np.testing.assert_allclose(mean, example.scene.coarse, rtol=1e-5)


def test_validation_counts_the_held_out_part_alone():
    split = Split((Region(50, 5, 46, 9),))
    example = whole(series(), 0, split, step=3)
    grid = example.scene.grid.refine(3)
    counted = example.weights.reshape(3, 3, *example.scene.coarse.shape).transpose(2, 0, 3, 1).reshape(grid.shape) > 0
    np.testing.assert_array_equal(counted, split.mask(grid))


def test_what_is_unknown_is_filled_masked_and_not_judged():
    def holes(values):
        values[15:18, 20:22] = np.nan
        return values

    example = whole(series(change=holes), 0, Split(), step=3)
    grid = example.scene.grid
    truth = cut(holes(field(FINE)), FINE, grid.refine(3))
    unknown = np.isnan(area_mean(truth, grid))
    assert unknown.any()
    np.testing.assert_array_equal(
        example.scene.coarse, fill(area_mean(truth.astype(float), grid).astype(np.float32), grid)[0]
    )
    rows, columns = np.nonzero(unknown)
    near = example.weights[:, rows.min() - 1 : rows.max() + 2, columns.min() - 1 : columns.max() + 2]
    assert (near == 0).all()
    assert (example.weights > 0).sum() == 9 * unknown.size - near.size
    assert np.isfinite(example.target).all()


def test_neighbours_that_know_nothing_are_left_out():
    def read(number):
        return np.full(FINE.shape, np.nan, np.float32) if number == 3 else field(FINE, number)

    one = Series("memory", FINE, TIMES, read)
    assert [neighbour.hours for neighbour in whole(one, 0, Split(), step=3).scene.neighbours] == []
    assert [neighbour.hours for neighbour in whole(one, 6, Split(), step=3).scene.neighbours] == [3]


def test_cutting_wraps_where_the_grid_does_and_knows_nothing_beyond_it():
    values = field(GLOBE)
    across = cut(values, GLOBE, Grid(30, -7.5, 3.75, 5, 6))
    np.testing.assert_array_equal(across, np.roll(values, 2, axis=1)[16:21, :6])
    beyond = cut(field(FINE), FINE, Grid(52.5, 2.5, 0.25, 4, 4))
    np.testing.assert_array_equal(np.isnan(beyond), [[True] * 4] * 2 + [[True, True, False, False]] * 2)


def test_fields_read_last_are_kept_within_the_memory():
    reads = []

    def read(number):
        reads.append(number)
        return field(FINE, number)

    kept = remembered(read, FINE, memory=2 * 4 * FINE.rows * FINE.columns)
    for number in (0, 1, 0, 1, 2, 1, 0):
        np.testing.assert_array_equal(kept(number), field(FINE, number))
    assert reads == [0, 1, 2, 0]
    with pytest.raises(ValueError, match="read-only"):
        kept(0)[0, 0] = 1


def test_hourly_files_make_a_series_for_each_grid(tmp_path):
    first, second = hourly_file(tmp_path / "a.nc"), hourly_file(tmp_path / "b.nc", start="2021-03-01T04")
    tenth = hourly_file(tmp_path / "tenth.nc", Grid(54.95, 14.05, 0.1, 30, 40))
    found = open_series([first, second, tenth])
    assert [(len(one), one.grid.step) for one in found] == [(8, 0.25), (4, 0.1)]
    assert found[0].grid == FINE
    assert found[0].name == "a and 1 more"
    np.testing.assert_array_equal(found[0].read(5), field(FINE, 1))
    np.testing.assert_array_equal(found[0].times, np.datetime64("2021-03-01T00") + np.arange(8))
    assert whole(found[1], 0, Split(), step=3).scene.grid.step == 0.3


def test_the_samples_that_ship_can_be_learned_from():
    geos, cams = open_series([geos_cf_sample(), cams_sample()])
    assert whole(geos, 0, Split(), step=3).scene.grid == Grid(90, 0, 0.75, 241, 480)
    example = whole(cams, 1, Split(), step=3)
    assert example.scene.grid == Grid(90, 0, 2.25, 81, 160)
    assert len(example.scene.neighbours) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: [], "no data given"),
        (lambda folder: folder / "none.nc", "no such file"),
        (lambda folder: folder, "no NetCDF, GRIB or zip file in this folder"),
        (lambda folder: hourly_file(folder / "a.nc", name="ozone"), "no variable 'pm2p5'"),
        (lambda folder: hourly_file(folder / "a.nc", units="ppb"), "not a mass per volume"),
        (lambda folder: hourly_file(folder / "a.nc", Grid(50, 4, 0.25, 1, 1)), "1 x 1 nodes"),
    ],
)
def test_hourly_files_that_cannot_be_used(tmp_path, make, message):
    with pytest.raises(InputError, match=message):
        open_series(make(tmp_path))


def test_a_field_without_any_value_is_refused_when_it_is_read(tmp_path):
    path = hourly_file(tmp_path / "a.nc")
    with xr.open_dataset(path) as dataset:
        empty = dataset.load()
    empty["pm2p5"][1] = np.nan
    empty.to_netcdf(tmp_path / "b.nc")
    (series,) = open_series(tmp_path / "b.nc")
    with pytest.raises(InputError, match="every value of pm2p5 is missing"):
        series.read(1)


LAYOUT = {"trainset/train": ("a", "b", "c"), "testset/eval": ("d",)}


def write_layout(root, form="png", factor=3, scale=200, sidecar=True):
    """The original's folders, as others make them: images without a place."""
    for inside, names in LAYOUT.items():
        for name in names:
            for kind, shape in (("GT", (4 * factor, 5 * factor)), ("LR4x", (4, 5))):
                (root / inside / kind).mkdir(parents=True, exist_ok=True)
                values = np.random.default_rng(ord(name)).random(shape).astype(np.float32) * 150
                path = root / inside / kind / f"{name}.{form}"
                write_png16(path, values, scale) if form == "png" else write_mat(path, values)
    if sidecar:
        (root / "scale.json").write_text('{"scale": 200, "units": "ug m-3"}')
    return root


@pytest.mark.parametrize("form", ["png", "mat"])
@pytest.mark.parametrize("factor", [3, 5])
def test_the_factor_of_the_originals_layout_comes_from_the_shapes(tmp_path, form, factor):
    train, test = open_series(write_layout(tmp_path, form, factor))
    assert (len(train), len(test), train.held_out, test.held_out) == (3, 1, False, True)
    assert train.factor == test.factor == factor
    assert train.times is None
    example = whole(train, 1, Split(), step=3)
    wanted = np.random.default_rng(ord("b")).random((4, 5)).astype(np.float32) * 150
    np.testing.assert_allclose(example.scene.coarse, wanted, atol=0.01)
    assert (example.scene.factor, example.target.shape) == (factor, (factor**2, 4, 5))
    assert (example.weights > 0).all()


def test_one_split_of_the_originals_layout_is_enough(tmp_path):
    write_layout(tmp_path)
    for inside, held_out in (("trainset", False), ("testset", True), ("testset/eval", True), ("trainset/train", False)):
        (found,) = open_series(tmp_path / inside)
        assert found.held_out == held_out


def test_the_scale_of_the_call_comes_before_that_of_the_sidecar(tmp_path):
    write_layout(tmp_path)
    stated, given = open_series(tmp_path)[0], open_series(tmp_path, scale=400)[0]
    np.testing.assert_allclose(given.read(0), 2 * stated.read(0), rtol=1e-6)


def test_images_of_the_whole_globe_lie_on_its_nodes(tmp_path):
    for kind, shape in (("GT", GLOBE.shape), ("LR4x", (17, 32))):
        (tmp_path / kind).mkdir()
        write_mat(tmp_path / kind / "a.mat", np.ones(shape, np.float32))
    (found,) = open_series(tmp_path, units="ug m-3")
    assert (found.grid, found.coarse) == (GLOBE, Grid(90, 0, 11.25, 17, 32))


def spoil(root, what):
    train = root / "trainset" / "train"
    if what == "pair":
        (train / "LR4x" / "b.png").unlink()
    elif what == "kind":
        (train / "LR4x").rename(train / "LR2x")
    elif what == "shape":
        write_png16(train / "GT" / "c.png", np.ones((9, 15), np.float32), 200)
    elif what == "ratio":
        for name in "abc":
            write_png16(train / "GT" / f"{name}.png", np.ones((8, 10), np.float32), 200)
    elif what == "scale":
        (root / "scale.json").unlink()
    elif what == "none":
        for kind in ("GT", "LR4x"):
            for path in (train / kind).iterdir():
                path.unlink()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("pair", r"GT/b\.png: no image of this name in .*LR4x \(1 of 3 lack theirs\)"),
        ("kind", r"LR4x: no such folder; wanted GT and LR4x beside each other"),
        ("shape", r"c\.png: 9 x 15 values, and 12 x 15 in a\.png"),
        ("ratio", r"a\.png: 8 x 10 values, and 4 x 5 in LR4x: wanted an odd number"),
        ("scale", "scale is unknown: give .* with --scale"),
        ("none", "no .png or .mat image"),
    ],
)
def test_pairs_that_do_not_fit_are_named(tmp_path, what, message):
    write_layout(tmp_path)
    spoil(tmp_path, what)
    with pytest.raises(InputError, match=message):
        open_series(tmp_path)


def test_a_path_that_is_no_prepared_set_has_no_split(tmp_path):
    assert stored_split(tmp_path) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"times": None}, "neither times nor a count"),
        ({"count": 3}, "3 fields and 72 times"),
        ({"coarse": FINE}, "go together"),
    ],
)
def test_series_that_contradict_themselves_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Series(**{"name": "memory", "grid": FINE, "times": TIMES, "read": lambda i: field(FINE, i)} | options)
