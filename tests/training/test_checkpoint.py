"""Checkpoints: the whole state comes back, and what does not fit is refused before anything changes."""

import copy
from dataclasses import asdict

import pytest
import torch

from deepcams.errors import InputError
from deepcams.layers.weights import read_weights, write_weights
from deepcams.spatial.network import Architecture, SpatialNetwork
from deepcams.training.checkpoint import Learner, Progress, load_checkpoint, save_checkpoint
from deepcams.training.optimiser import make_optimiser
from deepcams.training.sections import CorrectionConfig, CorrectionTraining, Training

FACTS = {"config": CorrectionConfig().record(), "data": "digest", "provenance": {}}


def learner(channels=4, seed=0):
    torch.manual_seed(seed)
    network = SpatialNetwork(Architecture(channels, 1))
    network.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).requires_grad_(False)
    return Learner(network, averaged, make_optimiser(network, Training()))


def take_step(one, seed):
    """A step of the optimiser with gradients that depend on a seed alone."""
    random = torch.Generator().manual_seed(seed)
    for parameter in one.network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=random)
    one.optimiser.step()
    one.progress.step += 1


def taught(steps=3):
    one = learner()
    for seed in range(steps):
        take_step(one, seed)
    one.best = copy.deepcopy(one.network.state_dict())
    one.progress.best = {"network": {"rmse": 1.25, "mae": 0.5}}
    one.progress.best_step, one.progress.waited = 2, 1
    return one


def test_training_goes_on_as_if_nothing_had_been(tmp_path):
    path, one, other = tmp_path / "checkpoint.safetensors", taught(), learner(seed=1)
    save_checkpoint(path, one, FACTS | {"threads": 1})
    assert load_checkpoint(path, other, FACTS)["threads"] == 1
    assert other.progress == one.progress
    assert all(torch.equal(other.best[name], one.best[name]) for name in one.best)
    for seed in range(10, 13):
        take_step(one, seed)
        take_step(other, seed)
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(tensor, other.network.state_dict()[name]), name
    again = tmp_path / "again.safetensors"
    save_checkpoint(path, one, FACTS)
    save_checkpoint(again, other, FACTS)
    assert path.read_bytes() == again.read_bytes()


def test_before_the_first_step(tmp_path):
    path, one = tmp_path / "checkpoint.safetensors", learner()
    save_checkpoint(path, one, FACTS)
    other = learner(seed=1)
    load_checkpoint(path, other, FACTS)
    assert other.progress.step == 0
    assert other.best == {}
    assert not other.optimiser.state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "another"}, "other data"),
        (
            {"config": CorrectionConfig(training=CorrectionTraining(steps=7)).record()},
            "training.steps = 400, and 7 is asked for",
        ),
    ],
)
def test_other_facts_are_refused(tmp_path, change, message):
    path, other = tmp_path / "checkpoint.safetensors", learner(seed=1)
    save_checkpoint(path, taught(), FACTS)
    before = copy.deepcopy(other.network.state_dict())
    with pytest.raises(InputError, match=message):
        load_checkpoint(path, other, FACTS | change)
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.network.state_dict().items())


def test_another_architecture_names_the_first_tensor(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, taught(), FACTS)
    with pytest.raises(InputError, match=r"tensor '[\w.]+' has shape \(4, .*, and the network's has \(8, "):
        load_checkpoint(path, learner(channels=8), FACTS)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    write_weights(path, {"a": torch.zeros(1)}, {"format": "something else"})
    with pytest.raises(InputError, match="a 'something else' of version None; wanted a 'deepcams training checkpoint'"):
        load_checkpoint(path, learner(), FACTS)
    save_checkpoint(path, taught(), FACTS)
    state, header = read_weights(path)
    write_weights(path, state, header | {"version": 99})
    with pytest.raises(InputError, match="of version 99"):
        load_checkpoint(path, learner(), FACTS)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_checkpoint(path, learner(), FACTS)


def without(*beginnings):
    return lambda state: {name: one for name, one in state.items() if not name.startswith(beginnings)}


@pytest.mark.parametrize(
    ("state", "header", "message"),
    [
        (without("optimiser."), {}, "of the optimiser, the tensor 'stem.*' is missing"),
        (
            without("optimiser.stem.bias/exp_avg_sq"),
            {},
            "of the optimiser, the tensor 'stem.bias/exp_avg_sq' is missing",
        ),
        (lambda state: state | {"optimiser.stem.bias/exp_avg": torch.zeros(())}, {}, "has another shape"),
        (lambda state: state | {"optimiser.nose/exp_avg": torch.zeros(4)}, {}, "'nose/exp_avg' .* should not be there"),
        (without("best."), {}, "of the best weights"),
        (without("averaged.stem"), {}, "has no tensor 'stem"),
        (dict, {"config": None}, "its header does not say"),
        (dict, {"progress": {"step": 3}}, "its header does not say"),
        (dict, {"progress": asdict(Progress()) | {"step": "3"}}, "its header does not say"),
        (dict, {"data": None}, "other data"),
    ],
)
def test_a_checkpoint_without_a_part_is_refused(tmp_path, state, header, message):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, taught(), FACTS)
    tensors, known = read_weights(path)
    write_weights(path, state(tensors), known | header)
    with pytest.raises(InputError, match=message):
        load_checkpoint(path, learner(), FACTS)
