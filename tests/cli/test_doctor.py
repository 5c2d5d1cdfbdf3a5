"""``deepcams doctor``: what it looks at, what it says, and that it keeps keys to itself."""

import json
import time

import pytest

import deepcams.weights
from deepcams.cli.doctor import doctor
from deepcams.doctor import OK, PROBLEM, WARNING, examine
from deepcams.fetch import geos_cf, keys, openaq_api, openaq_archive, published
from tests.fetch.server import Hang, Reply, Server, Status

KEY = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty home, and no keys but the tests'."""
    for name in ("CDSAPI", "ADSAPI", "ECMWF_DATASTORES"):
        for part in ("URL", "KEY", "RC", "RC_FILE"):
            monkeypatch.delenv(f"{name}_{part}", raising=False)
    monkeypatch.delenv("OPENAQ_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def run(capsys):
    """Run the command; gives its exit status and what it printed."""

    def run(*arguments):
        status = doctor.main([str(one) for one in arguments], standalone_mode=False)
        return status, capsys.readouterr().out

    return run


def found(folder, **options):
    return {one.what: one for one in examine(folder, **options)}


def test_a_good_installation_has_no_problem_and_takes_seconds(run, tmp_path):
    began = time.monotonic()
    status, out = run("--folder", tmp_path)
    assert status == 0, out
    assert time.monotonic() - began < 20  # a few seconds where nobody else works
    for what in (
        "python",
        "libraries",
        "gpu",
        "processors",
        "memory",
        "disk",
        "writing",
        "sample",
        "weights",
        "key of ADS",
    ):
        assert f" {what} " in out
    assert not list(tmp_path.glob(".deepcams*"))


def test_json_is_for_programs(run, tmp_path):
    status, out = run("--json", "--folder", tmp_path)
    findings = json.loads(out)
    assert status == 0
    assert {"what", "state", "words"} == set(findings[0])
    assert {one["state"] for one in findings} <= {OK, WARNING}


def test_keys_are_found_and_never_shown(run, tmp_path, home, monkeypatch):
    (home / ".cdsapirc").write_text(f"url: https://ads.atmosphere.copernicus.eu/api\nkey: {KEY}\n")
    monkeypatch.setenv("OPENAQ_API_KEY", "secret-of-openaq-0123456789")
    status, out = run("--folder", tmp_path)
    assert status == 0
    assert "~/.cdsapirc" in out
    assert KEY not in out
    assert "secret-of-openaq" not in out


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("key: 12345:abcdef-uid-form", "has the form UID:KEY"),
        (f"url: https://cds.climate.copernicus.eu/api\nkey: {KEY}", "Climate Data Store"),
    ],
)
def test_a_key_of_the_wrong_form_is_a_warning(home, tmp_path, lines, words):
    (home / ".cdsapirc").write_text(lines)
    finding = found(tmp_path)["key of ADS"]
    assert finding.state == WARNING
    assert words in finding.words


def test_a_folder_that_is_not_there_is_a_problem(run, tmp_path):
    status, out = run("--folder", tmp_path / "nowhere")
    assert status == 1
    assert "problem disk" in out
    assert "no such folder" in out


def test_damaged_weights_are_a_problem(monkeypatch, tmp_path):
    (tmp_path / "spatial.safetensors").write_bytes(b"damaged")
    (tmp_path / "spatial.md").write_text("sha256 of spatial.safetensors: `" + "0" * 64 + "`")
    monkeypatch.setattr(deepcams.weights, "CORRECTION_WEIGHTS", tmp_path / "spatial.safetensors")
    finding = found(tmp_path)["weights"]
    assert finding.state == PROBLEM
    assert "spatial.safetensors not as shipped" in finding.words


def test_services_are_asked_only_if_wanted(monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        for module in (geos_cf, keys, openaq_api, openaq_archive, published):
            monkeypatch.setattr(module, "URL", f"{server.url}/{module.__name__}")
        monkeypatch.setattr("deepcams.doctor._LIMIT", 0.5)
        server.route("GET", r".*", Reply(200, b"{}"))
        server.misbehave(r".*geos_cf.*", Hang(5))
        server.misbehave(r".*openaq_archive.*", Status(503))
        assert "GEOS-CF" not in found(tmp_path)
        assert server.requests == []
        findings = found(tmp_path, online=True)
    assert findings["Zenodo"].words.startswith("answers 200")
    assert findings["Atmosphere Data Store"].state == OK
    assert findings["GEOS-CF"].state == WARNING
    assert "firewall or a proxy" in findings["GEOS-CF"].words
    assert "goes on from there" not in findings["GEOS-CF"].words
    assert findings["OpenAQ archive"].state == WARNING
    assert "answers 503" in findings["OpenAQ archive"].words
    assert not any("Authorization".lower() in request.headers for request in server.requests)
