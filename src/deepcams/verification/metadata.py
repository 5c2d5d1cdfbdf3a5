"""What a store says of itself, against the template that it should have been begun with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from deepcams.conventions import Product
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.files import failures, first_line
from deepcams.io.template import LEDGER, MAPS, Template
from deepcams.pipeline import Job
from deepcams.provenance import provenance
from deepcams.units import Species, species_of
from deepcams.verification.problems import Problem
from deepcams.verification.stored import Stored

_UNREADABLE = failures(None)
_DAMAGE: tuple[type[Exception], ...] = (InputError, *_UNREADABLE)
_METADATA = "zarr.json"
_NEAR = 2e-5  # degrees: by which coordinates of a grid that is only told from them may differ


def check_metadata(stored: Stored, job: Job | None) -> list[Problem]:
    """Compare a store's metadata and coordinates with those of a template written anew.

    Without a job the template is made from what the store says itself: what contradicts itself is then found.
    """
    try:
        template = template_of_store(stored, job)
    except _DAMAGE as error:
        return [Problem(f"the coordinates or their metadata are damaged: {first_line(error)}")]
    with tempfile.TemporaryDirectory(prefix="deepcams-") as folder:
        fresh = Path(folder) / "template.zarr"
        template.write(fresh)
        return [*_check_files(stored.path, fresh), *_check_arrays(stored, fresh, 0.0 if job else _NEAR)]


def template_of_store(stored: Stored, job: Job | None, planned: Any = None) -> Template:
    """What a store should have been begun with.

    Args:
        stored: the store.
        job: that makes it; None to believe the store.
        planned: (days,) uint32, the hours that are to be there, if not those that the store says.

    Raises:
        InputError: if the store is to be believed, and its coordinates are no grid.
    """
    if planned is None:
        planned = np.zeros(len(stored.dates), np.uint32) if stored.planned is None else stored.planned
    inputs = [name for name in str(stored.attributes.get("deepcams_inputs", "")).split(", ") if name]
    origin = provenance(stored.settings, inputs) | {"deepcams_version": stored.version}
    species, grid = (job.analyses.species, job.grid) if job else (_species(stored), _grid(stored))
    nothing = np.empty(0, "datetime64[h]"), np.empty(0, np.int8)
    product = Product(species, grid, *nothing, origin)
    layout = str(stored.attributes.get("deepcams_layout", MAPS))
    return Template(product, stored.dates[0], planned, stored.keepbits, layout)


def _species(stored: Stored) -> Species:
    name = str(stored.settings["variable"])
    attributes = stored.group[name].attrs
    names = {key: str(attributes.get(key, "")) for key in ("long_name", "standard_name")}
    return species_of(name, str(attributes.get("units", "")), **names)


def _grid(stored: Stored) -> Grid:
    latitude, longitude, bounds = (stored.group[name][:] for name in ("latitude", "longitude", "longitude_bnds"))
    grid = Grid.from_coordinates(latitude, longitude, step=float(np.ptp(bounds[0])))
    return replace(grid, north=float(latitude[0]), west=float(longitude[0]))


def _check_files(path: Path, fresh: Path) -> Iterator[Problem]:
    """Metadata that say something else."""
    for wanted in sorted(fresh.rglob(_METADATA)):
        name = wanted.relative_to(fresh)
        try:
            found = _content(path / name)
        except _UNREADABLE as error:
            yield Problem(f"{name.as_posix()} cannot be read ({first_line(error)})")
            continue
        if found != _content(wanted):
            yield Problem(f"{name.as_posix()} is not as it was written")


def _content(path: Path) -> Any:
    """What a file of metadata says, but for the status."""
    content: Any = json.loads(path.read_bytes())
    content.get("attributes", {}).pop("status", None)
    return content


def _check_arrays(stored: Stored, fresh: Path, near: float) -> Iterator[Problem]:
    """Coordinates that have other values."""
    wanted: Any = zarr.open_group(fresh, mode="r", use_consolidated=True)
    written_daily = {stored.settings["variable"], "time_kind", LEDGER}
    for name, array in sorted(wanted.members(max_depth=None)):
        if name in written_daily or not isinstance(array, zarr.Array):
            continue
        try:
            found = stored.group[name][:]
        except _UNREADABLE as error:
            yield Problem(f"{name} cannot be read ({first_line(error)})")
            continue
        expected: Any = array[:]
        if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=near):
            yield Problem(f"{name} does not have the values that it was written with")


def leftovers(path: Path) -> list[Problem]:
    """What was being written when a run was killed."""
    names = sorted(one.relative_to(path).as_posix() for one in path.rglob("*.partial"))
    return [Problem(f"{name}: left by a run that was killed, or is still at work") for name in names]
