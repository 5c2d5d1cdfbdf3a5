"""Downscaling as a caller in Python sees it: an array to a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams import conventions
from deepcams.checks import Tally
from deepcams.conventions import Product
from deepcams.errors import InputError
from deepcams.grid import Region
from deepcams.io.cams import combine, from_dataset
from deepcams.methods import Recipe, default, recipe
from deepcams.pipeline import Job, hours
from deepcams.provenance import provenance
from deepcams.regions import parse_region

if TYPE_CHECKING:
    import xarray as xr


def downscale(
    cams: xr.DataArray,
    method: str | Recipe | None = None,
    *,
    region: str | Region | None = None,
    factor: int = 3,
    workers: int | None = None,
) -> xr.Dataset:
    """Downscale analyses to hourly maps, in memory (a day of global maps takes 100 MB; for more, see the command line).

    Args:
        cams: (time, latitude, longitude) as :func:`deepcams.open_cams` gives it, or any array with such coordinates and a
            ``units`` attribute on the CAMS grid. Its name tells the species; without one it is taken for pm2p5.
        method: a recipe or its name; None for ``deepcams``, or ``fast`` for other species and factors.
        region: keep only this region: a name, ``"N,W,S,E"`` in degrees, or a Region.
        factor: odd refinement in space.
        workers: threads; None for one per processor.

    Returns:
        The variable (time, latitude, longitude) float32 and ``time_kind`` (time), with CF attributes; unrounded.

    Raises:
        InputError: if the array, region or method cannot be used.
    """
    import xarray as xr

    if not isinstance(cams, xr.DataArray):
        raise InputError(
            f"a {type(cams).__name__}: wanted an xarray.DataArray of analyses, as deepcams.open_cams gives it"
        )
    name = str(cams.name or "pm2p5")
    analyses = combine([from_dataset(cams.to_dataset(name=name), "the array given", variable=name)])
    box = parse_region(region) if isinstance(region, str) else region
    chosen = method if isinstance(method, Recipe) else recipe(method or default(analyses.species.name, factor))
    job = Job(analyses, chosen, factor, box)
    product = product_of(job)
    values = np.empty((product.times.size, *product.grid.shape), np.float32)
    for number, hour in enumerate(hours(job, Tally(), workers=workers)):
        values[number] = hour.values
    coordinates: dict[str, Any] = {
        key: (dimensions, array, conventions.COORDINATES.get(key, {}))
        for key, (dimensions, array) in conventions.coordinate_arrays(product.grid).items()
    }
    coordinates["time"] = product.times.astype("datetime64[ns]")
    planes = ("time", "latitude", "longitude")
    variables = {
        product.species.name: (planes, values, conventions.variable_attributes(product.species)),
        "time_kind": ("time", product.kinds, conventions.TIME_KIND),
    }
    return xr.Dataset(variables, coordinates, conventions.global_attributes(product))


def product_of(job: Job) -> Product:
    """What a job makes."""
    plan = job.timeline
    return Product(job.analyses.species, job.grid, plan.times, plan.kinds, provenance(job.settings, job.analyses.files))
