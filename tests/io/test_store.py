"""Zarr stores: whole UTC days, unfinished until they are complete, the same bytes however they came about."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.errors import InputError, OutputError
from deepcams.grid import Region
from deepcams.io import store as stores
from deepcams.io import template as templates
from deepcams.production.run import Crew, downscale_to


class Interrupted(Exception):
    """Stands for whatever ends a run."""


def files_of(path):
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def interrupt_after(hours):
    """A progress that ends the run after some hours."""
    left = [hours]

    def progress(count):
        left[0] -= count
        if left[0] < 0:
            raise Interrupted

    return progress


@pytest.fixture
def path(tmp_path, job):
    downscale_to(job(), tmp_path / "out.zarr")
    return tmp_path / "out.zarr"


def test_the_time_axis_is_whole_days_and_missing_hours_say_so(path, job):
    with xr.open_zarr(path) as written:
        assert written.sizes["time"] == 72
        hours = (written["time"] - written["time"][0]) / np.timedelta64(1, "h")
        made = np.isin(written["time"].values.astype("datetime64[h]"), job().timeline.times)
        np.testing.assert_array_equal(written["time_kind"] == 2, ~made)
        np.testing.assert_array_equal(written["time_kind"][made], np.where(hours[made] % 3 == 0, 0, 1))
        assert np.isnan(written["pm2p5"][~made]).all()
        assert (np.isnan(written["pm2p5"][made]).mean(("latitude", "longitude")) < 0.1).all()
        assert np.unique(written["pm2p5"].values[~made].view(np.uint32)).tolist() == [0x7FC00000]


@pytest.mark.parametrize("consolidated", [True, False, None])
def test_it_opens_with_and_without_consolidated_metadata(path, consolidated):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xr.open_zarr(path, consolidated=consolidated) as written:
            assert set(written.coords) >= {"time", "latitude", "longitude"}
            assert written.attrs["status"] == "complete"
            assert float(written["pm2p5"][0].mean()) > 1


def test_it_holds_what_the_netcdf_file_holds(path, tmp_path, job):
    downscale_to(job(), tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc") as file, xr.open_zarr(path) as written:
        made = written.sel(time=file["time"])
        np.testing.assert_array_equal(made["pm2p5"].values.view(np.uint32), file["pm2p5"].values.view(np.uint32))
        for name in ("time_kind", "latitude", "longitude", "latitude_bnds", "longitude_bnds"):
            np.testing.assert_array_equal(made[name], file[name])
        shared = {key for key in file.attrs if key not in ("history", "deepcams_inputs_sha256")}
        assert {key: written.attrs[key] for key in shared} == {key: file.attrs[key] for key in shared}
        for name in ("pm2p5", "time_kind", "latitude"):
            assert {k: v for k, v in written[name].attrs.items() if k != "flag_values"}.items() <= file[
                name
            ].attrs.items()


def test_one_shard_is_a_day_with_one_chunk_for_each_hour(path):
    array = zarr.open_group(path, mode="r")["pm2p5"]
    assert array.shards == (24, 24, 30)
    assert array.chunks == (1, 24, 30)
    assert sorted(files_of(path / "pm2p5" / "c")) == ["0/0/0", "1/0/0", "2/0/0"]
    assert array.metadata.zarr_format == 3


def test_nothing_in_it_tells_when_where_or_by_whom(path):
    lines = [json.loads(line) for line in path.with_name("out.zarr.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["started", "completed"]
    metadata = (path / "zarr.json").read_text()
    assert all(lines[0][key] not in metadata for key in ("time", "host") if lines[0][key])


@pytest.mark.parametrize("keepbits", [5, 23])
def test_rounding_keeps_the_bits_asked_for(tmp_path, job, keepbits):
    downscale_to(job(), tmp_path / "out.zarr", keepbits=keepbits)
    downscale_to(job(), tmp_path / "out.nc", keepbits=keepbits)
    with xr.open_dataset(tmp_path / "out.nc") as file, xr.open_zarr(tmp_path / "out.zarr") as written:
        np.testing.assert_array_equal(written["pm2p5"].sel(time=file["time"]), file["pm2p5"])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_bytes_do_not_depend_on_the_number_of_threads(path, tmp_path, job, threads):
    downscale_to(job(), tmp_path / "other.zarr", crew=Crew(threads=threads))
    assert files_of(tmp_path / "other.zarr") == files_of(path)


@pytest.mark.parametrize("hours", [0, 10])
def test_a_store_without_a_finished_day_is_not_left(tmp_path, job, hours):
    with pytest.raises(Interrupted):
        downscale_to(job(), tmp_path / "other.zarr", progress=interrupt_after(hours))
    assert list(tmp_path.glob("*other*")) == []


@pytest.mark.parametrize("hours", [24, 30])
def test_an_interrupted_store_says_so_and_is_completed_to_the_same_bytes(path, tmp_path, job, hours):
    other = tmp_path / "other.zarr"
    with pytest.raises(Interrupted):
        downscale_to(job(), other, progress=interrupt_after(hours))
    assert stores.is_unfinished(other)
    assert zarr.open_group(other, mode="r").attrs["status"] == "unfinished"
    (other / "pm2p5" / "c" / f"0.{32 * 'a'}.partial").parent.mkdir(parents=True, exist_ok=True)
    (other / "pm2p5" / "c" / f"0.{32 * 'a'}.partial").write_bytes(b"what zarr was writing when it was killed")
    summary = downscale_to(job(), other)
    assert summary.hours + summary.kept == 38
    assert summary.kept > 0
    assert files_of(other) == files_of(path)


def test_a_day_made_from_other_values_is_refused(tmp_path, cams, read, job):
    out, first = tmp_path / "out.zarr", job()
    with pytest.raises(Interrupted):
        downscale_to(first, out, progress=interrupt_after(24))
    before = files_of(out)
    field = cams.concentration(cams.instants(21)).drop_isel(time=range(6, 13))
    (tmp_path / "corrected").mkdir()
    changed = replace(first, analyses=read(cams.new_store(tmp_path / "corrected" / "cams.nc", field)))
    with pytest.raises(OutputError, match="2019-12-30 was made from other values: the analysis of 2019-12-30T09 UTC"):
        downscale_to(changed, out)
    assert files_of(out) == before


def test_a_complete_store_is_left_as_it_is(path, job):
    before = files_of(path)
    summary = downscale_to(job(), path)
    assert (summary.hours, summary.kept, summary.complete) == (0, 38, True)
    assert files_of(path) == before


@pytest.mark.parametrize(
    ("changes", "keepbits", "what"),
    [
        ({}, 12, "keepbits is 9 there, and 12 was asked for"),
        ({"region": Region(54, 4, 51, 8)}, 9, r"region is None there, and \[54, 4, 51, 8\]"),
        ({"factor": 5}, 9, "factor is 3 there, and 5 was asked for"),
    ],
)
def test_an_unfinished_store_of_other_work_is_refused_with_what_differs(tmp_path, job, changes, keepbits, what):
    out = tmp_path / "out.zarr"
    with pytest.raises(Interrupted):
        downscale_to(job(), out, progress=interrupt_after(24))
    before = files_of(out)
    with pytest.raises(OutputError, match=f"an unfinished store of other work: {what}.*--overwrite"):
        downscale_to(job(**changes), out, keepbits=keepbits)
    assert files_of(out) == before


def test_overwriting_starts_anew(path, tmp_path, job):
    downscale_to(job(region=Region(54, 4, 51, 8)), path, overwrite=True)
    downscale_to(job(region=Region(54, 4, 51, 8)), tmp_path / "new.zarr")
    assert files_of(path) == files_of(tmp_path / "new.zarr")


@pytest.mark.parametrize("metadata", [b"", b"{", b"[]", b'{"attributes": {}}'])
def test_what_is_no_store_of_ours_is_not_unfinished(tmp_path, metadata):
    (tmp_path / "zarr.json").write_bytes(metadata)
    assert not stores.is_unfinished(tmp_path)
    assert not stores.is_unfinished(tmp_path / "none")


def test_a_store_has_its_name_only_with_all_its_metadata(tmp_path, job, monkeypatch):
    monkeypatch.setattr(templates.zarr, "consolidate_metadata", lambda path: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OutputError, match="the disk is full"):
        downscale_to(job(), tmp_path / "out.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cams.nc"]


def test_a_bad_analysis_leaves_a_store_that_says_it_is_unfinished(path, tmp_path, cams, read, job):
    """What can be made is made; the rest is made once the analysis is mended."""
    field = cams.concentration(cams.instants(21)).drop_isel(time=range(6, 13))
    field[3, 2, 3] = np.nan
    spoilt = field.copy()
    spoilt[-1, 0, 0] = -3
    (tmp_path / "bad").mkdir()
    bad = replace(job(), analyses=read(cams.new_store(tmp_path / "bad" / "cams.nc", spoilt)))
    summary = downscale_to(bad, tmp_path / "other.zarr")
    assert list(summary.failures) == [np.datetime64("2020-01-01")]
    assert "pm2p5 is -3" in next(iter(summary.failures.values()))
    assert (summary.hours, summary.complete) == (25, False)
    assert stores.is_unfinished(tmp_path / "other.zarr")
    mended = downscale_to(job(), tmp_path / "other.zarr")
    assert (mended.hours, mended.kept, mended.complete) == (13, 25, True)
    assert files_of(tmp_path / "other.zarr") == files_of(path)


def test_without_any_day_nothing_is_left(tmp_path, cams, read, job):
    bad = replace(job(), analyses=read(cams.new_store(tmp_path / "bad.nc", cams.concentration(cams.instants(21)) - 50)))
    with pytest.raises(InputError, match="pm2p5 is -"):
        downscale_to(bad, tmp_path / "out.zarr")
    assert not list(tmp_path.glob("*out.zarr*"))
