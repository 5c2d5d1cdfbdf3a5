"""Extraction from files to files: the same series in every form, streamed, whole or not there, with its provenance."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
import xarray as xr

from deepcams import conventions
from deepcams.errors import InputError, OutputError
from deepcams.extraction.areas import box_mean
from deepcams.extraction.extract import SUFFIXES, choose, extract_maps, extract_series, suffix_of
from deepcams.extraction.points import Points, at_points
from deepcams.grid import Grid, Region
from deepcams.io.results import open_results
from deepcams.timeline import TimeKind

GRID = Grid(90, 0, 7.5, 25, 48)
DAYS = 3
MISSING = [30, 31, 70, 71]  # hours; the last two are the end of the last day
POINTS = Points(
    ("A", "B, south", "C"),
    np.array([51.5, -90, 10]),
    np.array([-0.1, 20, 180]),
    {"country": ("GB", "AQ", ""), "height of inlet": ("3", "4", "5")},
)


def hourly(hours=24 * DAYS, missing=MISSING):
    """Hourly maps as deepcams writes them."""
    values = np.random.default_rng(0).gamma(1, 10, (24 * DAYS, *GRID.shape)).astype(np.float32)[:hours]
    values[:, 0], values[:, -1] = 3, 4
    kinds = np.where(np.arange(hours) % 3, TimeKind.INTERPOLATED, TimeKind.ANALYSIS).astype(np.int8)
    values[missing], kinds[missing] = np.nan, TimeKind.MISSING
    times = np.datetime64("2019-12-30T00", "ns") + np.arange(hours) * np.timedelta64(1, "h")
    attributes = {"units": "ug m-3", "standard_name": "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air"}
    return xr.Dataset(
        {"pm2p5": (("time", "latitude", "longitude"), values, attributes), "time_kind": ("time", kinds)},
        {"time": times, "latitude": GRID.latitude, "longitude": GRID.longitude},
        {
            "Conventions": "CF-1.11",
            "attribution": "thanks",
            "deepcams_version": "7.7",
            "deepcams_settings": '{"a": 1}',
            "history": "made",
        },
    )


@pytest.fixture
def source(tmp_path):
    hourly().to_netcdf(tmp_path / "hourly.nc")
    return tmp_path / "hourly.nc"


@pytest.fixture
def results(source):
    return open_results(source)


@pytest.fixture
def sampler():
    return at_points(GRID, POINTS)


def expected():
    """(hours, 3) the points by hand, and which hours exist."""
    data = hourly()
    values = data["pm2p5"].values.astype(np.float64)
    row = (90 - 51.5) / 7.5
    down, left = row - 5, 359.9 / 7.5 - 47
    corners = values[:, [5, 5, 6, 6], [47, 0, 47, 0]]
    a = corners @ [(1 - down) * (1 - left), (1 - down) * left, down * (1 - left), down * left]
    south = (90 - 10) / 7.5 - 10
    c = values[:, 10, 24] * (1 - south) + values[:, 11, 24] * south
    return np.stack([a, values[:, -1, 0], c], axis=1), data["time_kind"].values != TimeKind.MISSING


def read_back(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    text = {"name": str, "country": str, "height of inlet": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={"pm2p5": [""]}, parse_dates=["time"])


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_table_has_a_line_for_each_hour_and_point(results, sampler, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    summary = extract_series(choose(results), sampler, out)
    table, (values, made) = read_back(out), expected()
    assert table.columns.tolist() == [
        *["time", "name", "latitude", "longitude", "country", "height of inlet", "pm2p5", "time_kind"]
    ]
    np.testing.assert_allclose(table["pm2p5"], values[made].ravel(), rtol=1e-6)
    assert table["name"].tolist() == ["A", "B, south", "C"] * made.sum()
    assert table["longitude"].tolist() == [-0.1, 20, 180] * made.sum()
    assert table["country"].tolist()[:3] == ["GB", "AQ", ""]
    times = hourly()["time"].values[made]
    np.testing.assert_array_equal(table["time"].dt.tz_convert(None).to_numpy().astype("M8[ns]"), np.repeat(times, 3))
    assert str(table["time"].dt.tz) == "UTC"
    np.testing.assert_array_equal(table["time_kind"], np.repeat(hourly()["time_kind"].values[made], 3))
    assert (summary.series, summary.extract.size, summary.extract.missing) == (3, 70, 2)
    assert summary.notes == ("2 hours that were never made have no line",)


def test_the_text_gives_the_same_bits(results, sampler, tmp_path):
    for suffix in (".csv", ".parquet"):
        extract_series(choose(results), sampler, tmp_path / f"out{suffix}")
    text, bits = (read_back(tmp_path / f"out{suffix}")["pm2p5"] for suffix in (".csv", ".parquet"))
    np.testing.assert_array_equal(text.to_numpy(np.float32), bits.to_numpy())


def test_netcdf_has_every_hour_and_nan_where_there_was_none(results, sampler, tmp_path):
    extract_series(choose(results), sampler, tmp_path / "out.nc")
    values, made = expected()
    with xr.open_dataset(tmp_path / "out.nc") as written:
        assert written["pm2p5"].dims == ("station", "time")
        np.testing.assert_allclose(written["pm2p5"].values.T, values[:70], rtol=1e-6)
        np.testing.assert_array_equal(np.isnan(written["pm2p5"].values).all(axis=0), ~made[:70])
        np.testing.assert_array_equal(written["time_kind"] == 2, ~made[:70])
        assert written["station_name"].values.tolist() == list(POINTS.names)
        assert written["lon"].values.tolist() == [-0.1, 20, 180]
        assert written["country"].values.tolist() == ["GB", "AQ", ""]
        assert written["height_of_inlet"].attrs["long_name"] == "height of inlet"
        assert written.attrs["featureType"] == "timeSeries"


def test_where_it_comes_from_is_carried_on(results, sampler, tmp_path):
    extract_series(choose(results), sampler, tmp_path / "out.nc")
    extract_series(choose(results), sampler, tmp_path / "out.parquet")
    extract_maps(choose(results), Region(60, -30, 30, 30), "here", tmp_path / "maps.nc")
    schema = parquet.read_schema(tmp_path / "out.parquet")
    assert schema.field("pm2p5").metadata == {b"units": b"ug m-3"}
    found = [{key.decode(): value.decode() for key, value in schema.metadata.items()}]
    for name in ("out.nc", "maps.nc"):
        with xr.open_dataset(tmp_path / name) as written:
            found.append(written.attrs)
    for one in found:
        assert (one["attribution"], one["deepcams_version"], one["deepcams_settings"]) == ("thanks", "7.7", '{"a": 1}')
        assert one["history"].endswith("\nmade")
        assert json.loads(one["deepcams_extract"])["from"] == ["hourly.nc"]
    assert json.loads(found[0]["deepcams_extract"])["what"] == "points, bilinear"


def test_data_of_others_are_not_called_ours(tmp_path):
    foreign = hourly()
    foreign.attrs = {"source": "another model"}
    foreign.to_netcdf(tmp_path / "foreign.nc")
    part = choose(open_results(tmp_path / "foreign.nc"))
    extract_maps(part, Region(60, -30, 30, 30), "here", tmp_path / "maps.nc")
    with xr.open_dataset(tmp_path / "maps.nc") as written:
        assert written.attrs["source"] == "another model"
        assert not {"attribution", "license", "deepcams_version"} & written.attrs.keys()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_areas_have_a_mean_and_a_maximum(results, tmp_path, suffix):
    box = box_mean(GRID, Region(60, -30, 30, 30), "box")
    out = tmp_path / f"out{suffix}"
    extract_series(choose(results), box, out)
    maps = hourly()["pm2p5"].values[:70]
    cells = box.take(lambda rows, columns: maps[:, rows, columns])
    means, highest = box.means(cells)[:, 0], box.highest(cells)[:, 0]
    if suffix == ".nc":
        with xr.open_dataset(out) as written:
            np.testing.assert_array_equal(written["pm2p5"][0], means)
            np.testing.assert_array_equal(written["pm2p5_max"][0], highest)
        return
    table, made = read_back(out), expected()[1][:70]
    np.testing.assert_array_equal(table["pm2p5"].to_numpy(np.float32), means[made])
    np.testing.assert_array_equal(table["pm2p5_max"].to_numpy(np.float32), highest[made])


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet", ".nc"])
def test_the_values_do_not_depend_on_the_number_of_workers(results, sampler, tmp_path, suffix):
    for workers in (1, 3):
        extract_series(choose(results), sampler, tmp_path / f"{workers}{suffix}", workers=workers)
    if suffix == ".csv.gz":
        assert (tmp_path / "1.csv.gz").read_bytes() == (tmp_path / "3.csv.gz").read_bytes()
        assert gzip.decompress((tmp_path / "1.csv.gz").read_bytes()).startswith(
            b"time,name,latitude,longitude,country,"
        )
    elif suffix == ".parquet":
        assert parquet.read_table(tmp_path / "1.parquet").equals(parquet.read_table(tmp_path / "3.parquet"))
    else:
        with xr.open_dataset(tmp_path / "1.nc") as one, xr.open_dataset(tmp_path / "3.nc") as three:
            xr.testing.assert_equal(one, three)


@pytest.mark.parametrize("region", [Region(60, -30, 30, 30), Region(90, 0, -90, 360), Region(0, 40, -90, 50)])
def test_maps_are_cut_out_bit_by_bit(results, tmp_path, region):
    extract_maps(choose(results), region, "box", tmp_path / "out.nc")
    data = hourly()["pm2p5"].isel(time=slice(70))
    with xr.open_dataset(tmp_path / "out.nc") as written:
        longitude = written["longitude"].values
        assert longitude[0] >= region.west
        assert longitude[-1] <= region.west + region.width
        expected = data.sel(latitude=written["latitude"].values, longitude=longitude % 360)
        np.testing.assert_array_equal(written["pm2p5"].values.view(np.uint32), expected.values.view(np.uint32))
        np.testing.assert_array_equal(written["time_kind"] == 2, np.isin(np.arange(70), MISSING))
        assert written["pm2p5"].attrs["cell_methods"] == "time: point area: mean"


def test_a_period_and_only_its_days_are_read(results, sampler, tmp_path):
    part = choose(results, np.datetime64("2019-12-30T20", "h"), np.datetime64("2019-12-31T02", "h"))
    counted = []
    extract_series(part, sampler, tmp_path / "out.csv", progress=counted.append)
    table, (values, _) = read_back(tmp_path / "out.csv"), expected()
    np.testing.assert_allclose(table["pm2p5"], values[20:27].ravel(), rtol=1e-6)
    assert counted == [4, 3]


def test_a_period_without_hours_is_refused(results):
    with pytest.raises(InputError, match=r"no hour from 2021-01-01T00 in .*hourly.nc"):
        choose(results, np.datetime64("2021-01-01T00", "h"))
    with pytest.raises(InputError, match="no hour from 2019-12-31T06 to 2019-12-31T07"):
        choose(results, np.datetime64("2019-12-31T06", "h"), np.datetime64("2019-12-31T07", "h"))
    with pytest.raises(InputError, match="wanted --start before --end"):
        choose(results, np.datetime64("2021-01-01T00", "h"), np.datetime64("2020-01-01T00", "h"))


def test_stores_and_several_files_give_the_same(sampler, source, tmp_path):
    data = hourly()
    data.to_zarr(tmp_path / "hourly.zarr", zarr_format=3, consolidated=False)
    halves = [tmp_path / "first.nc", tmp_path / "second.nc"]
    for half, path in zip((slice(40), slice(40, None)), halves, strict=True):
        data.isel(time=half).to_netcdf(path)
    texts = set()
    for number, paths in enumerate(([source], [tmp_path / "hourly.zarr"], halves)):
        extract_series(choose(open_results(paths)), sampler, tmp_path / f"{number}.csv")
        texts.add((tmp_path / f"{number}.csv").read_text())
    assert len(texts) == 1


@pytest.mark.parametrize("layout", ["maps", "series"])
def test_stores_of_ours_in_either_layout(sampler, tmp_path, layout):
    data = hourly().assign_attrs(deepcams_layout=layout)
    data.to_zarr(tmp_path / "hourly.zarr", zarr_format=3, consolidated=False)
    extract_series(choose(open_results(tmp_path / "hourly.zarr")), sampler, tmp_path / "out.csv")
    values, made = expected()
    np.testing.assert_allclose(read_back(tmp_path / "out.csv")["pm2p5"], values[made].ravel(), rtol=1e-6)


def test_a_missing_cell_leaves_the_field_empty(sampler, tmp_path):
    data = hourly()
    data["pm2p5"][5, 5, 0] = np.nan
    data.to_netcdf(tmp_path / "holes.nc")
    for suffix in (".csv", ".parquet"):
        extract_series(choose(open_results(tmp_path / "holes.nc")), sampler, tmp_path / f"out{suffix}")
        table = read_back(tmp_path / f"out{suffix}")
        assert np.flatnonzero(table["pm2p5"].isna()).tolist() == [15]
    assert ",,2\n" not in (tmp_path / "out.csv").read_text()
    assert parquet.read_table(tmp_path / "out.parquet")["pm2p5"].null_count == 1


def test_failure_leaves_nothing_and_an_old_output_as_it_was(results, sampler, tmp_path):
    def fail(count):
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    for suffix in SUFFIXES:
        with pytest.raises(KeyboardInterrupt):
            extract_series(choose(results), sampler, tmp_path / f"out{suffix}", progress=fail)
    with pytest.raises(KeyboardInterrupt):
        extract_maps(choose(results), Region(60, -30, 30, 30), "here", tmp_path / "maps.nc", progress=fail)
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        extract_series(choose(results), sampler, tmp_path / "out.csv", overwrite=True, progress=fail)
    assert (tmp_path / "out.csv").read_text() == "old"


def test_an_existing_output_is_replaced_only_when_asked(results, sampler, tmp_path):
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        extract_series(choose(results), sampler, tmp_path / "out.csv")
    extract_series(choose(results), sampler, tmp_path / "out.csv", overwrite=True)
    assert (tmp_path / "out.csv").read_text() != "old"


@pytest.mark.parametrize(
    ("name", "what"), [("out.txt", "unknown suffix '.txt'; wanted .csv, .csv.gz, .parquet, .nc"), ("out.gz", "unknown")]
)
def test_other_forms_are_refused(results, sampler, tmp_path, name, what):
    with pytest.raises(OutputError, match=what):
        extract_series(choose(results), sampler, tmp_path / name)


def test_the_input_is_never_replaced(results, sampler, source):
    before = source.read_bytes()
    with pytest.raises(OutputError, match="is one of the inputs"):
        extract_series(choose(results), sampler, source, overwrite=True)
    assert source.read_bytes() == before


def test_suffixes():
    assert [suffix_of(Path(name)) for name in ("a.b.csv", "a.CSV.gz", "a.gz", "a", "x.nc")] == [
        *[".csv", ".csv.gz", ".gz", "", ".nc"]
    ]


def test_columns_that_clash_are_refused(results, tmp_path):
    clashing = Points(("A",), np.zeros(1), np.zeros(1), {"pm2p5": ("1",)})
    with pytest.raises(InputError, match="a column of the points is called 'pm2p5'"):
        extract_series(choose(results), at_points(GRID, clashing), tmp_path / "out.csv")


def test_an_unfinished_store_is_said(sampler, tmp_path):
    data = hourly()
    data.attrs["status"] = "unfinished"
    data.to_netcdf(tmp_path / "hourly.nc")
    summary = extract_series(choose(open_results(tmp_path / "hourly.nc")), sampler, tmp_path / "out.nc")
    assert summary.notes[0] == "2 hours that were never made are NaN"
    assert "is unfinished" in summary.notes[1]


def test_without_pyarrow_the_error_says_what_to_do(results, sampler, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r'pip install "deepcams\[extract\]"'):
        extract_series(choose(results), sampler, tmp_path / "out.parquet")
    extract_series(choose(results), sampler, tmp_path / "out.csv")


def test_no_compliance_error(results, sampler, tmp_path):
    outputs = [tmp_path / name for name in ("points.nc", "box.nc", "maps.nc")]
    extract_series(choose(results), sampler, outputs[0])
    extract_series(choose(results), box_mean(GRID, Region(60, -30, 30, 30), "box"), outputs[1])
    extract_maps(choose(results), Region(60, -30, 30, 30), "here", outputs[2])
    # in a process of its own: the libraries it loads do not leave one together with ours in peace
    checker, report = Path(sys.executable).with_name("compliance-checker"), tmp_path / "report.json"
    call = [str(checker), "--test=cf:1.11", "--format=json_new", f"--output={report}", *map(str, outputs)]
    subprocess.run(call, capture_output=True, check=False)  # its status counts the notes too
    found = json.loads(report.read_text())
    assert len(found) == len(outputs)
    for one in found.values():
        bad = [check["msgs"] for check in one["cf:1.11"]["high_priorities"] if check["value"][0] < check["value"][1]]
        bad += [check["msgs"] for check in one["cf:1.11"]["medium_priorities"] if check["value"][0] < check["value"][1]]
        assert bad == []


def test_many_points_in_several_groups_of_lines(results, tmp_path):
    rng = np.random.default_rng(0)
    many = Points(tuple(map(str, range(3000))), rng.uniform(-90, 90, 3000), rng.uniform(-180, 180, 3000), {})
    extract_series(choose(results), at_points(GRID, many), tmp_path / "out.parquet")
    assert parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups == 2
    assert parquet.read_metadata(tmp_path / "out.parquet").num_rows == 3000 * 68
    extract_series(choose(results), at_points(GRID, many), tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc") as written:
        table = parquet.read_table(tmp_path / "out.parquet")["pm2p5"].to_numpy().reshape(68, 3000)
        made = expected()[1][:70]
        np.testing.assert_array_equal(written["pm2p5"].values.T[made], table)
        assert written["time"].encoding["units"] == conventions.TIME_UNITS
