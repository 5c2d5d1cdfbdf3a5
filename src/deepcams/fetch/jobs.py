"""Waiting for a job of a data store: with a limit, and on from where a run was killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepcams.errors import FetchError
from deepcams.fetch import stopping
from deepcams.fetch.datastore import Asset, DataStore, Order
from deepcams.fetch.keys import STORE
from deepcams.io.output import make_folder, partial
from deepcams.urls import label_of

_FULL = "full"
_WAITS = ("accepted", "running")
_SAID = {"accepted": "queued", "running": "running", _FULL: "waits for a place in the queue"}
_ASKED_AGAIN = 3  # times that a job which is gone is ordered anew
_SLOWER = 1.5  # how much longer each pause is than the one before


@dataclass(frozen=True)
class Waiting:
    """How long to wait for a job.

    Attributes:
        first: seconds between the first two looks; more each time.
        longest: seconds between looks at most.
        limit: seconds in all.
    """

    first: float = 1.0
    longest: float = 60.0
    limit: float = 24 * 3600.0


class Pending:
    """The job that was ordered and is not fetched yet, in a small hidden file: who is killed goes on waiting for it."""

    def __init__(self, path: Path, order: Order, url: str) -> None:
        """Of an order to the store at ``url``."""
        self.path = path
        self._of = {"order": order.to_dict(), "store": label_of(url)}

    def job(self) -> str | None:
        """The job's id; None if there is none for this order."""
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None  # what cannot be read is ordered again
        ours = isinstance(known, dict) and all(known.get(name) == value for name, value in self._of.items())
        return str(known["job"]) if ours and known.get("job") else None

    def keep(self, job: str) -> None:
        """Write it down.

        Raises:
            WriteError: if that fails.
        """
        make_folder(self.path.parent)
        with partial(self.path, overwrite=True) as temporary:
            temporary.write_text(json.dumps({"job": job, **self._of}), encoding="utf-8")

    def forget(self) -> None:
        """It is fetched, or failed."""
        self.path.unlink(missing_ok=True)


def obtain(store: DataStore, order: Order, pending: Pending, *, waiting: Waiting, tell: Callable[[str], None]) -> Asset:
    """The file of an order: of the job that was ordered already if there is one, else of a new one.

    Args:
        store: who is asked.
        order: what is asked for.
        pending: where the job is written down.
        waiting: how long to wait.
        tell: told what is waited for.

    Raises:
        InputError: if the order, the key or the licence is refused.
        FetchError: if the job fails, or is not done within the limit; then it is kept, and waited for next time.
    """
    until, pause, lost, job = time.monotonic() + waiting.limit, waiting.first, 0, pending.job()
    while True:
        job = _ordered(store, order, pending) if job is None else job
        found = _FULL if job is None else _look(store, order, pending, job)
        if isinstance(found, Asset):
            return found
        if found not in _WAITS:
            job = None
            lost += found is None
        if lost > _ASKED_AGAIN:
            raise FetchError(f"{STORE} lost the job {lost} times: try later; how it does: {store.credentials.site}")
        if found is None:
            continue
        tell(_SAID[found])
        if time.monotonic() + pause > until:
            raise FetchError(_too_long(store, job, waiting.limit))
        stopping.sleep(pause)
        pause = min(_SLOWER * pause, waiting.longest)


def _ordered(store: DataStore, order: Order, pending: Pending) -> str | None:
    """A new job, written down; None if there is no place in the queue."""
    job = store.submit(order)
    if job is not None:
        pending.keep(job)
    return job


def _look(store: DataStore, order: Order, pending: Pending, job: str) -> Asset | str | None:
    """What a job made, or how far it is; None if it is not there any more.

    Raises:
        DeepcamsError: if it failed.
    """
    state = store.state(job)
    if state in _WAITS:
        return state
    asset = store.asset(job) if state == "successful" else None
    if asset is not None:
        return asset
    pending.forget()
    if state in (None, "successful"):
        return None
    reason = store.reason(job)
    if reason.is_full:
        return _FULL
    raise store.error(reason, order.dataset, job=job)


def _too_long(store: DataStore, job: str | None, limit: float) -> str:
    """The message that a job is not done."""
    hours, page = f"{limit / 3600:.3g} h", f"{store.credentials.site}/requests"
    if job is None:
        return (f"{STORE} took no order within {hours}, since its queue for you is full: see {page} for what you have "
                "there, and run the same command again later")  # fmt: skip
    return (f"{STORE}: job {job} is not done after {hours}; it is kept, and the same command goes on waiting for it, "
            f"longer with --wait; how it does: {page}")  # fmt: skip
