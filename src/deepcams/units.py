"""Units of concentration, and what a variable's values mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

MICROGRAMS = "ug m-3"
EPSILON = 0.05  # ug m-3: below it, ratios of PM2.5 do not count
_MEDIAN_SHARE = 0.02  # epsilon of other fields as a share of their median
_NOISE = (-0.2, 2e-5)  # in epsilons: packing noise around zero (-0.01 and 1e-6 ug m-3 for PM2.5)

_PARTICULATE = {
    "pm1": "Particulate matter d <= 1 um",
    "pm2p5": "Particulate matter d <= 2.5 um",
    "pm10": "Particulate matter d <= 10 um",
}
_PLAIN = str.maketrans({"µ": "u", "μ": "u", "³": "3", "⁻": "-", "{": "", "}": ""})
_DIMENSIONLESS = {"~", "(0 - 1)", "dimensionless"}  # as ECMWF writes it; CF wants "1"
_PER_MICROGRAM = {
    "kg": 1e9,
    "g": 1e6,
    "mg": 1e3,
    "ug": 1.0,
    "mcg": 1.0,
    "microgram": 1.0,
    "micrograms": 1.0,
    "ng": 1e-3,
}


@dataclass(frozen=True)
class Species:
    """A variable as it is computed and written.

    Attributes:
        name: the variable's name in the output.
        unit: its unit in the output: ug m-3 for particulate matter, else the input's.
        scale: what the input's values are multiplied with.
        long_name: for people.
        standard_name: CF standard name, or an empty string.
    """

    name: str
    unit: str
    scale: float
    long_name: str
    standard_name: str

    @property
    def is_particulate(self) -> bool:
        """Whether it is PM1, PM2.5 or PM10, in ug m-3."""
        return self.name in _PARTICULATE


def species_of(name: str, unit: str, *, long_name: str = "", standard_name: str = "") -> Species:
    """How to treat a variable with this name and unit.

    Raises:
        InputError: if it is particulate matter in a unit that is not a mass per volume.
    """
    if name not in _PARTICULATE:
        return Species(name, "1" if unit in _DIMENSIONLESS else unit, 1.0, long_name or name, standard_name)
    standard_name = f"mass_concentration_of_{name}_ambient_aerosol_particles_in_air"
    return Species(name, MICROGRAMS, micrograms_per(unit), _PARTICULATE[name], standard_name)


def micrograms_per(unit: str) -> float:
    """How many ug m-3 one of this unit is.

    Raises:
        InputError: if the unit is not a mass per cubic metre.
    """
    plain = unit.strip().translate(_PLAIN)
    plain = (
        plain.replace("cubic metre", "m3")
        .replace("cubic meter", "m3")
        .replace(" per ", "/")
        .replace("*", "")
        .replace("^", "")
    )
    plain = plain.replace(" ", "").replace(".", "").replace("(", "").replace(")", "").replace("/m3", "m-3")
    mass = plain.removesuffix("m-3")
    if mass == plain or mass not in _PER_MICROGRAM:
        raise InputError(f"units {unit!r} are not a mass per volume: wanted one like 'kg m-3' or 'ug m-3'; "
                         "if the file is wrong, say so with --units")  # fmt: skip
    return _PER_MICROGRAM[mass]


def epsilon_of(species: Species, field: NDArray[np.float32]) -> float:
    """The concentration below which ratios do not count: 0.05 ug m-3, or 2 % of another field's median.

    Args:
        species: the variable.
        field: one analysis of it, any shape.

    Raises:
        InputError: if the field has no positive value to tell its scale.
    """
    if species.is_particulate:
        return EPSILON
    positive = field[np.isfinite(field) & (field > 0)]
    if positive.size == 0:
        raise InputError(f"the first analysis of {species.name} has no positive value: its scale cannot be told")
    median = float(np.median(field[np.isfinite(field)]))
    return _MEDIAN_SHARE * (median if median > 0 else float(np.median(positive)))


def noise_limits(epsilon: float) -> tuple[float, float]:
    """``(lowest, largest)`` of what counts as packing noise around zero; anything lower is an error in the data."""
    return _NOISE[0] * epsilon, _NOISE[1] * epsilon
