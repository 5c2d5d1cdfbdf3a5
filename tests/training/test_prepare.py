"""Sets prepared from hourly fields, and read again: both layouts, all ways to make coarse fields."""

import json

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid, Region
from deepcams.spatial.interpolation import CUBIC, interpolate
from deepcams.sphere import from_blocks
from deepcams.training.coarsening import COARSENINGS, bicubic, decimate
from deepcams.training.dataset import Series, Split, open_series, stored_split, whole
from deepcams.training.prepare import Preparation, count_hours, prepare_images, prepare_set
from deepcams.training.series import cut
from deepcams.training.statistics import Statistics

LAND = Grid(52, 3, 0.25, 40, 50)
GLOBE = Grid(90, 0, 3.75, 49, 96)
TIMES = np.datetime64("2021-03-01T00", "h") + np.arange(60)
BOX = Region(50, 6, 46, 10)


def fields(grid, count=60):
    return np.random.default_rng(3).gamma(1.5, 8, (count, *grid.shape)).astype(np.float32)


def preparation(grid=LAND, hours=60, change=lambda values: values, **options):
    values = change(fields(grid, hours))
    series = Series("memory", grid, TIMES[:hours], lambda i: values[i])
    return Preparation(series, files=("somewhere/hourly.nc",), **options)


@pytest.mark.parametrize("grid", [LAND, GLOBE])
@pytest.mark.parametrize("method", list(COARSENINGS))
def test_a_set_gives_back_what_it_was_made_from(tmp_path, grid, method):
    made = preparation(grid, 5, method=method)
    prepare_set(made, tmp_path / "set")
    (found,) = open_series(tmp_path / "set")
    coarse = made.description.coarse
    assert (found.grid, len(found)) == (coarse.refine(3), 5)
    np.testing.assert_array_equal(found.times, TIMES[:5])
    for number in range(5):
        np.testing.assert_array_equal(found.read(number), cut(fields(grid, 5)[number], grid, found.grid))
        wanted = COARSENINGS[method].apply(found.read(number), coarse, 3)
        np.testing.assert_allclose(found.coarse_on(coarse, number), wanted, rtol=1e-6)
    assert (found.given is None) == (method == "area-mean")
    np.testing.assert_allclose(whole(found, 0, Split(), step=3).scene.coarse, found.coarse_on(coarse, 0))


def test_it_is_described_for_people_and_programs(tmp_path):
    split = Split((BOX,), 0.4)
    made = preparation(split=split, change=lambda values: np.where(values > 60, np.nan, values))
    prepare_set(made, tmp_path / "set")
    record = json.loads((tmp_path / "set" / "set.json").read_text())
    assert (record["format"], record["version"], record["factor"], record["step_hours"]) == (
        "deepcams-training-set",
        1,
        3,
        3,
    )
    assert record["coarse"]["method"] == "area-mean"
    assert record["provenance"]["inputs"] == ["hourly.nc"]
    assert "Copernicus" not in record["provenance"]["attribution"]
    assert stored_split(tmp_path / "set") == split
    (series,) = open_series(tmp_path / "set")
    np.testing.assert_array_equal(split.training_numbers(series, 3), made.numbers("training"))
    with xr.open_zarr(tmp_path / "set" / "fields.zarr", decode_times=True) as dataset:
        assert dataset["fine"].dims == ("time", "latitude", "longitude")
        assert dataset["coarse"].dims == ("time", "coarse_latitude", "coarse_longitude")
        assert dataset["fine"].attrs["units"] == dataset["coarse"].attrs["units"] == "ug m-3"
        np.testing.assert_array_equal(dataset["time"].values.astype("datetime64[h]"), TIMES)
    arrays = zarr.open_group(tmp_path / "set" / "fields.zarr", mode="r")
    assert arrays["fine"].chunks == (1, *arrays["fine"].shape[1:])
    text = (tmp_path / "set" / "fields.zarr" / "zarr.json").read_text() + json.dumps(record)
    assert str(tmp_path) not in text


def test_the_statistics_are_those_of_each_part(tmp_path):
    split = Split((BOX,), 0.4)
    made = preparation(split=split, change=lambda values: np.where(values > 60, np.nan, values))
    found = prepare_set(made, tmp_path / "set").statistics
    assert json.loads((tmp_path / "set" / "set.json").read_text())["splits"] == found
    fine, series = made.description.fine, made.series
    for part, numbers, counted in (
        ("training", split.training_numbers(series, 3), split.learned(fine)),
        ("validation", split.validation_numbers(series, 3), split.mask(fine)),
    ):
        values = np.stack([cut(series.read(int(i)), LAND, fine)[counted] for i in numbers]).astype(float)
        known = values[~np.isnan(values)]
        assert (found[part]["hours"], found[part]["known"]) == (numbers.size, known.size)
        assert found[part]["unknown"] == values.size - known.size > 0
        plain, log = found[part]["concentration"], found[part]["log"]
        for one, data in ((plain, known), (log, np.log(known + 0.05))):
            np.testing.assert_allclose([one["mean"], one["standard_deviation"]], [data.mean(), data.std()], rtol=1e-6)
            np.testing.assert_allclose([one["minimum"], one["maximum"]], [data.min(), data.max()], rtol=1e-6)
        for share, value in plain["percentiles"].items():
            assert value == pytest.approx(np.percentile(known, float(share)), rel=0.02, abs=0.01)


def test_statistics_of_nothing_say_so():
    nothing = Statistics()
    nothing.add(np.full(3, np.nan))
    assert nothing.to_json() == {"hours": 1, "known": 0, "unknown": 3}


@pytest.mark.parametrize("method", list(COARSENINGS))
def test_a_region_of_the_globe_is_the_globe_cut_out(method):
    region = Region(40, -30, -20, 45)
    part, all_of_it = preparation(GLOBE, 2, method=method, region=region), preparation(GLOBE, 2, method=method)
    fine, coarse = part.pair(1)
    grid = part.description.coarse
    assert grid.west < 0 < grid.west + grid.step * grid.columns
    np.testing.assert_array_equal(fine, cut(all_of_it.pair(1)[0], all_of_it.description.fine, part.description.fine))
    np.testing.assert_array_equal(coarse, cut(all_of_it.pair(1)[1], all_of_it.description.coarse, grid))


def test_what_the_ways_to_coarse_fields_are():
    fine, grid = fields(LAND.window(range(1, 40), range(2, 50)), 1)[0], Grid(51.5, 3.75, 0.75, 13, 16)
    np.testing.assert_array_equal(decimate(fine, grid, 3), fine[1::3, 1::3])
    globe = Grid(90, 0, 11.25, 17, 32)
    np.testing.assert_array_equal(decimate(fields(GLOBE, 1)[0], globe, 3), fields(GLOBE, 1)[0][::3, ::3])
    for one in COARSENINGS.values():
        np.testing.assert_allclose(one.apply(np.full(GLOBE.shape, 7, np.float32), globe, 3), 7, rtol=1e-6)
    wave = np.broadcast_to(10 + np.cos(np.pi * np.arange(96)), GLOBE.shape).astype(np.float32)
    assert np.ptp(bicubic(wave, globe, 3)) < 0.1 < 1 < np.ptp(decimate(wave, globe, 3))  # antialiased, and not
    hole = fields(GLOBE, 1)[0]
    hole[24, 48] = np.nan
    unknown = np.isnan(bicubic(hole, globe, 3))
    assert unknown[7:10, 15:18].all()
    assert unknown.sum() == 9


def test_the_period_is_cut(tmp_path):
    made = preparation(start=TIMES[5], end=TIMES[9])
    prepare_set(made, tmp_path / "set")
    np.testing.assert_array_equal(open_series(tmp_path / "set")[0].times, TIMES[5:10])


@pytest.mark.parametrize("form", ["png", "mat"])
@pytest.mark.parametrize("grid", [LAND, GLOBE])
def test_the_originals_layout_gives_back_fields_and_places(tmp_path, form, grid):
    made = preparation(grid, 20, split=Split(last=0.3))
    told = []
    summary = prepare_images(made, tmp_path / "set", form=form, progress=told.append)
    assert sum(told) == count_hours(made, "original", form)
    train, test = open_series(tmp_path / "set")
    assert (len(train), len(test), train.factor) == (11, 3, 3)
    tolerance = 0.5 * summary.scale / 65535 * 1.01 if form == "png" else 0
    for series, first in ((train, 0), (test, 17)):
        fine, coarse = made.pair(first)
        shown, description = series.coarse, made.description
        np.testing.assert_allclose(series.coarse_on(shown, 0), cut(coarse, description.coarse, shown), atol=tolerance)
        np.testing.assert_allclose(
            series.fine_on(shown, 0), cut(fine, description.fine, shown.refine(3)), atol=tolerance
        )
    names = sorted(str(path.relative_to(tmp_path / "set")) for path in (tmp_path / "set" / "testset").rglob("*.*"))
    assert names == [f"testset/eval/{kind}/2021-03-01T{hour}.{form}" for kind in ("Bicubic4x", "GT", "LR4x")
                     for hour in (17, 18, 19)]  # fmt: skip


def test_the_bicubic_images_interpolate_the_coarse_ones(tmp_path):
    made = preparation(LAND, 2)
    prepare_images(made, tmp_path / "set", form="mat")
    (series,) = open_series(tmp_path / "set")
    folder = tmp_path / "set" / "trainset" / "train"
    (folder / "GT").rename(folder / "truth")
    (folder / "Bicubic4x").rename(folder / "GT")
    (smooth,) = open_series(tmp_path / "set")
    grid = series.coarse
    wanted = from_blocks(interpolate(series.coarse_on(grid, 1), grid, 3, kernel=CUBIC, conserving=False), grid)
    np.testing.assert_allclose(smooth.fine_on(grid, 1), wanted, rtol=1e-5, atol=1e-5)


def test_held_out_regions_are_unknown_in_the_other_part(tmp_path):
    split = Split((BOX,))
    made = preparation(LAND, 3, split=split)
    prepare_images(made, tmp_path / "set", form="mat")
    train, test = open_series(tmp_path / "set")
    held_out = split.mask(train.grid)
    for number in range(3):
        np.testing.assert_array_equal(np.isnan(train.read(number)), held_out)
        np.testing.assert_array_equal(np.isnan(test.read(number)), ~held_out)
        assert np.isfinite(train.coarse_on(train.coarse, number)).all()
    example = whole(test, 0, split, step=3)
    assert 0 < (example.weights > 0).sum() < held_out.sum()


def test_unknown_values_need_matlab_files(tmp_path):
    def holes(values):
        values[1, 5, 5] = np.nan
        return values

    with pytest.raises(InputError, match="1 unknown values, which a PNG cannot hold: use --format mat"):
        prepare_images(preparation(LAND, 3, change=holes), tmp_path / "set")
    with pytest.raises(InputError, match="use --format mat, or hold out hours"):
        prepare_images(preparation(LAND, 3, split=Split((BOX,))), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []
    prepare_images(preparation(LAND, 3, change=holes), tmp_path / "set", form="mat")
    assert np.isnan(open_series(tmp_path / "set")[0].read(1)).sum() == 1


def test_values_above_the_scale_are_refused_with_the_scale_needed(tmp_path):
    made = preparation(LAND, 2)
    needed = max(made.pair(place)[0].max() for place in range(2))
    with pytest.raises(InputError, match=f"give a scale of {int(np.ceil(needed))} at least") as refused:
        prepare_images(made, tmp_path / "set", scale=20)
    assert "nothing is clipped" in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    assert prepare_images(made, tmp_path / "set").scale == np.ceil(needed)


@pytest.mark.parametrize("layout", ["zarr", "original"])
def test_an_output_is_whole_or_not_there(tmp_path, layout):
    made = preparation(LAND, 4)
    write = prepare_set if layout == "zarr" else prepare_images

    def stop(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(made, tmp_path / "set", progress=stop)
    assert list(tmp_path.iterdir()) == []
    write(made, tmp_path / "set")
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*"))
    with pytest.raises(OutputError, match="exists already; give another name, or --overwrite"):
        write(made, tmp_path / "set")
    assert sorted(path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")) == before
    write(preparation(LAND, 3), tmp_path / "set", overwrite=True)
    assert len(open_series(tmp_path / "set")[0]) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("write", [prepare_set, prepare_images])
def test_what_is_no_set_is_left_as_it_is(tmp_path, write):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="no prepared set; it is left as it is"):
            write(preparation(LAND, 2), tmp_path / "mine", overwrite=overwrite)
        with pytest.raises(OutputError, match="does not exist; make it first"):
            write(preparation(LAND, 2), tmp_path / "none" / "set", overwrite=overwrite)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "nearest"}, "wanted one of area-mean, decimation, bicubic"),
        ({"start": np.datetime64("2030-01-01T00")}, "no hour in the period asked for"),
        ({"region": Region(-10, 3, -20, 5)}, "lies in the region"),
        ({"region": Region(50, 3, 49.5, 5)}, "wanted 2 x 2 at least"),
        ({"hours": 3, "split": Split(last=0.5)}, "all lie within 3 h of the hours held out"),
        ({"grid": Grid(52, 3, 0.25, 4, 50)}, "wanted room for 2 x 2 cells"),
    ],
)
def test_what_cannot_be_prepared_is_refused_at_once(options, message):
    with pytest.raises(InputError, match=message):
        preparation(**options)


def test_images_are_not_prepared_again(tmp_path):
    prepare_images(preparation(LAND, 2), tmp_path / "set")
    with pytest.raises(InputError, match="wanted hourly fields"):
        Preparation(open_series(tmp_path / "set")[0])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "set.json").write_text("{"), "cannot be read"),
        (
            lambda path: (path / "set.json").write_text('{"format": "other", "version": 1}'),
            "format 'other' of version 1",
        ),
        (lambda path: (path / "fields.zarr" / "zarr.json").unlink(), "cannot be read"),
        (
            lambda path: (path / "fields.zarr" / "fine" / "c" / "1" / "0" / "0").unlink(),
            "every value of field 1 is missing",
        ),
        (
            lambda path: (path / "fields.zarr" / "fine" / "c" / "1" / "0" / "0").write_bytes(b"x"),
            "field 1 cannot be read",
        ),
        (
            lambda path: (path / "set.json").write_text(
                (path / "set.json").read_text().replace('"rows": 13', '"rows": 12')
            ),
            "fine and coarse fields of the shapes",
        ),
    ],
)
def test_a_damaged_set_is_refused(tmp_path, spoil, message):
    prepare_set(preparation(LAND, 3), tmp_path / "set")
    spoil(tmp_path / "set")
    with pytest.raises(InputError, match=message):
        open_series(tmp_path / "set")[0].read(1)
