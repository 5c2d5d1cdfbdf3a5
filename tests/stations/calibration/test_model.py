"""The model file: text, whole, and nothing else is taken for it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcams.errors import InputError, OutputError
from deepcams.provenance import sha256_of
from deepcams.stations.calibration.learn import fit
from deepcams.stations.calibration.model import _sha256, load


@pytest.fixture(scope="session")
def correction(samples):
    return fit(samples, 1.0, {"settings": '{"a": 1}', "training": {"cells": 60}}, trees=10)


@pytest.fixture
def saved(correction, tmp_path):
    correction.save(tmp_path / "model.txt", overwrite=False)
    return tmp_path / "model.txt"


def test_what_is_loaded_is_what_was_saved(correction, saved, samples):
    again = load(saved)
    assert again.sha256 == correction.sha256 == sha256_of(saved)
    assert again.limits == correction.limits
    assert again.facts == correction.facts
    one, same = (which.correct(samples.field, samples.features) for which in (correction, again))
    np.testing.assert_array_equal(one, same)
    with pytest.raises(OutputError, match="appeared"):
        correction.save(saved, overwrite=False)


def rewrite(path, trees=lambda text: text, **values):
    """Change a file, and its sum with it."""
    title, head, text = path.read_text().split("\n", 2)
    rest = f"{json.dumps(json.loads(head) | values)}\n{trees(text)}"
    path.write_text(f"{title.rpartition(' ')[0]} {_sha256(rest)}\n{rest}")


@pytest.mark.parametrize(("values", "why"), [
    ({"features": ["log_field"]}, "other features"), ({"epsilon": 2}, "other features"),
    ({"smearing": float("nan")}, "no numbers"),
    ({"limits": [1, -1]}, "no numbers"), ({"limits": [-1]}, "no numbers|understood"), ({"limits": 3}, "understood"),
    ({"limits": [-50, 50]}, "no numbers"), ({"step": 0}, "no numbers"), ({"sites": [1, 2]}, "sites"), ({"sites": []}, "sites"),
    ({"sites": [["a", "b"]]}, "understood"), ({"facts": 3}, "understood"), ({"smearing": None}, "understood"),
])  # fmt: skip
def test_a_changed_head_is_refused(saved, values, why):
    rewrite(saved, **values)
    with pytest.raises(InputError, match=why) as told:
        load(saved)
    assert str(saved) in str(told.value)


def test_another_version_and_other_files_are_refused(saved, tmp_path):
    saved.write_text(saved.read_text().replace("calibration 1", "calibration 2", 1))
    with pytest.raises(InputError, match=r"begins with 'deepcams calibration 2, .*', wanted 'deepcams calibration 1'"):
        load(saved)
    for content in (b"", b"\x80\x04\x95garbage", b"tree\nversion=v4\n", b"deepcams calibration 1, \n", b"\xff\xfe" * 100,
                    b"deepcams calibration 1\n" + b"[" * 100_000 + b"\n"):  # fmt: skip
        saved.write_bytes(content)
        with pytest.raises(InputError, match=r"model\.txt"):
            load(saved)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.txt")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_trees_that_are_not_right_are_refused_even_with_their_own_sum(saved):
    whole = saved.read_text()
    for found, instead in (
        ("left_child=", "left_child=9999 "),
        ("split_feature=", "split_feature=77 "),
        ("Tree=0", "Tee=0"),
    ):
        saved.write_text(whole)
        rewrite(saved, lambda text, found=found, instead=instead: text.replace(found, instead, 1))
        with pytest.raises(InputError, match="tree"):
            load(saved)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_passes(correction, tmp_path, data):
    content = bytearray(correction.text.encode())
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != content[place]))
    content[place] = byte
    (tmp_path / "damaged.txt").write_bytes(bytes(content[: data.draw(st.sampled_from([len(content), place + 1]))]))
    with pytest.raises(InputError, match=r"damaged\.txt"):
        load(tmp_path / "damaged.txt")
