"""The SHA-256 of every file of a store, as ``sha256sum -c`` reads it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deepcams.errors import InputError, OutputError
from deepcams.io.output import partial
from deepcams.provenance import sha256_of
from deepcams.threads import processors

_LEFTOVER = ".partial"


def check_manifest(path: Path, store: Path, *, is_store: bool, overwrite: bool) -> None:
    """Refuse a manifest that cannot be written, before any work is done.

    Raises:
        InputError: if it is to be of something else than a store.
        OutputError: if it would lie within the store, its folder is missing, or it exists already.
    """
    if not is_store:
        raise InputError(f"{store}: a manifest lists the files of a Zarr store; call sha256sum for a single file")
    if path.resolve().is_relative_to(store.resolve()):
        raise OutputError(f"{path}: is within the store that it is to list; give a name outside")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if path.is_dir() or (path.exists() and not overwrite):
        raise OutputError(f"{path}: exists already; give another name, or --overwrite to replace a file")


def write_manifest(path: Path, store: Path, *, overwrite: bool, workers: int | None = None) -> int:
    """Write the checksums of a store's files, by name; whole or not at all.

    Args:
        path: the manifest; ``sha256sum -c`` with it is to be called within the store, or a copy of it.
        store: the store.
        overwrite: whether an existing manifest may be replaced.
        workers: threads; None for one per processor.

    Returns:
        How many files it lists.

    Raises:
        OutputError: if it cannot be written, or a file cannot be read.
    """
    files = sorted(one for one in store.rglob("*") if one.is_file() and one.suffix != _LEFTOVER)
    with (
        partial(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
        ThreadPoolExecutor(workers or processors()) as pool,
    ):
        for file, digest in zip(files, pool.map(sha256_of, files), strict=True):
            stream.write(f"{digest}  {file.relative_to(store).as_posix()}\n")
    return len(files)
