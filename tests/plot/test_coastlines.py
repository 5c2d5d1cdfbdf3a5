"""The bundled coastlines: real coasts, everywhere a map may be, and nothing that is no coast."""

from importlib.resources import files

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.plot.coastlines import SCALES, coastline_scale, coastlines


def nearest(lines, longitude, latitude):
    """Degrees from a place to the nearest coastline point."""
    points = np.concatenate(lines)
    return np.hypot(*(points - (longitude, latitude)).T).min()


@pytest.mark.parametrize("scale", SCALES)
def test_known_capes_lie_on_the_coast(scale):
    lines = coastlines(-180, 180, scale=scale)
    for cape in [(-9.5, 38.8), (18.5, -34.3), (80.2, 6.0), (153.6, -28.6), (-52.7, 47.6)]:
        assert nearest(lines, *cape) < 0.8


@pytest.mark.parametrize("scale", SCALES)
def test_no_line_jumps_or_runs_along_the_date_line_or_the_pole(scale):
    for line in coastlines(-180, 180, scale=scale):
        steps = np.abs(np.diff(line, axis=0))
        assert steps[:, 0].max() < 30
        on_date_line = np.abs(np.abs(line[:, 0]) - 180) < 0.005
        assert not (on_date_line[:-1] & on_date_line[1:] & (steps[:, 1] > 0.5)).any()
        assert line[:, 1].min() > -89


@pytest.mark.parametrize("west", [-180, 0, 350, -360, 720])
def test_every_map_sees_the_same_coasts_shifted_to_its_longitudes(west):
    home = coastlines(100, 160, -50, 0)
    turn = 360 * round((west - 100) / 360)
    moved = coastlines(100 + turn, 160 + turn, -50, 0)
    assert len(home) == len(moved)
    for there, here in zip(moved, home, strict=True):
        np.testing.assert_allclose(there - here, np.broadcast_to((turn, 0.0), here.shape), atol=1e-9)


def test_a_map_over_the_greenwich_meridian_from_350_has_both_sides():
    lines = coastlines(350, 390, 30, 60)
    assert nearest(lines, 360 - 5.7, 50.05) < 0.3  # Land's End
    assert nearest(lines, 360 + 16.0, 38.0) < 0.5  # Calabria
    assert all(line[:, 0].max() >= 350 and line[:, 0].min() <= 390 for line in lines)


def test_a_map_over_the_date_line_has_both_sides():
    lines = coastlines(160, 220, 50, 72)
    assert nearest(lines, 360 - 168.1, 65.6) < 0.3  # Cape Prince of Wales
    assert nearest(lines, 170.0, 60.0) < 1.5  # Koryak coast
    chukotka = [line for line in lines if line[:, 0].min() < 180.1 and line[:, 0].max() > 189]
    assert chukotka  # the coast east of 180 goes on from there


def test_regional_maps_have_the_finer_coast():
    assert coastline_scale(360) == "110m"
    assert coastline_scale(20) == "50m"
    box = (-10, 10, 50, 60)
    assert sum(map(len, coastlines(*box, scale="50m"))) > 2 * sum(map(len, coastlines(*box, scale="110m")))


def test_open_ocean_has_no_coast_point():
    points = np.concatenate([np.empty((0, 2)), *coastlines(-140, -130, -50, -40)])
    inside = (points[:, 0] > -140) & (points[:, 0] < -130) & (points[:, 1] > -50) & (points[:, 1] < -40)
    assert not inside.any()


def test_the_data_file_is_small():
    assert len((files("deepcams.plot") / "coastlines.npz").read_bytes()) < 300_000


def test_errors_say_what_is_wanted():
    with pytest.raises(InputError, match="110m, 50m"):
        coastlines(0, 10, scale="10m")
    with pytest.raises(InputError, match="west < east"):
        coastlines(10, 10)
