"""Tasks sent to a Dask cluster (https://distributed.dask.org)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar

from deepcams.errors import DeepcamsError, InputError
from deepcams.io.files import first_line
from deepcams.production.work import Task

_Result = TypeVar("_Result")
_RETRIES = 2
_PATIENCE = "30s"  # to find the scheduler


def connect(address: str) -> Any:
    """A client of a scheduler.

    Raises:
        InputError: if the extra ``cluster`` is not installed, or no scheduler or no worker is there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError('--scheduler needs Dask: run pip install "deepcams[cluster]"') from error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError, RuntimeError) as error:
        raise InputError(f"no Dask scheduler at {address} ({first_line(error)}): start one with dask scheduler, and give its "
                         "address like tcp://host:8786") from error  # fmt: skip
    if not threads_of(client):
        client.close()
        raise InputError(
            f"the Dask scheduler at {address} has no worker: start some, with dask worker {address} --nthreads 1"
        )
    return client


def threads_of(client: Any) -> int:
    """How many tasks the cluster works on at once."""
    return sum(client.nthreads().values())


def run_there(
    client: Any, function: Callable[[Task], _Result], tasks: Sequence[Task]
) -> Iterator[tuple[Task, _Result]]:
    """Run a function on tasks in a cluster; gives tasks and results as they come.

    A task whose worker dies is begun anew on another one.

    Raises:
        DeepcamsError: if a task raises it, the workers of one die again and again, or the scheduler does.
    """
    from distributed import as_completed
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    futures = {client.submit(function, task, retries=_RETRIES, pure=False): task for task in tasks}
    try:
        for future in as_completed(futures, loop=client.loop):
            try:
                yield futures[future], future.result()
            except KilledWorker as error:
                days = futures[future].dates
                raise DeepcamsError(f"the workers at work on {days[0]} to {days[-1]} were killed again and again (too little "
                                    "memory?); what is done is kept") from error  # fmt: skip
            except (CancelledError, CommClosedError) as error:
                raise DeepcamsError("the connection to the Dask scheduler was lost; what is done is kept: the same command "
                                    "goes on from here") from error  # fmt: skip
    finally:
        with suppress(OSError):  # there may be no scheduler any more
            client.cancel(list(futures))
