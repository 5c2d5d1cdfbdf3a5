"""Writing a result as a Zarr v3 store: one shard is one UTC day, finished days are kept in a ledger inside.

The template (coordinates, metadata, empty arrays) is written first and the store says that it is unfinished; then each
day is written whole and entered in the ledger. A store that was left unfinished is completed by a later run of the
same work. Nothing in arrays or metadata depends on the run: its record goes to a log beside the store.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from deepcams import conventions
from deepcams.conventions import Product
from deepcams.errors import OutputError
from deepcams.io.output import temporary_name, writing
from deepcams.provenance import run_record
from deepcams.rounding import bitround
from deepcams.timeline import TimeKind

_DAY = 24  # hours in a shard
_LEDGER = "ledger/inputs_sha256"
_UNFINISHED, _COMPLETE = "unfinished", "complete"
COMPRESSOR = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")


@dataclass(frozen=True)
class Store:
    """A store being made.

    Attributes:
        path: where it is.
        product: what it is.
        keepbits: mantissa bits kept.
    """

    path: Path
    product: Product
    keepbits: int

    @property
    def first_day(self) -> np.datetime64:
        """The first UTC day of the time axis."""
        return self.product.times[0].astype("datetime64[D]")

    @property
    def hours(self) -> NDArray[np.datetime64]:
        """(24 days,) datetime64[h], the whole time axis: every hour of every UTC day."""
        last = self.product.times[-1].astype("datetime64[D]") + 1
        return np.arange(self.first_day.astype("datetime64[h]"), last.astype("datetime64[h]"))

    def finished(self, date: np.datetime64) -> str | None:
        """The digest of the analyses a finished day was made from, or None."""
        entry = bytes(self._arrays[_LEDGER][self._number(date)])
        return entry.hex() if any(entry) else None

    def write_day(
        self, date: np.datetime64, fields: Mapping[int, tuple[TimeKind, NDArray[np.float32]]], digest: str
    ) -> None:
        """Write a whole day, then enter it in the ledger.

        Args:
            date: the UTC day.
            fields: by hour of the day, its kind and map (rows, columns); other hours are missing.
            digest: SHA-256 (hexadecimal) of the analyses it was made from.

        Raises:
            OutputError: if it cannot be written.
        """
        values = np.full((_DAY, *self.product.grid.shape), np.nan, np.float32)
        kinds = np.full(_DAY, TimeKind.MISSING, np.int8)
        for hour, (kind, field) in fields.items():
            kinds[hour] = kind
            values[hour] = bitround(field, self.keepbits)
        number = self._number(date)
        hours = slice(number * _DAY, (number + 1) * _DAY)
        with writing(self.path):
            self._arrays[self.product.species.name][hours] = values
            self._arrays["time_kind"][hours] = kinds
            self._arrays[_LEDGER][number] = np.frombuffer(bytes.fromhex(digest), np.uint8)

    def complete(self) -> None:
        """Let the store say that it is complete."""
        with writing(self.path):  # one write of one file, so that no store is half complete
            group: Any = zarr.open_group(self.path, mode="r+", use_consolidated=True)
            group.attrs["status"] = _COMPLETE

    def drop_if_empty(self) -> None:
        """Remove a store without any finished day, and its log if that has nothing else to tell."""
        with writing(self.path):
            if self._arrays[_LEDGER][...].any():
                return
            _remove(self.path)
            if self._log_path.is_file() and len(self._log_path.read_text(encoding="utf-8").splitlines()) == 1:
                self._log_path.unlink()

    @property
    def _log_path(self) -> Path:
        return self.path.with_name(self.path.name + ".log")

    def log(self, event: str, **facts: Any) -> None:
        """Add a line to the log beside the store: what happened, when, by which command, on which host."""
        with writing(self.path), self._log_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": event, **run_record(), **facts}) + "\n")

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        """The arrays that days are written to, by name."""
        group: Any = zarr.open_group(self.path, mode="r+", use_consolidated=False)
        return {name: group[name] for name in (self.product.species.name, "time_kind", _LEDGER)}

    def _number(self, date: np.datetime64) -> int:
        return int((date - self.first_day).astype(np.int64))


def open_or_create(path: Path, product: Product, *, keepbits: int, overwrite: bool) -> Store:
    """A store to write to: a new one, or an unfinished one of the same work, to be completed.

    Raises:
        OutputError: if a store exists that is complete or of other work; the message says what differs.
    """
    store = Store(path, product, keepbits)
    if path.exists() and not overwrite:
        _refuse_other(store)
        with writing(path):
            for leftover in path.rglob("*.partial"):  # what zarr was writing when it was killed
                leftover.unlink()
        return store
    template = temporary_name(path)
    try:
        with writing(path):
            _write_template(store, template)
            _remove(path)
            template.rename(path)
    finally:
        _remove(template)
    return store


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Whether this is a store of ours that says it is unfinished."""
    try:
        metadata = json.loads((path / "zarr.json").read_bytes())
        return bool(metadata["attributes"]["status"] == _UNFINISHED)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _attributes(store: Store) -> dict[str, Any]:
    return conventions.global_attributes(store.product) | {"deepcams_keepbits": store.keepbits}


def _refuse_other(store: Store) -> None:
    """Refuse a store that this work did not begin."""
    if not is_unfinished(store.path):
        raise OutputError(f"{store.path}: exists already; give another name, or --overwrite to replace it")
    group: Any = zarr.open_group(store.path, mode="r")
    wanted = _facts(_attributes(store), conventions.hours_since_epoch(store.hours))
    found = _facts(dict(group.attrs), group["time"][:])
    different = [name for name, value in wanted.items() if found.get(name) != value]
    if different:
        name = different[0]
        raise OutputError(f"{store.path}: an unfinished store of other work: {name} is {found.get(name)!r} there, and "
                          f"{wanted[name]!r} was asked for; give another name, or --overwrite to start anew")  # fmt: skip


def _facts(attributes: Mapping[str, Any], hours: NDArray[np.int64]) -> dict[str, Any]:
    """What tells one work from another: its settings one by one, its days, and the other attributes."""
    days = [str(np.datetime64(int(hour), "h").astype("datetime64[D]")) for hour in hours[[0, -1]]]
    facts = json.loads(attributes.get("deepcams_settings", "{}")) | {"period": " to ".join(days)}
    return facts | {name.removeprefix("deepcams_"): value for name, value in attributes.items()}


def _write_template(store: Store, path: Path) -> None:
    """Coordinates, metadata and empty arrays of the whole store, at ``path``."""
    group = zarr.create_group(path, zarr_format=3, attributes=_attributes(store) | {"status": _UNFINISHED})
    hours = conventions.hours_since_epoch(store.hours)
    put_array(group, "time", ("time",), hours, conventions.COORDINATES["time"])
    for name, (dimensions, values) in conventions.coordinate_arrays(store.product.grid).items():
        put_array(group, name, dimensions, values, conventions.COORDINATES.get(name, {}))
    kind_attributes = conventions.TIME_KIND | {"flag_values": conventions.TIME_KIND["flag_values"].tolist()}
    group.create_array(
        "time_kind",
        shape=hours.shape,
        chunks=(_DAY,),
        dtype="int8",
        fill_value=int(TimeKind.MISSING),
        dimension_names=("time",),
        attributes=kind_attributes,
    )
    shape = store.product.grid.shape
    group.create_array(
        store.product.species.name,
        shape=(hours.size, *shape),
        shards=(_DAY, *shape),
        chunks=(1, *shape),
        dtype="float32",
        fill_value=np.nan,
        compressors=COMPRESSOR,
        dimension_names=("time", "latitude", "longitude"),
        attributes=conventions.variable_attributes(store.product.species),
    )
    group.create_array(
        _LEDGER,
        shape=(hours.size // _DAY, 32),
        chunks=(1, 32),
        dtype="uint8",
        fill_value=0,
        compressors=None,
        dimension_names=("day", "byte"),
        attributes={"long_name": "SHA-256 of the analyses a finished day was made from; zero while unfinished"},
    )
    consolidate(path)


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
