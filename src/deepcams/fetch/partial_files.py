"""A file that is not whole yet: its bytes so far, and what it is a part of, in two hidden files beside the target.

A later run goes on from there, if what it is a part of is still the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deepcams.errors import WriteError
from deepcams.io.output import free_space, writing

_KILOBYTE = 1e3


@dataclass(frozen=True)
class Source:
    """What a server says of a file.

    Attributes:
        etag: of this version; empty if there is none that tells two versions apart for sure (a weak one).
        modified: when it was changed, as the server writes it.
        encoding: how it comes; empty as it is.
        total: bytes as it comes; None if unknown.
    """

    etag: str = ""
    modified: str = ""
    encoding: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What If-Range wants (RFC 9110, 13.1.5); empty if there is nothing."""
        return self.etag or self.modified


def source_of(headers: Mapping[str, str], total: int | None) -> Source:
    """What an answer's headers say of the file."""
    etag = headers.get("ETag", "")
    encoding = headers.get("Content-Encoding", "").lower()
    return Source(
        etag="" if etag.startswith("W/") else etag,
        modified=headers.get("Last-Modified", ""),
        encoding="" if encoding == "identity" else encoding,
        total=total,
    )


def range_of(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The first byte and the total of a Content-Range; None for what it does not tell."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", headers.get("Content-Range", "").strip())
    start, total = match.groups() if match else (None, None)
    return (None if start is None else int(start)), (None if total is None else int(total))


class PartialFile:
    """The bytes of a file so far.

    Attributes:
        path: where they are.
        source: what they are a part of; None if that is not known.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".partial.{target.name}")
        self._notes = target.with_name(f".partial.{target.name}.json")
        self._target = target
        self.source = self._noted()

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_complete(self) -> bool:
        """Whether it is known that none is missing."""
        return self.source is not None and self.source.total is not None and self.size == self.source.total

    def begin(self, source: Source) -> None:
        """Start anew. The old bytes go first, so that a kill never leaves them with the new source.

        Raises:
            WriteError: if nothing can be written.
        """
        self.source = source
        with writing(self._target):
            self.path.write_bytes(b"")
            self._notes.write_text(json.dumps(asdict(source)), encoding="utf-8")

    def append(self, pieces: Iterable[bytes], *, most: int | None, told: Callable[[int], None]) -> None:
        """Add bytes as they come.

        Args:
            pieces: the bytes; what is behind ``most`` bytes of the file is not taken.
            most: bytes of the whole file; None if unknown.
            told: how many came.

        Raises:
            WriteError: if the disk is full, or writing fails otherwise.
        """
        size = self.size
        self._check_space(most, size)
        with writing(self._target), self.path.open("ab") as stream:
            for piece in pieces:
                stream.write(piece)
                stream.flush()
                size += len(piece)
                told(len(piece))
                if most is not None and size > most:
                    return

    def discard(self) -> None:
        """Let go of what there is."""
        with writing(self._target):
            self.path.unlink(missing_ok=True)
            self._notes.unlink(missing_ok=True)
        self.source = None

    def _check_space(self, most: int | None, size: int) -> None:
        free, missing = free_space(self._target), (most or 0) - size
        if missing > free:
            raise WriteError(f"{self._target}: {free / _KILOBYTE:,.0f} kB are free there, and {missing / _KILOBYTE:,.0f} kB "
                             "are still to come; make room, and run the same command again")  # fmt: skip

    def _noted(self) -> Source | None:
        """What was noted; None if there is nothing, or it was not written whole."""
        try:
            noted = json.loads(self._notes.read_text(encoding="utf-8"))
            return Source(**noted)
        except (OSError, ValueError, TypeError):
            return None
