"""Maps as a Zarr store that is made as it is asked for: metadata and axes at once, a chunk when its hour is looked at."""

from __future__ import annotations

import math
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from deepcams import conventions
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.io.layout import CAMS_STEP
from deepcams.io.results import Results
from deepcams.io.template import COMPRESSOR, put_array
from deepcams.provenance import ATTRIBUTION, LICENCE
from deepcams.timeline import TimeKind
from deepcams.units import Species
from deepcams.viewer.content import Content, media_of, of_bytes

_OF_CAMS = {"title": "CAMS analyses", "license": LICENCE, "attribution": ATTRIBUTION}
_KEPT = 48  # chunks: two days of global maps take about 60 MB


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps that can be read one at a time.

    Attributes:
        times: (n,) datetime64[h], ascending.
        kinds: (n,) int8, their TimeKind.
        grid: their grid.
        species: the variable and its unit.
        attributes: global attributes.
        read: map number i: (rows, columns) float32, NaN where missing.
    """

    times: NDArray[np.datetime64]
    kinds: NDArray[np.int8]
    grid: Grid
    species: Species
    attributes: Mapping[str, Any]
    read: Callable[[int], NDArray[np.float32]]

    @classmethod
    def of_results(cls, results: Results) -> Maps:
        """Hourly maps."""
        attributes = {name: _plain(value) for name, value in results.attributes.items()}
        attributes["status"] = "unfinished" if results.unfinished else "complete"
        kinds = results.kinds
        if results.grid.step == CAMS_STEP and TimeKind.ANALYSIS not in kinds:  # CAMS itself, which does not say so
            kinds = np.where(kinds == TimeKind.MISSING, kinds, np.int8(TimeKind.ANALYSIS))
            attributes |= _OF_CAMS
        return cls(results.times, kinds, results.grid, results.species, attributes,
                   lambda number: results.read(slice(number, number + 1))[0])  # fmt: skip

    @classmethod
    def of_analyses(cls, analyses: Analyses) -> Maps:
        """Analyses of CAMS on their own grid."""
        kinds = np.full(analyses.times.size, TimeKind.ANALYSIS, np.int8)
        return cls(analyses.times, kinds, analyses.grid, analyses.species, _OF_CAMS,
                   lambda number: analyses.read(number).values)  # fmt: skip


def _plain(value: Any) -> Any:
    """An attribute as JSON can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value if isinstance(value, str | int | float | bool | list) else str(value)


@dataclass
class VirtualStore:
    """A Zarr v3 store, known by its keys, without files.

    Attributes:
        maps: what is in it.
    """

    maps: Maps
    _memory: dict[str, Any] = field(default_factory=dict, repr=False)
    _chunks: OrderedDict[str, bytes] = field(default_factory=OrderedDict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        maps = self.maps
        group: Any = zarr.open_group(self._memory, mode="w", zarr_format=3, attributes=dict(maps.attributes))
        hours = conventions.hours_since_epoch(maps.times)
        put_array(group, "time", ("time",), hours, conventions.COORDINATES["time"])
        kinds = conventions.TIME_KIND | {"flag_values": conventions.TIME_KIND["flag_values"].tolist()}
        put_array(group, "time_kind", ("time",), maps.kinds.astype(np.int8), kinds)
        for name, (dimensions, values) in conventions.coordinate_arrays(maps.grid).items():
            put_array(group, name, dimensions, values, conventions.COORDINATES.get(name, {}))
        self._array: Any = group.create_array(
            maps.species.name,
            shape=(maps.times.size, *maps.grid.shape),
            chunks=(1, *maps.grid.shape),
            dtype="float32",
            fill_value=np.nan,
            compressors=COMPRESSOR,
            dimension_names=("time", "latitude", "longitude"),
            attributes=conventions.variable_attributes(maps.species),
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*[Cc]onsolidated metadata.*")
            zarr.consolidate_metadata(self._memory)

    @property
    def values(self) -> int:
        """How many numbers its maps have."""
        return int((self.maps.kinds != TimeKind.MISSING).sum()) * math.prod(self.maps.grid.shape)

    def find(self, key: str) -> Content | None:
        """What is at a key; None if nothing is."""
        data = self.get(key)
        return None if data is None else of_bytes(data, media_of(key))

    def get(self, key: str) -> bytes | None:
        """The bytes at a key; None if nothing is, which for a chunk means that all is missing.

        Raises:
            InputError: if the map cannot be read.
        """
        with self._guard:
            if key in self._memory:
                return bytes(self._memory[key].to_bytes())
            number = self._number(key)
            return None if number is None else self._chunk(key, number)

    def keys(self) -> Iterator[str]:
        """All keys, those of the maps in the order of time."""
        yield from sorted(self._memory)
        for number in range(self.maps.times.size):
            yield f"{self.maps.species.name}/c/{number}/0/0"

    def _number(self, key: str) -> int | None:
        """Which map a chunk's key means."""
        name, _, place = key.partition("/c/")
        number, _, rest = place.partition("/")
        right = name == self.maps.species.name and rest == "0/0" and number.isascii() and number.isdecimal()
        if not right or len(number) > 9 or str(int(number)) != number:
            return None
        return int(number) if int(number) < self.maps.times.size else None

    def _chunk(self, key: str, number: int) -> bytes | None:
        """A map as it would be stored; those looked at last are kept."""
        if key in self._chunks:
            self._chunks.move_to_end(key)
            return self._chunks[key]
        if self.maps.kinds[number] == TimeKind.MISSING:
            return None
        self._array[number] = self.maps.read(number)
        stored = self._memory.pop(key, None)
        if stored is None:
            return None
        self._chunks[key] = bytes(stored.to_bytes())
        if len(self._chunks) > _KEPT:
            self._chunks.popitem(last=False)
        return self._chunks[key]
