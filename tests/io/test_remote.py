"""What is known of URLs: their names without secrets, what is there, and how it is written; no network."""

import sys
import warnings

import fsspec
import numpy as np
import pytest
import xarray as xr
import zarr
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from deepcams import urls as text
from deepcams.errors import InputError, OutputError
from deepcams.io import remote

WORDS = st.text("abcXYZ019-_.", min_size=1, max_size=8)


class Unreliable(MemoryFileSystem):
    """A file system in memory that raises what it is told to when it writes its third file."""

    protocol = "unreliable"
    error, written = None, 0

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("unreliable://", "memory://"))

    def pipe_file(self, path, value, mode="overwrite", **options):
        type(self).written += 1
        if self.error is not None and self.written >= 3:
            raise self.error
        return super().pipe_file(path, value, mode=mode, **options)


@pytest.fixture
def memory():
    """An empty file system in memory."""
    fsspec.register_implementation("unreliable", Unreliable, clobber=True)
    fsspec.register_implementation("absent", "no_such_package.Files", errtxt="Install no_such_package", clobber=True)
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    Unreliable.error, Unreliable.written = None, 0
    yield files
    files.store.clear()


@pytest.fixture
def local_store(tmp_path):
    """A small store with shards and a ledger, as ours are."""
    make_template(zarr.storage.LocalStore(tmp_path / "local.zarr"))
    return tmp_path / "local.zarr"


def make_template(store):
    group = zarr.create_group(store, zarr_format=3, attributes={"status": "unfinished"})
    names = ("time", "latitude", "longitude")
    shapes = {"shape": (48, 8, 10), "shards": (24, 8, 10), "chunks": (1, 8, 10)}
    group.create_array("pm2p5", dtype="float32", fill_value=np.nan, dimension_names=names, **shapes)
    group.create_array("ledger/sha256", shape=(2, 32), chunks=(1, 32), dtype="uint8", dimension_names=("day", "byte"))
    with warnings.catch_warnings(action="ignore"):  # that it is not yet part of the format
        zarr.consolidate_metadata(store)


def write_day(store, number):
    group = zarr.open_group(store, mode="r+", use_consolidated=False)
    group["pm2p5"][24 * number : 24 * number + 24] = np.arange(1920, dtype="f4").reshape(24, 8, 10)
    group["ledger/sha256"][number] = np.arange(32)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("s3://bucket/cams/2019-01.nc", None),
        ("s3://bucket/2019-0?.nc", None),
        ("s3://bucket/a@b#1.nc", None),
        ("s3://bucket/a.nc?versionId=7", "s3://bucket/a.nc"),
        ("https://host:8080/a.nc?token", "https://host:8080/a.nc"),
        ("https://host/a.nc?sig=9&x=https://other/#f", "https://host/a.nc"),
        ("HTTPS://token@host/a.nc#t", "HTTPS://host/a.nc"),
        ("ftp://user:pass@word@host/a.nc", "ftp://host/a.nc"),
        ("abfs://container@account.dfs.core.windows.net/a.nc", None),
        ("abfs://user:secret@account/a.nc?sv=1&sig=2", "abfs://account/a.nc"),
        ("simplecache::s3://key:secret@bucket/a.nc", "simplecache::s3://bucket/a.nc"),
    ],
)
def test_a_label_has_no_secrets(url, label):
    assert text.is_url(url)
    assert text.label_of(url) == (label or url)
    assert remote.first_line(OSError(f"Cannot open url={url!r}: refused\nmore")) == (
        f"Cannot open url='{label or url}': refused"
    )


@given(*[WORDS] * 4)
def test_no_text_has_secrets(host, path, key, value):
    secret = f"SECRET{value}"
    urls = [f"https://{secret}@{host}/{path}", f"sftp://me:{secret}@{host}/{path}", f"https://{host}/{path}?{secret}",
            f"s3://{host}/{path}?{key}={secret}", f"https://{host}/{path}?{key}={secret}#{secret}"]  # fmt: skip
    told = text.without_secrets(" and ".join(urls))
    assert "SECRET" not in told
    assert told.count(f"{host}/{path}") == 5


@pytest.mark.parametrize("path", ["a.nc", "/data/a.nc", "s3:/bucket/a.nc", "C://a.nc", "*.nc", "a::b"])
def test_a_path_is_no_url(path, tmp_path):
    assert not text.is_url(path)
    assert not text.is_url(tmp_path)
    assert str(text.location(path)) == path.replace("//", "/")


@pytest.mark.parametrize("name", ["a.nc", "cams [1] 50%.nc", "é.nc"])
def test_a_file_url_is_a_path(tmp_path, name):
    assert text.location((tmp_path / name).as_uri()) == tmp_path / name


def test_what_is_there_is_told(memory):
    memory.pipe({"/b/f/a.nc": b"1234", "/b/f/g/c.nc": b"", "/b/f/b.nc": b"12"})
    assert [remote.kind_of(f"memory://b/{name}") for name in ("f", "f/a.nc", "f/x")] == ["directory", "file", None]
    inside = [("memory://b/f/a.nc", False), ("memory://b/f/b.nc", False), ("memory://b/f/g", True)]
    assert remote.children("memory://b/f") == remote.children("memory://b/f/") == inside
    assert remote.matching("memory://b/f/?.nc") == inside[:2]
    assert remote.list_files("memory://b/f") == ["a.nc", "b.nc", "g/c.nc"]
    assert [remote.first_bytes(url, 3) for url, folder in inside if not folder] == [b"123", b"12"]
    assert remote.first_bytes("memory://b/f/g/c.nc", 3) == b""
    assert remote.size_of("memory://b/f/a.nc") == 4
    assert remote.read_whole("memory://b/f/a.nc") == b"1234"
    assert remote.read_whole("memory://b/f/x") is None


def test_a_question_mark_is_no_pattern_on_the_web():
    assert remote.is_pattern("s3://b/?.nc")
    assert not remote.is_pattern("https://h/a?b")
    assert remote.is_pattern("https://h/*.nc")


def test_a_query_stays_at_the_end_and_leads_to_no_store():
    assert remote.join("https://host/a.zarr?key=hush", "zarr.json") == "https://host/a.zarr/zarr.json?key=hush"
    assert remote.join("s3://bucket/odd?name.zarr/", "zarr.json") == "s3://bucket/odd?name.zarr/zarr.json"
    with pytest.raises(InputError, match="leads to one file") as refused:
        remote.zarr_store("https://host/a.zarr?key=hush", read_only=True)
    assert "hush" not in str(refused.value)


def test_a_file_is_written_whole(memory):
    remote.put_whole("memory://b/a", b"1")
    remote.put_whole("memory://b/a", b"22")
    assert remote.read_whole("memory://b/a") == b"22"


def test_a_store_in_memory_has_the_same_bytes_as_a_local_one(memory, local_store):
    url = "memory://b/out.zarr"
    remote.put_tree(local_store, url)
    for store in (zarr.storage.LocalStore(local_store), remote.zarr_store(url)):
        write_day(store, 1)
        zarr.open_group(store, mode="r+", use_consolidated=True).attrs["status"] = "complete"
    names = [str(path.relative_to(local_store)) for path in sorted(local_store.rglob("*")) if path.is_file()]
    assert remote.list_files(url) == sorted(names)
    assert all(remote.read_whole(f"{url}/{name}") == (local_store / name).read_bytes() for name in names)
    with xr.open_zarr(remote.zarr_store(url, read_only=True)) as written:
        assert written.attrs == {"status": "complete"}
        assert written.pm2p5[:24].isnull().all()
        np.testing.assert_array_equal(written.pm2p5[24:].values.ravel(), np.arange(1920))


def test_a_store_can_be_made_in_memory_directly(memory):
    make_template(remote.zarr_store("memory://b/out.zarr"))
    write_day(remote.zarr_store("memory://b/out.zarr"), 0)
    assert "pm2p5/c/0/0/0" in remote.list_files("memory://b/out.zarr")
    assert type(remote.zarr_store(text.location("file:///x.zarr"))) is zarr.storage.LocalStore


def test_what_is_read_only_is_not_written(memory, local_store):
    remote.put_tree(local_store, "memory://b/out.zarr")
    with pytest.raises(ValueError, match="read-only"):
        write_day(remote.zarr_store("memory://b/out.zarr", read_only=True), 0)


def test_a_template_that_was_not_written_whole_is_no_store(memory, local_store):
    Unreliable.error = PermissionError("Access Denied")
    with pytest.raises(OutputError, match=r"zarr\.json: access refused \(Access Denied\); give credentials"):
        remote.put_tree(local_store, "unreliable://b/out.zarr")
    assert remote.list_files("unreliable://b/out.zarr")
    assert not remote.exists("unreliable://b/out.zarr/zarr.json")


def test_a_store_is_removed_and_what_is_beside_it_stays(memory, local_store):
    remote.put_tree(local_store, "memory://b/out.zarr")
    remote.put_whole("memory://b/out.zarr.log", b"")
    remote.remove_tree("memory://b/out.zarr")
    assert not remote.exists("memory://b/out.zarr")
    assert remote.exists("memory://b/out.zarr.log")
    remote.remove_tree("memory://b/out.zarr")
    with pytest.raises(OutputError, match="a whole bucket"):
        remote.remove_tree("memory://b")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError("x"), "no such file or folder"),
        (PermissionError("https://u:p@h/x: Forbidden"), r"access refused \(https://h/x: Forbidden\); .*AWS_PROFILE"),
        (RuntimeError("Unable to locate credentials"), "cannot be reached .*AWS_PROFILE"),
        (ConnectionResetError("dropped"), r"cannot be reached \(dropped\)$"),
        (ImportError("Install s3fs to access S3"), r'Install s3fs .*run pip install "deepcams\[remote\]"'),
        (ValueError("Protocol not known: foo"), "cannot be reached .Protocol not known"),
    ],
)
@pytest.mark.parametrize("kind", [InputError, OutputError])
def test_every_failure_is_one_message_with_the_url(error, told, kind):
    with (
        pytest.raises(kind, match=r"^ftp://host/a\.nc: .*" + told) as caught,
        remote.reaching("ftp://me:pw@host/a.nc", kind),
    ):
        raise error
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_said(memory, monkeypatch):
    with pytest.raises(InputError, match=r'absent://b/a: .*Install no_such_package.*pip install "deepcams\[remote\]"'):
        remote.kind_of("absent://b/a")
    with pytest.raises(InputError, match=r"nonsense://b/a: cannot be reached .Protocol not known"):
        remote.kind_of("nonsense://b/a")
    with pytest.raises(OutputError, match="nonsense://b/a"):
        remote.zarr_store("nonsense://b/a")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r's3://b/a: .*pip install "deepcams\[remote\]"'):
        remote.kind_of("s3://b/a")


def test_a_whole_file_is_downloaded_or_an_error_told(memory, tmp_path, monkeypatch):
    memory.pipe_file("/b/a.grib", b"GRIB" * 100)
    assert remote.download("memory://b/a.grib", tmp_path).read_bytes() == b"GRIB" * 100
    assert remote.large_download(tmp_path / "a.grib", "memory://b/a.grib") == ()
    monkeypatch.setattr(remote, "_LARGE", 100)
    assert (
        "memory://b/a.grib: 0 MB were downloaded" in remote.large_download(tmp_path / "a.grib", "memory://b/a.grib")[0]
    )
    monkeypatch.setattr(MemoryFileSystem, "get_file", lambda self, path, target: open(target, "wb").close())  # noqa: PTH123
    with pytest.raises(InputError, match="0 bytes came of 400: the connection dropped; try again"):
        remote.download("memory://b/a.grib", tmp_path)
