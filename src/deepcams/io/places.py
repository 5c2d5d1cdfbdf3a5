"""Hourly series at places: stations, or single nodes of a model.

The form is CF's discrete sampling geometry ``timeSeries`` in NetCDF: ``pm2p5`` (station, time) in ug m-3, ``latitude`` and
``longitude`` (station), ``time``. ``tools/make_places.py`` makes such files of tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.io.analyses import Hours
from deepcams.io.files import first_line

if TYPE_CHECKING:
    import xarray as xr

_STATION, _TIME = "station", "time"
_MIDDLE = "middle_of_mean_hours"


@dataclass(frozen=True)
class Places:
    """Hourly PM2.5 at some places.

    Attributes:
        name: for messages.
        latitude: (places,) degrees.
        longitude: (places,) degrees.
        times: (n,) datetime64[h] UTC, every hour from the first to the last.
        values: (places, n) float32 ug m-3, NaN where unknown.
        middle: hours from a value's time to the middle of what it is a mean of.
        attribution: whom the file names as its source.
    """

    name: str
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    times: Hours
    values: NDArray[np.float32]
    middle: float
    attribution: str


def open_places(path: Path) -> Places:
    """The series in a file.

    Raises:
        InputError: if it is not there, is of another form, has other units, or its times are not hourly.
    """
    import xarray as xr

    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted NetCDF with hourly series at places")
    try:
        with xr.open_dataset(path) as dataset:
            return _checked(path, dataset.load())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as NetCDF ({first_line(error)})") from error


def _checked(path: Path, dataset: xr.Dataset) -> Places:
    wanted = "wanted pm2p5 (station, time) in ug m-3 with latitude and longitude of each station (CF timeSeries)"
    if "pm2p5" not in dataset or set(dataset["pm2p5"].dims) != {_STATION, _TIME}:
        found = ", ".join(f"{name} {one.dims}" for name, one in dataset.data_vars.items()) or "nothing"
        raise InputError(f"{path}: has {found}; {wanted}")
    values = dataset["pm2p5"].transpose(_STATION, _TIME)
    if values.attrs.get("units") != "ug m-3":
        raise InputError(f"{path}: units {values.attrs.get('units')!r}; {wanted}")
    missing = [name for name in ("latitude", "longitude") if name not in dataset or dataset[name].dims != (_STATION,)]
    if missing:
        raise InputError(f"{path}: no {missing[0]} of the stations; {wanted}")
    stamps = dataset[_TIME].values
    if stamps.dtype.kind != "M":
        raise InputError(f"{path}: no times that can be read (found {stamps.dtype}); wanted CF times like 'hours since "
                         "2019-01-01' in the standard calendar")  # fmt: skip
    times = stamps.astype("datetime64[h]")
    if times.size < 2 or (np.diff(stamps) != np.timedelta64(1, "h")).any():
        raise InputError(f"{path}: times that are not every hour from the first to the last; fill gaps with NaN")
    latitude, longitude = (dataset[name].values.astype(np.float64) for name in ("latitude", "longitude"))
    if not (np.abs(latitude) <= 90).all() or not np.isfinite(longitude).all():
        raise InputError(f"{path}: a station with a latitude beyond 90 degrees or no number for a place; {wanted}")
    known = values.values.astype(np.float32)
    known = np.where((known >= 0) & np.isfinite(known), known, np.float32(np.nan))
    middle = float(dataset.attrs.get(_MIDDLE, 0.0)) + float((stamps[0] - times[0]) / np.timedelta64(1, "h"))
    return Places(path.stem, latitude, longitude, times, known, middle, str(dataset.attrs.get("source", "")))
