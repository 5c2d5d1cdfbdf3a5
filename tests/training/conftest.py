"""Shared pieces of the tests of training."""

import numpy as np
import pytest
import torch
import xarray as xr


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Four hours of plumes that drift eastwards, over 48 x 60 nodes."""
    latitude, longitude = 48 + 0.25 * np.arange(48), 0.25 * np.arange(60)
    random = np.random.default_rng(0)
    plumes = [(*random.uniform((48, 0), (60, 15)), random.uniform(0.3, 0.8), random.uniform(20, 90)) for _ in range(40)]
    hours = np.arange(4)[:, None, None]
    values = 5 + sum(
        peak * np.exp(-((latitude[:, None] - north) ** 2 + (longitude - east - 0.1 * hours) ** 2) / width**2)
        for north, east, width, peak in plumes
    )
    times = np.datetime64("2020-03-08T00:30", "ns") + np.arange(4) * np.timedelta64(1, "h")
    coordinates = {"time": times, "lat": latitude, "lon": longitude}
    field = xr.DataArray(values.astype(np.float32), coordinates, tuple(coordinates), attrs={"units": "ug m-3"})
    path = tmp_path_factory.mktemp("data") / "plumes.nc"
    field.to_dataset(name="PM25_RH35_GCC").to_netcdf(path)
    return path


@pytest.fixture
def one_thread():
    """A fixed number of threads is part of what makes runs the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
