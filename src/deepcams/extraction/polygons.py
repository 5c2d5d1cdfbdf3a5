"""Polygons of GeoJSON (RFC 7946) on a grid: how much of each cell they cover, exactly.

Their sides are straight in longitude and latitude, as the RFC says. Each polygon is cut at the cells' edges in these
coordinates, and the area of each piece on the sphere is the integral of sin(latitude) over longitude around it, which
has a closed form on a straight side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.errors import InputError
from deepcams.extraction.areas import column_edges, merged, turns, within
from deepcams.extraction.points import check_names, shown
from deepcams.extraction.sampling import Cells, Cover, Floats, Sampler
from deepcams.grid import Grid

_NAMES = ("name", "title", "label", "id", "code")
_SLIVER = 1e-9  # of a cell and of a polygon: less is rounding at an edge
_CLOSE = 1e-6  # degrees
_DEGREES = ("CRS84", "4326")  # what the ``crs`` of older GeoJSON may end with


@dataclass(frozen=True)
class Feature:
    """A named area.

    Attributes:
        name: its name.
        parts: its polygons, as shapely has them, with longitudes that do not jump.
        crosses: whether a side was taken to cross the date line.
    """

    name: str
    parts: tuple[Any, ...]
    crosses: bool

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of the centroid in degrees; a part beyond the date line counts as beside the others."""
        sizes = np.array([part.area for part in self.parts])
        x, y = np.array([(part.centroid.x, part.centroid.y) for part in self.parts]).T
        x = x + 360 * np.round((x[sizes.argmax()] - x) / 360)
        longitude, latitude = (float(np.average(one, weights=sizes)) for one in (x, y))
        return latitude, (longitude + 180) % 360 - 180


def read_polygons(path: Path, *, name_property: str | None = None) -> list[Feature]:
    """The areas in a GeoJSON file.

    Args:
        path: the file: a FeatureCollection, a Feature or a geometry.
        name_property: the property that names an area; None for name, title, label, id or code, whichever all have, or
            else a number.

    Raises:
        InputError: if it is no such file, an area is empty or no valid polygon, or has no name of its own.
    """
    _require_shapely()
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as GeoJSON ({error})") from error
    features = _features(path, content)
    names = _names(path, features, name_property)
    return [_feature(path, name, one.get("geometry")) for name, one in zip(names, features, strict=True)]


def _require_shapely() -> None:
    try:
        import shapely  # noqa: F401
    except ImportError as error:
        raise InputError('polygons need the library shapely: run pip install "deepcams[extract]"') from error


def _features(path: Path, content: Any) -> list[dict[str, Any]]:
    """The features in what a file holds, a geometry alone being one without properties."""
    kind = content.get("type") if isinstance(content, dict) else None
    system = content.get("crs") if kind else None
    if system and not json.dumps(system).rstrip('"} ').endswith(_DEGREES):
        raise InputError(f"{path}: coordinates in another system ({system}); wanted longitude and latitude, WGS 84")
    found = content.get("features") if kind == "FeatureCollection" else [content]
    if kind in ("Polygon", "MultiPolygon"):
        found = [{"type": "Feature", "geometry": content}]
    if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("type") == "Feature" for one in found):
        raise InputError(f"{path}: not GeoJSON with polygons (type {kind!r}); wanted a FeatureCollection, Feature, Polygon or "
                         "MultiPolygon")  # fmt: skip
    if not found:
        raise InputError(f"{path}: has no features; wanted polygons")
    return found


def _names(path: Path, features: Sequence[Mapping[str, Any]], asked: str | None) -> list[str]:
    """What the features are called."""
    described = [{"id": one.get("id"), **(one.get("properties") or {})} for one in features]
    plain = [described, [{title.lower(): text for title, text in one.items()} for one in described]]
    candidates = [(described, asked)] if asked else [(spelt, title) for title in _NAMES for spelt in plain]
    for known, title in candidates:
        if all(one.get(title) not in (None, "") for one in known):
            names = [str(one[title]) for one in known]
            check_names(f"{path}: property {title!r}", names, "; choose another with --name-property")
            return names
    if asked:
        present = ", ".join(sorted({title for one in described for title in one}))
        raise InputError(f"{path}: not all features have the property {asked!r}; there are {present}")
    return [str(number + 1) for number in range(len(features))]


def _feature(path: Path, name: str, geometry: Any) -> Feature:
    import shapely

    label = f"{path}: area {name}"
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise InputError(f"{label} is {f'a {kind}' if kind else 'empty'}; wanted a Polygon or MultiPolygon")
    given = geometry.get("coordinates") or []
    polygons = given if kind == "MultiPolygon" else [given]
    rings = [[_ring(label, ring) for ring in polygon] for polygon in polygons if polygon]
    if not rings:
        raise InputError(f"{label} is empty; wanted a polygon with an area")
    parts = tuple(_polygon([ring for ring, _ in polygon]) for polygon in rings)
    whole = shapely.MultiPolygon(parts)
    if not whole.is_valid or whole.area == 0:
        why = "it has no area" if whole.is_valid else shapely.is_valid_reason(whole)
        raise InputError(f"{label} is not a valid polygon ({why}); repair it, for example with shapely.make_valid")
    return Feature(name, parts, any(crosses for polygon in rings for _, crosses in polygon))


def _ring(label: str, given: Any) -> tuple[Floats, bool]:
    """(points, 2) longitude and latitude around a ring, without jumps, and whether there were any."""
    try:
        ring = np.array([[float(point[0]), float(point[1])] for point in given]).reshape(-1, 2)
    except (TypeError, ValueError, LookupError) as error:
        raise InputError(f"{label} has coordinates that are not numbers; wanted [longitude, latitude]") from error
    if len(ring) < 4 or (ring[0] != ring[-1]).any():
        raise InputError(f"{label} has a ring of {len(ring)} points; wanted four or more, the last like the first")
    if not (np.abs(ring) <= (540, 90)).all():
        raise InputError(f"{label} has coordinates that are no longitude and latitude in degrees; convert it to WGS 84")
    steps = np.diff(ring[:, 0])
    # A side of more than half way around is one across the date line that was not cut there; one of a whole turn, as
    # along a pole, is meant.
    jumps = np.where((np.abs(steps) > 180) & (np.abs(steps) < 360 - _CLOSE), 360 * np.round(steps / 360), 0.0)
    ring[1:, 0] -= np.cumsum(jumps)
    if ring[0, 0] != ring[-1, 0]:
        raise InputError(f"{label} goes around a pole; cut it at the date line (RFC 7946, section 3.1.9)")
    if np.ptp(ring[:, 0]) > 360 + _CLOSE:
        raise InputError(f"{label} goes more than once around the Earth; wanted 360 degrees of longitude at most")
    return ring, bool(jumps.any())


def _polygon(rings: Sequence[Floats]) -> Any:
    """The polygon of an outer ring and its holes, whose longitudes are counted as those of the outer ring are."""
    import shapely

    outer, *holes = rings
    west = outer[:, 0].min() - _CLOSE
    return shapely.Polygon(outer, [hole - (360 * np.floor((hole[:, 0].min() - west) / 360), 0) for hole in holes])


def over_polygons(grid: Grid, features: Sequence[Feature], label: str = "polygons") -> Sampler:
    """How to take means over areas.

    Args:
        grid: the maps' grid.
        features: the areas.
        label: what to call their file.

    Raises:
        InputError: if an area is not within the cells of the grid.
    """
    for one in features:
        for west, south, east, north in (part.bounds for part in one.parts):
            if not within(grid, north=north, west=west, south=south, east=east):
                raise InputError(
                    f"{label}: area {one.name} reaches beyond the data ({grid}): take it out, or give results that cover it"
                )
    cover = Cover.joined([_covered(grid, one) for one in features])
    latitude, longitude = np.array([one.centre for one in features]).T
    names, crossing = tuple(one.name for one in features), [one.name for one in features if one.crosses]
    note = f"{shown(crossing)}: a side of more than 180 degrees was taken to cross the date line"
    kind, notes = f"polygons of {Path(label).name}", (note,) * bool(crossing)
    return Sampler(names, latitude, longitude, cover, grid, True, kind, notes=notes)


def _covered(grid: Grid, feature: Feature) -> Cover:
    """The cells that an area covers, by the solid angle covered."""
    pieces = [piece for part in feature.parts for piece in _pieces(grid, part)]
    found = merged(grid, *(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))
    real = found.weights > _SLIVER * np.minimum(found.weights.sum(), grid.areas[found.rows])
    return Cover(found.rows[real], found.columns[real], found.weights[real], np.array([real.sum()], np.intp))


def _pieces(grid: Grid, polygon: Any) -> list[tuple[Cells, Cells, Floats]]:
    """Rows, columns and solid angles (steradians) of a polygon's pieces in the cells, row by row."""
    import shapely
    from shapely.affinity import translate

    polygon = translate(polygon, turns(grid, polygon.bounds[0]))
    _, south, _, north = polygon.bounds
    bounds = grid.latitude_bounds
    rows = np.flatnonzero((bounds[:, 1] <= north) & (bounds[:, 0] >= south))
    pieces = []
    for row in rows:  # first the row's part of it: in a large polygon, that leaves few sides for each cell
        high, low = bounds[row]
        strip = shapely.intersection(polygon, shapely.box(polygon.bounds[0] - 1, low, polygon.bounds[2] + 1, high))
        if strip.area == 0:
            continue
        columns, edges = column_edges(grid, strip.bounds[0], strip.bounds[2])
        cells = shapely.box(edges[:-1], low, edges[1:], high)
        shapely.prepare(strip)
        cut = ~shapely.covers(strip, cells)
        cells[cut] = shapely.intersection(strip, cells[cut])
        pieces.append((np.full(columns.size, row), columns, solid_angles(cells)))
    return pieces


def solid_angles(shapes: Any) -> Floats:
    """(n,) the areas on the unit sphere, in steradians, of n shapes whose sides are straight in longitude and latitude."""
    import shapely

    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    # Outer rings one way around, holes the other way; what is left of a touched edge has no area.
    polygons, owner = shapely.orient_polygons(parts[flat]), owner[flat]
    rings, of_polygon = shapely.get_rings(polygons, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    longitude, latitude = np.deg2rad(points).T
    side = of_ring[1:] == of_ring[:-1]
    middle, half = (latitude[1:] + latitude[:-1]) / 2, np.diff(latitude) / 2
    along = np.diff(longitude) * np.sin(middle) * np.sinc(half / np.pi)  # integral of sin(latitude) over longitude
    owners = owner[of_polygon[of_ring[1:]]][side]
    areas = np.bincount(owners, -along[side], minlength=np.size(shapes))
    return np.abs(areas)
