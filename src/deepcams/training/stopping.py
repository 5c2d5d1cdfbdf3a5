"""Being stopped: Ctrl-C and SIGTERM wait for the end of a step, so that nothing is lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Stop:
    """Whether to stop.

    Attributes:
        number: of the signal that asked for it; 0 for none.
    """

    number: int = 0

    def leave(self) -> NoReturn:
        """End as the signal would have.

        Raises:
            KeyboardInterrupt: after Ctrl-C.
            SystemExit: after SIGTERM, or when another process of the training was asked to stop; 128 plus its number.
        """
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + (self.number or signal.SIGTERM))


@contextmanager
def stop_requests() -> Iterator[Stop]:
    """Note the first signal within the block; a second one acts at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # only it is told of signals
        yield stop
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        stop.number = number
        restore()

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()
