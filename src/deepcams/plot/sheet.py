"""A sheet with map panels side by side, or wide ones below each other: where its parts stand, in inches from the lower left.

A panel's rectangle follows from the map's extent; heading, colour bar and small print are put around the panels.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from deepcams.plot.fields import Extent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT = 0.62, 0.30
LINE = 0.14  # height of a line of small print
MARGIN = 0.12

_LARGEST = {
    1: (7.2, 5.0),
    2: (3.4, 4.4),
    3: (2.2, 3.6),
}  # width and height of a panel by their number: two columns of a journal
_LARGEST_BELOW = {2: (6.4, 3.3), 3: (5.2, 2.7)}  # of panels below each other
_WIDE = 1.75  # ratio of sides from which on panels stand below each other
_GAP = 0.40
_HEADING, _PANEL_TITLE = 0.42, 0.24
_BELOW_PANEL, _BAR_HEIGHT, _BAR_LABEL, _TICK_LINE = 0.36, 0.14, 0.56, 0.13
_NARROWEST_BAR = 4.4
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
    """

    panels: int
    width: float
    height: float
    notes: tuple[str, ...]
    tick_lines: int
    below: bool = False

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet."""
        titles = _PANEL_TITLE if self.panels > 1 else 0.0
        return LEFT + self.inner + RIGHT, self.panel(0).bottom + self.height + titles + _HEADING

    @property
    def bar(self) -> Box:
        """The colour bar, in the middle below the panels."""
        width = max(0.7 * self.inner, _NARROWEST_BAR)
        bottom = MARGIN + LINE * len(self.notes) + _TICK_LINE * (self.tick_lines - 1) + _BAR_LABEL
        return Box(LEFT + (self.inner - width) / 2, bottom, width, _BAR_HEIGHT)

    @property
    def columns(self) -> int:
        """How many panels stand side by side."""
        return 1 if self.below else self.panels

    @property
    def inner(self) -> float:
        """Width of the sheet between its margins."""
        return _inner_width(self.columns, self.width)

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


def arrange(panels: int, extent: Extent, notes: tuple[str, ...], *, tick_lines: int) -> Layout:
    """The layout for maps of an extent; ``notes`` are paragraphs, broken into lines of the sheet's width."""
    below = panels > 1 and _aspect(extent) >= _WIDE
    width, height = _panel_size(extent, _LARGEST_BELOW[panels] if below else _LARGEST[panels])
    characters = int(_inner_width(1 if below else panels, width) / _CHARACTER)
    lines = tuple(line for note in notes for line in textwrap.wrap(note, characters))
    return Layout(panels, width, height, lines, tick_lines, below)


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


def _inner_width(panels: int, width: float) -> float:
    """Width of the sheet between its margins."""
    return max(_panels_width(panels, width), _NARROWEST_BAR)
