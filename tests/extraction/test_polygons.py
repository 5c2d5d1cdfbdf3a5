"""Polygons: the exact share of each cell, whatever the polygon, and errors that name it."""

import json
import sys

import numpy as np
import pytest
import shapely

from deepcams.errors import InputError
from deepcams.extraction.areas import box_mean
from deepcams.extraction.polygons import over_polygons, read_polygons, solid_angles
from deepcams.grid import Grid, Region

GLOBAL = Grid(90, 0, 2.5, 73, 144)
REGION = Grid(54.75, 175, 0.25, 20, 60)  # across the date line


def box(west, south, east, north):
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*polygons):
    return {"type": "MultiPolygon", "coordinates": [list(one) for one in polygons]}


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.fixture
def write(tmp_path):
    def write(content):
        (tmp_path / "areas.geojson").write_text(json.dumps(content))
        return tmp_path / "areas.geojson"

    return write


@pytest.fixture
def sampled(write):
    """The sampler of one geometry."""

    def sampled(geometry, grid=GLOBAL):
        return over_polygons(grid, read_polygons(write(geometry)))

    return sampled


def weights_of(sampler):
    """(rows, columns) solid angles that one area covers."""
    weights = np.zeros(sampler.grid.shape)
    weights[sampler.cover.rows, sampler.cover.columns] = sampler.cover.weights
    return weights


def taken(sampler, field):
    """The values of its cells in (hours, rows, columns)."""
    return sampler.take(lambda rows, columns: field[:, rows, columns])


@pytest.mark.parametrize("bounds", [(5.1, 43.2, 17.7, 49), (-12, -33, 14, 8), (100, 80, 140, 90), (-180, -90, 180, 90)])
def test_a_box_is_the_box(sampled, bounds):
    west, south, east, north = bounds
    found = weights_of(sampled(polygon(box(*bounds))))
    expected = weights_of(box_mean(GLOBAL, Region(north, west, south, east), "box"))
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), atol=1e-12)


def test_the_whole_earth_has_its_area(sampled):
    found = weights_of(sampled(polygon(box(-180, -90, 180, 90))))
    np.testing.assert_allclose(found, np.broadcast_to(GLOBAL.areas[:, None], GLOBAL.shape), rtol=1e-9)


def test_across_the_date_line_cut_or_not(sampled):
    cut = weights_of(sampled(multi([box(177, -19, 180, -16)], [box(-180, -19, -179, -16)])))
    for whole in (box(177, -19, -179, -16), box(177, -19, 181, -16), box(-183, -19, -179, -16)):
        np.testing.assert_allclose(weights_of(sampled(polygon(whole))), cut, atol=1e-15)
    assert cut.sum() == pytest.approx(np.deg2rad(4) * (np.sin(np.deg2rad(19)) - np.sin(np.deg2rad(16))))
    assert "cross the date line" in sampled(polygon(box(177, -19, -179, -16))).notes[0]
    centre = sampled(multi([box(177, -19, 180, -16)], [box(-180, -19, -179, -16)]))
    assert (centre.latitude[0], centre.longitude[0]) == pytest.approx((-17.5, 179))


def test_on_a_regional_grid_across_the_date_line(sampled):
    found = sampled(multi([box(177, 51, 180, 53)], [box(-180, 51, -179, 53)]), REGION)
    expected = box_mean(REGION, Region(53, 177, 51, -179), "box")
    np.testing.assert_allclose(weights_of(found) / weights_of(found).sum(), weights_of(expected) / weights_of(expected).sum(),
                               atol=1e-12)  # fmt: skip


def test_a_hole_is_left_out(sampled):
    outer, hole = box(170, 10, 190, 30), box(-176, 14, -172, 17)  # counted in another way
    found = weights_of(sampled(polygon(outer, hole)))
    whole, inside = (weights_of(sampled(polygon(one))) for one in (outer, hole))
    np.testing.assert_allclose(found, whole - inside, atol=1e-12)


def test_the_direction_of_rings_does_not_matter(sampled):
    outer, hole = box(10, 10, 30, 30), box(12, 14, 20, 17)
    variants = [polygon(outer, hole), polygon(outer[::-1], hole), polygon(outer, hole[::-1])]
    found = [weights_of(sampled(one)) for one in variants]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_any_star_has_the_cover_of_a_fine_count(sampled, seed):
    """The share of a cell, counted at 20 x 20 places in it."""
    rng, grid = np.random.default_rng(seed), Grid(65, -10, 2.5, 20, 22)
    angle, radius = np.linspace(0, 2 * np.pi, 13), rng.uniform(2, 22, 13)
    ring = np.stack([17 + radius * np.cos(angle), 42 + radius * np.sin(angle)], axis=1)
    ring[-1] = ring[0]
    small = Grid(66.25 - 0.0625, -11.25 + 0.0625, 0.125, 400, 440)
    longitude, latitude = np.meshgrid(small.longitude, small.latitude)
    inside = shapely.contains_xy(shapely.Polygon(ring), longitude, latitude)
    counted = (inside * small.areas[:, None]).reshape(20, 20, 22, 20).sum(axis=(1, 3))
    found = weights_of(sampled(polygon(ring.tolist()), grid))
    np.testing.assert_allclose(found / grid.areas[:, None], counted / grid.areas[:, None], atol=0.03)
    assert found.sum() == pytest.approx(counted.sum(), rel=3e-3)


def test_the_solid_angle_of_a_triangle_is_the_integral():
    triangle = shapely.Polygon([(10, -20), (50, 15), (-5, 60)])
    latitude = np.linspace(-20, 60, 400_001)
    right = np.interp(latitude, [-20, 15, 60], [10, 50, -5])
    left = np.interp(latitude, [-20, 60], [10, -5])
    expected = np.trapezoid(np.deg2rad(right - left) * np.cos(np.deg2rad(latitude)), np.deg2rad(latitude))
    np.testing.assert_allclose(solid_angles(np.array([triangle, shapely.Point(1, 1)])), [expected, 0], rtol=1e-9)


def test_a_polygon_smaller_than_a_cell(sampled):
    tiny = sampled(polygon([[10.01, 50.01], [10.02, 50.01], [10.02, 50.02], [10.01, 50.01]]))
    assert tiny.cover.rows.tolist() == [16]
    assert tiny.cover.columns.tolist() == [4]
    assert tiny.cover.weights[0] == pytest.approx(np.deg2rad(0.01) ** 2 / 2 * np.cos(np.deg2rad(50.0133)), rel=1e-6)
    edge = sampled(polygon(box(11.2499, 50, 11.2501, 50.0001)))
    np.testing.assert_allclose(edge.cover.shares, [0.5, 0.5], rtol=1e-6)


def test_what_only_touches_a_cell_does_not_count(sampled):
    touching = sampled(polygon(box(8.75, 48.75, 11.25, 51.25)))
    assert (touching.cover.rows.tolist(), touching.cover.columns.tolist()) == ([16], [4])


def test_several_areas_with_their_names(write):
    shapes = [polygon(box(0, 0, 10, 10)), polygon(box(20, 20, 21, 21))]
    content = {"type": "FeatureCollection", "features": [feature(shapes[0], name="a"), feature(shapes[1], name="b")]}
    sampler = over_polygons(GLOBAL, read_polygons(write(content)))
    assert sampler.names == ("a", "b")
    field = np.random.default_rng(0).gamma(1, 10, (2, *GLOBAL.shape)).astype(np.float32)
    cells = taken(sampler, field)
    for number, shape in enumerate(shapes):
        one = over_polygons(GLOBAL, read_polygons(write(shape)))
        np.testing.assert_allclose(sampler.means(cells)[:, number], one.means(taken(one, field))[:, 0])
        np.testing.assert_array_equal(sampler.highest(cells)[:, number], one.highest(taken(one, field))[:, 0])


@pytest.mark.parametrize(
    ("properties", "asked", "names"),
    [
        ([{"name": "x"}, {"name": "y"}], None, ["x", "y"]),
        ([{"NAME": "x"}, {"NAME": "y"}], None, ["x", "y"]),
        ([{"name": "x", "id": 7}, {"id": 8}], None, ["7", "8"]),
        ([{}, {}], None, ["1", "2"]),
        ([{"name": "x", "ISO": "p"}, {"name": "x", "ISO": "q"}], "ISO", ["p", "q"]),
    ],
)
def test_names(write, properties, asked, names):
    places = [polygon(box(i, 0, i + 1, 1)) for i in range(2)]
    features = [feature(shape, **one) for shape, one in zip(places, properties, strict=True)]
    found = read_polygons(write({"type": "FeatureCollection", "features": features}), name_property=asked)
    assert [one.name for one in found] == names


def test_names_that_are_none(write):
    features = [feature(polygon(box(i, 0, i + 1, 1)), name="x", code=i) for i in range(2)]
    path = write({"type": "FeatureCollection", "features": features})
    with pytest.raises(InputError, match=r"property 'name': x is there more than once.*--name-property"):
        read_polygons(path)
    with pytest.raises(InputError, match="not all features have the property 'title'; there are code, id, name"):
        read_polygons(path, name_property="title")


@pytest.mark.parametrize(
    ("geometry", "what"),
    [
        (None, "area here is empty"),
        (polygon(), "area here is empty"),
        ({"type": "Point", "coordinates": [1, 2]}, "area here is a Point; wanted a Polygon or MultiPolygon"),
        (polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "area here is not a valid polygon .Self-intersection"),
        (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "area here is not a valid polygon"),
        (polygon([[0, 0], [1, 1], [0, 0]]), "a ring of 3 points; wanted four or more"),
        (polygon([[0, 0], [1, 0], [1, 1], [0, 1]]), "the last like the first"),
        (polygon([[0, 0], [1, "a"], [1, 1], [0, 0]]), "coordinates that are not numbers"),
        (polygon(box(400_000, 5_000_000, 410_000, 5_010_000)), "no longitude and latitude in degrees"),
        (polygon([[0, 60], [120, 60], [-120, 60], [0, 60]]), "goes around a pole; cut it at the date line"),
        (multi([box(0, 0, 2, 2)], [box(1, 1, 3, 3)]), "not a valid polygon"),
    ],
)
def test_what_is_wrong_with_an_area_is_said_with_its_name(write, geometry, what):
    with pytest.raises(InputError, match=what):
        read_polygons(write(feature(geometry, name="here")))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ([], "not GeoJSON with polygons"),
        ({"type": "Topology"}, "not GeoJSON with polygons .type 'Topology'"),
        ({"type": "FeatureCollection", "features": []}, "has no features"),
        (
            {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}, **polygon(box(0, 0, 1, 1))},
            "coordinates in another system .*3857",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(write, content, what):
    with pytest.raises(InputError, match=what):
        read_polygons(write(content))


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "broken.geojson").write_text("{")
    for name in ("broken.geojson", "none.geojson"):
        with pytest.raises(InputError, match="cannot be read as GeoJSON"):
            read_polygons(tmp_path / name)


@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
def test_degrees_by_name_are_fine(write, crs):
    content = {"crs": {"type": "name", "properties": {"name": crs}}, **polygon(box(0, 0, 1, 1))}
    assert len(read_polygons(write(content))) == 1


@pytest.mark.parametrize("bounds", [(10, 40, 20, 50), (180, 50, 181, 56), (170, 51, 180, 52)])
def test_an_area_beyond_the_data_is_named(sampled, bounds):
    with pytest.raises(InputError, match="area 1 reaches beyond the data"):
        sampled(polygon(box(*bounds)), REGION)


def test_without_shapely_the_error_says_what_to_do(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.raises(InputError, match=r'pip install "deepcams\[extract\]"'):
        read_polygons(write(polygon(box(0, 0, 1, 1))))
