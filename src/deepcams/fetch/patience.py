"""How long to wait for a service, how often to try again, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from deepcams.errors import FetchError
from deepcams.fetch import stopping

TOO_MANY = 429
AGAIN = (TOO_MANY, 500, 502, 503, 504)  # statuses of a service that may do better later
_RESUMES = "what was fetched is kept, and the same command goes on from there"


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes:
        connect: seconds until there is a connection.
        read: seconds without a byte.
        tries: how often one thing is asked for without getting further.
        pause: seconds between the first and the second try; doubled each time, with jitter.
        longest_pause: seconds that a pause takes at most.
        longest_asked: seconds that a service may ask to wait (Retry-After); one that asks for more is given up.
        slowest: bytes per second; what comes more slowly is given up, and tried again from where it was.
        window: seconds over which that is measured.
        deadline: seconds for one thing in all, pauses included; None for no such limit.
    """

    connect: float = 10.0
    read: float = 60.0
    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    longest_asked: float = 300.0
    slowest: float = 1024.0
    window: float = 30.0
    deadline: float | None = None


DEFAULT = Patience()


class Pace:
    """How often a service may be asked: as often as one likes, unless it has limits of its own."""

    def take(self) -> None:
        """Wait until it may be asked once more."""

    def told(self, headers: Mapping[str, str], *, refused: bool) -> float | None:
        """Take in what an answer tells of limits.

        Args:
            headers: of the answer.
            refused: whether it was the answer that there were too many requests.

        Returns:
            Seconds until there may be others; None if that is not told.
        """
        return None


ANY_PACE = Pace()


class Attempts:
    """The tries at one thing: counted, with pauses between them, within the deadline."""

    def __init__(self, patience: Patience, what: str) -> None:
        """Begin.

        Args:
            patience: how long to wait.
            what: what is asked for, for people, without secrets.
        """
        self.patience = patience
        self.what = what
        self._began = time.monotonic()
        self._made = 0
        self._fruitless = 0

    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        deadline = self.patience.deadline
        return float("inf") if deadline is None else deadline - (time.monotonic() - self._began)

    def again(self, why: str, *, asked: float | None = None, progress: bool = False) -> None:
        """Wait before the next try.

        Args:
            why: what went wrong.
            asked: seconds that the service asks to wait.
            progress: whether the try brought something; then the next one counts as the first.

        Raises:
            FetchError: if there is to be no other try.
            Stopped: if the work is stopped in the meantime.
        """
        self._made += 1
        self._fruitless = 1 if progress else self._fruitless + 1
        if asked is not None and asked > self.patience.longest_asked:
            raise self.failure(f"{why}, and to come back in {asked:.0f} s")
        pause = self._pause() if asked is None else asked + self._jitter()
        if self._fruitless >= self.patience.tries or pause >= self.left():
            raise self.failure(why)
        stopping.sleep(pause)

    def failure(self, why: str) -> FetchError:
        """That it did not work out, for people."""
        tries = "1 try" if self._made <= 1 else f"{self._made} tries"
        seconds = time.monotonic() - self._began
        return FetchError(f"{self.what}: {why} ({tries} in {seconds:.0f} s); {_RESUMES}: try later")

    def _pause(self) -> float:
        """Half of it is left to chance, so that those who failed together do not come back together."""
        longest = min(self.patience.pause * 2.0 ** (self._fruitless - 1), self.patience.longest_pause)
        return longest * random.uniform(0.5, 1.0)

    def _jitter(self) -> float:
        return random.uniform(0.0, 0.5) * min(self.patience.pause, self.patience.longest_pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service asks to wait (RFC 9110, 10.2.3: a number or a date); None if it does not say."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
