"""The course of a training: one JSON object per line, and TensorBoard where it is installed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from deepcams.io.output import partial, writing

NAME, BOARD = "metrics.jsonl", "tensorboard"


class Journal:
    """Writes ``metrics.jsonl`` in a folder, going on after a step.

    Lines of later steps, left by a run that was killed after its last checkpoint, are dropped: they are written again.

    Args:
        folder: where to write; None to write nothing, in processes other than the first.
        step: the last step that stays.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self._path = folder and folder / NAME
        self._stream: TextIO | None = None
        self._board: Any = None
        if folder is None or self._path is None:
            return
        kept = list(_lines(self._path, step))
        with partial(self._path, overwrite=True) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")
        with writing(self._path):
            self._stream = self._path.open("a", encoding="utf-8")
        self._board = _board(folder / BOARD, step)

    def write(self, step: int, numbers: Mapping[str, Any]) -> None:
        """Add a line; nested numbers are named ``outer/inner`` in TensorBoard."""
        if self._stream is None or self._path is None:
            return
        with writing(self._path):
            self._stream.write(json.dumps({"step": step, **numbers}, allow_nan=False) + "\n")
            self._stream.flush()
        for name, value in _flat(numbers) if self._board is not None else ():
            self._board.add_scalar(name, value, step)

    def sync(self) -> None:
        """Bring what was written to the disk: a checkpoint must not know of steps that the journal lacks."""
        if self._stream is not None and self._path is not None:
            with writing(self._path):
                os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the files; every line was written at once, and what a full disk refused then is not tried again."""
        for one in (self._stream, self._board):
            if one is not None:
                with suppress(OSError):
                    one.close()


def _lines(path: Path, last: int) -> Iterator[str]:
    """The whole lines up to a step."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        try:
            step = json.loads(line)["step"]
        except (ValueError, KeyError, TypeError):
            return  # half a line: the run was killed as it wrote it
        if step > last or not line.endswith("\n"):
            return
        yield line


def _board(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None if it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)


def _flat(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, float(value)
