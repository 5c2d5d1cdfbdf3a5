"""One result: its hours, its log, and the check of a day."""

import json

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.evidence.limits import limits_of
from deepcams.evidence.runs import check, open_run

DATE = np.datetime64("2019-12-30")


@pytest.fixture
def run(folder):
    return open_run([folder / "run" / "hourly.zarr"], "hourly.zarr")


def test_hours_are_counted_by_kind_and_the_gap_is_named(run):
    hours = run.hours()
    assert (hours.first, hours.last) == ("2019-12-30T00", "2019-12-31T09")
    assert (hours.analyses, hours.interpolated, hours.missing) == (9, 14, 11)
    assert hours.pauses == (("2019-12-30T13", "2019-12-30T23"),)
    assert run.times.size == 23


def test_provenance_is_what_the_store_says(run):
    told = run.provenance()
    assert next(iter(told)) == "version"
    assert told["inputs"] == "cams.nc"
    assert (told["method"], told["time"], told["space"]) == ("custom", "linear", "lcbp")
    assert json.dumps(run.facts())


def test_the_log_is_read_also_while_it_is_written(folder):
    log = folder / "run" / "hourly.zarr.log"
    with log.open("a") as stream:
        stream.write('not ours\n[1]\n{"event": "half')
    run = open_run([folder / "run" / "hourly.zarr"], "hourly.zarr")
    assert [line["event"] for line in run.log] == ["started", "completed"]


def test_a_sound_day_is_well_and_compared_with_cams(run, folder):
    found = check(run, DATE, [str(folder / "cams.nc")])
    assert found.problems == ()
    assert found.notes == ()
    assert found.mean_error < 1e-3
    assert found.values == 13 * run.results.grid.rows * run.results.grid.columns


def test_without_cams_it_says_what_was_not_compared(run):
    found = check(run, DATE, [])
    assert found.mean_error is None
    assert "CAMS was not given" in found.notes[0]


def test_a_day_that_was_altered_is_not_well(folder, run):
    zarr.open_group(folder / "run" / "hourly.zarr", mode="r+")["pm2p5"][3, 0, 0] = 1.0
    assert "not those that the ledger knows" in check(run, DATE, []).problems[0]


def test_hours_that_are_planned_and_not_there_are_counted(folder):
    path = folder / "run" / "hourly.zarr"
    group = zarr.open_group(path, mode="r+")
    group["ledger/planned"][1] = (1 << 24) - 1
    group.attrs["status"] = "unfinished"
    run = open_run([path], "hourly.zarr")
    assert run.results.unfinished
    assert [note for note in check(run, DATE, []).notes if note.startswith("14 hours that are planned")]


def test_a_corrected_product_is_not_held_to_the_means_of_cams(folder):
    path = folder / "calibrated.nc"
    with xr.open_zarr(folder / "run" / "hourly.zarr", consolidated=False) as dataset:
        hourly = dataset[["pm2p5", "time_kind"]].drop_encoding()
        halved = hourly.assign(pm2p5=(hourly["pm2p5"] * 0.5).assign_attrs(units="ug m-3"))
        halved.assign_attrs(dataset.attrs | {"deepcams_calibration": "{}"}).to_netcdf(path)
    run = open_run([path], "calibrated.nc")
    found = check(run, DATE, [str(folder / "cams.nc")])
    assert found.problems == ()
    assert "corrected with stations" in found.notes[0]
    told = [headline for headline, _ in limits_of([run], [])]
    assert "A product that calibrate corrects is another product" in told
    assert "It inherits CAMS." not in told


def test_what_deepcams_did_not_write_is_not_verified(folder):
    foreign = folder / "foreign.nc"
    with xr.open_zarr(folder / "run" / "hourly.zarr", consolidated=False) as dataset:
        xr.Dataset({"pm2p5": dataset["pm2p5"]}).to_netcdf(foreign)
    run = open_run([foreign], "foreign.nc")
    assert run.settings == {}
    assert "not verified" in check(run, DATE, []).notes[0]
