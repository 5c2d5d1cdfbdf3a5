"""Where results go: checks before the work begins, temporary names while it lasts, clear errors when it cannot go on."""

from __future__ import annotations

import errno
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepcams.errors import OutputError, WriteError
from deepcams.io.files import is_store
from deepcams.io.remote import name_of, reaching
from deepcams.urls import WEB, label_of

_BYTES_PER_VALUE = 0.25  # compressed; real maps take more
_MEGABYTE = 1e6


def suffix_of(place: str | Path) -> str:
    """The suffix of a location's name, in small letters."""
    return Path(name_of(place)).suffix.lower()


def check_output(path: str | Path, suffixes: tuple[str, ...], *, overwrite: bool) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Raises:
        OutputError: if its suffix is unknown, its folder is missing or not writable, or it exists already.
    """
    if isinstance(path, str):
        _check_remote(path)
        return
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: unknown suffix {path.suffix!r}; wanted {' or '.join(suffixes)}")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{path}: the folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {folder} is not writable")
    if path.is_dir() and not is_store(path):
        raise OutputError(f"{path}: is a folder that is not a Zarr store; it is left as it is: give another name")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; give another name, or --overwrite to replace it")


def _check_remote(url: str) -> None:
    """Refuse a URL that no store can be written to; what is there already is looked at when the store is opened."""
    label = label_of(url)
    if suffix_of(url) != ".zarr":
        raise OutputError(f"{label}: wanted a .zarr for an output at a URL; write another file to a path, and copy it")
    if url.lower().startswith(WEB):
        raise OutputError(
            f"{label}: nothing can be written over the web; wanted an object store: s3://bucket/name.zarr"
        )


def refuse_input(path: str | Path, files: Iterable[str | Path]) -> None:
    """Refuse an output that would replace a file it is made from.

    Raises:
        OutputError: if it is one of them, or of a zip's member the zip.
    """
    if isinstance(path, str):
        own = label_of(path).rstrip("/")
        same = any(f"{name}/".startswith(f"{own}/") for name in files)
    else:
        inputs = [Path(name).resolve() for name in files]
        same = any(path.resolve() in (one, *one.parents) for one in inputs)
    if same:
        raise OutputError(f"{label_of(path)}: is one of the inputs; give the output another name")


def check_space(path: str | Path, values: int) -> None:
    """Refuse an output that cannot fit on its disk.

    Args:
        path: the output.
        values: how many numbers it will hold.

    Raises:
        OutputError: if less is free than they take at least.
    """
    if isinstance(path, str):
        return
    free, needed = free_space(path), values * _BYTES_PER_VALUE
    if free < needed:
        raise OutputError(f"{path}: {free / _MEGABYTE:.0f} MB are free there, and the result takes at least "
                          f"{needed / _MEGABYTE:.0f} MB; nothing was written")  # fmt: skip


def free_space(path: Path) -> int:
    """Bytes free on the disk of an output."""
    return shutil.disk_usage(next(folder for folder in path.absolute().parents if folder.exists())).free


def temporary_name(path: Path, mark: str = "") -> Path:
    """A hidden name beside the output, of this process's own on this host, for what is not whole yet, or not any more."""
    host = platform.node().replace(".", "-")  # without dots, so that it cannot be taken for another output's
    return path.with_name(f".{path.stem}.{host}-{os.getpid()}{mark}.partial{path.suffix}")


def check_folder(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """Refuse a folder that files could not be written to, before any work is done.

    Args:
        folder: where they go; it need not be there.
        names: of the files.
        overwrite: whether they may replace files.

    Raises:
        OutputError: if it cannot be made, is a file, or has such files already and they may not be replaced.
    """
    present = [name for name in names if (folder / name).exists()]
    if present and not overwrite:
        raise OutputError(f"{folder / present[0]}: exists already; give another folder, or --overwrite to replace it")
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "not writable" if there.is_dir() else "a file"
        raise OutputError(f"{folder}: no files can be written there: {there} is {why}; give another folder")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, if it is not there.

    Raises:
        OutputError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: no folder can be made there ({error.strerror})") from error


@contextmanager
def partial(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary name in the output's folder; it becomes the output when all went well, and goes when it did not.

    Raises:
        OutputError: if writing fails, or the output has appeared in the meantime and may not be replaced.
    """
    temporary = temporary_name(path)
    try:
        with writing(path):
            yield temporary
            if path.exists() and not overwrite:
                raise OutputError(f"{path}: appeared while this was written; it is left as it is")
            temporary.replace(path)
    finally:
        with suppress(OSError):  # what kept the output from being written keeps this, too, and has been told
            temporary.unlink(missing_ok=True)


@contextmanager
def partial_folder(path: Path, refuse: Callable[[], None]) -> Iterator[Path]:
    """A hidden folder beside the output, which gets its name when all went well, and goes when it did not.

    A folder or file that has the name already is removed only then, so that a kill loses neither.

    Args:
        path: the output.
        refuse: raises if the output may not be written, or replaced; asked at the end, since it may have appeared.

    Raises:
        WriteError: if writing fails.
    """
    temporary = temporary_name(path)
    try:
        with writing(path):
            temporary.mkdir()
            yield temporary
            refuse()
            replaced = temporary_name(path, "-old")
            if path.exists():
                path.rename(replaced)
            temporary.rename(path)
            _discard(replaced)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A hidden folder beside the output; its files go to the output's folder when all went well, none when it did not.

    Files of the same names are replaced, others stay.

    Raises:
        OutputError: if the folder cannot be made.
        WriteError: if writing fails.
    """
    make_folder(folder.absolute().parent)
    temporary = temporary_name(folder.absolute())
    try:
        with writing(folder):
            temporary.mkdir()
            yield temporary
            make_folder(folder)
            for file in sorted(temporary.iterdir()):
                file.replace(folder / file.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _discard(path: Path) -> None:
    """Remove a folder or a file that is not needed any more, as far as that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn failures of writing within the block into a WriteError that says what happened to ``path``.

    Raises:
        WriteError: for a full disk, a missing permission or another failure of the system or the NetCDF library.
    """
    if isinstance(path, str):
        with reaching(path, WriteError):
            yield
        return
    try:
        yield
    except (OSError, RuntimeError) as error:
        free = free_space(path)
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or free < _MEGABYTE
        why = "the disk is full" if full else f"cannot be written ({error})"
        raise WriteError(f"{path}: {why}; {free / _MEGABYTE:.0f} MB are free there") from error
