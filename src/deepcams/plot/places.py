"""What is known at places: the hourly series, the analyses of CAMS, and the observations of the nearest station."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.extract import Extract
from deepcams.extraction.points import Points, at_points, check_names
from deepcams.extraction.reading import sampled, windows_of
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.plot.origin import several
from deepcams.stations.quality import Limits, check, refuse_empty
from deepcams.stations.readers.reading import Reading
from deepcams.stations.table import Floats, Observations, Stations
from deepcams.stations.thanks import thanks
from deepcams.threads import in_order, processors
from deepcams.timeline import Hours
from deepcams.units import MICROGRAMS, micrograms_per

Progress = Callable[[int], None]
Instants = NDArray[np.datetime64]
Values = NDArray[np.float32]

KILOMETRES = 10.0
"""How far from a place a station may be that is shown with it."""

_RADIUS = 6371.0  # of the Earth, km
_AROUND = np.timedelta64(4, "D")  # before and after, so that quality control sees runs of stuck values whole
_WORKERS = 4


@dataclass(frozen=True, eq=False)
class Observed:
    """What a station measured.

    Attributes:
        name: of the station.
        distance: from the place, km.
        begin: (m,) datetime64[m], UTC, ascending, begin of the averaging intervals.
        end: (m,) their ends.
        value: (m,) in ug m-3.
    """

    name: str
    distance: float
    begin: Instants
    end: Instants
    value: Values


@dataclass(frozen=True, eq=False)
class Place:
    """All that is known at a place.

    Attributes:
        name: of the place.
        latitude: degrees north.
        longitude: degrees east.
        values: (hours,) the hourly series; NaN where missing.
        analyses: (n,) what CAMS has at the times of its analyses; none if there are none.
        observed: at the nearest station, if there is one.
    """

    name: str
    latitude: float
    longitude: float
    values: Values
    analyses: Values | None = None
    observed: Observed | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """Places, and what they have in common.

    Attributes:
        extract: the hourly results and the hours taken of them.
        places: in the order asked for.
        interpolation: how their values come from the maps.
        times: (n,) datetime64[h] of CAMS's analyses.
        step: hours between them: further apart there is a gap.
        sources: whose data are shown, a sentence each.
    """

    extract: Extract
    places: tuple[Place, ...]
    interpolation: str = "bilinear"
    times: Hours = field(default_factory=lambda: np.empty(0, "datetime64[h]"))
    step: int = 0
    sources: tuple[str, ...] = ()


def parse_point(text: str) -> tuple[str, float, float]:
    """Name, latitude and longitude from ``LAT,LON[,NAME]``; without a name it is called by its place.

    Raises:
        InputError: if it is not of this form.
    """
    parts = [part.strip() for part in text.split(",", 2)]
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        latitude = longitude = np.nan
    if not (abs(latitude) <= 90 and abs(longitude) <= 360):
        raise InputError(f"point {text!r}: wanted LAT,LON or LAT,LON,NAME in degrees, like 52.1,5.1,Utrecht")
    return (parts[2] if len(parts) > 2 and parts[2] else f"{latitude:g}, {longitude:g}"), latitude, longitude


def points_of(texts: Sequence[str]) -> Points:
    """The places of several ``LAT,LON[,NAME]``.

    Raises:
        InputError: if one is not of this form, or two have one name.
    """
    names, latitude, longitude = zip(*map(parse_point, texts), strict=True)
    check_names("points", names, "; name them: LAT,LON,NAME")
    return Points(tuple(names), np.array(latitude), np.array(longitude), {})


def at_stations(stations: Stations, grid: Grid) -> Points:
    """The stations within a grid as places; those of one name are numbered.

    Raises:
        InputError: if none lies within.
    """
    names: list[str] = []
    for one, code in zip(stations.names, stations.ids, strict=True):
        name, number = str(one or code), 1
        while name in names:
            number += 1
            name = f"{one or code} ({number})"
        names.append(name)
    points = Points(tuple(names), stations.latitude, stations.longitude, {})
    inside = at_points(grid, points, interpolation="nearest", skip_outside=True)
    return Points(inside.names, inside.latitude, inside.longitude, {})


def read_series(
    extract: Extract,
    points: Points,
    *,
    interpolation: str = "bilinear",
    skip_outside: bool = False,
    progress: Progress = lambda count: None,
) -> Series:
    """The hourly series at places.

    Args:
        extract: the hours; they are read day by day.
        points: the places.
        interpolation: ``bilinear`` or ``nearest``.
        skip_outside: leave places outside the maps out.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if a place lies outside the maps and may not be left out, or a map cannot be read.
    """
    results = extract.results
    sampler = at_points(results.grid, points, interpolation=interpolation, skip_outside=skip_outside)
    windows = windows_of(results, sampler)
    parts = []
    workers = min(processors(), _WORKERS)
    for part in in_order(lambda day: sampled(results, sampler, windows, day), extract.days(), workers):
        parts.append(part.values)
        progress(len(part.values))
    values = np.concatenate(parts)
    where = zip(sampler.names, sampler.latitude.tolist(), sampler.longitude.tolist(), strict=True)
    return Series(extract, tuple(Place(*place, values[:, i]) for i, place in enumerate(where)), interpolation)


def with_analyses(series: Series, analyses: Analyses) -> Series:
    """The same with what CAMS has at the places, in the unit of the hourly series.

    Raises:
        InputError: if a place lies outside CAMS, no analysis lies in the hours, or the units cannot be converted.
    """
    times, first, last = analyses.times, series.extract.times[0], series.extract.times[-1]
    step = np.timedelta64(analyses.step, "h")
    chosen = np.flatnonzero(
        (times >= first - step) & (times <= last + step)
    )  # the outer ones for the lines to the edge
    if not ((times >= first) & (times <= last)).any():
        raise InputError(f"CAMS has no analysis from {first} to {last} UTC: there are analyses from {times[0]} to {times[-1]}; "
                         "give the files that the hourly maps were made from")  # fmt: skip
    scale = _scale(analyses.species.unit, series.extract.results.species.unit)
    points = Points(tuple(one.name for one in series.places), *_coordinates(series), {})
    sampler = at_points(analyses.grid, points, interpolation=series.interpolation)
    values = []
    for number in chosen.tolist():
        whole = analyses.read(number).values[None]
        values.append(sampler.means(sampler.take(lambda rows, columns, maps=whole: maps[:, rows, columns]))[0] * scale)  # type: ignore[misc]
    found = np.array(values, np.float32)
    places = tuple(replace(one, analyses=found[:, i]) for i, one in enumerate(series.places))
    sources = (*series.sources, f"CAMS: {several(analyses.files)}.")
    return replace(series, places=places, times=times[chosen], step=analyses.step, sources=sources)


def checked_observations(reading: Reading, limits: Limits, extract: Extract) -> Observations:
    """The good observations in the hours, after quality control of those around them, too.

    Raises:
        InputError: if the hourly series is not of a mass in a volume of air, or no observation is left.
    """
    micrograms_per(extract.results.species.unit)
    first, last = extract.times[0], extract.times[-1]
    near = _during(reading.observations, first - _AROUND, last + _AROUND)
    found = check(near if near.size else reading.observations, limits)
    refuse_empty(found)
    good = _during(found.take(found.good), first, last)
    if not good.size:
        begin = found.begin[found.good]
        raise InputError(f"no good observation from {first} to {last} UTC: there are some from {begin.min()} to {begin.max()}; "
                         "give station files of this period")  # fmt: skip
    return good.compact()


def with_observations(series: Series, observations: Observations, reading: Reading, *,
                      kilometres: float = KILOMETRES) -> Series:  # fmt: skip
    """The same with the observations of the station nearest to each place.

    Args:
        series: the places.
        observations: the good ones.
        reading: where they come from.
        kilometres: how far a station may be.

    Raises:
        InputError: if no place has a station so near.
    """
    scale = _scale(MICROGRAMS, series.extract.results.species.unit)
    found = [_nearest(place, observations, kilometres, scale) for place in series.places]
    if not any(found):
        distance = min(float(_distances(place, observations.stations).min()) for place in series.places)
        raise InputError(f"no station within {kilometres:g} km of any place: the nearest is {distance:.0f} km away; say with "
                         "--within how far one may be, or leave the points out to see the stations themselves")  # fmt: skip
    places = tuple(replace(one, observed=own) for one, own in zip(series.places, found, strict=True))
    told = f"Observations: {several(list(map(str, reading.files)))}. {thanks(reading.formats)}".strip()
    return replace(series, places=places, sources=(*series.sources, told))


def _scale(found: str, wanted: str) -> np.float32:
    """What values in one unit are multiplied with to be in another."""
    if found == wanted:
        return np.float32(1)
    return np.float32(micrograms_per(found) / micrograms_per(wanted))


def _coordinates(series: Series) -> tuple[Floats, Floats]:
    return np.array([one.latitude for one in series.places]), np.array([one.longitude for one in series.places])


def _during(observations: Observations, first: np.datetime64, last: np.datetime64) -> Observations:
    """The observations whose interval reaches into the hours."""
    end = observations.begin + observations.period.astype("timedelta64[m]")
    return observations.take((end > first) & (observations.begin < last))


def _distances(place: Place, stations: Stations) -> Floats:
    """(n,) km along great circles."""
    north, other = np.deg2rad(place.latitude), np.deg2rad(stations.latitude)
    half = np.sin((other - north) / 2) ** 2
    half += np.cos(north) * np.cos(other) * np.sin(np.deg2rad(stations.longitude - place.longitude) / 2) ** 2
    return 2 * _RADIUS * np.arcsin(np.sqrt(half.clip(0, 1)))


def _nearest(place: Place, observations: Observations, kilometres: float, scale: np.float32) -> Observed | None:
    """What the nearest station measured, if one is so near."""
    distances = _distances(place, observations.stations)
    nearest = int(np.argmin(distances))
    if distances[nearest] > kilometres:
        return None
    own = observations.take(observations.station == nearest)
    own = own.take(np.argsort(own.begin, kind="stable"))
    end = own.begin + own.period.astype("timedelta64[m]")
    stations = observations.stations
    name = str(stations.names[nearest] or stations.ids[nearest])
    return Observed(name, float(distances[nearest]), own.begin, end, own.value * scale)
