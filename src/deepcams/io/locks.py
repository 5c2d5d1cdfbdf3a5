"""Claims on a store, so that of two runs on the same store one stops: locks on a file beside it, gone with the process."""

from __future__ import annotations

import errno
from dataclasses import dataclass

try:
    import fcntl
except ImportError:  # there is none on Windows: nothing is claimed there
    fcntl = None  # type: ignore[assignment]

_ALL = 2**31 - 1
_TAKEN = (errno.EACCES, errno.EAGAIN)


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
