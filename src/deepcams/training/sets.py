"""Prepared sets: a folder with ``set.json``, which says what it is, and ``fields.zarr``, the fine and coarse fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from deepcams import conventions
from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Field, Hours
from deepcams.io.files import first_line
from deepcams.io.template import COMPRESSOR, consolidate, put_array
from deepcams.training.coarsening import AREA_MEAN, COARSENINGS
from deepcams.training.series import Read, Series, Split
from deepcams.units import MICROGRAMS, species_of

RECORD, FIELDS = "set.json", "fields.zarr"
FORMAT, VERSION = "deepcams-training-set", 1
_FAILURES = (OSError, ValueError, TypeError, LookupError, RuntimeError)


@dataclass(frozen=True)
class Description:
    """What a prepared set is.

    Attributes:
        coarse: the grid of the coarse cells.
        factor: the refinement to the fine grid.
        method: how the coarse fields were made: a name in :data:`COARSENINGS`.
        step: hours between a field and its neighbours, for the split.
        split: what is held out.
    """

    coarse: Grid
    factor: int
    method: str
    step: int
    split: Split

    @property
    def fine(self) -> Grid:
        """The grid of the fine fields."""
        return self.coarse.refine(self.factor)

    def to_json(self) -> dict[str, Any]:
        """The same for ``set.json``."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "factor": self.factor,
            "coarse": {"method": self.method, "meaning": COARSENINGS[self.method].meaning, "grid": asdict(self.coarse)},
            "fine": {"grid": asdict(self.fine)},
            "step_hours": self.step,
            "split": {"held_out": [list(region.bounds) for region in self.split.held_out], "last": self.split.last},
        }


def is_set(path: Path) -> bool:
    """Whether this is a folder with a prepared set."""
    return (path / RECORD).is_file()


def read_description(path: Path) -> Description:
    """What the set in a folder says that it is.

    Raises:
        InputError: if it cannot be read, or is of another version.
    """
    record = path / RECORD
    try:
        content = json.loads(record.read_bytes())
        found = content["format"], content["version"]
        if found != (FORMAT, VERSION):
            raise InputError(f"{record}: format {found[0]!r} of version {found[1]!r}: wanted {FORMAT!r} of version {VERSION}; "
                             "prepare the set anew")  # fmt: skip
        held_out = tuple(Region(*bounds) for bounds in content["split"]["held_out"])
        split = Split(held_out, float(content["split"]["last"]))
        coarse, method = Grid(**content["coarse"]["grid"]), str(content["coarse"]["method"])
        return Description(coarse, int(content["factor"]), method, int(content["step_hours"]), split)
    except _FAILURES as error:
        raise InputError(f"{record}: cannot be read ({first_line(error)}): prepare the set anew") from error


def open_set(path: Path) -> Series:
    """The series in a prepared set.

    Raises:
        InputError: if it is damaged, or does not hold what it says.
    """
    description = read_description(path)
    try:
        group: Any = zarr.open_group(path / FIELDS, mode="r", use_consolidated=False)
        times = group["time"][:].astype("datetime64[h]")
        shapes = [tuple(group[name].shape) for name in ("fine", "coarse")]
    except _FAILURES as error:
        raise InputError(f"{path / FIELDS}: cannot be read ({first_line(error)}): prepare the set anew") from error
    wanted = [(times.size, *grid.shape) for grid in (description.fine, description.coarse)]
    if shapes != wanted:
        raise InputError(f"{path / FIELDS}: fine and coarse fields of the shapes {shapes[0]} and {shapes[1]}; {RECORD} says "
                         f"{wanted[0]} and {wanted[1]}: prepare the set anew")  # fmt: skip
    series = Series(path.name, description.fine, times, _reader(group["fine"], path))
    if description.method == AREA_MEAN:
        return series
    given = _reader(group["coarse"], path)
    return replace(series, given=given, coarse=description.coarse)


def write_set(
    path: Path, description: Description, times: Hours, fields: Iterable[tuple[Field, Field]], origin: Mapping[str, Any]
) -> None:
    """Write the fields of a set, hour by hour, without its record, which comes last.

    Args:
        path: the folder, there already.
        description: what it is.
        times: (n,) the hours.
        fields: their fine and coarse fields, in the same order.
        origin: provenance, JSON-ready.
    """
    group = _template(path / FIELDS, description, times, origin)
    for number, (fine, coarse) in enumerate(fields):
        group["fine"][number], group["coarse"][number] = fine, coarse


def write_record(path: Path, description: Description, facts: Mapping[str, Any]) -> None:
    """Write ``set.json``: what the set is, and what else is known of it."""
    (path / RECORD).write_text(json.dumps(description.to_json() | dict(facts), indent=1) + "\n", encoding="utf-8")


def _reader(array: Any, path: Path) -> Read:
    """A function that reads field number i of an array."""

    def read(number: int) -> Field:
        try:
            field: Field = np.asarray(array[number], np.float32)
        except _FAILURES as error:
            raise InputError(f"{path / FIELDS}: field {number} cannot be read ({first_line(error)}): "
                             "prepare the set anew") from error  # fmt: skip
        if np.isnan(field).all():
            raise InputError(f"{path / FIELDS}: every value of field {number} is missing; the store is damaged: "
                             "prepare the set anew")  # fmt: skip
        return field

    return read


def _template(path: Path, description: Description, times: Hours, origin: Mapping[str, Any]) -> Any:
    """The store with coordinates and empty arrays."""
    attributes = {
        "Conventions": conventions.CONVENTIONS,
        "title": "Training set: fine fields of PM2.5 and the coarse fields made from them",
        "institution": "computed with deepcams",
        "source": f"deepcams {origin['deepcams_version']}",
        "license": origin["licence"],
        "attribution": origin["attribution"],
    }
    group: Any = zarr.create_group(path, zarr_format=3, attributes=attributes)
    put_array(group, "time", ("time",), conventions.hours_since_epoch(times), conventions.COORDINATES["time"])
    for name, prefix, grid in (("fine", "", description.fine), ("coarse", "coarse_", description.coarse)):
        dimensions = (f"{prefix}latitude", f"{prefix}longitude")
        for dimension, values in zip(dimensions, (grid.latitude, grid.longitude), strict=True):
            known = conventions.COORDINATES[dimension.removeprefix(prefix)]
            plain = {key: value for key, value in known.items() if key not in ("bounds", "axis")}
            put_array(group, dimension, (dimension,), values, plain)
        group.create_array(
            name,
            shape=(times.size, *grid.shape),
            chunks=(1, *grid.shape),
            dtype="float32",
            fill_value=np.nan,
            compressors=COMPRESSOR,
            dimension_names=("time", *dimensions),
            attributes=_meaning(name, description),
        )
    consolidate(path)
    return zarr.open_group(path, mode="r+", use_consolidated=False)


def _meaning(name: str, description: Description) -> dict[str, str]:
    """The attributes of a variable."""
    species = species_of("pm2p5", MICROGRAMS)
    how = "hourly fields" if name == "fine" else COARSENINGS[description.method].meaning
    cells = {"cell_methods": "area: mean"} if name == "fine" or description.method == AREA_MEAN else {}
    named = {"standard_name": species.standard_name, "units": species.unit}
    return named | {"long_name": f"{species.long_name}, {name}: {how}"} | cells
