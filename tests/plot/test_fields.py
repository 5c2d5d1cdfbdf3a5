"""Selecting an hour and a region of an output: what is found, and what the messages say if it is not."""

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.grid import Region
from deepcams.plot.fields import Extent, Selection, bicubic, crop, extent_of, load_hour, load_pair, shared_view
from deepcams.provenance import ATTRIBUTION


def test_the_default_is_the_first_hour_with_data_on_the_whole_globe(store):
    hour = load_hour(store, Selection())
    assert hour["time"].values == np.datetime64("2020-01-01T01")
    assert int(hour["time_kind"]) == 1
    assert hour.shape == (37, 72)
    assert hour["longitude"].values[[0, -1]].tolist() == [-180, 175]
    assert hour.sel(latitude=0, longitude=-30).item() == pytest.approx(100 + 33)
    assert hour.attrs["attribution"] == "Made from test data."


def test_without_time_kind_the_first_hour_with_a_value_is_found(fine, tmp_path):
    fine.drop_vars("time_kind").to_netcdf(tmp_path / "plain.nc")
    hour = load_hour(tmp_path / "plain.nc", Selection())
    assert hour["time"].values == np.datetime64("2020-01-01T01")
    assert "time_kind" not in hour.coords


@pytest.mark.parametrize("time", ["2020-01-01T02", "2020-01-01 02:00", "2020-01-01T02:00Z", "2020-01-01T04:00+02:00"])
def test_a_time_is_iso_text_and_utc_by_default(store, time):
    assert load_hour(store, Selection(time=time))["time"].values == np.datetime64("2020-01-01T02")


def test_a_zarr_store_reads_the_same(fine, store, tmp_path):
    fine.to_zarr(tmp_path / "fine.zarr", zarr_format=3, consolidated=False)
    selection = Selection(time="2020-01-01T03")
    of_store, of_file = load_hour(tmp_path / "fine.zarr", selection), load_hour(store, selection)
    xr.testing.assert_identical(of_store, of_file.assign_attrs(origin="fine.zarr"))


def test_a_missing_hour_names_the_period_and_the_nearest_hours(store):
    with pytest.raises(InputError) as error:
        load_hour(store, Selection(time="2020-01-01T01:20"))
    message = str(error.value)
    assert "fine.nc has no data at 2020-01-01T01:20" in message
    assert "2020-01-01T01:00 to 2020-01-01T03:00 (3 in all)" in message
    assert "nearest: 2020-01-01T01:00 and 2020-01-01T02:00" in message


def test_an_hour_marked_as_missing_is_not_shown(store):
    with pytest.raises(InputError, match="no data at 2020-01-01T00:00"):
        load_hour(store, Selection(time="2020-01-01T00"))


def test_an_output_without_any_data_is_an_error(fine, tmp_path):
    (fine.drop_vars("time_kind") * np.nan).to_netcdf(tmp_path / "empty.nc")
    with pytest.raises(InputError, match="no hour with data"):
        load_hour(tmp_path / "empty.nc", Selection())


def test_a_bad_time_says_how_to_write_one(store):
    with pytest.raises(InputError, match="ISO text like"):
        load_hour(store, Selection(time="yesterday noon"))


def test_the_variable_is_pm25_the_only_one_or_the_one_named(fine, store, tmp_path):
    xr.Dataset({"pm10": fine["pm2p5"]}).to_netcdf(tmp_path / "one.nc")
    assert load_hour(tmp_path / "one.nc", Selection()).name == "pm10"
    xr.Dataset({"pm10": fine["pm2p5"], "pm1": fine["pm2p5"]}).to_netcdf(tmp_path / "two.nc")
    assert load_hour(tmp_path / "two.nc", Selection(variable="pm1")).name == "pm1"
    with pytest.raises(InputError, match="there is pm10, pm1; choose one with --variable"):
        load_hour(tmp_path / "two.nc", Selection())
    with pytest.raises(InputError, match="no variable ozone"):
        load_hour(store, Selection(variable="ozone"))


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        load_hour(tmp_path / "no.nc", Selection())
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(InputError, match=r"text\.nc: cannot be read"):
        load_hour(tmp_path / "text.nc", Selection())
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(InputError, match=r"empty\.zarr: no NetCDF"):
        load_hour(tmp_path / "empty.zarr", Selection())


@pytest.mark.parametrize(
    ("region", "longitudes"),
    [
        (Region(20, -12, -20, 12), [-10, -5, 0, 5, 10]),
        (Region(20, 348, -20, 12), [350, 355, 360, 365, 370]),
        (Region(20, 170, -20, -170), [170, 175, 180, 185, 190]),
        (Region(20, -120, -20, -110), [-120, -115, -110]),
        (Region(20, 7, -20, 13), [10]),
    ],
)
def test_a_region_keeps_its_own_longitudes_across_any_edge(fine, region, longitudes):
    cut = crop(fine["pm2p5"].isel(time=1), region)
    assert cut["longitude"].values.tolist() == longitudes
    assert cut["latitude"].values.tolist() == list(range(20, -21, -5))
    np.testing.assert_allclose(cut[0], 100 + np.mod(longitudes, 360) / 10)


def test_a_region_all_around_starts_at_its_west(fine):
    cut = crop(fine["pm2p5"].isel(time=1), Region(90, -100, -90, 260))
    assert cut["longitude"].values[[0, -1]].tolist() == [-100, 255]
    np.testing.assert_allclose(cut[0], 100 + cut["longitude"].values % 360 / 10)


def test_a_region_beyond_the_field_is_an_error(fine):
    part = crop(fine["pm2p5"], Region(60, 0, 40, 30))
    with pytest.raises(InputError, match="no cells within"):
        crop(part, Region(-10, 0, -40, 30))


def test_the_extent_is_cell_edges_cut_at_the_poles(fine):
    assert extent_of(fine["pm2p5"]) == Extent(-2.5, 357.5, -90, 90)
    assert extent_of(crop(fine["pm2p5"], Region(20, -10, -20, 10))) == Extent(-12.5, 12.5, -22.5, 22.5)


@pytest.mark.parametrize("west", [-20, 170, 340])
def test_a_shared_view_is_the_region_with_both_fields_filling_it(coarse, fine, west):
    region = Region(31, west + 1, -22, west + 40 if west < 300 else 20)
    views = shared_view(coarse, fine["pm2p5"].isel(time=3), region)
    extent = views[-1]
    assert (extent.north, extent.south) == (31, -22)
    assert extent.east - extent.west == pytest.approx(region.width)
    assert (extent.west - region.west) % 360 == 0
    for view in views[:2]:
        around = extent_of(view)
        assert around.west <= extent.west < extent.east <= around.east
        assert around.south <= extent.south < extent.north <= around.north


def test_a_shared_view_of_a_regional_output_is_what_it_covers(coarse, fine):
    part = crop(fine["pm2p5"].isel(time=3), Region(40, 100, 10, 150))
    assert shared_view(coarse, part, None)[-1] == Extent(97.5, 152.5, 7.5, 42.5)
    with pytest.raises(InputError, match="no cells within"):
        shared_view(coarse, part, Region(-10, 0, -40, 30))


def test_a_global_shared_view_has_no_gap_at_the_date_line(coarse, fine):
    extent = shared_view(coarse, fine["pm2p5"].isel(time=3), None)[-1]
    assert extent == Extent(-180, 172.5, -90, 90)


def test_a_pair_is_the_first_common_hour_in_the_same_unit(cams_file, store):
    coarse, fine = load_pair(cams_file, store, Selection())
    assert coarse["time"].values == fine["time"].values == np.datetime64("2020-01-01T03")
    assert coarse.sel(latitude=0, longitude=90).item() == pytest.approx(309, rel=1e-6)
    assert fine.sel(latitude=0, longitude=90).item() == pytest.approx(309, rel=1e-6)


def test_a_pair_needs_the_hour_in_both_files(cams_file, store, fine, tmp_path):
    with pytest.raises(InputError, match=r"cams\.nc has no data at 2020-01-01T02:00"):
        load_pair(cams_file, store, Selection(time="2020-01-01T02"))
    fine.isel(time=slice(0, 2)).to_netcdf(tmp_path / "early.nc")
    with pytest.raises(InputError, match="no hour in common"):
        load_pair(cams_file, tmp_path / "early.nc", Selection())


def test_without_an_attribution_the_source_is_still_named(fine, tmp_path):
    fine.assign_attrs(attribution="").drop_attrs().to_netcdf(tmp_path / "bare.nc")
    assert load_hour(tmp_path / "bare.nc", Selection()).attrs["attribution"] == ATTRIBUTION


def test_between_two_analyses_cams_is_linear_in_time(fine, cams_file, tmp_path):
    shifted = fine.assign_coords(time=fine["time"] + np.timedelta64(3, "h"))
    shifted.assign(time_kind=("time", np.array([0, 1, 1, 0], np.int8))).to_netcdf(tmp_path / "later.nc")
    coarse, output = load_pair(cams_file, tmp_path / "later.nc", Selection(time="2020-01-01T04"))
    assert coarse["time"].values == output["time"].values == np.datetime64("2020-01-01T04")
    assert int(coarse["time_kind"]) == 1
    assert coarse.sel(latitude=0, longitude=30).item() == pytest.approx(300 + 3 + 100, rel=1e-5)
    analysis, _ = load_pair(cams_file, tmp_path / "later.nc", Selection(time="2020-01-01T06"))
    assert "time_kind" not in analysis.coords


def test_bicubic_goes_through_the_nodes_and_is_smooth_between(coarse, fine):
    like = fine["pm2p5"].isel(time=3)
    found = bicubic(coarse, like)
    assert found.shape == like.shape
    np.testing.assert_allclose(found.values[3:-3:3, ::3], coarse.values[1:-1], rtol=1e-5)
    # longitude / 10 is a straight line away from the edge at 0
    np.testing.assert_allclose(found.sel(latitude=0, longitude=slice(60, 300)), like.sel(latitude=0, longitude=slice(60, 300)),
                               rtol=1e-5)  # fmt: skip
    assert found["time"].values == coarse["time"].values


def test_bicubic_needs_steps_that_nest(coarse, fine):
    with pytest.raises(InputError, match="leave --bicubic out"):
        bicubic(coarse, coarse)


def test_of_several_files_the_first_with_the_hour_is_shown(fine, tmp_path):
    fine.isel(time=slice(0, 2)).to_netcdf(tmp_path / "a.nc")
    fine.isel(time=slice(2, 4)).to_netcdf(tmp_path / "b.nc")
    for place in (tmp_path, tmp_path / "*.nc"):
        assert load_hour(place, Selection()).attrs["origin"] == "a.nc"
        assert load_hour(place, Selection(time="2020-01-01T03")).attrs["origin"] == "b.nc"
    with pytest.raises(InputError, match=r"none of its 2 files has it; of the last: b\.nc has no data at 2021"):
        load_hour(tmp_path, Selection(time="2021-01-01"))


@pytest.fixture
def statistics(fine, tmp_path):
    """Daily and monthly means, as ``deepcams aggregate`` writes them."""

    def write(name, begin, end):
        ends = np.array([begin, end], "datetime64[ns]")
        field = fine["pm2p5"].isel(time=[3]).assign_coords(time=ends[:1] + (ends[1:] - ends[:1]) // 2)
        bounds = ("time", "bnds"), ends[None]
        both = {"pm2p5_mean": field, "hours_used": field.astype(np.int16), "time_bnds": bounds}
        xr.Dataset(both).to_netcdf(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("begin", "end", "when", "hours"),
    [
        ("2020-01-01", "2020-01-02", "2020-01-01 (UTC)", 24),
        ("2020-02-01", "2020-03-01", "2020-02 (UTC)", 29 * 24),
        ("2020-01-01", "2021-01-01", "2020 (UTC)", 366 * 24),
        ("2020-01-01T16", "2020-01-02T16", "2020-01-01 16:00 to 2020-01-02 16:00 UTC", 24),
    ],
)
def test_a_statistic_is_of_its_period_and_found_by_any_time_in_it(statistics, begin, end, when, hours):
    path = statistics("means.nc", begin, end)
    field = load_hour(path, Selection())
    assert (field.name, field.attrs["when"], field.attrs["hours"]) == ("pm2p5_mean", when, hours)
    xr.testing.assert_identical(load_hour(path, Selection(time="2020-01-01T22" if hours == 24 else begin)), field)
    with pytest.raises(InputError, match="no data at"):
        load_hour(path, Selection(time=end))


def test_what_is_no_map_of_ours_is_said(fine, tmp_path):
    fine.rename(time="valid_time").to_netcdf(tmp_path / "cams.nc")
    with pytest.raises(InputError, match="deepcams plot compare"):
        load_hour(tmp_path / "cams.nc", Selection())
