"""How networks are used once they have learned."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Generator[None]:
    """Compute with one thread, so that a result does not depend on how many there are.

    Sums are rounded otherwise when several threads share them. Nothing is lost: the pipeline has several pieces at work at
    a time, each in a thread of its own.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
