"""Colour scales: limits, ticks, classes and what they refuse."""

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.plot.scales import (
    MISSING_COLOUR,
    WHO_EDGES,
    Limits,
    Quantity,
    build_scale,
    difference_scale,
    log_ticks,
)

matplotlib = pytest.importorskip("matplotlib")

PM25 = Quantity.of("pm2p5", {"units": "ug m-3"})
OZONE = Quantity.of("go3", {"units": "kg kg**-1", "long_name": "Ozone mass mixing ratio"})


def colours_of(scale, values):
    return scale.colours(scale.norm(np.ma.masked_invalid(np.asarray(values, np.float32))))


def luminance(colours):
    return colours[..., :3] @ [0.2126, 0.7152, 0.0722]


def test_log_scale_of_particles_runs_from_1_to_500_with_round_ticks():
    scale = build_scale("log", PM25, peak=3657.0)
    assert (scale.norm.vmin, scale.norm.vmax) == (1, 500)
    assert scale.ticks == (1, 2, 5, 10, 20, 50, 100, 200, 500)
    assert scale.labels == ("1", "2", "5", "10", "20", "50", "100", "200", "500")


def test_log_scale_is_logarithmic():
    norm = build_scale("log", PM25, peak=1.0).norm
    steps = np.diff(norm(np.array([1.0, 5.0, 25.0, 125.0])))
    np.testing.assert_allclose(steps, np.log(5) / np.log(500), rtol=1e-6)


def test_colours_darken_without_a_break():
    scale = build_scale("log", PM25, peak=1.0)
    dark = luminance(colours_of(scale, np.geomspace(1, 500, 200)))
    assert dark[0] > 0.9
    assert dark[-1] < 0.15
    assert np.diff(dark).max() < 0.005


@pytest.mark.parametrize("name", ["log", "who"])
def test_values_beyond_the_ends_have_the_ends_colours_and_nan_is_grey(name):
    scale = build_scale(name, PM25, peak=1.0)
    below, zero, low, high, above, missing = colours_of(scale, [1e-5, 0.0, 1.0, 500.0, 1e4, np.nan])
    np.testing.assert_array_equal(below, low)
    np.testing.assert_array_equal(zero, low)
    np.testing.assert_array_equal(above, high)
    np.testing.assert_array_equal(missing, matplotlib.colors.to_rgba(MISSING_COLOUR))


def test_limits_can_be_set_one_by_one():
    assert build_scale("log", PM25, 1.0, Limits(low=5)).norm.vmin == 5
    scale = build_scale("log", PM25, 1.0, Limits(high=100))
    assert (scale.norm.vmin, scale.norm.vmax) == (1, 100)
    assert scale.ticks[-1] == 100


@pytest.mark.parametrize("limits", [Limits(low=0), Limits(low=-1), Limits(low=600), Limits(5, 5), Limits(1, np.inf)])
def test_limits_that_are_no_logarithmic_scale_are_refused(limits):
    with pytest.raises(InputError, match="0 < vmin < vmax"):
        build_scale("log", PM25, 1.0, limits)


def test_other_quantities_get_limits_from_their_peak():
    scale = build_scale("log", OZONE, peak=1.3e-7)
    assert scale.norm.vmax == pytest.approx(2e-7)
    assert scale.norm.vmin == pytest.approx(4e-10)
    assert scale.labels[0] == "5\u00d710$^{-10}$"


@pytest.mark.parametrize("peak", [0.0, np.nan])
def test_a_field_without_values_still_has_a_scale(peak):
    assert build_scale("log", OZONE, peak).norm.vmax == 1


def test_many_decades_have_ticks_at_powers_of_ten_only():
    assert log_ticks(1e-3, 1e4) == (1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4)
    assert len(log_ticks(1e-20, 1e10)) <= 10
    assert log_ticks(11, 19) == (11, 19)


def test_who_classes_change_exactly_at_the_guideline_and_the_targets():
    scale = build_scale("who", PM25, peak=1.0)
    assert WHO_EDGES == (5, 15, 25, 37.5, 50, 75, 150)
    edges = np.array(WHO_EDGES, np.float32)
    below, at = colours_of(scale, np.nextafter(edges, np.float32(0))), colours_of(scale, edges)
    assert (np.abs(at - below).max(axis=1) > 0.1).all()
    np.testing.assert_array_equal(at[:-1], below[1:])  # one colour from edge to edge


def test_who_ticks_name_the_targets_and_the_note_says_24_hours():
    scale = build_scale("who", PM25, peak=1.0)
    assert scale.labels == ("5", "15\nAQG", "25\nIT-4", "37.5\nIT-3", "50\nIT-2", "75\nIT-1", "150")
    assert scale.spacing == "uniform"
    assert "24-hour means" in scale.note


@pytest.mark.parametrize(
    "quantity",
    [
        Quantity.of("pm10", {"units": "ug m-3"}),
        Quantity.of("pm2p5", {"units": "kg m-3"}),
        OZONE,
        Quantity.of("pm2p5", {}),
    ],
)
def test_who_scale_is_for_pm25_in_micrograms_only(quantity):
    with pytest.raises(InputError, match=r"PM2\.5 in ug m-3.*use the log scale"):
        build_scale("who", quantity, 1.0)


def test_who_scale_has_fixed_limits():
    with pytest.raises(InputError, match="fixed classes"):
        build_scale("who", PM25, 1.0, Limits(low=1))


def test_unknown_scale_is_refused():
    with pytest.raises(InputError, match="wanted one of log, who"):
        build_scale("rainbow", PM25, 1.0)


def test_labels_have_subscripts_and_raised_exponents():
    assert PM25.label == "PM$_{2.5}$ (µg m$^{-3}$)"
    assert Quantity.of("pm10", {"units": "µg/m3"}).label == "PM$_{10}$ (µg m$^{-3}$)"
    assert OZONE.label == "Ozone mass mixing ratio (kg kg$^{-1}$)"
    assert Quantity.of("aod550", {"units": "1"}).label == "aod550"
    assert (
        Quantity.of("x", {"long_name": "cost in $", "units": "kg m-2 s-1"}).label
        == r"cost in \$ (kg m$^{-2}$ s$^{-1}$)"
    )


@pytest.mark.parametrize(("largest", "end"), [(0.3, 0.5), (17.0, 20.0), (50.0, 50.0), (0.0, 1.0), (np.nan, 1.0)])
def test_differences_have_the_same_colours_on_both_sides(largest, end):
    scale = difference_scale(largest)
    assert (scale.norm.vmin, scale.norm.vmax) == (-end, end)
    assert scale.ticks == (-end, -end / 2, 0, end / 2, end)
    assert scale.labels[2] == "0"
    assert scale.labels[0].startswith("−")
    assert scale.labels[-1] == f"+{end:g}"
    low, middle, high = luminance(colours_of(scale, [-end, 0.0, end]))
    assert middle > 0.7 > max(low, high)
    blue, red = colours_of(scale, [-end / 2, end / 2])
    assert blue[2] > blue[0]
    assert red[0] > red[2]


def test_statistics_of_particles_are_called_so_and_have_their_scales():
    daily = Quantity.of("pm2p5_daily_max", {"units": "ug m-3", "long_name": "maximum of daily means of PM2.5"})
    assert daily.title == "PM$_{2.5}$ highest daily mean"
    assert build_scale("log", daily, peak=3.0).ticks == build_scale("log", PM25, peak=3.0).ticks
    assert build_scale("who", daily, peak=3.0).ticks == WHO_EDGES
    ozone = Quantity.of("go3_mean", {"units": "kg kg**-1", "long_name": "mean of ozone"})
    assert ozone.title == "mean of ozone"
