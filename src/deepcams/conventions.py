"""How results are named and described: CF-1.11."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.timeline import TimeKind
from deepcams.units import Species

CONVENTIONS = "CF-1.11"
TIME_UNITS = "hours since 1970-01-01 00:00:00"
COORDINATES: dict[str, dict[str, str]] = {
    "time": {
        "standard_name": "time",
        "long_name": "time (UTC)",
        "units": TIME_UNITS,
        "calendar": "proleptic_gregorian",
        "units_metadata": "leap_seconds: none",
        "axis": "T",
    },
    "latitude": {
        "standard_name": "latitude",
        "long_name": "latitude",
        "units": "degrees_north",
        "axis": "Y",
        "bounds": "latitude_bnds",
    },
    "longitude": {
        "standard_name": "longitude",
        "long_name": "longitude",
        "units": "degrees_east",
        "axis": "X",
        "bounds": "longitude_bnds",
    },
}
TIME_KIND: dict[str, Any] = {
    "long_name": "how the hour came about",
    "flag_values": np.array([kind.value for kind in TimeKind], np.int8),
    "flag_meanings": " ".join(kind.name.lower() for kind in TimeKind),
}


@dataclass(frozen=True)
class Product:
    """What a result is, before any of it is computed.

    Attributes:
        species: the variable.
        grid: its grid.
        times: (n,) datetime64[h] of the hours to be made, ascending.
        kinds: (n,) int8, their TimeKind.
        origin: provenance.
    """

    species: Species
    grid: Grid
    times: NDArray[np.datetime64]
    kinds: NDArray[np.int8]
    origin: Mapping[str, Any]


def variable_attributes(species: Species) -> dict[str, Any]:
    """Attributes of the downscaled variable."""
    named = {"standard_name": species.standard_name} if species.standard_name else {}
    return named | {
        "long_name": species.long_name,
        "units": species.unit,
        "cell_methods": "time: point area: mean",
        "ancillary_variables": "time_kind",
    }


def global_attributes(product: Product) -> dict[str, Any]:
    """Attributes of the whole result that are the same for every run of the same work."""
    origin = product.origin
    return {
        "Conventions": CONVENTIONS,
        "title": f"Hourly {product.species.name} at {product.grid.step:g} degrees, downscaled from CAMS",
        "institution": "computed with deepcams",
        "source": f"deepcams {origin['deepcams_version']}, method {json.dumps(origin['settings'])}",
        "comment": "time_kind tells analysis hours from interpolated ones",
        "references": origin["references"],
        "license": origin["licence"],
        "attribution": origin["attribution"],
        "deepcams_version": origin["deepcams_version"],
        "deepcams_settings": json.dumps(origin["settings"]),
        "deepcams_inputs": ", ".join(origin["inputs"]),
    }


def hours_since_epoch(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """The numbers that stand for times under ``TIME_UNITS``."""
    return times.astype("datetime64[h]").astype(np.int64)


def coordinate_arrays(grid: Grid) -> dict[str, tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Dimensions and values of the horizontal coordinates and their bounds."""
    return {
        "latitude": (("latitude",), grid.latitude),
        "longitude": (("longitude",), grid.longitude),
        "latitude_bnds": (("latitude", "bnds"), grid.latitude_bounds),
        "longitude_bnds": (("longitude", "bnds"), grid.longitude_bounds),
    }
