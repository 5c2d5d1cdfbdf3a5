"""A server on loopback for each test, and no proxies."""

from __future__ import annotations

import pytest

from deepcams.fetch.patience import Patience
from tests.fetch.server import Server

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """What the environment says of proxies is none of the tests' business."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def impatient():
    """Waits of hundredths of a second."""
    return Patience(connect=2.0, read=0.5, tries=3, pause=0.01, longest_pause=0.05, slowest=1000.0, window=0.3)
