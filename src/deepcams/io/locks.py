"""Claims on a store, so that of two runs on the same store one stops: locks on a file beside it, gone with the process."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # there is none on Windows: nothing is claimed there
    fcntl = None  # type: ignore[assignment]

_ALL = 2**31 - 1
_TAKEN = (errno.EACCES, errno.EAGAIN)
_PATIENCE = 2.0  # seconds that a part waits for one that tidies up
_PAUSE = 0.1


@dataclass(frozen=True)
class Claim:
    """What a run claims: the whole store, or one of several parts.

    Attributes:
        part: its number from 1 on; 0 for the whole.
        parts: how many there are.
    """

    part: int = 0
    parts: int = 0

    @property
    def whole(self) -> bool:
        """Whether nobody else may write."""
        return self.parts == 0


def lock(descriptor: int, claim: Claim) -> bool:
    """Lock the range of an open file that stands for a claim; False if another process has one that does not go with it.

    The lock (POSIX ``lockf``, which network file systems know too) ends when the process closes the file, or ends. Where
    the file system has no locks, nothing is locked: two runs then do the same work twice and write the same bytes.
    """
    if fcntl is None:
        return True
    start, length = (0, _ALL) if claim.whole else (claim.part, 1)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
    except OSError as error:
        return error.errno not in _TAKEN
    return True


def lock_file(path: Path, claim: Claim) -> IO[str] | None:
    """A file, opened to add to and locked for a claim; None if another process has one that does not go with it.

    Raises:
        OSError: if it cannot be opened.
    """
    until = time.monotonic() + (0 if claim.whole else _PATIENCE)
    while True:
        stream = path.open("a", encoding="utf-8")
        locked = lock(stream.fileno(), claim)
        if locked and _is_still(stream, path):
            return stream
        stream.close()
        if not locked:
            if time.monotonic() >= until:
                return None
            time.sleep(_PAUSE)


def alone(stream: IO[str], claim: Claim) -> bool:
    """Give up a claim, or make it one on the whole; False if another process has one, or nobody knows."""
    if claim.whole:
        return True
    if fcntl is None:
        return False
    try:
        fcntl.lockf(stream.fileno(), fcntl.LOCK_UN)  # first, so that of several that end at once the last one is alone
        fcntl.lockf(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB, _ALL)
    except OSError:
        return False
    return True


def _is_still(stream: IO[str], path: Path) -> bool:
    """Whether a file is the one of its name still: another run may have removed it before it was locked."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
