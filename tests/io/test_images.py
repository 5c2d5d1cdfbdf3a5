"""Images of concentrations: PNG of 8 and 16 bits with a scale, MATLAB files with units, and what is refused."""

import json

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid
from deepcams.io.images import find_sidecar, image_shape, read_image, write_mat, write_png16, write_sidecar

FIELD = np.linspace(0, 90, 24, dtype=np.float32).reshape(4, 6)
GRID = Grid(50, 4, 0.25, 4, 6)


def png(path, levels):
    done, content = cv2.imencode(".png", levels)
    assert done
    path.write_bytes(content.tobytes())
    return path


@settings(max_examples=25, deadline=None)
@given(top=st.floats(0.01, 3000), spare=st.floats(1, 5), seed=st.integers(0, 99))
def test_a_png_keeps_values_to_half_a_level(tmp_path_factory, top, spare, seed):
    path = tmp_path_factory.mktemp("png") / "one.png"
    field = (np.random.default_rng(seed).random((5, 7)) * top).astype(np.float32)
    scale = float(field.max()) * spare
    write_png16(path, field, scale)
    np.testing.assert_allclose(read_image(path, scale), field, atol=0.501 * scale / 65535, rtol=1e-6)
    assert image_shape(path) == (5, 7)


def test_eight_bits_and_three_equal_channels_are_read(tmp_path):
    levels = np.array([[0, 51], [102, 255]], np.uint8)
    grey, colour = png(tmp_path / "a.png", levels), png(tmp_path / "b.png", np.stack([levels] * 3, axis=-1))
    for path in (grey, colour):
        np.testing.assert_allclose(read_image(path, 500), [[0, 100], [200, 500]], rtol=1e-6)


def test_a_matlab_file_keeps_values_and_holes(tmp_path):
    field = FIELD.copy()
    field[1, 2] = np.nan
    write_mat(tmp_path / "one.mat", field)
    np.testing.assert_array_equal(read_image(tmp_path / "one.mat", None, unit=1), field)
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "one.mat")["data"], field)
    np.testing.assert_allclose(read_image(tmp_path / "one.mat", None, unit=1e3), 1e3 * field)
    assert image_shape(tmp_path / "one.mat") == (4, 6)


def test_the_same_field_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_mat(tmp_path / f"{name}.mat", FIELD)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    assert b"written by deepcams" in (tmp_path / "a.mat").read_bytes()[:116]


def test_version_7_3_is_read_with_rows_first(tmp_path):
    with h5py.File(tmp_path / "one.mat", "w", userblock_size=512) as file:
        file["data"] = FIELD.T
    with (tmp_path / "one.mat").open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(128))
    np.testing.assert_array_equal(read_image(tmp_path / "one.mat", None, unit=1), FIELD)


def test_the_sidecar_of_a_folder_above_counts(tmp_path):
    folder = tmp_path / "trainset" / "train" / "GT"
    folder.mkdir(parents=True)
    assert find_sidecar(folder).scale is None
    write_sidecar(tmp_path, 900, GRID, {"made": "here"})
    assert find_sidecar(folder).scale == 900
    assert find_sidecar(folder).place == (50, 4, 0.25)
    (folder / "scale.json").write_text(json.dumps({"scale": 2e-6, "units": "kg m-3"}))
    nearer = find_sidecar(folder)
    assert (nearer.scale, nearer.unit, nearer.place) == (pytest.approx(2000), 1e9, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"scale": "much"}', '{"scale": -1}', '{"scale": 5, "units": "ppb"}',
                                  '{"grid": {"north": 5}}'])  # fmt: skip
def test_a_damaged_sidecar_is_refused(tmp_path, text):
    (tmp_path / "scale.json").write_text(text)
    with pytest.raises(InputError, match=r"scale\.json|not a mass per volume"):
        find_sidecar(tmp_path)


@pytest.mark.parametrize(
    ("change", "scale", "message"),
    [
        (lambda field: field, 50, "a scale of 90 at least"),
        (lambda field: field - 1, 100, "values from -1 to 89"),
        (lambda field: np.where(field > 80, np.nan, field), 100, "3 unknown values, which a PNG cannot hold"),
    ],
)
def test_what_a_png_cannot_hold_is_refused_not_clipped(tmp_path, change, scale, message):
    with pytest.raises(InputError, match=message):
        write_png16(tmp_path / "one.png", change(FIELD).astype(np.float32), scale)
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_is_left(tmp_path):
    (tmp_path / "one.mat").mkdir()
    with pytest.raises(OutputError):
        write_mat(tmp_path / "one.mat", FIELD)
    assert [path.name for path in tmp_path.iterdir()] == ["one.mat"]


def cases(folder):
    """Bad images: path, scale, unit, message."""
    good = png(folder / "good.png", np.ones((3, 3), np.uint16))
    write_mat(folder / "good.mat", FIELD)
    cut = folder / "cut.png"
    cut.write_bytes(good.read_bytes()[:40])
    short = folder / "short.mat"
    short.write_bytes((folder / "good.mat").read_bytes()[:150])
    text = folder / "text.mat"
    text.write_bytes(b"not an image")
    hdf = folder / "hdf.mat"
    hdf.write_bytes(b"MATLAB 7.3 MAT-file".ljust(600))
    yield good, None, None, "its scale is unknown: give .* with --scale"
    yield folder / "good.mat", None, None, "its units are unknown: give them with --units"
    yield cut, 1, None, "damaged PNG"
    yield short, None, 1, "that can be read"
    yield text, None, 1, "neither a PNG nor a MATLAB file"
    yield hdf, None, 1, "neither a PNG nor a MATLAB file"
    yield folder / "none.png", 1, 1, "No such file"
    yield png(folder / "colour.png", np.arange(27, dtype=np.uint8).reshape(3, 3, 3)), 1, None, "one grey channel"
    for name, data, message in (
        ("deep", np.ones((2, 2, 2)), "wanted numbers in two dimensions"),
        ("cell", np.array([[1, "a"]], object), "wanted numbers in two dimensions"),
        ("nan", np.full((2, 2), np.nan), "every value is missing"),
        ("infinite", np.array([[1, np.inf]]), "wanted finite ones"),
        ("negative", np.array([[1, -3.0]]), "values from -3 to 1"),
    ):
        scipy.io.savemat(folder / f"{name}.mat", {"data": data})
        yield folder / f"{name}.mat", None, 1, message
    scipy.io.savemat(folder / "other.mat", {"values": FIELD})
    yield folder / "other.mat", None, 1, "no variable 'data'"


def test_bad_images_are_refused_with_their_name(tmp_path):
    for path, scale, unit, message in cases(tmp_path):
        with pytest.raises(InputError, match=f"{path.name}: .*{message}"):
            read_image(path, scale, unit=unit)


def test_objects_in_version_7_3_are_never_read(tmp_path):
    with h5py.File(tmp_path / "one.mat", "w", userblock_size=512) as file:
        file.create_dataset("data", data=[["a", "b"]], dtype=h5py.string_dtype())
    with (tmp_path / "one.mat").open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(128))
    with pytest.raises(InputError, match="wanted numbers in two dimensions"):
        read_image(tmp_path / "one.mat", None, unit=1)
