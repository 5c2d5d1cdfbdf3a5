"""How weights move: the optimisers, the learning rate, and the moving average."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from deepcams.training.sections import Training

_EMA_WARM_UP = 10  # steps: a young average forgets faster, so that it is not held back by the beginning


def make_optimiser(network: nn.Module, training: Training) -> Optimizer:
    """The optimiser of a network's parameters."""
    return _OPTIMISERS[training.optimiser](list(network.parameters()), training)


def rate_at(step: int, training: Training) -> float:
    """The learning rate of a step, counted from 1: a linear warm-up, then what the schedule says."""
    warm_up = min(training.warm_up, training.steps // 10)
    if step <= warm_up:
        return training.rate * step / warm_up
    return training.rate * _SCHEDULES[training.schedule](step, warm_up, training)


@torch.no_grad()
def update_average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards those of a step, counted from 1."""
    kept = min(decay, step / (step + _EMA_WARM_UP))
    for average, current in zip(averaged.parameters(), network.parameters(), strict=True):
        average.lerp_(current, 1 - kept)


def _adamw(parameters: list[nn.Parameter], training: Training) -> Optimizer:
    """AdamW (Loshchilov and Hutter, ICLR 2019); biases and other vectors do not decay."""
    groups = [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=training.rate)


def _adam(parameters: list[nn.Parameter], training: Training) -> Optimizer:
    """Adam (Kingma and Ba, ICLR 2015)."""
    return Adam(parameters, lr=training.rate)


def _cosine(step: int, warm_up: int, training: Training) -> float:
    """To zero just after the last step."""
    part = (step - warm_up) / (training.steps + 1 - warm_up)
    return 0.5 * (1 + math.cos(math.pi * part))


def _milestones(step: int, warm_up: int, training: Training) -> float:
    """Less by the same factor after each milestone."""
    passed = sum(step > share * training.steps for share in training.milestones)
    return training.decay**passed


_OPTIMISERS: dict[str, Callable[[list[nn.Parameter], Training], Optimizer]] = {"adamw": _adamw, "adam": _adam}
_SCHEDULES: dict[str, Callable[[int, int, Training], float]] = {"cosine": _cosine, "milestones": _milestones}
