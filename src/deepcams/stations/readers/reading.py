"""Reads station files of any known format: each file is recognised, all are gathered into one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Format, Options
from deepcams.stations.readers.gather import Gathering
from deepcams.stations.readers.search import recognised, station_files
from deepcams.stations.readers.streams import head_of, require_pyarrow
from deepcams.stations.table import Observations


@dataclass(frozen=True, eq=False)
class Reading:
    """What station files hold.

    Attributes:
        observations: of PM2.5; what is wrong with each as far as its file tells, the rest is quality control's.
        lines: how many of PM2.5 were read.
        others: how many of other species were left out.
        files: the files.
        formats: how many files there are of each format, by its name.
        rules: what the time stamps of each format were taken for, and where that is documented, in words.
        notes: what a reader should be told.
    """

    observations: Observations
    lines: int
    others: int
    files: tuple[str, ...]
    formats: dict[str, int]
    rules: dict[str, str]
    notes: tuple[str, ...]


def read_files(
    paths: Iterable[str | Path], formats: Sequence[Format], options: Options, name: str | None = None
) -> Reading:
    """Read station files.

    Args:
        paths: files, folders and patterns.
        formats: those known, the most particular ones first.
        options: what the user says of files that do not say it themselves.
        name: the format of all files; None to recognise each.

    Raises:
        InputError: if there is no file, one cannot be read or is of no known format, units or coordinates are told
            nowhere, or no line is of PM2.5.
    """
    require_pyarrow()
    files = station_files(paths, other_than=options.sites.path if options.sites else None)
    gathering, counts, used, lines = Gathering(options), Counter[str](), dict[str, Format](), 0
    for path in files:
        head = head_of(path)
        source = recognised(head, formats, name)
        lines += gathering.add(source, head)
        counts[source.name] += 1
        used[source.name] = source
    if not lines:
        found = f"{gathering.others} lines of other species" if gathering.others else "no lines"
        raise InputError(
            f"{files[0]}{' and others' if len(files) > 1 else ''}: no PM2.5 in the station files ({found})"
        )
    gathered = gathering.end()
    rules = {one.name: _rule(one, options) for one in used.values()}
    names = tuple(map(str, files))
    return Reading(gathered.observations, lines, gathered.others, names, dict(counts), rules, gathered.notes)


def _rule(source: Format, options: Options) -> str:
    """What the stamps of a format were taken for, in words."""
    if options.stamp is not None and options.stamp != source.stamp:
        return f"{options.stamp.name.lower()} of the averaging interval, as asked for"
    return f"{source.stamp.name.lower()} of the averaging interval: {source.rule}"
