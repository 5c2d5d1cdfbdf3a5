"""Remote NetCDF4 files read in place: the right bytes, few of them, dropped connections, the end of the program."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import fsspec
import h5py
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.io import streams
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.io.streams import RemoteFile

CONTENT = np.random.default_rng(0).bytes(5 * 2**20 + 7)


class Counted(io.BytesIO):
    """A file that notes what is read of it, and drops the connection as often as it is told to."""

    def __init__(self, files, content):
        super().__init__(content)
        self.files, self.size = files, len(content)

    def read(self, count=-1):
        if self.files.drops:
            self.files.drops -= 1
            raise self.files.error
        self.files.reads.append((self.tell(), count))
        return super().read(count - self.files.lost if count > self.files.lost else count)


class Far(MemoryFileSystem):
    """A file system in memory, as far away as a test wants it."""

    protocol = "far"
    cachable = False
    reads, drops, lost, error = [], 0, 0, None

    def _open(self, path, mode="rb", **options):
        return Counted(type(self), self.cat_file(path)) if mode == "rb" else super()._open(path, mode, **options)

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("far://", "memory://"))

    def cat_file(self, path, **options):
        return self.store[self._strip_protocol(path)].getvalue()


@pytest.fixture
def far(monkeypatch):
    """The far file system, with its file ``far://b/content``."""
    fsspec.register_implementation("far", Far, clobber=True)
    Far.reads, Far.drops, Far.lost, Far.error = [], 0, 0, ConnectionResetError("reset by peer: far://me:pw@b/x")
    monkeypatch.setattr(streams, "_PAUSES", ())
    streams._block.cache_clear()
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/b/content", CONTENT)
    yield memory
    memory.store.clear()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 9), st.integers(0, 2**21)), min_size=1, max_size=6))
def test_it_reads_as_a_file_does(places):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/b/content", CONTENT)
    ours, wanted = RemoteFile("memory://b/content"), io.BytesIO(CONTENT)
    for start, count in places:
        assert ours.seek(start) == wanted.seek(start)
        assert ours.read(count) == wanted.read(count)
    assert ours.seek(-5, io.SEEK_END) == len(CONTENT) - 5
    assert ours.seek(2, io.SEEK_CUR) == ours.tell() == len(CONTENT) - 3
    assert ours.read() == CONTENT[-3:]


def test_small_pieces_come_in_blocks_and_large_ones_directly(far):
    file = RemoteFile("far://b/content")
    for start in range(0, 2**20, 2**16):
        file.seek(start)
        file.read(100)
    assert far is not None
    assert Far.reads == [(0, 2**20)]
    file.seek(10)
    file.read(3 * 2**20)
    assert Far.reads[1:] == [(10, 3 * 2**20)]


def test_memory_does_not_grow_with_the_number_of_files(far):
    assert streams._block.cache_info().maxsize * streams._BLOCK <= 64 * 2**20


def test_a_file_is_read_by_several_threads(far):
    file = RemoteFile("far://b/content")
    with ThreadPoolExecutor(8) as pool:
        starts = list(range(0, 5 * 2**20, 99991))
        found = list(pool.map(lambda start: file.fetch(start, start + 1000), starts))
    assert found == [CONTENT[start : start + 1000] for start in starts]


@pytest.mark.parametrize("drops", [1, 3])
def test_a_dropped_connection_is_tried_again(far, drops):
    file, Far.drops = RemoteFile("far://b/content"), drops
    assert file.fetch(0, 9, pauses=(0, 0, 0)) == CONTENT[:9]
    assert Far.drops == 0


def test_at_last_it_is_an_error_without_secrets(far):
    file, Far.drops = RemoteFile("far://b/content"), 5
    with pytest.raises(OSError, match="reset by peer: far://b/x"):
        file.fetch(0, 9, pauses=(0, 0))
    assert Far.drops == 2


def test_what_is_refused_is_not_tried_again(far):
    file, Far.drops, Far.error = RemoteFile("far://b/content"), 5, PermissionError("Forbidden")
    with pytest.raises(OSError, match="Forbidden"):
        file.fetch(0, 9, pauses=(0, 0))
    assert Far.drops == 4


def test_fewer_bytes_than_asked_for_are_an_error(far):
    file, Far.lost = RemoteFile("far://b/content"), 3
    with pytest.raises(OSError, match="6 bytes came of 9"):
        file.fetch(0, 9, pauses=())


@pytest.fixture
def remote_cams(far, tmp_path, cams):
    """``far://b/cams.nc``: ten analyses, each in two chunks of its own, among three megabytes of other things."""
    field = cams.concentration(
        cams.instants(10), longitude=3 + 0.75 * np.arange(40), latitude=60 - 0.75 * np.arange(40)
    )
    path = cams.new_store(tmp_path / "cams.nc", field, encoding={"pm2p5": {"chunksizes": (1, 20, 40)}})
    with h5py.File(path, "a") as file:
        file["other/ballast"] = np.frombuffer(CONTENT, np.uint8)
    far.pipe_file("/b/cams.nc", path.read_bytes())
    return field


def test_only_what_is_needed_is_fetched(remote_cams):
    analyses = open_analyses(find_files("far://b/cams.nc"))
    for number in range(10):
        np.testing.assert_allclose(analyses.load(number), remote_cams[number], rtol=1e-5)
    assert sum(count for _, count in Far.reads) < len(CONTENT) / 2
    assert len(Far.reads) <= 5


def test_a_drop_in_the_middle_names_file_and_hour(remote_cams, monkeypatch):
    analyses = open_analyses(find_files("far://b/cams.nc"))
    analyses.load(0)
    streams._block.cache_clear()
    monkeypatch.setattr(RemoteFile.fetch, "__defaults__", ((),))
    Far.drops = 1
    with pytest.raises(
        InputError, match=r"far://b/cams\.nc: 2019-12-30T09:00 UTC cannot be read \(reset by peer: far://b/x\)"
    ):
        analyses.load(3)
    np.testing.assert_allclose(analyses.load(3), remote_cams[3], rtol=1e-5)


@pytest.mark.parametrize("length", [200, 0.5, -50])
def test_a_half_transferred_file_is_refused(far, remote_cams, length):
    content = far.cat_file("/b/cams.nc")
    far.pipe_file("/b/cams.nc", content[: int(len(content) * length) if length == 0.5 else length])
    with pytest.raises(InputError, match=r"far://b/cams\.nc: cannot be read .* fetch it again"):
        open_analyses(find_files("far://b/cams.nc"))


PROGRAM = """
import sys, fsspec
from deepcams.errors import InputError
from deepcams.io import streams
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
fsspec.filesystem("memory").pipe_file("/b/a.nc", open(sys.argv[1], "rb").read())
analyses = open_analyses(find_files("memory://b/a.nc"))
def drop(self, start, stop, pauses=()):
    raise OSError("dropped")
streams._block.cache_clear()
streams.RemoteFile.fetch = drop
try:
    analyses.load(1)
except InputError as error:
    print(error)
"""


def test_a_program_ends_well_after_a_drop(tmp_path, cams):
    path = cams.new_store(tmp_path / "cams.nc", cams.concentration())
    done = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True)
    assert "memory://b/a.nc: 2019-12-30T03:00 UTC cannot be read (dropped)" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
