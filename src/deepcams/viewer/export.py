"""The viewer as a folder of files, for any web server that answers Range requests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from deepcams.errors import OutputError
from deepcams.io.output import check_space, partial_folder
from deepcams.viewer.site import INDEX, Site
from deepcams.viewer.stations import as_json, files_of
from deepcams.viewer.stores import Shown

_CONNECT = b"connect-src 'self'"
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
        OutputError: if it exists, or cannot be written.
    """
    check_target(folder)
    check_space(folder, sum(shown.values for shown in (site.store, site.cams) if shown and not shown.url))
    with partial_folder(folder, lambda: check_target(folder)) as temporary:
        for key, data in _files(site):
            place = temporary / key
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(data, Path):
                shutil.copyfile(data, place)
            else:
                place.write_bytes(data)
            progress(1)


def count_files(site: Site) -> int:
    """How many files an export has, those of the page and of stations left out."""
    return sum(1 for shown in (site.store, site.cams) if shown is not None for _ in _parts(shown))


def _files(site: Site) -> Iterator[tuple[str, bytes | Path]]:
    """Everything, by key: bytes, or the file that has them."""
    link = site.store.url
    for name, data in site.page.items():
        yield name, _allowing(data, link) if name == INDEX and link else data
    where = f"{link.rstrip('/')}/" if link else "store/"
    yield "view.json", as_json(site.description(store=where))
    yield "kinds.bin", site.store.kinds().tobytes()
    rooms = {"cams": site.cams} if link else {"store": site.store, "cams": site.cams}
    for room, shown in rooms.items():
        for key, part in _parts(shown) if shown else ():
            yield f"{room}/{key}", part
    if site.stations is not None:
        yield from files_of(site.stations)


def _parts(shown: Shown) -> Iterator[tuple[str, bytes | Path]]:
    """The files of a store, by key."""
    if shown.folder is not None:
        for file in sorted(shown.folder.rglob("*")):
            name = file.relative_to(shown.folder)
            hidden = any(part.startswith(".") for part in name.parts) or file.suffix == ".partial"
            if file.is_file() and not hidden and file.resolve().is_relative_to(shown.folder):
                yield name.as_posix(), file
    elif shown.virtual is not None:
        for key in shown.virtual.keys():  # noqa: SIM118  # a store, not a dictionary
            data = shown.virtual.get(key)
            if data is not None:
                yield key, data


def _allowing(page: bytes, url: str) -> bytes:
    """The page, allowed to read from the host of a store on the web."""
    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    return page.replace(_CONNECT, _CONNECT + b" " + host.encode())
