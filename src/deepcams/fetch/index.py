"""What has been fetched into a folder: ``fetched.json``, a line of JSON for each file, added when the file is whole.

A line is added under a lock, in one piece; one that a kill cut short is no line, and goes when the next is added.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from deepcams.errors import FetchError, InputError, OutputError
from deepcams.fetch import stopping
from deepcams.fetch.claims import claimed
from deepcams.io.locks import Claim, lock
from deepcams.io.output import make_folder, writing
from deepcams.provenance import sha256_of
from deepcams.urls import label_of

NAME = "fetched.json"
_PATIENCE = 20.0  # seconds that another process may take to add a line
_PAUSE = 0.02
_GUARD = threading.RLock()  # locks of files are of processes: whoever closes a file here would undo another thread's


@dataclass(frozen=True)
class Entry:
    """A file that was fetched.

    Attributes:
        name: relative to the folder, with slashes.
        service: which gave it.
        what: the request, JSON-ready.
        size: in bytes.
        sha256: hexadecimal.
        url: without secrets.
        time: when it was added, UTC, ISO 8601; filled in where it is empty.
    """

    name: str
    service: str
    what: Mapping[str, Any]
    size: int
    sha256: str
    url: str = ""
    time: str = ""


class Index:
    """The index of a folder. Its folder and file are made with the first entry."""

    def __init__(self, folder: Path) -> None:
        """Read what is there.

        Raises:
            InputError: if the index is not one that was written here.
        """
        self.folder = folder
        self.path = folder / NAME
        self._entries: dict[str, Entry] = {}
        self._seen = (0, 0)  # the file's number and size when it was read
        self._lines = 0
        self._whole = 0  # bytes of the lines that have been read
        self._refresh()

    def known(self, name: str) -> Entry | None:
        """What is known of a file, also what another process has added; None for nothing.

        Raises:
            InputError: if the index is not one that was written here.
        """
        self._refresh()
        return self._entries.get(name)

    def entries(self) -> list[Entry]:
        """All files, in the order of their names."""
        self._refresh()
        return [self._entries[name] for name in sorted(self._entries)]

    def is_whole(self, name: str, *, what: Mapping[str, Any] | None = None) -> bool:
        """Whether a file is there as it was fetched, to the byte; False if there is none, and it is to be fetched.

        Args:
            name: of the file.
            what: the request that it is wanted for; None if that does not matter.

        Raises:
            InputError: if a file is there that was not fetched, or has changed since, or was fetched for another request:
                it is left as it is.
        """
        path, entry = self.folder / checked_name(name), self.known(name)
        if not path.exists():
            return False
        if entry is None:
            raise InputError(f"{path}: is there, but was not fetched by deepcams ({NAME} beside it does not have it); "
                             "it is left as it is: move it away, or give another folder")  # fmt: skip
        if what is not None and _plain(what) != _plain(entry.what):
            raise InputError(f"{path}: was fetched for {json.dumps(_plain(entry.what))}, wanted is {json.dumps(_plain(what))}; "
                             "it is left as it is: give another folder")  # fmt: skip
        size = path.stat().st_size
        if size != entry.size or sha256_of(path) != entry.sha256:
            found = f"{size} bytes, fetched were {entry.size}" if size != entry.size else "its checksum is another"
            raise InputError(f"{path}: has changed since it was fetched ({found}); it is left as it is: move it away, and run "
                             "the same command again")  # fmt: skip
        return True

    def add(self, entry: Entry) -> Entry:
        """Note a whole file, before it gets its final name: so a kill never leaves a file of that name that is not known.

        Raises:
            InputError: if its name leads out of the folder, or the index is not one that was written here.
            FetchError: if other processes keep the index locked.
            WriteError: if it cannot be written.
        """
        checked_name(entry.name)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = replace(entry, what=_plain(entry.what), url=label_of(entry.url), time=entry.time or now)
        line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
        make_folder(self.folder)
        with _GUARD, writing(self.path), self.path.open("a+b", buffering=0) as stream:
            self._wait_for(stream)
            rest = self._read(stream)
            if rest and not _is_entry(rest):  # a kill cut it short
                stream.truncate(self._whole)
            line = b"\n" + line if _is_entry(rest) else line
            if stream.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._read(stream)
        return entry

    def admit(self, name: str, temporary: Path, *, service: str, what: Mapping[str, Any], url: str = "") -> Entry:
        """Note a whole and checked file that has a temporary name on the same disk, and give it its own.

        Raises:
            OutputError: if there is a file of that name.
            DeepcamsError: as ``add``.
        """
        path = self.folder / checked_name(name)
        if path.exists():
            raise OutputError(f"{path}: appeared while it was fetched; it is left as it is")
        entry = self.add(Entry(name, service, what, temporary.stat().st_size, sha256_of(temporary), url))
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        return entry

    def claim(self, name: str) -> AbstractContextManager[None]:
        """Nobody else claims the file within the block, for what comes before the download: a job of the service, say.

        Raises:
            FetchError: if somebody has claimed it already, in this process or another.
        """
        return claimed(self.folder / checked_name(name), "claimed")

    def alone(self, service: str) -> AbstractContextManager[None]:
        """Nobody else fetches from a service into the folder within the block, where files depend on each other.

        Raises:
            FetchError: if somebody does so already, in this process or another.
        """
        return claimed(self.folder / checked_name(service), "alone", told=self.folder)

    def _wait_for(self, stream: IO[bytes]) -> None:
        """Lock the index; the lock ends with the stream."""
        until = time.monotonic() + _PATIENCE
        while not lock(stream.fileno(), Claim()):
            if time.monotonic() >= until:
                raise FetchError(
                    f"{self.path}: locked by another run for {_PATIENCE:.0f} s; run the same command again"
                )
            stopping.sleep(_PAUSE)

    def _refresh(self) -> None:
        """Read what has been added since."""
        with _GUARD:
            try:
                status = self.path.stat()
                if (status.st_ino, status.st_size) != self._seen:
                    with self.path.open("rb") as stream:
                        self._read(stream)
            except FileNotFoundError:
                self._forget()
            except OSError as error:
                raise InputError(f"{self.path}: cannot be read ({error.strerror})") from error

    def _forget(self) -> None:
        self._entries, self._seen, self._lines, self._whole = {}, (0, 0), 0, 0

    def _read(self, stream: IO[bytes]) -> bytes:
        """Take in the lines that were added since the last time, and give what is behind the last line's end.

        Raises:
            InputError: if a line is no entry.
        """
        status = os.fstat(stream.fileno())
        if status.st_ino != self._seen[0] or status.st_size < self._whole:
            self._forget()
        stream.seek(self._whole)
        *lines, rest = stream.read().split(b"\n")
        for line in lines:
            self._lines += 1
            if line.strip():
                self._take(_entry_of(line, f"{self.path}: line {self._lines}"))
            self._whole += len(line) + 1
        if _is_entry(rest):
            self._take(_entry_of(rest, f"{self.path}: line {self._lines + 1}"))
        self._seen = (status.st_ino, status.st_size)
        return rest

    def _take(self, entry: Entry) -> None:
        self._entries[entry.name] = entry


def checked_name(name: str) -> str:
    """A file's name, if it stays in the folder.

    Raises:
        InputError: if it leads out of it, or is the index itself.
    """
    parts = PurePosixPath(name).parts
    if not parts or {"..", "/", "\\", "\0"} & {*parts, *name.replace("/", "")} or name == NAME:
        raise InputError(f"{name!r}: no name for a fetched file: wanted one inside of the folder, with slashes")
    return name


def _plain(what: Mapping[str, Any]) -> Any:
    """The request as it is after it was written as JSON and read again."""
    return json.loads(json.dumps(what))


def _is_entry(line: bytes) -> bool:
    """Whether a line that has no end is whole all the same."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _entry_of(line: bytes, where: str) -> Entry:
    """The entry that a line is.

    Raises:
        InputError: if it is none.
    """
    advice = ("mend or remove this line; a file that is not listed is left as it is until it is moved away, and then "
              "fetched again")  # fmt: skip
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: wanted JSON, found {line[:60]!r}: {advice}") from error
    kinds = {"what": dict, "size": int}
    wanted = {field.name: kinds.get(field.name, str) for field in fields(Entry)}
    if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != wanted:
        raise InputError(f"{where}: wanted an object with {', '.join(wanted)}, found {line[:60]!r}: {advice}")
    checked_name(found["name"])
    return Entry(**found)
