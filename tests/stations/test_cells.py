"""Stations of a cell as one: what a plain group-by gives, with names that say where and how many."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.stations.cells import average_cells
from deepcams.stations.table import Observations, Pairs, join

GRID = Grid(90, 0, 0.25, 721, 1440)


def pairs_of(made, seed=0):
    """Observations with two products, in order of time."""
    made = made.take(np.lexsort((made.station, made.begin))).compact()
    random = np.random.default_rng(seed)
    return Pairs(made, {name: random.gamma(1, 20, made.size).astype(np.float32) for name in ("CAMS", "DeepCAMS")})


@pytest.fixture
def pairs(observations, series):
    """Three stations in a cell, one beside it, one far away; some of the hours are not there."""
    latitude, longitude = [40, 40.1, 39.9, 40.13, -33.8], [116.5, 116.45, 116.6, 116.5, -70.55]
    country = np.array(["CN", "CN", "CN", "CN", "CL"], object)
    made = observations(series(5, 30), latitude, longitude, country=country, source="airnow")
    made.stations.source[1] = "openaq"
    made.stations.country[3] = ""
    daily = observations([[20, 30]], [40.05], [116.55], period=1440, country="CN", source="openaq")
    kept = np.random.default_rng(0).random(made.size) < 0.7
    return pairs_of(join([made.take(kept), daily]))


def test_it_is_what_pandas_gives(pairs):
    found, made = average_cells(pairs, GRID), pairs.observations
    place = np.array([0, 0, 0, 1, 2, 0])[made.station]
    frame = pd.DataFrame({"cell": place, "begin": made.begin, "period": made.period, "value": made.value})
    frame = frame.assign(**pairs.products).astype(dict.fromkeys(["value", *pairs.products], float))
    wanted = frame.groupby(["cell", "begin", "period"]).mean().reset_index()
    names = ["cell 40.00N 116.50E", "cell 40.25N 116.50E", "cell 33.75S 70.50W"]
    wanted = wanted.assign(cell=[names[one] for one in wanted.cell]).sort_values(["begin", "cell", "period"])
    own = found.observations
    table = pd.DataFrame({"cell": own.stations.ids[own.station], "begin": own.begin, "period": own.period})
    table = table.assign(value=own.value, **found.products).sort_values(["begin", "cell", "period"])
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), wanted.reset_index(drop=True), check_dtype=False, rtol=1e-6
    )
    np.testing.assert_array_equal(np.lexsort((own.station, own.begin)), np.arange(found.size))
    assert own.good.all()
    assert {name: values.dtype for name, values in found.products.items()} == dict.fromkeys(pairs.products, np.float32)


def test_cells_say_what_they_are(pairs):
    stations = average_cells(pairs, GRID).observations.stations
    assert list(stations.names) == [
        "cell 40.25N 116.50E (1 station)",
        "cell 40.00N 116.50E (4 stations)",
        "cell 33.75S 70.50W (1 station)",
    ]
    assert list(stations.country) == ["", "CN", "CL"]
    assert list(stations.source) == ["airnow", "airnow, openaq", "airnow"]
    np.testing.assert_array_equal(stations.latitude, [40.25, 40, -33.75])
    np.testing.assert_array_equal(stations.longitude, [116.5, 116.5, -70.5])
    assert [field.name for field in fields(stations) if len(getattr(stations, field.name)) != 3] == []


def test_a_country_that_differs_is_left_open(observations):
    made = observations(
        np.ones((2, 1)), [50, 50.05], [6.0, 6.05], country=np.array(["NL", "DE"], object), timezone="UTC"
    )
    stations = average_cells(pairs_of(made), GRID).observations.stations
    assert (list(stations.country), list(stations.timezone)) == ([""], ["UTC"])


def test_cells_across_the_seam_and_at_a_pole_are_one(observations):
    made = observations(np.array([[1.0], [3], [5], [9]]), [50, 50, -89.95, -90], [-0.1, 359.95, 20, -100])
    found = average_cells(pairs_of(made), GRID)
    np.testing.assert_array_equal(found.observations.value, [2, 7])
    assert list(found.observations.stations.ids) == ["cell 50.00N 0.00E", "cell 90.00S 0.00E"]


def test_stations_of_their_own_cells_keep_their_values(observations, series):
    pairs = pairs_of(observations(series(3, 20), [10, 20, 30], [5, 6, 7]))
    found = average_cells(pairs, GRID)
    order = np.lexsort((2 - pairs.observations.station, pairs.observations.begin))  # cells go from north to south
    np.testing.assert_array_equal(found.observations.value, pairs.observations.value[order])
    np.testing.assert_array_equal(found.products["CAMS"], pairs.products["CAMS"][order])
    again = average_cells(found, GRID)
    for name in (field.name for field in fields(Observations) if field.name != "stations"):
        np.testing.assert_array_equal(getattr(again.observations, name), getattr(found.observations, name))


def test_a_station_outside_the_grid_is_refused(observations):
    pairs = pairs_of(observations(np.ones((2, 3)), [50, 10], [9, 9]))
    with pytest.raises(InputError, match=r"s1 \(10N 9E\): outside the data"):
        average_cells(pairs, Grid(52, 8, 0.5, 9, 11))
