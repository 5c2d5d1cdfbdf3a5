"""Outputs are checked before the work, have their name only when they are whole, and say what went wrong."""

import errno
import os
import shutil
from collections import namedtuple

import pytest

from deepcams.errors import InputError, OutputError
from deepcams.io.output import check_output, check_space, partial, writing

SUFFIXES = (".nc", ".zarr")
Usage = namedtuple("Usage", "total used free")


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["out.nc", "out.zarr", "OUT.NC", "with space.2019.nc"])
def test_a_new_output_is_accepted(tmp_path, name):
    check_output(tmp_path / name, SUFFIXES, overwrite=False)


@pytest.mark.parametrize("name", ["out", "out.tif", "out.nc4", "out.zip"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match=r"unknown suffix .*wanted \.nc or \.zarr"):
        check_output(tmp_path / name, SUFFIXES, overwrite=False)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"folder \S*none does not exist; make it first"):
        check_output(tmp_path / "none" / "out.nc", SUFFIXES, overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="is not writable"):
        check_output(tmp_path / "out.nc", SUFFIXES, overwrite=True)


def test_an_existing_output_is_refused_unless_it_may_be_replaced(tmp_path):
    (tmp_path / "out.nc").touch()
    with pytest.raises(OutputError, match="exists already; give another name, or --overwrite"):
        check_output(tmp_path / "out.nc", SUFFIXES, overwrite=False)
    check_output(tmp_path / "out.nc", SUFFIXES, overwrite=True)


@pytest.mark.parametrize("name", ["out.nc", "out.zarr"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_that_is_no_store_is_never_replaced(tmp_path, name, overwrite):
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.tex").touch()
    with pytest.raises(OutputError, match="a folder that is not a Zarr store"):
        check_output(tmp_path / name, SUFFIXES, overwrite=overwrite)


def test_an_output_that_cannot_fit_is_refused(tmp_path, monkeypatch):
    check_space(tmp_path / "out.nc", 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 2_000_000, 2_000_000))
    with pytest.raises(
        OutputError, match="2 MB are free there, and the result takes at least 25 MB; nothing was written"
    ):
        check_space(tmp_path / "out.nc", 10**8)


def test_the_name_is_given_at_the_end(tmp_path):
    with partial(tmp_path / "out.nc", overwrite=False) as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "out.nc").exists()
        assert temporary.name.startswith(".")
    assert contents(tmp_path) == ["out.nc"]


def fail(path, error, *, overwrite=False, meanwhile=lambda: None):
    """Write half an output, and end with an error if there is one."""
    with partial(path, overwrite=overwrite) as temporary:
        temporary.write_text("half")
        meanwhile()
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [InputError("bad values"), KeyboardInterrupt(), SystemExit(143), ValueError()])
def test_nothing_is_left_after_an_error(tmp_path, error):
    with pytest.raises(type(error)):
        fail(tmp_path / "out.nc", error)
    assert contents(tmp_path) == []


def test_an_existing_output_survives_an_error(tmp_path):
    (tmp_path / "out.nc").write_text("old")
    with pytest.raises(InputError):
        fail(tmp_path / "out.nc", InputError("bad values"), overwrite=True)
    assert (tmp_path / "out.nc").read_text() == "old"
    assert contents(tmp_path) == ["out.nc"]


def test_an_output_that_appears_meanwhile_is_left(tmp_path):
    with pytest.raises(OutputError, match="appeared while"):
        fail(tmp_path / "out.nc", None, meanwhile=lambda: (tmp_path / "out.nc").write_text("another's"))
    assert (tmp_path / "out.nc").read_text() == "another's"
    assert contents(tmp_path) == ["out.nc"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (OSError(errno.EACCES, "Permission denied"), r"cannot be written .*Permission denied"),
        (RuntimeError("NetCDF: HDF error"), r"cannot be written \(NetCDF: HDF error\)"),
    ],
)
def test_failures_of_writing_say_what_happened(tmp_path, error, message):
    with pytest.raises(OutputError, match=f"out.nc: {message}.*MB are free there"), writing(tmp_path / "out.nc"):
        raise error


def test_a_library_error_on_a_full_disk_is_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 0))
    with pytest.raises(OutputError, match="the disk is full; 0 MB are free"), writing(tmp_path / "out.nc"):
        raise RuntimeError("NetCDF: HDF error")
