"""Where values come from, as the small print has it: what the files tell, and no more."""

import json

import pytest

from deepcams.plot.origin import origin, several

MADE = {
    "deepcams_version": "0.1.0",
    "deepcams_settings": json.dumps({"space": "lcbp", "time": "flow", "factor": 3}),
    "deepcams_inputs": "2019-11.nc, 2019-12.nc",
}


def test_an_output_tells_version_method_and_input():
    told = "hourly.zarr: deepcams 0.1.0, lcbp in space, flow in time; from 2019-11.nc and 1 more"
    assert origin(MADE, ["/data/hourly.zarr"]) == told


def test_a_correction_is_not_passed_over():
    assert "flow in time, corrected with stations;" in origin(MADE | {"deepcams_calibration": "{}"}, ["a.nc"])


@pytest.mark.parametrize("settings", ["", "no json", "[1]", '{"space": 3}'])
def test_files_that_do_not_tell_are_named_alone(settings):
    assert origin({"deepcams_settings": settings}, ["a.nc", "b.nc", "c.nc"]) == "a.nc and 2 more"
    assert origin({}, ["$x_2$.nc"]) == several(["/data/$x_2$.nc"]) == "$x_2$.nc"
