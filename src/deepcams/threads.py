"""Threads: how many there may be, and work handed over in order by a few of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[_Item], _Made], items: Iterable[_Item], threads: int) -> Generator[_Made, None, None]:
    """What work makes of each item, in order; the threads are never more than a few items ahead of who takes it.

    Args:
        work: what a thread does with an item.
        items: taken one by one.
        threads: how many.
    """
    pending: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
