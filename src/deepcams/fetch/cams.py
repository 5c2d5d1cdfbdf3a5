"""CAMS fields from the Atmosphere Data Store: a request for each calendar month, checked before it gets its name.

EAC4 (the reanalysis) is what ``deepcams downscale`` is made for. The forecast comes on 0.4 degrees: it can be looked at,
and is refused there. How the store's form names things (``data_format`` is ``grib`` or ``netcdf_zip``, a ``date`` is a range,
``area`` is N, W, S, E) was looked up in requests that others published; see docs/fetch.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from deepcams.errors import FetchError, InputError
from deepcams.fetch.cams_checks import check, suffix_for
from deepcams.fetch.cams_requests import Request
from deepcams.fetch.datastore import DataStore
from deepcams.fetch.download import RefusedError, download
from deepcams.fetch.index import Index
from deepcams.fetch.jobs import Pending, Waiting, obtain
from deepcams.fetch.many import in_flight
from deepcams.fetch.patience import Patience
from deepcams.fetch.stopping import Stopped, stopped_by
from deepcams.io.output import check_folder, make_folder, writing

SERVICE = "Atmosphere Data Store"
_GONE = (403, 404, 410)  # of a file that is not kept any more: it is ordered once again

Advance = Callable[[int, str], None]


@dataclass
class Summary:
    """What was done.

    Attributes:
        folder: where the files are.
        fetched: the names of those that are new.
        kept: the names of those that were there already.
        size: bytes of those that are new.
        seconds: that it took.
        notes: what a user should be told.
    """

    folder: Path
    fetched: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    size: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def fetch_cams(
    requests: Sequence[Request],
    folder: Path,
    connect: Callable[[], DataStore],
    *,
    workers: int = 2,
    waiting: Waiting = Waiting(),  # noqa: B008 - it is frozen
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
    progress: Advance = lambda count, note: None,
) -> Summary:
    """Fetch what is not there yet; a run that was stopped or failed is gone on with by the same call.

    Args:
        requests: what to fetch, from :func:`deepcams.fetch.cams_requests.plan`.
        folder: where the files go; it is made if it is not there.
        connect: gives the store to ask; called only if there is something to fetch.
        workers: requests in flight at the same time.
        waiting: how long to wait for each job.
        patience: how long to wait for each answer and download.
        progress: told how many requests more are done, and what is waited for.

    Raises:
        InputError: if the key, the licence or the request is refused, or a file of the name is there that was not fetched.
        FetchError: if the store fails, or a job takes too long.
        OutputError: if the files cannot be written.
    """
    began, summary = time.monotonic(), Summary(folder)
    check_folder(folder, (), overwrite=False)
    index = Index(folder)
    missing = []
    for request in requests:
        name = _there(index, request)
        summary.kept += [name] if name else []
        missing += [] if name else [request]
    progress(len(summary.kept), "")
    if missing:
        make_folder(folder)
        _fetch(missing, _Errand(index, connect(), waiting, patience, progress), workers, summary)
    summary.seconds = time.monotonic() - began
    return summary


def _there(index: Index, request: Request) -> str | None:
    """The name of the file of a request, if it has been fetched."""
    names = [f"{request.stem}{suffix}" for suffix in request.suffixes]
    return next((name for name in names if index.is_whole(name, what=request.order.to_dict())), None)


def _fetch(missing: Sequence[Request], errand: _Errand, workers: int, summary: Summary) -> None:
    """Fetch them, several at once.

    Raises:
        DeepcamsError: the first failure; waits for other jobs then end, downloads that have begun are finished.
    """
    try:
        with closing(in_flight(errand.run, missing, count=workers)) as results:
            for _, (name, size) in results:
                (summary.fetched if size else summary.kept).append(name)
                summary.size += size
                errand.progress(1, name)
    except Stopped as error:
        raise errand.failure or error from None
    finally:
        errand.enough.set()
        summary.fetched.sort()
        summary.kept.sort()
        summary.notes += errand.store.messages


@dataclass
class _Errand:
    """What all requests of a run share.

    Attributes:
        enough: set when no job is to be waited for any more.
        failure: the first one.
    """

    index: Index
    store: DataStore
    waiting: Waiting
    patience: Patience
    progress: Advance
    enough: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def run(self, request: Request) -> tuple[str, int]:
        """Fetch the file of a request; its name and size, which is 0 if another run has fetched it meanwhile."""
        try:
            with self.index.claim(request.stem):
                name = _there(self.index, request)
                return (name, 0) if name else self._fetch(request)
        except Stopped:
            raise
        except Exception as error:
            self.failure = self.failure or error
            self.enough.set()
            raise

    def _fetch(self, request: Request) -> tuple[str, int]:
        hidden = self.index.folder / f".{request.stem}"
        whole = hidden.with_name(f"{hidden.name}.whole")
        pending = Pending(hidden.with_name(f"{hidden.name}.job.json"), request.order, self.store.credentials.url)
        if whole.exists() and pending.job() is None:  # of another order, that nobody waits for any more
            with writing(whole):
                whole.unlink()
        url = "" if whole.exists() else self._download(request, pending, whole)
        try:
            check(whole, request)
        except InputError as error:
            pending.forget()
            whole.unlink(missing_ok=True)
            raise FetchError(
                f"{request.stem}: what came is not what was asked for, and is not kept: {error}"
            ) from error
        name = f"{request.stem}{suffix_for(whole)}"
        entry = self.index.admit(name, whole, service=SERVICE, what=request.order.to_dict(), url=url)
        pending.forget()
        return name, entry.size

    def _download(self, request: Request, pending: Pending, whole: Path, *, again: bool = True) -> str:
        """Order the file, wait for it and fetch it; where it came from.

        Raises:
            DeepcamsError: if that does not work out.
        """
        with stopped_by(self.enough):
            asset = obtain(self.store, request.order, pending, waiting=self.waiting, tell=self._tell(request))
        self.progress(0, f"{request.stem}: downloading")
        try:
            download(asset.url, whole, size=asset.size, patience=self.patience, service=SERVICE)
        except RefusedError as error:
            if error.status not in _GONE:
                raise
            pending.forget()
            if not again:
                raise
            return self._download(request, pending, whole, again=False)
        return asset.url

    def _tell(self, request: Request) -> Callable[[str], None]:
        return lambda said: self.progress(0, f"{request.stem}: {said}")
