from __future__ import annotations

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.units import epsilon_of, micrograms_per, noise_limits, species_of


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("kg m**-3", 1e9), ("kg m-3", 1e9), ("kg/m3", 1e9), ("kg m^-3", 1e9), ("kg/m^3", 1e9), ("kg.m-3", 1e9),
        ("g m-3", 1e6), ("mg m-3", 1e3), ("ug m-3", 1), ("ug m**-3", 1), ("µg/m³", 1), ("μg m-3", 1), ("ug/m3", 1),
        ("µg m⁻³", 1), ("kg m^{-3}", 1e9), ("mcg/m3", 1),
        ("micrograms per cubic meter", 1), ("microgram m-3", 1), ("ng m-3", 1e-3),
    ],
)  # fmt: skip
def test_spellings_of_mass_per_volume(unit, scale):
    assert micrograms_per(unit) == scale


@pytest.mark.parametrize("unit", ["1", "kg kg-1", "ppb", "m-3", "K", "kg m-2", "kg m-3 s-1"])
def test_other_units_are_refused(unit):
    with pytest.raises(InputError, match="mass per volume"):
        micrograms_per(unit)


def test_species():
    assert species_of("aod550", "~").unit == "1"
    assert species_of("pm10", "kg m**-3").unit == "ug m-3"
    ozone = species_of("go3", "kg kg**-1", long_name="Ozone mass mixing ratio")
    assert (ozone.unit, ozone.scale, ozone.long_name) == ("kg kg**-1", 1, "Ozone mass mixing ratio")


def test_epsilon_and_noise():
    pm, ozone = species_of("pm2p5", "kg m-3"), species_of("go3", "kg kg-1")
    assert epsilon_of(pm, np.zeros(3, np.float32)) == 0.05
    assert noise_limits(0.05) == pytest.approx((-0.01, 1e-6))
    assert epsilon_of(ozone, np.array([1, 2, 3, np.nan], np.float32)) == pytest.approx(0.04)
    assert epsilon_of(ozone, np.array([0, 0, 0, 5], np.float32)) == pytest.approx(0.1)
    with pytest.raises(InputError, match="no positive value"):
        epsilon_of(ozone, np.zeros(3, np.float32))
