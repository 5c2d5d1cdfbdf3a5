"""``deepcams fetch published`` against a record on loopback."""

import hashlib

import pytest

from tests.fetch.server import Server, json_reply

CONTENTS = {"2019.zip": b"a" * 2_000_000, "maps.mat": b"b" * 1_500_000}


@pytest.fixture
def url(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        files = [
            {"key": name, "size": len(body), "checksum": f"md5:{hashlib.md5(body).hexdigest()}",
             "links": {"self": server.serve(f"/files/{name}", body)}}
            for name, body in CONTENTS.items()
        ]  # fmt: skip
        server.route("GET", "/records/6967082", json_reply({"files": files}))
        yield server.url


def test_files_are_fetched_and_kept(url, run, tmp_path):
    first = run("fetch", "published", "--url", url, tmp_path / "out")
    assert first.status == 0, first.err
    assert "files     2 fetched, 0 kept\nbytes     3.5 MB" in first.out
    assert "note      unpack 2019.zip before its maps are read" in first.out
    assert (tmp_path / "out" / "2019.zip").read_bytes() == CONTENTS["2019.zip"]
    assert "files     0 fetched, 2 kept" in run("fetch", "published", "--url", url, tmp_path / "out").out


def test_a_dry_run_lists_them(url, run, tmp_path, contents):
    listed = run("fetch", "published", "--url", url, "--dry-run", tmp_path / "out")
    assert listed.out == "       2.0 MB  2019.zip\n       1.5 MB  maps.mat\n       3.5 MB  in 2 files\n"
    chosen = run("fetch", "published", "--url", url, "--dry-run", "--files", "*.mat", tmp_path / "out")
    assert "2019.zip" not in chosen.out
    assert contents() == []


def test_a_pattern_that_matches_nothing_ends_with_2(url, run, tmp_path):
    result = run("fetch", "published", "--url", url, "--files", "2003*", tmp_path / "out")
    assert (result.status, "there are 2019.zip, maps.mat" in result.err) == (2, True)
