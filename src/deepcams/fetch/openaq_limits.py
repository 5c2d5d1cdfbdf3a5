"""OpenAQ's limits on how often one may ask: kept to before the service has to refuse.

A key may ask 60 times a minute and 2 000 times an hour, and each answer tells what is left (docs.openaq.org/using-the-api/
rate-limits): ``x-ratelimit-remaining``, and ``x-ratelimit-reset``, the seconds until it is all there again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from deepcams.errors import FetchError
from deepcams.fetch import stopping
from deepcams.fetch.patience import Pace, Patience

_ANSWERS, _SECONDS = 60, 60.0
_EPOCH = 1e6  # what is larger is no number of seconds to wait, but a time: the documentation calls it a timestamp
_LONG = 5.0  # seconds of a wait that is worth a word


class Allowance(Pace):
    """How often the service may still be asked; shared by all threads."""

    def __init__(self, patience: Patience, tell: Callable[[str], None] = lambda words: None) -> None:
        """Begin with what every key may.

        Args:
            patience: how long to wait at most.
            tell: told of long waits.
        """
        self._patience, self._tell = patience, tell
        self._lock = threading.Lock()
        self._limit, self._left, self._until = _ANSWERS, 0, 0.0

    def take(self) -> None:
        """Wait until the service may be asked once more.

        Raises:
            FetchError: if that takes too long.
            Stopped: if the work is to stop.
        """
        with self._lock:  # who waits lets nobody pass: the others would have to wait as long
            stopping.check()
            now = time.monotonic()
            if self._left <= 0 and now < self._until:
                self._wait(self._until - now)
            if time.monotonic() >= self._until:
                self._left, self._until = self._limit, time.monotonic() + _SECONDS
            self._left -= 1

    def told(self, headers: Mapping[str, str], *, refused: bool) -> float | None:
        """Take in what an answer tells.

        Args:
            headers: of the answer.
            refused: whether it was the answer that there were too many requests; what it then says is left is not true.

        Returns:
            Seconds until there may be others; None if that is not told.
        """
        seconds = reset_of(headers)
        limit, left = (_whole(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining"))
        with self._lock:
            self._limit = limit or self._limit
            if seconds is not None and (refused or left is not None):
                self._left = 0 if refused else min(self._left, left or 0)
                self._until = time.monotonic() + seconds
        return seconds

    def _wait(self, seconds: float) -> None:
        if seconds > self._patience.longest_asked:
            raise FetchError(
                f"OpenAQ: this key may ask again in {seconds / 60:.0f} min; what was fetched is kept, and the same command "
                "goes on from there"
            )
        if seconds > _LONG:
            self._tell(f"waiting {seconds:.0f} s: OpenAQ's limit for this key is reached")
        stopping.sleep(seconds)


def reset_of(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limit is reset; None if that is not told."""
    told = _whole(headers.get("x-ratelimit-reset"))
    if told is None:
        return None
    return max(told - time.time(), 0.0) if told > _EPOCH else float(told)


def _whole(text: str | None) -> int | None:
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdecimal() else None
