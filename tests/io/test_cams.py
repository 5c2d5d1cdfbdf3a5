"""CAMS files in every form they are met in give the same analyses."""

import os
import warnings
import zipfile

import netCDF4
import numpy as np
import pytest
import xarray as xr

from deepcams import open_cams
from deepcams.errors import InputError
from deepcams.io.cams import from_dataset, open_analyses
from deepcams.io.files import find_files
from deepcams.sample import cams_sample

SPELLINGS = {
    1: ["ug m-3", "ug m**-3", "µg/m3", "μg m-3", "ug/m^3", "µg/m³", "micrograms per cubic metre"],
    1e-9: ["kg m**-3", "kg m-3", "kg/m3", "kg m^-3"],
    1e-6: ["g/m3"],
    1e-3: ["mg m-3"],
    1e3: ["ng m-3"],
}
LEAD = np.array([0, 3, 6, 9], "timedelta64[h]").astype("timedelta64[ns]")


def values_of(analyses):
    return np.stack([analyses.read(number).values for number in range(analyses.times.size)])


def assert_same(analyses, field, tolerance=1e-5):
    """The analyses are the field, in ug m-3 and the usual order."""
    np.testing.assert_array_equal(analyses.times, field.time.values.astype("datetime64[h]"))
    np.testing.assert_allclose(analyses.grid.latitude, field.latitude, atol=1e-4)
    np.testing.assert_allclose(analyses.grid.longitude, field.longitude, atol=1e-4)
    np.testing.assert_allclose(values_of(analyses), field.values, rtol=1e-6, atol=tolerance)
    assert analyses.species.unit == "ug m-3"


def dataset_of(cams, **changes):
    return cams.in_kilograms(cams.concentration()).to_dataset(name="pm2p5").assign_coords(**changes)


@pytest.fixture
def written(tmp_path):
    """Write a dataset as it is."""

    def write(dataset, name="cams.nc", **options):
        dataset.to_netcdf(tmp_path / name, engine="h5netcdf", **options)
        return tmp_path / name

    return write


class TestForms:
    def test_new_store(self, tmp_path, cams, read):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            analyses = read(cams.new_store(tmp_path / "cams.nc", cams.concentration()))
            assert_same(analyses, cams.concentration())

    @pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4", "NETCDF4_CLASSIC"])
    def test_old_store_packed(self, tmp_path, cams, read, form):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            analyses = read(cams.old_store(tmp_path / "cams.nc", cams.concentration(), form))
            assert_same(analyses, cams.concentration(), tolerance=0.2001)

    @pytest.mark.parametrize("with_valid_time", [True, False])
    @pytest.mark.parametrize("period", ["encoded", "hours"])
    def test_forecast_period_by_reference_time(self, cams, read, written, with_valid_time, period):
        reference = cams.START + np.array([0, 12], "timedelta64[h]")
        valid = LEAD[:, None] + reference
        values = np.stack([cams.in_kilograms(cams.concentration(row)).values for row in valid])
        dims = ("forecast_period", "forecast_reference_time", "latitude", "longitude")
        coordinates = {"latitude": cams.LATITUDE, "longitude": cams.LONGITUDE, dims[1]: reference}
        coordinates[dims[0]] = LEAD if period == "encoded" else (dims[0], [0.0, 3.0, 6.0, 9.0], {"units": "hours"})
        if with_valid_time:
            coordinates["valid_time"] = (dims[:2], valid)
        dataset = xr.Dataset({"pm2p5": (dims, values, {"units": "kg m**-3"})}, coordinates)
        encoding = {"pm2p5": {"zlib": True, "chunksizes": (2, 2, 8, 10)}}
        assert_same(read(written(dataset, encoding=encoding)), cams.concentration(cams.instants(8)))

    @pytest.mark.parametrize(("factor", "unit"), [(f, unit) for f, units in SPELLINGS.items() for unit in units])
    def test_units_in_all_spellings(self, cams, factor, unit):
        field = (cams.concentration() * factor).assign_attrs(units=unit).to_dataset(name="pm2p5")
        analyses_file = from_dataset(field, "cams", variable="pm2p5")
        assert analyses_file.species.unit == "ug m-3"
        np.testing.assert_allclose(analyses_file.read(2), cams.concentration()[2], rtol=1e-6)

    def test_lzf(self, tmp_path, cams, read):
        encoding = {"pm2p5": {"compression": "lzf", "chunksizes": (1, 8, 10)}}
        path = cams.new_store(tmp_path / "cams.nc", cams.concentration(), encoding=encoding)
        assert_same(read(path), cams.concentration())

    @pytest.mark.parametrize("edition", [1, 2])
    @pytest.mark.parametrize("southward", [True, False])
    def test_grib(self, tmp_path, cams, read, grib, edition, southward):
        field = cams.concentration()
        grib(tmp_path / "cams.grib", field if southward else field[:, ::-1], edition=edition)
        assert_same(read(tmp_path / "cams.grib"), field)
        assert os.listdir(tmp_path) == ["cams.grib"]  # noqa: PTH208

    @pytest.mark.parametrize("edition", [1, 2])
    def test_grib_with_several_variables(self, tmp_path, cams, read, grib, edition):
        path = grib(tmp_path / "cams.grib", cams.concentration(), edition=edition)
        grib(path, 2 * cams.concentration(), edition=edition, param=210074, mode="ab")
        assert_same(read(path), cams.concentration())
        assert_same(read(path, variable="pm10"), 2 * cams.concentration())
        assert read(path, variable="PM25").species.name == "pm2p5"
        with pytest.raises(InputError, match=r"no variable 'co' \(there are: pm10, pm2p5\)"):
            read(path, variable="co")

    @pytest.mark.parametrize("edition", [1, 2])
    def test_grib_across_greenwich_offset_and_in_any_order_of_time(self, tmp_path, cams, read, grib, edition):
        field = cams.concentration(latitude=51.95 - 0.75 * np.arange(4), longitude=-4.05 + 0.75 * np.arange(12))
        assert_same(read(grib(tmp_path / "cams.grib", field[[3, 0, 4, 2, 1]], edition=edition)), field)

    def test_grib_beside_netcdf(self, tmp_path, cams, read, grib):
        grib(tmp_path / "a.grib", cams.concentration()[:3])
        cams.new_store(tmp_path / "b.nc", cams.concentration()[2:])
        assert_same(read(tmp_path), cams.concentration())

    def test_zip_with_several_members_of_which_some_lack_the_variable(self, tmp_path, cams, read):
        cams.new_store(tmp_path / "1.nc", cams.concentration()[:3])
        cams.new_store(tmp_path / "2.nc", cams.concentration()[3:])
        dataset_of(cams).rename(pm2p5="z").to_netcdf(tmp_path / "3.nc")
        with zipfile.ZipFile(tmp_path / "cams.zip", "w") as archive:
            archive.writestr("readme.txt", "hi")
            for number in (3, 2, 1):
                archive.write(tmp_path / f"{number}.nc", f"part{number}/data_sfc.nc")
        assert_same(read(tmp_path / "cams.zip"), cams.concentration())
        with pytest.raises(InputError, match=r"no variable 'pm10' \(there are: z\).*\(there are: pm2p5\)"):
            read(tmp_path / "cams.zip", variable="pm10")

    def test_the_sample(self, read):
        analyses = read(cams_sample())
        assert analyses.grid.shape == (241, 480)
        assert analyses.step == 3
        assert values_of(analyses).max() == pytest.approx(3657, abs=1)

    def test_real_files(self, shared_data, read):
        node = read(shared_data / "cams_eac4_utrecht_2016_new_layout.nc")
        assert (node.grid.shape, node.times.size, node.step) == ((1, 1), 520, 3)
        assert node.grid.latitude[0] == pytest.approx(52.1, abs=1)
        assert node.notes == ()  # GRIB attributes tell the step
        city = read(shared_data / "cams_eac4_milan_2003-2022.nc")
        assert city.grid.shape == (3, 4)
        assert np.nanmax(city.read(40_000).values) < 300


class TestLayouts:
    """Odd but legal ways to write the same thing."""

    @pytest.mark.parametrize("order", [("longitude", "time", "latitude"), ("latitude", "longitude", "time")])
    def test_dimensions_in_any_order(self, cams, read, written, order):
        encoding = {"pm2p5": {"zlib": True, "chunksizes": tuple({"time": 3}.get(dim, 4) for dim in order)}}
        assert_same(read(written(dataset_of(cams).transpose(*order), encoding=encoding)), cams.concentration())

    def test_singleton_dimensions(self, cams, read, written):
        dataset = dataset_of(cams).expand_dims(number=[0]).expand_dims(expver=["0001"], axis=-1)
        assert_same(read(written(dataset.expand_dims(level=[1000.0], axis=2))), cams.concentration())

    def test_a_dimension_with_a_choice_left(self, cams, read, written):
        dataset = xr.concat([dataset_of(cams)] * 2, xr.Variable("expver", [1, 5]))
        with pytest.raises(InputError, match=r"cams.nc: more than one field for each time: dimension expver \(2\)"):
            read(written(dataset))

    def test_other_names_of_dimensions(self, cams, read, written):
        dataset = dataset_of(cams).rename_dims(latitude="y", longitude="x").rename(latitude="LAT", longitude="nav_lon")
        dataset["nav_lon"].attrs["units"] = "degrees_east"
        assert_same(read(written(dataset)), cams.concentration())

    @pytest.mark.parametrize("units", ["seconds since 1970-01-01", "days since 1900-01-01 00:00:00"])
    @pytest.mark.parametrize("dtype", ["f8", "i8"])
    def test_encodings_of_time(self, cams, read, written, units, dtype):
        chosen = slice(0, None, 4) if (dtype, units[:4]) == ("i8", "days") else slice(None)
        times = cams.instants(5, 6)[chosen]
        path = written(
            cams.in_kilograms(cams.concentration(times)).to_dataset(name="pm2p5"),
            encoding={"time": {"units": units, "dtype": dtype}},
        )
        assert_same(read(path), cams.concentration(times))

    def test_a_standard_calendar_by_cftime_is_fine_and_360_days_are_not(self, cams, read, written):
        for calendar in ("standard", "proleptic_gregorian", "360_day"):
            times = xr.date_range("2019-12-30", periods=5, freq="3h", calendar=calendar, use_cftime=True)
            path = written(dataset_of(cams, time=times), f"{calendar}.nc")
            if calendar != "360_day":
                assert_same(read(path), cams.concentration())
        with pytest.raises(InputError, match=r"360_day.nc: .*wanted dates of the standard calendar"):
            read(path)

    def test_two_fill_values(self, tmp_path, cams, read):
        field = cams.concentration()
        field[0, 0, 0] = np.nan
        path = cams.new_store(tmp_path / "cams.nc", field, engine="netcdf4", encoding={})
        with netCDF4.Dataset(path, "a") as dataset:
            dataset["pm2p5"].setncattr("missing_value", np.float32(-999))
            dataset["pm2p5"][0, 0, 1] = -999
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan(read(path).read(0).values[0, :2]).all()

    @pytest.mark.parametrize("dtype", ["f8", "f4"])
    def test_precisions(self, cams, read, written, dtype):
        analyses = read(written(dataset_of(cams).astype(dtype)))
        assert_same(analyses, cams.concentration())
        assert analyses.read(0).values.dtype == np.float32

    @pytest.mark.parametrize("places", [{"latitude": [1]}, {"longitude": [1]}, {"latitude": [1], "longitude": [1]},
                                        {"latitude": 1}, {"longitude": 1}, {"latitude": 1, "longitude": 1}])  # fmt: skip
    @pytest.mark.parametrize("store", ["new_store", "old_store"])
    def test_single_rows_columns_and_nodes(self, tmp_path, cams, read, places, store):
        path = getattr(cams, store)(tmp_path / "cams.nc", cams.concentration().isel(places))
        kept = {dim: np.atleast_1d(index) for dim, index in places.items()}
        assert_same(read(path), cams.concentration().isel(kept), tolerance=1e-5 if store == "new_store" else 0.2001)

    def test_a_single_node_knows_its_step_from_grib_and_is_told_else(self, tmp_path, cams, read, grib):
        node = cams.concentration(latitude=np.array([51.95]), longitude=np.array([4.95]))
        assert read(grib(tmp_path / "a.grib", node)).notes == ()
        assert "single node" in read(cams.new_store(tmp_path / "b.nc", node)).notes[0]
        coarse = dataset_of(cams).isel(latitude=[0], longitude=[0])
        coarse["pm2p5"].attrs["GRIB_iDirectionIncrementInDegrees"] = 0.4
        with pytest.raises(InputError, match=r"step of 0\.4"):
            from_dataset(coarse, "cams", variable="pm2p5")

    def test_grids_that_are_none(self, cams):
        dataset = dataset_of(cams)
        plane = np.ones((8, 10))
        curved = dataset.drop_vars(["latitude", "longitude"]).rename_dims(latitude="y", longitude="x")
        points = dataset.stack(values=("latitude", "longitude")).reset_index("values")
        for data, message in [
            (curved.assign_coords(latitude=(("y", "x"), plane), longitude=(("y", "x"), plane)), "a curvilinear grid"),
            (curved.assign(lat=(("y", "x"), plane), lon=(("y", "x"), plane)), "a curvilinear grid"),
            (points, "a list of points"),
            (curved, "no latitude among the coordinates"),
            (dataset.isel(time=slice(0)), "its dimension time has the length 0"),
            (dataset.isel(latitude=slice(0)), "its dimension latitude has the length 0"),
        ]:
            with pytest.raises(InputError, match=f"cams: .*{message}"):
                from_dataset(data, "cams", variable="pm2p5")


class TestManyFiles:
    @pytest.mark.parametrize("step", [3, 6, 12])
    def test_time_steps(self, tmp_path, cams, read, step):
        field = cams.concentration(cams.instants(4, step))
        analyses = read(cams.new_store(tmp_path / "cams.nc", field))
        assert_same(analyses, field)
        assert analyses.step == step

    def test_unsorted_times_and_files(self, tmp_path, cams, read):
        cams.new_store(tmp_path / "a.nc", cams.concentration()[[4, 2]])
        cams.new_store(tmp_path / "b.nc", cams.concentration()[[3, 0, 1]])
        assert_same(read(tmp_path), cams.concentration())

    def test_a_gap_is_kept(self, tmp_path, cams, read):
        analyses = read(cams.new_store(tmp_path / "cams.nc", cams.concentration()[[0, 1, 4]]))
        assert (analyses.step, analyses.times.size) == (3, 3)

    def test_overlapping_files_that_are_equal(self, tmp_path, cams, read):
        cams.new_store(tmp_path / "a.nc", cams.concentration()[:4])
        cams.new_store(tmp_path / "b.nc", cams.concentration()[2:])
        assert_same(read(tmp_path), cams.concentration())

    def test_overlapping_files_packed_with_different_offsets(self, tmp_path, cams, read):
        cams.old_store(tmp_path / "a.nc", cams.concentration()[:4])
        cams.old_store(tmp_path / "b.nc", cams.concentration()[2:], add_offset=1.30001e-5, scale_factor=4.1e-10)
        cams.new_store(tmp_path / "c.nc", cams.concentration())
        assert_same(read(tmp_path), cams.concentration(), tolerance=0.206)

    def test_overlapping_single_nodes_packed(self, tmp_path, cams, read):
        node = cams.concentration().isel(latitude=2, longitude=3)
        cams.old_store(tmp_path / "a.nc", node)
        cams.new_store(tmp_path / "b.nc", node)
        assert read(tmp_path).times.size == 5

    def test_overlapping_files_that_differ_are_named_with_the_first_hour(self, tmp_path, cams, read):
        cams.new_store(tmp_path / "a.nc", cams.concentration()[:4])
        other = cams.concentration()[2:]
        other[1, 2, 3] += 1
        cams.new_store(tmp_path / "b.nc", other)
        with pytest.raises(
            InputError, match=r"a.nc and \S*b.nc disagree, first at 2019-12-30T09:00 .* at 53.25N 5.25E"
        ):
            read(tmp_path)

    def test_packed_files_that_differ_by_more_than_their_steps(self, tmp_path, cams, read):
        cams.old_store(tmp_path / "a.nc", cams.concentration())
        cams.old_store(tmp_path / "b.nc", cams.concentration() + 0.9)
        with pytest.raises(InputError, match="disagree, first at 2019-12-30T00:00"):
            read(tmp_path)

    def test_holes_must_be_the_same(self, tmp_path, cams, read):
        field = cams.concentration()
        field[1, 2, 3] = np.nan
        cams.new_store(tmp_path / "a.nc", field)
        cams.new_store(tmp_path / "b.nc", field)
        assert np.isnan(read(tmp_path).read(1).values[2, 3])
        cams.new_store(tmp_path / "b.nc", cams.concentration())
        with pytest.raises(InputError, match="disagree, first at 2019-12-30T03:00 UTC: nan and"):
            read(tmp_path)

    def test_duplicates_in_one_file(self, tmp_path, cams, read):
        field = cams.concentration()
        assert_same(read(cams.new_store(tmp_path / "a.nc", field[[0, 1, 1, 2, 3, 4]])), field)
        twice = xr.concat([field, field[[2]] + 1], "time")
        with pytest.raises(InputError, match=r"two fields in \S*b.nc disagree, first at 2019-12-30T06:00"):
            read(cams.new_store(tmp_path / "b.nc", twice))

    @pytest.mark.parametrize("west", [-180.0, 0.0])
    def test_the_globe_in_either_convention_and_order(self, tmp_path, cams, read, west):
        latitude, longitude = 90 - 0.75 * np.arange(241), 0.75 * np.arange(480)
        field = cams.concentration(cams.instants(2), latitude, longitude)
        field[:, [0, -1]] = field[:, [0, -1], :1].values  # a pole has one value
        cams.new_store(tmp_path / "a.nc", field)
        turned = cams.concentration(cams.instants(2)[1:], latitude[::-1], west + 0.75 * np.arange(480 + (west == 0)))
        turned[:, [0, -1]] = field[1:, [-1, 0], :1].values
        cams.new_store(tmp_path / "b.nc", turned)
        assert_same(read(tmp_path), field, tolerance=1e-4)

    def test_a_region_west_of_greenwich_in_both_conventions(self, tmp_path, cams, read):
        first = cams.concentration(longitude=-10 + 0.75 * np.arange(6))
        cams.new_store(tmp_path / "a.nc", first[:3])
        cams.new_store(tmp_path / "b.nc", cams.concentration(longitude=350 + 0.75 * np.arange(6))[2:])
        assert_same(read(tmp_path), first, tolerance=1e-4)

    def test_old_and_new_store_of_an_offset_area(self, tmp_path, cams, read):
        field = cams.concentration(latitude=51.95 - 0.75 * np.arange(5), longitude=4.95 + 0.75 * np.arange(4))
        cams.new_store(tmp_path / "a.nc", field[:3])
        cams.old_store(tmp_path / "b.nc", field[2:, ::-1])
        assert_same(read(tmp_path), field, tolerance=0.2001)

    def test_other_grids_and_units_are_refused(self, tmp_path, cams, read, written):
        cams.new_store(tmp_path / "a.nc", cams.concentration()[:2])
        cams.new_store(tmp_path / "b.nc", cams.concentration()[2:, 1:])
        with pytest.raises(InputError, match=r"b.nc is on another grid \(7 x 10 .*than \S*a.nc \(8 x 10"):
            read(tmp_path)
        ratio = dataset_of(cams).rename(pm2p5="co")
        for name, unit in (("c.nc", "kg kg**-1"), ("d.nc", "ppb")):
            ratio["co"].attrs["units"] = unit
            written(ratio, name)
        with pytest.raises(InputError, match=r"d.nc is in 'ppb', \S*c.nc in 'kg kg\*\*-1': wanted one unit"):
            read(tmp_path / "c.nc", tmp_path / "d.nc", variable="co")


class TestVariables:
    def test_a_missing_variable_is_answered_with_what_is_there(self, cams, read, written):
        dataset = dataset_of(cams).rename(pm2p5="pm10").assign(z=0.0)
        with pytest.raises(InputError, match=r"no variable 'pm2p5' \(there are: pm10, z\).*--variable"):
            read(written(dataset))

    @pytest.mark.parametrize("name", ["pm25", "PM2.5", "pm2p5"])
    def test_aliases_are_the_same_species(self, tmp_path, cams, read, name):
        analyses = read(cams.new_store(tmp_path / "cams.nc", cams.concentration()), variable=name)
        assert (analyses.species.name, analyses.species.unit) == ("pm2p5", "ug m-3")

    def test_pm10_is_treated_like_pm2p5(self, cams, read, written):
        analyses = read(written(dataset_of(cams).rename(pm2p5="pm10")), variable="pm10")
        assert_same(analyses, cams.concentration())
        assert "pm10" in analyses.species.standard_name
        assert analyses.epsilon == 0.05

    def test_a_mixing_ratio_keeps_its_unit_and_has_its_own_scale(self, cams, read, written):
        dataset = dataset_of(cams).rename(pm2p5="co")
        dataset["co"].attrs |= {"units": "kg kg**-1", "long_name": "Carbon monoxide"}
        analyses = read(written(dataset), variable="co")
        first = analyses.read(0).values
        assert (analyses.species.unit, analyses.species.scale) == ("kg kg**-1", 1)
        assert analyses.epsilon == pytest.approx(0.02 * np.median(first))
        assert analyses.species.standard_name == ""  # "unknown", which the GRIB library writes, is none

    def test_units_are_needed_and_can_be_given(self, cams, read, written):
        dataset = dataset_of(cams)
        del dataset["pm2p5"].attrs["units"]
        with pytest.raises(InputError, match="'pm2p5' has no units: say which with --units"):
            read(written(dataset))
        assert_same(read(written(dataset), units="kg m-3"), cams.concentration())
        assert_same(read(written(dataset * 1e9), units="ug/m3"), cams.concentration())

    def test_wrong_units_can_be_overridden(self, cams, read, written):
        dataset = dataset_of(cams)
        dataset["pm2p5"].attrs["units"] = "1"
        with pytest.raises(InputError, match=r"units '1' are not a mass per volume.*--units"):
            read(written(dataset))
        assert_same(read(written(dataset), units="kg m-3"), cams.concentration())


class TestLaziness:
    def test_opening_reads_no_values(self, tmp_path, cams, read, damage_chunk):
        encoding = {"pm2p5": {"zlib": True, "chunksizes": (1, 8, 10)}}
        path = cams.new_store(tmp_path / "cams.nc", cams.concentration(), encoding=encoding)
        for number in (1, 4):
            damage_chunk(path, number)
        analyses = read(path)
        assert analyses.times.size == 5
        np.testing.assert_allclose(analyses.read(2).values, cams.concentration()[2], rtol=1e-6)
        for number in (1, 4):
            with pytest.raises(InputError, match=r"cams.nc: .* cannot be read .* damaged: fetch it again"):
                analyses.read(number)

    def test_chunks_of_many_times_are_unpacked_once(self, cams, written, monkeypatch):
        encoding = {"pm2p5": {"zlib": True, "chunksizes": (4, 8, 10)}}
        field = cams.concentration(cams.instants(9))
        path = written(cams.in_kilograms(field).to_dataset(name="pm2p5"), encoding=encoding)
        analyses = open_analyses(find_files(path))
        reads = []
        plain = xr.DataArray.values.fget
        monkeypatch.setattr(xr.DataArray, "values", property(lambda self: (reads.append(self.shape), plain(self))[1]))
        assert_same_values = [analyses.load(number) for number in range(9)]
        assert [shape for shape in reads if len(shape) == 3] == [(4, 8, 10), (4, 8, 10), (1, 8, 10)]
        monkeypatch.undo()
        np.testing.assert_allclose(assert_same_values, field.values, rtol=1e-6)

    def test_open_cams_gives_a_lazy_array_in_the_usual_form(self, tmp_path, cams, damage_chunk):
        encoding = {"pm2p5": {"zlib": True, "chunksizes": (1, 8, 10)}}
        field = cams.concentration()
        path = cams.new_store(tmp_path / "cams.nc", field[:, ::-1], encoding=encoding)
        damage_chunk(path, 4)
        array = open_cams(str(tmp_path / "*.nc"))
        assert (array.name, array.dims, array.dtype) == ("pm2p5", ("time", "latitude", "longitude"), np.float32)
        assert array.attrs["units"] == "ug m-3"
        xr.testing.assert_allclose(array[:4].compute().drop_attrs(), field[:4].drop_attrs(), rtol=1e-6)
        part = array.sel(time="2019-12-30T06", latitude=slice(54, 53), longitude=[3.75])
        np.testing.assert_allclose(part, field[2, 1:3, [1]], rtol=1e-6)
        with pytest.raises(InputError, match="cannot be read"):
            array.load()
