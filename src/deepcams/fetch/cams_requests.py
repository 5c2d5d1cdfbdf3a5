"""What is asked of the Atmosphere Data Store for a period: the requests, and what their files must hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.fetch.datastore import Order
from deepcams.grid import Grid, Region
from deepcams.regions import REGIONS

VARIABLES = {"pm1": "particulate_matter_1um", "pm2p5": "particulate_matter_2.5um", "pm10": "particulate_matter_10um"}
_FORMATS = {"grib": "grib", "netcdf": "netcdf_zip"}  # as the form of the store has them
_SUFFIXES = {"grib": (".grib", ".zip"), "netcdf": (".zip", ".nc")}
_BYTES_PER_VALUE = {"grib": 2.0, "netcdf": 1.5}  # 16 bits; deflated, as the sample that ships with the package
_HEADER = 250  # bytes of a field that are none of its values
_ROUND = 9  # digits of degrees

Hours = NDArray[np.datetime64]


@dataclass(frozen=True)
class Dataset:
    """A dataset of the store.

    Attributes:
        name: the store's.
        prefix: of the files' names.
        title: for people.
        begin: its first day.
        step: of its grid, in degrees.
        hours: between its fields.
        inputs: what is asked of every day.
        note: what a user should be told.
    """

    name: str
    prefix: str
    title: str
    begin: date
    step: float
    hours: int
    inputs: tuple[tuple[str, tuple[str, ...]], ...]
    note: str = ""

    @property
    def grid(self) -> Grid:
        """The global grid."""
        return Grid(90, 0, self.step, round(180 / self.step) + 1, round(360 / self.step))


DATASETS = {
    "eac4": Dataset(
        "cams-global-reanalysis-eac4",
        "eac4",
        "CAMS reanalysis EAC4",
        date(2003, 1, 1),
        0.75,
        3,
        (("time", tuple(f"{hour:02d}:00" for hour in range(0, 24, 3))),),
    ),
    # The first twelve hours of both runs of a day: the hours nearest to observations, each once.
    "forecast": Dataset(
        "cams-global-atmospheric-composition-forecasts",
        "forecast",
        "CAMS global forecast",
        date(2015, 1, 1),
        0.4,
        1,
        (
            ("type", ("forecast",)),
            ("time", ("00:00", "12:00")),
            ("leadtime_hour", tuple(str(hour) for hour in range(12))),
        ),
        "the forecast is on a grid of 0.4 degrees, which deepcams downscale refuses (wanted: 0.75, EAC4)",
    ),
}


@dataclass(frozen=True)
class Request:
    """One file to be.

    Attributes:
        stem: of its name.
        suffixes: that its name may have.
        order: what is asked of the store.
        variable: its name in the file.
        first: the first day.
        last: the last day.
        hours: between fields.
        grid: that the fields must be on.
        size: bytes expected.
    """

    stem: str
    suffixes: tuple[str, ...]
    order: Order
    variable: str
    first: date
    last: date
    hours: int
    grid: Grid
    size: int

    @property
    def times(self) -> Hours:
        """(n,) datetime64[h], UTC: the instants wanted."""
        end = np.datetime64(self.last + timedelta(days=1), "h")
        return np.arange(np.datetime64(self.first, "h"), end, np.timedelta64(self.hours, "h"))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {"file": f"{self.stem}{self.suffixes[0]}", "fields": int(self.times.size), "expected_bytes": self.size}
        return {**self.order.to_dict(), **told}


def plan(
    dataset: Dataset,
    start: date,
    end: date,
    *,
    variable: str = "pm2p5",
    form: str = "netcdf",
    region: Region | None = None,
    today: date | None = None,
) -> list[Request]:
    """The requests for a period: one for each calendar month, for the days wanted only.

    Args:
        dataset: one of :data:`DATASETS`.
        start: the first day.
        end: the last day.
        variable: one of :data:`VARIABLES`.
        form: ``netcdf`` or ``grib``.
        region: a box; None for the globe. It is rounded outwards to whole steps of the grid, so that the grids of all
            requests agree, and with the global one.
        today: the last day that can be asked for; by default it is today, UTC.

    Raises:
        InputError: if the period is empty, or there can be no such data.
    """
    today = datetime.now(UTC).date() if today is None else today
    if end < start:
        raise InputError(f"the period starts at {start} and ends at {end}: wanted --start before --end")
    if start < dataset.begin or end > today:
        raise InputError(f"the period is {start} to {end}: wanted one within {dataset.begin} (where the {dataset.title} "
                         f"begins) and {today} (today)")  # fmt: skip
    area = None if region is None else outwards(region, dataset.step)
    stem = "_".join(part for part in (dataset.prefix, variable, _region_name(region)) if part)
    grid = dataset.grid if area is None else grid_of(area, dataset.step)
    return [
        _request(dataset, f"{stem}_{_period_name(first, last)}", first, last, variable, form, area, grid)
        for first, last in months(start, end)
    ]


def months(start: date, end: date) -> Iterator[tuple[date, date]]:
    """The first and the last day wanted of each calendar month."""
    while start <= end:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = min(end, following - timedelta(days=1))
        yield start, last
        start = following


def outwards(region: Region, step: float) -> Region:
    """The smallest box with whole steps of the global grid that holds a region."""
    west = _down(region.west, step)
    width = _up(region.west - west + region.width, step)
    west = round((west + 180) % 360 - 180, _ROUND)
    if region.width == 360 or width >= 360:
        west, width = -180.0, 360.0
    east = west + width
    east = east - 360 if east > 180 else east
    return Region(min(_up(region.north, step), 90.0), west, max(_down(region.south, step), -90.0), round(east, _ROUND))


def grid_of(area: Region, step: float) -> Grid:
    """The grid of the fields in a box with whole steps of the global grid; all around, the last meridian is not repeated."""
    rows = round((area.north - area.south) / step) + 1
    around = area.width == 360
    columns = round(360 / step) if around else round(area.width / step) + 1
    return Grid(area.north, 0 if around else area.west, step, rows, min(columns, round(360 / step)))


def _request(
    dataset: Dataset, stem: str, first: date, last: date, variable: str, form: str, area: Region | None, grid: Grid
) -> Request:
    inputs: dict[str, Any] = {
        "variable": [VARIABLES[variable]],
        "date": [f"{first}/{last}"],
        **{name: list(values) for name, values in dataset.inputs},
        "data_format": _FORMATS[form],
    }
    if area is not None:
        inputs["area"] = list(area.bounds)
    fields = ((last - first).days + 1) * 24 // dataset.hours
    size = round(fields * (grid.rows * grid.columns * _BYTES_PER_VALUE[form] + _HEADER))
    order = Order(dataset.name, inputs)
    return Request(stem, _SUFFIXES[form], order, variable, first, last, dataset.hours, grid, size)


def _up(value: float, step: float) -> float:
    return round(math.ceil(round(value / step, _ROUND)) * step, _ROUND)


def _down(value: float, step: float) -> float:
    return round(math.floor(round(value / step, _ROUND)) * step, _ROUND)


def _region_name(region: Region | None) -> str:
    """A name for files: the region's own, or its bounds as 55N-2.5E-45N-24E; empty for the globe."""
    if region is None:
        return ""
    named = next((name for name, known in REGIONS.items() if known == region), None)
    bounds = [_degrees(value, signs) for value, signs in zip(region.bounds, ("NS", "EW") * 2, strict=True)]
    return named or "-".join(bounds)


def _degrees(value: float, signs: str) -> str:
    return f"{abs(value):g}{signs[value < 0]}"


def _period_name(first: date, last: date) -> str:
    """2019-12 for a whole month, 2019-12-31 for a day, else the first and the last day."""
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        return f"{first:%Y-%m}"
    return str(first) if first == last else f"{first}_{last}"
