"""Series written as NetCDF: CF's discrete sampling geometry ``timeSeries``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from deepcams import conventions
from deepcams.extraction.tables import Heading, Part, Write
from deepcams.io.output import partial

_DAY = 24
_CHUNK = 2**20  # values in the chunks of one block of hours, which the library keeps in memory until they are full
_STATIONS = 1024  # in a chunk, at most
_FILL = np.float32(np.nan)
_COORDINATES = ("latitude", "longitude")


@contextmanager
def station_writer(path: Path, heading: Heading, *, overwrite: bool) -> Iterator[Write]:
    """Write series to a NetCDF file; it has its name only when the block ends well.

    Args:
        path: the output.
        heading: what it will hold.
        overwrite: whether an existing file may be replaced.

    Yields:
        A function that writes the next hours.

    Raises:
        OutputError: if the file cannot be written.
    """
    with partial(path, overwrite=overwrite) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as dataset:
        variables = _define(dataset, heading)
        first = heading.times[0]

        def write(part: Part) -> None:
            start = int((part.times[0] - first).astype(np.int64))
            for variable, values in zip(variables, (part.values, part.highest), strict=False):
                variable[:, start : start + part.times.size] = values.T  # type: ignore[union-attr]

        yield write


def _define(dataset: Any, heading: Heading) -> list[Any]:
    """All dimensions, coordinates and attributes; gives the variables to fill."""
    sampler = heading.sampler
    dataset.setncatts({"Conventions": conventions.CONVENTIONS, "featureType": "timeSeries", **heading.attributes})
    dataset.createDimension("station", len(sampler.names))
    dataset.createDimension("time", heading.times.size)
    _put(dataset, "time", "i4", "time", conventions.hours_since_epoch(heading.times), conventions.COORDINATES["time"])
    _put(dataset, "time_kind", "i1", "time", heading.kinds, conventions.TIME_KIND)
    for name, short, values in zip(_COORDINATES, ("lat", "lon"), (sampler.latitude, sampler.longitude), strict=True):
        known = conventions.COORDINATES[name]
        attributes = {key: known[key] for key in ("standard_name", "units")}
        _put(dataset, short, "f8", "station", values, attributes | {"long_name": f"{name} of the station"})
    role = {"cf_role": "timeseries_id", "long_name": "name of the area" if sampler.areas else "name of the station"}
    _put(dataset, "station_name", str, "station", np.array(sampler.names, object), role)
    for title, texts in sampler.columns.items():
        name = re.sub(r"\W", "_", title, flags=re.ASCII)
        name = name if name[0].isalpha() and name not in dataset.variables else f"column_{len(dataset.variables)}"
        _put(dataset, name, str, "station", np.array(texts, object), {"long_name": title})
    return [_variable(dataset, heading, method) for method in (["mean", "maximum"] if sampler.areas else [""])]


def _put(dataset: Any, name: str, kind: Any, dimension: str, values: Any, attributes: dict[str, Any]) -> None:
    variable = dataset.createVariable(name, kind, (dimension,))
    variable.setncatts(attributes)
    variable[:] = values


def _variable(dataset: Any, heading: Heading, method: str) -> Any:
    """The variable of points (no method), of means or of maxima over areas."""
    species, stations = heading.species, len(heading.sampler.names)
    highest = method == "maximum"
    days = max(1, min(31, _CHUNK // (stations * _DAY)))
    variable = dataset.createVariable(
        f"{species.name}_max" if highest else species.name,
        "f4",
        ("station", "time"),
        compression="zlib",
        complevel=1,
        shuffle=True,
        chunksizes=(min(stations, _STATIONS), min(days * _DAY, heading.times.size)),
        fill_value=_FILL,
    )
    attributes = conventions.variable_attributes(species) | {
        "cell_methods": f"time: point area: {method}" if method else "time: point",
        "coordinates": "lat lon station_name",
    }
    if highest:
        attributes["long_name"] = f"{species.long_name}, highest in the area"
    variable.setncatts(attributes)
    return variable
