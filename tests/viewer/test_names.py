"""Which place a request means: nothing outside the folder, however it is spelled."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.viewer.content import of_file
from deepcams.viewer.names import file_in, key_of
from deepcams.viewer.ranges import RangeRefused, part_of

PART = st.text(st.characters(whitelist_categories=["L", "Nd"]), min_size=1, max_size=8)


@given(st.lists(PART, min_size=1, max_size=4))
def test_plain_paths_are_their_own_keys(parts):
    key = "/".join(parts)
    assert key_of(quote(f"/{key}")) == key
    assert key_of(f"{quote(f'/{key}')}?some=query") == key


@pytest.mark.parametrize(
    "target",
    [
        "", "*", "store", "http://elsewhere/zarr.json", "//elsewhere/zarr.json", "/a//b", "/a/", "/..", "/../secret",
        "/a/../../secret", "/%2e%2e/secret", "/a/%2E%2E/%2e%2e/secret", "/..%2fsecret", "/%2f%2fsecret",
        "/%252e%252e/secret", "/%25252e", "/a%5c..%5csecret", "/a\\..\\secret", "/.", "/.hidden", "/a/.b/c", "/a%00b",
        "/a%0d%0ab", "/%ff%fe", "/c:/windows", "/%c0%ae%c0%ae/secret",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused(target):
    assert key_of(target) is None


@given(st.text(max_size=40))
def test_whatever_comes_a_key_stays_inside(text):
    key = key_of("/" + text)
    if key:
        assert not any(part.startswith(".") or not part for part in key.split("/"))
        assert not key.startswith("/")
        assert "%" not in key


def test_files_are_found_and_links_out_are_not(tmp_path):
    folder = tmp_path / "store"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "file").write_text("x")
    (tmp_path / "secret").write_text("secret")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to(tmp_path)
    (folder / "near").symlink_to(folder / "inside" / "file")
    (folder / "circle").symlink_to(folder / "circle")
    assert file_in(folder, "inside/file") == folder / "inside" / "file"
    assert file_in(folder, "near") == folder / "inside" / "file"
    os.mkfifo(folder / "pipe")
    for key in ("circle", "inside", "nothing", "inside/file/x", "pipe", "x" * 5000):
        assert file_in(folder, key) is None
    for key in ("out", "up/secret"):
        with pytest.raises(PermissionError, match="leads out"):
            file_in(folder, key)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        file_in(folder, "nothing")


def test_what_changes_between_look_and_opening_gives_nothing_away(tmp_path):
    folder = tmp_path / "store"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "file").write_text("x")
    (tmp_path / "file").write_text("secret")
    file = file_in(folder, "inside/file")
    with of_file(file, folder).stream as stream:
        assert stream.read() == b"x"
    file.unlink()
    assert of_file(file, folder) is None
    os.mkfifo(file)  # would wait for a writer
    assert of_file(file, folder) is None
    file.unlink()
    file.symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic links"):
        of_file(file, folder)
    (folder / "inside").rename(folder / "other")
    (folder / "inside").symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        of_file(file, folder)


@given(st.integers(1, 1000), st.integers(0, 999), st.integers(0, 2000))
def test_ranges_are_parts(size, first, last):
    data = range(size)
    if first < size and first <= last:
        assert part_of(f"bytes={first}-{last}", size) == data[first : last + 1]
        assert part_of(f"bytes={first}-", size) == data[first:]
    else:
        with pytest.raises(RangeRefused):
            part_of(f"bytes={first}-{last}", size)
    if last:
        assert part_of(f"bytes=-{last}", size) == data[-last:]


def test_other_units_are_not_parts():
    assert part_of(None, 10) is None
    assert part_of("items=0-3", 10) is None


@pytest.mark.parametrize(
    "header",
    ["bytes=", "bytes=-", "bytes=-0", "bytes=a-b", "bytes=0-1,2-3", "bytes=5-2", "bytes=10-", "bytes=99999999999999999999-",
     "bytes=--5", "bytes=1", "bytes=" + ",".join(["0-0"] * 1000)],
)  # fmt: skip
def test_ranges_that_are_none_are_refused(header):
    with pytest.raises(RangeRefused):
        part_of(header, 10)
