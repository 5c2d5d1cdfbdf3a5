"""The figure of docs/diurnal.md; a part of diurnal.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from diurnal_methods import CLOCK, EASED, LINEAR, OURS, RIDGE, SEASONS, Array, Cases

from deepcams.plot.figures import FAINT_INK, INK, house_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours: told apart with any colour vision, and the lines have their own dashes.
STYLES = {
    LINEAR: ("linear interpolation", "#D55E00", (0, (4, 1.5))),
    EASED: ("monotone cubic, three quarters", "#E69F00", (0, (1, 1))),
    OURS: ("ours, from the other years here", "#CC79A7", "solid"),
    CLOCK: ("hour, season and cubic, learned at this place", "#0072B2", (0, (6, 1.5, 1, 1.5))),
    RIDGE: ("regression on all that is known at this place", "#009E73", (0, (2.5, 0.8))),
}
UNIT = "µg m$^{-3}$"
WIDTH = 1.6


def draw(path: Path, ones: Sequence[Cases], made: dict[str, list[Array]]) -> None:
    """Draw the mean day, errors by hour, and what is recovered by season, of one point."""
    with house_style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.0, 6.6), layout="constrained")
        panels = figure.subplots(2, 2)
        truth = np.concatenate([one.truth.ravel() for one in ones])
        hour = np.concatenate([one.solar_hour.ravel() for one in ones])
        season = np.concatenate([one.season for one in ones])
        flat = {name: np.concatenate([part.ravel() for part in parts]) for name, parts in made.items()}
        _mean_day(panels[0, 0], hour, truth, flat)
        _bias(panels[0, 1], hour, truth, flat)
        _errors(panels[1, 0], hour, truth, flat)
        _seasons(panels[1, 1], season, truth, flat)
        for panel, letter in zip(panels.flat, "abcd", strict=True):
            panel.spines[["top", "right"]].set_visible(False)
            panel.set_title(f"{letter}  {panel.get_title()}", loc="left", fontsize=9.5, fontweight="bold")
            panel.set_title("")
        pairs = [panel.get_legend_handles_labels() for panel in (panels[0, 0], panels[1, 0])]
        handles, labels = ([one for pair in pairs for one in pair[part]] for part in (0, 1))
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, handlelength=3.4)
        save_picture(figure, path, overwrite=True)


def _styles(flat: dict[str, Array]) -> dict[str, tuple[str, str, Any]]:
    """The styles of what there is."""
    return {name: style for name, style in STYLES.items() if name in flat}


def _by_hour(hour: Array, values: Array) -> tuple[Array, Array]:
    """Local solar hours, ascending, and the mean of the values there, with the hours around midnight on both sides."""
    hours = np.unique(hour.round(3))
    means = np.array([values[np.abs(hour - one) < 0.01].mean() for one in hours])
    return np.concatenate([hours[-1:] - 24, hours, hours[:1] + 24]), np.pad(means, 1, mode="wrap")


def _clock_axis(panel: Axes) -> None:
    panel.set_xlim(0, 24)
    panel.set_xticks(range(0, 25, 3))
    panel.set_xlabel("local solar time, h")


def _mean_day(panel: Axes, hour: Array, truth: Array, flat: dict[str, Array]) -> None:
    hours, mean = _by_hour(hour, truth)
    panel.plot(hours, mean, color=INK, linewidth=WIDTH, label="truth")
    for name in (LINEAR, OURS):
        if name in flat:
            _, colour, dashes = STYLES[name]
            panel.plot(hours, _by_hour(hour, flat[name])[1], color=colour, linestyle=dashes, linewidth=WIDTH)
    panel.set(title="The mean day at Kandy", ylabel=f"PM2.5, {UNIT}", ylim=(0, None))
    _clock_axis(panel)


def _bias(panel: Axes, hour: Array, truth: Array, flat: dict[str, Array]) -> None:
    panel.axhline(0, color=FAINT_INK, linewidth=0.6)
    for name, (_, colour, dashes) in _styles(flat).items():
        panel.plot(*_by_hour(hour, flat[name] - truth), color=colour, linestyle=dashes, linewidth=WIDTH)
    panel.set(title="Mean error of the hours between", ylabel=f"prediction minus truth, {UNIT}")
    panel.set_yticks(range(-12, 9, 4))
    _clock_axis(panel)


def _errors(panel: Axes, hour: Array, truth: Array, flat: dict[str, Array]) -> None:
    for name, (label, colour, dashes) in _styles(flat).items():
        hours, square = _by_hour(hour, (flat[name] - truth) ** 2)
        panel.plot(hours, np.sqrt(square), color=colour, linestyle=dashes, linewidth=WIDTH, label=label,
                   zorder=3 if name == OURS else 2)  # fmt: skip
    panel.set(title="RMSE of the hours between", ylabel=UNIT, ylim=(0, None))
    _clock_axis(panel)


def _seasons(panel: Axes, season: Array, truth: Array, flat: dict[str, Array]) -> None:
    others = [name for name in _styles(flat) if name != LINEAR]
    width = 0.8 / len(others)
    for place, name in enumerate(others):
        shares = [1 - np.sum((flat[name] - truth)[season == one] ** 2) / np.sum((flat[LINEAR] - truth)[season == one] ** 2)
                  for one in range(4)]  # fmt: skip
        at = np.arange(4) + (place - (len(others) - 1) / 2) * width
        panel.bar(at, 100 * np.array(shares), width * 0.92, color=STYLES[name][1])
        for x, share in zip(at, shares, strict=True):
            panel.text(x, 100 * share + 1.5, f"{100 * share:.0f}", ha="center", fontsize=8)
    panel.set(title="Squared error recovered, by season", ylabel="%", ylim=(0, 100))
    panel.set_xticks(range(4), SEASONS)
