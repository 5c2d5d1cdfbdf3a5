"""Downloading a file: on from where it stopped, checked when it is whole, and only then under its final name."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path

from deepcams.errors import DeepcamsError, FetchError, OutputError
from deepcams.fetch.claims import claimed
from deepcams.fetch.connection import Answer, Broken, ask
from deepcams.fetch.partial_files import PartialFile, Source, range_of, source_of
from deepcams.fetch.patience import AGAIN, DEFAULT, Attempts, Patience, retry_after
from deepcams.io.output import writing
from deepcams.provenance import sha256_of
from deepcams.urls import label_of

_KINDS = ("md5", "sha1", "sha256", "sha512")
_GZIP = ("gzip", "x-gzip")
_COMPRESSED = (".gz", ".zip")  # such a file is compressed itself, whatever the server says of how it comes
_TOLD = 4  # pieces of what a service says when it refuses


@dataclass(frozen=True)
class Downloaded:
    """A file that came whole.

    Attributes:
        path: its final name.
        size: in bytes.
        sha256: hexadecimal.
    """

    path: Path
    size: int
    sha256: str


class RefusedError(FetchError):
    """A service answered that it does not give a file.

    Attributes:
        status: of HTTP; 404 where there is none.
        content: the beginning of what it says.
    """

    def __init__(self, message: str, status: int, content: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.content = content


class _WrongError(Exception):
    """What came is whole, but not what was promised."""


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    checksum: str | None = None,
    headers: Mapping[str, str] | None = None,
    patience: Patience = DEFAULT,
    service: str = "the service",
    progress: Callable[[int], None] | None = None,
    check: Callable[[Path], None] | None = None,
    record: Callable[[Downloaded], None] | None = None,
) -> Downloaded:
    """Fetch a file whole; what came before a kill or a failure stays, hidden, and is not fetched again.

    Args:
        url: where it is.
        path: its final name, which nothing may have yet; its folder is made.
        size: in bytes, if known.
        checksum: ``md5:...`` or another of hashlib, in hexadecimal, if known.
        headers: sent to this host, and to none that it leads to.
        patience: how long to wait.
        service: its name, for people.
        progress: told how many bytes more came, as they come.
        check: looks at the whole file under its hidden name, and raises if it is not what was wanted.
        record: told what is there when all is checked, before the file gets its final name: a kill between the two then
            never leaves a file of that name that is not recorded.

    Raises:
        RefusedError: if the service answers with another status than that of a file.
        FetchError: if it does not come whole, however patiently, or is not what was promised.
        WriteError: if the disk is full; what came stays.
        OutputError: if there is a file of that name already.
        InputError: if the address or a header cannot be right.
        DeepcamsError: what ``check`` raises; what came is then thrown away.
    """
    with claimed(path, "fetching"):
        _refuse_existing(path)
        work = _Work(url, path, headers or {}, Attempts(patience, f"{service}: {label_of(url)}"), progress)
        ready, done = work.fetch(size, checksum)
        if check is not None:
            try:
                check(ready)
            except DeepcamsError:
                work.discard()
                raise
        if record is not None:
            record(done)
        _refuse_existing(path)
        with writing(path):
            ready.replace(path)
        work.discard()
    return done


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise OutputError(f"{path}: exists already; it is left as it is: give another folder, or move it away")


class _Work:
    """One file on its way."""

    def __init__(
        self,
        url: str,
        path: Path,
        headers: Mapping[str, str],
        attempts: Attempts,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.url, self.path, self.headers, self.attempts = url, path, headers, attempts
        self.told = progress or (lambda count: None)
        self.part = PartialFile(path)
        self.decoded = path.with_name(f".decoded.{path.name}")

    def discard(self) -> None:
        """Let go of what is there under hidden names."""
        self.part.discard()
        self.decoded.unlink(missing_ok=True)

    def fetch(self, size: int | None, checksum: str | None) -> tuple[Path, Downloaded]:
        """The whole file under a hidden name, and what it is; once more from the start if it is not what was promised."""
        kind, wanted = _checksum(checksum, self.attempts.what)
        try:
            return self._once(size, kind, wanted)
        except _WrongError:
            self.discard()
        try:
            return self._once(size, kind, wanted)
        except _WrongError as error:
            self.discard()
            raise self.attempts.failure(f"{error}, twice, and was thrown away") from error

    def _once(self, size: int | None, kind: str, wanted: str) -> tuple[Path, Downloaded]:
        """Fetch it, and compare what came with what was promised.

        Raises:
            _WrongError: if it is something else.
        """
        self._come(size, trusted=bool(wanted))
        ready = self._as_it_is()
        done = Downloaded(self.path, ready.stat().st_size, sha256_of(ready))
        _compare("bytes", done.size, size)
        found = done.sha256 if kind == "sha256" else _digest(ready, kind)
        _compare(kind, found, wanted or found)
        return ready, done

    def _come(self, size: int | None, *, trusted: bool) -> None:
        """Fetch what is missing, with all the patience there is.

        Args:
            size: in bytes, if known.
            trusted: whether a checksum will tell if the parts do not belong together.
        """
        patience, furthest = self.attempts.patience, self.part.size
        while not self.part.is_complete:
            why, asked = "", None
            try:
                with ask(self.url, {**self.headers, **self._range(trusted)}, None, self.attempts) as answer:
                    if answer.status not in AGAIN:
                        self._take(answer, size)
                        return
                    why, asked = f"the service answers {answer.status}", retry_after(answer.headers)
            except Broken as error:
                why = str(error)
            enough = furthest + max(1.0, patience.slowest * patience.window)
            progress = self.part.size >= enough
            furthest = max(furthest, self.part.size) if progress else furthest
            self.attempts.again(why, asked=asked, progress=progress)

    def _range(self, trusted: bool) -> Mapping[str, str]:
        """The headers that ask for what is missing, if what is there can be gone on with."""
        have, source = self.part.size, self.part.source or Source()
        if not have or not (source.validator or trusted):
            return {}
        condition = {"If-Range": source.validator} if source.validator else {}
        return {"Range": f"bytes={have}-", **condition}

    def _take(self, answer: Answer, size: int | None) -> None:
        """Take what an answer brings.

        Raises:
            Broken: if it is not the rest, or it ends early.
            _WrongError: if it cannot be what was promised.
            RefusedError: if it is no file.
        """
        start, total = range_of(answer.headers)
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.part.size:
            if total != self.part.size:
                self.part.discard()
                raise Broken("what was there did not belong to the file any more")
            return
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            self._go_on(answer, start, total)
        elif answer.status == HTTPStatus.OK:
            self.part.begin(source_of(answer.headers, answer.length))
        else:
            raise _refused(answer, self.attempts.what)
        source = self.part.source or Source()
        if not source.encoding:
            _compare("bytes", source.total, size if source.total is not None else None)
        self.part.append(answer.pieces(), most=source.total or size, told=self.told)
        came = self.part.size
        if source.total is not None and came != source.total:
            if came > source.total:
                self.part.discard()
            raise Broken(f"{came} bytes came of {source.total}")

    def _go_on(self, answer: Answer, start: int | None, total: int | None) -> None:
        """Make sure that a part is the one that was asked for, of what was there before.

        Raises:
            Broken: if it is not.
        """
        before, now = self.part.source or Source(), source_of(answer.headers, total)
        same = before.total in (None, total) or total is None
        if start != self.part.size or not same or (before.etag and now.etag and before.etag != now.etag):
            self.part.discard()
            raise Broken("another part came than was asked for")

    def _as_it_is(self) -> Path:
        """The file without the encoding that it came in, though none was asked for."""
        encoding = self.part.source.encoding if self.part.source else ""
        if not encoding or self.path.suffix.lower() in _COMPRESSED:
            return self.part.path
        if encoding not in _GZIP:
            self.discard()
            raise FetchError(
                f"{self.attempts.what}: comes in the encoding {encoding!r}, which was not asked for; try later"
            )
        with writing(self.path), gzip.open(self.part.path) as source, self.decoded.open("wb") as target:
            try:
                shutil.copyfileobj(source, target)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise _WrongError("it came damaged") from error
        return self.decoded


def _checksum(text: str | None, what: str) -> tuple[str, str]:
    """The kind and the value of a checksum; an empty value for none.

    Raises:
        FetchError: if it is of an unknown kind.
    """
    if text is None:
        return "sha256", ""
    match = re.fullmatch(rf"({'|'.join(_KINDS)}):([0-9a-f]+)", text.lower())
    if match is None:
        raise FetchError(
            f"{what}: told with the checksum {text!r}; wanted {' or '.join(_KINDS)}, a colon, hexadecimal digits"
        )
    return match[1], match[2]


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def _compare(what: str, found: object, wanted: object | None) -> None:
    if wanted is not None and found != wanted:
        raise _WrongError(f"{found} came, wanted {wanted} ({what})")


def _refused(answer: Answer, what: str) -> RefusedError:
    """That the service does not give the file, with the beginning of what it says."""
    try:
        content = b"".join(islice(answer.pieces(), _TOLD))
    except Broken:
        content = b""
    phrase = f" ({HTTPStatus(answer.status).phrase})" if answer.status in set(HTTPStatus) else ""
    return RefusedError(f"{what}: the service answers {answer.status}{phrase}", answer.status, content)
