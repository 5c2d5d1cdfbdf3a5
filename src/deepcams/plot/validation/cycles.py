"""Diurnal and seasonal cycles: means of what was observed and of what products say, on the same pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK
from deepcams.plot.sheet import Box
from deepcams.plot.validation.board import (
    OBSERVED_COLOUR,
    PRODUCT_COLOURS,
    UNIT,
    Board,
    count_text,
    facts_text,
    looks_of,
    new_board,
    ordered_products,
    short,
    validation_style,
)
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment
from deepcams.stations.groups import HOURS, Numbers, hours
from deepcams.stations.table import DAY, Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MONTHS = "JFMAMJJASOND"

_LEFT, _RIGHT, _GAP = 0.62, 0.2, 0.7  # inches
_WIDTH, _HEIGHT, _COUNTS, _BETWEEN, _BELOW, _TITLE, _LEGEND = 3.5, 2.3, 0.5, 0.12, 0.48, 0.26, 0.3


@dataclass(frozen=True, eq=False)
class Cycle:
    """Means in parts of a day or year.

    Attributes:
        title: for people.
        counts: (parts,) pairs.
        means: what -> (parts,) means in ug m-3, NaN without pairs; ``observed`` comes first.
    """

    title: str
    counts: NDArray[np.int64]
    means: tuple[tuple[str, NDArray[np.float64]], ...]

    @property
    def diurnal(self) -> bool:
        """Whether its parts are hours, else they are months."""
        return self.counts.size == len(HOURS)


def draw_cycles(pairs: Pairs, assessment: Assessment) -> Figure:
    """The cycles of the observations and of products, not written; of daily means the seasonal one only.

    Args:
        pairs: what is shown.
        assessment: says which product is the reference.
    """
    products = ordered_products(pairs, assessment)[: len(PRODUCT_COLOURS)]
    with validation_style():
        return _draw(cycles_of(pairs, products), pairs, products)


def cycles_of(pairs: Pairs, products: Sequence[str]) -> list[Cycle]:
    """The diurnal cycle by local solar hour, if there are any hourly values, and the one of calendar months."""
    cycles = []
    hour = next(hours(pairs)).labels
    if (hour >= 0).any():
        cycles.append(_cycle(pairs, products, hour, len(HOURS), "Diurnal cycle"))
    month = pairs.observations.begin.astype("M8[M]").astype(np.int64) % 12
    return [*cycles, _cycle(pairs, products, month, len(_MONTHS), "Seasonal cycle")]


def _cycle(pairs: Pairs, products: Sequence[str], labels: Numbers, parts: int, title: str) -> Cycle:
    """The means in every part; pairs with the label -1 are in none."""
    bins = labels.astype(np.intp) + 1
    counts = np.bincount(bins, minlength=parts + 1)[1:]
    columns = [("observed", pairs.observations.value), *((name, pairs.products[name]) for name in products)]
    sums = ((name, np.bincount(bins, values, minlength=parts + 1)[1:]) for name, values in columns)
    means = tuple((name, np.where(counts > 0, total / np.maximum(counts, 1), np.nan)) for name, total in sums)
    return Cycle(title, counts, means)


def _draw(cycles: Sequence[Cycle], pairs: Pairs, products: Sequence[str]) -> Figure:
    """The sheet."""
    inner = len(cycles) * (_WIDTH + _GAP) - _GAP
    columns = 4 if len(cycles) > 1 else 2
    legend = _LEGEND * max(1, 0.7 * math.ceil((len(products) + 1) / columns))
    bottom = _BELOW + _COUNTS + _BETWEEN
    width = max(_LEFT + inner + _RIGHT, 5.2)
    board = new_board("PM2.5 by hour and month" if len(cycles) > 1 else "PM2.5 by month", facts_text(pairs), width,
                      bottom + _HEIGHT + _TITLE + legend, _notes(pairs, products))  # fmt: skip
    for index, cycle in enumerate(cycles):
        left = _LEFT + index * (_WIDTH + _GAP)
        _draw_means(board.axes(Box(left, bottom, _WIDTH, _HEIGHT)), cycle)
        _draw_counts(board.axes(Box(left, _BELOW, _WIDTH, _COUNTS)), cycle)
    _draw_legend(board, products, columns, bottom + _HEIGHT + _TITLE + legend)
    return board.figure


def _draw_means(axes: Axes, cycle: Cycle) -> None:
    """One line for the observations and for each product; a single part is a mark."""
    (_, observed), *others = cycle.means
    first, *styles = _styles([name for name, _ in others])
    axes.plot(np.arange(cycle.counts.size), observed, **first, zorder=4)
    for (_, means), style in zip(others, styles, strict=True):
        axes.plot(np.arange(cycle.counts.size), means, **style, zorder=3)
    _set_axis(axes, cycle, labels=False)
    largest = max(float(np.nanmax(means)) for _, means in cycle.means)
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.08 * largest if largest > 0 else None)
    axes.set_title(cycle.title, fontsize=9, loc="left", pad=4)
    axes.set_ylabel(f"mean ({UNIT})", fontsize=9)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)


def _styles(products: Sequence[str]) -> list[dict[str, Any]]:
    """How the line of the observations, and then those of the products, are drawn."""
    lines = [{"color": OBSERVED_COLOUR, "linewidth": 1.8, "marker": "o", "markersize": 3.5}]
    lines += [{"color": colour, "linewidth": 1.3, "marker": marker, "markersize": 3.5}
              for colour, marker in looks_of(products).values()]  # fmt: skip
    return lines


def _draw_counts(axes: Axes, cycle: Cycle) -> None:
    """The number of pairs in every part."""
    from matplotlib.ticker import MaxNLocator

    axes.bar(np.arange(cycle.counts.size), cycle.counts, width=0.8, color="#bdbdbd")
    _set_axis(axes, cycle, labels=True)
    top = int(cycle.counts.max())
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.set_ylim(0, 1.15 * top)
    ticks = [tick for tick in axes.get_yticks() if 0 <= tick <= 1.15 * top]
    axes.set_yticks(ticks, [_compact(tick) for tick in ticks])
    axes.set_ylabel("pairs", fontsize=SMALL, color=FAINT_INK)
    axes.set_xlabel("hour of mean solar time" if cycle.diurnal else "month (UTC)", fontsize=9)


def _set_axis(axes: Axes, cycle: Cycle, *, labels: bool) -> None:
    """The parts along the axis."""
    places = range(0, len(HOURS), 3) if cycle.diurnal else range(len(_MONTHS))
    names = [str(hour) for hour in places] if cycle.diurnal else list(_MONTHS)
    axes.set_xticks(places, names if labels else [""] * len(places))
    axes.set_xlim(-0.6, cycle.counts.size - 0.4)
    axes.tick_params(labelsize=SMALL, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _compact(value: float) -> str:
    """A count in few characters: 1 500 000 is 1.5M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _draw_legend(board: Board, products: Sequence[str], columns: int, top: float) -> None:
    """Which line is whose, above the panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **style) for style in _styles(products)]
    labels = ["observed", *(short(name) for name in products)]
    corner = (_LEFT / board.width - 0.01, (board.bottom + top) / board.height)
    board.figure.legend(handles, labels, loc="upper left", bbox_to_anchor=corner,
                        ncols=columns, frameon=False, fontsize=SMALL, borderaxespad=0, handlelength=2.4)  # fmt: skip


def _notes(pairs: Pairs, products: Sequence[str]) -> str:
    """The small print."""
    parts = ["Means over all pairs of an hour of mean solar time, or of a calendar month (both hemispheres together); where "
             "stations come and go, parts differ in their stations, but not observations and products."]  # fmt: skip
    days = int((pairs.observations.period >= DAY).sum())
    if days and days < pairs.size:
        parts.append(f"{count_text(days, 'pair')} of daily means are in the months only.")
    left_out = len(pairs.products) - len(products)
    if left_out:
        parts.append(f"{count_text(left_out, 'more product')} in the tables only.")
    return " ".join([*parts, ATTRIBUTION])
