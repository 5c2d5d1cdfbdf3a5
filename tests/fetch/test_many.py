"""Several in flight: as many as were asked for, none after an error, all ended by an interruption."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from deepcams.fetch import stopping
from deepcams.fetch.index import Index
from deepcams.fetch.many import in_flight
from deepcams.fetch.stopping import Stopped
from tests.fetch.server import Drip, Hang


@pytest.mark.parametrize("count", [1, 3, 50])
def test_each_item_is_done_once(count):
    done = list(in_flight(lambda item: item * 2, range(20), count=count))
    assert sorted(done) == [(item, item * 2) for item in range(20)]


def test_nothing_to_do_is_done():
    assert list(in_flight(print, [], count=3)) == []


def test_as_many_at_once_as_were_asked_for():
    together = threading.Barrier(4)
    assert len(list(in_flight(lambda item: together.wait(5), range(8), count=4))) == 8


def test_they_come_as_they_are_done():
    first = threading.Event()

    def work(item):
        return first.wait(5) if item == 0 else first.set()

    assert [item for item, _ in in_flight(work, [0, 1], count=2)] == [1, 0]


def test_after_an_error_none_is_begun():
    begun = []

    def work(item):
        begun.append(item)
        if item == 1:
            raise ValueError("one")
        time.sleep(0.1)

    with pytest.raises(ValueError, match="one"):
        list(in_flight(work, range(100), count=3))
    assert max(begun) <= 3


def test_those_under_way_are_given_after_an_error():
    failed = threading.Event()

    def work(item):
        if item == 1:
            failed.set()
            raise ValueError("one")
        failed.wait(5)
        return item

    given = []

    def take():
        for item, _ in in_flight(work, range(100), count=2):
            given.append(item)

    with pytest.raises(ValueError, match="one"):
        take()
    assert given == [0]


def test_an_error_of_the_items_is_one():
    def items():
        yield 1
        raise LookupError("no more pages")

    with pytest.raises(LookupError, match="no more pages"):
        list(in_flight(str, items(), count=2))


def test_who_stops_taking_stops_the_threads():
    ended = []

    def work(item):
        if item == 0:
            return item
        try:
            stopping.sleep(30)
        except Stopped:
            ended.append(item)
            raise

    before = time.monotonic()
    with closing(in_flight(work, range(9), count=3)) as done:
        assert next(done) == (0, 0)
    assert time.monotonic() - before < 1
    assert set(ended) <= {1, 2, 3}
    assert len(ended) >= 2


SCRIPT = """
import signal, sys
from contextlib import closing
from pathlib import Path
from deepcams.fetch.download import download
from deepcams.fetch.index import Entry, Index
from deepcams.fetch.many import in_flight
from deepcams.fetch.patience import Patience

signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # as the command line does
url, folder = sys.argv[1], Path(sys.argv[2])
index = Index(folder)

def fetch(name):
    def record(done):
        index.add(Entry(name, "Testing", {}, done.size, done.sha256, url))
    if not index.is_whole(name):
        download(f"{url}/{name}", folder / name, patience=Patience(slowest=1.0, read=30.0), record=record)

with closing(in_flight(fetch, [f"{number}.nc" for number in range(6)], count=3)) as done:
    for name, _ in done:
        print(name, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_was_stopped_goes_on(server, tmp_path, number):
    """Some are done, one drips, one hangs; stopped at once, and brought to an end by the next run."""
    body = bytes(range(256)) * 400
    for item in range(6):
        server.serve(f"/{item}.nc", body)
    server.misbehave("/1.nc", Drip(20_000.0))
    server.misbehave("/2.nc", Hang(25.0))
    call = [sys.executable, "-c", SCRIPT, server.url, str(tmp_path)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    done = sorted(process.stdout.readline() for _ in range(4))
    time.sleep(0.3)
    before = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert time.monotonic() - before < 3
    assert done == ["0.nc\n", "3.nc\n", "4.nc\n", "5.nc\n"]
    assert process.returncode in (-number, 128 + number)
    assert sorted(path.name for path in tmp_path.glob("[0-9].nc")) == ["0.nc", "3.nc", "4.nc", "5.nc"]
    server.requests.clear()
    subprocess.run(call, check=True, capture_output=True, timeout=60)
    assert all((tmp_path / f"{item}.nc").read_bytes() == body for item in range(6))
    assert sorted(request.path for request in server.requests) == ["/1.nc", "/2.nc"]
    assert all("range" in request.headers for request in server.requests_to("/1.nc"))
    index = Index(tmp_path)
    assert all(index.is_whole(f"{item}.nc") for item in range(6))
    hidden = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert [name for name in hidden if "partial" in name] == []
