"""Days, months and years: the numbers a plain computation gives, described as CF wants it, whole or not at all."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.aggregation.aggregate import Work, aggregate
from deepcams.aggregation.asked import Aggregation
from deepcams.aggregation.limits import ANNUAL, DAILY
from deepcams.errors import InputError, OutputError
from deepcams.grid import Region
from deepcams.io.results import open_results
from deepcams.timeline import TimeKind

HOUR = np.timedelta64(1, "h")
LIMITS = (15.0, 37.5)
EVERYTHING = ("mean", "max", "min", "hours-above", "daily-max", "daily-p98", "daily-p99", "days-above")


def hourly(start, hours, *, rows=3, columns=4, seed=0, west=3.0, step=0.25):
    """(hours, rows, columns) with a run of missing hours, holes here and there, and an empty cell."""
    random = np.random.default_rng(seed)
    values = random.gamma(2, 10, (hours, rows, columns)).astype(np.float32)
    values[random.random(values.shape) < 0.15] = np.nan
    values[hours // 3 : hours // 3 + 60] = np.nan
    values[:, -1, -1] = np.nan
    values[: hours // 2, 0, -1] = np.nan
    coordinates = {
        "time": np.datetime64(start, "ns") + np.arange(hours) * HOUR,
        "latitude": 50 - step * np.arange(rows),
        "longitude": west + step * np.arange(columns),
    }
    attributes = {"units": "ug m-3"}
    return xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", attrs=attributes)


def written(path, field, **attributes):
    """A store or file of hourly maps, hours without any value marked as missing."""
    empty = field.isnull().all(("latitude", "longitude")).values
    kinds = np.where(empty, TimeKind.MISSING, TimeKind.INTERPOLATED).astype(np.int8)
    dataset = xr.Dataset({"pm2p5": field, "time_kind": ("time", kinds)}, attrs=attributes)
    if path.suffix == ".zarr":
        dataset.to_zarr(path, zarr_format=3, consolidated=False)
    else:
        dataset.isel(time=~empty).to_netcdf(path)
    return path


def made(source, output, unit="daily", *, workers=2, overwrite=False, **options):
    """Aggregate, and open what was written."""
    summary = aggregate(
        Work(open_results(source), Aggregation(unit, **options)), output, workers=workers, overwrite=overwrite
    )
    with xr.open_zarr(output) if output.suffix == ".zarr" else xr.open_dataset(output) as dataset:
        return summary, dataset.load()


def plain(field, unit, *, offset=0, coverage=0.75):
    """The same by plain loops over the whole series in memory, in double precision."""
    letter = {"daily": "D", "monthly": "M", "annual": "Y"}[unit]
    local = field["time"].values.astype("datetime64[h]") + offset * HOUR
    days = local.astype("datetime64[D]")
    values = field.values.astype(np.float64)
    with_data = days[~np.isnan(values).all((1, 2))]
    wanted = np.arange(with_data[0].astype(f"M8[{letter}]"), with_data[-1].astype(f"M8[{letter}]") + 1)
    results = {name: [] for name in (*EVERYTHING, "hours-used", "days-used", "label")}
    for one in wanted:
        whole = int(((one + 1).astype("M8[h]") - one.astype("M8[h]")) / HOUR)
        inside = values[local.astype(f"M8[{letter}]") == one]
        known = (~np.isnan(inside)).sum(0)
        means = []
        for day in np.unique(days[local.astype(f"M8[{letter}]") == one]):
            of_day = values[days == day]
            enough = ((~np.isnan(of_day)).sum(0) >= coverage * 24 - 1e-9) & (~np.isnan(of_day)).any(0)
            total = np.nansum(of_day, axis=0) / np.maximum((~np.isnan(of_day)).sum(0), 1)
            means.append(np.where(enough, total.astype(np.float32), np.nan))
        means = np.array(means)
        days_known = (~np.isnan(means)).sum(0)
        few = (known < coverage * whole - 1e-9) | (known == 0)
        few_days = (days_known < coverage * whole / 24 - 1e-9) | (days_known == 0)
        some, some_days = np.where(few, 0, inside), np.where(few_days, 0, means)
        gap, gap_days = np.where(few, np.nan, 1.0), np.where(few_days, np.nan, 1.0)
        results["mean"].append(gap * np.nanmean(some, axis=0))
        results["max"].append(gap * np.nanmax(some, axis=0))
        results["min"].append(gap * np.nanmin(some, axis=0))
        results["hours-above"].append([gap * (some > limit).sum(0) for limit in LIMITS])
        results["daily-max"].append(gap_days * np.nanmax(some_days, axis=0))
        results["daily-p98"].append(gap_days * np.nanpercentile(some_days, 98, axis=0))
        results["daily-p99"].append(gap_days * np.nanpercentile(some_days, 99, axis=0))
        results["days-above"].append([gap_days * (some_days > limit).sum(0) for limit in LIMITS])
        results["hours-used"].append(known)
        results["days-used"].append(days_known)
        results["label"].append(str(one))
    return {name: np.array(values) for name, values in results.items()}


def compare(dataset, wanted, statistics):
    for name in statistics:
        plain_name = name.replace("-", "_")
        key = plain_name if name.endswith(("above", "used")) else f"pm2p5_{plain_name}"
        got, want = dataset[key].values, wanted[name]
        if name.endswith("above"):
            np.testing.assert_array_equal(got, np.moveaxis(want, 1, 0), err_msg=name)
        elif name.endswith("used"):
            np.testing.assert_array_equal(got, want, err_msg=name)
        else:
            np.testing.assert_allclose(got, want, rtol=2e-7, err_msg=name)


@pytest.mark.parametrize(("unit", "offset", "coverage", "suffix"), [
    ("daily", 0, 0.75, ".nc"), ("daily", 9, 0.9, ".zarr"), ("daily", -7, 0.0, ".nc"), ("monthly", 0, 0.75, ".zarr"),
    ("monthly", -5, 0.5, ".nc"), ("monthly", 14, 0.0, ".nc"), ("annual", 0, 0.0, ".zarr"), ("annual", 3, 0.1, ".nc"),
])  # fmt: skip
def test_a_plain_computation_gives_the_same(tmp_path, unit, offset, coverage, suffix):
    field = hourly("2019-11-28T05", 24 * 45 + 7, seed=offset + 12)
    source = written(tmp_path / "in.zarr", field)
    statistics = EVERYTHING[:4] if unit == "daily" else EVERYTHING
    summary, dataset = made(source, tmp_path / f"out{suffix}", unit, statistics=statistics, limits=LIMITS,
                            coverage=coverage, utc_offset=offset)  # fmt: skip
    wanted = plain(field, unit, offset=offset, coverage=coverage)
    assert [one.label for one in summary.work.periods] == wanted["label"].tolist()
    compare(dataset, wanted, (*statistics, "hours-used", *(() if unit == "daily" else ("days-used",))))
    np.testing.assert_array_equal(dataset["limit"], LIMITS)
    assert dataset["hours_used"].dtype == np.int16


def test_percentiles_of_a_leap_year_with_holes(tmp_path):
    field = hourly("2020-01-01", 366 * 24, rows=2, columns=3)
    source = written(tmp_path / "in.zarr", field)
    statistics = ("daily-max", "daily-p98", "daily-p99", "days-above")
    _, dataset = made(source, tmp_path / "out.nc", "annual", statistics=statistics, limits=LIMITS, coverage=0.6)
    assert dataset["time"].size == 1
    assert 0 < np.isnan(dataset["pm2p5_daily_p98"].values).mean() < 1
    compare(dataset, plain(field, "annual", coverage=0.6), (*statistics, "days-used"))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_changes_no_bit(tmp_path, workers):
    source = written(tmp_path / "in.zarr", hourly("2019-11-28", 24 * 40, rows=40))
    made(source, tmp_path / "one.zarr", "monthly", workers=1)
    made(source, tmp_path / "many.zarr", "monthly", workers=workers)
    contents = [
        {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}
        for path in (tmp_path / "one.zarr", tmp_path / "many.zarr")
    ]
    assert contents[0] == contents[1]


def test_files_in_parts_give_what_the_whole_store_gives(tmp_path):
    field = hourly("2019-11-28", 24 * 40)
    whole = made(written(tmp_path / "in.zarr", field), tmp_path / "whole.nc", "monthly", coverage=0.2)[1]
    parts = [
        written(tmp_path / f"{k}.nc", part)
        for k, part in enumerate((field[700:], field[:300], field[280:700]))
    ]  # fmt: skip
    xr.testing.assert_equal(made(parts, tmp_path / "parts.nc", "monthly", coverage=0.2)[1], whole)


def test_a_region_is_the_whole_cut(tmp_path):
    source = written(tmp_path / "in.zarr", hourly("2020-01-01", 60, rows=5, columns=24, west=0.0, step=15.0))
    whole = made(source, tmp_path / "whole.nc")[1]
    part = made(source, tmp_path / "part.nc", region=Region(40, -40, 0, 20))[1]
    np.testing.assert_array_equal(part["longitude"], [-30, -15, 0, 15])
    np.testing.assert_array_equal(part["latitude"], [35, 20, 5])
    for name in ("pm2p5_mean", "hours_above", "hours_used"):
        np.testing.assert_array_equal(part[name], whole[name][..., 1:4, [22, 23, 0, 1]])
    with pytest.raises(InputError, match="reaches beyond the data"):
        made(source, tmp_path / "not.nc", region=Region(80, 0, 40, 10))


def test_start_and_end_leave_hours_out(tmp_path):
    field = hourly("2020-01-01", 24 * 5)
    source = written(tmp_path / "in.zarr", field)
    options = {"start": np.datetime64("2020-01-01T10", "h"), "end": np.datetime64("2020-01-02T05", "h"), "coverage": 0}
    summary, dataset = made(source, tmp_path / "out.nc", limits=LIMITS, **options)
    assert [(one.label, one.made, one.hours) for one in summary.partial] == [
        ("2020-01-01", 14, 24),
        ("2020-01-02", 6, 24),
    ]
    compare(dataset, plain(field[10:30], "daily", coverage=0), ("mean", "max", "hours-above", "hours-used"))
    for change, message in (({"start": np.datetime64("2021-01-01", "h")}, "no hour from 2021-01-01T00 in the data"),
                            ({"start": np.datetime64("2020-01-02T20", "h"), "end": np.datetime64("2020-01-02T22", "h")},
                             "no hour from 2020-01-02T20 to 2020-01-02T22 in the data")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            Work(open_results(source), Aggregation("daily", **change))


def test_a_month_that_is_missing_is_there_and_empty(tmp_path):
    field = xr.concat([hourly("2020-01-10", 30), hourly("2020-03-10", 30)], "time")
    dataset = made(written(tmp_path / "in.nc", field), tmp_path / "out.nc", "monthly", coverage=0)[1]
    np.testing.assert_array_equal(dataset["time"].dt.month, [1, 2, 3])
    assert not dataset["hours_used"][1].any()
    assert np.isnan(dataset["pm2p5_mean"][1]).all()
    assert np.isnan(dataset["hours_above"][:, 1]).all()
    assert not np.isnan(dataset["pm2p5_mean"][0, 0, 0])


def test_constants_stay_and_a_limit_itself_is_not_above_it(tmp_path):
    field = xr.full_like(hourly("2020-01-01", 48), 15.0)
    dataset = made(written(tmp_path / "in.nc", field), tmp_path / "out.nc", limits=(14.0, 15.0, 14.0))[1]
    assert (dataset["pm2p5_mean"] == 15).all()
    assert (dataset["pm2p5_max"] == 15).all()
    assert dataset["limit"].values.tolist() == [14, 15]
    assert dataset["hours_above"].values[:, 0, 0, 0].tolist() == [24, 0]


def test_time_bounds_and_middles(tmp_path):
    source = written(tmp_path / "in.zarr", hourly("2020-02-01", 24 * 31))
    dataset = made(source, tmp_path / "out.nc", "monthly", utc_offset=6)[1]
    bounds = dataset["time_bnds"].values.astype("datetime64[h]").astype(str).tolist()
    assert bounds == [["2020-01-31T18", "2020-02-29T18"], ["2020-02-29T18", "2020-03-31T18"]]
    assert dataset["time"].values.astype("datetime64[h]").astype(str).tolist() == ["2020-02-15T06", "2020-03-16T06"]


def test_provenance_goes_on(tmp_path):
    told = {"attribution": "Copernicus", "license": "CC BY", "deepcams_settings": '{"method": "fast"}', "title": "old",
            "status": "complete", "history": "made long ago", "Conventions": "CF-1.6"}  # fmt: skip
    source = written(tmp_path / "in.zarr", hourly("2020-01-01", 48), **told)
    for suffix in (".nc", ".zarr"):
        attributes = made(source, tmp_path / f"out{suffix}", utc_offset=1)[1].attrs
        assert {key: attributes[key] for key in ("attribution", "license", "deepcams_settings")} == {
            key: told[key] for key in ("attribution", "license", "deepcams_settings")
        }
        assert attributes["Conventions"] == "CF-1.11"
        assert attributes["title"] == "Daily statistics of hourly pm2p5 at 0.25 degrees"
        assert "status" not in attributes
        settings = json.loads(attributes["deepcams_aggregation"])
        assert (settings["period"], settings["coverage"], settings["utc_offset"]) == ("daily", 0.75, 1)
        assert attributes["deepcams_aggregated"] == "in.zarr"
        assert "clock +1 h from UTC" in attributes["comment"]
        assert ("history" in attributes) == (suffix == ".nc")
    assert made(source, tmp_path / "b.nc")[1].attrs["history"].endswith("made long ago")
    log = json.loads((tmp_path / "out.zarr.log").read_text())
    assert log["event"] == "aggregated"


@pytest.mark.parametrize("unit", ["daily", "annual"])
def test_no_compliance_error(tmp_path, unit):
    source = written(tmp_path / "in.zarr", hourly("2020-01-01", 48), institution="x", source="y", references="z")
    path, report = tmp_path / "out.nc", tmp_path / "report.json"
    made(source, path, unit)
    call = [str(Path(sys.executable).with_name("compliance-checker")), "--test=cf:1.11", "--format=json",
            f"--output={report}", str(path)]  # fmt: skip
    subprocess.run(call, capture_output=True, check=False)
    found = json.loads(report.read_text())["cf:1.11"]
    for priority in ("high_priorities", "medium_priorities"):
        assert [check["msgs"] for check in found[priority] if check["value"][0] < check["value"][1]] == []


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_nothing_half_written_is_left(tmp_path, suffix):
    source = written(tmp_path / "in.zarr", hourly("2020-01-01", 24 * 4))
    output = tmp_path / f"out{suffix}"
    old = made(source, output)[1]
    array = zarr.open_group(source, mode="r")["pm2p5"]
    chunk = next(one for one in (source / "pm2p5" / "c").rglob("*") if one.is_file())
    chunk.write_bytes(b"\x55" * 20)
    with pytest.raises(OutputError, match="exists already"):
        made(source, output)
    with pytest.raises(InputError, match="cannot be read"):
        made(source, output, overwrite=True)
    assert array.shape == (96, 3, 4)
    with xr.open_zarr(output) if suffix == ".zarr" else xr.open_dataset(output) as kept:
        xr.testing.assert_equal(kept.load(), old)
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_an_output_is_replaced_when_asked(tmp_path, suffix):
    source = written(tmp_path / "in.zarr", hourly("2020-01-01", 24 * 4))
    output = tmp_path / f"out{suffix}"
    made(source, output)
    assert "limit" not in made(source, output, overwrite=True, statistics=("mean",))[1]
    with pytest.raises(OutputError, match="is one of the inputs"):
        made(source, source, overwrite=True)


def test_memory_does_not_grow_with_the_series(tmp_path):
    peaks = []
    for days in (3, 20):
        source = written(
            tmp_path / f"{days}.zarr", hourly("2020-01-01", 24 * days, rows=100, columns=100).chunk(time=24)
        )
        work = Work(open_results(source), Aggregation("annual"))
        aggregate(work, tmp_path / f"{days}.nc", workers=1)  # what is imported at first is not counted
        tracemalloc.start()
        aggregate(work, tmp_path / f"{days}.nc", workers=1, overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_shares_of_the_area_above_the_annual_levels(tmp_path):
    field = xr.full_like(hourly("2019-01-01", 365 * 24, rows=2, columns=2, step=30.0), 4.0)
    field[:, 0] = 12.0
    summary, _ = made(written(tmp_path / "in.zarr", field), tmp_path / "out.nc", "annual")
    upper, lower = (np.sin(np.deg2rad(a)) - np.sin(np.deg2rad(b)) for a, b in ((65, 35), (35, 5)))
    share = upper / (upper + lower)
    assert summary.shares == {"2019": pytest.approx({5: share, 10: share, 15: 0, 25: 0, 35: 0})}


def test_published_levels():
    assert list(DAILY["pm2p5"]) == [15, 25, 37.5, 50, 75]
    assert list(ANNUAL["pm2p5"]) == [5, 10, 15, 25, 35]
    assert list(DAILY["pm10"]) == [45, 50, 75, 100, 150]
    assert list(ANNUAL["pm10"]) == [15, 20, 30, 50, 70]


def test_a_species_without_limits_counts_nothing_above_them(tmp_path):
    field = hourly("2020-01-01", 48).rename("co").assign_attrs(units="kg kg**-1")
    field.to_netcdf(tmp_path / "in.nc")
    dataset = made(tmp_path / "in.nc", tmp_path / "out.nc", coverage=0)[1]
    assert set(dataset.data_vars) == {"co_mean", "co_max", "hours_used", "time_bnds", "latitude_bnds", "longitude_bnds"}
    with pytest.raises(InputError, match="no limits are known for it; give them with --limit"):
        Work(open_results(tmp_path / "in.nc"), Aggregation("daily", ("hours-above",)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "weekly"}, "period 'weekly': wanted daily, monthly, annual, given before OUTPUT"),
        ({"statistics": ("median",)}, "statistic 'median' of daily values: wanted one of mean, max"),
        ({"statistics": ("days-above",)}, "statistic 'days-above' of daily values"),
        ({"coverage": 75.0}, "coverage 75: wanted a share from 0 to 1"),
        ({"coverage": float("nan")}, "coverage nan"),
        ({"utc_offset": 15}, "UTC offset 15: wanted whole hours from -12 to 14"),
        ({"limits": (float("inf"),)}, "limits inf: wanted finite ones"),
        ({"limits": (-1.0,)}, "not negative"),
    ],
)
def test_what_cannot_be_asked(options, message):
    with pytest.raises(InputError, match=message):
        Aggregation(**({"unit": "daily"} | options))
