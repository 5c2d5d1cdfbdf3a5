"""Products at stations: stores in every layout, CAMS linear and nearest in time, each analysis read once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from deepcams.cli import main
from deepcams.errors import InputError
from deepcams.extraction.points import Points, at_points
from deepcams.io.analyses import Analyses
from deepcams.io.results import open_results
from deepcams.stations.collocate import collocate
from deepcams.stations.products import CAMS, NEAREST, cams_products, store_product

HOUR = np.timedelta64(1, "h")
# The third station needs the missing node of the ``job``, which is at 53.25N 5.25E.
PLACES = Points(("a", "b", "c"), np.array([51.3, 50.0, 53.3]), np.array([5.1, 9.0, 5.3]), {})


def downscale(source, output, *options):
    call = ["downscale", source, output, "--method", "fast", "--time", "linear", "--quiet", *options]
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in call])
    assert ended.value.code == 0


@pytest.fixture
def analyses(tmp_path, cams):
    """Write 3-hourly analyses with the given numbers."""

    def analyses(numbers, step=3, change=lambda field: field):
        field = cams.concentration(cams.instants(max(numbers) + 1, step))
        return cams.new_store(tmp_path / "cams.nc", change(field.isel(time=list(numbers))))

    return analyses


@pytest.fixture
def loads(monkeypatch):
    """The numbers of the analyses that were read."""
    numbers, read = [], Analyses.read
    monkeypatch.setattr(Analyses, "read", lambda self, index: numbers.append(index) or read(self, index))
    return numbers


def everything(product, interpolation="bilinear", places=PLACES):
    sampler = at_points(product.grid, places, interpolation=interpolation)
    return product.series(sampler, slice(0, product.times.size))


def at_analyses(path):
    """(n, stations) what bilinear interpolation of each analysis gives."""
    with xr.open_dataset(path) as dataset:
        places = {
            "latitude": xr.DataArray(PLACES.latitude, dims="s"),
            "longitude": xr.DataArray(PLACES.longitude, dims="s"),
        }
        return dataset.pm2p5.interp(places).values * 1e9


def test_cams_is_linear_or_nearest_between_analyses(analyses):
    path = analyses(range(5))
    linear, nearest = cams_products(path)
    known = at_analyses(path)
    assert (linear.name, nearest.name, linear.grid.shape) == (CAMS, NEAREST, (8, 10))
    for product in (linear, nearest):
        assert (product.times.size, product.times[0]) == (13, np.datetime64("2019-12-30T00"))
        assert product.label == str(path)
        assert "every 3 hours" in product.description
        np.testing.assert_allclose(everything(product)[::3], known, rtol=1e-6)
    np.testing.assert_allclose(everything(linear)[1:12:3], (2 * known[:-1] + known[1:]) / 3, rtol=1e-6)
    np.testing.assert_allclose(everything(nearest)[1:12:3], known[:-1], rtol=1e-6)
    np.testing.assert_allclose(everything(nearest)[2:12:3], known[1:], rtol=1e-6)


def test_half_way_the_nearest_is_the_earlier_one(analyses):
    path = analyses(range(4), step=6)
    values = everything(cams_products(path)[1])
    known = at_analyses(path)
    np.testing.assert_allclose(values, known[[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3]], rtol=1e-6)


def test_nothing_is_made_across_a_gap(analyses):
    numbers = [0, 1, 2, 4, 5]  # one is missing after 06 UTC
    for product in cams_products(analyses(numbers)):
        values = everything(product)
        there = np.isfinite(values).all(axis=1)
        assert np.isnan(values[~there]).all()
        np.testing.assert_array_equal(np.flatnonzero(~there), [7, 8, 9, 10, 11])


def test_a_missing_node_is_missing_where_it_has_a_weight(analyses):
    def holed(field):
        field[2, 2, 3] = np.nan
        return field

    linear, nearest = cams_products(analyses(range(5), change=holed))
    for product, lost in ((linear, [4, 5, 6, 7, 8]), (nearest, [5, 6, 7])):
        values = everything(product)
        assert np.isfinite(values[:, :2]).all()
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(values[:, 2])), lost)


def test_an_analysis_is_read_and_sampled_once_for_both(analyses, loads):
    products = cams_products(analyses(range(60)))
    sampler = at_points(products[0].grid, PLACES)
    whole = [product.series(sampler, slice(0, 178)) for product in products]
    assert loads == list(range(60))
    loads.clear()
    days = [slice(first, min(first + 24, 178)) for first in range(0, 178, 24)]
    other = at_points(products[0].grid, PLACES)  # what was kept belongs to the first
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda day: [product.series(other, day) for product in products], days))
    assert sorted(loads) == list(range(60))
    for number, values in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[number] for part in parts]), values)


def test_what_is_kept_is_bounded(analyses, loads):
    linear, _ = cams_products(analyses(range(70)))
    sampler = at_points(linear.grid, PLACES)
    linear.series(sampler, slice(0, 208))
    linear.series(sampler, slice(200, 208))
    assert loads == list(range(70))
    linear.series(sampler, slice(0, 1))
    assert loads[70:] == [0]


def test_collocation_reads_each_analysis_once(analyses, loads, observations):
    made = observations(np.ones((3, 100)), PLACES.latitude, PLACES.longitude, start="2019-12-30T00:00")
    _, pairs = collocate(made, cams_products(analyses(range(40))))
    assert pairs.size == 300
    assert sorted(loads) == list(range(35))  # up to hour 100, which lies between 99 and 102


def test_a_store_is_read_as_extraction_reads_it(tmp_path, job):
    job()
    names = ("maps.zarr", "series.zarr", "hours.nc")
    for name, options in zip(names, ((), ("--layout", "series"), ()), strict=True):
        downscale(tmp_path / "cams.nc", tmp_path / name, *options)
    first = store_product("DeepCAMS", tmp_path / names[0])
    assert (first.name, first.label, first.grid) == ("DeepCAMS", str(tmp_path / names[0]), job().grid)
    assert "downscaled from CAMS; deepcams" in first.description
    for interpolation in ("bilinear", "nearest"):
        values = everything(first, interpolation)
        results = open_results(tmp_path / names[0])
        sampler = at_points(first.grid, PLACES, interpolation=interpolation)
        wanted = sampler.means(sampler.take(lambda rows, columns, maps=results: maps.read(slice(0, 72), rows, columns)))
        np.testing.assert_array_equal(values, wanted)
        assert np.isnan(values[20:35]).all()  # the gap
        assert np.isfinite(values[:15, 0]).all()
        for name in names[1:]:
            np.testing.assert_array_equal(
                everything(store_product("x", tmp_path / name), interpolation), values[: 61 if "nc" in name else 72]
            )


def test_stores_and_cams_meet_at_the_analyses(tmp_path, job, observations):
    job()
    downscale(tmp_path / "cams.nc", tmp_path / "hours.zarr")
    products = [*cams_products(tmp_path / "cams.nc"), store_product("DeepCAMS", tmp_path / "hours.zarr")]
    places = replace(PLACES, latitude=np.array([51.0, 50.25, 53.25]), longitude=np.array([4.5, 9.0, 5.25]))  # nodes
    made = observations(np.ones((3, 72)), places.latitude, places.longitude, start="2019-12-30T00:00")
    found, pairs = collocate(made, products, rule="begin")
    good = found.good.reshape(3, 72)
    assert not good[:, 16:39].any()
    assert not good[:, 61:].any()
    np.testing.assert_array_equal(np.flatnonzero(~good[2, :16]), [7, 8, 9, 10, 11])
    assert good[:2, :16].all()
    assert pairs.size == good.sum()
    np.testing.assert_array_equal(pairs.products[NEAREST][:2], pairs.products[CAMS][:2])


def hourly(path, unit="ug m-3", name="pm2p5", factor=1.0):
    """Write five hours of maps as another program might."""
    times = np.datetime64("2020-01-01T02", "ns") + np.arange(5) * HOUR
    coordinates = {"time": times, "latitude": 54 - 0.5 * np.arange(10), "longitude": 3 + 0.5 * np.arange(15)}
    values = factor * np.random.default_rng(0).gamma(1, 20, (5, 10, 15))
    xr.DataArray(values, coordinates, tuple(coordinates), name, attrs={"units": unit}).to_netcdf(path)
    return path


def test_only_pm2p5_is_compared_unless_another_is_asked_for(tmp_path):
    path = hourly(tmp_path / "a.nc", name="pm10")
    with pytest.raises(InputError, match=r"a\.nc: holds pm10, stations measure pm2p5.*--variable pm10"):
        store_product("X", path)
    wanted = everything(store_product("X", hourly(tmp_path / "b.nc")))
    np.testing.assert_array_equal(everything(store_product("X", path, variable="pm10")), wanted)


def test_units_become_micrograms_or_are_refused(tmp_path):
    wanted = everything(store_product("X", hourly(tmp_path / "a.nc")))
    for name in ("pm2p5", "smoke"):
        path = hourly(tmp_path / f"{name}.nc", "kg m-3", name, 1e-9)
        np.testing.assert_allclose(everything(store_product("X", path, variable=name)), wanted, rtol=1e-6)
    with pytest.raises(InputError, match=r"ozone is in 'ppb': wanted a mass in a volume"):
        store_product("X", hourly(tmp_path / "o.nc", "ppb", "ozone"), variable="ozone")


def test_cams_takes_its_unit_and_variable_as_elsewhere(tmp_path, cams, analyses):
    path = analyses(range(3))
    wanted = everything(cams_products(path)[0])
    with xr.open_dataset(path) as dataset:
        bare = dataset.rename(pm2p5="pm10").load()
    bare.pm10.attrs = {}
    bare.to_netcdf(tmp_path / "bare.nc")
    found = cams_products(tmp_path / "bare.nc", variable="pm10", units="kg m-3")[0]
    np.testing.assert_array_equal(everything(found), wanted)
    with pytest.raises(InputError, match="no variable 'pm2p5'"):
        cams_products(tmp_path / "bare.nc")


def test_a_single_analysis_is_its_own_hour(analyses):
    for product in cams_products(analyses([0])):
        assert product.times.size == 1
        assert np.isfinite(everything(product)).all()
        assert "a single analysis" in product.description
