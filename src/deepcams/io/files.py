"""Finding the files of a call and opening them, whatever their form: NetCDF 3 and 4, LZF, zip, GRIB, Zarr.

The form of a file is told from its first bytes, not from its name; a Zarr store is a folder with its metadata. Files are
given by path or by URL. Of remote ones, NetCDF 4 and Zarr are read where they are, the others are downloaded.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcams.errors import InputError
from deepcams.io import remote, streams
from deepcams.io.remote import first_line as first_line
from deepcams.io.remote import join, name_of
from deepcams.urls import label_of, location

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
        path: where it can be opened; a URL as text, with what may be secret in it.
        label: what to call it in messages: the user's path, and the member's name if it came out of a zip.
        engine: the xarray engine that reads it.
        is_member: whether it came out of a zip.
        notes: what a user should be told.
        keep: holds the folder that it was unpacked or downloaded to; it is removed when the last file from it is gone.
    """

    path: str | Path = field(repr=False)
    label: str
    engine: str
    is_member: bool = False
    notes: tuple[str, ...] = ()
    keep: Any = field(default=None, compare=False, repr=False)


def is_store(place: str | Path) -> bool:
    """Whether it is a Zarr store."""
    return any(_is_file(join(location(place), name)) for name in _STORE_METADATA)


def _is_file(place: str | Path) -> bool:
    return place.is_file() if isinstance(place, Path) else remote.exists(place)


def find_files(paths: str | Path | Iterable[str | Path]) -> list[DataFile]:
    """The data files of the given files, folders, patterns and URLs, in order, zips unpacked, each file once.

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
        if isinstance(source.path, str):
            return _open_remote(source.path, source.engine)
        return xr.open_dataset(source.path, engine=source.engine, cache=False, **options)
    except failures(source) as error:
        raise InputError(f"{source.label}: cannot be read ({first_line(error)}); "
                         "if it is truncated or damaged, fetch it again") from error  # fmt: skip


def _open_remote(url: str, engine: str) -> xr.Dataset:
    """A remote NetCDF4 file or Zarr store, read where it is."""
    import xarray as xr

    if engine == "h5netcdf":
        return xr.open_dataset(streams.open_netcdf(url), cache=False)
    with warnings.catch_warnings():
        # Consolidated metadata save requests, and web servers that list nothing need them; without, it is slower.
        warnings.filterwarnings("ignore", message=".*consolidated metadata.*", category=RuntimeWarning)
        return xr.open_dataset(remote.zarr_store(url, read_only=True), engine="zarr", cache=False)


def failures(source: DataFile | None) -> tuple[type[Exception], ...]:
    """What the libraries raise when they cannot read a file."""
    common = (OSError, ValueError, TypeError, LookupError, EOFError, RuntimeError)
    if source is not None and isinstance(source.path, str):
        return (*common, *remote.failures())
    if source is None or source.engine != "cfgrib":
        return common
    from eccodes import CodesInternalError

    return (*common, CodesInternalError)


def grib_names(source: DataFile) -> list[str]:
    """The names of the variables in a GRIB file."""
    from cfgrib.messages import FileStream

    return sorted({str(message["cfVarName"]) for _, message in FileStream(str(source.path)).items()})


def expand(item: str | Path) -> list[str | Path]:
    """The files of a path, a folder (those of a known form, by name; a store is one file) or a pattern, but no hidden ones.

    Raises:
        InputError: if there is no such file.
    """
    place = location(item)
    if isinstance(place, str):
        return _expand_url(place)
    if place.is_file() or _is_visible_store(place):
        return [place]
    if place.is_dir():
        inside = [child for child in sorted(place.iterdir()) if _is_visible(child) and _form(child) is not None]
        return _or_error(inside, f"{place}: no NetCDF, GRIB or zip file in this folder")
    if set(str(place)) & set("*?["):
        anchor, pattern = (
            (Path(place.anchor), str(place.relative_to(place.anchor))) if place.anchor else (Path(), str(place))
        )
        matching = sorted(match for match in anchor.glob(pattern) if _is_visible(match) or _is_visible_store(match))
        return _or_error(matching, f"{item}: no file matches this pattern")
    raise InputError(f"{place}: no such file or folder")


def _expand_url(url: str) -> list[str | Path]:
    """The files of a remote file, folder or pattern."""
    remote.refresh(url)
    kind, label = remote.kind_of(url), label_of(url)
    if kind == "file" or (_may_be_store(url) and _is_visible_store(url)):
        return [url]
    if kind == "directory":
        inside = [child for child, is_folder in remote.children(url) if _is_data(child, is_folder)]
        known = [child for child in inside if _may_be_store(child) or _form(child) is not None]
        return _or_error(known, f"{label}: no NetCDF, GRIB or zip file in this folder")
    if remote.is_pattern(url):
        matching = [match for match, is_folder in remote.matching(url) if _is_data(match, is_folder)]
        return _or_error(matching, f"{label}: no file matches this pattern")
    raise InputError(f"{label}: no such file or folder")


def _is_visible(path: Path) -> bool:
    """Whether it is a file that is not hidden, as partial files are."""
    return path.is_file() and not path.name.startswith(".")


def _is_visible_store(place: str | Path) -> bool:
    """Whether it is a Zarr store that is not hidden."""
    return not name_of(place).startswith(".") and is_store(place)


def _is_data(url: str, is_folder: bool) -> bool:
    """Whether what a listing has is a file or a store, and not hidden."""
    return _is_visible_store(url) if is_folder else not name_of(url).startswith(".")


def _or_error(paths: Sequence[str | Path], message: str) -> list[str | Path]:
    if not paths:
        raise InputError(message)
    return list(paths)


def _form(place: str | Path) -> str | None:
    """The engine for a file's first bytes, ``zip``, or None if they are not known."""
    head = _head(place, _LONGEST)
    return next((form for signature, form in _SIGNATURES.items() if head.startswith(signature)), None)


def _head(place: str | Path, count: int) -> bytes:
    """The first bytes of a file."""
    if isinstance(place, str):
        return remote.first_bytes(place, count)
    try:
        with place.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror})") from error


def data_files(place: str | Path) -> Sequence[DataFile]:
    """A file or a store as one data file, or the data files in a zip.

    Raises:
        InputError: if it is not of a known form, or is a damaged zip.
    """
    place, label = location(place), label_of(place)
    if _may_be_store(place) and _is_visible_store(place):
        return [DataFile(place, label, "zarr")]
    form = _form(place)
    if form is None:
        raise InputError(f"{label}: not a NetCDF, GRIB or zip file ({_looks_like(place)})")
    if isinstance(place, str):
        return _remote_files(place, form)
    return _unpack(place, label) if form == "zip" else [DataFile(place, label, form)]


def _may_be_store(place: str | Path) -> bool:
    """Whether it is worth the requests to look for a store: not where there is a file."""
    return isinstance(place, Path) or name_of(place).endswith(".zarr") or remote.kind_of(place) == "directory"


def _looks_like(place: str | Path) -> str:
    size = place.stat().st_size if isinstance(place, Path) else remote.size_of(place)
    if size == 0:
        return "it is empty"
    return f"{size} bytes, beginning with {_head(place, 16)!r}"


def _remote_files(url: str, form: str) -> list[DataFile]:
    """A remote file to be read where it is, or what was downloaded."""
    label = label_of(url)
    if form == "h5netcdf" and streams.is_seekable(url):
        return [DataFile(url, label, form)]
    folder = _TemporaryFolder()
    copy = remote.download(url, folder.path)
    notes = remote.large_download(copy, url)
    if form != "zip":
        return [DataFile(copy, label, form, notes=notes, keep=folder)]
    members = _unpack(copy, label)
    return [replace(member, notes=notes) for member in members]


class _TemporaryFolder:
    """A folder that goes when it is no longer used, at the latest when the program ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="deepcams-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _unpack(path: Path, label: str) -> list[DataFile]:
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
                    members.append(DataFile(target, f"{label}/{name}", str(form), is_member=True, keep=folder))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{label}: a damaged zip ({first_line(error)}): fetch it again") from error
    except OSError as error:
        raise InputError(f"{label}: cannot be unpacked to {folder.path} ({error.strerror}); "
                         "set TMPDIR to a folder with more space") from error  # fmt: skip
    if not members:
        raise InputError(f"{label}: no NetCDF or GRIB file inside")
    return members


def _require_grib(source: DataFile) -> None:
    try:
        import cfgrib  # noqa: F401
    except (ImportError, RuntimeError) as error:
        raise InputError(f"{source.label}: a GRIB file, and the library for it is not installed: "
                         'run pip install "deepcams[grib]"') from error  # fmt: skip
