"""A sheet with map panels side by side: where its parts stand, in inches from the lower left corner.

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

_LARGEST = {1: (7.2, 5.0), 2: (3.4, 4.4)}  # width and height of a panel by their number: two columns of a journal
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
    """

    panels: int
    width: float
    height: float
    notes: tuple[str, ...]
    tick_lines: int

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet."""
        titles = _PANEL_TITLE if self.panels > 1 else 0.0
        inner = _inner_width(self.panels, self.width)
        return LEFT + inner + RIGHT, self.panel(0).bottom + self.height + titles + _HEADING

    @property
    def bar(self) -> Box:
        """The colour bar, in the middle below the panels."""
        inner = _inner_width(self.panels, self.width)
        width = max(0.7 * inner, _NARROWEST_BAR)
        bottom = MARGIN + LINE * len(self.notes) + _TICK_LINE * (self.tick_lines - 1) + _BAR_LABEL
        return Box(LEFT + (inner - width) / 2, bottom, width, _BAR_HEIGHT)

    def panel(self, index: int) -> Box:
        """A panel, counted from the west."""
        spare = _inner_width(self.panels, self.width) - _panels_width(self.panels, self.width)
        left = LEFT + spare / 2 + index * (self.width + _GAP)
        return Box(left, self.bar.bottom + _BAR_HEIGHT + _BELOW_PANEL, self.width, self.height)


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
    width, height = _panel_size(extent, panels)
    characters = int(_inner_width(panels, width) / _CHARACTER)
    lines = tuple(line for note in notes for line in textwrap.wrap(note, characters))
    return Layout(panels, width, height, lines, tick_lines)


def new_sheet(layout: Layout) -> Sheet:
    """An empty white sheet."""
    from matplotlib.figure import Figure

    return Sheet(Figure(figsize=layout.size, facecolor="white"), layout)


def _panel_size(extent: Extent, panels: int) -> tuple[float, float]:
    """Width and height of a panel on which distances at its middle latitude are the same in both directions."""
    widest, highest = _LARGEST[panels]
    shrinking = math.cos(math.radians((extent.south + extent.north) / 2))
    aspect = (extent.east - extent.west) * shrinking / (extent.north - extent.south)
    width = min(widest, highest * aspect)
    return width, width / aspect


def _panels_width(panels: int, width: float) -> float:
    """Width of the panels with the gaps between them."""
    return panels * (width + _GAP) - _GAP


def _inner_width(panels: int, width: float) -> float:
    """Width of the sheet between its margins."""
    return max(_panels_width(panels, width), _NARROWEST_BAR)
