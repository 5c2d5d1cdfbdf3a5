"""What ``deepcams inspect`` finds in good files and in bad ones."""

import json
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest

from deepcams.io.inspect import inspect


def test_a_good_file(tmp_path, cams):
    seen = []
    path = cams.new_store(tmp_path / "cams.nc", cams.concentration())
    report = inspect([path], track=lambda total: nullcontext(lambda count: seen.append((count, total))))
    assert report.obstacles == report.notes == report.gaps == []
    assert (report.analyses, report.step_hours, report.duplicates, report.hours) == (5, 3, 0, 13)
    assert (report.first, report.last) == ("2019-12-30T00:00", "2019-12-30T12:00")
    assert report.values.maximum == pytest.approx(float(cams.concentration().max()))
    assert report.output_grid.startswith("24 x 30 nodes, 0.25 degrees")
    assert report.files[0].form == "NetCDF4"
    assert seen == [(1, 5)] * 5


def test_forms_gaps_duplicates_and_noise(tmp_path, cams, grib):
    field = cams.concentration()
    field[0, 0, :3] = np.nan
    field[1, 0, :2] = -1e-3
    cams.new_store(tmp_path / "a.nc", field[:2])
    grib(tmp_path / "b.grib", cams.concentration()[[2, 4]])
    cams.old_store(tmp_path / "c.nc", cams.concentration()[[4]])
    report = inspect(tmp_path)
    assert [one.form for one in report.files] == ["NetCDF4", "GRIB", "NetCDF3"]
    assert (report.analyses, report.duplicates) == (4, 1)
    assert report.gaps == [["2019-12-30T06:00", "2019-12-30T12:00"]]
    assert (report.values.missing, report.values.noise, report.values.negative) == (3, 2, 0)
    assert report.obstacles == []


def test_every_obstacle_is_named_and_the_rest_is_told(tmp_path, cams):
    field = cams.concentration()
    field[1, 2, 3], field[2, 0, 0], field[3] = -5, np.inf, np.nan
    cams.new_store(tmp_path / "cams.nc", field)
    (tmp_path / "text.nc").write_text("hello")
    (tmp_path / "half.nc").write_bytes((tmp_path / "cams.nc").read_bytes()[:3000])
    report = inspect([tmp_path / name for name in ("cams.nc", "text.nc", "half.nc", "none.nc")])
    wanted = ["none.nc: no such file", "text.nc: not a NetCDF", "half.nc: cannot be read", "1 infinite values",
              "1 negative values beyond packing noise, down to -5", "every value is missing at 2019-12-30T09:00"]  # fmt: skip
    assert len(report.obstacles) == len(wanted)
    for part in wanted:
        assert any(part in obstacle for obstacle in report.obstacles), part
    assert report.analyses == 5
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["values"]["infinite"] == 1


def test_nothing_but_missing_values(tmp_path, cams):
    report = inspect(cams.new_store(tmp_path / "cams.nc", np.nan * cams.concentration()))
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))["values"]
    assert values["minimum"] is values["maximum"] is None
    assert "every value is missing" in report.obstacles[0]


def test_one_analysis_is_not_enough(tmp_path, cams):
    report = inspect(cams.new_store(tmp_path / "cams.nc", cams.concentration()[:1]))
    assert "wanted two at least" in report.obstacles[0]
    assert report.values.maximum > 0


def test_files_that_do_not_fit_together(tmp_path, cams):
    cams.new_store(tmp_path / "a.nc", cams.concentration())
    cams.new_store(tmp_path / "b.nc", cams.concentration()[:, 1:])
    report = inspect(tmp_path)
    assert [one.analyses for one in report.files] == [5, 5]
    assert "another grid" in report.obstacles[0]


def test_a_zip_member_without_the_variable_matters_only_if_no_file_has_it(tmp_path, cams):
    cams.new_store(tmp_path / "a.nc", cams.concentration())
    cams.in_kilograms(cams.concentration()).to_dataset(name="z").to_netcdf(tmp_path / "z.nc")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.write(tmp_path / "a.nc", "a.nc")
        archive.write(tmp_path / "z.nc", "z.nc")
    assert inspect(tmp_path / "both.zip").obstacles == []
    assert len(inspect(tmp_path / "both.zip", variable="pm10").obstacles) == 2
    assert "there are: z" in inspect(tmp_path / "z.nc").obstacles[0]


def test_values_that_are_not_of_this_world(tmp_path, cams):
    path = cams.new_store(tmp_path / "cams.nc", cams.concentration())
    assert "are the units right?" in inspect(path, units="ug m-3").notes[0]
    cams.new_store(path, cams.concentration() * 1e9)
    assert "are the units right?" in inspect(path).notes[0]
