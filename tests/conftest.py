"""Shared pieces of the tests: grids, fields, analyses made in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deepcams.grid import Grid
from deepcams.sample import cams_sample

GLOBAL = Grid(90, 0, 0.75, 241, 480)
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the repository; tests that need them are skipped where they are not."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared real data are not here")
    return folder


@pytest.fixture(scope="session")
def sample_fields() -> np.ndarray:
    """The four CAMS analyses of the sample: (4, 241, 480) float32, ug m-3, cleaned."""
    from deepcams import open_cams

    return open_cams(cams_sample()).values


@pytest.fixture
def cams_array() -> Callable[..., xr.DataArray]:
    """Make a DataArray of analyses as ``open_cams`` gives it."""

    def make(values: np.ndarray, grid: Grid, start: str = "2019-12-31T00", step: int = 3) -> xr.DataArray:
        times = np.datetime64(start, "ns") + np.arange(len(values)) * np.timedelta64(step, "h")
        coordinates = {"time": times, "latitude": grid.latitude, "longitude": grid.longitude}
        return xr.DataArray(
            values, coordinates, ("time", "latitude", "longitude"), name="pm2p5", attrs={"units": "ug m-3"}
        )

    return make
