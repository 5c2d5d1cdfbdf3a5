"""Which place a request means, and whether it may be read: nothing outside the folder that is shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

_STRANGE = set('%\\:"<>|*?')  # in a name: encoded twice, other systems' separators and patterns


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
    """The file of a key inside a folder; None if there is none, or a link leads out of the folder.

    Args:
        folder: where to look, itself without links (resolved).
        key: what :func:`key_of` gives.
    """
    try:
        file = (folder / key).resolve(strict=True)
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # no such file, links in a circle, a name that is too long
        return None
