"""Density scatter: how many pairs there are of each observation and prediction, a column for each year or season.

Concentrations are close to lognormal, so both axes are logarithmic: on linear ones nearly all pairs are in one corner.
The fitted line is that of the values themselves, as scores are, and therefore bends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK
from deepcams.plot.scales import Limits, Quantity, Scale, build_scale, log_ticks
from deepcams.plot.sheet import Box
from deepcams.plot.validation.board import (
    UNIT,
    UNKNOWN,
    Board,
    count_text,
    facts_text,
    new_board,
    ordered_products,
    scores_of,
    short,
    validation_style,
)
from deepcams.stations.assessment import ALL, Assessment
from deepcams.stations.groups import Part, seasons, years
from deepcams.stations.table import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, ROWS = 6, 4
"""The largest number of years beside, and of products below each other on a sheet."""
DIVISIONS: dict[str, Callable[[Pairs], Iterator[Part]]] = {
    "year": years,
    "season": seasons,
    ALL: lambda pairs: iter([Part(ALL, (ALL,), np.zeros(pairs.size, np.int8))]),
}
"""What columns there may be."""

_STEPS = tuple(float(f"{step}e{decade}") for decade in range(-3, 7) for step in (1, 2, 5))
_TAILS = (0.01, 0.9999)  # of the values: what is beyond is drawn at the edge
_LOWEST = (0.5, 5.0)  # ug m-3: where the axes may begin
_BINS = (24, 80)
_PIECE = 1 << 20
_FIT_COLOUR = "#0072b2"
_FAINT = 0.12  # of the colour map: a single pair must be seen on white

_WIDEST_PANEL, _NARROWEST_PANEL, _SHEET = 2.9, 1.1, 10.6  # inches
_BESIDE = 1.5  # inches that panels of one column of pairs have at least where they stand side by side
_LEFT, _RIGHT, _GAP, _ABOVE, _BELOW = 0.72, 0.2, 0.34, 0.52, 0.12
_YEAR, _TICKS, _BAR = 0.22, 0.5, 0.62
_BAR_LABELS = 8  # that the colour bar has room for; of more, only powers of ten


@dataclass(frozen=True, eq=False)
class _Panel:
    """The pairs of a column and product.

    Attributes:
        n: how many.
        scores: by name, of all of them.
        counts: (observed bins, predicted bins) of those that a logarithmic axis can show.
    """

    n: int
    scores: dict[str, float]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class _Scatter:
    """All panels, and what they have in common.

    Attributes:
        panels: (column, product) -> panel.
        products: shown, from the top down.
        low: lower end of both axes in ug m-3.
        high: upper end.
        scale: of the counts.
        notes: the small print.
    """

    panels: dict[tuple[str, str], _Panel]
    products: tuple[str, ...]
    low: float
    high: float
    scale: Scale
    notes: str


def draw_scatter(
    pairs: Pairs, assessment: Assessment, by: str = "year", *, source: str = "", width: float = _SHEET
) -> Iterator[Figure]:
    """The sheets of a density scatter, not written: as many as the columns need.

    Args:
        pairs: what is shown.
        assessment: has the scores of every column, and says which product is the reference, the upper row.
        by: what the columns are, one of ``DIVISIONS``.
        source: what to add to the small print.
        width: inches that a sheet may have; further columns are on further sheets.
    """
    part = next(DIVISIONS[by](pairs))
    found = [part.names[number] for number in np.unique(part.labels)]
    with validation_style():
        scatter = _scatter(pairs, assessment, part, source)
    most = int(np.clip((width - _LEFT - _RIGHT + _GAP) // (_NARROWEST_PANEL + _GAP), 1, COLUMNS))
    sheets = np.array_split(found, math.ceil(len(found) / most))
    for number, sheet in enumerate(sheets, 1):
        subtitle = facts_text(pairs) + (f"; sheet {number} of {len(sheets)}" if len(sheets) > 1 else "")
        with validation_style():
            figure = _draw_sheet(scatter, [str(name) for name in sheet], subtitle, width)
        yield figure


def _scatter(pairs: Pairs, assessment: Assessment, part: Part, source: str) -> _Scatter:
    """Count all panels."""
    products = ordered_products(pairs, assessment)[:ROWS]
    observed = pairs.observations.value
    low, high = _limits([observed, *(pairs.products[name] for name in products)])
    columns = {part.names[label]: np.flatnonzero(part.labels == label) for label in np.unique(part.labels)}
    largest = max(own.size for own in columns.values())
    bins = int(np.clip(2 * largest ** (1 / 3), *_BINS))
    panels = {}
    for column, own in columns.items():
        for name in products:
            counts = _count(observed[own], pairs.products[name][own], low, high, bins)
            panels[column, name] = _Panel(own.size, scores_of(assessment, name, part.kind, column), counts)
    peak = max(int(panel.counts.max()) for panel in panels.values())
    notes = " ".join(filter(None, (_notes(pairs, products, low, high, part.kind), source)))
    return _Scatter(panels, products, low, high, _scale(peak), notes)


def _limits(columns: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Round ends of both axes that all but the tails of the values are within."""
    ends = [np.quantile(values[values > 0], _TAILS) for values in columns if (values > 0).any()]
    lowest, highest = (min(ends, key=lambda end: end[0])[0], max(end[1] for end in ends)) if ends else (1.0, 10.0)
    low = max(step for step in _STEPS if step <= np.clip(lowest, *_LOWEST))
    return low, next((step for step in _STEPS if step >= max(highest, 10 * low)), _STEPS[-1])


def _count(observed: NDArray[np.float32], predicted: NDArray[np.float32], low: float, high: float,
           bins: int) -> NDArray[np.int64]:  # fmt: skip
    """(bins, bins) pairs on a logarithmic grid; what is beyond its ends is counted at its edge, zeros are not."""
    counts, per_bin = np.zeros(bins * bins, np.int64), bins / math.log(high / low)
    for start in range(0, observed.size, _PIECE):
        o, p = (values[start : start + _PIECE] for values in (observed, predicted))
        positive = (o > 0) & (p > 0)
        i, j = ((np.log(values[positive] / low) * per_bin).astype(np.int64).clip(0, bins - 1) for values in (o, p))
        counts += np.bincount(i * bins + j, minlength=counts.size)
    return counts.reshape(bins, bins)


def _scale(peak: int) -> Scale:
    """Logarithmic, from one pair to the fullest bin; the palest colours, which white paper hides, are left out."""
    from matplotlib.colors import ListedColormap

    scale = build_scale("log", Quantity("count", "pairs", "1"), peak, Limits(1, max(peak, 10)))
    colours = ListedColormap(scale.colours(np.linspace(_FAINT, 1, 256))).with_extremes(bad="white")
    return Scale(colours, scale.norm, scale.ticks, scale.labels)


def _notes(pairs: Pairs, products: tuple[str, ...], low: float, high: float, kind: str) -> str:
    """The small print."""
    predicted = [pairs.products[name] for name in products]
    zeros = pairs.observations.value <= 0
    for values in predicted:
        zeros = zeros | (values <= 0)
    parts = [
        "Black: 1:1. Dashed: line fitted by least squares; it bends because it is fitted to the values, not to their "
        f"logarithms. N, R, RMSE and MAE are of all pairs{'' if kind == ALL else f' of the {kind}'}.",
        f"Pairs below {low:g} or above {high:g} {UNIT} are drawn at the edge.",
    ]
    if zeros.any():
        parts.append(f"{count_text(int(zeros.sum()), 'pair')} with an observed or predicted value of zero or less cannot be "
                     "drawn on logarithmic axes.")  # fmt: skip
    left_out = len(pairs.products) - len(products)
    if left_out:
        parts.append(f"{count_text(left_out, 'more product')} in the tables only.")
    return " ".join(parts)


def _draw_sheet(scatter: _Scatter, names: Sequence[str], subtitle: str, widest: float) -> Figure:
    """One sheet with some of the columns."""
    many = len(scatter.products)
    # Of a single column products stand side by side where there is room, each with labels of its own.
    beside = len(names) == 1 and _side(widest, many, _LEFT) >= _BESIDE
    rows, columns = (1, many) if beside else (many, len(names))
    gap = _LEFT if beside else _GAP
    side = min(_WIDEST_PANEL, _side(widest, columns, gap))
    inner = columns * (side + gap) - gap
    width = max(_LEFT + inner + _RIGHT, min(5.6, widest))
    left = _LEFT + (width - _LEFT - inner - _RIGHT) / 2
    year = 0.0 if list(names) == [ALL] else _YEAR
    height = _BAR + _TICKS + rows * (side + _ABOVE + _BELOW) + year
    board = new_board("PM2.5: predicted against observed", subtitle, width, height, scatter.notes)
    for number, (name, part) in enumerate(itertools.product(scatter.products, names)):
        row, column = divmod(number, columns)
        bottom = _BAR + _TICKS + (rows - 1 - row) * (side + _ABOVE + _BELOW)
        axes = board.axes(Box(left + column * (side + gap), bottom, side, side))
        _draw_panel(axes, scatter, scatter.panels[part, name])
        _draw_labels(axes, side, scatter, name=name if column == 0 or beside else "", lowest=row == rows - 1)
    for column, part in enumerate(names):
        middle = left + inner / 2 if beside else left + column * (side + gap) + side / 2
        title = "" if part == ALL else part
        board.text(middle, height - year + 0.06, title, fontsize=10, fontweight="bold", ha="center")
    _draw_bar(board, scatter.scale, left, inner)
    return board.figure


def _side(width: float, columns: int, gap: float) -> float:
    """Inches of a panel's side where so many stand beside each other."""
    return (width - _LEFT - _RIGHT + gap) / columns - gap


def _draw_panel(axes: Axes, scatter: _Scatter, panel: _Panel) -> None:
    """Counts, the 1:1 and the fitted line, and above them the scores."""
    ends, scores = (scatter.low, scatter.high), panel.scores
    edges = np.geomspace(*ends, panel.counts.shape[0] + 1)
    counts = np.where(panel.counts, panel.counts, np.nan)
    axes.pcolormesh(edges, edges, counts.T, cmap=scatter.scale.colours, norm=scatter.scale.norm, rasterized=True)
    axes.plot(ends, ends, color="white", linewidth=2.0, alpha=0.7)  # seen on the darkest counts
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    x = np.geomspace(*ends, 200)
    y = scores.get("slope", math.nan) * x + scores.get("intercept", math.nan)
    y = np.where(y > 0, y, np.nan)
    axes.plot(x, y, color="white", linewidth=2.2, alpha=0.7)
    axes.plot(x, y, color=_FIT_COLOUR, linewidth=1.3, dashes=(4, 1.6))
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    r, rmse, mae = (
        _number(scores.get(name, math.nan), form) for name, form in (("r", ".2f"), ("rmse", ".1f"), ("mae", ".1f"))
    )
    text = f"N {panel.n:,}   R {r}\nRMSE {rmse}   MAE {mae}\nfit {_line_text(scores)}"
    axes.annotate(text, (0, 1), (0, 4), "axes fraction", "offset points", fontsize=7, color=FAINT_INK, linespacing=1.25)


def _draw_labels(axes: Axes, side: float, scatter: _Scatter, *, name: str, lowest: bool) -> None:
    """Ticks at round numbers; their labels only at the left and the lower edge of the sheet."""
    from matplotlib.ticker import NullFormatter, NullLocator

    ticks = _ticks(scatter.low, scatter.high, side)
    minor = [step for step in _STEPS if scatter.low < step < scatter.high and step not in ticks]
    labels = [f"{tick:g}" for tick in ticks]
    for axis, labelled in ((axes.xaxis, lowest), (axes.yaxis, bool(name))):
        axis.set_major_locator(NullLocator())
        axis.set_ticks(ticks, labels if labelled else [""] * len(ticks))
        axis.set_ticks(minor, minor=True)
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=SMALL, length=3)
    axes.tick_params(which="minor", length=1.5, width=0.4)
    if name:
        axes.set_ylabel(f"{short(name)} ({UNIT})", fontsize=9 if side > 2 else 7.5, fontweight="bold")
    if lowest:
        axes.set_xlabel(f"observed ({UNIT})", fontsize=9)


def _ticks(low: float, high: float, side: float) -> tuple[float, ...]:
    """1, 2 and 5 times powers of ten where there is room for their labels, else the powers alone."""
    ticks = log_ticks(low, high)
    room = side / math.log(high / low) * math.log(2)
    powers = tuple(step for step in _STEPS if low <= step <= high and math.log10(step).is_integer())
    return powers if room < 0.26 and len(powers) > 1 else ticks


def _draw_bar(board: Board, scale: Scale, left: float, inner: float) -> None:
    """The colour bar of the counts."""
    from matplotlib.cm import ScalarMappable

    width = max(min(0.6 * inner, 4.5), min(2.4, inner))
    axes = board.axes(Box(left + (inner - width) / 2, 0.36, width, 0.12))
    bar = board.figure.colorbar(ScalarMappable(scale.norm, scale.colours), cax=axes, orientation="horizontal")
    powers = [tick for tick in scale.ticks if math.log10(tick).is_integer()]
    ticks = powers if len(scale.ticks) > _BAR_LABELS else list(scale.ticks)
    bar.set_ticks(ticks, labels=[f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, length=3)
    axes.set_xlabel("pairs", fontsize=SMALL, labelpad=1)


def _line_text(scores: Mapping[str, float]) -> str:
    """The fitted line like ``0.62 x + 11.2``."""
    slope, intercept = (scores.get(name, math.nan) for name in ("slope", "intercept"))
    if not math.isfinite(slope + intercept):
        return UNKNOWN
    return f"{_number(slope, '.2f')} x {'−' if intercept < 0 else '+'} {abs(intercept):.1f}"


def _number(value: float, form: str) -> str:
    """A number for people; a dash where it is unknown."""
    return format(value, form).replace("-", "−") if math.isfinite(value) else UNKNOWN
