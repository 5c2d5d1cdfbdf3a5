"""Stores at a URL: the same bytes as on a disk, also when a run is cut off after any write."""

import sys

import fsspec
import pytest
import xarray as xr
from fsspec.implementations.memory import MemoryFileSystem

from deepcams.errors import DeepcamsError, OutputError
from deepcams.io import remote
from deepcams.production.run import Crew, downscale_to

URL = "cut://me:secret@bucket/out.zarr"


class Cut(MemoryFileSystem):
    """A file system in memory whose connection is cut after some writes: nothing can be changed from then on."""

    protocol = "cut"
    left = 10**6

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("cut://me:secret@", "memory://"))

    def _use(self):
        if Cut.left <= 0:
            raise ConnectionResetError("cut")
        Cut.left -= 1

    def pipe_file(self, path, value, mode="overwrite", **options):
        self._use()
        return super().pipe_file(path, value, mode=mode, **options)

    def rm(self, path, recursive=False, maxdepth=None):
        self._use()
        return super().rm(path, recursive, maxdepth)

    def _rm(self, path):
        self._use()
        return super()._rm(path)

    rm_file = _rm


@pytest.fixture
def bucket():
    fsspec.register_implementation("cut", Cut, clobber=True)
    Cut.left = 10**6
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield memory
    memory.store.clear()


@pytest.fixture
def local(tmp_path, job):
    downscale_to(job(), tmp_path / "out.zarr")
    folder = tmp_path / "out.zarr"
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def files_of(url):
    return {name: remote.read_whole(f"{url}/{name}") for name in remote.list_files(url)}


def test_it_is_the_same_as_on_a_disk(bucket, local, job, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["deepcams", "downscale", "https://host/a.nc?token=secret", URL])
    summary = downscale_to(job(), URL)
    assert files_of(URL) == local
    assert summary.complete
    assert str(summary.path) == "cut://bucket/out.zarr"
    with xr.open_zarr(remote.zarr_store(URL, read_only=True)) as written:
        assert written.attrs["status"] == "complete"
    (log,) = remote.list_files(f"{URL}.log")
    told = remote.read_whole(f"{URL}.log/{log}")
    assert b"deepcams downscale https://host/a.nc" in told.replace(b"'", b"")
    assert b"secret" not in told
    again = downscale_to(job(), URL)
    assert (again.hours, again.kept) == (0, summary.hours)
    assert files_of(URL) == local


def writes(job):
    """How many writes and removals a run takes."""
    downscale_to(job(), URL)
    return 10**6 - Cut.left


def test_cut_off_after_any_write_and_completed_it_is_the_same(bucket, local, job):
    total = writes(job)
    for number in range(total):
        bucket.store.clear()
        bucket.pseudo_dirs[:] = [""]
        Cut.left = number
        with pytest.raises(DeepcamsError, match=r"^cut://bucket/out\.zarr") as caught:
            downscale_to(job(), URL)
        assert "secret" not in str(caught.value)
        Cut.left = 10**6
        downscale_to(job(), URL)
        assert files_of(URL) == local, number


def test_an_overwriting_run_cut_off_leaves_no_old_days(bucket, local, job):
    downscale_to(job(start=job().timeline.times[30]), URL)
    kept = dict(bucket.store)
    for number in range(1, 8):
        bucket.store.clear()
        bucket.store.update(kept)
        Cut.left = number
        with pytest.raises(DeepcamsError):
            downscale_to(job(), URL, overwrite=True)
        Cut.left = 10**6
        if not remote.exists(f"{URL}/zarr.json") and any("/c/" in name for name in remote.list_files(URL)):
            with pytest.raises(OutputError, match="give --overwrite again"):
                downscale_to(job(), URL)
        downscale_to(job(), URL, overwrite=True)
        assert files_of(URL) == local


def test_what_is_something_else_is_left_alone(bucket, job):
    remote.put_whole(f"{URL}/precious.txt", b"1")
    with pytest.raises(OutputError, match=r"cut://bucket/out\.zarr: is a folder that is not a Zarr store .*precious"):
        downscale_to(job(), URL)
    for url, told in {
        "cut://bucket/out.nc": r"wanted a \.zarr",
        "https://host/out.zarr": "nothing can be written over the web",
    }.items():
        with pytest.raises(OutputError, match=told):
            downscale_to(job(), url)
        with pytest.raises(OutputError, match=r"not a Zarr store|wanted|web"):
            downscale_to(job(), URL, overwrite=True)
    assert files_of(URL) == {"precious.txt": b"1"}


def test_parts_share_a_store(bucket, local, job):
    from deepcams.io.locks import Claim

    for part in (2, 1, 3):
        downscale_to(job(), URL, crew=Crew(claim=Claim(part, 3)))
    assert files_of(URL) == local
