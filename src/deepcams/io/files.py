"""Finding the files of a call and opening them, whatever their form: NetCDF 3 and 4, LZF, zip, GRIB, Zarr.

The form of a file is told from its first bytes, not from its name; a Zarr store is a folder with its metadata.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcams.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_SIGNATURES = {
    b"\x89HDF\r\n\x1a\n": "h5netcdf",
    b"CDF\x01": "scipy",  # the NetCDF library reads a truncated classic file as zeros; scipy refuses it
    b"CDF\x02": "scipy",
    b"CDF\x05": "netcdf4",
    b"GRIB": "cfgrib",
    b"PK\x03\x04": "zip",
}
_LONGEST = 8
_STORE_METADATA = ("zarr.json", ".zgroup")


@dataclass(frozen=True)
class DataFile:
    """One file with gridded data.

    Attributes:
        path: where it can be opened.
        label: what to call it in messages: the user's path, and the member's name if it came out of a zip.
        engine: the xarray engine that reads it.
        keep: holds the folder that a zip was unpacked to; it is removed when the last file from it is gone.
    """

    path: Path
    label: str
    engine: str
    keep: Any = field(default=None, compare=False, repr=False)

    @property
    def is_member(self) -> bool:
        """Whether it came out of a zip."""
        return self.keep is not None


def is_store(path: Path) -> bool:
    """Whether it is a Zarr store."""
    return any((path / name).is_file() for name in _STORE_METADATA)


def find_files(paths: str | Path | Iterable[str | Path]) -> list[DataFile]:
    """The data files of the given files, folders and patterns, in order, zips unpacked, each file once.

    Raises:
        InputError: if there are none, or one does not exist or is not of a known form.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise InputError("no input files given: wanted CAMS files, a folder of them, or a pattern")
    found = dict.fromkeys(path for item in given for path in expand(item))
    return [file for path in found for file in data_files(path)]


def open_dataset(source: DataFile, *, variable: str | None = None) -> xr.Dataset:
    """Open a file lazily; values are read when they are used.

    Args:
        source: the file.
        variable: for GRIB, the short name of the messages to read; None for all that fit together.

    Raises:
        InputError: if the file is damaged, or is GRIB and the extra ``grib`` is not installed.
    """
    import xarray as xr

    options: dict[str, Any] = {}
    if source.engine == "cfgrib":
        _require_grib(source)
        # An index file would be written beside the user's data.
        chosen = {"cfVarName": variable} if variable else {}
        options["backend_kwargs"] = {"indexpath": "", "filter_by_keys": chosen, "errors": "raise"}
    if source.engine == "zarr":
        options["consolidated"] = False
    try:
        return xr.open_dataset(source.path, engine=source.engine, cache=False, **options)
    except failures(source) as error:
        raise InputError(f"{source.label}: cannot be read ({first_line(error)}); "
                         "if it is truncated or damaged, fetch it again") from error  # fmt: skip


def failures(source: DataFile | None) -> tuple[type[Exception], ...]:
    """What the libraries raise when they cannot read a file."""
    common = (OSError, ValueError, TypeError, LookupError, EOFError, RuntimeError)
    if source is None or source.engine != "cfgrib":
        return common
    from eccodes import CodesInternalError

    return (*common, CodesInternalError)


def grib_names(source: DataFile) -> list[str]:
    """The names of the variables in a GRIB file."""
    from cfgrib.messages import FileStream

    return sorted({str(message["cfVarName"]) for _, message in FileStream(str(source.path)).items()})


def expand(item: str | Path) -> list[Path]:
    """The files of a path, a folder (those of a known form, by name; a store is one file) or a pattern, but no hidden ones.

    Raises:
        InputError: if there is no such file.
    """
    path = Path(item)
    if path.is_file() or _is_visible_store(path):
        return [path]
    if path.is_dir():
        inside = [child for child in sorted(path.iterdir()) if _is_visible(child) and _form(child) is not None]
        return _or_error(inside, f"{path}: no NetCDF, GRIB or zip file in this folder")
    if set(str(item)) & set("*?["):
        anchor, pattern = (
            (Path(path.anchor), str(path.relative_to(path.anchor))) if path.anchor else (Path(), str(path))
        )
        matching = sorted(match for match in anchor.glob(pattern) if _is_visible(match) or _is_visible_store(match))
        return _or_error(matching, f"{item}: no file matches this pattern")
    raise InputError(f"{path}: no such file or folder")


def _is_visible(path: Path) -> bool:
    """Whether it is a file that is not hidden, as partial files are."""
    return path.is_file() and not path.name.startswith(".")


def _is_visible_store(path: Path) -> bool:
    """Whether it is a Zarr store that is not hidden."""
    return not path.name.startswith(".") and is_store(path)


def _or_error(paths: list[Path], message: str) -> list[Path]:
    if not paths:
        raise InputError(message)
    return paths


def _form(path: Path) -> str | None:
    """The engine for a file's first bytes, ``zip``, or None if they are not known."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_LONGEST)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return next((form for signature, form in _SIGNATURES.items() if head.startswith(signature)), None)


def data_files(path: Path) -> Sequence[DataFile]:
    """A file or a store as one data file, or the data files in a zip.

    Raises:
        InputError: if it is not of a known form, or is a damaged zip.
    """
    if _is_visible_store(path):
        return [DataFile(path, str(path), "zarr")]
    form = _form(path)
    if form == "zip":
        return _unpack(path)
    if form is None:
        raise InputError(f"{path}: not a NetCDF, GRIB or zip file ({_looks_like(path)})")
    return [DataFile(path, str(path), form)]


def _looks_like(path: Path) -> str:
    size = path.stat().st_size
    if size == 0:
        return "it is empty"
    with path.open("rb") as stream:
        head = stream.read(64)
    return f"{size} bytes, beginning with {head[:16]!r}"


class _TemporaryFolder:
    """A folder that goes when it is no longer used, at the latest when the program ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="deepcams-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _unpack(path: Path) -> list[DataFile]:
    """The data files inside a zip, unpacked to a temporary folder that goes when they are no longer used."""
    folder = _TemporaryFolder()
    members = []
    try:
        with zipfile.ZipFile(path) as archive:
            for number, name in enumerate(name for name in archive.namelist() if not name.endswith("/")):
                target = folder.path / f"{number}-{Path(name).name}"
                with archive.open(name) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                form = _form(target)
                if form not in (None, "zip"):
                    members.append(DataFile(target, f"{path}/{name}", str(form), keep=folder))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: a damaged zip ({first_line(error)}): fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be unpacked to {folder.path} ({error.strerror}); "
                         "set TMPDIR to a folder with more space") from error  # fmt: skip
    if not members:
        raise InputError(f"{path}: no NetCDF or GRIB file inside")
    return members


def _require_grib(source: DataFile) -> None:
    try:
        import cfgrib  # noqa: F401
    except (ImportError, RuntimeError) as error:
        raise InputError(f"{source.label}: a GRIB file, and the library for it is not installed: "
                         'run pip install "deepcams[grib]"') from error  # fmt: skip


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its type."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
