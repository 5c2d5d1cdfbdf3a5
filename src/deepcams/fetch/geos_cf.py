"""GEOS-CF: NASA's hourly PM2.5 at 0.25 degrees, from the hourly files of the data portal of the NCCS, as a file a day.

The portal needs no key. It has a folder a day, and in it a file an hour for each collection: ``aqc_tavg_1hr``, the hourly
means of the lowest layer, stamped at half past. Version 1 (from 2018 to the beginning of 2026) and version 2 (from August
2025 on) are two systems, and never share a folder here. Files of version 2 come in revisions (``.R0``, ``.R1``): the latest
is taken. What files there are is read off the page that lists a folder.

Files, and not OPeNDAP, although a file holds more than is wanted: they are resumed by ranges, and can be checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import FetchError, InputError
from deepcams.fetch.download import download
from deepcams.fetch.geos_cf_files import SERVICE, VERSIONS, WHOLE, Version, read_hour, write_day
from deepcams.fetch.http import get
from deepcams.fetch.index import Index
from deepcams.fetch.many import in_flight
from deepcams.fetch.patience import Patience
from deepcams.grid import Grid, Region
from deepcams.io.output import check_folder, temporary_name
from deepcams.timeline import check_period

Days = NDArray[np.datetime64]

URL = "https://portal.nccs.nasa.gov/datashare/gmao/geos-cf"
HOURS = 24
_PATIENT = Patience()
_RAW = ".hours"  # a hidden folder for the hourly files of days that are not whole yet
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Order:
    """What is wanted.

    Attributes:
        start: datetime64[D], the first day (UTC).
        end: the last one.
        version: of GEOS-CF.
        region: the part of the Earth; None for all of it.
        url: the address above the versions.
    """

    start: np.datetime64
    end: np.datetime64
    version: Version
    region: Region | None = None
    url: str = URL

    def __post_init__(self) -> None:
        check_period(self.start, self.end)
        today = np.datetime64(datetime.now(UTC).date())
        if self.end > today:
            raise InputError(f"the period ends with {self.end}, and today is {today}: give an earlier --end")

    @property
    def days(self) -> Days:
        """(n,) datetime64[D]."""
        return np.arange(self.start, self.end + _DAY)

    @property
    def grid(self) -> Grid:
        """The grid of the files written."""
        return WHOLE.window(*self.window)

    @property
    def window(self) -> tuple[range, range]:
        """The rows and columns of the whole grid that are kept; columns may run past the last."""
        if self.region is None:
            return range(WHOLE.rows), range(WHOLE.columns)
        rows, columns = WHOLE.row_window(self.region), WHOLE.column_window(self.region)
        if len(rows) < 2 or len(columns) < 2:
            raise InputError(f"the region {self.region.bounds} has {len(rows)} x {len(columns)} nodes of 0.25 degrees: "
                             "wanted 2 x 2 at least")  # fmt: skip
        return rows, columns

    def what(self, day: np.datetime64) -> dict[str, Any]:
        """The request for a day, JSON-ready."""
        region = list(self.region.bounds) if self.region else None
        return {"version": self.version.name, "day": str(day), "region": region}

    def name(self, day: np.datetime64) -> str:
        """The name of a day's file."""
        return f"geos-cf-{self.version.name}_{day}.nc"

    def folder(self, root: str, day: np.datetime64) -> str:
        """The address of a day's folder at the portal."""
        year, month, number = str(day).split("-")
        return f"{self.url.rstrip('/')}/{root}/Y{year}/M{month}/D{number}/"


@dataclass
class Summary:
    """What came of an order.

    Attributes:
        written: files written now.
        kept: files that were there already.
        size: bytes fetched.
        seconds: what it took.
        missing: for each day that lacks hours at the portal, which.
    """

    written: int = 0
    kept: int = 0
    size: int = 0
    seconds: float = 0.0
    missing: dict[str, tuple[int, ...]] = field(default_factory=dict)


def choose_version(start: np.datetime64, end: np.datetime64, asked: str | None = None) -> Version:
    """The version asked for, or the one that has the whole period; the earlier one where both have.

    Raises:
        InputError: if there is none.
    """
    if asked is not None:
        return VERSIONS[asked]
    for version in VERSIONS.values():
        if start >= np.datetime64(version.first) and (version.last is None or end <= np.datetime64(version.last)):
            return version
    has = " and ".join(
        f"{one.name} from {one.first} {f'to {one.last}' if one.last else 'on'}" for one in VERSIONS.values()
    )
    raise InputError(f"no version of GEOS-CF has all days from {start} to {end}: there are {has}, which are two systems; "
                     "fetch a part of the period into a folder of its own, with --version v1 or v2")  # fmt: skip


def fetch_geos_cf(
    folder: Path,
    order: Order,
    *,
    workers: int = 4,
    allow_missing: bool = False,
    patience: Patience = _PATIENT,
    progress: Callable[[int], None] = lambda hours: None,
) -> Summary:
    """Fetch days of hourly PM2.5, each as one NetCDF file; days that are there already are kept.

    Args:
        folder: where they go.
        order: what is wanted.
        workers: requests in flight.
        allow_missing: whether a day is written with the hours there are; else it is left out.
        patience: how long to wait for the portal.
        progress: told how many hours more are done.

    Raises:
        InputError: if the folder holds another version or region, or files that were not fetched by this.
        FetchError: if the portal does not answer, or lacks hours and they may not be missing, or another run fetches into
            the folder.
        OutputError: if the files cannot be written.
    """
    check_folder(folder, (), overwrite=False)
    began, summary, index = time.monotonic(), Summary(), Index(folder)
    with index.alone("geos-cf"):  # so that no other run brings another version or region
        refuse_others(index, order)
        for day in order.days:
            if index.is_whole(order.name(day), what=order.what(day)):
                summary.kept += 1
                progress(HOURS)
            else:
                _fetch_day(index, order, day, workers, allow_missing, patience, progress, summary)
        _tidy(folder)
    summary.seconds = time.monotonic() - began
    left_out = {
        day: hours for day, hours in summary.missing.items() if not (folder / order.name(np.datetime64(day))).exists()
    }
    if left_out:
        raise FetchError(_left_out(order, left_out, summary))
    return summary


def refuse_others(index: Index, order: Order) -> None:
    """Refuse a folder with files of another version or region.

    Raises:
        InputError: if there are any.
    """
    own = f"geos-cf-{order.version.name}_"
    others = sorted(file.name for file in index.folder.glob("geos-cf-*_*.nc") if not file.name.startswith(own))
    if others:
        raise InputError(f"{index.folder} holds another version of GEOS-CF ({others[0]}), which is another system: fetch "
                         f"{order.version.name} into a folder of its own")  # fmt: skip
    wanted = order.what(order.start)["region"]
    for entry in index.entries():
        if entry.service == SERVICE and entry.what.get("region") != wanted:
            raise InputError(f"{index.folder} holds another region of GEOS-CF ({entry.what.get('region') or 'all of it'} in "
                             f"{entry.name}): fetch {wanted or 'all of it'} into a folder of its own")  # fmt: skip


def _fetch_day(index: Index, order: Order, day: np.datetime64, workers: int, allow_missing: bool, patience: Patience,
               progress: Callable[[int], None], summary: Summary) -> None:  # fmt: skip
    """Fetch the hours of a day and write them, unless some are missing and may not be."""
    present = _listed(order, day, patience)
    absent = tuple(hour for hour in range(HOURS) if hour not in present)
    if absent:
        summary.missing[str(day)] = absent
    progress(len(absent))
    if not present or (absent and not allow_missing):
        progress(len(present))
        return
    raw = index.folder / _RAW

    def work(hour: int) -> int:
        return _fetch_hour(order, present[hour], raw, _instant(day, hour), patience)

    for _, size in in_flight(work, sorted(present), count=workers):
        summary.size += size
        progress(1)
    files = {_instant(day, hour): raw / _name_of(present[hour]) for hour in sorted(present)}
    path = index.folder / order.name(day)
    temporary = temporary_name(path)
    try:
        write_day(temporary, order.version, order.window, files)
        index.admit(
            path.name, temporary, service=SERVICE, what=order.what(day), url=order.folder(order.version.folders[0], day)
        )
    finally:
        temporary.unlink(missing_ok=True)
    summary.written += 1
    for file in files.values():
        file.unlink(missing_ok=True)


def _listed(order: Order, day: np.datetime64, patience: Patience) -> Mapping[int, str]:
    """The addresses of a day's files by hour, the latest revision of each, as the portal's page lists them."""
    found: dict[int, tuple[int, str]] = {}
    for root in order.version.folders:
        url = order.folder(root, day)
        answer = get(url, patience=patience, service=SERVICE)
        if answer.status not in (200, 404):
            raise FetchError(f"{SERVICE}: {url} answers {answer.status}: wanted a page that lists the files of {day}; if it "
                             "stays so, the portal has changed: say where the files are with --url")  # fmt: skip
        page = answer.content.decode("utf-8", "replace") if answer.status == 200 else ""
        for name in order.version.file.finditer(page):
            hour, revision = int(name["hour"]), int(name["revision"] or -1)
            if name["day"] == str(day).replace("-", "") and hour < HOURS and revision >= found.get(hour, (-2, ""))[0]:
                found[hour] = revision, url + name.group()
        if found:
            break
    return {hour: url for hour, (_, url) in found.items()}


def _fetch_hour(order: Order, url: str, raw: Path, hour: np.datetime64, patience: Patience) -> int:
    """Fetch an hour's file unless it is there; the bytes that came."""
    path = raw / _name_of(url)
    if path.exists():  # it was checked before it got its name
        return 0

    def check(file: Path) -> None:
        read_hour(file, order.version, hour)

    return download(url, path, patience=patience, service=SERVICE, check=check).size


def _instant(day: np.datetime64, hour: int) -> np.datetime64:
    return day.astype("datetime64[h]") + np.timedelta64(hour, "h")


def _name_of(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def _tidy(folder: Path) -> None:
    """Remove the folder of hourly files if nothing is in it."""
    raw = folder / _RAW
    if raw.is_dir() and not any(raw.iterdir()):
        raw.rmdir()


def _left_out(order: Order, missing: Mapping[str, Sequence[int]], summary: Summary) -> str:
    """The message that days lack hours."""
    day, hours = next(iter(missing.items()))
    listed = ", ".join(map(str, hours[:6])) + (" ..." if len(hours) > 6 else "")
    some = "all hours" if len(hours) == HOURS else f"the hours {listed}"
    others = len(missing) - 1
    more = f" and of {others} other day{'s' * (others != 1)}" if others else ""
    where = order.folder(order.version.folders[0], np.datetime64(day))
    return (
        f"{SERVICE} {order.version.name} lacks {some} of {day}{more}, as {where} lists them; {summary.written} days were "
        f"written, {summary.kept} kept, and these left out: try later, or write days with the hours there are "
        "(--allow-missing)"
    )
