"""Batches of examples, prepared by a few threads while the network learns from those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcams.spatial.network import Views, views
from deepcams.training.distributed import World
from deepcams.training.sampler import Sampler

_AHEAD = 2  # batches prepared before they are wanted

Arrays = list[NDArray[np.float32]]


class Batch(NamedTuple):
    """Tensors of a batch, float32.

    Attributes:
        views: what the network is shown, each with the batch first.
        shares: (batch, rows, 3) of a cell's area in each of its rows of fine cells.
        target: (batch, 9, rows, columns) the truth, ug m-3.
        weights: of the target's shape.
    """

    views: Views
    shares: Tensor
    target: Tensor
    weights: Tensor


def batches(sampler: Sampler, steps: range, size: int, world: World, workers: int) -> Generator[Batch]:
    """The batches of some steps, on the CPU: this process's part of each.

    Example ``i`` of a step goes to process ``i`` modulo their number. Which thread prepares it does not matter.

    Args:
        sampler: draws the examples.
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
            ahead.append([pool.submit(_prepare, sampler, step, index) for index in own])

    try:
        for _ in range(_AHEAD):
            prepare_next()
        while ahead:
            batch = collate([one.result() for one in ahead.popleft()])
            prepare_next()
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(sampler: Sampler, step: int, index: int) -> Arrays:
    """One example as arrays: its views, shares, target and weights."""
    example = sampler.draw(step, index)
    return [*views(example.scene), example.shares, example.target, example.weights]


def collate(examples: list[Arrays]) -> Batch:
    """Examples one upon the other."""
    columns = [torch.from_numpy(np.stack(arrays).astype(np.float32)) for arrays in zip(*examples, strict=True)]
    count = len(Views._fields)
    return Batch(Views(*columns[:count]), *columns[count:])


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on a device."""
    shown = Views(*(one.to(device, non_blocking=True) for one in batch.views))
    return Batch(shown, *(one.to(device, non_blocking=True) for one in batch[1:]))
