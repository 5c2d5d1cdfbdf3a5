"""Where time and place are in a file, and how its fields are turned the usual way round."""

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.io.layout import canonical_name, find_axis, find_variable, orient, valid_times, with_coordinates

STEP = 0.75
SOUTHWARD = 54.75 - STEP * np.arange(4)


def oriented_longitudes(longitude):
    """The grid's longitudes, after checking that the columns chosen lie there."""
    found = orient(SOUTHWARD, np.asarray(longitude, float), None)
    turned = np.asarray(longitude)[found.columns]
    np.testing.assert_allclose((turned - found.grid.longitude + 180) % 360, 180, atol=1e-4)
    return found.grid.longitude


@pytest.mark.parametrize("first", [0.0, -180.0, -90.0, 0.75])
@pytest.mark.parametrize("closed", [False, True])
def test_global_longitudes_start_at_greenwich_whatever_the_seam(first, closed):
    longitude = oriented_longitudes(first + STEP * np.arange(480 + closed))
    np.testing.assert_array_equal(longitude, STEP * np.arange(480))


@pytest.mark.parametrize(
    ("longitude", "west", "count"),
    [
        (np.r_[351:360:STEP, 0:9.1:STEP], -9, 25),
        (np.r_[351:360.1:STEP, 0:9.1:STEP], -9, 25),  # 360 and 0 are the same
        (np.arange(-9, 9.1, STEP), -9, 25),
        (np.arange(351, 369.1, STEP), -9, 25),
        (np.arange(240, 300, STEP), 240, 80),
        (np.arange(-120, -60, STEP), -120, 80),
        (np.arange(171, 190, STEP), 171, 26),
        (np.r_[171:180:STEP, -180:-169:STEP], 171, 27),
        (np.arange(0, 359, STEP), 0, 479),  # one meridian short of the globe
        ([9.75], 9.75, 1),
        ([350.0], 350, 1),
        ([359.25, 0], 359.25, 2),
        ([3.75, 3.0], 3, 2),
        (4.95 + STEP * np.arange(6), 4.95, 6),
    ],
)
def test_regional_longitudes_run_from_west_to_east_without_a_jump(longitude, west, count):
    np.testing.assert_allclose(oriented_longitudes(longitude), west + STEP * np.arange(count), atol=1e-9)


@pytest.mark.parametrize("latitude", [SOUTHWARD, SOUTHWARD[::-1]])
def test_latitudes_run_from_north_to_south(latitude):
    found = orient(latitude, np.arange(3) * STEP, None)
    np.testing.assert_array_equal(latitude[found.rows], SOUTHWARD)
    np.testing.assert_array_equal(found.grid.latitude, SOUTHWARD)


def test_single_precision_coordinates_give_the_same_grid():
    latitude, longitude = 51.95 - STEP * np.arange(5), 4.95 + STEP * np.arange(6)
    single = orient(latitude.astype(np.float32), longitude.astype(np.float32), None)
    assert single.grid == orient(latitude, longitude, None).grid


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        (50 - 0.4 * np.arange(4), 0.4 * np.arange(4), "grid step of 0.4 degrees: wanted 0.75"),
        (50 - 0.25 * np.arange(4), 0.25 * np.arange(4), "grid step of 0.25 degrees: wanted 0.75"),
        (SOUTHWARD, 1.5 * np.arange(4), "0.75 degrees in latitude and 1.5 in longitude"),
        (SOUTHWARD + 0.3 * (np.arange(4) == 2), STEP * np.arange(4), "latitude is irregular"),
        (SOUTHWARD, STEP * np.array([0, 1, 3, 4]), "longitude is irregular"),
        (SOUTHWARD[[0, 0, 1, 2]], STEP * np.arange(4), "latitude is irregular"),
        (np.array([np.nan, 50]), STEP * np.arange(4), "latitude has missing values"),
        (90.3 - STEP * np.arange(4), STEP * np.arange(4), "beyond the pole"),
    ],
)
def test_other_grids_are_refused(latitude, longitude, message):
    with pytest.raises(InputError, match=message):
        orient(latitude, longitude, None)


def test_a_single_node_takes_the_step_given():
    assert orient(np.array([51.95]), np.array([4.95]), 0.75).grid.shape == (1, 1)
    with pytest.raises(InputError, match=r"step of 0\.4"):
        orient(np.array([51.95]), np.array([4.95]), 0.4)


@pytest.mark.parametrize(
    ("name", "inside", "attributes"),
    [
        ("pm2p5", "pm2p5", {}),
        ("pm2p5", "PM25", {}),
        ("PM2.5", "pm2p5", {}),
        ("pm25", "p73.210", {"GRIB_shortName": "pm2p5"}),
        ("pm2p5", "param73", {"GRIB_cfVarName": "pm2p5"}),
        ("pm10", "pm10", {}),
        ("co", "CO", {}),
    ],
)
def test_a_variable_is_found_by_its_usual_names(name, inside, attributes):
    dataset = xr.Dataset({"z": ("x", [0.0]), inside: ("x", [1.0], attributes)})
    assert find_variable(dataset, name) == inside
    assert find_variable(dataset.drop_vars(inside), name) is None


def test_names_have_one_usual_form():
    assert [canonical_name(name) for name in ("PM25", "pm2_5", "pm2p5", "pm10", "CO")] == [
        "pm2p5", "pm2p5", "pm2p5", "pm10", "co"]  # fmt: skip


def test_axes_are_found_by_name_or_by_units():
    coordinates = {"Lat": ("y", [1.0]), "rlon": ("x", [2.0], {"units": "degrees_east"})}
    array = xr.DataArray([[0.0]], coordinates, ("y", "x"))
    assert find_axis(array, "latitude").name == "Lat"
    assert find_axis(array, "longitude").name == "rlon"
    with pytest.raises(InputError, match=r"no longitude among the coordinates \(Lat\)"):
        find_axis(array.drop_vars("rlon"), "longitude")


def test_scalar_places_that_are_no_coordinates_in_the_file_are_found():
    dataset = xr.Dataset({"pm2p5": ("time", [1.0]), "lat": 51.95, "lon": 4.95})
    assert find_axis(with_coordinates(dataset)["pm2p5"], "latitude") == 51.95


def times_of(dataset):
    return valid_times(dataset, dataset["v"], dataset["v"].dims)


HOURS = np.array(["2020-01-01T00", "2020-01-01T03"], "datetime64[ns]")


@pytest.mark.parametrize("name", ["time", "valid_time", "date", "t"])
def test_the_time_goes_by_several_names(name):
    times, positions = times_of(xr.Dataset({"v": (name, [1.0, 2.0])}, {name: HOURS}))
    np.testing.assert_array_equal(times, HOURS)
    assert positions == [{name: 0}, {name: 1}]


@pytest.mark.parametrize("names", [("forecast_reference_time", "forecast_period"), ("time", "step")])
@pytest.mark.parametrize("period", ["timedelta", "hours", "seconds"])
def test_reference_and_period_are_added(names, period):
    reference, lead = names
    periods = {
        "timedelta": np.array([0, 1], "timedelta64[h]").astype("timedelta64[ns]"),
        "hours": (lead, [0.0, 1.0], {"units": "hours"}),
        "seconds": (lead, [0, 3600], {"units": "seconds"}),
    }
    values = np.zeros((2, 2))
    dataset = xr.Dataset({"v": ((lead, reference), values)}, {reference: HOURS, lead: periods[period]})
    times, positions = times_of(dataset)
    by_place = {(place[reference], place[lead]): time for time, place in zip(times, positions, strict=True)}
    assert by_place[1, 1] == np.datetime64("2020-01-01T04")
    assert by_place[0, 1] == np.datetime64("2020-01-01T01")


def test_a_period_in_unknown_units_is_refused_unless_it_is_zero():
    dataset = xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": HOURS, "step": 0})
    np.testing.assert_array_equal(times_of(dataset)[0], HOURS)
    with pytest.raises(InputError, match="step in units of '1'"):
        times_of(dataset.assign_coords(step=((), 3, {"units": "1"})))


@pytest.mark.parametrize(
    ("coordinates", "message"),
    [
        ({}, "no time coordinate"),
        ({"time": [0, 3]}, "wanted dates of the standard calendar"),
        ({"time": np.array(["2020-01-01", "NaT"], "datetime64[ns]")}, "wanted dates"),
        ({"time": HOURS + np.timedelta64(30, "m")}, "2020-01-01T00:30:00: wanted instants on whole hours"),
        ({"valid_time": ("other", HOURS)}, "dimension other, which the variable has not"),
    ],
)
def test_other_times_are_refused(coordinates, message):
    with pytest.raises(InputError, match=message):
        times_of(xr.Dataset({"v": ("time", [1.0, 2.0])}, coordinates))


def test_another_dimension_must_have_one_element_only():
    dataset = xr.Dataset({"v": (("time", "level"), np.zeros((2, 1)))}, {"time": HOURS})
    assert times_of(dataset)[1] == [{"time": 0, "level": 0}, {"time": 1, "level": 0}]
    with pytest.raises(InputError, match=r"more than one field for each time: dimension level \(3\)"):
        times_of(xr.Dataset({"v": (("time", "level"), np.zeros((2, 3)))}, {"time": HOURS}))


@pytest.mark.parametrize("noise", [1e-10, -1e-10])
def test_decimal_days_are_whole_hours_but_for_rounding(cams, noise):
    field = cams.concentration().to_dataset(name="pm2p5")
    days = (field.time.values - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "D") + noise
    moments = np.datetime64("1970-01-01", "ns") + np.round(days * 86400e9).astype("timedelta64[ns]")
    shifted = field.assign_coords(time=moments)
    assert (moments != field.time.values).any()
    hours, _ = valid_times(shifted, shifted.pm2p5, ["time"])
    np.testing.assert_array_equal(hours, field.time.values.astype("datetime64[h]"))


def test_axes_are_known_by_their_standard_names(cams):
    field = cams.concentration().rename(latitude="y", longitude="x")
    for name, standard in (("y", "latitude"), ("x", "longitude")):
        field[name].attrs = {"standard_name": standard}
    assert find_axis(field, "latitude").name == "y"
    assert find_axis(field, "longitude").name == "x"
