"""The kinds of networks: each trains, stops and goes on alike, and makes its own file."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

from deepcams.errors import InputError
from deepcams.layers.weights import read_weights
from deepcams.spatial import abpn, network
from deepcams.temporal import network as temporal_network
from deepcams.temporal import xvfi
from deepcams.training.batches import batches
from deepcams.training.config import parse_config
from deepcams.training.curriculum import gather
from deepcams.training.distributed import World
from deepcams.training.loop import Trainer, train
from deepcams.training.stages import STAGES, stage_of
from deepcams.training.validation import Validator

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = World(torch.device("cpu"))
LOAD = {"correction": network.load, "abpn": abpn.load, "xvfi": xvfi.load, "progress": temporal_network.load}
SMALL = {
    "correction": {"network": {"channels": 4, "blocks": 1}, "sampling": {"size": 4, "margin": 2}},
    "abpn": {"network": {"kind": "abpn", "channels": 4, "stages": 2}, "sampling": {"size": 4, "margin": 2}},
    "xvfi": {
        "network": {"kind": "xvfi", "features": 8, "module_scale": 2, "scales": 2},
        "sampling": {"size": 12, "margin": 2},
    },
    "progress": {
        "network": {"kind": "progress", "harmonics": 2, "width": 8},
        "sampling": {"size": 4, "margin": 2, "count": 32},
    },
}
PAPER = {
    "optimiser": "adam",
    "weight_decay": 0.0,
    "schedule": "milestones",
    "milestones": [0.5],
    "decay": 0.5,
    "ema": 0.0,
}
BASELINES = {"spatial": {"bicubic", "lcbp"}, "temporal": {"linear", "flow"}}
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from deepcams.training.config import parse_config
from deepcams.training.loop import train
done = 0
def progress(count, loss):
    global done
    done += count
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
train(parse_config(json.loads(sys.argv[1]), "test"), Path(sys.argv[2]), device="cpu", progress=progress)
"""


def settings(kind, data, **training):
    quick = {"steps": 4, "batch": 2, "rate": 2e-3, "warm_up": 0, "validate_every": 2, "checkpoint_every": 2} | PAPER
    common = {"data": {"files": [str(data)]}, "split": {"hold_out": [[90, 10, -90, 16]]}, "training": quick | training}
    return common | SMALL[kind]


def configured(kind, data, **training):
    return parse_config(settings(kind, data, **training), "test")


def start(kind, data, folder, kill_at=-1, **environment):
    """A training in a process of its own, killed after a step if asked for."""
    call = [sys.executable, "-c", SCRIPT, json.dumps(settings(kind, data)), str(folder), str(kill_at)]
    return subprocess.Popen(call, env=os.environ | {"OMP_NUM_THREADS": "1"} | environment, stderr=subprocess.PIPE)


@pytest.mark.parametrize("kind", ["abpn", "xvfi", "progress"])
def test_a_kill_leaves_no_trace_and_the_file_says_what_it_is(kind, data, tmp_path):
    config = configured(kind, data)
    whole = train(config, tmp_path / "whole", device="cpu")
    with start(kind, data, tmp_path / "killed", kill_at=3) as killed:
        assert killed.wait() == -signal.SIGKILL
    again = train(config, tmp_path / "killed", device="cpu", workers=1)
    stage = config.stage
    for name in (f"{stage}.safetensors", "checkpoint.safetensors"):
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert set(whole.scores) == BASELINES[stage] | {"network"}

    state, known = read_weights(whole.weights)
    assert (known["format"], known["kind"]) == (f"deepcams {stage} network", kind)
    assert known["architecture"] == config.network.sizes()
    loaded = LOAD[kind](whole.weights).state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    card = whole.card.read_text()
    assert whole.card.name == f"{stage}.md"
    assert card.startswith(f"# {stage.capitalize()} network of DeepCAMS ({kind})")
    for text in (*BASELINES[stage], "plumes.nc", "90,10,-90,16", f"sha256 of {stage}.safetensors", "## Limits"):
        assert text in card


@pytest.mark.parametrize("kind", ["abpn", "xvfi"])
def test_two_processes_are_as_one(kind, data, tmp_path):
    alone = train(configured(kind, data), tmp_path / "alone", device="cpu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [start(kind, data, tmp_path / "two", **together, RANK=rank, LOCAL_RANK=rank) for rank in "01"]
    for rank in ranks:
        _, said = rank.communicate(timeout=100)
        assert rank.returncode == 0, said
    both = read_weights(tmp_path / "two" / alone.weights.name)[1]["scores"]
    for name, scores in alone.scores.items():
        assert both[name] == pytest.approx(scores, rel=1e-4)


@pytest.mark.parametrize("kind", ["abpn", "xvfi"])
def test_it_overfits_one_window(kind, data, tmp_path):
    config = configured(kind, data, steps=120, milestones=[0.6], select="last")
    curriculum = gather(config)
    trainer = Trainer(config, curriculum, tmp_path, CPU, lambda count, loss: None, lambda text: None)
    batch = next(batches(curriculum.prepare, range(1, 2), 1, CPU, 1))
    total = float(batch["weights"].sum())
    losses = [trainer.step(batch, total).loss for _ in range(120)]
    assert min(losses[-5:]) < 0.7 * losses[0]


@pytest.mark.parametrize("kind", list(STAGES))
def test_the_parts_of_a_batch_add_up(kind, data):
    curriculum = gather(configured(kind, data))
    torch.manual_seed(0)
    objective = curriculum.stage.objective(curriculum.stage.network())
    batch = next(batches(curriculum.prepare, range(1, 2), 5, CPU, 2))
    total = float(batch["weights"].sum())
    parts = [objective({name: one[rank::2] for name, one in batch.items()}, total) for rank in range(2)]
    torch.testing.assert_close(sum(parts), objective(batch, total))
    batch["target"] = torch.where(batch["weights"] > 0, batch["target"], torch.nan_to_num(batch["target"]) + 1e5)
    torch.testing.assert_close(sum(parts), objective(batch, total))  # what has no weight is not looked at
    assert objective(batch, total).shape == ()


@pytest.mark.parametrize("kind", ["abpn", "xvfi", "progress"])
def test_validation_is_of_the_held_out_part_as_the_pipeline_sees_it(kind, data):
    curriculum = gather(configured(kind, data))
    stage, (series, number) = curriculum.stage, curriculum.judged[0]
    torch.manual_seed(0)
    untrained = stage.network().eval()
    example = stage.whole(series, number, curriculum.split)
    predicted = stage.contender(untrained)(example)
    assert predicted.shape == example.target.shape
    squared = (example.weights * (predicted - example.target) ** 2).sum() / example.weights.sum()
    only = Validator(gather(configured(kind, data, validate_maps=1)), CPU).scores(untrained)
    assert only["network"]["rmse"] == pytest.approx(np.sqrt(squared), rel=1e-3)
    assert set(only) == {*stage.baselines, "network"}


def test_intervals_are_judged_by_with_the_largest_gap(data):
    content = settings("xvfi", data)
    content["sampling"] = content["sampling"] | {"gaps": [2]}
    assert [number for _, number in gather(parse_config(content, "test")).judged] == [0, 1]
    curriculum = gather(configured("xvfi", data))
    assert [number for _, number in curriculum.judged] == [0]
    assert "1 held-out intervals to judge by" in curriculum.line


@pytest.mark.parametrize(
    ("sampling", "network", "message"),
    [
        (
            {"size": 12, "margin": 3},
            {},
            r"windows of 18 coarse cells; the xvfi network wants a multiple of 16: .* size of 10",
        ),
        ({}, {"scales": 3}, r"windows of 16 coarse cells; .* multiple of 32: .* size of 28"),
        ({}, {"module_scale": 3}, "wanted a module scale of 2, 4, 8"),
    ],
)
def test_windows_that_do_not_fit_the_network(data, sampling, network, message):
    content = settings("xvfi", data)
    for section, change in (("sampling", sampling), ("network", network)):
        content[section] = content[section] | change
    with pytest.raises(InputError, match=message):
        stage_of(parse_config(content, "test"))


def test_a_folder_of_another_kind_is_refused(data, tmp_path):
    train(configured("abpn", data, steps=1), tmp_path, device="cpu")
    for kind in ("correction", "xvfi", "progress"):
        with pytest.raises(InputError, match=r"checkpoint.safetensors: was made with \w+\.\w+ = .* is asked for"):
            train(configured(kind, data, steps=1), tmp_path, device="cpu")


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(LOAD, 2)))
def test_a_file_of_another_kind_is_refused(one, other, data, tmp_path):
    result = train(configured(one, data, steps=1, select="last"), tmp_path, device="cpu")
    with pytest.raises(InputError, match=rf"{result.weights.name}: (weights of a network of the kind|states)"):
        LOAD[other](result.weights)
