"""The folder of a training: made, made room in, and locked, so that two trainings never write into one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepcams.errors import OutputError
from deepcams.provenance import run_record
from deepcams.training.card import card_name, weights_name
from deepcams.training.journal import NAME as JOURNAL

CHECKPOINT = "checkpoint.safetensors"
LOCK = "training.lock"


@contextmanager
def claimed(folder: Path, stage: str, *, overwrite: bool) -> Iterator[None]:
    """Make the folder, or make room in it; within the block no other training may write there.

    Args:
        folder: need not be there.
        stage: what is trained, ``spatial`` or ``temporal``.
        overwrite: whether what an earlier training left is removed.

    Raises:
        OutputError: if it cannot be made or written to, another training is at work in it, or it holds weights without
            the checkpoint to go on from.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be used ({error.strerror}); give another --output") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: is not writable; give another --output")
    with _locked(folder / LOCK):
        _make_room(folder, stage, overwrite=overwrite)
        yield


def _make_room(folder: Path, stage: str, *, overwrite: bool) -> None:
    """Remove what an earlier training left, or refuse weights that nothing could go on from."""
    weights = folder / weights_name(stage)
    try:
        for name in map(Path, (CHECKPOINT, JOURNAL, weights.name, card_name(stage))):
            for leftover in folder.glob(f".{name.stem}.*.partial{name.suffix}"):  # being written when it was killed
                leftover.unlink()
            if overwrite:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be removed ({error.strerror}); give another --output") from error
    if weights.exists() and not (folder / CHECKPOINT).exists():
        raise OutputError(f"{weights}: exists already, without a checkpoint to go on from; give another --output, or "
                          "--overwrite to replace it")  # fmt: skip


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends; the file tells who holds it."""
    descriptor = _lock(path)
    try:
        with suppress(OSError):  # a full disk: what is written there is for people only
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {run_record()['host']}".encode())
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # still locked: nobody can take it for theirs in between
        os.close(descriptor)


def _lock(path: Path) -> int:
    """The lock's file, open and locked.

    Raises:
        OutputError: if another process holds the lock, or the file cannot be made.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); give another --output") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise OutputError(f"{path.parent}: another training is at work there ({holder}): wait for it, stop it, or give "
                              "another --output") from None  # fmt: skip
        except OSError:
            return descriptor  # a file system without locks: better to train unguarded than not at all
        if _is_there(path, descriptor):
            return descriptor
        os.close(descriptor)  # who held it has just removed it: what is locked is a file without a name


def _is_there(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that has the name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
