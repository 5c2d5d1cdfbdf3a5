"""A sheet with map panels side by side, or wide ones below each other: where its parts stand, in inches from the lower left.

A panel's rectangle follows from the map's extent; heading, colour bar and small print are put around the panels.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from deepcams.errors import InputError
from deepcams.plot.fields import Extent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT = 0.62, 0.30
LINE = 0.14  # height of a line of small print
MARGIN = 0.12

WIDTHS = (3.4, 16.0)
"""Inches that a sheet may be wide: from one column of a journal to a poster."""
TWO_COLUMNS = 7.2  # inches

_HIGHEST = {1: 5.0, 2: 4.4, 3: 3.6}  # of panels by their number, on a sheet of two columns
_HIGHEST_BELOW = {2: 3.2, 3: 2.7}  # of panels below each other
_WIDE = 1.75  # ratio of sides from which on panels stand below each other
_NARROW = 5.0  # inches of a sheet on which they always do
_GAP = 0.50
_HEADING, _PANEL_TITLE = 0.42, 0.24
_HEADING_LINE = 0.16
_BELOW_PANEL, _BAR_HEIGHT, _BAR_LABEL, _TICK_LINE = 0.36, 0.14, 0.56, 0.13
_NARROWEST = 4.4  # inches between the margins, if the sheet may be so wide: room for a heading and the colour bar
_CHARACTER = 0.050  # mean width of one in the small print


class Box(NamedTuple):
    """A rectangle in inches."""

    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Where the parts of a sheet are.

    Attributes:
        panels: number of panels.
        width: of one panel in inches.
        height: of one panel in inches.
        notes: lines of small print at the bottom, from the top down.
        tick_lines: lines in a tick label of the colour bar.
        below: whether the panels stand below each other.
        heading_lines: lines below the first one of the heading.
        least: inches that there are between the margins, however narrow the panels are.
    """

    panels: int
    width: float
    height: float
    notes: tuple[str, ...]
    tick_lines: int
    below: bool = False
    heading_lines: int = 0
    least: float = _NARROWEST

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet."""
        titles = _PANEL_TITLE if self.panels > 1 else 0.0
        heading = _HEADING + self.heading_lines * _HEADING_LINE
        return LEFT + self.inner + RIGHT, self.panel(0).bottom + self.height + titles + heading

    @property
    def bar(self) -> Box:
        """The colour bar, in the middle below the panels."""
        width = max(0.7 * self.inner, self.least)
        bottom = MARGIN + LINE * len(self.notes) + _TICK_LINE * (self.tick_lines - 1) + _BAR_LABEL
        return Box(LEFT + (self.inner - width) / 2, bottom, width, _BAR_HEIGHT)

    @property
    def columns(self) -> int:
        """How many panels stand side by side."""
        return 1 if self.below else self.panels

    @property
    def inner(self) -> float:
        """Width of the sheet between its margins."""
        return max(_panels_width(self.columns, self.width), self.least)

    def heading(self, line: int) -> float:
        """The bottom of a line of the heading; the first one is 0."""
        return self.size[1] - 0.28 - line * _HEADING_LINE

    def panel(self, index: int) -> Box:
        """A panel, counted from the west, or from the top."""
        spare = self.inner - _panels_width(self.columns, self.width)
        lowest = self.bar.bottom + _BAR_HEIGHT + _BELOW_PANEL
        if self.below:
            bottom = lowest + (self.panels - 1 - index) * (self.height + _PANEL_TITLE)
            return Box(LEFT + spare / 2, bottom, self.width, self.height)
        return Box(LEFT + spare / 2 + index * (self.width + _GAP), lowest, self.width, self.height)


class Sheet(NamedTuple):
    """A figure and the layout by which it is filled."""

    figure: Figure
    layout: Layout

    def axes(self, box: Box) -> Axes:
        """New axes with the given rectangle."""
        width, height = self.layout.size
        return self.figure.add_axes((box.left / width, box.bottom / height, box.width / width, box.height / height))

    def text(self, left: float, bottom: float, text: str, **style: Any) -> None:
        """Write a text; ``style`` as for matplotlib's ``Figure.text``."""
        width, height = self.layout.size
        self.figure.text(left / width, bottom / height, text, **style)


def check_width(width: float) -> None:
    """Refuse a sheet that is too narrow or too wide.

    Raises:
        InputError: for such a width.
    """
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise InputError(f"a sheet {width:g} inches wide: wanted {WIDTHS[0]:g} to {WIDTHS[1]:g}")


def arrange(
    panels: int,
    extent: Extent,
    notes: tuple[str, ...],
    *,
    tick_lines: int,
    width: float = TWO_COLUMNS,
    heading: Callable[[float], int] = lambda inner: 0,
) -> Layout:
    """The layout for maps of an extent, on a sheet no wider than asked.

    Args:
        panels: their number.
        extent: of each map.
        notes: paragraphs of small print, broken into lines of the sheet's width.
        tick_lines: lines in a tick label of the colour bar.
        width: of the sheet in inches; it is narrower where maps are tall.
        heading: how many lines the heading has below its first one on so many inches.
    """
    below = panels > 1 and (_aspect(extent) >= _WIDE or width < _NARROW)
    columns = 1 if below else panels
    whole, larger = width - LEFT - RIGHT, max(width / TWO_COLUMNS, 1.0)
    highest = (_HIGHEST_BELOW if below else _HIGHEST)[panels] * larger
    own, height = _panel_size(extent, ((whole - (columns - 1) * _GAP) / columns, highest))
    least = min(_NARROWEST, whole)
    inner = max(_panels_width(columns, own), least)
    lines = tuple(line for note in notes for line in textwrap.wrap(note, int(inner / _CHARACTER)))
    return Layout(panels, own, height, lines, tick_lines, below, heading(inner), least)


def new_sheet(layout: Layout) -> Sheet:
    """An empty white sheet."""
    from matplotlib.figure import Figure

    return Sheet(Figure(figsize=layout.size, facecolor="white"), layout)


def _aspect(extent: Extent) -> float:
    """Width over height of a map on which distances at its middle latitude are the same in both directions."""
    shrinking = math.cos(math.radians((extent.south + extent.north) / 2))
    return (extent.east - extent.west) * shrinking / (extent.north - extent.south)


def _panel_size(extent: Extent, largest: tuple[float, float]) -> tuple[float, float]:
    """Width and height of a panel within the largest ones."""
    width = min(largest[0], largest[1] * _aspect(extent))
    return width, width / _aspect(extent)


def _panels_width(panels: int, width: float) -> float:
    """Width of the panels with the gaps between them."""
    return panels * (width + _GAP) - _GAP
