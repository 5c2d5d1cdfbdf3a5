"""Boxes: means cut exactly at the edges, across the seam and at the poles."""

import numpy as np
import pytest

from deepcams.conserve import area_mean
from deepcams.errors import InputError
from deepcams.extraction.areas import box_mean
from deepcams.grid import Grid, Region

COARSE = Grid(90, 0, 7.5, 25, 48)
FINE = COARSE.refine()
REGION = Grid(54.75, 175, 0.25, 20, 60)  # across the date line


def field_on(grid, seed=0):
    return np.random.default_rng(seed).gamma(1, 10, grid.shape).astype(np.float32)


def mean_and_highest(grid, region, field):
    sampler = box_mean(grid, region, "box")
    cells = sampler.take(lambda rows, columns: field[None, rows, columns])
    return sampler.means(cells)[0, 0], sampler.highest(cells)[0, 0]


@pytest.mark.parametrize("row", [0, 1, 12, 24])
@pytest.mark.parametrize("column", [0, 7, 47])
def test_the_mean_over_a_coarse_cell_is_its_area_mean(row, column):
    field = field_on(FINE).astype(np.float64)
    (north, south), (west, east) = COARSE.latitude_bounds[row], COARSE.longitude_bounds[column]
    found, _ = mean_and_highest(FINE, Region(north, west, south, east), field)
    assert found == pytest.approx(area_mean(field, COARSE)[row, column], rel=1e-6)


def test_a_box_is_cut_at_its_edges():
    region, field = Region(41.3, 170.2, 9.9, -160.7), field_on(FINE)
    weights = np.zeros(FINE.shape)
    for (i, j), _ in np.ndenumerate(field):
        (high, low), (left, right) = FINE.latitude_bounds[i], FINE.longitude_bounds[j]
        height = np.sin(np.deg2rad(min(high, 41.3))) - np.sin(np.deg2rad(max(low, 9.9)))
        weights[i, j] = max(0, height) * max(0, min(right, 199.3) - max(left, 170.2))
    found, highest = mean_and_highest(FINE, region, field)
    assert found == pytest.approx((weights * field).sum() / weights.sum(), rel=1e-6)
    assert highest == field[weights > 0].max()


@pytest.mark.parametrize("west", [-180, 0, 33.3])
def test_the_whole_earth(west):
    field = field_on(FINE)
    found, highest = mean_and_highest(FINE, Region(90, west, -90, west), field)
    assert found == pytest.approx(np.average(field.mean(axis=1, dtype=float), weights=FINE.areas), rel=1e-6)
    assert highest == field.max()


def test_a_box_within_a_cell_has_its_value_and_lies_in_its_middle():
    field = field_on(FINE)
    row, column = 20, 30
    latitude, longitude = float(FINE.latitude[row]), float(FINE.longitude[column])
    region = Region(latitude + 0.3, longitude - 0.1, latitude + 0.1, longitude + 0.2)
    assert mean_and_highest(FINE, region, field) == (field[row, column], field[row, column])
    sampler = box_mean(FINE, region, "box")
    assert (sampler.latitude[0], sampler.longitude[0]) == pytest.approx((latitude + 0.2, longitude + 0.05))


def test_a_missing_cell_makes_the_mean_missing():
    field = field_on(FINE)
    field[20, 30] = np.nan
    latitude, longitude = FINE.latitude[20], FINE.longitude[30]
    assert np.isnan(mean_and_highest(FINE, Region(latitude + 9, longitude, latitude - 9, longitude + 9), field)).all()


@pytest.mark.parametrize("region", [Region(54.875, 174.875, 49.875, -170.125), Region(53, -185, 51, 185)])
def test_a_regional_grid_counts_longitudes_as_it_likes(region):
    found, _ = mean_and_highest(REGION, region, np.full(REGION.shape, 3, np.float32))
    assert found == 3


@pytest.mark.parametrize("region", [Region(55, 176, 51, 178), Region(53, 174, 51, 178), Region(53, 176, 51, -170)])
def test_a_box_beyond_the_data_is_refused(region):
    with pytest.raises(InputError, match=r"region .* reaches beyond the data"):
        box_mean(REGION, region, "here")
