"""The maps published with the paper: what their names say, where their values lie."""

import json

import h5py
import numpy as np
import pytest
import scipy.io

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid
from deepcams.io.published import (
    DESCRIPTION,
    Description,
    holds_maps,
    open_maps,
    row_latitude,
    write_description,
)
from deepcams.io.results import open_results
from deepcams.timeline import TimeKind

EVERYTHING = (slice(None), slice(None), slice(None))


def ramp(rows=720, columns=1440):
    """(rows, columns) ug m-3: higher to the south and to the east."""
    return (100 + np.arange(rows)[:, None] + np.arange(columns) / 10).astype(np.float32)


@pytest.fixture
def write(tmp_path):
    """Write a map under a name, as MATLAB 5 or 7.3."""

    def write(name="2019/cams/12_31_15.mat", values=None, *, key="data", version=5):
        path = tmp_path / "maps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = ramp() if values is None else values
        if version == 5:
            scipy.io.savemat(path, {key: values}, do_compression=name.endswith("15.mat"))
        else:
            with h5py.File(path, "w", userblock_size=512) as file:
                file[key] = values.T
            with path.open("r+b") as stream:
                stream.write(b"MATLAB 7.3 MAT-file".ljust(128))
        return path

    return write


@pytest.fixture
def describe(tmp_path):
    def describe(**content):
        (tmp_path / "maps").mkdir(exist_ok=True)
        (tmp_path / "maps" / DESCRIPTION).write_text(json.dumps(content))
        return tmp_path / "maps"

    return describe


@pytest.mark.parametrize("version", [5, 7.3])
@pytest.mark.parametrize(
    ("rows", "grid"), [(720, Grid(89.875, 0.125, 0.25, 720, 1440)), (721, Grid(90, 0, 0.25, 721, 1440))]
)
def test_values_are_as_published(write, rows, grid, version):
    maps = open_maps(write(values=ramp(rows), version=version))
    assert maps.grid == grid
    np.testing.assert_array_equal(maps.times, np.array(["2019-12-31T15"], "datetime64[h]"))
    values = maps.load(*EVERYTHING)
    assert (values.dtype, values.shape) == (np.float32, (1, rows, 1440))
    np.testing.assert_allclose(values[0], ramp(rows), rtol=1e-6)
    np.testing.assert_array_equal(maps.load(slice(0, 1), slice(5, 9), slice(3, 4)), values[:, 5:9, 3:4])


def test_rows_and_columns_lie_where_the_derivation_says(write, describe):
    """A field that is its own latitude, computed as the maps were, comes back as latitude on the nodes."""
    folder = describe(placement="nodes")
    for name, rows in (("2019_01_01_00.mat", 720), ("2019_01_01_01.mat", 721)):
        write(name, np.broadcast_to(200 + row_latitude(rows)[:, None], (rows, 1440)))
    maps = open_maps(folder)
    assert maps.grid == Grid(90, 0, 0.25, 721, 1440)
    found = maps.load(*EVERYTHING)
    np.testing.assert_allclose(found, np.broadcast_to(200 + maps.grid.latitude[:, None], found.shape), atol=1e-4)


def test_columns_go_to_their_meridian(write, describe):
    write("2019_01_01_00.mat", np.broadcast_to(100 + np.arange(1440.0), (720, 1440)))
    found = open_maps(describe(placement="nodes")).load(*EVERYTHING)[0, 0]
    np.testing.assert_array_equal(found, np.roll(100 + np.arange(1440), -1))  # column 1 is at 0 E


def test_the_derivation_holds_for_what_the_original_does():
    """Three rows for each row of CAMS, its own in the middle, resized to 720 by torch's bicubic interpolation."""
    torch = pytest.importorskip("torch")
    fine = torch.tensor(90 + 0.25 - 0.25 * np.arange(723)).reshape(1, 1, 723, 1).expand(1, 1, 723, 4)
    for rows in (720, 721):
        resized = torch.nn.functional.interpolate(fine, size=(rows, 4), mode="bicubic")[0, 0, :, 0].numpy()
        np.testing.assert_allclose(resized, row_latitude(rows), atol=0.013)
    off = row_latitude(720) - Grid(89.875, 0.125, 0.25, 720, 1440).latitude
    assert np.abs(off).max() == pytest.approx(0.374, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        ("2019/cams/12_31_15.mat", "2019-12-31T15"),
        ("2019/12_31_24.mat", "2020-01-01T00"),
        ("2003/03/08/01.mat", "2003-03-08T01"),
        ("2010041507.mat", "2010-04-15T07"),
        ("2010-04-15-07_sr.mat", "2010-04-15T07"),
        ("DeepCAMS_2003-2020/2007/0102/03.mat", "2007-01-02T03"),
    ],
)
def test_names_tell_the_hour(write, name, hour):
    np.testing.assert_array_equal(open_maps(write(name)).times, np.array([hour], "datetime64[h]"))


def test_a_description_tells_how_to_read_names(write, describe, tmp_path):
    write("run2/08_03_2019_h05.mat")
    folder = describe(time="MM_DD_YYYY_hHH", hour_shift=-3)
    np.testing.assert_array_equal(open_maps(folder).times, np.array(["2019-08-03T02"], "datetime64[h]"))
    assert open_maps(tmp_path / "maps" / "run2").times.size == 1  # the description lies above


def test_a_folder_is_read_in_the_order_of_time(write, tmp_path):
    for hour in (24, 3, 9):
        write(f"2019/12_31_{hour:02}.mat", ramp() + hour)
    maps = open_maps(tmp_path / "maps")
    assert [str(time) for time in maps.times] == ["2019-12-31T03", "2019-12-31T09", "2020-01-01T00"]
    np.testing.assert_allclose(maps.load(slice(0, 3), slice(0, 1), slice(0, 1)).ravel(), [103, 109, 124])
    assert open_maps(tmp_path / "maps" / "2019" / "12_31_0*.mat").times.size == 2


@pytest.mark.parametrize(("scale", "units"), [(1e-9, None), (1 / 800, "kg m-3")])
def test_units_are_told_by_magnitude_or_by_the_description(write, describe, scale, units):
    write("2019/12_31_15.mat", ramp() * scale)
    folder = describe(units=units)
    np.testing.assert_allclose(open_maps(folder).load(*EVERYTHING)[0], ramp() * scale * 1e9, rtol=1e-6)


def test_a_magnitude_that_tells_no_unit_is_refused(write):
    with pytest.raises(
        InputError, match=r"largest value of 0\.3.*neither ug m-3 nor kg m-3.*\"units\" in published.json"
    ):
        open_maps(write(values=ramp() / 3000)).load(*EVERYTHING)


def test_other_layouts_can_be_told(write, describe):
    write("2019/12_31_15.mat", np.roll(ramp(), 720, axis=1)[::-1])
    values = open_maps(describe(west=-180, south_first=True)).load(*EVERYTHING)[0]
    np.testing.assert_allclose(values, ramp(), rtol=1e-6)


def test_missing_values_stay_missing_and_negative_ones_negative(write):
    values = ramp()
    values[3, 4], values[5, 6] = np.nan, -0.5
    found = open_maps(write(values=values)).load(*EVERYTHING)[0]
    assert np.isnan(found[3, 4])
    assert found[5, 6] == -0.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("03/08/01.mat", r"does not tell the hour: wanted year, month, day and hour .*\"time\""),
        ("2019/13_31_15.mat", r"tells no hour there is \(2019-13-31, 15\)"),
        ("2019/12_31_25.mat", r"tells no hour there is"),
    ],
)
def test_names_that_tell_no_hour_are_refused(write, name, message):
    with pytest.raises(InputError, match=message):
        open_maps(write(name))


def test_two_maps_of_one_hour_are_refused(write, tmp_path):
    write("2019/12_31_24.mat"), write("2020/01_01_00.mat")
    with pytest.raises(InputError, match=r"both of 2020-01-01T00:00 UTC by their names"):
        open_maps(tmp_path / "maps")


def test_maps_of_another_size_are_refused(write, tmp_path):
    with pytest.raises(InputError, match=r"241 x 480 numbers: wanted 720 x 1440 or 721 x 1440"):
        open_maps(write("2019/01_01_00.mat", ramp(241, 480)))
    write("2020/01_01_00.mat"), write("2020/01_01_01.mat", ramp(721))
    with pytest.raises(InputError, match=r"721 rows.*another number"):
        open_maps(tmp_path / "maps" / "2020").load(*EVERYTHING)


def test_damage_is_told(write):
    path = write()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"12_31_15.mat: .*cannot? ?(be)?|neither"):
        open_maps(path)
    with pytest.raises(InputError, match="no variable 'data'"):
        open_maps(write(key="pm25"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"tme": "x"}, "unknown tme"),
        ({"placement": "somewhere"}, "placement 'somewhere': wanted cells or nodes"),
        ({"time": "MM_DD_HH"}, "wanted YYYY, MM, DD and HH once each"),
        ({"west": 90}, "west 90: wanted 0 or -180"),
        ({"units": "ppb"}, "not a mass per volume"),
    ],
)
def test_a_description_that_cannot_be_is_refused(write, describe, content, message):
    write("2019/12_31_15.mat")
    with pytest.raises(InputError, match=f"{DESCRIPTION}: .*{message}"):
        open_maps(describe(**content))


def test_a_description_is_written_and_never_replaced(write, tmp_path):
    write("2019/12_31_15.mat")
    path = tmp_path / "maps" / "nodes.json"
    write_description(path, Description(placement="nodes"), "what it is")
    assert open_maps(path).grid.rows == 721
    assert open_maps(path.parent).grid.rows == 720
    before = path.read_bytes()
    with pytest.raises(OutputError, match="appeared"):
        write_description(path, Description(), "another")
    assert path.read_bytes() == before


def test_what_holds_maps(write, tmp_path):
    path = write()
    assert all(holds_maps(one) for one in (path, path.parent, tmp_path / "maps", tmp_path / "maps" / "*.mat"))
    (tmp_path / "maps" / "other.nc").write_bytes(b"CDF\x01")
    assert not holds_maps(tmp_path / "maps")  # its NetCDF files are meant
    (tmp_path / "maps" / DESCRIPTION).write_text("{}")
    assert holds_maps(tmp_path / "maps")
    assert not holds_maps(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert not holds_maps(tmp_path / "empty")
    with pytest.raises(InputError, match=r"no \.mat file in it"):
        open_maps(tmp_path / "empty")


def test_hourly_maps_are_results_like_others(tmp_path):
    maps = tmp_path / "maps"
    (maps / "2019").mkdir(parents=True)
    for hour in (15, 18):
        scipy.io.savemat(maps / "2019" / f"12_31_{hour}.mat", {"data": np.full((720, 1440), 5.0 + hour, np.float32)})
    (maps / "nodes.json").write_text(json.dumps({"placement": "nodes"}))
    published, placed = open_results(maps), open_results(str(maps / "nodes.json"))
    assert (published.grid.rows, placed.grid.rows, published.species.unit) == (720, 721, "ug m-3")
    np.testing.assert_array_equal(published.kinds == TimeKind.MISSING, [False, True, True, False])
    np.testing.assert_array_equal(placed.read(slice(0, 4))[:, 300, 700], [20, np.nan, np.nan, 23])
    assert "up to 0.37 degrees off" in published.attributes["title"]
    assert open_results([maps / "2019" / "12_31_15.mat"]).times.size == 1
