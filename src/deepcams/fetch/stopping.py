"""Being stopped: threads that wait for a service look here, so that they end soon after the work is to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deepcams.errors import FetchError

_SLICE = 0.1  # seconds after which a wait looks whether it should go on
_OF_THREAD = threading.local()


class Stopped(FetchError):
    """The work was stopped by the user, or since another part of it failed."""


@contextmanager
def stopped_by(stop: threading.Event) -> Iterator[None]:
    """Within the block, this thread stops when the event is set, or that of a block around it."""
    outer = _events()
    _OF_THREAD.events = (*outer, stop)
    try:
        yield
    finally:
        _OF_THREAD.events = outer


def check() -> None:
    """Go on only if nobody wants this thread to stop.

    Raises:
        Stopped: if somebody does.
    """
    if any(stop.is_set() for stop in _events()):
        raise Stopped("stopped; the same command goes on from here")


def sleep(seconds: float) -> None:
    """Wait, but not longer than the thread is to go on.

    Raises:
        Stopped: if it is to stop.
    """
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE))
        check()


def _events() -> tuple[threading.Event, ...]:
    events: tuple[threading.Event, ...] = getattr(_OF_THREAD, "events", ())
    return events
