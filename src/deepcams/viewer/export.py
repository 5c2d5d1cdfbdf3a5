"""The viewer as a folder of files, for any web server that answers Range requests."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from deepcams.errors import InputError, OutputError
from deepcams.io.output import check_space, partial_folder
from deepcams.urls import label_of
from deepcams.viewer.site import INDEX, Site
from deepcams.viewer.stations import as_json, files_of
from deepcams.viewer.stores import Shown

_CONNECT = b"connect-src 'self'"
_METADATA = "zarr.json"
_PIECE = 1 << 20  # bytes
Progress = Callable[[int], None]


def check_target(folder: Path) -> None:
    """Refuse a folder that cannot be made, before any work is done.

    Raises:
        OutputError: if it exists, or its parent does not.
    """
    if folder.exists():
        raise OutputError(f"{folder}: exists already; wanted the name of a new folder")
    if not folder.absolute().parent.is_dir():
        raise OutputError(f"{folder}: the folder {folder.absolute().parent} does not exist; make it first")


def export(site: Site, folder: Path, progress: Progress = lambda count: None) -> None:
    """Write page, store and stations to a new folder; a store on the web is not copied but read where it is.

    Args:
        site: what is shown.
        folder: where to; it has its name only when all is there.
        progress: told how many more files are written.

    Raises:
        InputError: if a file of the store cannot be read, or the page would give away what is secret in its address.
        OutputError: if it exists, or cannot be written.
    """
    check_target(folder)
    if site.store.url is not None and label_of(site.store.url) != site.store.url:
        raise InputError(f"{label_of(site.store.url)}: was given with a user, a password or a query, which the page would "
                         "give away; wanted an address without, or a copy of the store")  # fmt: skip
    check_space(folder, sum(shown.values for shown in _rooms(site).values()))
    with partial_folder(folder, lambda: check_target(folder)) as temporary:
        for key, stream in _files(site):
            place = temporary / key
            place.parent.mkdir(parents=True, exist_ok=True)
            with stream, place.open("xb") as copy:
                shutil.copyfileobj(stream, copy, _PIECE)
            progress(1)


def count_files(site: Site) -> int:
    """How many files an export has, those of the page and of stations left out."""
    return sum(1 for shown in _rooms(site).values() for _ in _keys(shown))


def _rooms(site: Site) -> dict[str, Shown]:
    """The stores that are copied, by where they go."""
    rooms = {"store": site.store, "cams": site.cams}
    return {room: shown for room, shown in rooms.items() if shown is not None and shown.url is None}


def _files(site: Site) -> Iterator[tuple[str, BinaryIO]]:
    """Everything, by key."""
    link = site.store.url
    for name, data in site.page.items():
        yield name, BytesIO(_allowing(data, link) if name == INDEX and link else data)
    where = f"{link.rstrip('/')}/" if link else "store/"
    yield "view.json", BytesIO(as_json(site.description(store=where)))
    yield "kinds.bin", BytesIO(site.store.kinds().tobytes())
    for room, shown in _rooms(site).items():
        for key, stream in _streams(shown):
            yield f"{room}/{key}", stream
    if site.stations is not None:
        for name, data in files_of(site.stations):
            yield name, BytesIO(data)


def _streams(shown: Shown) -> Iterator[tuple[str, BinaryIO]]:
    """The files of a store, by key, as the server gives them."""
    for key in _keys(shown):
        try:
            content = shown.find(key)
            if content is None and shown.folder is not None:
                raise FileNotFoundError(errno.ENOENT, "it has gone, or is a link that leads to no file")
        except OSError as error:
            raise InputError(f"{shown.label}: {key} cannot be read ({error.strerror}), and the copy would lack its data; put "
                             "the file itself there") from error  # fmt: skip
        if content is not None:
            yield key, content.stream


def _keys(shown: Shown) -> Iterator[str]:
    """The keys of a store; what is not its own, hidden or left over stays behind."""
    if shown.virtual is not None:
        yield from shown.virtual.keys()
    elif shown.folder is not None:
        for file in sorted(shown.folder.rglob("*")):
            name = file.relative_to(shown.folder)
            own = len(name.parts) > 1 or name.name == _METADATA
            left = any(part.startswith(".") for part in name.parts) or file.suffix == ".partial"
            if own and not left and (file.is_symlink() or file.is_file()):
                yield name.as_posix()


def _allowing(page: bytes, url: str) -> bytes:
    """The page, allowed to read from the host of a store on the web."""
    parts = urlsplit(url)
    return page.replace(_CONNECT, f"{_CONNECT.decode()} {parts.scheme}://{parts.netloc}".encode())
