"""Reading the maps published with the paper (Xiao et al., 2022, doi:10.5281/zenodo.6967082): MATLAB files, one an hour.

A map is a variable ``data`` of 720 x 1440 or 721 x 1440 numbers without coordinates, units or time. Where its rows and
columns lie is derived from how it was made (``docs/published.md``): the network turns 241 x 480 nodes of CAMS into
723 x 1440 values, a coarse node in the middle of its 3 x 3, and these are resized to 720 rows. So row r of n lies at
90.375 - 180.75 / n * (r + 0.5) degrees north, column k at 0.25 * (k - 1) degrees east. Read as cells of 0.25 degrees, which
is what 720 x 1440 looks like, the values are off by up to 0.374 degrees in latitude and by 0.375 in longitude.

A file ``published.json`` beside the maps says what they do not: see :class:`Description`.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.output import partial
from deepcams.units import MICROGRAMS, Species, micrograms_per, species_of

Hours = NDArray[np.datetime64]
Values = NDArray[np.float32]

DESCRIPTION = "published.json"
CELLS, NODES = "cells", "nodes"
DOI = "10.5281/zenodo.6967082"
_STEP, _COLUMNS, _ROWS = 0.25, 1440, (720, 721)
_GLOBAL = Grid(90, 0, _STEP, 721, _COLUMNS)
_TOP, _HEIGHT = 90.375, 180.75  # degrees: the upper edge of 241 rows of 0.75 degrees, and what they cover
_DEEPEST = 3  # folders below the one given in which maps are looked for: year, month, day
_LEVELS = 3  # folders above a map in which its description may lie
_PARTS = 6  # of a path, from its end, that may tell the time
_KEPT = 30  # maps kept in memory: a UTC day, which is read box by box
_CONCENTRATION, _KILOGRAMS = 1.0, 1e-4  # a global map's largest value is above in ug m-3, and below in kg m-3
_TIME = re.compile(
    r".*(?<!\d)(?P<YYYY>(?:19|20)\d\d)(?:\D(?:.*\D)?)?(?P<MM>\d\d)\D?(?P<DD>\d\d)\D?(?P<HH>\d\d)\D*", re.DOTALL
)
_OTHERS = (".nc", ".nc4", ".zarr", ".grib", ".grb")
_MARKS = {"YYYY": r"\d{4}", "MM": r"\d\d", "DD": r"\d\d", "HH": r"\d\d"}
_EXAMPLE = '{"time": "YYYY/MM_DD_HH"}'


@dataclass(frozen=True)
class Description:
    """What the maps of a folder do not say themselves, as ``published.json`` beside them or above has it.

    Attributes:
        time: the end of their path without suffix, with YYYY, MM, DD and HH for the numbers and * for anything within a
            name, such as ``YYYY/cams/MM_DD_HH``; None for a year followed by two digits each of month, day and hour.
        hour_shift: hours that are added to what the names say; 24 o'clock is 0 o'clock of the next day.
        units: of the values; None to tell them from their magnitude.
        placement: ``cells``: as they look, at the centres of 0.25 degree cells from 90 N and 0 E, or for 721 rows on the nodes;
            ``nodes``: where they are, linear in latitude on the 721 x 1440 nodes from 90 N and 0 E.
        west: the meridian that the first column is counted from, 0 or -180.
        south_first: whether the first row is the southern one.
    """

    time: str | None = None
    hour_shift: int = 0
    units: str | None = None
    placement: str = CELLS
    west: int = 0
    south_first: bool = False

    def __post_init__(self) -> None:
        if self.placement not in (CELLS, NODES):
            raise InputError(f"placement {self.placement!r}: wanted {CELLS} or {NODES}")
        if self.west not in (0, -180):
            raise InputError(f"west {self.west!r}: wanted 0 or -180")
        if not isinstance(self.hour_shift, int) or not isinstance(self.south_first, bool):
            raise InputError("wanted a whole number of hours as hour_shift, and true or false as south_first")
        if self.time is not None:
            _pattern(self.time)
        if self.units is not None:
            micrograms_per(str(self.units))


@dataclass(frozen=True, eq=False)
class PublishedMaps:
    """Hourly maps in MATLAB files.

    Attributes:
        label: what to call them in messages.
        files: one an hour, in the order of ``times``.
        times: (n,) datetime64[h], ascending, each once.
        grid: where the values lie, as the description has it.
        description: what the maps do not say themselves.
    """

    label: str
    files: tuple[Path, ...]
    times: Hours
    grid: Grid
    description: Description
    _kept: OrderedDict[int, Values] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def species(self) -> Species:
        """PM2.5 in ug m-3."""
        return species_of("pm2p5", MICROGRAMS)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What a file of ours would say of itself, where the values were put among it."""
        where = (
            "as published, read as cells of 0.25 degrees; they lie up to 0.37 degrees off in latitude and 0.375 in longitude"
            if self.grid.rows == _ROWS[0]
            else "as published, read as nodes; they lie up to 0.25 degrees off in latitude and in longitude"
        )
        if self.description.placement == NODES:
            where = "put where they were computed, linear in latitude"
        title = f"DeepCAMS as published (Xiao et al., 2022), values {where}"
        return {"title": title, "source": f"doi:{DOI}", "references": "doi:10.1016/j.scitotenv.2022.157747"}

    def load(self, hours: slice, rows: slice, columns: slice) -> Values:
        """A box of the maps of some hours: (hours, rows, columns) in ug m-3, NaN where unknown.

        Raises:
            InputError: if a file is damaged, of another size, or its magnitude tells no unit.
        """
        chosen = range(len(self.files))[hours]
        return np.stack([self._map(index)[rows, columns] for index in chosen])

    def _map(self, index: int) -> Values:
        with self._lock:
            known = self._kept.get(index)
        if known is None:
            known = self._placed(index)
            with self._lock:
                self._kept[index] = known
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return known

    def _placed(self, index: int) -> Values:
        path, told = self.files[index], self.description
        values = _numbers(path)
        values = values[::-1] if told.south_first else values
        values = np.roll(values, _COLUMNS // 2, axis=1) if told.west else values
        scaled = values.astype(np.float64) * _unit(path, values, told.units)
        placed = _on_nodes(scaled) if told.placement == NODES else scaled
        if placed.shape != self.grid.shape:
            raise InputError(f"{path}: {values.shape[0]} rows, {self.files[0]} has another number of them; "
                             "take them one after the other")  # fmt: skip
        return placed.astype(np.float32)


def holds_maps(place: str | Path) -> bool:
    """Whether it is a MATLAB file, a pattern of them, a folder with some in it, or a description of maps."""
    path = Path(place)
    if path.suffix.lower() in (".mat", ".json"):
        return path.is_file() or "*" in path.name
    if not path.is_dir():
        return False
    return (path / DESCRIPTION).is_file() or (not _has_others(path) and _first_map(path) is not None)


def open_maps(places: str | Path | Iterable[str | Path]) -> PublishedMaps:
    """The maps of a folder, of some files or patterns, or of the folder that a description lies in.

    Args:
        places: a folder or a description (``.json``), or MATLAB files and patterns.

    Raises:
        InputError: if there are none, their names do not tell their time, two are of one hour, or they are of another size.
    """
    given = [Path(places)] if isinstance(places, str | Path) else [Path(one) for one in places]
    described = [one for one in given if one.suffix.lower() == ".json"]
    files = [file for one in given for file in _files(one)]
    label = str(given[0]) if len(given) == 1 else f"{files[0]} and {len(files) - 1} more"
    told = read_description(described[0]) if described else _description_of(files[0].parent)
    hours = np.array([_hour(file, told) for file in files], "datetime64[h]")
    order = np.argsort(hours, kind="stable")
    times, files = hours[order], [files[number] for number in order]
    for number in np.flatnonzero(np.diff(times) == np.timedelta64(0, "h"))[:1]:
        raise InputError(f"{files[number]} and {files[number + 1]} are both of {times[number]}:00 UTC by their names; leave "
                         f'one out, or say with "time" in {DESCRIPTION} how to read the names')  # fmt: skip
    return PublishedMaps(label, tuple(files), times, _grid(files[0], told), told)


def read_description(path: Path) -> Description:
    """The description in a JSON file.

    Raises:
        InputError: if it is damaged or says what is not known.
    """
    wanted = f"wanted a file like {_EXAMPLE}"
    try:
        content = json.loads(path.read_bytes())
        unknown = sorted(set(content) - {one.name for one in fields(Description)} - {"about"})
        if unknown:
            raise InputError(f"{path}: unknown {', '.join(unknown)}; {wanted}")
        return Description(**{key: value for key, value in content.items() if key != "about"})
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); {wanted}") from error
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def write_description(path: Path, description: Description, about: str) -> None:
    """Write a description beside maps.

    Raises:
        OutputError: if it cannot be written, or is there already.
    """
    with partial(path, overwrite=False) as temporary:
        temporary.write_text(json.dumps({"about": about} | asdict(description), indent=1) + "\n", encoding="utf-8")


def row_latitude(rows: int) -> NDArray[np.float64]:
    """(rows,) degrees north at which the rows of a published map were computed; the outermost lie beyond the poles."""
    return _TOP - _HEIGHT / rows * (np.arange(rows, dtype=np.float64) + 0.5)


def _files(place: Path) -> Sequence[Path]:
    """The maps of a folder, of a description's folder, of a pattern, or one."""
    folder = place.parent if place.suffix.lower() == ".json" else place
    if folder.is_dir():
        found = sorted(file for depth in range(_DEEPEST + 1) for file in _maps(folder, depth))
        if not found:
            raise InputError(f"{folder}: no .mat file in it, nor in {_DEEPEST} folders below; unpack archives first")
        return found
    if place.is_file():
        return [place]
    found = sorted(place.parent.glob(place.name)) if "*" in place.name else []
    if not found:
        raise InputError(f"{place}: no such file or folder")
    return found


def _maps(folder: Path, depth: int) -> Iterable[Path]:
    return (file for file in folder.glob("*/" * depth + "*.mat") if not file.name.startswith("."))


def _has_others(folder: Path) -> bool:
    """Whether there are files of other forms, which count if nothing says that the MATLAB files are meant."""
    return any(child.suffix.lower() in _OTHERS and not child.name.startswith(".") for child in folder.iterdir())


def _first_map(folder: Path) -> Path | None:
    return next((file for depth in range(_DEEPEST + 1) for file in _maps(folder, depth)), None)


def _description_of(folder: Path) -> Description:
    """The description in a folder, or in the nearest above; an empty one if there is none."""
    for level in (folder.absolute(), *list(folder.absolute().parents)[:_LEVELS]):
        if (level / DESCRIPTION).is_file():
            return read_description(level / DESCRIPTION)
    return Description()


def _pattern(text: str) -> re.Pattern[str]:
    """The pattern of a description as one for the end of paths."""
    for mark in _MARKS:
        if text.count(mark) != 1:
            raise InputError(f"time {text!r}: wanted YYYY, MM, DD and HH once each, as in YYYY/MM_DD_HH")
    plain = re.escape(text.removesuffix(".mat")).replace(r"\*", "[^/]*")
    for mark, digits in _MARKS.items():
        plain = plain.replace(mark, f"(?P<{mark}>{digits})")
    return re.compile(f"(?:.*/)?{plain}", re.DOTALL)


def _hour(path: Path, told: Description) -> np.datetime64:
    """The hour that a file's name tells."""
    text = "/".join(path.absolute().with_suffix("").parts[-_PARTS:])
    found = (_TIME if told.time is None else _pattern(told.time)).fullmatch(text)
    wanted = f"say how to read the names in {DESCRIPTION} beside the maps, as in {_EXAMPLE}"
    if found is None:
        raise InputError(f"{path}: its name does not tell the hour: wanted year, month, day and hour "
                         f"({told.time or 'such as 2019/12_31_15.mat'}); {wanted}")  # fmt: skip
    year, month, day, hour = (int(found[mark]) for mark in _MARKS)
    try:
        midnight = np.datetime64(date(year, month, day), "h")
    except ValueError:
        midnight = None
    if midnight is None or hour > 24:
        raise InputError(f"{path}: its name tells no hour there is ({year}-{month}-{day}, {hour}); {wanted}")
    return midnight + np.timedelta64(hour + told.hour_shift, "h")


def _grid(path: Path, told: Description) -> Grid:
    rows, columns = _numbers(path).shape
    if rows not in _ROWS or columns != _COLUMNS:
        raise InputError(f"{path}: {rows} x {columns} numbers: wanted 720 x 1440 or 721 x 1440, as they are published")
    return _GLOBAL if told.placement == NODES or rows == _GLOBAL.rows else Grid(89.875, 0.125, _STEP, rows, columns)


def _numbers(path: Path) -> NDArray[Any]:
    from deepcams.io.images import read_matlab  # here, since it brings OpenCV and HDF5 along

    return read_matlab(path)


def _unit(path: Path, values: NDArray[Any], units: str | None) -> float:
    """What values are multiplied with to be in ug m-3: as described, or as the largest value of a global map tells."""
    if units is not None:
        return micrograms_per(units)
    known = values[np.isfinite(values)]
    largest = float(known.max()) if known.size else np.inf  # a map without values needs no unit
    if largest > _CONCENTRATION:
        return 1.0
    if 0 < largest < _KILOGRAMS:
        return micrograms_per("kg m-3")
    raise InputError(f"{path}: a largest value of {largest:g}, which is neither ug m-3 nor kg m-3 of a global map of PM2.5; "
                     f'say what it is with "units" in {DESCRIPTION}')  # fmt: skip


def _on_nodes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values on the 721 x 1440 nodes from 90 N and 0 E: columns as they are, rows linear in latitude."""
    rows = values.shape[0]
    place = (_TOP - _GLOBAL.latitude) * rows / _HEIGHT - 0.5
    above = np.floor(place).astype(np.intp)
    share = (place - above)[:, None]
    shifted = np.roll(values, -1, axis=1)  # the second column is the one at 0 E
    return (1 - share) * shifted[above] + share * shifted[above + 1]
