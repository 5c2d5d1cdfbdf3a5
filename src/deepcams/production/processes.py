"""Tasks shared out among processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from deepcams.errors import DeepcamsError
from deepcams.production.work import Task

_Result = TypeVar("_Result")
_RETRIES = 3  # pools that break without having done anything
# Locks of libraries that a killed process had are removed by multiprocessing, which need not say so.
_QUIET = "ignore:resource_tracker"


def run_here(
    function: Callable[[Task], _Result], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, _Result]]:
    """Run a function on tasks in several processes; gives tasks and results as they come.

    The processes end with this one, whatever ends it. If one of them is killed, the tasks that are not done are begun
    anew.

    Raises:
        DeepcamsError: if a task raises it, or the processes are killed again and again.
    """
    left, retries = list(tasks), _RETRIES
    while left:
        try:
            with _pool(min(workers, len(left))) as pool:
                running: dict[Future[_Result], Task] = {_submit(pool, function, task): task for task in left}
                for future in as_completed(running):
                    result = future.result()
                    left.remove(running[future])
                    retries = _RETRIES
                    yield running[future], result
        except BrokenProcessPool as error:
            retries -= 1
            if not retries:
                days = ", ".join(f"{task.dates[0]} to {task.dates[-1]}" for task in left[:workers])
                raise DeepcamsError(f"processes were killed again and again (too little memory?), at work on some of {days}; "
                                    "try fewer --workers; what is done is kept") from error  # fmt: skip


def _submit(pool: ProcessPoolExecutor, function: Callable[[Task], _Result], task: Task) -> Future[_Result]:
    try:
        return pool.submit(function, task)
    except OSError as error:  # a process was killed while another one was started
        raise BrokenProcessPool(str(error)) from error


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool whose processes end when this block or this process does."""
    if _QUIET not in sys.warnoptions:
        sys.warnoptions.append(_QUIET)
    context = multiprocessing.get_context("spawn")
    listening, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _end_with, (listening,))
    try:
        yield pool
    except BaseException:
        held.close()  # they end at once, whatever they are at
        raise
    finally:
        pool.shutdown(cancel_futures=True)  # none is left when this one goes on, or ends
        held.close()
        listening.close()


def _end_with(held: Connection) -> None:
    """In a process of the pool: end when the other end of the pipe is closed, at the latest with the process that holds it."""

    def wait() -> None:
        held.poll(None)  # nothing is ever sent: it returns at the end
        os._exit(1)

    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal sends it to all: it is for the process that holds the pipe
    threading.Thread(target=wait, daemon=True).start()
