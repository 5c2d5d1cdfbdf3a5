"""What is taken for results and scores in folders, what is not, and what is said where there is nothing."""

import shutil

import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.evidence.folder import find
from deepcams.production.order import Order
from deepcams.production.run import downscale_to

METHOD = {"method": "fast", "time": "linear"}


def test_a_run_is_found_from_its_folder(folder):
    found = find([folder / "run"])
    assert found.results == [(folder / "run" / "hourly.zarr",)]
    assert found.evaluations == [folder / "run" / "scores" / "evaluate.json"]
    assert found.validations == [folder / "run" / "validation" / "scores.json"]
    assert found.others == {}


def test_the_same_by_name_and_each_file_once(folder):
    run = folder / "run"
    found = find([run / "hourly.zarr", run / "scores" / "evaluate.json", run / "validation", run])
    assert found.results == [(run / "hourly.zarr",)]
    assert len(found.evaluations) == len(found.validations) == 1


def test_scores_of_another_name_are_told_by_their_content(folder):
    one = (folder / "run" / "scores" / "evaluate.json").rename(folder / "ours.json")
    other = (folder / "run" / "validation" / "scores.json").rename(folder / "theirs.json")
    found = find([one, other])
    assert (found.evaluations, found.validations) == ([one], [other])


def test_what_is_not_of_deepcams_is_named_and_not_taken(folder):
    found = find([folder])
    assert found.results == [(folder / "run" / "hourly.zarr",)]  # one level down
    assert list(found.others) == [folder / "cams.nc"]
    assert "--cams" in found.others[folder / "cams.nc"]


def test_unfinished_files_of_other_runs_are_not_looked_at(folder):
    shutil.copytree(folder / "run" / "hourly.zarr", folder / "run" / ".hourly.host-1.partial.zarr")
    assert len(find([folder / "run"]).results) == 1


def test_files_of_parts_are_one_result_and_other_work_is_another(folder):
    inputs = (str(folder / "cams.nc"),)
    out = folder / "parts"
    out.mkdir()
    for day in ("2019-12-30", "2019-12-31"):
        downscale_to(Order(inputs, **METHOD, start=day, end=day), out / f"hourly_{day}.nc")
    first, *_ = whole = sorted(out.glob("*.nc"))
    downscale_to(Order(inputs, **METHOD, space="bilinear"), out / "bilinear.nc")
    with xr.open_dataset(first) as hourly:
        attributes = hourly.attrs | {"deepcams_aggregation": "{}"}
        hourly.mean("time").assign_attrs(attributes).to_netcdf(out / "annual.nc")
    found = find([out])
    assert found.results == [(out / "bilinear.nc",), tuple(whole)]
    assert "aggregate" in found.others[out / "annual.nc"]


def test_a_damaged_file_is_named_among_others_and_refused_by_its_name(folder):
    run = folder / "run"
    (run / "half.nc").write_bytes((folder / "cams.nc").read_bytes()[:500])
    (run / "empty.nc").touch()
    shutil.copytree(run / "hourly.zarr", run / "broken.zarr")
    (run / "broken.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_')
    found = find([run])
    assert found.results == [(run / "hourly.zarr",)]
    assert {one.name for one in found.others} == {"half.nc", "empty.nc", "broken.zarr"}
    assert all("cannot be read" in why for why in found.others.values())
    with pytest.raises(InputError, match="it is empty"):
        find([run / "empty.nc"])


@pytest.mark.parametrize("name", ["", "cams.nc", "notes.txt"])
def test_a_folder_without_anything_of_ours_says_what_was_wanted(folder, name):
    place = folder / "elsewhere"
    place.mkdir()
    if name == "cams.nc":
        shutil.copy(folder / name, place)
    elif name:
        (place / name).write_text("not ours")
    with pytest.raises(InputError, match="deepcams downscale leaves") as error:
        find([place])
    assert name in str(error.value)


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        find([tmp_path / "run"])
