"""The template of a store: all coordinates, metadata and empty arrays, written before any day is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
import zarr.storage
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from deepcams import conventions
from deepcams.conventions import Product
from deepcams.io import ledger
from deepcams.io.remote import zarr_store
from deepcams.rounding import bitround
from deepcams.timeline import TimeKind

DAY = 24  # hours in a shard
LEDGER, PLANNED = "ledger/sha256", "ledger/planned"
UNFINISHED, COMPLETE = "unfinished", "complete"
COMPRESSOR = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
MAPS, SERIES = "maps", "series"
LAYOUTS = (MAPS, SERIES)
_SERIES_CHUNK = 24  # nodes in latitude and longitude
_PLAN_CHUNK = 1024  # days
_START, _END = "time_coverage_start", "time_coverage_end"  # of the Attribute Convention for Data Discovery

Dates = NDArray[np.datetime64]


@dataclass(frozen=True)
class Template:
    """What a store is before any day is written.

    Attributes:
        product: species, grid and provenance.
        first: the first UTC day of the time axis.
        planned: (days,) uint32, the hours that are to be made: bit h for h UTC.
        keepbits: mantissa bits kept.
        layout: ``maps``, a chunk for every hour, or ``series``, chunks of a day and 24 x 24 nodes.
    """

    product: Product
    first: np.datetime64
    planned: NDArray[np.uint32]
    keepbits: int
    layout: str = MAPS

    @property
    def days(self) -> Dates:
        """(days,) datetime64[D], the UTC days of the time axis."""
        return self.first + np.arange(self.planned.size)

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the whole store, but its status."""
        layout = {"deepcams_layout": self.layout} if self.layout != MAPS else {}
        return (
            conventions.global_attributes(self.product)
            | {"deepcams_keepbits": self.keepbits, **layout}
            | {_START: f"{self.days[0]}T00:00:00Z", _END: f"{self.days[-1]}T23:00:00Z"}
        )

    def extended(self, other: Template) -> Template:
        """This one, and after it the days of another; hours that either plans are planned, and inputs of both are named."""
        days = max(self.planned.size, int((other.days[-1] - self.first).astype(int)) + 1)
        planned = np.zeros(days, np.uint32)
        planned[: self.planned.size] = self.planned
        begin = int((other.first - self.first).astype(int))
        planned[begin : begin + other.planned.size] |= other.planned
        inputs = sorted({*self.product.origin["inputs"], *other.product.origin["inputs"]})
        product = replace(other.product, origin={**other.product.origin, "inputs": inputs})
        return replace(other, product=product, first=self.first, planned=planned)

    def write(self, path: Path) -> None:
        """Write it at ``path``, as an unfinished store."""
        group = zarr.create_group(path, zarr_format=3, attributes=self.attributes | {"status": UNFINISHED})
        hours = np.arange(self.days[0].astype("datetime64[h]"), (self.days[-1] + 1).astype("datetime64[h]"))
        put_array(group, "time", ("time",), conventions.hours_since_epoch(hours), conventions.COORDINATES["time"])
        for name, (dimensions, values) in conventions.coordinate_arrays(self.product.grid).items():
            put_array(group, name, dimensions, values, conventions.COORDINATES.get(name, {}))
        self._write_data(group, hours.size)
        self._write_ledger(group)
        consolidate(path)

    def _write_data(self, group: Any, hours: int) -> None:
        kind_attributes = conventions.TIME_KIND | {"flag_values": conventions.TIME_KIND["flag_values"].tolist()}
        group.create_array(
            "time_kind",
            shape=(hours,),
            chunks=(DAY,),
            dtype="int8",
            fill_value=int(TimeKind.MISSING),
            dimension_names=("time",),
            attributes=kind_attributes,
        )
        species = self.product.species
        _create_maps(
            group,
            species.name,
            (hours, *self.product.grid.shape),
            self.layout,
            conventions.variable_attributes(species),
        )

    def _write_ledger(self, group: Any) -> None:
        group.create_array(
            LEDGER,
            shape=(self.planned.size, ledger.ENTRIES, ledger.BYTES),
            chunks=(1, ledger.ENTRIES, ledger.BYTES),
            dtype="uint8",
            fill_value=0,
            compressors=COMPRESSOR,
            dimension_names=("day", "entry", "byte"),
            attributes={"long_name": ledger.MEANING},
        )
        meaning = {"long_name": "hours of each day that are to be made: bit h is h UTC"}
        planned = group.create_array(
            PLANNED,
            shape=self.planned.shape,
            chunks=(_PLAN_CHUNK,),  # the same for any length, so that a plan grows in one write
            dtype="uint32",
            fill_value=0,
            dimension_names=("day",),
            attributes=meaning,
        )
        planned[...] = self.planned


def _create_maps(group: Any, name: str, shape: tuple[int, ...], layout: str, attributes: Mapping[str, Any]) -> Any:
    """The empty array of a variable: one shard is one UTC day."""
    nodes = shape[1:]
    chunk = (1, *nodes) if layout == MAPS else (DAY, *(min(_SERIES_CHUNK, size) for size in nodes))
    # A shard holds whole chunks: beyond the last node it is empty.
    shard = (DAY, *(-(-size // piece) * piece for size, piece in zip(nodes, chunk[1:], strict=True)))
    return group.create_array(
        name,
        shape=shape,
        shards=shard,
        chunks=chunk,
        dtype="float32",
        fill_value=np.nan,
        compressors=COMPRESSOR,
        dimension_names=("time", "latitude", "longitude"),
        attributes=dict(attributes),
    )


def stored_size(maps: NDArray[np.float32], keepbits: int, layout: str) -> int:
    """Bytes that a few maps (n, rows, columns) of a day take in a store, rounded and compressed."""
    group = zarr.create_group(zarr.storage.MemoryStore())
    array = _create_maps(group, "maps", (DAY, *maps.shape[1:]), layout, {})
    metadata = array.nbytes_stored()
    array[: len(maps)] = bitround(maps, keepbits)
    return int(array.nbytes_stored() - metadata)


def is_dated(place: str | Path) -> bool:
    """Whether a store says which days its time axis has."""
    return {_START, _END} <= dict(zarr.open_group(zarr_store(place), mode="r").attrs).keys()


def first_day(attributes: Mapping[str, Any]) -> np.datetime64:
    """The first day of a store's time axis, from its attributes."""
    return np.datetime64(str(attributes[_START])[:10], "D")


def last_day(attributes: Mapping[str, Any]) -> np.datetime64:
    """The last day of a store's time axis, from its attributes."""
    return np.datetime64(str(attributes[_END])[:10], "D")


def put_array(
    group: Any, name: str, dimensions: tuple[str, ...], values: NDArray[Any], attributes: Mapping[str, Any]
) -> None:
    """Write a small array, such as a coordinate, as one piece."""
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        dimension_names=dimensions,
        attributes=dict(attributes),
    )
    array[...] = values


def consolidate(path: Path) -> None:
    """Gather a store's metadata in one place, so that opening it takes one read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Cc]onsolidated metadata.*")
        zarr.consolidate_metadata(str(path))
