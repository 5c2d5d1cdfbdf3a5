"""Files and stores that are reached by URL (``s3://``, ``https://``, ...), through fsspec.

A location is a Path, or a URL as text; a ``file://`` URL is a Path. URLs may hold passwords and tokens: messages, labels
and provenance have them without. An object appears whole or not at all, and cannot be renamed, appended to or locked.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcams.errors import DeepcamsError, InputError, OutputError, WriteError
from deepcams.urls import WEB, label_of, without_secrets

_LARGE = 100e6  # bytes; a download of more is told
_ABSENT, _REFUSED = (404, 410), (401, 403)  # in HTTP
_CREDENTIALS = (
    "give credentials in the environment (for S3: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a "
    "public bucket: FSSPEC_S3_ANON=true)"
)
_FOREIGN = {  # the errors of the libraries behind fsspec that are none of the system's
    "aiohttp": ("ClientError",),
    "azure.core.exceptions": ("AzureError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
}


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its type; without secrets."""
    return without_secrets((str(error).strip().splitlines() or [type(error).__name__])[0])[:200]


def name_of(place: str | Path) -> str:
    """The last part of a location's name."""
    return place.name if isinstance(place, Path) else label_of(place).rstrip("/").rsplit("/", 1)[-1]


def join(place: str | Path, name: str) -> str | Path:
    """The location of ``name`` inside a folder."""
    if isinstance(place, Path):
        return place / name
    path, mark, query = place.partition("?") if place.startswith(WEB) else (place, "", "")
    return f"{path.rstrip('/')}/{name}{mark}{query}"


@dataclass(frozen=True)
class Remote:
    """Where a URL leads.

    Attributes:
        filesystem: the file system (fsspec).
        path: the path in it.
        prefix: what stands before the path in the URL; None where it is not so simple.
    """

    filesystem: Any
    path: str
    prefix: str | None

    def url_of(self, path: str) -> str:
        """The URL of another path in the same file system."""
        return str(self.filesystem.unstrip_protocol(path)) if self.prefix is None else self.prefix + path


def remote(url: str) -> Remote:
    """Where a URL leads; nothing is asked there yet.

    Raises:
        ImportError: if there is no fsspec, or not what it needs for such URLs.
        ValueError: if there are no such URLs.
    """
    from fsspec.core import url_to_fs

    filesystem, path = url_to_fs(url)
    given, tail = url.rstrip("/"), path.rstrip("/")
    return Remote(filesystem, path, given.removesuffix(tail) if tail and given.endswith(tail) else None)


def failures() -> tuple[type[Exception], ...]:
    """What fsspec and the libraries behind it raise when a place cannot be reached or read."""
    foreign = [getattr(sys.modules[module], name)
               for module, names in _FOREIGN.items() if module in sys.modules for name in names]  # fmt: skip
    return (OSError, ValueError, RuntimeError, TimeoutError, LookupError, *foreign)


@contextmanager
def reaching(url: str, wrong: type[DeepcamsError] = InputError) -> Iterator[None]:
    """Turn failures with a URL within the block into one error that says what happened.

    Args:
        url: what is tried to be reached.
        wrong: the kind of error; OutputError where something is written.

    Raises:
        DeepcamsError: of that kind, without secrets.
    """
    label = label_of(url)
    try:
        yield
    except ImportError as error:
        raise wrong(f"{label}: wanted a library for such addresses, which is not installed ({first_line(error)}): "
                    'run pip install "deepcams[remote]", or install what is named') from error  # fmt: skip
    except FileNotFoundError as error:
        raise wrong(f"{label}: no such file or folder") from error
    except PermissionError as error:
        raise wrong(f"{label}: access refused ({first_line(error)}); {_CREDENTIALS}") from error
    except failures() as error:
        hint = f"; {_CREDENTIALS}" if "credential" in str(error).lower() else ""
        raise wrong(f"{label}: cannot be reached ({first_line(error)}){hint}") from error


def _raise_if_unreachable(error: FileNotFoundError) -> None:
    """Over HTTP every failure looks as if there were no file, and so does a missing bucket; the cause tells.

    Raises:
        OSError: if it is not that the server says that there is no such file.
    """
    cause = error.__cause__
    status = getattr(cause, "status", None)
    if status in _REFUSED:
        raise PermissionError(str(cause)) from cause
    if type(cause).__module__.split(".")[0] in ("aiohttp", "asyncio", "botocore") and status not in _ABSENT:
        raise OSError(str(cause)) from cause


def refresh(url: str) -> None:
    """Forget what was listed before, where files may have come or gone since.

    Raises:
        InputError: if there is no library for such URLs.
    """
    with reaching(url):
        remote(url).filesystem.invalidate_cache()


def kind_of(url: str) -> str | None:
    """``file``, ``directory``, or None if there is nothing.

    Raises:
        InputError: if it cannot be told.
    """
    with reaching(url):
        place = remote(url)
        if url.endswith("/") and url.startswith(WEB):  # on the web, nothing else tells a folder from a file
            return "directory"
        try:
            return str(place.filesystem.info(place.path)["type"])
        except FileNotFoundError as error:
            _raise_if_unreachable(error)
            return None


def is_pattern(url: str) -> bool:
    """Whether a URL has wildcards; on the web, a question mark is none."""
    return bool(set(url) & set("*[" if url.startswith(WEB) else "*?["))


def matching(url: str) -> list[tuple[str, bool]]:
    """The URLs that match a pattern, in order, and whether each is a folder.

    Raises:
        InputError: if they cannot be listed.
    """
    with reaching(url):
        place = remote(url)
        found = place.filesystem.glob(place.path, detail=True)
    return [(place.url_of(path), entry["type"] == "directory") for path, entry in sorted(found.items())]


def children(url: str) -> list[tuple[str, bool]]:
    """The URLs directly inside a folder, in order, and whether each is a folder.

    Raises:
        InputError: if they cannot be listed.
    """
    with reaching(url):
        place = remote(url)
        entries = place.filesystem.ls(place.path, detail=True)
    own = place.path.rstrip("/")
    inside = sorted((entry["name"].rstrip("/"), entry["type"] == "directory") for entry in entries)
    return [(place.url_of(path), folder) for path, folder in inside if path != own]


def first_bytes(url: str, count: int) -> bytes:
    """The first bytes of a file, or all that it has.

    Raises:
        InputError: if they cannot be read.
    """
    with reaching(url):
        place = remote(url)
        if place.filesystem.size(place.path) == 0:  # a range of nothing is an error in some stores
            return b""
        with place.filesystem.open(place.path, "rb", cache_type="none") as stream:
            return bytes(stream.read(count))


def size_of(url: str) -> int | None:
    """The size of a file in bytes, or None where it is not told.

    Raises:
        InputError: if it cannot be reached.
    """
    with reaching(url):
        place = remote(url)
        size = place.filesystem.size(place.path)
    return None if size is None else int(size)


def download(url: str, folder: Path) -> Path:
    """A copy of a file in a local folder.

    Raises:
        InputError: if it cannot be fetched whole, or the folder has no space for it.
    """
    target = folder / (name_of(url) or "download")
    size = size_of(url)
    with reaching(url):
        place = remote(url)
        place.filesystem.get_file(place.path, str(target))
    found = target.stat().st_size
    if size is not None and found != size:
        raise InputError(f"{label_of(url)}: {found} bytes came of {size}: the connection dropped; try again")
    return target


def large_download(place: Path, url: str) -> tuple[str, ...]:
    """What to tell about a downloaded file, if it is large."""
    size = place.stat().st_size
    return (f"{label_of(url)}: {size / 1e6:.0f} MB were downloaded to a temporary folder",) if size > _LARGE else ()


def zarr_store(place: str | Path, *, read_only: bool = False) -> Any:
    """What zarr reads from and writes to at a location.

    A file system that knows no asynchronous calls (``memory://``) is wrapped by zarr, which needs fsspec from 2024.12.

    Raises:
        DeepcamsError: if there is no library for such URLs, or they are chained (``simplecache::s3://``).
    """
    from zarr.storage import FsspecStore, LocalStore

    if isinstance(place, Path):
        return LocalStore(place, read_only=read_only)
    wrong = InputError if read_only else OutputError
    if "::" in place:
        raise wrong(f"{label_of(place)}: a Zarr store is not reached through another file system; give its own URL")
    if place.startswith(WEB) and "?" in place:
        raise wrong(
            f"{label_of(place)}: an address with a query leads to one file, and a store has many; give one without"
        )
    with reaching(place, wrong):
        return FsspecStore.from_url(place, read_only=read_only)


def exists(place: str | Path) -> bool:
    """Whether there is a file, or a folder; at a URL, one with something in it.

    Raises:
        InputError: if it cannot be told.
    """
    if isinstance(place, Path):
        return place.exists()
    refresh(place)
    return kind_of(place) is not None


def read_whole(place: str | Path) -> bytes | None:
    """All bytes of a small file; None if there is none.

    Raises:
        InputError: if there is one at a URL that cannot be read.
        OSError: if there is one at a path that cannot be read.
    """
    if isinstance(place, Path):
        return place.read_bytes() if place.is_file() else None
    with reaching(place):
        there = remote(place)
        try:
            return bytes(there.filesystem.cat_file(there.path))
        except FileNotFoundError as error:
            _raise_if_unreachable(error)
            return None


def list_files(url: str) -> list[str]:
    """The names of all files in a folder and the folders in it, relative to it, in order.

    Raises:
        InputError: if they cannot be listed.
    """
    refresh(url)
    with reaching(url):
        place = remote(url)
        found = place.filesystem.find(place.path)
    names = (path.removeprefix(place.path).lstrip("/") for path in found)
    return sorted(name for name in names if name)  # without the folder itself, should it be listed


def put_whole(url: str, content: bytes) -> None:
    """Write a file whole: others see what was there before, or all of it.

    Raises:
        WriteError: if it cannot be written.
    """
    with reaching(url, WriteError):
        place = remote(url)
        place.filesystem.pipe_file(place.path, content)


def put_tree(folder: Path, url: str, *, last: str = "zarr.json") -> None:
    """Copy a local folder's files, ``last`` when all others are there: what it makes a store is one when it is whole.

    Raises:
        WriteError: if they cannot be written.
    """
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name == last):
        put_whole(f"{url.rstrip('/')}/{name}", (folder / name).read_bytes())


def remove_tree(place: str | Path, *, first: str = "zarr.json") -> None:
    """Remove a folder with all that is in it; at a URL ``first`` before the rest: what is left by a kill is no store.

    Raises:
        WriteError: if it cannot be removed, or is a whole bucket.
    """
    if isinstance(place, Path):
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        return
    if "/" not in place.split("://", 1)[1].strip("/"):
        raise WriteError(f"{label_of(place)}: is a whole bucket, and is left as it is: give the name of a store in it")
    with reaching(place, WriteError):
        there = remote(place)
        there.filesystem.invalidate_cache()  # what is not listed would stay
        with suppress(FileNotFoundError):
            there.filesystem.rm_file(f"{there.path.rstrip('/')}/{first}")
        with suppress(FileNotFoundError):
            there.filesystem.rm(there.path, recursive=True)
