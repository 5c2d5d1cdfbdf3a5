"""``deepcams fetch published``: the dataset published with the paper."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.cli.progress import Advance

_MEGABYTE = 10**6


@click.command(epilog="Example: deepcams fetch published --files '*2019*' published/")
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--files", "patterns", multiple=True, metavar="PATTERN", help="Only files of such names; may be repeated."
)
@click.option("--url", help="Where Zenodo's interface is.  [default: https://zenodo.org/api]")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 8), help="Requests in flight.")
@click.option("--dry-run", is_flag=True, help="List the record's files and their sizes, and fetch none.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def published(
    folder: Path, patterns: tuple[str, ...], url: str | None, workers: int, dry_run: bool, quiet: bool
) -> None:
    """Fetch the dataset published with the paper (Xiao et al., 2022) into the folder OUT.

    The files of Zenodo record 6967082, each checked by its checksum; --dry-run lists them. Two descriptions are written
    beside them, published.json and nodes.json, which say how their maps are read: as published, or where they were computed.
    Unpack archives, then: deepcams validate Published=OUT --stations FILE.
    """
    from deepcams.cli.progress import progress
    from deepcams.fetch.published import URL, choose, fetch_published, list_record

    files = choose(list_record(url or URL), patterns)
    if dry_run:
        lines = [f"{one.size / 1e6:10.1f} MB  {one.name}" for one in files]
        click.echo("\n".join([*lines, f"{sum(one.size for one in files) / 1e6:10.1f} MB  in {len(files)} files"]))
        return
    with progress(sum(one.size for one in files) // _MEGABYTE, "MB", quiet=quiet) as advance:
        summary = fetch_published(folder, files, workers=workers, progress=_in_megabytes(advance))
    if quiet:
        return
    archives = [one.name for one in files if not one.name.lower().endswith(".mat")]
    note = [f"note      unpack {', '.join(archives[:3])}{' ...' if len(archives) > 3 else ''} before its maps are read"]
    lines = [
        f"{folder}: DeepCAMS as published, doi:10.5281/zenodo.6967082",
        f"files     {summary.fetched} fetched, {summary.kept} kept",
        f"bytes     {summary.size / 1e6:.1f} MB",
        f"time      {summary.seconds:.1f} s",
    ]
    click.echo("\n".join(lines + (note if archives else [])))


def _in_megabytes(advance: Advance) -> Callable[[int], None]:
    """A function that is told of bytes, by several threads, and shows whole megabytes."""
    lock, rest = threading.Lock(), 0

    def told(count: int) -> None:
        nonlocal rest
        with lock:
            whole, rest = divmod(rest + count, _MEGABYTE)
            if whole:
                advance(whole)

    return told
