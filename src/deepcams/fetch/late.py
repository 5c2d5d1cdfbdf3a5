"""Calls that may take too long: names that are looked up, and answers that trickle, know no limit of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from deepcams.fetch import stopping

_Answer = TypeVar("_Answer")
_SLICE = 0.2  # seconds between looks at whether to stop


class LateError(Exception):
    """A call took longer than it may."""


def within(
    seconds: float, call: Callable[[], _Answer], *, unwanted: Callable[[_Answer], object] = lambda answer: None
) -> _Answer:
    """What a call gives, if that does not take longer.

    Args:
        seconds: that it may take.
        call: done by another thread, which is left behind if it is late.
        unwanted: told what comes when nobody waits any more, to close it.

    Raises:
        LateError: if it takes longer.
        Stopped: if this thread is to stop.
    """
    future: Future[_Answer] = Future()
    threading.Thread(target=_settle, args=(future, call, unwanted), daemon=True).start()
    until = time.monotonic() + seconds
    while True:
        try:
            return future.result(min(_SLICE, max(until - time.monotonic(), 0.0)))
        except TimeoutError:
            if future.done():
                return future.result()
        try:
            stopping.check()
            if time.monotonic() >= until:
                raise LateError(f"no answer within {seconds:g} s")
        except (LateError, stopping.Stopped):
            future.cancel()
            raise


def _settle(future: Future[_Answer], call: Callable[[], _Answer], unwanted: Callable[[_Answer], object]) -> None:
    """Do it, and tell how it ended, unless nobody waits any more."""
    try:
        answer = call()
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
        return
    if future.set_running_or_notify_cancel():
        future.set_result(answer)
    else:
        unwanted(answer)
