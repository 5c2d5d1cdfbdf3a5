"""The training: that it learns, that interruptions leave no trace, and what it refuses."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from deepcams.conserve import area_mean
from deepcams.errors import CheckError, DeepcamsError, InputError, OutputError
from deepcams.layers.weights import read_weights
from deepcams.spatial.network import load
from deepcams.training.batches import batches
from deepcams.training.config import parse_config
from deepcams.training.curriculum import gather
from deepcams.training.dataset import whole
from deepcams.training.distributed import World, enough_memory
from deepcams.training.loop import Trainer, train
from deepcams.training.losses import relative
from deepcams.training.sections import Config
from deepcams.training.validation import Validator, verdict

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = World(torch.device("cpu"))
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


def settings(data, **training):
    """A training of seconds, as nested settings."""
    quick = {"steps": 6, "batch": 4, "rate": 5e-3, "validate_every": 4, "checkpoint_every": 2, "ema": 0.5}
    return {
        "data": {"files": [str(data)]},
        "split": {"hold_out": [[90, 10, -90, 16]]},
        "sampling": {"size": 4, "margin": 2},
        "network": {"channels": 4, "blocks": 1},
        "training": quick | training,
    }


def configured(data, **training) -> Config:
    return parse_config(settings(data, **training), "test")


def start(data, folder, kill_at=-1, **options):
    """A training in a process of its own, killed after a step if asked for."""
    call = [sys.executable, "-c", SCRIPT, json.dumps(settings(data)), str(folder), str(kill_at)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | options
    return subprocess.Popen(call, env=environment, stderr=subprocess.PIPE, text=True)


def journal(folder):
    """The lines of the journal, without the seconds."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """The folder of a training that nothing interrupted."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    train(configured(data), folder, device="cpu")
    torch.set_num_threads(before)
    return folder


@pytest.fixture
def finished(unbroken, tmp_path):
    """A copy of that folder, to change."""
    return Path(shutil.copytree(unbroken, tmp_path / "finished"))


def assert_same(folder, unbroken):
    """Weights, checkpoint and journal are the same, bit for bit."""
    for name in ("spatial.safetensors", "checkpoint.safetensors"):
        assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert journal(folder) == journal(unbroken)


def test_what_a_training_leaves(unbroken):
    assert sorted(one.name for one in unbroken.iterdir() if one.is_file()) == [
        "checkpoint.safetensors", "metrics.jsonl", "spatial.md", "spatial.safetensors",
    ]  # fmt: skip
    lines = journal(unbroken)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines if "validation" in line] == [4, 6]
    assert set(lines[3]["validation"]) == {"bicubic", "lcbp", "network"}
    state, known = read_weights(unbroken / "spatial.safetensors")
    assert known["architecture"] == {"channels": 4, "blocks": 1}
    assert known["config"]["data"]["files"] == ["plumes.nc"]
    best = min((line for line in lines if "validation" in line), key=lambda one: one["validation"]["network"]["rmse"])
    assert (known["step"], known["scores"]) == (best["step"], best["validation"])
    loaded = load(unbroken / "spatial.safetensors").state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    card = (unbroken / "spatial.md").read_text()
    for text in ("RMSE", "lcbp", "seed 0", "plumes.nc", "90,10,-90,16", "sha256", "## Limits"):
        assert text in card


@pytest.mark.parametrize("step", [1, 4, 5])
def test_an_exception_at_any_step_leaves_no_trace(data, unbroken, tmp_path, step):
    taken = 0

    def progress(count, loss):
        nonlocal taken
        taken += count
        if taken == step:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(configured(data), tmp_path, device="cpu", progress=progress)
    assert not (tmp_path / "spatial.safetensors").exists()
    told = []
    train(configured(data), tmp_path, device="cpu", workers=1, report=told.append)
    assert told[0] == "4 fields in 1 series, 2 held-out fields to judge by; 0 % of the truth unknown, not learned from"
    assert ("going on after step" in told[1]) == (step > 1)
    assert_same(tmp_path, unbroken)


def test_a_kill_leaves_no_trace(data, unbroken, tmp_path):
    with start(data, tmp_path, kill_at=5) as killed:
        assert killed.wait() == -signal.SIGKILL
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 6, "lo')  # as if it had been killed while writing
    train(configured(data), tmp_path, device="cpu")
    assert_same(tmp_path, unbroken)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_waits_for_the_end_of_a_step(data, unbroken, tmp_path, number, error):
    taken = 0

    def progress(count, loss):
        nonlocal taken
        taken += count
        if taken == 3:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(error) as stopped:
        train(configured(data), tmp_path, device="cpu", progress=progress)
    assert error is KeyboardInterrupt or stopped.value.code == 143
    assert signal.getsignal(number) is before
    assert read_weights(tmp_path / "checkpoint.safetensors")[1]["progress"]["step"] == 3
    train(configured(data), tmp_path, device="cpu")
    assert_same(tmp_path, unbroken)


def test_a_finished_training_is_not_taken_further(data, unbroken, finished):
    assert train(configured(data), finished, device="cpu").steps == 6
    assert_same(finished, unbroken)


@pytest.fixture
def other(monkeypatch):
    """Let this process be the first of two, and start the other one in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in (together | {"RANK": "0", "LOCAL_RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    return lambda data, folder: start(data, folder, **together, RANK="1", LOCAL_RANK="1")


def test_two_processes_are_as_one(data, unbroken, tmp_path, other):
    with other(data, tmp_path) as second:
        train(configured(data), tmp_path, device="cpu")
        assert second.wait(timeout=100) == 0, second.stderr.read()
    for ours, theirs in zip(journal(tmp_path), journal(unbroken), strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6)
        if "validation" in theirs:
            assert ours["validation"]["network"] == pytest.approx(theirs["validation"]["network"], rel=1e-5)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE=two: wanted a number"),
        ({"WORLD_SIZE": "2"}, "this one has no RANK from 0 to 1"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "this one has no RANK from 0 to 1"),
        ({"WORLD_SIZE": "2", "RANK": "0"}, "do not find each other .*MASTER_ADDR.* unset WORLD_SIZE"),
    ],
)
def test_an_environment_that_torchrun_did_not_make(data, tmp_path, monkeypatch, environment, message):
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=message):
        train(configured(data), tmp_path / "run", device="cpu")


def test_it_overfits_one_patch(data, tmp_path):
    config = configured(data, steps=80, rate=1e-2)
    config = config.model_copy(update={"network": config.network.model_copy(update={"channels": 16, "blocks": 2})})
    curriculum = gather(config)
    trainer = Trainer(config, curriculum, tmp_path, CPU, lambda count, loss: None, lambda text: None)
    batch = next(batches(curriculum.prepare, range(1, 2), 1, CPU, 1))
    total = float(batch["weights"].sum())
    losses = [trainer.step(batch, total).loss for _ in range(80)]
    lcbp = float(relative(batch["first"], batch["target"], batch["coarse"], batch["weights"]))
    assert losses[0] == pytest.approx(lcbp, rel=1e-4)  # it begins as LCBP
    assert losses[-1] < 0.2 * losses[0]


def test_validation_is_of_the_held_out_part(data):
    curriculum = gather(configured(data))
    scores = Validator(curriculum, CPU).scores(load_untrained())
    assert scores["network"] == pytest.approx(scores["lcbp"], rel=1e-3)
    squared = weight = 0.0
    for series, number in curriculum.judged:
        example = whole(series, number, curriculum.split, step=3)
        fine = series.fine_on(example.scene.grid, number).astype(np.float64)
        np.testing.assert_allclose(area_mean(fine, example.scene.grid), example.scene.coarse, rtol=1e-5)
        counted = example.weights > 0
        columns = example.scene.grid.longitude[np.flatnonzero(counted.any(axis=(0, 1)))]
        assert columns.min() >= 9  # the region begins at 10, within the cell at 9.75
        squared += float((example.weights * (example.scene.coarse - example.target) ** 2).sum())
        weight += float(example.weights.sum())
    assert scores["bicubic"]["rmse"] < np.sqrt(squared / weight)  # nearest
    assert verdict({"network": {"rmse": 1.0, "mae": 1.0}, "lcbp": {"rmse": 2.0, "mae": 1.002}}) == [
        "network: RMSE 50.0% better, MAE no better than lcbp"
    ]


def load_untrained():
    from deepcams.spatial.network import Architecture, SpatialNetwork

    return SpatialNetwork(Architecture(4, 1))


def test_early_stopping_and_the_last_weights(data, tmp_path):
    patient = configured(data, steps=50, rate=1.0, validate_every=1, patience=2)
    result = train(patient, tmp_path / "patient", device="cpu")
    assert result.steps < 50
    assert result.step == result.steps - 2
    last = train(configured(data, steps=3, select="last"), tmp_path / "last", device="cpu")
    assert last.step == 3


def test_nothing_held_out(data, tmp_path):
    everything = settings(data, steps=2) | {"split": {}}
    with pytest.raises(InputError, match=r"no field is held out.*--set training.select=last"):
        train(parse_config(everything, "test"), tmp_path / "run", device="cpu")
    everything["training"]["select"] = "last"
    result = train(parse_config(everything, "test"), tmp_path / "run", device="cpu")
    assert result.lines == ["nothing was held out: these weights are not judged"]
    assert "are not judged" in (tmp_path / "run" / "spatial.md").read_text()
    everything["split"] = {"hold_out": [[0, 100, -20, 120]]}
    with pytest.raises(InputError, match="no known cell lies in the held-out part"):
        train(parse_config(everything, "test"), tmp_path / "elsewhere", device="cpu")


def test_what_is_unknown_is_told(data, tmp_path):
    with xr.open_dataset(data) as dataset:
        field = dataset["PM25_RH35_GCC"].load()
    field[:, 20:24, 20:32] = np.nan
    field.to_dataset().to_netcdf(tmp_path / "holes.nc")
    told = []
    result = train(configured(tmp_path / "holes.nc", steps=1), tmp_path / "run", device="cpu", report=told.append)
    assert "; 1.7 % of the truth unknown" in told[0]  # 48 of 2880 nodes
    assert "1.7 % was unknown" in (result.folder / "spatial.md").read_text()
    assert read_weights(result.weights)[1]["unknown"] == pytest.approx(48 / 2880)


@pytest.mark.parametrize("room", [100, 2000])
def test_a_file_that_cannot_grow_ends_it_and_loses_nothing(data, unbroken, tmp_path, room):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))  # as a full disk, in the journal or in the checkpoint
    try:
        with pytest.raises(
            OutputError, match=r"(metrics.jsonl|checkpoint.safetensors): cannot be written .*File too large"
        ):
            train(configured(data), tmp_path, device="cpu")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.jsonl"]
    train(configured(data), tmp_path, device="cpu")
    assert_same(tmp_path, unbroken)


def test_a_folder_that_vanishes(data, tmp_path):
    with pytest.raises(OutputError, match=r"checkpoint.safetensors: cannot be written"):
        train(configured(data, checkpoint_every=2, validate_every=9), tmp_path / "run", device="cpu",
                      progress=lambda count, loss: shutil.rmtree(tmp_path / "run", ignore_errors=True))  # fmt: skip


def test_bf16_learns_too(data, tmp_path):
    result = train(configured(data, steps=2, precision="bf16"), tmp_path, device="cpu")
    assert np.isfinite(result.scores["network"]["rmse"])
    assert read_weights(result.weights)[0]["head.weight"].dtype == torch.float32


def test_a_loss_that_is_not_finite_stops_it(data, tmp_path):
    config = configured(data)
    with pytest.raises(RuntimeError, match="as a killed run"):
        train(config, tmp_path, device="cpu", progress=stopping_after(2))
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()
    trainer = Trainer(config, gather(config), tmp_path, CPU, lambda count, loss: None, lambda text: None)
    torch.nn.init.constant_(trainer.learner.network.head.bias, float("nan"))
    with pytest.raises(CheckError, match="step 3: the loss is nan"):
        trainer.run(1)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept


def stopping_after(step):
    taken = 0

    def progress(count, loss):
        nonlocal taken
        taken += count
        if taken == step:
            raise RuntimeError("as a killed run")

    return progress


def test_a_folder_of_another_training_is_refused(data, finished, tmp_path):
    for change, message in (
        ({"training": {"rate": 1e-4}}, "made with training.rate = 0.005, and 0.0001 is asked for"),
        ({"network": {"channels": 8}}, "made with network.channels = 4, and 8 is asked for"),
    ):
        content = settings(data)
        for section, keys in change.items():
            content[section] |= keys
        with pytest.raises(InputError, match=message):
            train(parse_config(content, "test"), finished, device="cpu")
    train(configured(data, checkpoint_every=3), finished, device="cpu")  # harmless
    changed = tmp_path / "changed.nc"
    with xr.open_dataset(data) as dataset:
        (dataset * 2).assign_attrs(dataset.attrs).map(lambda one: one.assign_attrs(units="ug m-3")).to_netcdf(changed)
    with pytest.raises(InputError, match=r"other data \(their digest differs\)"):
        train(configured(changed, checkpoint_every=3), finished, device="cpu")


def test_overwriting_and_what_is_not_overwritten(data, tmp_path):
    config = configured(data, steps=1)
    (tmp_path / "spatial.safetensors").write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already, without a checkpoint"):
        train(config, tmp_path, device="cpu")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half of")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        train(config, tmp_path, device="cpu")
    assert (tmp_path / "spatial.safetensors").read_bytes() == b"precious"
    (tmp_path / "mine.txt").write_text("mine")
    assert train(config, tmp_path, device="cpu", overwrite=True).steps == 1
    assert (tmp_path / "mine.txt").read_text() == "mine"
    with pytest.raises(OutputError, match="cannot be used"):
        train(config, tmp_path / "mine.txt", device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(data, tmp_path):
    with pytest.raises(InputError, match=r"device cuda: torch .* finds no CUDA device"):
        train(configured(data), tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_memory_that_runs_out(error):
    with (
        pytest.raises(DeepcamsError, match=r"training\.batch .*sampling\.size or the sizes of the network"),
        enough_memory(),
    ):
        raise error
    with pytest.raises(RuntimeError, match="another"), enough_memory():
        raise RuntimeError("another")


def test_the_data_may_lie_elsewhere(data, finished, tmp_path):
    moved = tmp_path / "elsewhere" / "renamed.nc"
    moved.parent.mkdir()
    moved.write_bytes(Path(data).read_bytes())
    assert train(configured(moved), finished, device="cpu").steps == 6
