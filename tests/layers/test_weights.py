"""Tensors in files: what comes back, what is refused, what is never left behind."""

import json
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from deepcams.errors import InputError, OutputError
from deepcams.layers.weights import load_network, load_strict, read_weights, write_weights

STATE = {"b": torch.arange(6, dtype=torch.float32).reshape(2, 3), "a": torch.tensor(7), "e": torch.zeros(0, 4)}


def test_what_is_written_comes_back(tmp_path):
    file, known = tmp_path / "one.safetensors", {"format": "test", "deep": {"numbers": [1, 2.5, None]}}
    write_weights(file, STATE, known)
    state, metadata = read_weights(file)
    assert metadata == known
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)
    assert [one.name for one in tmp_path.iterdir()] == ["one.safetensors"]


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20))
def test_bits_are_kept_and_files_are_the_same(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("weights")
    tensor = torch.tensor(values, dtype=torch.float32)
    for name in ("one", "two"):
        write_weights(folder / name, {"values": tensor, "transposed": tensor[None].T}, {"z": 1, "a": 2})
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    assert read_weights(folder / "one")[0]["values"].numpy().tobytes() == tensor.numpy().tobytes()


def test_what_is_not_ours_is_refused(tmp_path):
    file = tmp_path / "one.safetensors"
    with pytest.raises(InputError, match="no such file"):
        read_weights(file)
    write_weights(file, STATE, {})
    whole = file.read_bytes()
    for length in (0, 5, 20, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not a whole safetensors file"):
            read_weights(file)
    file.write_bytes(b"\x80\x02}q\x00." * 10)  # a pickle
    with pytest.raises(InputError, match="not a whole safetensors file"):
        read_weights(file)
    for metadata in (None, {"format": "pt"}, {"deepcams": "not json"}, {"deepcams": json.dumps([1])}):
        save_file(STATE, file, metadata)
        with pytest.raises(InputError, match="without the metadata that deepcams writes"):
            read_weights(file)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    file = tmp_path / "one.safetensors"
    write_weights(file, STATE, {"version": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_weights(file, STATE, {"version": float("nan")})
    assert read_weights(file)[1] == {"version": 1}
    with pytest.raises(OutputError, match="cannot be written"):
        write_weights(tmp_path, STATE, {})


def test_weights_must_fit_exactly():
    module = nn.Linear(3, 2)
    good = {name: torch.full_like(tensor, 0.5) for name, tensor in module.state_dict().items()}
    load_strict(module, good, "it")
    assert torch.equal(module.bias, torch.full((2,), 0.5))
    cases = [
        ({"weight": good["weight"]}, "it: has no tensor 'bias'"),
        (good | {"weight": torch.zeros(3, 2)}, r"tensor 'weight' has shape \(3, 2\), and the network's has \(2, 3\)"),
        (good | {"more": torch.zeros(1)}, "it: has a tensor 'more'"),
    ]
    for state, message in cases:
        with pytest.raises(InputError, match=message):
            load_strict(module, state, "it")
    assert torch.equal(module.bias, torch.full((2,), 0.5))


@dataclass(frozen=True)
class Sizes:
    inputs: int = 3
    outputs: int = 2

    def __post_init__(self):
        if self.inputs < 1:
            raise InputError("no such network")


def make(sizes):
    return nn.Linear(sizes.inputs, sizes.outputs)


def test_a_network_comes_back_from_its_file(tmp_path):
    file, network = tmp_path / "one.safetensors", make(Sizes(4, 5))
    write_weights(file, network.state_dict(), {"kind": "linear", "architecture": {"inputs": 4, "outputs": 5}})
    loaded = load_network(file, "linear", Sizes, make)
    assert torch.equal(loaded.weight, network.weight)
    assert not loaded.training
    assert not loaded.weight.requires_grad


def test_a_file_without_a_kind_is_of_the_first_one(tmp_path):
    file = tmp_path / "one.safetensors"
    write_weights(file, make(Sizes()).state_dict(), {"architecture": {}})
    assert load_network(file, "correction", Sizes, make).in_features == 3
    with pytest.raises(InputError, match=r"weights of a network of the kind 'correction'; wanted 'linear'"):
        load_network(file, "linear", Sizes, make)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"kind": "other", "architecture": {}}, "of the kind 'other'; wanted 'linear'"),
        ({"kind": "linear"}, r"states no architecture: wanted \{'inputs': 3, 'outputs': 2\}, or other numbers"),
        ({"kind": "linear", "architecture": {"heads": 8}}, "states {'heads': 8}"),
        ({"kind": "linear", "architecture": {"inputs": 0}}, "states {'inputs': 0}"),
        ({"kind": "linear", "architecture": 7}, "states 7"),
        ({"kind": "linear", "architecture": {"inputs": 5}}, "tensor 'weight' has shape"),
    ],
)
def test_a_file_that_is_not_of_this_network(tmp_path, metadata, message):
    file = tmp_path / "one.safetensors"
    write_weights(file, make(Sizes()).state_dict(), metadata)
    with pytest.raises(InputError, match=message):
        load_network(file, "linear", Sizes, make)
