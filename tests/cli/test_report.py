"""``deepcams report``: from the files that the commands leave to the page."""

import json

import pytest
from click.testing import CliRunner

from deepcams.cli.report import report
from deepcams.errors import InputError, OutputError

pytest.importorskip("matplotlib")


def call(*arguments):
    return CliRunner().invoke(report, [str(argument) for argument in arguments])


@pytest.fixture
def folder(run, write, tmp_path):
    """A folder with a store, and the CAMS file beside it."""
    (tmp_path / "run").mkdir()
    assert run("downscale", write(), tmp_path / "run" / "hourly.zarr", "--method", "fast", "--quiet").status == 0
    return tmp_path / "run"


def test_a_run_becomes_a_page_and_its_json(folder):
    result = call(folder, "--cams", folder.parent / "cams.nc")
    assert result.exit_code == 0, result.exception
    assert f"wrote {folder / 'report.html'} and report.json" in result.output
    assert "No evaluate.json" in result.output
    content = json.loads((folder / "report.json").read_text())
    assert set(content["results"][0]["shown"]["products"]) == {"CAMS", "DeepCAMS"}
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    again = call(folder)
    assert isinstance(again.exception, OutputError)
    assert call(folder, "--overwrite", "--quiet").output == ""


def test_files_by_name_and_another_place(folder, tmp_path):
    out = tmp_path / "page.html"
    result = call(folder / "hourly.zarr", "--out", out, "--time", "2019-12-30T04", "--quiet")
    assert result.exit_code == 0, result.exception
    assert json.loads((tmp_path / "page.json").read_text())["results"][0]["shown"]["hours"] == ["2019-12-30T04"]
    assert call(folder / "hourly.zarr", "--quiet").exit_code == 0
    assert (folder / "report.html").exists()


def test_errors_are_the_packages_own_and_nothing_is_left(folder, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (
        (empty,),
        (tmp_path / "nowhere",),
        (folder, "--time", "yesterday"),
        (folder, "--time", "2030-01-01"),
        (folder, "--region", "atlantis"),
        (folder, "--region", "10,100,0,110"),
        (folder, "--variable", "ozone"),
        (folder, "--cams-units", "ug m-3"),
        (folder, "--sample", "--cams", "cams.nc"),
        (folder, "--cams", "nowhere.nc"),
    ):
        assert isinstance(call(*arguments).exception, InputError), arguments
    assert sorted(one.name for one in folder.iterdir()) == ["hourly.zarr", "hourly.zarr.log"]


def test_cams_of_another_period_is_not_shown_beside_it(folder):
    result = call(folder, "--sample")
    assert result.exit_code == 0, result.exception
    (one,) = json.loads((folder / "report.json").read_text())["results"]
    assert "lack" in one["notes"][0]
    assert set(one["shown"]["products"]) == {"DeepCAMS"}
