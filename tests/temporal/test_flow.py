from __future__ import annotations

import numpy as np
import pytest

from deepcams.conserve import area_mean
from deepcams.grid import Grid
from deepcams.spatial.lcbp import sharpen
from deepcams.sphere import from_blocks
from deepcams.temporal import flow, linear
from deepcams.temporal.setting import Setting

GLOBE = Grid(90, 0, 0.75, 241, 480)
FINE = GLOBE.refine(3)
BOX = Grid(60, 0, 0.75, 60, 80)
THIRDS = [1 / 3, 2 / 3]


def bump(grid, latitude, longitude, *, width, peak, background):
    """A Gaussian plume: width in coarse cells, peak and background in ug m-3."""
    dy = (grid.latitude - latitude)[:, None] / 0.75
    dx = ((grid.longitude - longitude + 180) % 360 - 180) / 0.75
    return background + peak * np.exp(-(dx**2 + dy**2) / (2 * width**2))


def sharpened(field, grid=GLOBE):
    return from_blocks(sharpen(area_mean(field, grid).astype(np.float32), grid, 3, epsilon=0.05), grid)


def centroid(field, grid, latitude, longitude):
    """(south-north, west-east) distance in coarse cells of a plume's centre of mass from a place."""
    dy, dx = (grid.latitude - latitude)[:, None], (grid.longitude - longitude + 180) % 360 - 180
    near = field * (np.abs(dy) < 9) * (np.abs(dx) < 12)
    return (near * dy).sum() / near.sum() / 0.75, (near * dx).sum() / near.sum() / 0.75


PLUMES = [
    {"latitude": 40.1, "longitude": 10.3, "width": 2, "peak": 50, "background": 5, "north": 0, "east": 3},
    {"latitude": 20.0, "longitude": 359.7, "width": 2, "peak": 50, "background": 5, "north": 2, "east": 2.2},
    {"latitude": 10.0, "longitude": 200.0, "width": 2, "peak": 1000, "background": 2, "north": -2, "east": 2},
    {"latitude": -30.0, "longitude": 100.0, "width": 3, "peak": 5, "background": 1, "north": 1, "east": 2.8},
    {"latitude": 0.0, "longitude": 180.0, "width": 4, "peak": 3000, "background": 0, "north": 2, "east": -2},
    {"latitude": 72.0, "longitude": 30.0, "width": 3, "peak": 50, "background": 5, "north": 1, "east": 3},
]


@pytest.mark.parametrize("plume", PLUMES, ids=lambda plume: f"{plume['latitude']:g}N{plume['longitude']:g}E")
def test_a_plume_carried_by_a_known_wind_comes_out_where_it_is(plume):
    def at(t):
        return (plume["latitude"] + 0.75 * t * plume["north"], plume["longitude"] + 0.75 * t * plume["east"])

    shape = {key: plume[key] for key in ("width", "peak", "background")}
    before, after = (sharpened(bump(FINE, *at(t), **shape)) for t in (0, 1))
    setting = Setting(FINE, 3, 0.05)
    straight = linear.between(before, after, THIRDS, setting)
    for t, field, blended in zip(THIRDS, flow.between(before, after, THIRDS, setting), straight, strict=True):
        offset = centroid(field - plume["background"], FINE, *at(t))
        assert np.abs(offset).max() < 0.1
        truth = bump(FINE, *at(t), **shape)
        assert np.sqrt(((field - truth) ** 2).mean()) < 0.1 * np.sqrt(((blended - truth) ** 2).mean())


def test_the_flow_is_the_wind():
    wind = np.array([6.0, -4.0])  # fine pixels in 3 h: eastwards, southwards
    before = bump(FINE, 30, 50, width=3, peak=80, background=5)
    after = bump(FINE, 30 - 0.25 * wind[1], 50 + 0.25 * wind[0], width=3, peak=80, background=5)
    u = flow.displacement(before.astype(np.float32), after.astype(np.float32), Setting(FINE, 3, 0.05))
    np.testing.assert_allclose(u[240, 203], wind, atol=0.3)


@pytest.mark.parametrize("grid", [FINE, BOX.refine(3), BOX], ids=["globe", "box", "coarse"])
def test_promises_between_two_fields(grid):
    generator = np.random.default_rng(0)
    before, after = generator.lognormal(1, 1.5, (2, *grid.shape)).astype(np.float32)
    before[10:20, 10:20] = 0
    for row in {0, -1} if grid is FINE else set():
        before[row], after[row] = 1.5, 2.5
    fields = flow.between(before, after, THIRDS, Setting(grid, 3, 0.05))
    for field in fields:
        assert field.dtype == np.float32
        assert field.min() >= 0
        assert field.max() <= max(before.max(), after.max())
        if grid is FINE:
            assert np.ptp(field[0]) == 0
            assert np.ptp(field[-1]) == 0
    constant = np.full(grid.shape, 7.25, np.float32)
    for field in flow.between(constant, constant, THIRDS, Setting(grid, 3, 0.05)):
        np.testing.assert_allclose(field, 7.25, rtol=1e-6)


def test_no_seam_where_the_longitudes_begin(sample_fields):
    """Across 0 degrees the map is as smooth as next to it."""
    before, after = (from_blocks(sharpen(one, GLOBE, 3, epsilon=0.05), GLOBE) for one in sample_fields[:2])
    for field in flow.between(before, after, THIRDS, Setting(FINE, 3, 0.05)):
        log = np.log(field + 0.05)
        jumps = np.abs(np.diff(log, axis=1, append=log[:, :1])).mean(axis=0)
        assert jumps[-1] < 1.5 * np.median(jumps)


def rms(field):
    return np.sqrt((field**2 * FINE.areas[:, None]).mean())


@pytest.mark.parametrize("number", [0, 2])
def test_turning_and_doubling_change_little(sample_fields, number):
    """To 5 % of the RMS hourly change, also at the jump of the fires from 21 to 00 UTC (number 2)."""
    setting = Setting(FINE, 3, 0.05)
    ends = [from_blocks(sharpen(one, GLOBE, 3, epsilon=0.05), GLOBE) for one in sample_fields[number : number + 2]]
    hourly_change = rms(ends[1] - ends[0]) / 3
    fields = flow.between(*ends, THIRDS, setting)
    for shift in (3, 111):
        turned = flow.between(*(np.roll(end, shift, 1) for end in ends), THIRDS, setting)
        assert max(rms(np.roll(b, -shift, 1) - a) for a, b in zip(fields, turned, strict=True)) < 0.05 * hourly_change
    doubled = flow.between(*(2 * end for end in ends), THIRDS, setting)
    assert max(rms(b / 2 - a) for a, b in zip(fields, doubled, strict=True)) < 0.05 * hourly_change


def test_a_grid_too_small_for_a_flow_is_linear():
    grid = Grid(60, 0, 0.25, 9, 12)
    before, after = np.random.default_rng(1).random((2, 9, 12)).astype(np.float32)
    setting = Setting(grid, 3, 0.05)
    assert not flow.has_flow(grid)
    assert "linear" in flow.notes(grid)[0]
    for a, b in zip(*(way.between(before, after, THIRDS, setting) for way in (flow, linear)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_source_is_not_taken_for_motion():
    """A plume that grows in place stays in place, and grows about as fast as linearly."""
    before, after = (bump(FINE, 30, 50, width=3, peak=peak, background=5).astype(np.float32) for peak in (50, 100))
    field = flow.between(before, after, [0.5], Setting(FINE, 3, 0.05))[0]
    assert np.abs(centroid(field - 5, FINE, 30, 50)).max() < 0.02
    assert (field - 5).sum() == pytest.approx(((before + after) / 2 - 5).sum(), rel=0.05)


@pytest.mark.parametrize("grid", [FINE, BOX.refine(3)], ids=["globe", "box"])
def test_a_warp_by_nothing_or_by_whole_pixels_fetches_pixels(grid):
    """Bit for bit, wherever the bands of rows meet that are warped at a time."""
    field = np.random.default_rng(2).lognormal(1, 1.5, grid.shape).astype(np.float32)
    warp = flow._Warp(field, grid)
    np.testing.assert_array_equal(warp(np.zeros((*grid.shape, 2), np.float32), 0.3), field)
    u = np.broadcast_to(np.array([6, -4], np.float32), (*grid.shape, 2))
    np.testing.assert_array_equal(warp(u, 0.5)[2:, :-3], field[:-2, 3:])
