"""NetCDF results: described as CF-1.11 wants it, rounded as promised."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from deepcams import downscale
from deepcams.errors import InputError
from deepcams.production.run import downscale_to


@pytest.fixture
def exact(job):
    """The job's result, unrounded."""
    return downscale(job().analyses.to_dataarray(), job().recipe)


@pytest.fixture
def path(tmp_path, job):
    downscale_to(job(), tmp_path / "out.nc")
    return tmp_path / "out.nc"


def test_dimensions_coordinates_and_bounds(path, job):
    grid, plan = job().grid, job().timeline
    with xr.open_dataset(path) as written:
        assert dict(written.sizes) == {"time": plan.times.size, "latitude": 24, "longitude": 30, "bnds": 2}
        assert written["pm2p5"].dims == ("time", "latitude", "longitude")
        assert written["pm2p5"].dtype == np.float32
        np.testing.assert_array_equal(written["time"], plan.times)
        np.testing.assert_array_equal(written["latitude"], grid.latitude)
        np.testing.assert_array_equal(written["longitude"], grid.longitude)
        np.testing.assert_array_equal(written["latitude_bnds"], grid.latitude_bounds)
        np.testing.assert_array_equal(written["longitude_bnds"], grid.longitude_bounds)


def test_hours_of_a_gap_are_absent_and_the_others_tell_their_kind(path):
    with xr.open_dataset(path) as written:
        hours = (written["time"] - written["time"][0]) / np.timedelta64(1, "h")
        np.testing.assert_array_equal(hours, [*range(16), *range(39, 61)])
        np.testing.assert_array_equal(written["time_kind"], [0 if hour % 3 == 0 else 1 for hour in hours.values])
        assert written["time_kind"].attrs["flag_meanings"] == "analysis interpolated missing"


def test_attributes(path):
    with xr.open_dataset(path) as written:
        attributes = written["pm2p5"].attrs
        assert attributes["units"] == "ug m-3"
        assert attributes["standard_name"] == "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air"
        assert attributes["cell_methods"] == "time: point area: mean"
        assert written.attrs["Conventions"] == "CF-1.11"
        assert "Copernicus Atmosphere Monitoring Service" in written.attrs["attribution"]
        assert written.attrs["deepcams_inputs"] == "cams.nc"
        assert json.loads(written.attrs["deepcams_settings"])["space"] == "lcbp"
        assert len(written.attrs["deepcams_inputs_sha256"]) == 64
        assert written["time"].encoding["units"] == "hours since 1970-01-01 00:00:00"


def test_no_compliance_error(path, tmp_path):
    # in a process of its own: the libraries it loads do not leave one together with ours in peace
    checker, report = Path(sys.executable).with_name("compliance-checker"), tmp_path / "report.json"
    call = [str(checker), "--test=cf:1.11", "--format=json", f"--output={report}", str(path)]
    subprocess.run(call, capture_output=True, check=False)  # its status counts the medium notes too
    found = json.loads(report.read_text())["cf:1.11"]
    assert [check["msgs"] for check in found["high_priorities"] if check["value"][0] < check["value"][1]] == []
    medium = [check["msgs"] for check in found["medium_priorities"] if check["value"][0] < check["value"][1]]
    # the library's own attribute, which it names so that no CF attribute can clash with it
    assert all("_QuantizeBitRound" in message for messages in medium for message in messages)


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="no ncdump")
def test_it_looks_right_in_ncdump(path):
    shown = subprocess.run(["ncdump", "-h", str(path)], capture_output=True, text=True, check=True).stdout
    assert "float pm2p5(time, latitude, longitude) ;" in shown


def test_stored_in_chunks_of_one_map_compressed(path):
    with netCDF4.Dataset(path) as dataset:
        variable = dataset["pm2p5"]
        assert dataset.data_model == "NETCDF4"
        assert variable.chunking() == [1, 24, 30]
        assert variable.filters()["zlib"]
        assert variable.filters()["shuffle"]
        assert variable.quantization() == (9, "BitRound")


def test_rounding_is_within_a_thousandth(path, exact):
    with xr.open_dataset(path) as written:
        np.testing.assert_allclose(written["pm2p5"], exact["pm2p5"], rtol=1.001e-3, atol=0)
        assert (written["pm2p5"].values.view(np.uint32) << np.uint32(23 - 14)).max() > 0


def test_all_bits_are_exact_and_few_bits_are_zero(tmp_path, job, exact):
    downscale_to(job(), tmp_path / "exact.nc", keepbits=23)
    with xr.open_dataset(tmp_path / "exact.nc") as written:
        np.testing.assert_array_equal(written["pm2p5"].values.view(np.uint32), exact["pm2p5"].values.view(np.uint32))
    downscale_to(job(), tmp_path / "few.nc", keepbits=5)
    with xr.open_dataset(tmp_path / "few.nc") as written:
        values = written["pm2p5"].values
        dropped = values.view(np.uint32) & np.uint32(0x3FFFF)
        assert not dropped[np.isfinite(values)].any()


def test_missing_values_are_one_canonical_nan(path, exact):
    with xr.open_dataset(path) as written:
        values = written["pm2p5"].values
    np.testing.assert_array_equal(np.isnan(values), np.isnan(exact["pm2p5"].values))
    assert np.unique(values.view(np.uint32)[np.isnan(values)]).tolist() == [0x7FC00000]


@pytest.mark.parametrize("overwrite", [True, False])
def test_bad_values_leave_no_file(tmp_path, cams, read, job, overwrite):
    field = cams.concentration(cams.instants(12))
    field[-2, 0, 0] = -3
    bad = type(job())(read(cams.new_store(tmp_path / "bad.nc", field)), job().recipe)
    with pytest.raises(InputError, match=r"bad.nc, 2019-12-31T06:00 UTC: pm2p5 is -3 ug m-3"):
        downscale_to(bad, tmp_path / "out.nc", overwrite=overwrite)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.nc", "cams.nc"]
