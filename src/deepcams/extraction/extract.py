"""Series and parts of hourly results: at points, over boxes and polygons, to tables or NetCDF, day by day."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deepcams.conventions import Product
from deepcams.cut import cut
from deepcams.errors import OutputError
from deepcams.extraction.reading import sampled, windows_of
from deepcams.extraction.sampling import Sampler
from deepcams.extraction.stations import station_writer
from deepcams.extraction.tables import Heading, Part, Write, csv_writer, parquet_writer, require_pyarrow
from deepcams.grid import Region
from deepcams.io.netcdf import netcdf_writer, tell_own
from deepcams.io.output import check_output, check_space, refuse_input
from deepcams.io.results import Results
from deepcams.provenance import provenance, run_record
from deepcams.rounding import MANTISSA
from deepcams.threads import in_order, processors
from deepcams.timeline import Hours, TimeKind, check_period, no_hour

Progress = Callable[[int], None]
_Made = TypeVar("_Made")

NETCDF, PARQUET = ".nc", ".parquet"
_WRITERS: dict[str, Callable[..., AbstractContextManager[Write]]] = {
    ".csv": csv_writer,
    ".csv.gz": csv_writer,
    PARQUET: parquet_writer,
    NETCDF: station_writer,
}
SUFFIXES = tuple(_WRITERS)
_WORKERS = 4  # at most, without being asked: each holds a day of maps
_CARRIED = ("institution", "source", "references", "license", "attribution")


@dataclass(frozen=True, eq=False)
class Extract:
    """Some hours of some results.

    Attributes:
        results: where from.
        hours: which of their hours.
    """

    results: Results
    hours: slice

    @property
    def times(self) -> Hours:
        """(hours,) datetime64[h]."""
        return self.results.times[self.hours]

    @property
    def kinds(self) -> Any:
        """(hours,) int8, their TimeKind."""
        return self.results.kinds[self.hours]

    @property
    def size(self) -> int:
        """How many hours, also missing ones."""
        return self.hours.stop - self.hours.start

    @property
    def missing(self) -> int:
        """How many hours are missing."""
        return int((self.kinds == TimeKind.MISSING).sum())

    def days(self) -> list[slice]:
        """The hours day by day."""
        first, last = self.hours.start, self.hours.stop
        inside = [slice(max(day.start, first), min(day.stop, last)) for day in self.results.days()]
        return [day for day in inside if day.start < day.stop]


@dataclass(frozen=True)
class Summary:
    """What was written.

    Attributes:
        path: the output.
        extract: what was asked for.
        series: how many series; none of maps.
        seconds: how long it took.
        notes: what the user should be told.
    """

    path: Path
    extract: Extract
    series: int | None
    seconds: float
    notes: tuple[str, ...]


def choose(results: Results, start: np.datetime64 | None = None, end: np.datetime64 | None = None) -> Extract:
    """The hours from ``start`` to ``end``, both included, as far as there are any: a store's last day may have none.

    Raises:
        InputError: if the period is empty, or the results have no hour in it.
    """
    check_period(start, end)
    times = results.times
    first = 0 if start is None else int(np.searchsorted(times, start))
    last = times.size if end is None else int(np.searchsorted(times, end, "right"))
    made = first + np.flatnonzero(results.kinds[first:last] != TimeKind.MISSING)
    if not made.size:
        raise no_hour(start, end, results.label, times)
    return Extract(results, slice(int(made[0]), int(made[-1]) + 1))


def suffix_of(path: Path) -> str:
    """The suffix that tells the form of the output, ``.csv.gz`` being one."""
    suffixes = [one.lower() for one in path.suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def check_target(path: Path, inputs: tuple[str | Path, ...], *, overwrite: bool) -> None:
    """Refuse an output that cannot be written or is one of the inputs, before any work is done.

    Raises:
        OutputError: for such an output.
        InputError: if a library for it is not installed.
    """
    if suffix_of(path) not in SUFFIXES:
        raise OutputError(f"{path}: unknown suffix {suffix_of(path)!r}; wanted {', '.join(SUFFIXES)}")
    check_output(path, (path.suffix.lower(),), overwrite=overwrite)
    refuse_input(path, inputs)
    if suffix_of(path) == PARQUET:
        require_pyarrow()


def extract_series(
    extract: Extract,
    sampler: Sampler,
    path: Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Write series to a table or a NetCDF file, by the suffix of ``path``.

    Args:
        extract: the hours.
        sampler: the series; its grid is that of the results.
        path: the output: ``.csv``, ``.csv.gz``, ``.parquet`` or ``.nc``.
        workers: threads, each of which holds a day of maps; None for one per processor, four at most.
        overwrite: whether an existing file may be replaced.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if a map cannot be read, or a library is not installed.
        OutputError: if the output cannot be written.
    """
    began = time.monotonic()
    check_target(path, extract.results.files, overwrite=overwrite)
    asked = {"what": sampler.kind, "period": _period(extract)}
    title = f"Hourly {extract.results.species.name}: {sampler.kind}"
    attributes = _attributes(extract.results, title, asked)
    heading = Heading(sampler, extract.results.species, extract.times, extract.kinds, attributes)
    heading.titles  # noqa: B018  names that clash are said before any work is done

    windows = windows_of(extract.results, sampler)

    def work(day: slice) -> Part:
        return sampled(extract.results, sampler, windows, day)

    with _WRITERS[suffix_of(path)](path, heading, overwrite=overwrite) as write:
        for part in _in_order(work, extract.days(), workers):
            write(part)
            progress(part.times.size)
    skipped = (f"{sampler.skipped} points outside the data left out",) if sampler.skipped else ()
    notes = (*skipped, *sampler.notes, *_notes(extract, path))
    return Summary(path, extract, len(sampler.names), time.monotonic() - began, notes)


def extract_maps(
    extract: Extract,
    region: Region,
    name: str,
    path: Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = lambda count: None,
) -> Summary:
    """Write the hourly maps of a box to a NetCDF file, bit by bit as they are; otherwise as :func:`extract_series`.

    Args:
        extract: the hours; those that are missing are NaN.
        region: the box; all nodes within it are kept.
        name: what to call it.
        path: the output, ``.nc``.
        workers: threads.
        overwrite: whether an existing file may be replaced.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if the box is not within the maps, or a map cannot be read.
        OutputError: if the output cannot be written.
    """
    began = time.monotonic()
    check_target(path, extract.results.files, overwrite=overwrite)
    results = extract.results
    part = cut(results, region)
    check_space(path, extract.size * part.grid.rows * part.grid.columns)
    product = Product(results.species, part.grid, extract.times, extract.kinds, provenance({}, results.files))
    title = f"Hourly {results.species.name}: region {name}"
    attributes = _attributes(results, title, {"what": f"region {name}", "period": _period(extract)})
    own = partial(tell_own, attributes=attributes)
    with netcdf_writer(path, product, keepbits=MANTISSA, overwrite=overwrite, finish=own) as (write, _):
        for maps in _in_order(part.read, extract.days(), workers):
            for values in maps:
                write(values)
            progress(len(maps))
    return Summary(path, extract, None, time.monotonic() - began, _notes(extract, path))


def _in_order(work: Callable[[slice], _Made], days: list[slice], workers: int | None) -> Iterator[_Made]:
    """What work makes of each day, in order, a few of them at a time."""
    return in_order(work, days, workers or min(processors(), _WORKERS))


def _period(extract: Extract) -> str:
    return f"{extract.times[0]} to {extract.times[-1]}"


def _notes(extract: Extract, path: Path) -> tuple[str, ...]:
    """What is not there."""
    how = "are NaN" if suffix_of(path) == NETCDF else "have no line"
    missing = f"{extract.missing} hours that were never made {how}"
    unfinished = f"{extract.results.label} is unfinished: downscale has not made all of its days"
    return (missing,) * bool(extract.missing) + (unfinished,) * extract.results.unfinished


def _attributes(results: Results, title: str, asked: Mapping[str, Any]) -> dict[str, str]:
    """Where series come from: what the results say of themselves, and what was taken from them."""
    found = results.attributes
    carried = {key: str(found[key]) for key in found if key in _CARRIED or str(key).startswith("deepcams_")}
    run, before = run_record(), found.get("history")
    history = f"{run['time']}: {run['command']}" + (f"\n{before}" if before else "")
    extract = json.dumps({**asked, "from": [Path(name).name for name in results.files]})
    return {"title": title, **carried, "comment": _COMMENT, "deepcams_extract": extract, "history": history}


_COMMENT = f"time_kind: {', '.join(f'{kind.value} {kind.name.lower()}' for kind in TimeKind)}"
