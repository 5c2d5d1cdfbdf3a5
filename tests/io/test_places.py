"""Series at places: those that ship, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.io.places import open_places
from deepcams.sample import places_samples

HOURS = np.datetime64("2024-04-08T00", "ns") + np.arange(5) * np.timedelta64(1, "h")
VALUES = np.arange(10.0).reshape(2, 5)


@pytest.fixture
def dataset():
    """Two stations, five hours."""
    return xr.Dataset(
        {"pm2p5": (("station", "time"), VALUES.copy(), {"units": "ug m-3"})},
        {"time": HOURS, "latitude": ("station", [7.29, -33.9]), "longitude": ("station", [80.63, 151.2])},
        {"source": "somebody", "middle_of_mean_hours": 0.5},
    )


@pytest.fixture
def opened(tmp_path):
    """What is found in a dataset once it is a file."""

    def write_and_open(dataset):
        dataset.to_netcdf(tmp_path / "series.nc")
        return open_places(tmp_path / "series.nc")

    return write_and_open


@pytest.mark.parametrize("order", [("station", "time"), ("time", "station")])
def test_what_is_written_is_read(dataset, opened, order):
    places = opened(dataset.transpose(*order))
    assert (places.name, places.attribution, places.middle) == ("series", "somebody", 0.5)
    np.testing.assert_array_equal(places.values, VALUES)
    assert places.values.dtype == np.float32
    np.testing.assert_array_equal(places.times, HOURS)
    assert places.times.dtype == "datetime64[h]"
    np.testing.assert_allclose(places.latitude, [7.29, -33.9])
    np.testing.assert_allclose(places.longitude, [80.63, 151.2])


def test_what_cannot_be_is_unknown(dataset, opened):
    dataset["pm2p5"].values[0, :3] = [-0.1, np.inf, np.nan]
    assert np.isnan(opened(dataset).values).tolist() == [[True] * 3 + [False] * 2, [False] * 5]


def test_times_at_the_half_hour_are_not_lost(dataset, opened):
    """Means of an hour, stamped in its middle: their times are the hours' beginnings, and their middles stay."""
    del dataset.attrs["middle_of_mean_hours"]
    places = opened(dataset.assign_coords(time=HOURS + np.timedelta64(30, "m")))
    np.testing.assert_array_equal(places.times, HOURS)
    assert places.middle == 0.5
    assert opened(dataset).middle == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda one: one.rename(pm2p5="pm10"),
            r"has pm10 \('station', 'time'\); wanted pm2p5 \(station, time\) in ug m-3",
        ),
        (lambda one: one.drop_vars("pm2p5"), "has nothing; wanted pm2p5"),
        (lambda one: one.rename(station="site"), r"has pm2p5 \('site', 'time'\); wanted"),
        (lambda one: one.isel(station=0), r"has pm2p5 \('time',\); wanted"),
        (lambda one: one.assign(pm2p5=one.pm2p5.assign_attrs(units="kg m-3")), "units 'kg m-3'; wanted .* ug m-3"),
        (lambda one: one.assign(pm2p5=one.pm2p5.drop_attrs()), "units None; wanted"),
        (lambda one: one.drop_vars("latitude"), "no latitude of the stations; wanted"),
        (lambda one: one.assign_coords(longitude=5.0), "no longitude of the stations; wanted"),
        (
            lambda one: one.assign_coords(latitude=("station", [7.29, np.nan])),
            "a station with a latitude beyond 90 deg",
        ),
        (
            lambda one: one.assign_coords(latitude=("station", [7.29, 99.0])),
            "a station with a latitude beyond 90 deg",
        ),
        (lambda one: one.assign_coords(longitude=("station", [np.nan, 0])), "a station with .* no number for a place"),
        (lambda one: one.isel(time=[0, 1, 3]), "times that are not every hour .*; fill gaps with NaN"),
        (lambda one: one.isel(time=[1, 0]), "times that are not every hour"),
        (lambda one: one.isel(time=[0]), "times that are not every hour"),
        (
            lambda one: one.assign_coords(time=HOURS + np.arange(5) * np.timedelta64(5, "m")),
            "times that are not every hour",
        ),
        (lambda one: one.drop_vars("time"), r"no times that can be read \(found int64\); wanted CF times"),
        (lambda one: one.assign_coords(time=[f"hour {i}" for i in range(5)]), "no times that can be read"),
    ],
)
def test_what_is_refused(dataset, opened, change, message):
    with pytest.raises(InputError, match=rf"series\.nc: {message}"):
        opened(change(dataset))


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match=r"none\.nc: no such file; wanted NetCDF with hourly series at places"):
        open_places(tmp_path / "none.nc")
    path = tmp_path / "text.nc"
    path.write_text("station,time,pm2p5\n")
    with pytest.raises(InputError, match=r"text\.nc: cannot be read as NetCDF \("):
        open_places(path)


@pytest.mark.parametrize(("path", "shape"), list(zip(places_samples(), [(1, 61_368), (1425, 360)], strict=True)),
                         ids=lambda one: getattr(one, "stem", ""))  # fmt: skip
def test_those_that_ship(path, shape):
    places = open_places(path)
    assert places.values.shape == shape
    assert places.middle == 0.5
    assert places.attribution
    assert 0.4 < np.isfinite(places.values).mean() <= 1
    assert np.nanmax(places.values) <= 900
    assert np.abs(places.latitude).max() < 80
