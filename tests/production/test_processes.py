"""Several processes of one machine: the same bytes, whichever of them is killed, and none is left behind."""

import math
import os
import signal
import time
from pathlib import Path

import pytest

from deepcams.io.store import status_of
from deepcams.production import processes

if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
    pytest.skip("the system does not tell of the children of a process", allow_module_level=True)


def children(pid):
    """The processes that work for another one: not the one that multiprocessing has for its semaphores."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in pids if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=60):
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    assert found
    return found


def finished(out):
    """The days whose entry is in the ledger."""
    return list(out.glob("ledger/sha256/c/*/0/0"))


@pytest.fixture
def begun(tmp_path, start, six, many_nodes):
    """A run of two processes that has finished a day."""
    run = start(many_nodes, tmp_path / "out.zarr", *six.options, "--workers", "2", "--quiet")
    until(lambda: finished(tmp_path / "out.zarr") or run.poll() is not None)
    assert run.poll() is None, run.communicate()
    return run


def test_a_worker_that_is_killed(begun, tmp_path, many_nodes, made, files_of):
    os.kill(children(begun.pid)[0], signal.SIGKILL)
    _, error = begun.communicate(timeout=120)
    assert (begun.returncode, error) == (0, "")
    assert files_of(tmp_path / "out.zarr") == made(many_nodes)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.zarr", "out.zarr.log"]


ENDS = [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True)]


@pytest.mark.parametrize(("number", "to_all"), ENDS)
def test_a_run_that_is_killed(begun, tmp_path, warm, six, many_nodes, made, files_of, number, to_all):
    """A terminal and a batch system send signals to all processes of a run."""
    workers = children(begun.pid)
    (os.killpg if to_all else os.kill)(begun.pid, number)
    _, error = begun.communicate(timeout=60)
    assert begun.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number], error
    until(lambda: not any(map(is_running, workers)), 10)
    assert error.strip() == ("stopped" if number == signal.SIGINT else "")
    assert status_of(tmp_path / "out.zarr") == "unfinished"
    resumed = warm(many_nodes, tmp_path / "out.zarr", *six.options)
    assert resumed.status == 0
    assert "kept " in resumed.said
    assert files_of(tmp_path / "out.zarr") == made(many_nodes)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.zarr", "out.zarr.log"]


def test_workers_that_are_killed_again_and_again(tmp_path, begun, made):
    """It is given up, with a message, and what is done is kept."""
    seen = set()

    def killed():
        for pid in set(children(begun.pid)) - seen:
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
        return begun.poll() is not None

    until(killed)
    _, error = begun.communicate(timeout=60)
    assert begun.returncode == 1
    assert "killed again and again" in error
    assert error.count("\n") == 1
    assert status_of(tmp_path / "out.zarr") == "unfinished"


def test_each_task_is_done_once():
    assert dict(processes.run_here(abs, range(-7, 0), 2)) == {number: -number for number in range(-7, 0)}


def test_a_task_that_fails_ends_the_others():
    with pytest.raises(ValueError, match="math domain error"):
        list(processes.run_here(math.sqrt, [4.0, -1.0, 9.0], 2))
    until(lambda: not children(os.getpid()), 10)


def test_who_takes_no_more_results_ends_the_processes():
    results = processes.run_here(abs, range(20), 2)
    next(results)
    results.close()
    until(lambda: not children(os.getpid()), 10)


def test_nothing_to_do():
    assert list(processes.run_here(abs, [], 2)) == []
