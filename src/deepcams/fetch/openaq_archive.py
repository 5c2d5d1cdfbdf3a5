"""OpenAQ's public archive: a gzipped CSV file for each location and local day, in a bucket that needs no key.

Names as docs.openaq.org/aws/about has them. The bucket is listed by S3's ListObjectsV2 (docs.aws.amazon.com/AmazonS3/latest/
API/API_ListObjectsV2.html), in the order of names, which within a location is that of days: so one request tells the days
of a month. A day is there a few days after it has ended, and may be written again when data come late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from deepcams.errors import FetchError, InputError
from deepcams.fetch.download import RefusedError, download
from deepcams.fetch.http import get
from deepcams.fetch.patience import Patience
from deepcams.io.output import writing
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.openaq_archive import FORMAT
from deepcams.stations.readers.streams import head_of

URL = "https://openaq-data-archive.s3.amazonaws.com"
SERVICE = "OpenAQ's archive"
_ROOT = "records/csv.gz"
_MOST = 1000  # names that a listing gives at once
_MD5 = re.compile(r"[0-9a-f]{32}")
_ABSENT = (404, 410)


@dataclass(frozen=True)
class Day:
    """A file of the archive.

    Attributes:
        location: its number.
        date: datetime64[D], the local day.
        key: its name in the bucket.
        size: in bytes.
        checksum: ``md5:...``, or nothing where the listing's tag is none.
    """

    location: int
    date: np.datetime64
    key: str
    size: int
    checksum: str | None


@dataclass(frozen=True)
class Fetched:
    """What came of a file.

    Attributes:
        path: where it is; None if it has gone since it was listed, or cannot be read.
        size: bytes that came; 0 if it was there already.
        spoilt: the name of a file that is as the archive has it, by its checksum, and cannot be read; else nothing.
    """

    path: Path | None
    size: int = 0
    spoilt: str = ""


class _SpoiltError(FetchError):
    """A file cannot be read."""


def key_of(location: int, date: np.datetime64) -> str:
    """The name of a file in the bucket."""
    year, month, day = str(date.astype("datetime64[D]")).split("-")
    return f"{_ROOT}/locationid={location}/year={year}/month={month}/location-{location}-{year}{month}{day}.csv.gz"


def list_days(url: str, location: int, first: np.datetime64, last: np.datetime64, patience: Patience) -> list[Day]:
    """The files that there are of a location, in the order of days.

    Args:
        url: of the bucket.
        location: its number.
        first: datetime64[D], the first local day.
        last: the last one.
        patience: how long to wait.

    Raises:
        FetchError: if the bucket cannot be listed.
    """
    found = []
    for day in _listing(url, location, first, last, patience):
        if day.date > last:
            break
        if day.date >= first:
            found.append(day)
    return found


def fetch_day(url: str, day: Day, folder: Path, patience: Patience) -> Fetched:
    """Fetch a file, unless it is there already.

    Args:
        url: of the bucket.
        day: which file.
        folder: where it goes, into a folder for its location.
        patience: how long to wait.

    Raises:
        FetchError: if it does not come whole, or is refused, or has other columns than those that are known.
        WriteError: if the disk is full.
    """
    path = folder / str(day.location) / day.key.rsplit("/", 1)[-1]
    if path.exists():
        if path.stat().st_size == day.size:
            return Fetched(path)
        with writing(path):  # the archive has written it again since
            path.unlink()
    try:
        done = download(
            f"{url.rstrip('/')}/{day.key}",
            path,
            size=day.size,
            checksum=day.checksum,
            patience=patience,
            service=SERVICE,
            check=lambda file: _check(file, path.name),
        )
    except RefusedError as error:
        if error.status not in _ABSENT:
            raise
        return Fetched(None)
    except _SpoiltError:
        if day.checksum is None:
            raise
        return Fetched(None, spoilt=path.name)
    return Fetched(path, done.size)


def _check(path: Path, name: str) -> None:
    """Make sure that a file can be read, and is of the archive's form.

    Args:
        path: the file, under its hidden name.
        name: the one it will have.

    Raises:
        FetchError: if it is not.
    """
    try:
        head = head_of(path)
        if FORMAT.recognises(head):
            for _ in FORMAT.read(head, Options()):
                pass
            return
    except InputError as error:
        raise _SpoiltError(f"{name}: came from {SERVICE} damaged; run the same command again") from error
    raise FetchError(f"{name}: {SERVICE} has the columns {', '.join(head.columns)} there; wanted {FORMAT.wanted}")


def _listing(url: str, location: int, first: np.datetime64, last: np.datetime64, patience: Patience) -> Iterator[Day]:
    """The files from the first day on, page by page, a few behind the last."""
    most = min(_MOST, int((last - first).astype(int)) + 1)
    asked = {
        "list-type": "2",
        "prefix": f"{_ROOT}/locationid={location}/",
        # Names behind this one are listed, so its own ending makes it one of them.
        "start-after": key_of(location, first).removesuffix(".csv.gz"),
        "max-keys": str(most),
    }
    seen: set[str] = set()
    while True:
        answer = get(f"{url.rstrip('/')}/", params=asked, patience=patience, service=SERVICE)
        tree = _tree(answer.content) if answer.status == 200 else None
        if tree is None:
            raise FetchError(
                f"{SERVICE}: {answer.url} gives no listing (status {answer.status}, {answer.content[:80]!r}): compare it with "
                f"{URL}; try later"
            )
        yield from _days(tree, location)
        token = tree.findtext("{*}NextContinuationToken", "")
        if tree.findtext("{*}IsTruncated", "false").strip() != "true":
            return
        if not token or token in seen:
            raise FetchError(f"{SERVICE}: {answer.url} lists location {location} without an end: try later")
        seen.add(token)
        asked["continuation-token"] = token


def _tree(content: bytes) -> ElementTree.Element | None:
    """A listing; None if it is none. Listings have no document type, by which XML could be made to grow without end."""
    if b"<!DOCTYPE" in content:
        return None
    try:
        tree = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return None
    return tree if tree.tag.rpartition("}")[2] == "ListBucketResult" else None


def _days(tree: ElementTree.Element, location: int) -> Iterator[Day]:
    """The files in a page of a listing; what has another name is none of them."""
    name = re.compile(rf"{_ROOT}/locationid={location}/year=\d{{4}}/month=\d\d/location-{location}-(\d{{8}})\.csv\.gz")
    for entry in tree.iterfind("{*}Contents"):
        key = entry.findtext("{*}Key", "")
        size, tag = entry.findtext("{*}Size", ""), entry.findtext("{*}ETag", "").strip('"').lower()
        match = name.fullmatch(key)
        if match is None or not size.isdecimal():
            continue
        date = _date(match[1])
        if date is not None:
            # The tag of an object that was put in one piece is its MD5; of others it has a dash.
            yield Day(location, date, key, int(size), f"md5:{tag}" if _MD5.fullmatch(tag) else None)


def _date(digits: str) -> np.datetime64 | None:
    try:
        return np.datetime64(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "D")
    except ValueError:
        return None
