"""How weights move: the learning rate over the steps, what decays, and the average."""

import itertools

import pytest
import torch

from deepcams.training.optimiser import make_optimiser, rate_at, update_average
from deepcams.training.sections import Training

MILESTONES = {"schedule": "milestones", "milestones": (0.5, 0.8), "decay": 0.25}


def test_the_learning_rate_warms_up_and_falls():
    training = Training(steps=100, warm_up=10, rate=1.0)
    rates = [rate_at(step, training) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert all(one > two for one, two in itertools.pairwise(rates[9:]))
    assert 0 < rates[-1] < 1e-3
    assert rate_at(1, Training(steps=1, warm_up=10, rate=1.0)) > 0


@pytest.mark.parametrize("warm_up", [0, 5])
def test_the_learning_rate_falls_at_milestones(warm_up):
    training = Training(steps=100, warm_up=warm_up, rate=1.0, **MILESTONES)
    rates = [rate_at(step, training) for step in range(1, 101)]
    assert rates[:warm_up] == pytest.approx([0.2 * step for step in range(1, warm_up + 1)])
    assert rates[warm_up:] == [1.0] * (50 - warm_up) + [0.25] * 30 + [0.0625] * 20


def test_the_average():
    network, averaged = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    torch.nn.init.ones_(network.weight)
    torch.nn.init.zeros_(averaged.weight)
    update_average(averaged, network, 0.75, step=10**6)
    assert torch.allclose(averaged.weight, torch.full((2, 3), 0.25))
    update_average(averaged, network, 0.0, step=1)
    assert torch.equal(averaged.weight, network.weight)


def test_only_matrices_decay_and_only_with_adamw():
    network = torch.nn.Linear(3, 2)
    groups = make_optimiser(network, Training(weight_decay=0.1)).param_groups
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.1), (1, 0.0)]
    adam = make_optimiser(network, Training(optimiser="adam", weight_decay=0.0))
    assert type(adam) is torch.optim.Adam
    assert [(len(group["params"]), group["weight_decay"]) for group in adam.param_groups] == [(2, 0)]


def test_adam_takes_the_first_step_that_is_derived_by_hand():
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(network.weight)
    optimiser = make_optimiser(network, Training(optimiser="adam", weight_decay=0.0, rate=0.1))
    network(torch.ones(1, 1)).sum().backward()
    optimiser.step()
    assert network.weight.item() == pytest.approx(0.9)  # whatever the gradient's size, a first step is the rate
