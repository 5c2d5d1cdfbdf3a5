"""The workers of a Dask cluster, each a process of its own: the same bytes, whichever of them is killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from deepcams.errors import InputError
from deepcams.io.locks import Claim
from deepcams.io.store import status_of
from deepcams.production.order import Order
from deepcams.production.run import Crew, downscale_to

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two workers, to be reached from this machine only."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with distributed.LocalCluster(host="127.0.0.1", silence_logs=50, **options) as cluster:
        yield cluster


@pytest.fixture
def order(six):
    return lambda path: Order((str(path),), **six.quick)


@pytest.fixture
def crew(cluster):
    return Crew(scheduler=cluster.scheduler_address)


def pids(cluster):
    """The processes of the workers."""
    return [nanny.pid for nanny in cluster.workers.values() if nanny.pid]


def test_the_bytes_are_those_of_one_process(tmp_path, crew, order, six_days, made, files_of):
    out, done = tmp_path / "out.zarr", []
    summary = downscale_to(order(six_days), out, crew=crew, progress=done.append)
    assert (summary.hours, summary.complete, sum(done)) == (142, True, 142)
    assert files_of(out) == made(six_days)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.zarr", "out.zarr.log"]


def test_a_worker_that_is_killed(tmp_path, cluster, crew, order, many_nodes, made, files_of):
    """Its days are made by another one."""
    out, killed = tmp_path / "out.zarr", []

    def kill():
        while not any(out.glob("ledger/sha256/c/*/0/0")):
            time.sleep(0.01)
        killed.append(pids(cluster)[0])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    summary = downscale_to(order(many_nodes), out, crew=crew)
    thread.join(10)
    assert killed
    assert summary.complete
    assert files_of(out) == made(many_nodes)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.zarr", "out.zarr.log"]


def test_a_damaged_analysis_is_read_again_once_it_is_mended(
    tmp_path, crew, order, six, six_days, damaged, made, files_of
):
    """The workers outlive the run; they must not keep the damaged file."""
    bad, out = damaged(six_days, 17, tmp_path / "in" / "cams.nc"), tmp_path / "out.zarr"
    summary = downscale_to(order(bad), out, crew=crew)
    assert [str(date) for date in summary.failures] == ["2019-12-31"]
    assert status_of(out) == "unfinished"
    six.write(bad)
    summary = downscale_to(order(bad), out, crew=crew)
    assert (summary.hours, summary.kept, summary.complete) == (24, 118, True)
    assert files_of(out) == made(six_days)


def test_a_part_on_a_cluster(tmp_path, crew, order, six_days, made, files_of, cluster):
    out = tmp_path / "out.zarr"
    for part in (2, 1):
        downscale_to(order(six_days), out, crew=Crew(scheduler=cluster.scheduler_address, claim=Claim(part, 2)))
    assert files_of(out) == made(six_days)


def test_a_run_that_is_killed_goes_on_elsewhere(tmp_path, cluster, start, warm, six, many_nodes, made, files_of):
    out = tmp_path / "out.zarr"
    run = start(many_nodes, out, *six.options, "--scheduler", cluster.scheduler_address)
    while not any(out.glob("ledger/sha256/c/*/0/0")) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 143
    assert "Traceback" not in error
    assert warm(many_nodes, out, *six.options).status == 0
    assert files_of(out) == made(many_nodes)


def test_no_scheduler_is_one_message(tmp_path, order, six_days, monkeypatch):
    from deepcams.production import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    with pytest.raises(InputError, match=r"no Dask scheduler at tcp://127.0.0.1:1 .*start one with dask scheduler"):
        downscale_to(order(six_days), tmp_path / "out.zarr", crew=Crew(scheduler="tcp://127.0.0.1:1"))
    assert not list(tmp_path.iterdir())


def test_a_scheduler_without_workers_is_one_message(tmp_path, order, six_days):
    with (
        distributed.LocalCluster(
            n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
        ) as empty,
        pytest.raises(InputError, match="has no worker: start some"),
    ):
        downscale_to(order(six_days), tmp_path / "out.zarr", crew=Crew(scheduler=empty.scheduler_address))
    assert not list(tmp_path.iterdir())


def test_a_scheduler_that_is_killed(tmp_path, start, warm, six, many_nodes, made, files_of):
    """What is done is kept."""
    out, note = tmp_path / "out.zarr", tmp_path / "in_scheduler.json"
    common = ["--scheduler-file", str(note), "--host", "127.0.0.1", "--no-dashboard"]
    scheduler = started("dask_scheduler", *common, "--port", "0")
    worker = started(
        "dask_worker", *common, "--nthreads", "1", "--death-timeout", "1", "--local-directory", str(tmp_path)
    )
    try:
        while not note.exists() or not note.read_text():
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(note), set_as_default=False) as client:
            client.wait_for_workers(1, timeout=30)
            address = client.scheduler.address
        run = start(many_nodes, out, *six.options, "--scheduler", address, "--quiet")
        while not any(out.glob("ledger/sha256/c/*/0/0")) and run.poll() is None:
            time.sleep(0.01)
        scheduler.kill()
        _, error = run.communicate(timeout=60)
        assert run.returncode == 1
        assert "deepcams: the connection to the Dask scheduler was lost; what is done is kept" in error
        assert status_of(out) == "unfinished"
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert warm(many_nodes, out, *six.options).status == 0
    assert files_of(out) == made(many_nodes)


def started(module, *arguments):
    call = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
