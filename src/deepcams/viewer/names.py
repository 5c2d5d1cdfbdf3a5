"""Which place a request means, and whether it may be read: nothing outside the folder that is shown."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

_STRANGE = set('%\\:"<>|*?')  # in a name: encoded twice, other systems' separators and patterns
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_STEP = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # no link, and no waiting for whoever writes to a pipe


def key_of(target: str) -> str | None:
    """The place that a request's target means, parts joined by ``/``; empty for the root, None if it is refused.

    Refused are targets that are not absolute paths, parts that are empty or begin with a dot (``..``, hidden files),
    control characters, and whatever is still encoded after it was decoded once.

    Args:
        target: as in the first line of a request, in percent encoding.
    """
    path = target.partition("?")[0]
    if path == "/":
        return ""
    if not path.startswith("/"):
        return None
    try:
        text = unquote(path, errors="strict")[1:]
    except UnicodeDecodeError:
        return None
    parts = text.split("/")
    plain = not _STRANGE & set(text) and text.isprintable()
    return text if plain and all(part and not part.startswith(".") for part in parts) else None


def file_in(folder: Path, key: str) -> Path | None:
    """The file of a key inside a folder, the links to it followed; None if there is none.

    Args:
        folder: where to look, itself without links (resolved).
        key: what :func:`key_of` gives.

    Raises:
        OSError: if it cannot be told, a permission is missing, a link leads out of the folder, or the folder has gone:
            nobody must take that for a file that was never made, which in a store means that data are missing.
    """
    try:
        file = (folder / key).resolve(strict=True)
    except (RuntimeError, ValueError):  # links in a circle, what no name can be
        return None
    except OSError as error:
        if error.errno in _ABSENT and folder.is_dir():
            return None
        raise
    if not file.is_relative_to(folder):
        raise PermissionError(errno.EACCES, "a link that leads out of the store")
    return file if file.is_file() else None


def open_plain(file: Path, folder: Path) -> BinaryIO | None:
    """Open a file step by step from a folder on, so that no link leads out, not even one that was put there just now.

    Args:
        file: what :func:`file_in` gives.
        folder: the folder it is in.

    Returns:
        The file; None if it has gone, or is no plain file any more.

    Raises:
        OSError: if it cannot be opened, or there is a link now.
    """
    with ExitStack() as steps:
        at: int | None = None
        for part in (str(folder), *file.relative_to(folder).parts):
            try:
                at = os.open(part, _STEP, dir_fd=at)
            except FileNotFoundError:
                return None
            steps.callback(os.close, at)
        return os.fdopen(os.dup(at), "rb") if at is not None and stat.S_ISREG(os.fstat(at).st_mode) else None
