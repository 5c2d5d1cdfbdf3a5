"""Writing a result as a Zarr v3 store: one shard is one UTC day, finished days are kept in a ledger inside.

The template (coordinates, metadata, empty arrays) is written first and the store says that it is unfinished; then each
day is written whole and entered in the ledger. A store that was left unfinished is completed by a later run of the
same work, and one that is complete is extended by new days. Nothing in arrays or metadata depends on the run: its record
goes to a log beside the store.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import zarr
from numpy.typing import NDArray

from deepcams.conventions import Product
from deepcams.errors import OutputError
from deepcams.io import remote
from deepcams.io import template as templates
from deepcams.io.ledger import Entry, entry_of, mask_of
from deepcams.io.locks import Claim, alone, lock_file
from deepcams.io.output import temporary_name, writing
from deepcams.io.remote import exists, join, read_whole, remove_tree, zarr_store
from deepcams.io.template import COMPLETE, DAY, LEDGER, MAPS, PLANNED, UNFINISHED, Template
from deepcams.provenance import run_record
from deepcams.rounding import bitround
from deepcams.timeline import TimeKind
from deepcams.urls import label_of

Date = np.datetime64
_MAY_CHANGE = ("status", "deepcams_inputs", "time_coverage_start", "time_coverage_end")


@dataclass(frozen=True)
class Store:
    """A store with its template, to write days to.

    Attributes:
        path: where it is: a path, or a URL.
        template: what it is to be when it is complete.
    """

    path: str | Path
    template: Template
    _log: list[IO[str]] = field(default_factory=list, compare=False, repr=False)

    def finished(self, date: Date) -> Entry | None:
        """What is known of a finished day; None if it is not finished."""
        rows, number = self._arrays[LEDGER], self._number(date)
        return entry_of(rows[number]) if number < rows.shape[0] else None  # it may not have been extended yet

    def made(self, date: Date) -> int:
        """The hours of a day that are there: bit h for h UTC."""
        kinds = self._arrays["time_kind"][self._hours(date)]
        return mask_of(np.flatnonzero(kinds != TimeKind.MISSING))

    def write_day(
        self, date: Date, fields: Mapping[int, tuple[TimeKind, NDArray[np.float32]]], analyses: Mapping[int, str]
    ) -> None:
        """Write a whole day, then enter it in the ledger.

        Args:
            date: the UTC day.
            fields: by hour of the day, its kind and map (rows, columns); other hours are missing.
            analyses: SHA-256 (hexadecimal) of the analyses it was made from, by the hour from 00 UTC of the day.

        Raises:
            OutputError: if it cannot be written.
        """
        values = np.full((DAY, *self.template.product.grid.shape), np.nan, np.float32)
        kinds = np.full(DAY, TimeKind.MISSING, np.int8)
        for hour, (kind, one) in fields.items():
            kinds[hour] = kind
            values[hour] = bitround(one, self.template.keepbits)
        with writing(self.path):
            self._forget(date)
            self._arrays[self.template.product.species.name][self._hours(date)] = values
            self._arrays["time_kind"][self._hours(date)] = kinds
            self._arrays[LEDGER][self._number(date)] = Entry(content_digest(values), analyses).row()

    def _forget(self, date: Date) -> None:
        """Remove what there is of a day, its row of the ledger first: zarr does not write over a shard it cannot read."""
        for name in (LEDGER, self.template.product.species.name):
            remove_tree(join(self.path, f"{name}/c/{self._number(date)}"))

    def unmade(self) -> list[Date]:
        """The days that are planned and not finished, or without some of the hours planned."""
        planned = zip(self.template.days, self.template.planned.tolist(), strict=True)
        return [date for date, hours in planned if hours and (self.finished(date) is None or hours & ~self.made(date))]

    def complete(self) -> None:
        """Let the store say that it is complete."""
        with writing(self.path):  # one write of one file, so that no store is half complete
            group: Any = zarr.open_group(zarr_store(self.path), mode="r+", use_consolidated=True)
            group.attrs["status"] = COMPLETE

    def drop_if_empty(self) -> None:
        """Remove a store without any finished day."""
        with writing(self.path):
            if not any(entry_of(row) for row in self._arrays[LEDGER]):
                _remove(self.path)

    def log(self, event: str, **facts: Any) -> None:
        """Add a line to the log beside the store: what happened, when, by which command, on which host."""
        with writing(self.path):
            for stream in self._log:
                stream.write(json.dumps({"event": event, **run_record(), **facts}) + "\n")
                stream.flush()

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        """The arrays that days are written to, by name."""
        group: Any = zarr.open_group(zarr_store(self.path), mode="r+", use_consolidated=False)
        return {name: group[name] for name in (self.template.product.species.name, "time_kind", LEDGER)}

    def _number(self, date: Date) -> int:
        return int((date - self.template.first).astype(np.int64))

    def _hours(self, date: Date) -> slice:
        number = self._number(date)
        return slice(number * DAY, (number + 1) * DAY)


def content_digest(values: NDArray[np.float32]) -> str:
    """SHA-256 of a day's values (24, rows, columns), as the ledger has it."""
    return hashlib.sha256(np.ascontiguousarray(values, "<f4").data).hexdigest()


class _RemoteLog(io.StringIO):
    """A run's log at a URL: an object of its own, written anew with each line, since nothing can be added to one."""

    def __init__(self, url: str) -> None:
        super().__init__()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self._url = f"{url.rstrip('/')}.log/{moment}-{platform.node()}-{os.getpid()}.jsonl"

    def flush(self) -> None:
        """Write it."""
        if not self.closed and self.getvalue():
            remote.put_whole(self._url, self.getvalue().encode())


@contextmanager
def claimed(path: str | Path, claim: Claim) -> Iterator[IO[str]]:
    """Hold a claim on a store while it is written, by a lock on the log beside it; yields the log.

    At a URL there are no locks, and nothing is claimed: two runs then write the same bytes.

    Raises:
        OutputError: if another run holds a claim that does not go with this one, or the log cannot be written.
    """
    if isinstance(path, str):
        yield _RemoteLog(path)
        return
    log = path.with_name(path.name + ".log")
    with writing(path):
        stream = lock_file(log, claim)
    if stream is None:
        raise OutputError(
            f"{path}: another run is writing it (see {log.name} beside it); wait until it has ended, or stop it"
        )
    with stream:
        if claim.whole:
            _tidy(path)
        try:
            yield stream
        finally:
            if (claim.whole or status_of(path) in (None, COMPLETE)) and alone(stream, claim):
                _tidy(path)
                if not path.exists() or not log.stat().st_size:
                    log.unlink(missing_ok=True)


def open_or_create(path: str | Path, wanted: Template, log: IO[str], *, overwrite: bool) -> Store:
    """A store to write to: a new one, or one of the same work, to be completed or extended.

    An existing store is not touched but opened as it will be; :func:`prepare` then writes what it lacks.

    Raises:
        OutputError: if a store exists that is of other work, or begins later; the message says what differs.
    """
    if isinstance(path, str):
        if overwrite or not exists(join(path, "zarr.json")):
            _create_remote(path, wanted, overwrite=overwrite)
    elif not path.exists() or overwrite:
        with writing(path):
            _create(path, wanted, overwrite=overwrite)
    return Store(path, _grown(path, wanted), [log])


def _create(path: Path, wanted: Template, *, overwrite: bool) -> None:
    """Write a template under another name, and give it its own."""
    temporary = temporary_name(path)
    try:
        wanted.write(temporary)
        if overwrite:
            _remove(path)
        _settle(temporary, path)
    finally:
        remove_tree(temporary)


def _create_remote(url: str, wanted: Template, *, overwrite: bool) -> None:
    """Write a template to a URL, its root last: without it, what is there is no store.

    Other runs of the same work may do the same at the same time, and write the same: so nothing is removed here but at
    the user's wish.

    Raises:
        OutputError: if there is something else than what a kill has left of a template.
    """
    with tempfile.TemporaryDirectory(prefix="deepcams-") as folder:
        template = Path(folder) / "template.zarr"
        wanted.write(template)
        there = remote.list_files(url)
        if not exists(join(url, "zarr.json")):
            _refuse_leftovers(url, there, template, overwrite=overwrite)
        if overwrite:
            remove_tree(url)
        remote.put_tree(template, url)


def _refuse_leftovers(url: str, there: Sequence[str], template: Path, *, overwrite: bool) -> None:
    """Refuse to make a store among files of something else, and among days of an old store without the user's wish."""
    label, arrays = label_of(url), {path.name for path in template.iterdir()}
    strange = [name for name in there if name.split("/")[0] not in arrays]
    if strange:
        raise OutputError(f"{label}: is a folder that is not a Zarr store (there is {strange[0]}); it is left as it is: give "
                          "another name")  # fmt: skip
    old = [name for name in there if not (template / name).is_file()]
    if old and not overwrite:
        raise OutputError(f"{label}: an --overwrite that was interrupted has left parts of an old store there (such as "
                          f"{old[0]}); give --overwrite again, or another name")  # fmt: skip


def _remove(path: str | Path) -> None:
    """Remove a store, on a disk under another name, so that after a kill half of it does not pass for a store."""
    if isinstance(path, Path) and path.is_dir():
        path = path.rename(temporary_name(path, "-old"))
    remove_tree(path)


def _tidy(path: Path) -> None:
    """Remove what killed runs were writing, in a store and beside it; only where nobody else is writing."""
    name = re.compile(re.escape(f".{path.stem}.") + "[^.]+" + re.escape(f".partial{path.suffix}"))
    for stale in [one for one in path.parent.iterdir() if name.fullmatch(one.name)]:
        remove_tree(stale)
    for leftover in path.rglob("*.partial"):
        leftover.unlink(missing_ok=True)


def attach(path: str | Path, wanted: Template) -> Store:
    """The store of a run that another process has begun, to write some of its days.

    Raises:
        OutputError: if it is of other work.
    """
    return Store(path, _grown(path, wanted))


def prepare(store: Store) -> Store:
    """The store, ready for days to be written: what it lacks of its template is written, and it says that it is unfinished.

    The plan and the metadata of the whole come first: whoever goes on after a kill knows by them how far it is to go.
    """
    beside = store.path if isinstance(store.path, Path) else Path(tempfile.gettempdir()) / "template.zarr"
    temporary = temporary_name(beside)
    try:
        with writing(store.path):
            store.template.write(temporary)
            files = sorted(one.relative_to(temporary) for one in temporary.rglob("*") if one.is_file())
            for name in sorted(files, key=_rank):
                _bring(temporary / name, join(store.path, str(name)))
    finally:
        remove_tree(temporary)
    return replace(store)  # with its arrays to be opened anew


def _bring(file: Path, place: str | Path) -> None:
    """Put a file to a place that does not have the same yet."""
    if read_whole(place) == file.read_bytes():
        return
    if isinstance(place, str):
        remote.put_whole(place, file.read_bytes())
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    file.replace(place)


def _rank(name: Path) -> tuple[bool, int]:
    """The order of a template's files: the plan, its values before its shape; then the metadata of the whole; the rest."""
    plan = name.is_relative_to(PLANNED)
    return not plan, -len(name.parts) if plan else len(name.parts)


def _settle(temporary: Path, path: Path) -> None:
    """Give a template its name, unless another process was quicker."""
    try:
        temporary.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def status_of(path: str | Path) -> str | None:
    """What a store of ours says of itself, ``unfinished`` or ``complete``; None if it is none."""
    try:
        status = json.loads(read_whole(join(path, "zarr.json")) or b"")["attributes"]["status"]
        return str(status) if status in (UNFINISHED, COMPLETE) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def finished_days(path: str | Path) -> set[Date]:
    """The days that a store of ours has; none if there is no store."""
    if status_of(path) is None or not templates.is_dated(path):
        return set()
    group: Any = zarr.open_group(zarr_store(path), mode="r", use_consolidated=False)
    first, rows = templates.first_day(dict(group.attrs)), group[LEDGER]
    return {first + number for number in range(rows.shape[0]) if entry_of(rows[number]) is not None}


def is_unfinished(path: str | Path) -> bool:
    """Whether this is a store of ours that says it is unfinished."""
    return status_of(path) == UNFINISHED


def _grown(path: str | Path, wanted: Template) -> Template:
    """What an existing store is when it has also what is wanted.

    Raises:
        OutputError: if it is no store of this work.
    """
    if status_of(path) is None or not templates.is_dated(path):
        raise OutputError(f"{label_of(path)}: exists already, and is not a store of deepcams; give another name, or "
                          "--overwrite to replace it")  # fmt: skip
    group: Any = zarr.open_group(zarr_store(path), mode="r", use_consolidated=False)
    _refuse_other(path, group, wanted)
    found = dict(group.attrs)
    first, last = templates.first_day(found), templates.last_day(found)
    if not first <= wanted.first <= last:
        raise OutputError(f"{label_of(path)}: a store from {first} to {last}, and the data begin on {wanted.first}: a store "
                          "can only be extended forward, with data that go on from its last day; give --start "
                          f"{first} or inputs that reach back, or another name")  # fmt: skip
    planned = np.zeros(int((last - first).astype(int)) + 1, np.uint32)
    if PLANNED in group:
        there = group[PLANNED][:][: planned.size]
        planned[: there.size] = there
    inputs = [name for name in str(found["deepcams_inputs"]).split(", ") if name]
    product = wanted.product
    own = Template(_naming(product, inputs), first, planned, wanted.keepbits, wanted.layout)
    return own.extended(wanted)


def _naming(product: Product, inputs: Sequence[str]) -> Product:
    """A product made from files of these names."""
    return replace(product, origin={**product.origin, "inputs": list(inputs)})


def _refuse_other(path: str | Path, group: Any, wanted: Template) -> None:
    """Refuse a store that this work did not begin."""
    grid = wanted.product.grid
    needed = _facts(wanted.attributes, (grid.latitude, grid.longitude))
    found = dict(group.attrs)
    there = _facts(found, (group["latitude"][:], group["longitude"][:]))
    different = [name for name, value in needed.items() if there.get(name) != value]
    if different:
        name = different[0]
        raise OutputError(f"{label_of(path)}: {_articled(found['status'])} store of other work: {name} is "
                          f"{there.get(name)!r} there, and {needed[name]!r} was asked for; give another name, or "
                          "--overwrite to start anew")  # fmt: skip


def _articled(status: str) -> str:
    return f"an {status}" if status == UNFINISHED else f"a {status}"


def _facts(attributes: Mapping[str, Any], axes: tuple[NDArray[np.float64], NDArray[np.float64]]) -> dict[str, Any]:
    """What tells one work from another: its settings one by one, its grid, and the other attributes."""
    corners = [f"{axis.size} from {axis[0]:g} to {axis[-1]:g}" for axis in axes]
    facts = json.loads(str(attributes.get("deepcams_settings", "{}"))) | {"grid": " x ".join(corners)}
    others = {name: value for name, value in attributes.items() if name not in _MAY_CHANGE}
    return facts | {"layout": MAPS} | {name.removeprefix("deepcams_"): value for name, value in others.items()}
