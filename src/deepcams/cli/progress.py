"""Progress of long work: a bar with rate and time left on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

_PLAIN_INTERVAL = 30.0  # seconds between plain lines


class Advance(Protocol):
    """Tells how many pieces more are done, and what else there is to say.

    Several at once, before any other, are those of an earlier run: they do not count in the rate.
    """

    def __call__(self, count: int, note: str = "") -> None:
        """Show it."""


@contextmanager
def progress(total: int, what: str, *, quiet: bool) -> Iterator[Advance]:
    """Show how far work has come.

    Args:
        total: pieces of work.
        what: their name, for people.
        quiet: show nothing.

    Yields:
        A function that is told how many more are done, and a note to show beside.
    """
    if quiet:
        yield lambda count, note="": None
    elif sys.stderr.isatty():
        with _bar(total, what) as advance:
            yield advance
    else:
        yield _plain(total, what)


@contextmanager
def _bar(total: int, what: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total, rate="", note="")

        kept = 0

        def advance(count: int, note: str = "") -> None:
            nonlocal kept
            done = int(shown.tasks[0].completed) + count
            if done == count > 1:
                kept = done
                shown.reset(task, completed=done)
                return
            rate = f"{(time.monotonic() - began) / max(done - kept, 1):.2f} s each"
            shown.update(task, advance=count, rate=rate, note=note)

        yield advance


def _plain(total: int, what: str) -> Advance:
    done, kept, began = 0, 0, time.monotonic()
    last = began

    def advance(count: int, note: str = "") -> None:
        nonlocal done, kept, last
        done += count
        kept = done if done == count > 1 else kept
        now = time.monotonic()
        if now - last >= _PLAIN_INTERVAL or (done == total and count):
            last = now
            left = (now - began) / max(done - kept, 1) * (total - done)
            click.echo(
                ", ".join([f"{done} of {total} {what}", f"{left:.0f} s left", *([note] if note else [])]), err=True
            )

    return advance
