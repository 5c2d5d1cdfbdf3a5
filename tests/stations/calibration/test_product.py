"""The product: apart from the pure one, with its own provenance, the same however it is made."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from deepcams.cut import cut
from deepcams.errors import InputError, OutputError
from deepcams.extraction.extract import choose
from deepcams.grid import Grid, Region
from deepcams.io.results import open_results
from deepcams.rounding import bitround
from deepcams.stations.calibration.features import Surroundings, everywhere
from deepcams.stations.calibration.learn import fit
from deepcams.stations.calibration.product import SPECIES, calibrate, check_target, plan

from .conftest import GRID, MISSING, START


@pytest.fixture(scope="session")
def correction(samples):
    facts = {"settings": '{"a": 1}', "sources": ["AirNow"], "training": {"cells": 60}, "held_out": {"regions": "none"}}
    return fit(samples, 1.0, facts, trees=10)


def write(part, correction, path, *, region=None, **options):
    return calibrate(plan(part, path, region=region), correction, **options)


@pytest.fixture
def part(results):
    return choose(results, START + 94, START + 105)


def test_the_maps_are_the_field_times_the_correction(part, correction, tmp_path):
    done = write(part, correction, tmp_path / "out.nc", workers=2)
    assert (done.hours, done.missing, done.notes) == (9, 3, ())
    with xr.open_dataset(tmp_path / "out.nc") as found:
        values = found["pm2p5_calibrated"].values
        assert found["pm2p5_calibrated"].attrs["units"] == "ug m-3"
        assert found["pm2p5_calibrated"].attrs["ancillary_variables"] == "time_kind distance_to_station"
        assert "pm2p5" not in found
    holes = [one - 94 for one in MISSING]
    assert np.isnan(values[holes]).all()
    assert np.isfinite(np.delete(values, holes, axis=0)).all()
    field = part.results.read(slice(95, 96))[0]
    where = everywhere(GRID, np.arange(GRID.rows), np.arange(GRID.columns))
    features = Surroundings(field, GRID, START + 95).features(where)
    wanted = correction.correct(field.ravel(), features).reshape(GRID.shape)
    np.testing.assert_array_equal(values[1], bitround(wanted, 9))


def test_what_the_file_says_of_itself(part, correction, tmp_path):
    write(part, correction, tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc") as found:
        about, away = found.attrs, found["distance_to_station"]
    told = json.loads(about["deepcams_calibration"])
    assert told["model_sha256"] == correction.sha256
    assert told["from"] == ["maps.nc"]
    assert told["held_out"] == {"regions": "none"}
    assert about["attribution"] == "thanks to CAMS. Corrected with measurements of: AirNow"
    assert about["deepcams_settings"] == '{"a": 1}'
    assert about["history"].endswith("\nmade")
    assert "not the pure downscaling" in about["comment"]
    assert away.attrs["units"] == "km"
    row, column = (
        np.abs(GRID.latitude - correction.sites[0, 0]).argmin(),
        int(correction.sites[0, 1] % 360 - GRID.west) % 360,
    )
    assert away.values[row, column] == 0
    assert away.values.max() > 100


def test_it_can_be_read_like_any_result(part, correction, tmp_path):
    write(part, correction, tmp_path / "out.nc")
    again = open_results(tmp_path / "out.nc")
    assert again.species.name == SPECIES.name
    assert again.grid == GRID
    np.testing.assert_array_equal(again.kinds, part.kinds)


def test_a_region_and_threads_change_nothing(part, correction, tmp_path):
    box = Region(55, 0, 45, 20)
    write(part, correction, tmp_path / "whole.nc", workers=1)
    write(part, correction, tmp_path / "part.nc", region=box, workers=3)
    whole, some = (open_results(tmp_path / name) for name in ("whole.nc", "part.nc"))
    np.testing.assert_array_equal(cut(whole, box).read(slice(0, 12)), some.read(slice(0, 12)))


def test_months(results, correction, tmp_path):
    part = choose(results, np.datetime64("2019-12-31T20"), np.datetime64("2020-01-01T03"))
    done = write(part, correction, tmp_path / "out_%Y-%m.nc")
    assert [path.name for path in done.paths] == ["out_2019-12.nc", "out_2020-01.nc"]
    assert [open_results(path).times.size for path in done.paths] == [4, 4]


def test_maps_made_in_another_way(part, correction, tmp_path):
    other = type(correction)(correction.trees, 0.0, correction.limits, 1.0, {"settings": "{}"}, correction.sites)
    assert "made in another way" in write(part, other, tmp_path / "out.nc").notes[0]
    finer = type(correction)(correction.trees, 0.0, correction.limits, 0.25, {}, correction.sites)
    with pytest.raises(InputError, match=r"has steps of 1 degrees, the correction was learned on steps of 0.25"):
        write(part, finer, tmp_path / "no.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["out.nc"]


def test_nothing_half_written(part, correction, tmp_path):
    def stop(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(part, correction, tmp_path / "out.nc", progress=stop)
    with pytest.raises(InputError, match="region"):
        write(part, correction, tmp_path / "out.nc", region=Region(-10, 0, -20, 10))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "error", "why"), [
    ("out.csv", OutputError, "unknown suffix"), ("out_%Y.nc", InputError, "%Y and %m"), ("out_%d.nc", InputError, "no other %"),
    ("none/out.nc", OutputError, "does not exist"), ("in.nc", OutputError, "is one of the inputs"),
])  # fmt: skip
def test_targets(tmp_path, name, error, why):
    with pytest.raises(error, match=why):
        check_target(tmp_path / name, (tmp_path / "in.nc",), overwrite=False)


def test_only_pure_maps_of_pm2p5_are_corrected(part, correction, tmp_path):
    write(part, correction, tmp_path / "out.nc")
    with pytest.raises(InputError, match="has pm2p5_calibrated in ug m-3: wanted pm2p5"):
        plan(choose(open_results(tmp_path / "out.nc")), tmp_path / "again.nc")
    with pytest.raises(OutputError, match="exists already"):
        plan(part, tmp_path / "out.nc")


def test_a_pole_has_one_value(correction, tmp_path):
    grid = Grid(90, 0, 1, 12, 360)
    values = np.random.default_rng(0).gamma(1, 10, (24, *grid.shape)).astype(np.float32)
    values[:, 0] = 5
    times = (START + np.arange(24)).astype("datetime64[ns]")
    coordinates = {"time": times, "latitude": grid.latitude, "longitude": grid.longitude}
    xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", {"units": "ug m-3"}).to_netcdf(tmp_path / "pole.nc")
    write(choose(open_results(tmp_path / "pole.nc")), correction, tmp_path / "out.nc", workers=1)
    found = open_results(tmp_path / "out.nc").read(slice(0, 24))
    assert (np.ptp(found[:, 0], axis=1) == 0).all()
    assert (np.ptp(found[:, 1], axis=1) > 0).all()
