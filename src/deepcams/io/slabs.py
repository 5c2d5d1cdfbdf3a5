"""The fields of an array in a file, one for each time, without unpacking the file's chunks once for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

_BLOCK = 64 * 2**20  # bytes of float32 read together, at most


class Slabs:
    """The slabs (latitude, longitude) of an array, by number.

    Compressed files as the data stores give them hold hundreds of times in one chunk, and a chunk is unpacked whole
    even for one of them. So slabs that share a chunk are read together, in the order of time, and kept until a slab
    of another block is wanted.
    """

    def __init__(self, array: xr.DataArray, positions: Sequence[dict[Any, int]], times: NDArray[np.datetime64]) -> None:
        """Nothing is read yet.

        Args:
            array: (..., latitude, longitude), lazy.
            positions: for each slab, its index along every other dimension.
            times: (n,) the slabs' times.
        """
        self._array, self._positions = array, positions
        chunks = array.encoding.get("preferred_chunks", {})
        together = int(np.prod([chunks.get(dim, 1) for dim in array.dims[:-2]]))
        self._length = max(1, min(together, _BLOCK // (4 * array.shape[-2] * array.shape[-1])))
        self._order = np.argsort(times, kind="stable")
        self._rank = np.argsort(self._order)
        self._block: dict[int, NDArray[Any]] = {}

    def __getitem__(self, number: int) -> NDArray[Any]:
        """Slab ``number``, from the block at hand or else from the file; not for several threads at once."""
        if number not in self._block:
            start = self._rank[number] // self._length * self._length
            self._block = self._read([int(one) for one in self._order[start : start + self._length]], number)
        return self._block[number]

    def _read(self, numbers: list[int], wanted: int) -> dict[int, NDArray[Any]]:
        """The slabs ``numbers``, or the one wanted alone where they are scattered over the array."""
        index = np.array([[self._positions[one][dim] for dim in self._array.dims[:-2]] for one in numbers], np.intp)
        first, last = index.min(axis=0), index.max(axis=0)
        if np.prod(last - first + 1) > 2 * len(numbers):
            return self._read([wanted], wanted)
        box = self._array[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))].values
        return {one: box[tuple(place)] for one, place in zip(numbers, index - first, strict=True)}
