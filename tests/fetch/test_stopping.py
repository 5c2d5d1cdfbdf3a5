"""A thread stops for its own event and for those around it, and for nobody else's."""

import threading
import time

import pytest

from deepcams.fetch.stopping import Stopped, check, sleep, stopped_by


def test_nobody_is_stopped_by_default():
    check()
    before = time.monotonic()
    sleep(0.15)
    assert 0.15 <= time.monotonic() - before < 1


@pytest.mark.parametrize("which", [0, 1])
def test_any_event_around_stops(which):
    events = threading.Event(), threading.Event()
    with stopped_by(events[0]), stopped_by(events[1]):
        check()
        threading.Timer(0.1, events[which].set).start()
        before = time.monotonic()
        with pytest.raises(Stopped, match="the same command goes on"):
            sleep(30)
        assert time.monotonic() - before < 2
    check()


def test_other_threads_go_on():
    stop = threading.Event()
    stop.set()
    seen = []
    with stopped_by(stop):
        thread = threading.Thread(target=lambda: seen.append(check()))
        thread.start()
        thread.join()
    assert seen == [None]
