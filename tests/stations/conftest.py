"""Observations made in memory: stations anywhere, each with a series of as many intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from deepcams.stations.table import HOUR, Observations, Reason, Stations


def make_stations(latitude, longitude, *, ids=None, country="", source="made", timezone="", sensors="", mobile=False):
    """Stations at places; what is one text (or truth) holds for all of them.

    Args:
        latitude: (n,) degrees.
        longitude: (n,) degrees.
        ids: (n,) texts; ``s0``, ``s1``, ... if none are given.
        country: (n,) texts or one; so are the source, the time zone and the sensors.
        source: the network.
        timezone: IANA names or fixed offsets.
        sensors: which instrument.
        mobile: (n,) or one.
    """
    latitude, longitude = np.atleast_1d(latitude).astype(float), np.atleast_1d(longitude).astype(float)
    ids = [f"s{i}" for i in range(latitude.size)] if ids is None else ids
    texts = (np.full(latitude.size, one, object) for one in (country, source, timezone))
    named = [np.full(latitude.size, one, object) for one in (ids, sensors)]
    names = np.array([f"Station {one}" for one in named[0]], object)
    return Stations(*named, names, latitude, longitude, *texts, np.full(latitude.size, mobile, np.bool_))


def make_observations(values, latitude=None, longitude=None, *, start="2024-04-01T00:00", period=HOUR, **stations):
    """Observations with the same intervals at every station, one right after the other.

    Args:
        values: (stations, intervals) or (intervals,) ug m-3; NaN is MISSING, as readers have it.
        latitude: (stations,) degrees; far apart from each other if none are given.
        longitude: (stations,) degrees.
        start: UTC, begin of the first interval.
        period: minutes.
        stations: what :func:`make_stations` takes.

    Returns:
        Observations by station, then by time.
    """
    values = np.atleast_2d(values).astype(np.float32)
    count, size = values.shape
    latitude = 1.0 + 0.7 * np.arange(count) if latitude is None else latitude
    longitude = 10.0 + 0.5 * np.arange(count) if longitude is None else longitude
    begin = np.datetime64(start, "m") + np.arange(size) * np.timedelta64(period, "m")
    flat = values.ravel()
    return Observations(
        make_stations(latitude, longitude, **stations),
        np.repeat(np.arange(count, dtype=np.int32), size),
        np.tile(begin, count),
        np.full(flat.size, period, np.int32),
        flat,
        np.where(np.isnan(flat), Reason.MISSING, Reason.GOOD).astype(np.uint8),
    )


def make_series(count=5, size=240, seed=0):
    """(count, size) ug m-3: a daily cycle with noise, as clean monitors have it (no value repeats for long)."""
    rng = np.random.default_rng(seed)
    hours = np.arange(size)
    cycle = 12 + 5 * np.sin(2 * np.pi * (hours + rng.integers(0, 24, (count, 1))) / 24)
    return (cycle + rng.normal(0, 1.5, (count, size))).clip(0.1).astype(np.float32)


@pytest.fixture
def stations() -> Callable[..., Stations]:
    """The maker of stations."""
    return make_stations


@pytest.fixture
def observations() -> Callable[..., Observations]:
    """The maker of observations."""
    return make_observations


@pytest.fixture
def series() -> Callable[..., Sequence[Sequence[float]]]:
    """The maker of clean series."""
    return make_series
