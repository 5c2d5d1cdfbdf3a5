"""Constructed truth: hourly maps over Europe, and observations that are these times a known bias, with noise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

from deepcams.grid import Grid
from deepcams.io.results import open_results
from deepcams.orography import altitude
from deepcams.stations.calibration.samples import collect
from deepcams.stations.table import Observations, Stations
from deepcams.timeline import TimeKind

GRID = Grid(65, -10, 1, 31, 61)
START = np.datetime64("2019-12-02T00", "h")
HOURS = 5 * 168 + 1
MISSING = (100, 101, 102)
SITES = 60


def maps():
    """(time, latitude, longitude) ug m-3, with a few hours that were never made."""
    generator = np.random.default_rng(4)
    pattern = ndimage.gaussian_filter(generator.normal(size=(3, HOURS // 12 + 4, *GRID.shape)), (0, 1, 2.5, 2.5))
    pattern = ndimage.zoom(pattern.sum(axis=0), (12, 1, 1), order=1)[:HOURS]
    values = (12 * np.exp(0.8 * pattern / pattern.std())).astype(np.float32)
    kinds = np.where(np.arange(HOURS) % 3, TimeKind.INTERPOLATED, TimeKind.ANALYSIS).astype(np.int8)
    values[list(MISSING)], kinds[list(MISSING)] = np.nan, TimeKind.MISSING
    attributes = {"units": "ug m-3", "long_name": "PM2.5"}
    return xr.Dataset(
        {"pm2p5": (("time", "latitude", "longitude"), values, attributes), "time_kind": ("time", kinds)},
        {
            "time": (START + np.arange(HOURS)).astype("datetime64[ns]"),
            "latitude": GRID.latitude,
            "longitude": GRID.longitude,
        },
        {
            "attribution": "thanks to CAMS",
            "deepcams_version": "7.7",
            "deepcams_settings": '{"a": 1}',
            "history": "made",
        },
    )


def stations(latitude, longitude):
    """Stations at places."""
    text = np.full(latitude.size, "", object)
    ids = np.array([f"S{k}" for k in range(latitude.size)], object)
    return Stations(ids, text, text, np.asarray(latitude, float), np.asarray(longitude, float), text, text, text,
                    np.zeros(latitude.size, np.bool_))  # fmt: skip


def hourly(places, station, begin, value):
    """Good hourly observations."""
    return Observations(places, station.astype(np.int32), begin.astype("datetime64[m]"), np.full(station.size, 60, np.int32),
                        value.astype(np.float32), np.zeros(station.size, np.uint8))  # fmt: skip


def known(field, hour, longitude, latitude, height):
    """The logarithm of observed over field that can be known from what a correction is told."""
    level = 0.4 * np.tanh(np.log(11 / (field + 1)))
    return level + 0.35 * np.cos(2 * np.pi * (hour + longitude / 15) / 24) - 0.4 * np.minimum(height / 1000, 1.5)


def by_place(field, hour, longitude, latitude, height):
    """One that depends on the place alone, in a way that neighbours at ten degrees cannot tell."""
    return 0.6 * np.sign(np.sin(latitude * 0.9) * np.sin(longitude * 0.7)) + 0 * field


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """The maps, opened."""
    path = tmp_path_factory.mktemp("calibration") / "maps.nc"
    maps().to_netcdf(path, encoding={"pm2p5": {"chunksizes": (24, *GRID.shape)}})
    return open_results(path)


@pytest.fixture(scope="session")
def observe(results):
    """Make observations at random sites, every third hour, with a bias."""

    def observe(bias, *, noise=0.25, sites=SITES, box=GRID, seed=5):
        generator = np.random.default_rng(seed)
        cells = generator.choice(box.rows * box.columns, sites, replace=False)
        latitude, longitude = box.latitude[cells // box.columns], box.longitude[cells % box.columns]
        rows, columns = np.round(GRID.north - latitude).astype(int), np.round(longitude - GRID.west).astype(int)
        instants = results.read(slice(0, HOURS))[:, rows, columns]
        field = ((instants[1:] + instants[:-1]) / 2)[::3].astype(np.float64)
        hours = np.arange(0, HOURS - 1, 3)[:, None]
        height = altitude(GRID)[rows, columns]
        logarithm = bias(field, hours + 0.5, longitude, latitude, height)
        logarithm = logarithm + noise * generator.normal(size=field.shape)
        value = np.round((field + 1) * np.exp(logarithm) - 1, 2)
        hour, station = np.nonzero(np.isfinite(value))
        begin = START + 3 * hour
        return hourly(stations(latitude, longitude), station, begin, value[hour, station])

    return observe


@pytest.fixture(scope="session")
def samples(results, observe):
    """Samples with the bias that can be known."""
    return collect(results, observe(known), seed=0, workers=1)


@pytest.fixture(scope="session")
def samples_by_place(results, observe):
    """Samples with a bias of places alone."""
    return collect(results, observe(by_place), seed=0, workers=1)
