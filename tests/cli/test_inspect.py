"""``deepcams inspect``: for people and for programs."""

import json
import subprocess
import sys

import numpy as np


def test_a_good_file(run, write):
    result = run("inspect", write())
    assert result.status == 0
    wanted = ["cams.nc: NetCDF4, 5 analyses, 2019-12-30T00:00 to 2019-12-30T12:00", "variable   pm2p5, ug m-3", "every 3 h",
              "8 x 10 nodes, 0.75 degrees", "gaps       0", "would make 13 hours on 24 x 30 nodes"]  # fmt: skip
    for part in wanted:
        assert part in result.out
    assert "obstacle" not in result.out


def test_json_is_all_there_is_on_standard_output(write):
    call = [sys.executable, "-W", "error", "-m", "deepcams", "inspect", "--json", str(write())]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert report["obstacles"] == []
    assert (report["analyses"], report["hours"], report["step_hours"], report["unit"]) == (5, 13, 3, "ug m-3")
    assert report["values"]["minimum"] > 1


def test_an_obstacle_has_the_status_2(run, write):
    path = write(change=lambda field: field.where(field.valid_time != field.valid_time[1], -1e-6))
    text, data = run("inspect", path), run("inspect", path, "--json")
    assert text.status == data.status == 2
    assert "obstacle   80 negative values beyond packing noise, down to -1000 ug m-3" in text.out
    assert "80 negative" in json.loads(data.out)["obstacles"][0]


def test_files_that_are_none_are_obstacles_beside_what_is_good(run, write, tmp_path):
    write()
    (tmp_path / "text.nc").write_text("hello")
    result = run("inspect", tmp_path / "cams.nc", tmp_path / "text.nc", tmp_path / "none.nc", "--json")
    report = json.loads(result.out)
    assert result.status == 2
    assert report["analyses"] == 5
    assert len(report["obstacles"]) == 2


def test_missing_and_infinite_values_are_valid_json(run, write):
    for value in (np.nan, np.inf):
        result = run("inspect", write(change=lambda field, value=value: field * value), "--json")
        assert result.status == 2
        assert json.loads(result.out, parse_constant=lambda name: 1 / 0)["values"]["minimum"] is None
    assert run("inspect", write(change=lambda field: field * np.nan)).status == 2


def test_gaps_notes_and_units_are_told(run, write):
    gappy = run("inspect", write(change=lambda field: field.drop_isel(valid_time=3)))
    assert "2019-12-30T06:00 2019-12-30T12:00" not in gappy.out
    assert "gaps       1" in gappy.out
    assert "2019-12-30T06:00 to 2019-12-30T12:00" in gappy.out
    assert gappy.status == 0
    bare = write(change=lambda field: field.drop_attrs())
    assert "has no units: say which with --units" in run("inspect", bare).out
    assert run("inspect", bare, "--units", "kg m-3").status == 0
    assert "single node" in run("inspect", write(rows=1, columns=1)).out
    assert "there are: pm2p5" in run("inspect", write(), "--variable", "pm10").out


def test_progress_goes_to_standard_error_unless_quiet(run, write):
    assert "5 of 5 analyses" in run("inspect", write()).err
    assert run("inspect", write(), "--quiet").err == ""


def test_a_folder_of_nothing(run, tmp_path):
    result = run("inspect", tmp_path)
    assert result.status == 2
    assert "obstacle" in result.out
    assert "no NetCDF, GRIB or zip file in this folder" in result.out
