"""What a file of weights says of itself."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from deepcams.errors import InputError
from deepcams.layers.header import KEY, kind_of, read_header
from deepcams.layers.weights import read_weights
from deepcams.weights import PROGRESS_WEIGHTS

TENSORS = {"layer.weight": np.ones((2, 3), np.float32)}


@pytest.fixture
def written(tmp_path):
    """A file with some metadata."""

    def write(metadata):
        path = tmp_path / "some.safetensors"
        save_file(TENSORS, path, metadata)
        return path

    return write


@pytest.mark.parametrize("content", [{}, {"kind": "abpn", "scores": {"rmse": [1.5, None]}, "name": "µg"}])
def test_what_is_written_is_read(written, content):
    assert read_header(written({KEY: json.dumps(content), "format": "pt"})) == content


@pytest.mark.parametrize(("content", "kind"), [({"kind": "xvfi"}, "xvfi"), ({}, "correction")])
def test_the_kind_of_a_file_that_names_none_is_the_first_there_was(written, content, kind):
    assert kind_of(written({KEY: json.dumps(content)})) == kind


def test_it_is_what_is_read_with_the_tensors():
    assert read_header(PROGRESS_WEIGHTS) == read_weights(PROGRESS_WEIGHTS)[1]


def test_torch_is_not_needed():
    script = f"""
from pathlib import Path
import sys
from deepcams.layers.header import kind_of
from deepcams.methods import recipe
assert kind_of(Path({str(PROGRESS_WEIGHTS)!r})) == "progress"
recipe(weights=[Path({str(PROGRESS_WEIGHTS)!r})])
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {KEY: "no JSON"}, {KEY: "[1, 2]"}, {KEY: "null"}])
def test_files_of_others_are_refused(written, metadata):
    with pytest.raises(InputError, match=r"some\.safetensors: safetensors without the metadata that deepcams writes"):
        read_header(written(metadata))


@pytest.mark.parametrize("content", [b"", b"\x80\x02}q\x00.", b"some text, longer than the length that comes first"])
def test_what_is_no_safetensors_is_refused(tmp_path, content):
    path = tmp_path / "some.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"some\.safetensors: not a whole safetensors file .*fetch or make it again"):
        read_header(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(written, share):
    path = written({KEY: "{}"})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        kind_of(path)


def test_what_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(InputError, match=r"no such file; wanted weights written by deepcams train"):
            read_header(path)
