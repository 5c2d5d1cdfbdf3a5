"""Taylor's diagram of products, and beside it FAIRMODE's target diagram of stations.

Taylor (2001), doi:10.1029/2000JD900719: correlation, standard deviation and centred error are the sides of a triangle.
Thunis, Pederzoli and Pernigotti (2012), doi:10.1016/j.atmosenv.2012.05.043: errors beside the measurement uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK
from deepcams.plot.sheet import Box
from deepcams.plot.validation.board import (
    PRODUCT_COLOURS,
    Board,
    count_text,
    facts_text,
    looks_of,
    new_board,
    ordered_products,
    reference_of,
    scores_of,
    short,
    subject_of,
    validation_style,
)
from deepcams.plot.validation.target import Target, draw_target, limit_of, targets_of
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment
from deepcams.stations.table import Pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes

_CORRELATIONS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_CROWDED = (0.7, 0.99)  # left out of a half circle
_SMALLEST, _BEYOND = 1.5, 1.08  # of the observed standard deviation: the diagram's radius at least, and its margin
_RINGS = "#9a9a9a"
_RING_LABEL = math.radians(125)  # where a ring says its error, seen from the observations

_LEFT, _RIGHT, _GAP, _SIDE = 0.62, 0.3, 0.95, 3.3  # inches
_BELOW, _TITLE, _LEGEND = 0.46, 0.44, 0.24


class _Point(NamedTuple):
    """Where a product stands: its correlation, and the ratio of its standard deviation to the observed one."""

    r: float
    spread: float

    @property
    def known(self) -> bool:
        """Whether both are."""
        return math.isfinite(self.r) and math.isfinite(self.spread)


def draw_taylor(pairs: Pairs, assessment: Assessment) -> Figure:
    """The diagrams, not written; the target diagram only if the stations' ``mqi`` is known.

    Args:
        pairs: what is shown.
        assessment: says which product is the reference, and has the scores of products and stations.
    """
    products = ordered_products(pairs, assessment)[: len(PRODUCT_COLOURS)]
    points = {name: _point(scores_of(assessment, name)) for name in products}
    asked = tuple(dict.fromkeys((reference_of(pairs, assessment), subject_of(pairs, assessment))))
    targets = targets_of(pairs, assessment, asked)
    with validation_style():
        return _draw(points, targets, facts_text(pairs), len(pairs.products) - len(products))


def _point(scores: Mapping[str, float]) -> _Point:
    """From the scores over all pairs."""
    return _Point(scores.get("r", math.nan), scores.get("sd_ratio", math.nan))


def _draw(points: dict[str, _Point], targets: Sequence[Target], facts: str, left_out: int) -> Figure:
    """The sheet."""
    columns = 2 if targets else 1
    rows = math.ceil((len(points) + 1) / (2 * columns))
    legend = _LEGEND * rows + 0.1
    inner = columns * (_SIDE + _GAP) - _GAP
    width = max(_LEFT + inner + _RIGHT, 5.2)
    left = _LEFT + (width - _LEFT - inner - _RIGHT) / 2
    title = "Taylor diagram of products" + (", target diagram of stations" if targets else "")
    board = new_board(title, facts, width, legend + _BELOW + _SIDE + _TITLE, _notes(points, targets, left_out))
    _draw_taylor(board, Box(left, legend + _BELOW, _SIDE, _SIDE), points)
    if targets:
        box = Box(left + _SIDE + _GAP, legend + _BELOW, _SIDE, _SIDE)
        colours = {name: colour for name, (colour, _) in looks_of(list(points)).items()}
        draw_target(board.axes(box), targets, colours)
    _draw_legend(board, points, 2 * columns)
    return board.figure


def _draw_taylor(board: Board, box: Box, points: dict[str, _Point]) -> None:
    """Correlation as the angle, standard deviation as the radius, rings of centred error around the observations."""
    known = {name: one for name, one in points.items() if one.known}
    radius = max([_SMALLEST, *(_BEYOND * one.spread for one in known.values())])
    negative = any(one.r < 0 for one in known.values())
    axes = cast("PolarAxes", board.axes(box, projection="polar"))
    axes.set_thetamin(0)
    axes.set_thetamax(180 if negative else 90)
    axes.set_autoscale_on(False)
    axes.set_rlim(0, radius)
    if known:
        _draw_rings(axes, radius)
    _draw_scales(axes, radius, negative=negative)
    axes.plot([0], [1], marker="*", markersize=11, color=INK, clip_on=False, zorder=6)
    looks = looks_of(list(points))
    for name, one in known.items():
        colour, marker = looks[name]
        axes.plot([math.acos(one.r)], [one.spread], marker, color=colour, markersize=8, markeredgecolor="white",
                  markeredgewidth=0.6, clip_on=False, zorder=5)  # fmt: skip
    if not known:
        axes.text(math.pi / 4, radius / 2, "not known: constant values,\nor too few pairs", ha="center", fontsize=SMALL,
                  bbox={"facecolor": "white", "edgecolor": "none"})  # fmt: skip


def _draw_rings(axes: PolarAxes, radius: float) -> None:
    """Rings of equal centred error, and the arc on which predictions vary as much as observations do."""
    step = _ring_step(radius)
    around = np.linspace(0, math.pi, 361)
    for number in range(1, int((radius + 1) / step) + 1):
        error = number * step
        x, y = 1 + error * np.cos(around), error * np.sin(around)
        r, theta = np.hypot(x, y), np.arctan2(y, x)
        axes.plot(theta, np.where(r <= radius, r, np.nan), color=_RINGS, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        east, north = 1 + error * math.cos(_RING_LABEL), error * math.sin(_RING_LABEL)
        if east > 0.05 and math.hypot(east, north) < 0.93 * radius:
            axes.text(math.atan2(north, east), math.hypot(east, north), f"{error:g}", fontsize=6.5, color=FAINT_INK,
                      ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                      zorder=2)  # fmt: skip
    axes.plot(around, np.ones_like(around), color=INK, linewidth=0.8, zorder=2)


def _ring_step(radius: float) -> float:
    """Between rings and ticks: about six to the edge."""
    return next((step for step in (0.25, 0.5, 1.0, 2.0, 5.0, 10.0) if radius / step <= 7), radius / 5)


def _draw_scales(axes: PolarAxes, radius: float, *, negative: bool) -> None:
    """Correlations along the arc, standard deviations along the lower edge."""
    whole = [one for one in _CORRELATIONS if not negative or one not in _CROWDED]
    signed = sorted({*whole, *(-one for one in whole if one and negative)})
    labels = [f"{one:g}".replace("-", "−") for one in signed]
    axes.set_xticks(np.arccos(signed), labels, fontsize=SMALL - 0.5)
    step = _ring_step(radius) * (2 if negative else 1)
    ticks = [number * step for number in range(int(radius / step) + 1)]
    axes.set_rgrids([tick for tick in ticks if tick > 0], [""] * (len(ticks) - 1))
    axes.grid(color="#e5e5e5", linewidth=0.5)
    axes.tick_params(pad=1)
    left, reach, base = (0.5, 0.5, 0.25) if negative else (0.0, 1.0, 0.0)  # of the square around the diagram
    for tick in ticks:
        for side in {1, -1 if negative and tick else 1}:
            axes.annotate(f"{tick:g}", (left + side * reach * tick / radius, base), (0, -10), "axes fraction",
                          "offset points", ha="center", fontsize=SMALL - 0.5, annotation_clip=False)  # fmt: skip
    axes.annotate("standard deviation / observed one", (0.5, base), (0, -22), "axes fraction", "offset points", ha="center",
                  fontsize=SMALL, annotation_clip=False)  # fmt: skip
    if negative:
        axes.annotate(
            "correlation R", (0.5, 0.75), (0, 18), "axes fraction", "offset points", ha="center", fontsize=SMALL
        )
    else:
        axes.annotate("correlation R", (0.82, 0.9), xycoords="axes fraction", fontsize=SMALL, annotation_clip=False)


def _draw_legend(board: Board, points: dict[str, _Point], columns: int) -> None:
    """Which mark is whose, with the numbers."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, marker=marker, linestyle="", markersize=7)
               for colour, marker in looks_of(list(points)).values()]  # fmt: skip
    handles.append(Line2D([], [], color=INK, marker="*", linestyle="", markersize=9))
    board.figure.legend(handles, [*(short(name) for name in points), "observed"], loc="lower center", frameon=False,
                        bbox_to_anchor=(0.5, board.bottom / board.height), ncols=columns, fontsize=SMALL,
                        borderaxespad=0.1, columnspacing=1.2, handletextpad=0.3)  # fmt: skip


def _notes(points: dict[str, _Point], targets: Sequence[Target], left_out: int) -> str:
    """The small print."""
    parts = ["Taylor (2001): the nearer to the star the better; dashed rings: centred root mean square error over the observed "
             "standard deviation, over all pairs."]  # fmt: skip
    unknown = [name for name, one in points.items() if not one.known]
    if unknown:
        parts.append(f"Not known of {', '.join(map(short, unknown))}.")
    if targets:
        parts.append(
            "FAIRMODE's target diagram: each mark is a station, by its daily means, in units of twice their measurement "
            "uncertainty; within the circle the quality objective is met, which is one for a year's days. Left: the "
            "correlation is most of the centred error, right: the standard deviation."
        )
        beyond = sum(target.beyond(limit_of(targets)) for target in targets)
        if beyond:
            parts.append(f"{count_text(beyond, 'mark')} beyond the axes are drawn at their edge.")
    if left_out:
        parts.append(f"{count_text(left_out, 'more product')} in the tables only.")
    return " ".join([*parts, ATTRIBUTION])
