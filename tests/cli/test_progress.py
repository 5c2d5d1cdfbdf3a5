from __future__ import annotations

import pytest

from deepcams.cli import progress as module
from deepcams.cli.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when they are told to."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_what_an_earlier_run_did_does_not_count_in_the_rate(clock, capsys):
    with progress(100, "steps", quiet=False) as advance:
        advance(80)
        for _ in range(4):
            clock[0] += 10
            advance(1, "loss 0.5")
    assert capsys.readouterr().err.splitlines() == ["83 of 100 steps, 170 s left, loss 0.5"]


def test_quiet_says_nothing(capsys):
    with progress(2, "steps", quiet=True) as advance:
        advance(2, "loss 0.5")
    assert capsys.readouterr() == ("", "")


def test_a_bar_takes_the_same(clock, monkeypatch, capsys):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    with progress(10, "steps", quiet=False) as advance:
        advance(5)
        clock[0] += 2
        advance(1, "loss 0.5")
    assert "6/10" in capsys.readouterr().err
