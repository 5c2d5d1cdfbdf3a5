"""Where stations are: coordinates that cannot be true, stations that move, and stations that are at one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.table import Chosen, Floats, Reason, Stations

Numbers = NDArray[np.int32]

_ORIGIN = 0.01  # degrees: (0, 0) is what files have for no coordinates; only sea is there
_FAR, _NEAR = 20.0, 5.0  # degrees between a place and its mirror image, and around either, of which _exchanged speaks
_FELLOWS = 3  # places of a country among which a station with exchanged coordinates would be
_COARSE = 0.1  # degrees: stations of one town count as one place there


def numbered(*columns: Iterable[object]) -> Numbers:
    """(n,) the same number, from 0, for lines that are the same in all columns; in the order they first appear."""
    seen: dict[tuple[object, ...], int] = {}
    lines = zip(*columns, strict=True)
    return np.array([seen.setdefault(line, len(seen)) for line in lines], np.int32)


def owners(stations: Stations) -> Numbers:
    """(n,) which station each entry is of: those with the same source and identifier; without one, each its own.

    Readers make an entry for every place and instrument of a station.
    """
    own = [name or number for number, name in enumerate(stations.ids)]
    return numbered(stations.source, own)


def instruments(stations: Stations) -> Numbers:
    """(n,) which instrument each entry is of: those of the same station and sensor."""
    return numbered(owners(stations), stations.sensors)


def suspects(stations: Stations, moved: float) -> NDArray[np.uint8]:
    """What speaks against stations for where they are.

    Args:
        stations: (n,).
        moved: degrees; entries of a station further apart are of one that moves.

    Returns:
        (n,) COORDINATES, SWAPPED, MOVES or GOOD.
    """
    north, east = stations.latitude, stations.longitude
    found = np.full(stations.size, Reason.GOOD, np.uint8)
    found[stations.mobile] = Reason.MOVES
    with np.errstate(invalid="ignore"):
        nowhere = ~((np.abs(north) <= 360) & (np.abs(east) <= 360))
        nowhere |= (np.abs(north) <= _ORIGIN) & (np.abs(east) <= _ORIGIN)
        beyond = np.abs(north) > 90
        nowhere |= beyond & (np.abs(east) > 90)
    found[beyond] = Reason.SWAPPED
    found[nowhere] = Reason.COORDINATES
    sound = np.flatnonzero(~beyond & ~nowhere)
    for chosen in _countries(stations, sound):
        found[chosen[_exchanged(north[chosen], east[chosen])]] = Reason.SWAPPED
    sound = np.flatnonzero((found == Reason.GOOD) | (found == Reason.MOVES))
    found[sound[_scattered(owners(stations)[sound], north[sound], east[sound], moved)]] = Reason.MOVES
    return found


def places(stations: Stations, sound: Chosen, apart: float) -> Numbers:
    """(n,) which place each entry is at: those of one station, or no further apart than that.

    Args:
        stations: (n,).
        sound: the entries whose coordinates are to be believed; each other is its own place.
        apart: degrees. Of a chain of stations, each that near to the next, all are at one place.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    chosen = np.arange(stations.size)[sound]
    spots = numbered(stations.latitude[chosen], stations.longitude[chosen])
    _, first = np.unique(spots, return_index=True)
    tree = cKDTree(_directions(stations.latitude[chosen][first], stations.longitude[chosen][first]))
    near = tree.query_pairs(_chord(apart), output_type="ndarray") if first.size else np.empty((0, 2), np.intp)
    # Entries are joined by the first of their spot, and by the first of their station.
    station = owners(stations)[chosen]
    _, leader, back = np.unique(station, return_index=True, return_inverse=True)
    one = np.concatenate([chosen, chosen, chosen[first][near[:, 0]]])
    other = np.concatenate([chosen[first][spots], chosen[leader][back], chosen[first][near[:, 1]]])
    links = coo_array((np.ones(one.size, np.bool_), (one, other)), shape=(stations.size, stations.size))
    return connected_components(links, directed=False)[1].astype(np.int32)


def _countries(stations: Stations, chosen: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The entries of each country in each source; sources do not agree on codes (CH is China in some)."""
    known = [len(code) == 2 and code.isalpha() for code in stations.country[chosen]]  # 99 is anywhere
    chosen = chosen[np.array(known, np.bool_)]
    group = numbered(stations.source[chosen], stations.country[chosen])
    order = np.argsort(group, kind="stable")
    yield from np.split(chosen[order], np.flatnonzero(np.diff(group[order])) + 1) if chosen.size else ()


def _exchanged(north: Floats, east: Floats) -> NDArray[np.bool_]:
    """Whether stations of a country belong where they are with latitude and longitude exchanged.

    They do if that is far away, and there are more of the country's places around (three at least). So neither a lone
    station overseas nor the many borders of a large country are taken for it; and not found are countries whose mirror
    image lies beside them (Turkey, Cyprus, Cameroon), or with fewer stations.
    """
    from scipy.spatial import cKDTree

    turned = (east + 180) % 360 - 180
    possible = np.abs(turned) <= 90
    here, there = _directions(north, east), _directions(np.where(possible, turned, 0), north)
    possible &= np.linalg.norm(here - there, axis=1) > _chord(_FAR)
    result = np.zeros(north.size, np.bool_)
    if possible.any():
        _, first = np.unique(numbered(np.round(north / _COARSE), np.round(turned / _COARSE)), return_index=True)
        tree, reach = cKDTree(here[first]), _chord(_NEAR)
        around = [tree.query_ball_point(spots[possible], reach, return_length=True) for spots in (here, there)]
        result[possible] = (around[1] >= _FELLOWS) & (around[1] > around[0])
    return result


def _scattered(station: Numbers, north: Floats, east: Floats, moved: float) -> NDArray[np.bool_]:
    """Whether entries are of a station whose entries reach further than ``moved`` degrees, from one side to the other."""
    if not station.size:
        return np.zeros(0, np.bool_)
    order = np.argsort(station, kind="stable")
    first = np.flatnonzero(np.diff(station[order], prepend=-1))
    size = np.diff(first, append=order.size)
    ends = [_extent(spots[order], first) for spots in _directions(north, east).T]
    reach = np.sqrt(sum(end**2 for end in ends))
    result = np.empty(station.size, np.bool_)
    result[order] = np.repeat(reach > _chord(moved), size)
    return result


def _extent(values: Floats, first: NDArray[np.intp]) -> Floats:
    """The largest less the smallest of each group."""
    return np.asarray(np.maximum.reduceat(values, first) - np.minimum.reduceat(values, first))


def _directions(north: Floats, east: Floats) -> Floats:
    """(n, 3) unit vectors."""
    latitude, longitude = np.deg2rad(north), np.deg2rad(east)
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], -1)


def _chord(degrees: float) -> float:
    """The straight distance between two points of the unit sphere so far apart."""
    return float(2 * np.sin(np.deg2rad(degrees) / 2))
