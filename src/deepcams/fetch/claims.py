"""Claims on names of files: of two that want to fetch the same one, threads or processes, one is told so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcams.errors import FetchError
from deepcams.io.locks import Claim, lock_file
from deepcams.io.output import make_folder, writing

_TAKEN: set[Path] = set()  # by threads of this process, which its locks do not keep from each other
_GUARD = threading.Lock()


@contextmanager
def claimed(target: Path, mark: str, *, told: Path | None = None) -> Iterator[None]:
    """Nobody else has this claim on a file within the block.

    The claim is a lock on a hidden file beside it, which goes at the end; a kill may leave the file, but not the lock.

    Args:
        target: the file; its folder is made if it is not there.
        mark: what kind of claim it is, a word.
        told: what it is on, for people; None for the file.

    Raises:
        FetchError: if somebody else has it.
        OutputError: if nothing can be written there.
    """
    path = target.absolute().with_name(f".{mark}.{target.name}")
    taken = FetchError(
        f"{told or target}: another run fetches it now; it is left to that: run this again when that has ended"
    )
    with _GUARD:
        if path in _TAKEN:
            raise taken
        _TAKEN.add(path)
    try:
        make_folder(path.parent)
        with writing(target):
            stream = lock_file(path, Claim())
        if stream is None:
            raise taken
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            stream.close()
    finally:
        with _GUARD:
            _TAKEN.discard(path)
