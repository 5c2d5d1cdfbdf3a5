"""Features: means over squares as counted by hand, the same from a part as from the globe, and what is constant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcams import sphere
from deepcams.grid import Grid
from deepcams.stations.calibration.features import EPSILON, NAMES, REACH, Sums, Surroundings, everywhere, places

GLOBE = Grid(90, 0, 3, 61, 120)
NOON = np.datetime64("2020-07-01T12:30", "m")


def field_on(grid, seed=0):
    return np.random.default_rng(seed).gamma(1, 10, grid.shape).astype(np.float32)


def named(features, name):
    return features[:, NAMES.index(name)]


@settings(deadline=None, max_examples=40)
@given(row=st.integers(0, 60), column=st.integers(0, 119), width=st.sampled_from([3, 9, 27]), holes=st.booleans())
def test_means_over_squares(row, column, width, holes):
    field = field_on(GLOBE)
    if holes:
        field[::4, ::3] = np.nan
    half = width // 2
    square = sphere.pad(field, GLOBE, half, half)[row : row + width, column : column + width].astype(float)
    sums, at = Sums(field, GLOBE), (np.array([row]), np.array([column]))
    assert sums.mean(*at, width)[0] == pytest.approx(np.nanmean(square), rel=1e-9)
    assert sums.spread(*at, width)[0] == pytest.approx(np.nanstd(square), rel=1e-6)


def test_a_constant_field_has_no_surroundings():
    field = np.full(GLOBE.shape, 7, np.float32)
    where = everywhere(GLOBE, np.arange(61), np.arange(120))
    features = Surroundings(field, GLOBE, NOON).features(where)
    np.testing.assert_allclose(named(features, "log_field"), np.log(7 + EPSILON), rtol=1e-6)
    np.testing.assert_allclose(named(features, "log_mean_27"), np.log(7 + EPSILON), rtol=1e-6)
    for name in ("log_field_over_mean_3", "log_mean_3_over_mean_9", "log_mean_9_over_mean_27", "log_spread_9"):
        np.testing.assert_allclose(named(features, name), 0, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(first=st.integers(0, 20), rows=st.integers(1, 10))
def test_features_of_a_band_of_rows_are_those_of_the_globe(first, rows):
    field = field_on(GLOBE)
    inner = np.arange(first, first + rows)
    top = max(0, first - REACH)
    band = GLOBE.window(range(top, first + rows + REACH), range(120))
    cells = np.array([0, 5, 119])
    whole = Surroundings(field, GLOBE, NOON).features(everywhere(GLOBE, inner, cells))
    part = Surroundings(field[top : first + rows + REACH], band, NOON).features(everywhere(band, inner - top, cells))
    fields = [NAMES.index(name) for name in NAMES if not name.startswith("altitude")]
    np.testing.assert_allclose(part[:, fields], whole[:, fields], rtol=1e-5, atol=1e-5)


def test_time_is_told_by_the_sun_and_season_by_the_hemisphere():
    where = places(GLOBE, np.array([10, 50, 10]), np.array([0, 0, 60]))  # 60N 0E, 60S 0E, 60N 180E
    features = Surroundings(field_on(GLOBE), GLOBE, NOON).features(where)
    angle = np.arctan2(named(features, "solar_time_sin"), named(features, "solar_time_cos")) % (2 * np.pi)
    np.testing.assert_allclose(angle * 12 / np.pi, [12.5, 12.5, 0.5], atol=1e-4)
    season = named(features, "season_cos")
    assert season[0] == pytest.approx(-1, abs=0.01)
    assert season[1] == pytest.approx(1, abs=0.01)


def test_places_know_the_ground():
    where = places(Grid(90, 0, 0.25, 721, 1440), np.array([220, 240, 176]), np.array([348, 800, 30]))
    altitude, land = (where.fixed[:, NAMES.index(name) - 10] for name in ("altitude", "land_share"))
    assert altitude[0] > 4500  # Tibet, the Pacific, the Alps' south
    assert abs(altitude[1]) < 10
    np.testing.assert_allclose(land[:2], [1, 0], atol=1e-6)
    assert where.fixed[1, NAMES.index("altitude_spread_9") - 10] < 5


def test_what_is_missing_is_missing_and_spoils_nothing_else():
    field = field_on(GLOBE)
    field[20, 30] = np.nan
    features = Surroundings(field, GLOBE, NOON).features(places(GLOBE, np.array([20, 20]), np.array([30, 31])))
    assert np.isnan(named(features, "log_field")[0])
    assert np.isfinite(features[1]).all()
