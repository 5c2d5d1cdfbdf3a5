"""The dataset published with the paper: the files of a record of Zenodo, by the public interface, without a key.

``GET /api/records/<number>`` tells each file's name (``key``), size, checksum (``md5:...``) and address (``links.self``).
What the files of record 6967082 are called was not known when this was written: see ``docs/published.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from deepcams.errors import FetchError, InputError
from deepcams.fetch.download import Downloaded, download
from deepcams.fetch.http import get
from deepcams.fetch.index import Entry, Index
from deepcams.fetch.many import in_flight
from deepcams.fetch.patience import Patience
from deepcams.io.output import check_folder
from deepcams.io.published import CELLS, DESCRIPTION, DOI, NODES, Description, write_description
from deepcams.urls import without_secrets

SERVICE = "Zenodo"
URL = "https://zenodo.org/api"
RECORD = "6967082"
PLACED = "nodes.json"  # the description that puts the maps where they were computed
_PATIENT = Patience()
_ABOUT = {
    CELLS: f"How deepcams reads the .mat files here (doi:{DOI}): as they look, at the centres of cells of 0.25 degrees. They "
           "were computed elsewhere, up to 0.37 degrees off: see docs/published.md",
    NODES: f"How deepcams reads the .mat files here (doi:{DOI}): where they were computed, on the nodes of 0.25 degrees. See "
           "docs/published.md",
}  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A file of the record.

    Attributes:
        name: its name.
        size: in bytes.
        checksum: as ``md5:...``; None if the record does not tell it.
        url: where it is.
    """

    name: str
    size: int
    checksum: str | None
    url: str

    @property
    def what(self) -> dict[str, Any]:
        """The request, JSON-ready."""
        return {"record": RECORD, "file": self.name, "checksum": self.checksum}


@dataclass
class Summary:
    """What came of it.

    Attributes:
        fetched: files fetched now.
        kept: files that were there already.
        size: bytes fetched.
        seconds: what it took.
    """

    fetched: int = 0
    kept: int = 0
    size: int = 0
    seconds: float = 0.0


def list_record(url: str = URL, *, patience: Patience = _PATIENT) -> list[Published]:
    """The files of the record, by name.

    Raises:
        FetchError: if Zenodo does not answer, or says something else than what is known of its records.
        InputError: if there is no such record, or its files are not public.
    """
    address = f"{url.rstrip('/')}/records/{RECORD}"
    answer = get(address, headers={"Accept": "application/json"}, patience=patience, service=SERVICE)
    page = without_secrets(address)
    if answer.status in (404, 410):
        raise InputError(f"{SERVICE}: no record at {page} (it answers {answer.status}); wanted the one of doi:{DOI}: see "
                         f"https://doi.org/{DOI} for where it went, and give --url")  # fmt: skip
    if answer.status != 200:
        raise FetchError(f"{SERVICE}: {page} answers {answer.status}; wanted the record's description: try later")
    try:
        files = [_file(one) for one in answer.json()["files"]]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(f"{SERVICE}: {page} does not list files with key, size and links.self, as records did in 2026; look "
                         f"at https://doi.org/{DOI}") from error  # fmt: skip
    if not files:
        raise InputError(f"{SERVICE}: the files of {page} are not public: see https://doi.org/{DOI}")
    return sorted(files, key=lambda one: one.name)


def choose(files: Sequence[Published], patterns: Sequence[str]) -> list[Published]:
    """The files whose names match any of some patterns; all if there are none.

    Raises:
        InputError: if a pattern matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(one.name, pattern) for one in files):
            names = ", ".join(one.name for one in files[:8]) + (f" and {len(files) - 8} more" if len(files) > 8 else "")
            raise InputError(f"no file of the record matches {pattern!r}: there are {names}")
    return [one for one in files if not patterns or any(fnmatchcase(one.name, pattern) for pattern in patterns)]


def fetch_published(
    folder: Path,
    files: Sequence[Published],
    *,
    workers: int = 2,
    patience: Patience = _PATIENT,
    progress: Callable[[int], None] = lambda count: None,
) -> Summary:
    """Fetch files of the record, and write beside them how their maps are read; what is there already is kept.

    Args:
        folder: where they go.
        files: those chosen.
        workers: requests in flight.
        patience: how long to wait for Zenodo.
        progress: told how many bytes more there are, by several threads; those there already come first.

    Raises:
        InputError: if the folder holds files of these names that were not fetched by this.
        FetchError: if Zenodo does not answer, or gives something else than the record says, or another run fetches into the
            folder.
        OutputError: if the files cannot be written.
    """
    check_folder(folder, (), overwrite=False)
    index = Index(folder)
    with index.alone("published"):
        return _fetch(index, files, workers, patience, progress)


def _fetch(index: Index, files: Sequence[Published], workers: int, patience: Patience, progress: Callable[[int], None],
           ) -> Summary:  # fmt: skip
    """Fetch what is missing of the files."""
    began, summary, folder = time.monotonic(), Summary(), index.folder
    _describe(folder)
    wanted = [one for one in files if not index.is_whole(one.name, what=one.what)]
    summary.kept = len(files) - len(wanted)
    if summary.kept:
        progress(sum(one.size for one in files) - sum(one.size for one in wanted))

    def work(one: Published) -> int:
        def record(done: Downloaded) -> None:
            index.add(Entry(one.name, SERVICE, one.what, done.size, done.sha256, without_secrets(one.url)))

        return download(one.url, folder / one.name, size=one.size, checksum=one.checksum, patience=patience, service=SERVICE,
                        progress=progress, record=record).size  # fmt: skip

    for _, size in in_flight(work, wanted, count=workers):
        summary.fetched += 1
        summary.size += size
    summary.seconds = time.monotonic() - began
    return summary


def _file(content: Mapping[str, Any]) -> Published:
    """A file as the record has it.

    Raises:
        LookupError: if something is not told; also TypeError, ValueError and AttributeError.
        FetchError: if its name is none for a file in the folder.
    """
    name, checksum = str(content["key"]), content.get("checksum")
    if not name or name.startswith(".") or PurePosixPath(name).name != name or "\\" in name or not name.isprintable():
        raise FetchError(
            f"{SERVICE}: the record has a file called {name!r}: wanted a plain name, to write it into the folder"
        )
    return Published(name, int(content["size"]), str(checksum) if checksum else None, str(content["links"]["self"]))


def _describe(folder: Path) -> None:
    """Write the descriptions that are not there, which are the user's from then on."""
    for name, placement in ((DESCRIPTION, CELLS), (PLACED, NODES)):
        if not (folder / name).exists():
            write_description(folder / name, Description(placement=placement), _ABOUT[placement])
