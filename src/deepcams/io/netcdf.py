"""Writing a result as one NetCDF4 file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from deepcams import conventions
from deepcams.conventions import Product
from deepcams.io.output import partial
from deepcams.provenance import run_record
from deepcams.rounding import MANTISSA

_ROUNDED = "_QuantizeBitRoundNumberOfSignificantBits"  # the library's own attribute
_LEVEL = 1  # zlib; higher levels take three times as long for 3 %

Write = Callable[[NDArray[np.float32]], None]


@contextmanager
def netcdf_writer(
    path: Path,
    product: Product,
    *,
    keepbits: int,
    overwrite: bool,
    finish: Callable[[Any], None] = lambda dataset: None,
) -> Iterator[tuple[Write, Callable[[str], None]]]:
    """Write a product map by map; the file has its name only when the block ends well.

    Args:
        path: the output.
        product: what it is.
        keepbits: mantissa bits to keep (the library's BitRound); 23 keeps all.
        overwrite: whether an existing file may be replaced.
        finish: called with the netCDF4.Dataset when all maps are written, to add what is the file's own.

    Yields:
        A function that writes the next map (rows, columns), in the order of ``product.times``, and one that records
        the inputs' digest.

    Raises:
        OutputError: if the file cannot be written.
    """
    with partial(path, overwrite=overwrite) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as dataset:
        variable = _define(dataset, product, keepbits)
        position = iter(range(product.times.size))

        def write(values: NDArray[np.float32]) -> None:
            variable[next(position)] = values

        def record(digest: str) -> None:
            dataset.setncattr("deepcams_inputs_sha256", digest)

        yield write, record
        finish(dataset)


def _define(dataset: Any, product: Product, keepbits: int) -> Any:
    """All dimensions, coordinates and attributes; gives the variable to fill."""
    dataset.set_fill_off()
    dataset.setncatts(conventions.global_attributes(product))
    run = run_record()
    dataset.setncattr("history", f"{run['time']}: {run['command']}")
    dataset.createDimension("time", product.times.size)
    dataset.createDimension("latitude", product.grid.rows)
    dataset.createDimension("longitude", product.grid.columns)
    dataset.createDimension("bnds", 2)
    time = dataset.createVariable("time", "i4", ("time",))
    time.setncatts(conventions.COORDINATES["time"])
    time[:] = conventions.hours_since_epoch(product.times)
    for name, (dimensions, values) in conventions.coordinate_arrays(product.grid).items():
        coordinate = dataset.createVariable(name, "f8", dimensions)
        coordinate.setncatts(conventions.COORDINATES.get(name, {}))
        coordinate[:] = values
    kind = dataset.createVariable("time_kind", "i1", ("time",))
    kind.setncatts(conventions.TIME_KIND)
    kind[:] = product.kinds
    rounding = {} if keepbits >= MANTISSA else {"significant_digits": keepbits, "quantize_mode": "BitRound"}
    variable = dataset.createVariable(
        product.species.name,
        "f4",
        ("time", "latitude", "longitude"),
        compression="zlib",
        complevel=_LEVEL,
        shuffle=True,
        chunksizes=(1, *product.grid.shape),
        fill_value=np.float32(np.nan),
        **rounding,
    )
    variable.setncatts(conventions.variable_attributes(product.species))
    return variable


def describe(path: Path) -> dict[str, Any]:
    """What a file of ours says of itself: version, settings, grid, keepbits, times and inputs_sha256, as far as it does."""
    try:
        with netCDF4.Dataset(path) as dataset:
            names = [
                name for name, one in dataset.variables.items() if one.dimensions == ("time", "latitude", "longitude")
            ]
            variable = dataset.variables[names[0]]
            return {
                "version": dataset.getncattr("deepcams_version"),
                "settings": json.loads(dataset.getncattr("deepcams_settings")),
                "inputs_sha256": dataset.getncattr("deepcams_inputs_sha256"),
                "grid": variable.shape[1:],
                "keepbits": int(getattr(variable, _ROUNDED, MANTISSA)),
                "times": np.asarray(dataset.variables["time"][:]).astype("datetime64[h]"),
            }
    except (OSError, LookupError, AttributeError, ValueError):
        return {}


def tell_own(dataset: Any, attributes: Mapping[str, str]) -> None:
    """Let a file of maps that were not computed here say where they come from, instead of what the writer says."""
    for name in dataset.ncattrs():
        if name != "Conventions":
            dataset.delncattr(name)
    dataset.setncatts(attributes)
