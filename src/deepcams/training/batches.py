"""Batches of examples, prepared by a few threads while the network learns from those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from deepcams.training.distributed import World
from deepcams.training.stage import Arrays, Batch

_AHEAD = 2  # batches prepared before they are wanted

Prepare = Callable[[int, int], Arrays]  # the example at a place in the batch of a step


def batches(prepare: Prepare, steps: range, size: int, world: World, workers: int) -> Generator[Batch]:
    """The batches of some steps, on the CPU: this process's part of each.

    Example ``i`` of a step goes to process ``i`` modulo their number. Which thread prepares it does not matter.

    Args:
        prepare: makes the examples.
        steps: numbers of the steps.
        size: examples in a batch, over all processes.
        world: the processes.
        workers: threads.
    """
    own = range(world.rank, size, world.size)
    numbers, ahead = iter(steps), deque[list[Future[Arrays]]]()
    pool = ThreadPoolExecutor(workers)

    def prepare_next() -> None:
        step = next(numbers, None)
        if step is not None:
            ahead.append([pool.submit(prepare, step, index) for index in own])

    try:
        for _ in range(_AHEAD):
            prepare_next()
        while ahead:
            batch = collate([one.result() for one in ahead.popleft()])
            prepare_next()
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


def collate(examples: list[Arrays]) -> Batch:
    """Examples one upon the other, as float32."""
    return {
        name: torch.from_numpy(np.stack([one[name] for one in examples]).astype(np.float32)) for name in examples[0]
    }


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on a device."""
    return {name: one.to(device, non_blocking=True) for name, one in batch.items()}
