"""``deepcams aggregate``: what it makes, what it says, and what it leaves when it cannot."""

import numpy as np
import pytest
import xarray as xr
import zarr


@pytest.fixture
def hourly(run, write, tmp_path):
    """Three days of hourly maps, as a store."""
    assert run("downscale", write(count=25), tmp_path / "hourly.zarr", "--method", "fast", "--quiet").status == 0
    return tmp_path / "hourly.zarr"


def test_days(run, hourly, tmp_path):
    result = run("aggregate", hourly, "daily", tmp_path / "daily.nc")
    assert result.status == 0
    assert "daily.nc: 4 days of 73 hours, 2019-12-30 to 2020-01-02" in result.out
    assert "values    mean, max, hours-above of pm2p5" in result.out
    assert "limits    15, 25, 37.5, 50, 75 ug m-3" in result.out
    assert "partial   2020-01-02 has 1 of 24 hours: below coverage, no values" in result.out
    assert "4 of 4 days" in result.err
    with xr.open_dataset(tmp_path / "daily.nc") as daily, xr.open_zarr(hourly) as maps:
        assert daily["pm2p5_mean"].shape == (4, 24, 30)
        assert np.isnan(daily["pm2p5_mean"][3]).all()
        wanted = maps["pm2p5"][:24].astype(np.float64).mean("time")
        np.testing.assert_allclose(daily["pm2p5_mean"][0], wanted, rtol=2e-7)
        assert daily["pm2p5_mean"].attrs["units"] == "ug m-3"
        assert daily["pm2p5_mean"].attrs["cell_methods"] == "area: mean time: mean (interval: 1 hour)"
        assert daily["hours_above"].dims == ("limit", "time", "latitude", "longitude")
        assert "15: WHO guideline level" in daily["limit"].attrs["comment"]
        assert daily.attrs["attribution"] == maps.attrs["attribution"]
        assert daily.attrs["deepcams_settings"] == maps.attrs["deepcams_settings"]


def test_options(run, hourly, tmp_path, contents):
    result = run("aggregate", hourly, "monthly", tmp_path / "m.zarr", "--start", "2019-12-30", "--end", "2019-12-31",
                 "--region", "53,4,51,6", "--statistic", "max", "--statistic", "days-above", "--limit", "20", "--limit", "21.5",
                 "--coverage", "0.05", "--utc-offset", "-1", "--variable", "pm2p5", "--workers", "2", "--quiet")  # fmt: skip
    assert result == (0, "", "")
    assert {"m.zarr", "m.zarr.log"} <= set(contents())
    with xr.open_zarr(tmp_path / "m.zarr") as months:
        assert set(months.data_vars) >= {"pm2p5_max", "days_above", "hours_used", "days_used"}
        assert months["pm2p5_max"].shape == (1, 9, 9)
        assert months["limit"].values.tolist() == [20, 21.5]
        assert int(months["hours_used"][0, 0, 0]) == 48


def test_an_unfinished_store_is_named(run, hourly, tmp_path):
    zarr.open_group(hourly, mode="r+").attrs["status"] = "unfinished"
    out = run("aggregate", hourly, "annual", tmp_path / "a.nc", "--coverage", "0").out
    assert "a.nc: 2 years of 73 hours, 2019 to 2020" in out
    assert "note      the store is unfinished" in out
    assert "above     2019: the mean is above 5 in " in out


def test_few_partial_periods_are_listed(run, write, tmp_path):
    run("downscale", write(count=30, step=12), tmp_path / "h.nc", "--method", "fast", "--time", "linear", "--quiet")
    out = run("aggregate", tmp_path / "h.nc", "daily", tmp_path / "d.nc", "--start", "2019-12-30T01").out
    assert "partial   2019-12-30 has 23 of 24 hours\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in", "daily"], "wanted STORE..., then daily, monthly or annual, then OUTPUT"),
        (["in", "weekly", "out.nc"], "period 'weekly': wanted daily, monthly, annual, given before OUTPUT"),
        (["in", "daily", "out.txt"], "unknown suffix '.txt'; wanted .nc or .zarr"),
        (["none.zarr", "daily", "out.nc"], "none.zarr: no such file or folder"),
        (["in", "daily", "out.nc", "--statistic", "mode"], "statistic 'mode' of daily values: wanted one of mean"),
        (["in", "daily", "out.nc", "--coverage", "2"], "coverage 2: wanted a share from 0 to 1"),
        (["in", "daily", "out.nc", "--region", "10,100,0,110"], "outside the data"),
        (["in", "daily", "out.nc", "--start", "2021-01-01"], "no hour from"),
        (["in", "daily", "out.nc", "--variable", "so2"], "no variable so2"),
        (["in", "daily", "in", "--overwrite"], "is one of the inputs"),
    ],
)
def test_bad_calls_end_with_status_2_and_one_line(run, hourly, tmp_path, contents, arguments, message):
    before = contents()
    places = {"in": hourly, **{name: tmp_path / name for name in ("out.nc", "out.txt", "none.zarr")}}
    result = run("aggregate", *(places.get(one, one) for one in arguments))
    assert result.status == 2
    assert message in result.err
    assert contents() == before


def test_a_damaged_store_leaves_nothing(run, hourly, tmp_path, contents):
    before = contents()
    (hourly / "pm2p5" / "c" / "1" / "0" / "0").write_bytes(b"\x55" * 3000)
    result = run("aggregate", hourly, "monthly", tmp_path / "out.nc", "--quiet")
    assert result.status == 2
    assert "hourly.zarr: the hours 2019-12-31T00 to 2019-12-31T23 UTC cannot be read" in result.err
    assert contents() == before
