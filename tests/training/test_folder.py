"""The folder of a training: one training at a time, and nothing left of the lock."""

import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from deepcams.errors import OutputError
from deepcams.training.folder import claimed

HOLD = """
import sys, time
from pathlib import Path
from deepcams.training.folder import _locked
with _locked(Path(sys.argv[1]) / "training.lock"):
    print("held", flush=True)
    time.sleep(100)
"""


def test_one_training_at_a_time(tmp_path):
    with claimed(tmp_path / "run", "spatial", overwrite=False):
        (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"precious")
        with (
            pytest.raises(
                OutputError, match=rf"another training is at work there \(process {os.getpid()} on .*wait for it"
            ),
            claimed(tmp_path / "run", "spatial", overwrite=True),
        ):
            pass
        assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert [one.name for one in (tmp_path / "run").iterdir()] == ["checkpoint.safetensors"]
    with claimed(tmp_path / "run", "spatial", overwrite=True):
        assert [one.name for one in (tmp_path / "run").iterdir()] == ["training.lock"]


def test_a_killed_training_holds_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(OutputError, match=f"process {holder.pid} on"),
            claimed(tmp_path, "spatial", overwrite=False),
        ):
            pass
        holder.kill()
    (tmp_path / ".map.9.partial.nc").write_bytes(b"another command's")
    (tmp_path / ".checkpoint.123.partial.safetensors").write_bytes(b"half a")
    with claimed(tmp_path, "spatial", overwrite=False):
        assert sorted(one.name for one in tmp_path.iterdir()) == [".map.9.partial.nc", "training.lock"]


def test_many_who_want_it_have_it_one_by_one(tmp_path):
    inside, most, times = 0, 0, 0

    def work():
        nonlocal inside, most, times
        done = 0
        while done < 30:
            try:
                with claimed(tmp_path, "spatial", overwrite=False):
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0)
                    inside -= 1
                    done, times = done + 1, times + 1
            except OutputError:
                time.sleep(0.0001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (most, times) == (1, 120)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def none(descriptor, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with claimed(tmp_path, "spatial", overwrite=False):
        assert (tmp_path / "training.lock").exists()


def test_places_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(OutputError, match="cannot be used"), claimed(place, "spatial", overwrite=True):
            pass
    (tmp_path / "run" / "training.lock").mkdir(parents=True)
    with (
        pytest.raises(OutputError, match=r"training\.lock: cannot be written"),
        claimed(tmp_path / "run", "spatial", overwrite=True),
    ):
        pass
    assert (tmp_path / "file").read_text() == "mine"
