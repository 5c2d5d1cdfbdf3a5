"""CAMS analyses: what is known of them without reading, and one of them when it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.units import Species, epsilon_of, noise_limits

if TYPE_CHECKING:
    import xarray as xr

Field = NDArray[np.float32]
Hours = NDArray[np.datetime64]


@dataclass(frozen=True)
class Analysis:
    """One analysis, read and cleaned.

    Attributes:
        values: (rows, columns) float32 in the species' unit, not negative; NaN where missing; one value in a pole row.
        noise: how many values were packing noise around zero and are now zero.
        digest: SHA-256 of the values as they came, in the output's unit.
    """

    values: Field
    noise: int
    digest: str


@dataclass(frozen=True)
class Analyses:
    """A series of analyses on one grid, read one at a time.

    Attributes:
        times: (n,) datetime64[h], UTC, ascending, unique.
        grid: their grid.
        species: the variable.
        load: reads number i: (rows, columns) float32 on the grid, in the species' unit.
        label: says where number i comes from, for messages.
        files: names of the files.
        notes: what a user should be told (assumptions made).
    """

    times: Hours
    grid: Grid
    species: Species
    load: Callable[[int], Field]
    label: Callable[[int], str]
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """Hours between analyses: the commonest difference (the smallest of equally common ones); 0 for a single one."""
        if self.times.size < 2:
            return 0
        steps, counts = np.unique(np.diff(self.times).astype(np.int64), return_counts=True)
        return int(steps[counts.argmax()])

    @cached_property
    def epsilon(self) -> float:
        """The concentration below which ratios do not count; for other species it is told from the first analysis."""
        return epsilon_of(self.species, np.zeros(1, np.float32) if self.species.is_particulate else self.load(0))

    def read(self, index: int) -> Analysis:
        """Analysis number ``index``.

        Raises:
            InputError: if it has negative values beyond packing noise, infinite ones, or none at all.
        """
        raw = self.load(index)
        lowest, largest = noise_limits(self.epsilon)
        self._refuse_impossible(raw, index, lowest)
        noise = (raw < largest) & (raw != 0)
        values = np.where(noise, np.float32(0), raw)
        digest = hashlib.sha256(np.ascontiguousarray(raw, "<f4").tobytes()).hexdigest()
        return Analysis(_unite_poles(values, self.grid), int(noise.sum()), digest)

    def _refuse_impossible(self, raw: Field, index: int, lowest: float) -> None:
        where = f"{self.label(index)}, {self.times[index]}:00 UTC"
        if np.isinf(raw).any():
            raise InputError(f"{where}: infinite values; the file is damaged or its units are wrong")
        if np.isnan(raw).all():
            raise InputError(f"{where}: every value of {self.species.name} is missing")
        if (raw < lowest).any():
            row, column = np.unravel_index(np.nanargmin(raw), raw.shape)
            raise InputError(
                f"{where}: {self.species.name} is {raw[row, column]:g} {self.species.unit} at "
                f"{self.grid.latitude[row]:g}N {self.grid.longitude[column]:g}E; wanted no value below {lowest:g} "
                "(packing noise is smaller); check the file and its units"
            )

    def to_dataarray(self) -> xr.DataArray:
        """The analyses as a lazy DataArray (time, latitude, longitude): a value is read when it is used."""
        import xarray as xr
        from xarray.core.indexing import LazilyIndexedArray

        coordinates = {
            "time": self.times.astype("datetime64[ns]"),
            "latitude": ("latitude", self.grid.latitude, {"units": "degrees_north", "standard_name": "latitude"}),
            "longitude": ("longitude", self.grid.longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        }
        attributes = {"units": self.species.unit, "long_name": self.species.long_name}
        if self.species.standard_name:
            attributes["standard_name"] = self.species.standard_name
        variable = xr.Variable(("time", "latitude", "longitude"), LazilyIndexedArray(_lazy(self)), attributes)
        return xr.DataArray(variable, coordinates, name=self.species.name)


def _lazy(analyses: Analyses) -> Any:
    from xarray.backends import BackendArray
    from xarray.core.indexing import IndexingSupport, explicit_indexing_adapter

    class LazyAnalyses(BackendArray):
        """The analyses as an array (n, rows, columns), for xarray's lazy indexing."""

        shape = (analyses.times.size, *analyses.grid.shape)
        dtype = np.dtype(np.float32)

        def __getitem__(self, key: Any) -> Any:
            return explicit_indexing_adapter(key, self.shape, IndexingSupport.OUTER_1VECTOR, self._get)

        def _get(self, key: tuple[Any, ...]) -> Field:
            chosen = np.arange(self.shape[0])[key[0]]
            if chosen.ndim == 0:
                return analyses.read(int(chosen)).values[key[1:]]
            fields = [analyses.read(int(index)).values[key[1:]] for index in chosen]
            return np.stack(fields) if fields else np.empty(self.shape, np.float32)[key]

    return LazyAnalyses()


def _unite_poles(values: Field, grid: Grid) -> Field:
    """The field with one value on each pole: the mean of the row, should it have several; missing nodes stay missing."""
    for row, is_pole in ((0, grid.north_pole), (-1, grid.south_pole)):
        present = np.isfinite(values[row])
        if is_pole and present.any() and np.ptp(values[row, present]) > 0:
            values[row, present] = values[row, present].mean(dtype=np.float64)
    return values
