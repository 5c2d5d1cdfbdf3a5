"""Station maps: where a product is good, and where it is better than the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.plot.axes import SMALL, draw_degrees
from deepcams.plot.coastlines import coastlines
from deepcams.plot.fields import Extent
from deepcams.plot.figures import INK
from deepcams.plot.scales import MISSING_COLOUR, Limits, Quantity, Scale, build_scale, difference_scale
from deepcams.plot.sheet import MARGIN, Box
from deepcams.plot.validation.board import (
    UNIT,
    Board,
    count_text,
    facts_text,
    new_board,
    reference_of,
    short,
    subject_of,
    validation_style,
)
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment
from deepcams.stations.table import Pairs, Stations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN, _LEAST = 0.06, (8.0, 6.0)  # of the box, and degrees of longitude and latitude that a map has at least
_WIDE = 220.0  # degrees of longitude from which on the whole globe is shown
_TAIL = 95  # percentile of differences at the end of their scale
_SEED = 20220848

_STACKED = 1.7  # a map's width over its height from which on maps are put below each other
_LARGEST = {True: (7.4, 3.7), False: (3.0, 4.2)}  # inches: of stacked maps, and of maps in a row
_LEFT, _TITLE, _DEGREES, _BAR_GAP, _BAR, _BAR_LABELS, _LAST = 0.55, 0.28, 0.36, 0.1, 0.12, 0.62, 0.1
_COAST, _LAND_EDGE = "#8c8c8c", 0.5


@dataclass(frozen=True, eq=False)
class _Panel:
    """A score at every station.

    Attributes:
        title: what it is.
        label: of the colour bar.
        values: (stations,); NaN where there are too few pairs.
        scale: their colours.
    """

    title: str
    label: str
    values: NDArray[np.float64]
    scale: Scale


def draw_stations(pairs: Pairs, assessment: Assessment) -> Figure:
    """The maps of one product's scores, not written.

    Args:
        pairs: say where the stations are.
        assessment: has the scores ``bias``, ``r`` and ``rmse`` of every station.
    """
    with validation_style():
        subject, reference = subject_of(pairs, assessment), reference_of(pairs, assessment)
        stations, panels = pairs.observations.stations, _panels(assessment.stations, subject, reference)
        extent = station_extent(stations)
        return _draw_maps(panels, stations, extent, subject, facts_text(pairs))


def station_extent(stations: Stations) -> Extent:
    """The edges of a map with all stations and a margin; the globe if they are nearly all around.

    Longitudes run on from the widest gap between stations, so that a map may go across the date line.
    """
    longitude = np.sort(stations.longitude % 360)
    gaps = np.diff(longitude, append=longitude[0] + 360)
    widest = int(np.argmax(gaps))
    west, width = float(longitude[(widest + 1) % longitude.size]), 360 - float(gaps[widest])
    south, north = float(stations.latitude.min()), float(stations.latitude.max())
    south, north = _widened(south, north, _LEAST[1])
    if width > _WIDE:
        return Extent(-180.0, 180.0, max(south, -90.0), min(north, 90.0))
    west, east = _widened(west, west + width, _LEAST[0])
    turn = 360.0 if (west + east) / 2 > 180 else 0.0
    return Extent(west - turn, east - turn, max(south, -90.0), min(north, 90.0))


def _widened(low: float, high: float, least: float) -> tuple[float, float]:
    """An interval with a margin at both ends, of at least some width."""
    margin = max(_MARGIN * (high - low), (least - (high - low)) / 2, 0.5)
    return low - margin, high + margin


def _panels(scores: dict[str, dict[str, NDArray[np.float64]]], subject: str, reference: str) -> list[_Panel]:
    """What is shown of the stations' scores, as far as they are known."""
    own, other = scores.get(subject, {}), scores.get(reference, {})
    panels = []
    if "bias" in own:
        panels.append(_Panel("mean bias", f"mean bias ({UNIT})", own["bias"], _even(own["bias"])))
    if "r" in own:
        panels.append(_Panel("correlation", "R", own["r"], _correlations()))
    if "rmse" in own and "rmse" in other and subject != reference:
        difference = own["rmse"] - other["rmse"]
        title = f"RMSE less that of {short(reference)}"
        panels.append(_Panel(title, f"RMSE ({UNIT}); blue: lower", difference, _even(difference)))
    return panels


def _even(values: NDArray[np.float64]) -> Scale:
    """Blue below zero, red above, to an end that few are beyond."""
    known = np.abs(values[np.isfinite(values)])
    return difference_scale(float(np.percentile(known, _TAIL)) if known.size else math.nan)


def _correlations() -> Scale:
    """Even from 0 to 1; what is below 0 has the end's colour."""
    from matplotlib.colors import Normalize

    colours = build_scale("log", Quantity("r", "R", "1"), 1.0, Limits(0.1, 1.0)).colours
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    return Scale(colours, Normalize(0, 1, clip=True), ticks, tuple(f"{tick:g}" for tick in ticks))


def _draw_maps(panels: Sequence[_Panel], stations: Stations, extent: Extent, subject: str, facts: str) -> Figure:
    """All maps on one sheet: below each other if they are wide, else beside each other."""
    shrinking = math.cos(math.radians((extent.south + extent.north) / 2))
    aspect = max((extent.east - extent.west) * shrinking / (extent.north - extent.south), 0.2)
    stacked = aspect > _STACKED or len(panels) == 1
    width = min(_LARGEST[stacked][0], _LARGEST[stacked][1] * aspect)
    size = width, width / aspect
    slot = max(_LEFT + width + _BAR_GAP + _BAR + _BAR_LABELS, 2.9), _DEGREES + size[1] + _TITLE
    columns, rows = (1, len(panels)) if stacked else (len(panels), 1)
    notes = _notes(panels)
    board = new_board(f"{short(subject)} at the stations", facts, max(columns * slot[0], 5.6) + _LAST,
                      max(rows * slot[1], 0.5), notes)  # fmt: skip
    for index, panel in enumerate(panels):
        column, row = (0, index) if stacked else (index, 0)
        box = Box(MARGIN / 2 + _LEFT + column * slot[0], _DEGREES + (rows - 1 - row) * slot[1], *size)
        axes = board.axes(box)
        _draw_panel(axes, panel, stations, extent)
        draw_degrees(axes, extent, box)
        axes.set_title(panel.title, fontsize=9, loc="left", pad=4)
        _draw_bar(board, box, panel)
    return board.figure


def _draw_panel(axes: Axes, panel: _Panel, stations: Stations, extent: Extent) -> None:
    """The stations in a random order, so that none stands above others for its score; unknown ones below all."""
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(coastlines(*extent), colors=_COAST, linewidths=_LAND_EDGE), autolim=False)
    longitude = extent.west + (stations.longitude - extent.west) % 360
    known = np.flatnonzero(np.isfinite(panel.values))
    unknown = np.flatnonzero(~np.isfinite(panel.values))
    order = np.random.default_rng(_SEED).permutation(known)
    area = float(np.clip(9000 / max(stations.size, 1), 5, 60))
    edge = 0.5 if stations.size <= 300 else 0.15
    style: dict[str, Any] = {"s": area, "linewidths": edge, "edgecolors": INK}
    axes.scatter(longitude[unknown], stations.latitude[unknown], color=MISSING_COLOUR, zorder=2, **style)
    axes.scatter(longitude[order], stations.latitude[order], c=panel.values[order], cmap=panel.scale.colours,
                 norm=panel.scale.norm, zorder=3, **style)  # fmt: skip
    axes.set_xlim(extent.west, extent.east)
    axes.set_ylim(extent.south, extent.north)
    axes.set_axisbelow(True)


def _draw_bar(board: Board, box: Box, panel: _Panel) -> None:
    """The colour bar at the right of a map."""
    from matplotlib.cm import ScalarMappable

    height = min(box.height, 2.4)
    place = Box(box.left + box.width + _BAR_GAP, box.bottom + (box.height - height) / 2, _BAR, height)
    axes = board.axes(place)
    extend = "min" if panel.label == "R" else "both"
    bar = board.figure.colorbar(ScalarMappable(panel.scale.norm, panel.scale.colours), cax=axes, extend=extend)
    bar.set_ticks(list(panel.scale.ticks), labels=list(panel.scale.labels))
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL - 1, length=2)
    bar.set_label(panel.label, fontsize=SMALL, labelpad=2)


def _notes(panels: Sequence[_Panel]) -> str:
    """The small print."""
    unknown = max((int(np.isnan(panel.values).sum()) for panel in panels), default=0)
    parts = ["Each mark is a station; marks are drawn in a random order, those beyond an end of a scale in its colour."]
    if unknown:
        parts.append(f"Grey: {count_text(unknown, 'station')} with too few pairs, or constant values.")
    if not panels:
        parts = ["No score of stations is known."]
    return " ".join([*parts, "Coastlines: Natural Earth.", ATTRIBUTION])
