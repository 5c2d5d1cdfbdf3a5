"""What is shown: a store whose files are given as they are, or, for everything else, one that is made as it is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.conventions import TIME_UNITS, hours_since_epoch
from deepcams.errors import InputError
from deepcams.io.files import find_files, is_store
from deepcams.io.results import Results, open_results
from deepcams.timeline import TimeKind
from deepcams.urls import WEB, location
from deepcams.viewer.content import Content, of_file
from deepcams.viewer.names import file_in
from deepcams.viewer.virtual import Maps, VirtualStore

_AGGREGATED = "deepcams_aggregation"  # what deepcams aggregate says of its settings
_DIMENSIONS = ("time", "latitude", "longitude")


@dataclass(frozen=True, eq=False)
class Shown:
    """A Zarr store with hourly maps, for a browser.

    Attributes:
        label: what to call it: a name without folders, since pages are passed on.
        variable: the array with the maps.
        find: what is at a key of the store.
        kinds: (n,) int8 TimeKind of every hour, as it is now.
        values: how many numbers it has, or will have.
        folder: where its files are; None for one that is made as it is read.
        virtual: the store that is made as it is read; None for one with files.
        url: where the same store is on the web; None if it is not.
    """

    label: str
    variable: str
    find: Callable[[str], Content | None]
    kinds: Callable[[], NDArray[np.int8]]
    values: int = 0
    folder: Path | None = None
    virtual: VirtualStore | None = None
    url: str | None = None


def open_shown(store: str, *, variable: str | None = None) -> Shown:
    """What ``deepcams view`` is given: a Zarr store, or NetCDF files, folders of them, patterns, URLs.

    Args:
        store: path, pattern or URL.
        variable: None for ``pm2p5``, or the only variable.

    Raises:
        InputError: if it is no output of deepcams, nor another with hourly maps on a regular grid.
    """
    place = location(store)
    results = open_results(place, variable=variable)
    if _AGGREGATED in results.attributes:
        raise InputError(f"{results.label}: holds means and extremes over days, months or years; wanted hourly maps; "
                         "deepcams plot map draws one of them")  # fmt: skip
    if isinstance(place, Path) and is_store(place) and _is_plain(place, results):
        return _of_folder(place, results)
    virtual = VirtualStore(Maps.of_results(results))
    kinds = virtual.maps.kinds
    url = place if isinstance(place, str) and place.lower().startswith(WEB) and is_store(place) else None
    return Shown(_short(results.label), results.species.name, virtual.find, lambda: kinds, virtual.values,
                 virtual=virtual, url=url)  # fmt: skip


def open_cams(paths: Iterable[str], variable: str) -> Shown:
    """The analyses to compare with, as a store on their own grid.

    Raises:
        InputError: if the files are no CAMS files.
    """
    from deepcams.io.cams import open_analyses

    files = find_files(list(paths))
    analyses = open_analyses(files, variable=variable)
    virtual = VirtualStore(Maps.of_analyses(analyses))
    kinds = virtual.maps.kinds
    label = _short(files[0].label) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
    return Shown(label, analyses.species.name, virtual.find, lambda: kinds, virtual.values, virtual=virtual)


def _short(label: str) -> str:
    """A label without the folders before it."""
    return label.rstrip("/").rpartition("/")[2]


def _of_folder(path: Path, results: Results) -> Shown:
    import zarr

    folder = path.resolve()
    group: Any = zarr.open_group(folder, mode="r")

    def kinds() -> NDArray[np.int8]:
        """Read anew while the store is being written."""
        if not results.unfinished:
            return results.kinds
        now: NDArray[np.int8] = group["time_kind"][:].astype(np.int8)
        return now

    made = int((results.kinds != TimeKind.MISSING).sum())

    def find(key: str) -> Content | None:
        file = file_in(folder, key)
        return None if file is None else of_file(file, folder)

    return Shown(_short(results.label), results.species.name, find, kinds, made * math.prod(results.grid.shape), folder)


def _is_plain(path: Path, results: Results) -> bool:
    """Whether a store's files are what the page reads: Zarr v3, every hour, north to south, nothing packed."""
    import zarr

    group: Any = zarr.open_group(path, mode="r")
    name, grid = results.species.name, results.grid
    if group.metadata.zarr_format != 3 or not {name, "time_kind", *_DIMENSIONS} <= set(group.array_keys()):
        return False
    array, time = group[name], group["time"]
    return bool(
        array.metadata.dimension_names == _DIMENSIONS
        and all(_is_read(one) for one in array.compressors)
        and array.shape == (results.times.size, *grid.shape)
        and array.dtype == np.float32
        and not {"scale_factor", "add_offset"} & array.attrs.keys()
        and results.species.scale == 1
        and time.attrs.get("units") == TIME_UNITS
        and np.array_equal(time[:], hours_since_epoch(results.times))
        and np.allclose(group["latitude"][:], grid.latitude, atol=1e-6)
        and np.allclose((group["longitude"][:] - grid.longitude + 180) % 360, 180, atol=1e-6)
    )


def _is_read(compressor: Any) -> bool:
    """Whether the page reads what a codec has compressed: of Blosc what is in Zstandard."""
    told = compressor.to_dict()
    name = told["configuration"].get("cname") if told["name"] == "blosc" else told["name"]
    return name in ("zstd", "gzip")
