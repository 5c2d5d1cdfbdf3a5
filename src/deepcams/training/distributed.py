"""The processes and the device of a training: one of either, or as many as ``torchrun`` started."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from deepcams.errors import DeepcamsError, InputError
from deepcams.io.files import first_line
from deepcams.layers.device import device_of

_TOO_MUCH = (
    "out of memory: lower training.batch first (--set training.batch=4), then sampling.size or the sizes of the network; or "
    "start more processes, which share a batch. The last checkpoint is kept"
)

# A thread of gloo lets go of a tensor some time after its sum is known. If it is then the last to hold it, it needs the
# interpreter for that, and ends the process if the interpreter is ending: so the last tensors are held until the very end.
_MOMENT = 0.5  # seconds
_HELD: deque[torch.Tensor] = deque(maxlen=16)


@dataclass(frozen=True)
class World:
    """The processes that train together, seen from one of them.

    Attributes:
        device: where this one computes.
        rank: its number.
        size: how many there are.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def sums(self, *values: float) -> tuple[float, ...]:
        """The sums of numbers over all processes; also the place where they wait for each other."""
        if self.size == 1:
            return values
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(numbers)
        _HELD.append(numbers)
        return tuple(numbers.tolist())

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, with gradients averaged over all processes."""
        return DistributedDataParallel(module) if self.size > 1 else module


@contextmanager
def processes(device: str) -> Iterator[World]:
    """Join the other processes, if ``torchrun`` started any; leave them at the end.

    Args:
        device: one of :data:`deepcams.layers.device.DEVICES`; ``auto`` is CUDA where there is one.

    Raises:
        InputError: if CUDA is asked for and there is none, or the processes do not find each other.
    """
    size = _number("WORLD_SIZE", 1)
    chosen = _device(device, _number("LOCAL_RANK", 0))
    if size <= 1:
        yield World(chosen)
        return
    rank = _number("RANK", -1)
    if not 0 <= rank < size:
        raise InputError(f"WORLD_SIZE = {size} processes, and this one has no RANK from 0 to {size - 1}; start them with "
                         "torchrun, or unset WORLD_SIZE to train with one")  # fmt: skip
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    try:
        distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    except (ValueError, RuntimeError) as error:
        raise InputError(f"the {size} processes of WORLD_SIZE do not find each other ({first_line(error)}); start them with "
                         "torchrun, or unset WORLD_SIZE to train with one") from error  # fmt: skip
    try:
        yield World(chosen, rank, size)
        if chosen.type == "cpu":
            # A thread of gloo that still holds a tensor of Python's when the interpreter ends aborts the process: torchrun
            # would take a finished training for a failed one. A barrier holds none, and comes after all else; a moment
            # later the threads, of which nothing tells what they hold, have let go of what came before.
            distributed.barrier()
            time.sleep(_MOMENT)
    finally:
        distributed.destroy_process_group()


def _number(name: str, default: int) -> int:
    """A number that ``torchrun`` left in the environment."""
    found = os.environ.get(name, "").strip() or str(default)
    if not found.removeprefix("-").isdecimal():
        raise InputError(f"the environment says {name}={found}: wanted a number; start with torchrun, or unset it")
    return int(found)


def _device(name: str, local: int) -> torch.device:
    """The device of a process that is number ``local`` on its node."""
    chosen = device_of(name)
    if chosen.type == "cpu":
        return chosen
    there = torch.cuda.device_count()
    if local >= there:
        raise InputError(f"device cuda: process {local} of this node has no GPU of its own, since it has {there}; start at "
                         f"most {there} (torchrun --nproc-per-node {there})")  # fmt: skip
    return torch.device("cuda", local)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a failure for want of memory into an error that says which settings take less.

    Raises:
        DeepcamsError: if memory ran out within the block.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not isinstance(error, torch.OutOfMemoryError) and not _for_memory(error):
            raise
        raise DeepcamsError(_TOO_MUCH) from error


def _for_memory(error: RuntimeError) -> bool:
    """Whether a plain RuntimeError is the CPU allocator's, which has no type of its own."""
    text = str(error)
    return "can't allocate memory" in text or "not enough memory" in text
