"""The ledger of a store: for each UTC day what it was made from and what it holds, as SHA-256.

A day is finished when its row says what its values are. A row is one chunk, so that it is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.provenance import digest_of

FIRST, LAST = -48, 72  # hours from 00 UTC of a day within which lie the analyses that it is made from
ENTRIES = 1 + LAST - FIRST + 1
BYTES = 32
MEANING = (
    "SHA-256; entry 0: the values of a finished day as they are stored, all 24 hours, float32, little-endian; entry "
    f"{1 - FIRST} + h: the analysis h hours after 00 UTC of the day, if the day was made from it; else zero"
)


@dataclass(frozen=True)
class Entry:
    """What is known of a finished day.

    Attributes:
        values: SHA-256 of its values (hexadecimal).
        analyses: SHA-256 of the analyses that it was made from, by the hour counted from 00 UTC of the day.
    """

    values: str
    analyses: Mapping[int, str]

    def row(self) -> NDArray[np.uint8]:
        """(ENTRIES, 32) as it is stored."""
        row = np.zeros((ENTRIES, BYTES), np.uint8)
        row[0] = _bytes(self.values)
        for hour, digest in self.analyses.items():
            row[1 + hour - FIRST] = _bytes(digest)
        return row

    @property
    def digest(self) -> str:
        """One SHA-256 for all analyses."""
        return digest_of(self.analyses[hour] for hour in sorted(self.analyses))


def entry_of(row: NDArray[np.uint8]) -> Entry | None:
    """The entry that a row (ENTRIES, 32) is; None if the day is not finished."""
    if not row[0].any():
        return None
    used = np.flatnonzero(row[1:].any(axis=1))
    return Entry(bytes(row[0]).hex(), {int(hour) + FIRST: bytes(row[1 + hour]).hex() for hour in used})


def _bytes(digest: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(digest), np.uint8)


def mask_of(hours: Iterable[int]) -> int:
    """A bit for each of some hours of a day."""
    return sum(1 << int(hour) for hour in hours)


def hours_of(mask: int) -> list[int]:
    """The hours of a day whose bits are set."""
    return [hour for hour in range(24) if mask >> hour & 1]
