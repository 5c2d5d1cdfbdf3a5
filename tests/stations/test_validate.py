"""The whole validation, against the same numbers computed by hand with pandas and xarray on real files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from deepcams.downscaling import downscale
from deepcams.errors import InputError
from deepcams.grid import Region
from deepcams.io.cams import open_cams
from deepcams.sample import cams_sample
from deepcams.stations.files import write_validation
from deepcams.stations.products import cams_products, store_product
from deepcams.stations.quality import Limits
from deepcams.stations.readers import read_stations
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.table import DAY, Stamp
from deepcams.stations.validate import Settings, validate

POSTS = {
    "Beijing": (39.95, 116.47, 8),
    "Shanghai": (31.21, 121.44, 8),
    "Guangzhou": (23.12, 113.32, 8),
    "Shenyang": (41.78, 123.42, 8),
    "Hanoi": (21.02, 105.82, 7),
}
SITES = Sites(Path("posts.csv"), {name.casefold(): Site(*place[:2], name=name) for name, place in POSTS.items()})


@pytest.fixture(scope="module")
def hourly(tmp_path_factory):
    """The sample's hours over East Asia."""
    path = tmp_path_factory.mktemp("hourly") / "hourly.nc"
    downscale(open_cams(cams_sample()), method="fast", region="45,100,15,130").to_netcdf(path)
    return path


def embassies(folder):
    return sorted((folder / "stations").glob("airnow_dos_*.csv.gz"))


def by_hand(folder, field):
    """(city, begin, observed, predicted) of all valid hours that lie within a field's (time, latitude, longitude)."""
    lines = []
    for city, (north, east, offset) in POSTS.items():
        files = [pd.read_csv(path) for path in embassies(folder) if city in path.name]
        table = pd.concat(files)
        table["end"] = pd.to_datetime(table["Date (LT)"], format="%Y-%m-%d %I:%M %p") - pd.Timedelta(hours=offset)
        table["begin"] = table["end"] - pd.Timedelta(hours=1)
        series = field.astype(float).interp(latitude=north, longitude=east).to_series()
        inside = (table["begin"] >= series.index[0]) & (table["end"] <= series.index[-1])
        table = table[inside & (table["QC Name"] == "Valid") & (table["Raw Conc."] != -999)]
        both = series.resample("1h").interpolate("linear")
        mean = (both[table["begin"]].to_numpy() + both[table["end"]].to_numpy()) / 2
        lines.append(pd.DataFrame({"city": city, "observed": table["Raw Conc."], "predicted": mean}))
    return pd.concat(lines, ignore_index=True)


def test_embassies_and_the_sample_by_hand(shared_data, hourly):
    reading = read_stations(embassies(shared_data), Options(SITES))
    found = validate(reading, [*cams_products(cams_sample()), store_product("DeepCAMS", hourly)])
    fields = {"CAMS": open_cams(cams_sample()), "DeepCAMS": xr.open_dataset(hourly)["pm2p5"]}
    for name, field in fields.items():
        table = by_hand(shared_data, field)
        error, line = table["predicted"] - table["observed"], found.assessment.pooled(name)
        assert line.n == len(table) == 36
        assert line.stations == table["city"].nunique() == 4  # Guangzhou has nothing on that day
        wanted = {
            "r": table["predicted"].corr(table["observed"]),
            "spearman": table["predicted"].corr(table["observed"], method="spearman"),
            "rmse": (error**2).mean() ** 0.5,
            "mae": error.abs().mean(),
            "bias": error.mean(),
            "nmb": error.sum() / table["observed"].sum(),
            "fac2": (table["predicted"] / table["observed"]).between(0.5, 2).mean(),
        }
        assert {score: line.scores[score] for score in wanted} == pytest.approx(wanted, rel=1e-4)
        own = table.assign(error=error).groupby("city")["error"].mean()
        ids = found.pairs.observations.stations.names
        assert dict(zip(ids, found.assessment.stations[name]["bias"], strict=True)) == pytest.approx(
            own.to_dict(), rel=1e-4
        )
    assert found.outside + sum(found.rejected.values()) + found.pairs.size == reading.lines


def test_utrecht_daily_by_hand(shared_data):
    """OpenAQ's days over the local day, stamped at their end."""
    path = shared_data / "cams_eac4_utrecht_2016_new_layout.nc"
    days = shared_data / "stations" / "openaq_utrecht_2016_daily.csv"
    sites = Sites(Path("sites.csv"), {"utrecht": Site(52.09, 5.12, timezone="Europe/Amsterdam", units="ug m-3")})
    reading = read_stations([days], Options(sites, stamp=Stamp.END))
    settings = Settings(Limits(averaging=DAY))
    found = validate(reading, cams_products(path), settings).assessment.pooled("CAMS")
    node = xr.open_dataset(path)["pm2p5"].squeeze().astype(float).to_series() * 1e9
    node.index = pd.DatetimeIndex(xr.open_dataset(path)["valid_time"].values)
    hours = node.resample("1h").interpolate("linear")
    table = pd.read_csv(days, parse_dates=["date"]).set_index("date")["obs_pm25"].tz_localize(None)
    windows = {end: hours[end - pd.Timedelta("24h") : end] for end in table.index}
    means = pd.Series({end: np.trapezoid(one) / 24 for end, one in windows.items() if len(one) == 25})
    error = means - table[means.index]
    assert found.n == len(means) == 58
    wanted = {"r": means.corr(table), "rmse": (error**2).mean() ** 0.5, "mae": error.abs().mean(), "bias": error.mean()}
    assert {name: found.scores[name] for name in wanted} == pytest.approx(wanted, rel=1e-5)


def table_of(path, values, *, start="2019-12-31T15:00", station="a", north=40.0, east=116.5):
    times = pd.date_range(start, periods=len(values), freq="1h", tz="UTC")
    pd.DataFrame({"time": times, "station": station, "latitude": north, "longitude": east, "pm25": values,
                  "units": "ug/m3"}).to_csv(path, index=False)  # fmt: skip
    return path


def test_what_is_not_used_is_counted_by_where_it_lies(hourly, tmp_path):
    """Two days before the maps begin are not looked at; of the nine hours compared one is a code and one negative."""
    values = 30 + 5 * np.sin(np.arange(60.0))
    values[-3], values[-8] = -999, -20
    reading = read_stations([table_of(tmp_path / "a.csv", values, start="2019-12-29T12:00")])
    found = validate(reading, [store_product("DeepCAMS", hourly)])
    assert (found.outside, found.rejected, found.pairs.size) == (51, {"sentinel": 1, "negative": 1}, 7)
    few = validate(reading, [store_product("DeepCAMS", hourly)], Settings(start=np.datetime64("2019-12-31T20", "h")))
    assert (few.outside, few.rejected, few.pairs.size) == (56, {"sentinel": 1}, 3)


@pytest.mark.parametrize(("north", "told"), [(40.0, "in 40..40N, 116.5..116.5E"), (np.nan, "without coordinates")])
def test_a_region_without_stations_says_where_they_are(hourly, tmp_path, north, told):
    reading = read_stations([table_of(tmp_path / "a.csv", [10.0] * 5, north=north)])
    with pytest.raises(InputError, match=f"no observation in the region 60,-10,35,30: 5 were read, {told}; give"):
        validate(reading, [store_product("DeepCAMS", hourly)], Settings(region=Region(60, -10, 35, 30)))


def test_observations_that_share_the_mean_of_a_cell_are_counted(hourly, tmp_path):
    files = [table_of(tmp_path / f"{i}.csv", [10.0 + i] * 5, station=str(i), east=116.5 + i / 100) for i in range(2)]
    reading = read_stations(files)
    found = validate(reading, [store_product("DeepCAMS", hourly)], Settings(average_cells=True))
    assert (found.pairs.size, found.merged, reading.lines) == (5, 5, 10)
    assert found.outside + sum(found.rejected.values()) + found.merged + found.pairs.size == reading.lines


def test_stations_with_too_few_pairs_are_left_out(hourly, tmp_path):
    paths = [
        table_of(tmp_path / "a.csv", 20.0 + np.arange(9)),
        table_of(tmp_path / "b.csv", 20.0 + np.arange(40), start="2019-12-30T01:00", station="b", north=35.0),
    ]
    settings = Settings(Limits(least=3))
    found = validate(read_stations(paths), [store_product("DeepCAMS", hourly)], settings)
    assert found.rejected == {"too_few": 2}
    assert found.pairs.observations.stations.ids.tolist() == ["a"]


def test_pairs_of_an_earlier_run_do_not_stay_beside_other_scores(hourly, tmp_path):
    found = validate(read_stations([table_of(tmp_path / "a.csv", [10.0] * 9)]), [store_product("DeepCAMS", hourly)])
    write_validation(found, tmp_path / "out", lambda folder: {}, pairs=True)
    write_validation(found, tmp_path / "out", lambda folder: {})
    assert not (tmp_path / "out" / "pairs.parquet").exists()
    assert (tmp_path / "out" / "scores.json").exists()


def test_files_are_written_together(hourly, tmp_path):
    reading = read_stations([table_of(tmp_path / "a.csv", 20.0 + np.arange(9))])
    found = validate(reading, [*cams_products(cams_sample()), store_product("DeepCAMS", hourly)])
    folder = tmp_path / "deep" / "out"
    written = write_validation(found, folder, lambda folder: {}, pairs=True)
    assert sorted(written) == sorted(folder.iterdir())
    content = json.loads((folder / "scores.json").read_text())
    assert list(content["products"]) == ["CAMS", "CAMS nearest", "DeepCAMS"]
    assert {one["n"] for one in content["products"].values()} == {9}
    pairs = pd.read_parquet(folder / "pairs.parquet")
    error = pairs["DeepCAMS"] - pairs["observed"]
    assert content["products"]["DeepCAMS"]["bias"] == pytest.approx(error.mean(), rel=1e-5)
    assert str(pairs["begin"][0]) == "2019-12-31 15:00:00+00:00"

    def fail(folder):
        (folder / "half.png").touch()
        raise RuntimeError("drawing failed")

    with pytest.raises(Exception, match="drawing failed"):
        write_validation(found, tmp_path / "other", fail)
    assert not (tmp_path / "other").exists()
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]
