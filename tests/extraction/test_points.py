"""Points: read from tables as people write them, and found between the nodes, across the seam and at the poles."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from deepcams.errors import InputError
from deepcams.extraction.points import Points, at_points, read_points
from deepcams.grid import Grid

GLOBAL = Grid(90, 0, 2.5, 73, 144)
REGION = Grid(54.75, 175, 0.25, 20, 60)  # across the date line


def points(latitude, longitude):
    latitude, longitude = np.atleast_1d(latitude).astype(float), np.atleast_1d(longitude).astype(float)
    return Points(tuple(f"p{i}" for i in range(latitude.size)), latitude, longitude, {})


def anywhere(count=400, seed=1):
    rng = np.random.default_rng(seed)
    return points(rng.uniform(-90, 90, count), rng.uniform(-180, 360, count))


def field_on(grid, seed=0):
    values = np.random.default_rng(seed).gamma(1, 10, grid.shape).astype(np.float32)
    values[[row for row, pole in ((0, grid.north_pole), (-1, grid.south_pole)) if pole]] = 7
    return values


def taken(grid, wanted, field, **options):
    sampler = at_points(grid, wanted, **options)
    return sampler.means(sampler.take(lambda rows, columns: field[None, rows, columns]))[0]


def test_bilinear_is_what_scipy_gives_on_the_wrapped_field():
    wanted, field = anywhere(), field_on(GLOBAL)
    wrapped = np.concatenate([field, field[:, :1]], axis=1).astype(np.float64)
    nodes = -GLOBAL.latitude, np.append(GLOBAL.longitude, 360)
    expected = RegularGridInterpolator(nodes, wrapped)((-wanted.latitude, wanted.longitude % 360))
    np.testing.assert_allclose(taken(GLOBAL, wanted, field), expected, rtol=1e-6)


def test_nearest_is_the_node_with_the_smallest_difference():
    wanted, field = anywhere(), field_on(GLOBAL)
    row = np.abs(wanted.latitude[:, None] - GLOBAL.latitude).argmin(axis=1)
    turn = np.abs((wanted.longitude[:, None] - GLOBAL.longitude + 180) % 360 - 180)
    np.testing.assert_array_equal(
        taken(GLOBAL, wanted, field, interpolation="nearest"), field[row, turn.argmin(axis=1)]
    )


def test_a_linear_field_is_reproduced():
    latitude, longitude = REGION.latitude[:, None], REGION.longitude
    field = (2 * latitude - 0.5 * longitude + 30).astype(np.float64)
    rng = np.random.default_rng(3)
    where = rng.uniform(REGION.south, REGION.north, 200), rng.uniform(175, 189.75, 200)
    found = taken(REGION, points(where[0], (where[1] + 180) % 360 - 180), field)
    np.testing.assert_allclose(found, 2 * where[0] - 0.5 * where[1] + 30, rtol=1e-7)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_longitudes_count_as_one_likes(interpolation):
    field = field_on(GLOBAL)
    east = np.array([-180, -179.9, -1.3, -0.1, 0, 0.1, 179.9])
    found = [
        taken(GLOBAL, points(0 * east + 12.3, east + turn), field, interpolation=interpolation) for turn in (0, 360)
    ]
    np.testing.assert_array_equal(*found)
    np.testing.assert_array_equal(*(taken(GLOBAL, points(3, one), field) for one in (180, -180)))


def test_between_the_last_column_and_the_first():
    field = np.zeros(GLOBAL.shape, np.float32)
    field[:, 0], field[:, -1] = 8, 4
    np.testing.assert_allclose(taken(GLOBAL, points([10, 10], [-1.25, 359.375]), field), [6, 7])


@pytest.mark.parametrize("pole", [90, -90])
def test_a_pole_has_one_value_and_rows_go_up_to_it(pole):
    field = field_on(GLOBAL)
    np.testing.assert_array_equal(taken(GLOBAL, points([pole] * 3, [0, 77.7, -120]), field), 7)
    row = 0 if pole > 0 else -1
    beside = field[1 if pole > 0 else -2, 4]
    assert taken(GLOBAL, points(np.sign(pole) * 89, 10), field)[0] == pytest.approx(0.6 * field[row, 4] + 0.4 * beside)


def test_on_a_node_the_neighbours_do_not_count():
    field = np.full(GLOBAL.shape, np.nan, np.float32)
    field[30, 40] = 5
    at = float(GLOBAL.latitude[30]), float(GLOBAL.longitude[40])
    assert taken(GLOBAL, points(*at), field)[0] == 5
    assert np.isnan(taken(GLOBAL, points(at[0] + 0.01, at[1]), field)[0])
    assert taken(GLOBAL, points(at[0] + 0.01, at[1]), field, interpolation="nearest")[0] == 5


def test_a_constant_stays_constant_and_doubling_doubles():
    wanted, field = anywhere(), field_on(GLOBAL)
    constant = np.float32(0.1)
    np.testing.assert_array_equal(taken(GLOBAL, wanted, np.full(GLOBAL.shape, constant)), constant)
    np.testing.assert_array_equal(taken(GLOBAL, wanted, 2 * field), 2 * taken(GLOBAL, wanted, field))


def test_in_the_outer_half_of_an_edge_cell_the_edge_counts():
    field = field_on(REGION)
    found = taken(REGION, points([54.85, 54.75], [174.9, 189.8]), field)
    np.testing.assert_array_equal(found, [field[0, 0], field[0, -1]])


def test_points_outside_are_named_or_left_out():
    wanted = points([52, 30, 52], [-179, -179, 20])
    with pytest.raises(InputError, match=r"p1 \(30N -179E\), p2 \(52N 20E\): outside the data .*--skip-outside"):
        at_points(REGION, wanted)
    sampler = at_points(REGION, wanted, skip_outside=True)
    assert (sampler.names, sampler.skipped) == (("p0",), 2)
    with pytest.raises(InputError, match="like all points"):
        at_points(REGION, points(0, 0), skip_outside=True)


@pytest.mark.parametrize("tile", [1, 5, 24, 1000])
@pytest.mark.parametrize("count", [1, 12, 400])
def test_read_in_tiles_or_at_once_it_is_the_same(tile, count):
    sampler, field = at_points(GLOBAL, anywhere(count)), field_on(GLOBAL)
    windows = sampler.windows(tile)

    def read(rows, columns):
        return np.stack([field[rows, columns], 2 * field[rows, columns]])

    np.testing.assert_array_equal(sampler.take(read, windows), sampler.take(read))
    assert len(windows) == 1 or all(one.rows.stop - one.rows.start <= tile for one in windows)
    assert len(windows) <= 32


def table(tmp_path, text, encoding="utf-8"):
    (tmp_path / "points.csv").write_text(text, encoding=encoding)
    return tmp_path / "points.csv"


@pytest.mark.parametrize(
    "text",
    [
        "name,latitude,longitude\nA,1.5,-2\nB,3,4\n",
        "Station, Lat, Lon\nA, 1.5, -2\nB, 3, 4\n",
        "LONG;LAT;Site ID\r\n-2;1.5;A\r\n4;3;B\r\n",
        "lng\ty\tcode\n-2\t1.5\tA\n\n4\t3\tB\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_tables_as_people_write_them(tmp_path, text, encoding):
    found = read_points(table(tmp_path, text, encoding))
    assert found.names == ("A", "B")
    assert found.latitude.tolist() == [1.5, 3]
    assert found.longitude.tolist() == [-2, 4]
    assert found.columns == {}


def test_further_columns_are_kept_as_text(tmp_path):
    found = read_points(table(tmp_path, 'lat,id,country,lon,name\n1,007,"Korea, South",2,A\n3,8,,4,"B ""x"""\n'))
    assert found.names == ("A", 'B "x"')
    assert found.columns == {"id": ("007", "8"), "country": ("Korea, South", "")}


def test_without_names_points_are_numbered(tmp_path):
    assert read_points(table(tmp_path, "lat,lon\n1,2\n3,4\n")).names == ("1", "2")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no points; wanted a line of titles"),
        ("lat,lon\n", "no points"),
        ("name,lat,height\nA,1,2\n", "no column of longitude among name, lat, height"),
        ("lat,lon\n1,2\n1,\n", "line 3 has the longitude '': wanted degrees"),
        ("lat,lon\n1,2\n91,2\n", "line 3 has the latitude '91': wanted degrees within -90..90"),
        ("lat,lon\nnan,2\n", "line 2 has the latitude 'nan'"),
        ("lat,lon\n1,2,3\n", "line 2 has 3 columns, the titles 2"),
        ("name,lat,lon\nA,1,2\nB,1,3\nA,1,4\n", "A is there more than once; wanted each name once"),
        ("name,lat,lon\nA,1,2\n,1,3\n", "number 2 has an empty name"),
        ("lat,lon,x,x\n1,2,3,4\n", "x is there more than once"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, what):
    with pytest.raises(InputError, match=what):
        read_points(table(tmp_path, text))


def test_a_table_that_is_none(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_points(tmp_path / "none.csv")
    (tmp_path / "points.csv").write_bytes(b"name,lat,lon\n\xe9,1,2\n")
    with pytest.raises(InputError, match="UTF-8"):
        read_points(tmp_path / "points.csv")
