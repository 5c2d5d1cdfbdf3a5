"""Runs the command line again and again in forks of one process that has its libraries, and kills them when told to.

A line of JSON is a call: ``arguments``; ``change``: kill it before the change of that number, of those made to ``store``
(renaming to or from it, removing); or ``seconds``: kill it then. The answer is a line with its exit status, the number
of changes, the seconds it took and what it printed.
"""

import json
import os
import signal
import sys
import tempfile
import threading
import time

import h5netcdf  # noqa: F401
import xarray  # noqa: F401

import deepcams.cli.downscale
import deepcams.production.estimate
import deepcams.production.run  # noqa: F401
from deepcams.cli import main

CHANGES = ("os.rename", "os.remove", "os.rmdir")


def counted(store, last, changes):
    """A hook that counts what is renamed or removed of a store, and kills the process before the last change."""

    def hook(event, arguments):
        if event not in CHANGES or not any(str(one).startswith(store) for one in arguments[:2]):
            return
        os.write(changes, b".")
        counted.number += 1
        if counted.number == last:
            os.kill(os.getpid(), signal.SIGKILL)

    counted.number = 0
    return hook


def run(call, printed, changes):
    """In a fork: the call."""
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.addaudithook(counted(call.get("store", "/nowhere"), call.get("change"), changes))
    status = 70
    try:
        main(call["arguments"])
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def answer(call):
    """Run a call in a fork, and say what came of it."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as changes:
        began, child = time.monotonic(), os.fork()
        if not child:
            run(call, printed.fileno(), changes.fileno())
        if call.get("seconds") is not None:
            timer = threading.Timer(call["seconds"], os.kill, (child, signal.SIGKILL))
            timer.start()
            status = os.waitpid(child, 0)[1]
            timer.cancel()
            timer.join()
        else:
            status = os.waitpid(child, 0)[1]
        seconds = time.monotonic() - began
        printed.seek(0)
        said = printed.read().decode()
        count = os.fstat(changes.fileno()).st_size
        return {"status": os.waitstatus_to_exitcode(status), "changes": count, "seconds": seconds, "said": said}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
