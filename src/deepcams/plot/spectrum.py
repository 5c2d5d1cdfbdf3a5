"""The picture of zonal power spectra: power by wavenumber, and below it over that of the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK, check_picture, save_picture
from deepcams.plot.sheet import TWO_COLUMNS, Box, check_width
from deepcams.plot.spectra import BICUBIC, CAMS, TRUTH, Spectra, Spectrum
from deepcams.plot.validation.board import PRODUCT_COLOURS, Board, new_board, short, validation_style
from deepcams.provenance import ATTRIBUTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT, _RIGHT, _BELOW, _ABOVE = 0.72, 0.18, 0.42, 0.48  # inches
_HEIGHT, _RATIO, _BETWEEN, _LINE = 2.5, 1.3, 0.12, 0.19
_NAMES = {"pm1": "PM1", "pm2p5": "PM2.5", "pm10": "PM10"}
_ROOM = 0.46  # inches from one label to the next
_DECADES = 9  # of power, at most
_NAMED: dict[str, dict[str, Any]] = {
    TRUTH: {"color": INK, "linewidth": 1.8},
    CAMS: {"color": PRODUCT_COLOURS[0], "linewidth": 1.5},
    BICUBIC: {"color": PRODUCT_COLOURS[0], "linewidth": 1.2, "linestyle": (0, (4, 1.6))},
}
_OTHERS = PRODUCT_COLOURS[1:]
_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def plot_spectrum(spectra: Spectra, path: Path, *, width: float = TWO_COLUMNS, overwrite: bool = False) -> None:
    """Write the spectra.

    Args:
        spectra: what is shown.
        path: picture to write: .png, .svg or .pdf.
        width: of the sheet in inches.
        overwrite: replace an existing picture.

    Raises:
        InputError: for an unknown suffix or width, or if matplotlib is not installed.
        OutputError: if the picture cannot be written there.
    """
    check_picture(path, overwrite=overwrite)
    save_picture(draw_spectrum(spectra, width=width), path, overwrite=overwrite)


def draw_spectrum(spectra: Spectra, *, width: float = TWO_COLUMNS) -> Figure:
    """The figure of :func:`plot_spectrum`, not written."""
    check_width(width)
    with validation_style():
        inner, ratio = width - _LEFT - _RIGHT, 0.0 if spectra.reference is None else _RATIO + _BETWEEN
        columns = max(1, int(inner / 1.3))
        legend = _LINE * -(-len(spectra.spectra) // columns)
        height = _BELOW + ratio + _HEIGHT + _ABOVE + legend
        title = f"Zonal power spectrum of {_NAMES.get(spectra.sources[0].variable, spectra.sources[0].variable)}"
        board = new_board(title, _facts(spectra), width, height, _notes(spectra))
        styles = dict(_styles(spectra))
        upper = board.axes(Box(_LEFT, _BELOW + ratio, inner, _HEIGHT))
        _draw_power(upper, spectra, styles, lowest=not ratio)
        if spectra.reference is not None:
            lower = board.axes(Box(_LEFT, _BELOW, inner, _RATIO))
            _draw_ratio(lower, spectra, spectra.reference, styles)
        _draw_legend(board, spectra, styles, columns, height)
    return board.figure


def _draw_power(axes: Axes, spectra: Spectra, styles: dict[str, dict[str, Any]], *, lowest: bool) -> None:
    """Power by wavenumber, with wavelengths above."""
    for one in spectra.spectra:
        axes.plot(one.wavenumber, np.where(one.power > 0, one.power, np.nan), **styles[one.name])
    highest = max(float(one.power.max()) for one in spectra.spectra)
    lowest_power = min(float(one.power[one.power > 0].min(initial=np.inf)) for one in spectra.spectra)
    axes.set_yscale("log", nonpositive="mask")
    if highest > 0:
        axes.set_ylim(max(lowest_power / 1.5, highest / 10**_DECADES), highest * 2)
    _set_wavenumbers(axes, spectra, labels=lowest)
    unit = spectra.sources[0].unit
    squared = "(µg m⁻³)²" if unit == "ug m-3" else f"({unit})²"
    axes.set_ylabel(f"power ({squared} per wavenumber)", fontsize=SMALL)
    _label_powers(axes)
    above = axes.secondary_xaxis("top", functions=(lambda k: spectra.circumference / np.maximum(k, 1e-9),) * 2)
    above.tick_params(labelsize=SMALL, length=3)
    lengths = _spaced(_lengths(*axes.get_xlim(), spectra.circumference), axes)
    above.set_xticks(lengths, [f"{one:,.0f}".replace(",", "\u202f") for one in lengths])
    above.minorticks_off()
    above.set_xlabel("wavelength (km)", fontsize=SMALL, labelpad=3)


def _draw_ratio(axes: Axes, spectra: Spectra, reference: Spectrum, styles: dict[str, dict[str, Any]]) -> None:
    """Power over that of the reference; 1 is as much."""
    axes.axhline(1, color=FAINT_INK, linewidth=0.7)
    ratios = []
    for one in spectra.spectra:
        if one is not reference:
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = one.power / reference.at(one.wavenumber)
            ratios.append(ratio[np.isfinite(ratio)])
            axes.plot(one.wavenumber, np.where(ratio > 0, ratio, np.nan), **styles[one.name])
    known = np.concatenate([*ratios, [1.0]])
    axes.set_yscale("log", nonpositive="mask")
    low, high = float(np.clip(known.min() / 1.2, 0.01, 0.4)), float(np.clip(known.max() * 1.2, 2.2, 110))
    axes.set_ylim(low, high)
    axes.minorticks_off()
    ticks = [tick for tick in _RATIOS if low <= tick <= high]
    ticks = ticks if len(ticks) < 8 else [tick for tick in ticks if np.log10(tick).is_integer()]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylabel(f"over {short(reference.name)}", fontsize=SMALL)
    _set_wavenumbers(axes, spectra, labels=True)


def _set_wavenumbers(axes: Axes, spectra: Spectra, *, labels: bool) -> None:
    """The same axis in both panels, and a line where the coarsest grid ends."""
    lowest = min(float(one.wavenumber[0]) for one in spectra.spectra)
    highest = max(float(one.wavenumber[-1]) for one in spectra.spectra)
    coarsest = min(float(one.wavenumber[-1]) for one in spectra.spectra)
    axes.set_xscale("log")
    axes.set_xlim(lowest / 1.05, highest * 1.05)
    ticks = [float(f"{step}e{decade}") for decade in range(5) for step in (1, 2, 5)]
    ticks = _spaced([tick for tick in ticks if lowest * 0.99 <= tick <= highest * 1.05], axes)
    axes.set_xticks(ticks, [f"{tick:.0f}" if labels else "" for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, length=3)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
    if coarsest < 0.8 * highest:
        axes.axvline(coarsest, color=FAINT_INK, linewidth=0.7, linestyle=(0, (1, 2)))
    if labels:
        axes.set_xlabel("waves around the circle of latitude", fontsize=SMALL, labelpad=2)


def _label_powers(axes: Axes) -> None:
    """Powers of ten as text, because the style reads no formulas."""
    low, high = np.log10(axes.get_ylim())
    exponents = np.arange(int(np.ceil(low)), int(np.floor(high)) + 1)
    exponents = exponents[:: max(1, -(-len(exponents) // 6))]
    digits = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    axes.minorticks_off()
    axes.set_yticks(10.0**exponents, [f"10{str(one).translate(digits)}" for one in exponents])


def _lengths(low: float, high: float, circumference: float) -> list[float]:
    """Round wavelengths within the axis."""
    lengths = [float(f"{step}e{decade}") for decade in range(6) for step in (1, 2, 5)]
    return [one for one in lengths if low <= circumference / one <= high]


def _spaced(ticks: list[float], axes: Axes) -> list[float]:
    """The ticks of a logarithmic axis that have room for their labels beside those kept before."""
    low, high = axes.get_xlim()
    inches = axes.get_window_extent().width / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    kept: list[float] = []
    for tick in ticks:
        if not kept or abs(np.log(tick / kept[-1])) / np.log(high / low) * inches >= _ROOM:
            kept.append(tick)
    return kept


def _styles(spectra: Spectra) -> Iterator[tuple[str, dict[str, Any]]]:
    """How each line is drawn: those that are not known by name take one colour after the other."""
    others = [one.name for one in spectra.spectra if one.name not in _NAMED]
    for one in spectra.spectra:
        yield (
            one.name,
            _NAMED.get(one.name)
            or {
                "color": _OTHERS[others.index(one.name) % len(_OTHERS)],
                "linewidth": 1.5,
            },
        )


def _draw_legend(board: Board, spectra: Spectra, styles: dict[str, dict[str, Any]], columns: int, top: float) -> None:
    """Which line is whose, above the panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **styles[one.name]) for one in spectra.spectra]
    labels = [f"{short(one.name)}, {one.grid.step:g}°" for one in spectra.sources]
    corner = ((_LEFT - 0.04) / board.width, (board.bottom + top) / board.height)
    board.figure.legend(handles, labels, loc="upper left", bbox_to_anchor=corner, ncols=columns, frameon=False,
                        fontsize=SMALL, borderaxespad=0, borderpad=0, handlelength=2.4, columnspacing=1.4,
                        labelspacing=0.35)  # fmt: skip


def _facts(spectra: Spectra) -> str:
    """Hours and latitudes in words."""
    hours = [str(one.astype("datetime64[m]")).replace("T", " ") for one in (spectra.hours[0], spectra.hours[-1])]
    region = spectra.region
    when = (
        f"{hours[0]} UTC"
        if spectra.hours.size == 1
        else f"mean of {spectra.hours.size:,} hours, {hours[0]} to {hours[1]} UTC"
    )
    where = f"{_degrees(region.south, 'SN')} to {_degrees(region.north, 'SN')}"
    if not spectra.whole:
        where += f", {_degrees(region.west, 'WE')} to {_degrees(region.east, 'WE')}"
    return f"{when}; {where}"


def _degrees(value: float, signs: str) -> str:
    """A latitude or longitude for people."""
    value = (value + 180) % 360 - 180 if signs == "WE" else value
    return f"{abs(value):g}°{signs[value >= 0]}"


def _notes(spectra: Spectra) -> str:
    """The small print."""
    parts = ["Density of the variance along latitude circles, circles weighted by area; wavelengths are those at the mean "
             "cosine of the band's latitudes."]  # fmt: skip
    if not spectra.whole:
        parts.append("Parts of circles: the mean is taken off, and Hann's window laid on.")
    names = {one.name for one in spectra.sources}
    if CAMS in names:
        parts.append("CAMS and its bicubic interpolation are linear in time between analyses.")
    if min(one.wavenumber[-1] for one in spectra.spectra) < 0.8 * max(one.wavenumber[-1] for one in spectra.spectra):
        parts.append("Dotted: the shortest wave of the coarsest grid.")
    parts.append("; ".join(f"{one.name}: {one.file}" for one in spectra.sources) + ".")
    thanked = dict.fromkeys(one.attribution for one in spectra.sources if one.attribution)
    if CAMS in names or not thanked:
        thanked = dict.fromkeys([*thanked, ATTRIBUTION])
    return " ".join([*parts, *(f"{one.rstrip('.')}." for one in thanked)])
