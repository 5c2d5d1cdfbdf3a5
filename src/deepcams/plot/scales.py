"""Colour scales by name: from a quantity to a colour map, a norm, and ticks that read well.

``log`` is logarithmic. ``who`` has the classes of the WHO's air quality guidelines of 2021 for PM2.5
(https://www.who.int/publications/i/item/9789240034228): 15 µg m⁻³ is the guideline level, 25, 37.5, 50 and 75 are the
interim targets, all for 24-hour means. Colours are Crameri's *lajolla*: perceptually uniform, safe for colour-blind
readers (https://doi.org/10.5281/zenodo.1243862). Differences have his *vik*.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepcams.errors import InputError
from deepcams.units import micrograms_per

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

MISSING_COLOUR = "#b3b3b3"
WHO_EDGES = (5.0, 15.0, 25.0, 37.5, 50.0, 75.0, 150.0)
WHO_NAMES = {15.0: "AQG", 25.0: "IT-4", 37.5: "IT-3", 50.0: "IT-2", 75.0: "IT-1"}
WHO_NOTE = "WHO 2021 guideline level (AQG) and interim targets (IT): set for 24-hour means"

_PARTICLES = {"pm1": "1", "pm2p5": "2.5", "pm25": "2.5", "pm10": "10"}
_STATISTICS = {"mean": "mean", "max": "maximum", "min": "minimum", "daily_max": "highest daily mean",
               "daily_p98": "98th percentile of daily means", "daily_p99": "99th percentile of daily means"}  # fmt: skip
_PARTICLE_LIMITS = (1.0, 500.0)  # ug m-3: from clean ocean air to heavy smoke
_DECADES = 500.0  # default ratio of the limits for other quantities
_MANY_TICKS, _MANY_POWERS = 12, 10
_ROUNDING = 1e-9
_DARKEST = 0.9  # of the colour map: beyond it, neighbouring classes look the same


@dataclass(frozen=True)
class Quantity:
    """What a field holds, as far as a picture's labels and scale need it.

    Attributes:
        name: variable name.
        title: what to print for it, in matplotlib's mathtext.
        unit: unit as in the file.
    """

    name: str
    title: str
    unit: str

    @classmethod
    def of(cls, name: str, attributes: Mapping[str, Any]) -> Quantity:
        """The quantity of a variable with the CF attributes ``units`` and ``long_name``."""
        size, statistic = _PARTICLES.get(_species(name)), name.partition("_")[2]
        title = f"PM$_{{{size}}}$" if size else str(attributes.get("long_name") or name).replace("$", r"\$")
        if size and statistic:
            title += f" {_STATISTICS.get(statistic, statistic.replace('_', ' '))}"
        return cls(name, title, str(attributes.get("units", "")))

    @property
    def in_micrograms(self) -> bool:
        """Whether the unit is micrograms per cubic metre, however it is spelled."""
        try:
            return micrograms_per(self.unit) == 1.0
        except InputError:
            return False

    @property
    def label(self) -> str:
        """Title and unit for a colour bar, like ``PM2.5 (µg m⁻³)``."""
        unit = "µg m$^{-3}$" if self.in_micrograms else _unit_in_mathtext(self.unit)
        return f"{self.title} ({unit})" if unit else self.title


@dataclass(frozen=True)
class Limits:
    """The ends of a scale in the field's unit; None leaves the choice to the scale."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scale:
    """How values become colours, and how the colour bar is labelled.

    Attributes:
        colours: colour map; NaN has ``MISSING_COLOUR``.
        norm: from values to the colour map.
        ticks: values with a label on the colour bar.
        labels: their labels.
        spacing: ``proportional``, or ``uniform`` for classes of equal width on the colour bar.
        note: what to print below the colour bar, without a full stop, or an empty text.
    """

    colours: Colormap
    norm: Normalize
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    spacing: str = "proportional"
    note: str = ""


def build_scale(name: str, quantity: Quantity, peak: float, limits: Limits | None = None) -> Scale:
    """The scale of a name in ``SCALES``.

    Args:
        name: ``"log"`` or ``"who"``.
        quantity: what is shown.
        peak: largest finite value shown, in the quantity's unit; sets the default limits where none are customary.
        limits: ends of the scale.

    Raises:
        InputError: for an unknown name, limits that are not 0 < low < high, or a scale not made for this quantity.
    """
    builder = SCALES.get(name)
    if builder is None:
        raise InputError(f"colour scale {name!r}: wanted one of {', '.join(SCALES)}")
    return builder(quantity, peak, limits or Limits())


def log_scale(quantity: Quantity, peak: float, limits: Limits) -> Scale:
    """A logarithmic scale, 1 to 500 µg m⁻³ for particles; values beyond its ends (zeros too) have the end's colour."""
    from matplotlib.colors import LogNorm

    low, high = _log_limits(quantity, peak, limits)
    ticks = log_ticks(low, high)
    return Scale(_lajolla(256), LogNorm(low, high, clip=True), ticks, tuple(_number(tick) for tick in ticks))


def who_scale(quantity: Quantity, peak: float, limits: Limits) -> Scale:
    """The classes of the WHO guidelines of 2021; a value on an edge belongs to the class above it.

    Raises:
        InputError: if the quantity is not PM2.5 in µg m⁻³, or limits are given (the classes are fixed).
    """
    from matplotlib.colors import BoundaryNorm

    if not (quantity.in_micrograms and _PARTICLES.get(_species(quantity.name)) == "2.5"):
        raise InputError(f"the who scale is for PM2.5 in ug m-3; found {quantity.name} in "
                         f"{quantity.unit or 'no unit'}: use the log scale")  # fmt: skip
    if limits != Limits():
        raise InputError("the who scale has fixed classes: leave out vmin and vmax, or use the log scale")
    classes = len(WHO_EDGES) + 1
    labels = tuple("\n".join(filter(None, (_number(edge), WHO_NAMES.get(edge)))) for edge in WHO_EDGES)
    norm = BoundaryNorm(WHO_EDGES, classes, extend="both")
    return Scale(_lajolla(classes), norm, WHO_EDGES, labels, "uniform", WHO_NOTE)


SCALES: dict[str, Callable[[Quantity, float, Limits], Scale]] = {"log": log_scale, "who": who_scale}


def difference_scale(largest: float) -> Scale:
    """A linear scale of differences, blue below zero and red above, to the next round number from ``largest`` on.

    Args:
        largest: in the unit of what is compared; larger differences have the end's colour.
    """
    from matplotlib.colors import Normalize

    end = _round_up(largest) if math.isfinite(largest) and largest > 0 else 1.0
    ticks = tuple(end * part for part in (-1, -0.5, 0, 0.5, 1))
    colours = _crameri("vik").with_extremes(bad=MISSING_COLOUR)
    labels = tuple(f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks)
    return Scale(colours, Normalize(-end, end, clip=True), ticks, labels)


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """The numbers 1, 2 and 5 times a power of ten within the limits; the powers alone, or some, if those are many."""
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    ticks = _within([float(f"{step}e{decade}") for decade in decades for step in (1, 2, 5)], low, high)
    if len(ticks) > _MANY_TICKS:
        powers = _within([float(f"1e{decade}") for decade in decades], low, high)
        ticks = powers[:: math.ceil(len(powers) / _MANY_POWERS)]
    return ticks if len(ticks) > 1 else (low, high)


def _species(name: str) -> str:
    """The species of a variable, also of one of ``deepcams aggregate``: ``pm2p5`` of ``pm2p5_mean``."""
    return name.partition("_")[0].lower()


def _within(values: list[float], low: float, high: float) -> tuple[float, ...]:
    """The values from low to high, with room for rounding."""
    return tuple(value for value in values if low * (1 - _ROUNDING) <= value <= high * (1 + _ROUNDING))


def _log_limits(quantity: Quantity, peak: float, limits: Limits) -> tuple[float, float]:
    """The limits given, completed by customary ones for particles, by the peak for other quantities."""
    customary = quantity.in_micrograms and _species(quantity.name) in _PARTICLES
    top = _round_up(peak) if math.isfinite(peak) and peak > 0 else 1.0
    low, high = _PARTICLE_LIMITS if customary else (top / _DECADES, top)
    low = low if limits.low is None else limits.low
    high = high if limits.high is None else limits.high
    if not 0 < low < high < math.inf:
        raise InputError(f"colour scale from {low:g} to {high:g}: wanted 0 < vmin < vmax on a logarithmic scale")
    return low, high


def _round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten that is not smaller."""
    decade = math.floor(math.log10(value))
    return next(top for step in (1, 2, 5, 10) if (top := float(f"{step}e{decade}")) >= value * (1 - _ROUNDING))


def _number(value: float) -> str:
    """A tick's label: plain where it is short, otherwise in powers of ten."""
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    factor = "" if float(mantissa) == 1 else f"{float(mantissa):g}\u00d7"
    return f"{factor}10$^{{{int(exponent)}}}$"


def _unit_in_mathtext(unit: str) -> str:
    """A CF unit with raised exponents: ``kg m**-3`` or ``kg m-3`` become kg m⁻³; a unit of 1 is left out."""
    return "" if unit.strip() == "1" else re.sub(r"(?<=[A-Za-z])(?:\*\*|\^)?(-?\d+)", r"$^{\1}$", unit)


def _lajolla(colours: int) -> Colormap:
    """Crameri's lajolla from light (low) to dark (high), in so many colours; its blackest end is left out."""
    from matplotlib.colors import ListedColormap

    lajolla = _crameri("lajolla_r")
    table = [lajolla(_DARKEST * index / (colours - 1)) for index in range(colours)]
    return ListedColormap(table).with_extremes(bad=MISSING_COLOUR)


def _crameri(name: str) -> Colormap:
    """One of Crameri's colour maps.

    Raises:
        InputError: if the package that has them is not installed.
    """
    try:
        from cmcrameri import cm
    except ImportError as error:
        raise InputError('colours need cmcrameri, which is not installed: pip install "deepcams[plot]"') from error
    colours: Colormap = getattr(cm, name)
    return colours
