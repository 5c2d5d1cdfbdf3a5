"""``deepcams calibrate``: what it writes, what it prints, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import ndimage

HOURS = 5 * 168 + 1
LATITUDE, LONGITUDE = 65 - np.arange(31.0), -10 + np.arange(61.0)
START = np.datetime64("2019-12-02T00", "ns")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Five weeks of hourly maps, and tables of observations: with a bias that can be learned, without, and of few sites."""
    folder, generator = tmp_path_factory.mktemp("world"), np.random.default_rng(0)
    pattern = ndimage.gaussian_filter(generator.normal(size=(HOURS // 12 + 2, 31, 61)), (1, 2, 2))
    values = (12 * np.exp(0.8 * ndimage.zoom(pattern / pattern.std(), (12, 1, 1), order=1)[:HOURS])).astype(np.float32)
    times = START + np.arange(HOURS) * np.timedelta64(1, "h")
    coordinates = {"time": times, "latitude": LATITUDE, "longitude": LONGITUDE}
    maps = xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", {"units": "ug m-3"}).to_dataset()
    maps.assign_attrs(attribution="thanks to CAMS").to_netcdf(folder / "maps.nc")
    cells = generator.choice(31 * 61, 45, replace=False)
    rows, columns, hours = cells // 61, cells % 61, np.arange(0, HOURS - 1, 6)[:, None]
    field = (values[hours, rows, columns] + values[hours + 1, rows, columns]) / 2
    noise = np.exp(0.2 * generator.normal(size=field.shape))
    bias = np.exp(0.5 * np.cos(2 * np.pi * (hours + LONGITUDE[columns] / 15) / 24))
    for name, observed, sites in (
        ("biased", field * bias * noise, 45),
        ("right", field * noise, 45),
        ("few", field, 5),
    ):
        hour, station = (one.ravel() for one in np.broadcast_arrays(hours, np.arange(45)))
        table = pd.DataFrame({
            "station_id": [f"S{k}" for k in station], "time": pd.DatetimeIndex(times[hour]).strftime("%Y-%m-%dT%H:%MZ"),
            "latitude": LATITUDE[rows][station], "longitude": LONGITUDE[columns][station],
            "pm25": observed.ravel().round(2), "units": "ug/m3", "period": 60,
        })  # fmt: skip
        table[station < sites].to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def done(world, tmp_path_factory):
    """The command run once; its output, its model, and what it printed."""
    from click.testing import CliRunner

    from deepcams.cli import cli

    folder = tmp_path_factory.mktemp("done")
    call = ["calibrate", world / "maps.nc", folder / "out.nc", "--stations", world / "biased.csv", "--save-model",
            folder / "model.txt", "--start", "2019-12-10", "--end", "2019-12-10", "--region", "60,0,50,20",
            "--workers", "1"]  # fmt: skip
    result = CliRunner().invoke(cli, [str(one) for one in call], catch_exceptions=False)
    assert result.exit_code == 0
    return folder, result.output


def test_it_says_what_it_is_worth(done):
    folder, printed = done
    assert "stations  6300 of 6300 observations used" in printed
    for kind in ("regions left out, N 6300:", "periods left out, N 6300:", "regions and periods left out, N "):
        assert kind in printed
    lines = [line.split() for line in printed.splitlines() if line.startswith(("  uncalibrated", "  calibrated"))]
    assert [line[0] for line in lines] == ["uncalibrated", "calibrated"] * 3
    rmse = [float(line[4]) for line in lines]
    assert all(after < before for before, after in zip(rmse[::2], rmse[1::2], strict=True))
    assert f"{folder}/out.nc: 24 hours" in printed
    assert "at 45 cells" in printed


def test_the_product_stands_apart(done):
    folder, _ = done
    with xr.open_dataset(folder / "out.nc") as found:
        assert set(found.data_vars) >= {"pm2p5_calibrated", "distance_to_station", "time_kind"}
        assert "pm2p5" not in found
        assert found.sizes["time"] == 24
        assert found["latitude"].values.tolist() == list(range(60, 49, -1))
        told = json.loads(found.attrs["deepcams_calibration"])
    assert told["stations"] == ["biased.csv"]
    assert told["training"]["cells"] == 45
    assert told["held_out"]["regions and periods"]["calibrated"]["rmse"] < 5


def test_a_saved_model_gives_the_same(run, world, done, tmp_path):
    folder, _ = done
    result = run("calibrate", world / "maps.nc", tmp_path / "again.nc", "--model", folder / "model.txt", "--start",
                 "2019-12-10", "--end", "2019-12-10", "--region", "60,0,50,20", "--quiet")  # fmt: skip
    assert result == (0, "", "")
    with xr.open_dataset(folder / "out.nc") as one, xr.open_dataset(tmp_path / "again.nc") as other:
        np.testing.assert_array_equal(one["pm2p5_calibrated"], other["pm2p5_calibrated"])
        assert one.attrs["deepcams_calibration"] == other.attrs["deepcams_calibration"]


def test_what_is_not_better_is_not_written(run, world, tmp_path, contents):
    call = "calibrate", world / "maps.nc", tmp_path / "out.nc", "--stations", world / "right.csv", "--end", "2019-12-02"
    call = *call, "--workers", "1"
    result = run(*call, "--save-model", tmp_path / "model.txt")
    assert result.status == 1
    assert "does not make RMSE and MAE smaller: RMSE " in result.err
    assert "without it" in result.err
    assert "--even-if-worse" in result.err
    assert contents() == []
    assert run(*call, "--even-if-worse", "--quiet").status == 0
    assert contents() == ["out.nc"]


def test_too_little_to_learn_from(run, world, tmp_path, contents):
    result = run("calibrate", world / "maps.nc", tmp_path / "out.nc", "--stations", world / "few.csv")
    assert result.status == 2
    assert "too little to learn from" in result.err
    assert "with a station: 5, weeks: 5; wanted 30 cells and 4 weeks" in result.err
    assert contents() == []


def test_calls_that_are_not_whole(run, world, done, tmp_path, contents):
    maps, out, stations, model = world / "maps.nc", tmp_path / "out.nc", world / "biased.csv", done[0] / "model.txt"
    (tmp_path / "broken.txt").write_text("deepcams calibration 1, sha256 of the rest 0\n{}\ntree")
    for call, why in (
        ((maps, out), "either --stations"),
        ((maps, out, "--stations", stations, "--model", model), "either --stations"),
        ((out, "--stations", stations), "wanted STORE... OUTPUT"),
        ((maps, out, "--model", model, "--units", "ug/m3", "--seed", "3"), "--units, --seed: for learning"),
        ((maps, tmp_path / "out.csv", "--model", model), "unknown suffix"),
        ((maps, out, "--stations", stations, "--save-model", tmp_path / "model.nc"), "unknown suffix"),
        ((maps, out, "--model", tmp_path / "broken.txt"), "broken.txt: is damaged"),
        ((maps, out, "--model", maps), "cannot be read"),
        ((maps, out, "--model", model, "--region", "10,0,0,20"), "outside the data"),
        ((maps, out, "--stations", tmp_path / "none.csv"), "none.csv"),
    ):
        result = run("calibrate", *call)
        assert (result.status, why in result.err) == (2, True), result.err
    assert contents() == ["broken.txt"]


def test_the_embassies_and_the_sample_are_too_little(run, shared_data, tmp_path):
    """The only real overlap at hand: nine hours, five cities at most."""
    (tmp_path / "sites.csv").write_text(
        "station_id,latitude,longitude,timezone\nBeijing,39.95,116.47,Asia/Shanghai\nShanghai,31.21,121.44,Asia/Shanghai\n"
        "Guangzhou,23.12,113.32,Asia/Shanghai\nShenyang,41.78,123.42,Asia/Shanghai\nHanoi,21.02,105.82,Asia/Ho_Chi_Minh\n"
    )
    run("downscale", "--sample", tmp_path / "hourly.nc", "--method", "fast", "--region", "50,100,10,130", "--quiet")
    stations = sorted((shared_data / "stations").glob("airnow_dos_*_20*.csv.gz"))
    result = run("calibrate", tmp_path / "hourly.nc", tmp_path / "out.nc", "--stations", *stations, "--site-table",
                 tmp_path / "sites.csv")  # fmt: skip
    assert result.status == 2
    assert "weeks: 1; wanted 30 cells and 4 weeks at least" in result.err
