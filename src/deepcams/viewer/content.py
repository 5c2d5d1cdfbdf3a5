"""What the server answers with: bytes in memory or an open file, and what a browser needs to know of them."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deepcams.viewer.names import open_plain

BINARY = "application/octet-stream"
KEEP_NOT = "no-store"
"""For data: a browser that caches them would read the parts of one file one after the other."""
ASK_AGAIN = "no-cache"
"""For the page: it may be kept, and is asked for again with its tag."""

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Content:
    """What is at a place.

    Attributes:
        stream: the bytes, to be closed by whoever reads them.
        size: how many there are.
        tag: changes when they do (the HTTP entity tag, without quotes).
        media: their media type.
        keeping: what a cache may do with them.
    """

    stream: BinaryIO
    size: int
    tag: str
    media: str = BINARY
    keeping: str = KEEP_NOT


def media_of(name: str) -> str:
    """The media type of a page's file, by its name."""
    return _MEDIA.get(Path(name).suffix, BINARY)


def of_bytes(data: bytes, media: str = BINARY, keeping: str = KEEP_NOT) -> Content:
    """Content in memory."""
    return Content(io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest()[:32], media, keeping)


def of_file(file: Path, folder: Path | None = None) -> Content | None:
    """The content of a file; None if it has gone.

    Nothing in a store passes for a page: only its metadata have a media type of their own.

    Args:
        file: a file, by its name without links.
        folder: what it must not lead out of; None for the folder it is in.

    Raises:
        OSError: if it cannot be read.
    """
    stream = open_plain(file, folder or file.parent)
    if stream is None:
        return None
    status = os.fstat(stream.fileno())  # of what was opened: its name may stand for another file by now
    media = _MEDIA[".json"] if file.suffix == ".json" else BINARY
    return Content(stream, status.st_size, f"{status.st_mtime_ns:x}-{status.st_size:x}", media)
