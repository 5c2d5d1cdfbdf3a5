"""Several requests in flight: the first error stops new ones, an interruption stops all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from deepcams.fetch.stopping import stopped_by

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_GRACE = 1.0  # seconds for the threads to note that they are to stop; then they are left behind
_END = object()


@dataclass(frozen=True)
class _Done(Generic[_Item, _Made]):
    item: _Item
    made: _Made


def in_flight(
    work: Callable[[_Item], _Made], items: Iterable[_Item], *, count: int
) -> Generator[tuple[_Item, _Made], None, None]:
    """Each item with what work made of it, as they are done.

    After an error no item is begun any more; those under way are brought to an end and given, then the error is raised.
    Ctrl-C and SIGTERM are not waited with: waits of this room's end within a second, and other threads die with the
    program. Wrap it in ``contextlib.closing`` where what is done with a result may fail.

    Args:
        work: what is done with an item, in a thread.
        items: taken one by one.
        count: of threads, at least one.

    Raises:
        BaseException: the first that ``work`` raised.
    """
    crew = _Crew(work, items)
    threads = [threading.Thread(target=crew.run, daemon=True) for _ in range(max(1, count))]
    first: BaseException | None = None
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            outcome = crew.outcomes.get()
            if outcome is _END:
                running -= 1
            elif isinstance(outcome, BaseException):
                first = first or outcome
            else:
                yield outcome.item, outcome.made
    finally:
        crew.stop.set()
        until = time.monotonic() + _GRACE
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
    if first is not None:
        raise first


class _Crew(Generic[_Item, _Made]):
    """What the threads share."""

    def __init__(self, work: Callable[[_Item], _Made], items: Iterable[_Item]) -> None:
        self.stop = threading.Event()
        self.outcomes: SimpleQueue[Any] = SimpleQueue()
        self._work = work
        self._items = iter(items)
        self._guard = threading.Lock()
        self._failed = False

    def run(self) -> None:
        """Take items and do the work until there is no more, or something fails."""
        try:
            with stopped_by(self.stop):
                while (item := self._next()) is not _END:
                    self.outcomes.put(_Done(item, self._work(item)))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            self._failed = True
            self.outcomes.put(error)
        finally:
            self.outcomes.put(_END)

    def _next(self) -> Any:
        with self._guard:
            return _END if self._failed or self.stop.is_set() else next(self._items, _END)
