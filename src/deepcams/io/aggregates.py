"""Writing statistics of days, months or years as NetCDF or Zarr: period by period, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams import conventions
from deepcams.errors import OutputError
from deepcams.grid import Grid
from deepcams.io.output import partial, partial_folder, writing
from deepcams.io.template import COMPRESSOR, consolidate, put_array
from deepcams.provenance import run_record

NETCDF, ZARR = ".nc", ".zarr"
_PLANES = ("time", "latitude", "longitude")
_LEVEL = 1  # zlib; higher levels take much longer for little

Write = Callable[[int, Mapping[str, NDArray[Any]]], None]
Coordinate = tuple[tuple[str, ...], NDArray[Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Layer:
    """A variable (time, latitude, longitude), or (limit, time, latitude, longitude).

    Attributes:
        dtype: its type.
        attributes: its CF attributes.
        missing: what stands for a missing value; None if none can be missing.
        per_limit: whether it has the dimension ``limit``.
    """

    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    missing: float | int | None = None
    per_limit: bool = False

    @property
    def dims(self) -> tuple[str, ...]:
        """Its dimensions."""
        return ("limit", *_PLANES) if self.per_limit else _PLANES


@dataclass(frozen=True)
class Aggregate:
    """What is to be written, before any of it is computed.

    Attributes:
        grid: its grid.
        middles: (n,) datetime64[h], the periods' times.
        bounds: (n, 2) datetime64[h], the periods' first hour and the first hour after.
        limits: values of the dimension ``limit``, and its attributes.
        layers: the variables by name.
        attributes: the global attributes, the same for every run of the same work.
        history: how the hourly values came about, as far as their files tell it.
    """

    grid: Grid
    middles: NDArray[np.datetime64]
    bounds: NDArray[np.datetime64]
    limits: tuple[NDArray[np.float64], Mapping[str, Any]]
    layers: Mapping[str, Layer]
    attributes: Mapping[str, Any]
    history: str = ""

    def coordinates(self) -> dict[str, Coordinate]:
        """Dimensions, values and attributes of the coordinates and their bounds."""
        described = conventions.COORDINATES
        hours = [conventions.hours_since_epoch(one).astype(np.int32) for one in (self.middles, self.bounds)]
        found: dict[str, Coordinate] = {
            "time": (("time",), hours[0], described["time"] | {"bounds": "time_bnds"}),
            "time_bnds": (("time", "bnds"), hours[1], {}),
        }
        if any(layer.per_limit for layer in self.layers.values()):
            found["limit"] = (("limit",), *self.limits)
        for name, (dims, values) in conventions.coordinate_arrays(self.grid).items():
            found[name] = dims, values, described.get(name, {})
        return found

    def shape(self, layer: Layer) -> tuple[int, ...]:
        """The shape of a variable."""
        planes = self.middles.size, *self.grid.shape
        return (self.limits[0].size, *planes) if layer.per_limit else planes

    @property
    def measures(self) -> int:
        """How many values it has that are not counts, which take next to no space."""
        return sum(int(np.prod(self.shape(layer))) for layer in self.layers.values() if layer.dtype.kind == "f")

    def chunks(self, layer: Layer) -> tuple[int, ...]:
        """The chunks of a variable: one period each."""
        return (*self.shape(layer)[:-3], 1, *self.grid.shape)


@contextmanager
def aggregate_writer(path: Path, aggregate: Aggregate, *, overwrite: bool) -> Iterator[Write]:
    """Write periods one by one; the output has its name only when the block ends well.

    Args:
        path: the output, .nc or .zarr.
        aggregate: what it is.
        overwrite: whether an existing output may be replaced.

    Yields:
        A function that writes the period of a number: by name, the values (rows, columns) or (limits, rows, columns).

    Raises:
        OutputError: if it cannot be written.
    """
    with (_to_store if path.suffix.lower() == ZARR else _to_file)(path, aggregate, overwrite) as variables:

        def write(number: int, values: Mapping[str, NDArray[Any]]) -> None:
            for name, variable in variables.items():
                variable[..., number, :, :] = values[name]

        yield write


@contextmanager
def _to_file(path: Path, aggregate: Aggregate, overwrite: bool) -> Iterator[dict[str, Any]]:
    """The variables of a new NetCDF file."""
    import netCDF4

    with partial(path, overwrite=overwrite) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as dataset:
        dataset.set_fill_off()
        run = run_record()
        history = f"{run['time']}: {run['command']}\n{aggregate.history}".strip()
        dataset.setncatts({**aggregate.attributes, "history": history})
        coordinates = aggregate.coordinates()
        for dims, values, _ in coordinates.values():
            for dim, size in zip(dims, values.shape, strict=True):
                if dim not in dataset.dimensions:
                    dataset.createDimension(dim, size)
        for name, (dims, values, attributes) in coordinates.items():
            coordinate = dataset.createVariable(name, values.dtype, dims)
            coordinate.setncatts(attributes)
            coordinate[...] = values
        packing: dict[str, Any] = {"compression": "zlib", "complevel": _LEVEL, "shuffle": True}
        variables = {}
        for name, layer in aggregate.layers.items():
            marked: dict[str, Any] = packing | {"chunksizes": aggregate.chunks(layer), "fill_value": layer.missing}
            variables[name] = dataset.createVariable(name, layer.dtype, layer.dims, **marked)
            variables[name].set_auto_maskandscale(False)
            variables[name].setncatts(layer.attributes)
        yield variables


@contextmanager
def _to_store(path: Path, aggregate: Aggregate, overwrite: bool) -> Iterator[dict[str, Any]]:
    """The arrays of a new Zarr store; what differs from run to run goes to a log beside it."""
    import zarr

    def refuse() -> None:
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: appeared while this was written; it is left as it is")

    with partial_folder(path, refuse) as temporary:
        group = zarr.create_group(temporary, zarr_format=3, attributes=dict(aggregate.attributes))
        for name, (dims, values, attributes) in aggregate.coordinates().items():
            put_array(group, name, dims, values, attributes)
        arrays = {}
        for name, layer in aggregate.layers.items():
            marked = {} if layer.missing is None or layer.dtype.kind == "f" else {"_FillValue": layer.missing}
            arrays[name] = group.create_array(
                name,
                shape=aggregate.shape(layer),
                chunks=aggregate.chunks(layer),
                dtype=layer.dtype,
                fill_value=layer.missing,
                compressors=COMPRESSOR,
                dimension_names=layer.dims,
                attributes=dict(layer.attributes) | marked,
            )
        consolidate(temporary)
        yield arrays
    with writing(path), path.with_name(path.name + ".log").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"event": "aggregated", **run_record()}) + "\n")
