"""Fields of hourly results as pictures want them: with coordinates, units, attribution and origin."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.io.results import Results
from deepcams.plot.origin import origin
from deepcams.provenance import ATTRIBUTION


def as_field(values: NDArray[np.float32], grid: Grid, name: str, attributes: dict[str, Any]) -> xr.DataArray:
    """Values (rows, columns) on a grid."""
    coordinates = {"latitude": grid.latitude, "longitude": grid.longitude}
    return xr.DataArray(values, coordinates, ("latitude", "longitude"), name, attributes)


def attributes_of(results: Results) -> dict[str, Any]:
    """What a field of hourly results says of itself."""
    return {
        "units": results.species.unit,
        "long_name": results.species.long_name,
        "attribution": str(results.attributes.get("attribution", ATTRIBUTION)),
        "origin": origin(results.attributes, results.files),
    }
