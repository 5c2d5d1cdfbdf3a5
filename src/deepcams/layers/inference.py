"""How networks are used once they have learned: so that a result depends on its input alone, on either device."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

import torch

from deepcams.errors import DeepcamsError
from deepcams.layers.device import CPU, CUDA

_TURN = Lock()


@contextmanager
def computing(device: torch.device) -> Generator[None]:
    """Within the block, networks on the device give the same bits for the same input, whatever else is at work.

    On the CPU, one thread computes. On CUDA, the card belongs to the block alone: the pipeline's threads take turns, so
    that the memory needed does not grow with their number, and while one has the card the others prepare their pieces
    or finish them. Copy to the card and from it within the block, and do all else outside.

    Args:
        device: the network's.

    Raises:
        DeepcamsError: if the card has too little memory.
    """
    with torch.inference_mode(), one_thread() if device.type == CPU else _turn(device):
        yield


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


@contextmanager
def _turn(device: torch.device) -> Generator[None]:
    """The card, for this thread alone: the settings are the whole process's, and two threads would undo each other's."""
    with _TURN, reproducible(device), single_precision():
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise DeepcamsError("device cuda: out of memory; end what else is on the GPU, start fewer processes that share "
                                "it, or use --device cpu. What is finished is kept") from error  # fmt: skip


@contextmanager
def reproducible(device: torch.device) -> Generator[None]:
    """Within the block, the same work gives the same bits, as far as the device can.

    On a CPU it does anyway, for a given number of threads. On CUDA, torch is told to take deterministic algorithms;
    where it has none, it warns.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    if device.type == CUDA:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, cuBLAS refuses to be deterministic
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = benchmark


@contextmanager
def single_precision() -> Generator[None]:
    """Within the block, convolutions on CUDA keep the 24 bits of their numbers; as torch comes they keep 11 (TF32).

    Matrix products keep them anyway, unless the calling program wanted otherwise.
    """
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
