"""``deepcams verify``: what it says, to people and programs, and its exit status."""

import json
import subprocess

import pytest


@pytest.fixture
def made(run, write, tmp_path):
    """A store and its inputs."""
    inputs = write(count=10)
    store = tmp_path / "out.zarr"
    assert run("downscale", inputs, store, "--method", "fast", "--time", "linear", "--quiet").status == 0
    return store, inputs


def test_all_is_well(run, made, tmp_path, contents):
    store, inputs = made
    result = run("verify", store, "--inputs", inputs, "--manifest", tmp_path / "out.sha256")
    assert result.status == 0
    assert "out.zarr: all is well" in result.out
    assert "checked   2 days, 28 hours, 20160 values" in result.out
    assert "means     of analyses within" in result.out
    assert "out.sha256: 23 files" in result.out
    assert run("verify", store, "--quiet") == (0, "", "")
    check = ["sha256sum", "-c", "--quiet", tmp_path / "out.sha256"]
    assert subprocess.run(check, cwd=store, check=False).returncode == 0
    assert contents() == ["cams.nc", "out.sha256", "out.zarr", "out.zarr.log"]


def test_damage_is_said_and_repaired(run, made, tmp_path):
    store, inputs = made
    shard = store / "pm2p5/c/0/0/0"
    original = shard.read_bytes()
    shard.write_bytes(original[:-1] + b"\0")
    result = run("verify", store, "--manifest", tmp_path / "sums")
    assert result.status == 1
    assert "2019-12-30: chunk unreadable (" in result.out
    assert "out.zarr: 1 thing wrong" in result.out
    assert "sums: not written" in result.out
    assert not (tmp_path / "sums").exists()
    assert run("verify", store, "--quiet").out.startswith("2019-12-30: chunk unreadable")
    found = json.loads(run("verify", store, "--json").out)
    assert (found["ok"], found["days"], found["problems"][0]["date"]) == (False, 2, "2019-12-30")
    assert shard.read_bytes() != original
    result = run("verify", store, "--inputs", inputs, "--repair")
    assert result.status == 0
    assert "chunk unreadable" in result.err
    assert "repaired  2019-12-30" in result.out
    assert shard.read_bytes() == original
    assert json.loads((store.with_name("out.zarr.log")).read_text().splitlines()[-1])["event"] == "repaired"


def test_what_cannot_be_repaired_is_said(run, made, write):
    store, _ = made
    (store / "pm2p5/c/0/0/0").unlink()
    other = write("other.nc", change=lambda field: field * 2, count=10)
    result = run("verify", store, "--inputs", other, "--repair")
    assert result.status == 1
    assert "not repaired: 2019-12-30 to 2019-12-31: the inputs are not those that it was made from" in result.out


def test_a_file(run, write, tmp_path):
    inputs = write()
    run("downscale", inputs, tmp_path / "out.nc", "--method", "fast", "--quiet")
    assert run("verify", tmp_path / "out.nc", "--inputs", inputs, "--quiet") == (0, "", "")


def test_an_unfinished_store(run, made):
    store, _ = made
    (store / "ledger/sha256/c/1/0/0").unlink()
    root = store / "zarr.json"
    root.write_text(root.read_text().replace('"complete"', '"unfinished"'))
    result = run("verify", store)
    assert result.status == 1
    assert "the store is unfinished: 1 day missing (2019-12-31)" in result.out


BAD_CALLS = [
    (["none.zarr"], 2, "no such store or file"),
    (["{inputs}"], 2, "deepcams did not write it"),
    (["{store}", "--repair"], 2, "give the CAMS files with --inputs"),
    (["{store}", "--inputs", "none.nc"], 2, "none.nc"),
    (["{store}", "--start", "soon"], 2, "wanted a date like"),
    (["{store}", "--start", "2021-01-01"], 2, "no day from 2021-01-01"),
    (["{store}", "--manifest", "{store}/sums"], 2, "is within the store"),
    (["{store}", "--manifest", "{inputs}"], 2, "exists already"),
    (["{store}", "--inputs", "{inputs}", "--weights", "none"], 2, "none"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), BAD_CALLS, ids=lambda one: str(one)[:50])
def test_bad_calls_end_with_a_message(run, made, arguments, status, message):
    store, inputs = made
    result = run("verify", *(one.format(store=store, inputs=inputs) for one in arguments))
    assert result.status == status
    assert message in result.err


def test_a_damaged_root_ends_with_status_1(run, made):
    store, _ = made
    (store / "zarr.json").write_text("{")
    result = run("verify", store)
    assert result.status == 1
    assert "zarr.json, which says what the store is, cannot be read" in result.err
