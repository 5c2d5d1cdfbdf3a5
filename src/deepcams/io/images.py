"""Fields as pictures, as the original keeps its training sets: PNG of 8 or 16 bits, and MATLAB files with ``data``.

A PNG holds shares of a full range, whose concentration is told by a sidecar ``scale.json`` in its folder or in one
above: ``{"scale": 900, "units": "ug m-3"}``. A MATLAB file holds concentrations themselves. Nothing is ever clipped.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py  # type: ignore[import-untyped]
import numpy as np
import scipy.io
from numpy.typing import NDArray

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.io.files import first_line
from deepcams.io.output import partial
from deepcams.units import MICROGRAMS, micrograms_per

SUFFIXES = (".png", ".mat")
SIDECAR = "scale.json"
KEY = "data"  # the variable in a MATLAB file
FULL_RANGE = 65535  # of 16 bits
_LEVELS = 3  # folders above an image in which its sidecar may lie
_PNG = b"\x89PNG\r\n\x1a\n"
_MATLAB_HDF = b"MATLAB 7.3"
_HEADER = b"MATLAB 5.0 MAT-file, written by deepcams".ljust(116)  # scipy's own tells the time and the system
_DAMAGED = (OSError, ValueError, TypeError, LookupError, NotImplementedError, scipy.io.matlab.MatReadError, zlib.error,
            struct.error)  # fmt: skip


@dataclass(frozen=True)
class Sidecar:
    """What a ``scale.json`` says.

    Attributes:
        scale: ug m-3 at the full range of a PNG; None if it does not say.
        unit: ug m-3 that 1 stands for in a MATLAB file; None if it does not say.
        place: ``north``, ``west`` and ``step`` of the fine images in degrees; None if it does not say.
    """

    scale: float | None = None
    unit: float | None = None
    place: tuple[float, float, float] | None = None


def find_sidecar(folder: Path) -> Sidecar:
    """The sidecar of the images in a folder: in it, or in the nearest of three folders above; empty if there is none.

    Raises:
        InputError: if it is damaged, or does not say what it must.
    """
    for level in (folder, *list(folder.absolute().parents)[:_LEVELS]):
        if (level / SIDECAR).is_file():
            return _read_sidecar(level / SIDECAR)
    return Sidecar()


def _read_sidecar(path: Path) -> Sidecar:
    try:
        content = json.loads(path.read_bytes())
        unit = micrograms_per(str(content.get("units", MICROGRAMS)))
        scale = None if content.get("scale") is None else float(content["scale"]) * unit
        place = content.get("grid")
        where = None if place is None else (float(place["north"]), float(place["west"]), float(place["step"]))
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); wanted a file like "
                         '{"scale": 900, "units": "ug m-3"}') from error  # fmt: skip
    if scale is not None and not (scale > 0 and np.isfinite(scale)):
        raise InputError(f"{path}: a scale of {content['scale']}; wanted the concentration at full range, above 0")
    return Sidecar(scale, unit, where)


def write_sidecar(folder: Path, scale: float | None, grid: Grid, origin: Mapping[str, Any]) -> None:
    """Write the sidecar of images on a fine grid.

    Args:
        folder: where.
        scale: ug m-3 at full range; None for MATLAB files.
        grid: the fine images' grid.
        origin: their provenance, JSON-ready.
    """
    place = {"north": grid.north, "west": grid.west, "step": grid.step}
    content = {"scale": scale, "units": MICROGRAMS, "grid": place, "provenance": dict(origin)}
    with partial(folder / SIDECAR, overwrite=True) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def image_shape(path: Path) -> tuple[int, int]:
    """``(rows, columns)`` of an image, from its header where it has one.

    Raises:
        InputError: if it cannot be read.
    """
    head = _head(path, 32)
    if head.startswith(_PNG) and len(head) >= 24:
        return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")
    rows, columns = read_matlab(path).shape
    return rows, columns


def read_image(path: Path, scale: float | None, *, unit: float | None = None) -> Field:
    """An image as concentrations.

    Args:
        path: a PNG of 8 or 16 bits, or a MATLAB file (version 5 to 7.3) with the variable ``data``.
        scale: ug m-3 at the full range of a PNG.
        unit: ug m-3 that 1 stands for in a MATLAB file.

    Returns:
        (rows, columns) float32, ug m-3; NaN where a MATLAB file has it.

    Raises:
        InputError: if it is damaged, of another form, negative or infinite, knows nothing, or the scale it needs is
            not given.
    """
    if _head(path, 8) == _PNG:
        values = _from_png(path, scale)
    elif unit is None:
        raise InputError(f"{path}: its units are unknown: give them with --units, or in a file {SIDECAR} beside it "
                         f'as {{"units": "{MICROGRAMS}"}}')  # fmt: skip
    else:
        values = read_matlab(path).astype(np.float64) * unit
    _refuse_impossible(path, values)
    return values.astype(np.float32)


def write_png16(path: Path, field: Field, scale: float) -> None:
    """Write a field (rows, columns) in ug m-3 as a PNG of 16 bits, whole or not at all.

    Raises:
        InputError: if a value is unknown, negative or above the scale: nothing is clipped.
        OutputError: if it cannot be written.
    """
    refuse_unknown(path.name, field)
    if field.min() < 0 or field.max() > scale:
        raise InputError(f"{path.name}: values from {field.min():g} to {field.max():g} ug m-3, and a scale of {scale:g}; "
                         f"wanted none below 0, and a scale of {field.max():g} at least")  # fmt: skip
    levels = np.rint(field.astype(np.float64) * (FULL_RANGE / scale)).astype(np.uint16)
    done, content = cv2.imencode(".png", levels)
    if not done:
        raise OutputError(f"{path}: the PNG library cannot write it")
    with partial(path, overwrite=True) as temporary:
        temporary.write_bytes(content.tobytes())


def refuse_unknown(name: str, field: Field) -> None:
    """Refuse a field that a PNG cannot hold.

    Raises:
        InputError: if a value is unknown.
    """
    unknown = int(np.isnan(field).sum())
    if unknown:
        raise InputError(f"{name}: {unknown} unknown values, which a PNG cannot hold: use --format mat, or a --region "
                         "without them")  # fmt: skip


def write_mat(path: Path, field: Field) -> None:
    """Write a field (rows, columns) in ug m-3 as a MATLAB file with the variable ``data``, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    stream = io.BytesIO()
    scipy.io.savemat(stream, {KEY: np.asarray(field, np.float32)}, do_compression=True)
    content = _HEADER + stream.getvalue()[len(_HEADER) :]
    with partial(path, overwrite=True) as temporary:
        temporary.write_bytes(content)


def _head(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _from_png(path: Path, scale: float | None) -> NDArray[np.float64]:
    if scale is None:
        raise InputError(f"{path}: its scale is unknown: give the concentration at full range in ug m-3 with --scale, or in "
                         f'a file {SIDECAR} beside it as {{"scale": 900, "units": "{MICROGRAMS}"}}')  # fmt: skip
    levels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if levels is None:
        raise InputError(f"{path}: a damaged PNG: make it again")
    if levels.ndim == 3 and levels.shape[2] == 3 and (levels == levels[..., :1]).all():
        levels = levels[..., 0]
    if levels.ndim != 2 or levels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: an image of shape {levels.shape} and type {levels.dtype}: wanted one grey channel of 8 or "
                         "16 bits")  # fmt: skip
    return levels.astype(np.float64) * (scale / np.iinfo(levels.dtype).max)


def read_matlab(path: Path) -> NDArray[Any]:
    """The numbers of a MATLAB file."""
    try:
        values = _from_hdf(path) if _head(path, len(_MATLAB_HDF)) == _MATLAB_HDF else _from_version_5(path)
    except _DAMAGED as error:
        raise InputError(f"{path}: neither a PNG nor a MATLAB file that can be read ({first_line(error)})") from error
    if values is None:
        raise InputError(f"{path}: no variable {KEY!r} in it: wanted the concentrations under this name")
    if values.dtype.kind not in "fiu" or values.ndim != 2 or values.size == 0:
        raise InputError(
            f"{path}: {KEY!r} has shape {values.shape} and type {values.dtype}: wanted numbers in two dimensions"
        )
    return values


def _from_version_5(path: Path) -> NDArray[Any] | None:
    content: dict[str, Any] = scipy.io.loadmat(path, appendmat=False, variable_names=[KEY])
    return content.get(KEY)


def _from_hdf(path: Path) -> NDArray[Any] | None:
    """The numbers of version 7.3, which has columns first; nothing but plain numbers is read."""
    with h5py.File(path, "r") as file:
        if not isinstance(file.get(KEY), h5py.Dataset):
            return None
        dataset = file[KEY]
        plain = dataset.dtype.kind in "fiu"
        return np.asarray(dataset[()]).T if plain else np.empty(dataset.shape, "V1")


def _refuse_impossible(path: Path, values: NDArray[np.float64]) -> None:
    if np.isnan(values).all():
        raise InputError(f"{path}: every value is missing")
    if np.isinf(values).any() or np.nanmin(values) < 0:
        raise InputError(f"{path}: values from {np.nanmin(values):g} to {np.nanmax(values):g} ug m-3: wanted finite ones, none "
                         "negative; check its units and scale")  # fmt: skip
