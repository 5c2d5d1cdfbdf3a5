"""Units of concentration."""

from __future__ import annotations

import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.mass import check_unit, factor_of


@pytest.mark.parametrize(
    "unit",
    ["µg/m³", "μg/m³", "µg/m3", "ug/m3", "UG/M3", "ug/m^3", "ugm-3", "ug m-3", "ug m**-3", "µg.m-3", "ug.m-3",
     "µg m⁻³", "µg m−3", "µg·m⁻³", " µg/m³ ", "mcg/m3", "Micrograms/cubic meter (LC)", "micrograms per cubic meter",
     "microgrammes per cubic metre", "Âµg/mÂ³", "\ufffdg/m\ufffd"],
)  # fmt: skip
def test_micrograms_are_known_however_they_are_spelt(unit):
    assert factor_of(unit) == 1


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mg/m3", 1e3), ("mg.m-3", 1e3), ("ng/m³", 1e-3), ("kg m**-3", 1e9), ("g/m3", 1e6), ("milligram/m3", 1e3)],
)
def test_other_masses_are_converted(unit, factor):
    assert factor_of(unit) == factor


@pytest.mark.parametrize(
    "unit", ["", "ppm", "ppb", "%", "c", "particles/cm³", "ug", "ug/m2", "ug/Nm3", "AQI", "m3", "ug/m3/h", "ug/cm3"]
)
def test_what_is_no_mass_in_a_volume_is_not_guessed(unit):
    assert factor_of(unit) is None


def test_the_users_unit_is_checked():
    check_unit(None)
    check_unit("mg/m3")
    with pytest.raises(InputError, match="units 'ppb': wanted a mass in a volume of air"):
        check_unit("ppb")
