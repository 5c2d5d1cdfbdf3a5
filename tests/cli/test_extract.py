"""``deepcams extract``: what it writes, what it prints, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

TABLE = "station,lat,lon\nUtrecht,52.1,5.1\nLille,50.6,3.1\n"


@pytest.fixture
def hourly(run, write, tmp_path):
    """Half a day of hourly maps over the Low Countries, in a store."""
    path = tmp_path / "hourly.zarr"
    assert run("downscale", write(), path, "--method", "fast", "--quiet").status == 0
    return path


@pytest.fixture
def points(tmp_path):
    (tmp_path / "points.csv").write_text(TABLE)
    return tmp_path / "points.csv"


@pytest.fixture
def areas(tmp_path):
    ring = [[4, 51], [6, 51], [6, 53], [4, 53], [4, 51]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    (tmp_path / "areas.geojson").write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}))
    return tmp_path / "areas.geojson"


def test_points_in_every_form(run, hourly, points, tmp_path):
    for name in ("a.csv", "a.csv.gz", "a.parquet", "a.nc"):
        result = run("extract", hourly, tmp_path / name, "--points", points)
        assert result.status == 0
        assert f"{name}: 2 series, 13 hours, 2019-12-30T00 to 2019-12-30T12 UTC" in result.out
        assert "13 of 13 hours" in result.err
    table = pd.read_csv(tmp_path / "a.csv")
    assert len(table) == 26
    with xr.open_zarr(hourly) as maps, xr.open_dataset(tmp_path / "a.nc") as series:
        at = maps["pm2p5"].astype(float).isel(time=slice(13)).interp(latitude=52.1, longitude=5.1)
        np.testing.assert_allclose(table["pm2p5"][table["name"] == "Utrecht"], at, rtol=1e-6)
        np.testing.assert_allclose(series["pm2p5"][0], at, rtol=1e-6)
    pd.testing.assert_frame_equal(table, pd.read_csv(tmp_path / "a.csv.gz"))
    assert len(pd.read_parquet(tmp_path / "a.parquet")) == 26


def test_a_region_is_a_mean_in_a_table_and_maps_in_netcdf(run, hourly, areas, tmp_path):
    box = ("--region", "53,4,51,6", "--quiet")
    assert run("extract", hourly, tmp_path / "box.csv", *box) == (0, "", "")
    assert run("extract", hourly, tmp_path / "maps.nc", *box) == (0, "", "")
    assert run("extract", hourly, tmp_path / "area.csv", "--polygon", areas, "--quiet") == (0, "", "")
    mean, area = (pd.read_csv(tmp_path / name) for name in ("box.csv", "area.csv"))
    assert mean["name"].unique().tolist() == ["53,4,51,6"]
    np.testing.assert_allclose(mean["pm2p5"], area["pm2p5"], rtol=1e-6)
    np.testing.assert_array_equal(mean["pm2p5_max"], area["pm2p5_max"])
    with xr.open_zarr(hourly) as maps, xr.open_dataset(tmp_path / "maps.nc") as part:
        cut = maps["pm2p5"].sel(latitude=slice(53, 51), longitude=slice(4, 6)).isel(time=slice(13))
        np.testing.assert_array_equal(part["pm2p5"], cut)


def test_a_period_and_how_points_are_found(run, hourly, points, tmp_path):
    call = ("extract", hourly, tmp_path / "a.csv", "--points", points, "--interpolation", "nearest", "--quiet")
    assert run(*call, "--start", "2019-12-30T03", "--end", "2019-12-30T04") == (0, "", "")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["time"].unique().tolist() == ["2019-12-30T03:00Z", "2019-12-30T04:00Z"]
    assert table["time_kind"].tolist() == [0, 0, 1, 1]
    with xr.open_zarr(hourly) as maps:
        node = maps["pm2p5"].sel(latitude=52.1, longitude=5.1, method="nearest")[3]
        assert table["pm2p5"][0] == pytest.approx(float(node), rel=1e-6)


def test_points_outside_may_be_left_out(run, hourly, points, tmp_path):
    points.write_text(TABLE + "Rome,41.9,12.5\n")
    call = ("extract", hourly, tmp_path / "a.csv", "--points", points)
    assert "Rome (41.9N 12.5E): outside the data" in run(*call).err
    result = run(*call, "--skip-outside")
    assert (result.status, "note      1 points outside the data left out" in result.out) == (0, True)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (["out.csv"], "wanted STORE... OUTPUT and one of"),
        (["STORE", "out.csv"], "wanted STORE... OUTPUT and one of"),
        (["STORE", "out.csv", "--points", "POINTS", "--region", "europe"], "one of --points, --region and --polygon"),
        (["STORE", "out.txt", "--points", "POINTS"], "unknown suffix"),
        (["STORE", "out.csv", "--points", "none.csv"], "cannot be read as a table"),
        (["STORE", "POINTS", "--points", "POINTS", "--overwrite"], "is one of the inputs"),
        (["none.zarr", "out.csv", "--points", "POINTS"], "no such file"),
        (["STORE", "out.csv", "--region", "atlantis"], "region 'atlantis'"),
        (["STORE", "out.csv", "--region", "europe"], "reaches beyond the data"),
        (["STORE", "out.nc", "--region", "europe"], "reaches beyond the data"),
        (["STORE", "out.csv", "--region", "53,4,51,6", "--skip-outside"], "are for --points"),
        (["STORE", "out.csv", "--points", "POINTS", "--name-property", "x"], "is for --polygon"),
        (["STORE", "out.csv", "--points", "POINTS", "--start", "2021-01-01"], "no hour from 2021-01-01T00"),
        (["STORE", "out.csv", "--points", "POINTS", "--variable", "pm10"], "pm10"),
    ],
)
def test_what_is_refused(run, hourly, points, tmp_path, monkeypatch, contents, call, what):
    monkeypatch.chdir(tmp_path)
    before = contents()
    result = run("extract", *(one.replace("STORE", str(hourly)).replace("POINTS", str(points)) for one in call))
    assert (result.status, what in result.err) == (2, True), result.err
    assert contents() == before
