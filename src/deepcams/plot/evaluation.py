"""The figures of an evaluation: what was given, what the methods made of it and the truth, and below their errors."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deepcams import __version__
from deepcams.evaluation.gridded import TASKS
from deepcams.evaluation.panels import Panel, Picture
from deepcams.grid import Grid
from deepcams.plot.axes import SMALL, draw_cells, draw_degrees
from deepcams.plot.fields import Extent, time_text
from deepcams.plot.figures import FAINT_INK, house_style, save_picture
from deepcams.plot.scales import Limits, Quantity, Scale, build_scale, difference_scale
from deepcams.plot.sheet import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = {task: f"evaluate-{task}.png" for task in TASKS}
"""The files of the figures, by task."""

_TITLES = {
    "space": "Space: an hour that was given, at 0.25°",
    "time": "Time: an hour between, as area means on 0.75°",
    "both": "Both: an hour between, at 0.25°",
}
_QUANTITY = Quantity.of("pm2p5", {"units": "ug m-3"})
_TAIL = 1.0  # percent of the cells that may be beyond an end of a scale
_LEFT, _RIGHT, _GAP, _BOTTOM = 0.50, 0.30, 0.16, 0.12  # inches
_HEADING, _PANEL_TITLE, _LONGITUDES, _LINE = 0.44, 0.42, 0.30, 0.14
_WIDEST, _HIGHEST = 10.2, 3.0  # a row of panels, a map
_NARROWEST, _LOWEST = 2.1, 1.4  # a panel, so that its texts fit above it; the place of the colour bars
_BARS, _BAR = (0.28, -0.46), 0.13  # bottom of the colour bars from the middle of their place, and their height
_CHARACTER = 0.052  # mean width of one in the small print


@dataclass(frozen=True)
class _Board:
    """Where the parts of a figure are: panels in a row, below each but the last its errors, and there the colour bars.

    Attributes:
        panels: how many there are in the upper row.
        extent: the edges of the maps.
        notes: the small print.
    """

    panels: int
    extent: Extent
    notes: str

    @property
    def map_size(self) -> tuple[float, float]:
        """Width and height of a map in inches, true to distances at the middle latitude."""
        widest = (_WIDEST - (self.panels - 1) * _GAP) / self.panels
        middle = np.deg2rad((self.extent.south + self.extent.north) / 2)
        aspect = (self.extent.east - self.extent.west) * np.cos(middle) / (self.extent.north - self.extent.south)
        width = min(widest, _HIGHEST * float(aspect))
        return width, width / float(aspect)

    @property
    def slot(self) -> float:
        """The width that a panel takes: that of its map, or of its scores."""
        return max(self.map_size[0], _NARROWEST)

    @property
    def inner(self) -> float:
        """Width of the sheet between its margins."""
        return self.panels * (self.slot + _GAP) - _GAP

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet in inches."""
        upper = self.box(0, 0)
        return _LEFT + self.inner + _RIGHT, upper.bottom + upper.height + _PANEL_TITLE + _HEADING

    @property
    def lines(self) -> list[str]:
        """The small print, broken into lines."""
        return textwrap.wrap(self.notes, int(self.inner / _CHARACTER))

    def box(self, row: int, column: int) -> Box:
        """A map; row 0 is the upper one."""
        width, height = self.map_size
        lower = _BOTTOM + _LINE * len(self.lines) + _LONGITUDES + max(_LOWEST - height, 0)
        bottom = lower if row else lower + height + _PANEL_TITLE
        return Box(_LEFT + column * (self.slot + _GAP), bottom, width, height)

    def bar(self, number: int) -> Box:
        """A colour bar in the place below the last panel: 0 is the upper one."""
        place = self.box(1, self.panels - 1)
        middle = place.bottom + place.height - max(place.height, _LOWEST) / 2
        return Box(place.left, middle + _BARS[number], self.slot, _BAR)


class _Scales(NamedTuple):
    """The colours of the fields, and of their errors."""

    fields: Scale
    errors: Scale


def check_drawing() -> None:
    """Refuse to go on where pictures cannot be drawn, before any work is done.

    Raises:
        InputError: if matplotlib or the colours are not installed.
    """
    with house_style():
        difference_scale(1.0)


def write_pictures(pictures: Iterable[Picture], folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write each figure in a folder; gives the files.

    Raises:
        InputError: if matplotlib or the colours are not installed.
        OutputError: if one cannot be written, or exists and may not be replaced.
    """
    paths = []
    for picture in pictures:
        paths.append(folder / NAMES[picture.task])
        save_picture(draw_picture(picture), paths[-1], overwrite=overwrite)
    return paths


def draw_picture(picture: Picture) -> Figure:
    """The figure of one task, not written."""
    from matplotlib.figure import Figure

    with house_style():
        board = _Board(len(picture.panels), _extent_of(picture.grid), _notes(picture))
        figure, scales = Figure(figsize=board.size, facecolor="white"), _scales(picture)
        for column, panel in enumerate(picture.panels):
            _draw_panel(figure, board, picture, column, scales.fields)
            if panel.scores is not None:
                _draw_error(figure, board, picture, column, scales.errors)
        _draw_bar(figure, board, 0, scales.fields, _QUANTITY.label)
        _draw_bar(figure, board, 1, scales.errors, "error (µg m$^{-3}$)")
        _draw_texts(figure, board, picture)
    return figure


def _draw_panel(figure: Figure, board: _Board, picture: Picture, column: int, scale: Scale) -> None:
    """A field, with its name and scores above it."""
    panel, box, last = picture.panels[column], board.box(0, column), column == board.panels - 1
    axes = _axes(figure, board, box)
    draw_cells(axes, panel.values, picture.grid, board.extent, scale.colours, scale.norm)
    draw_degrees(axes, board.extent, box, latitudes=column == 0, longitudes=last)
    axes.set_title(panel.name, fontsize=10, fontweight="bold", loc="left", pad=17)
    axes.annotate(
        _scores_text(panel), (0, 1), (0, 3), "axes fraction", "offset points", fontsize=SMALL, color=FAINT_INK
    )


def _draw_error(figure: Figure, board: _Board, picture: Picture, column: int, scale: Scale) -> None:
    """What a field is above and below the truth."""
    panel, truth, box = picture.panels[column], picture.panels[-1], board.box(1, column)
    axes = _axes(figure, board, box)
    draw_cells(axes, panel.values - truth.values, picture.grid, board.extent, scale.colours, scale.norm)
    draw_degrees(axes, board.extent, box, latitudes=column == 0)
    axes.set_title(f"{panel.name} − {truth.name}", fontsize=SMALL, color=FAINT_INK, loc="left", pad=3)


def _draw_bar(figure: Figure, board: _Board, number: int, scale: Scale, label: str) -> None:
    """A colour bar with its ticks and label."""
    from matplotlib.cm import ScalarMappable

    axes = _axes(figure, board, board.bar(number))
    colours = ScalarMappable(scale.norm, scale.colours)
    bar = figure.colorbar(colours, cax=axes, orientation="horizontal", extend="both")
    bar.set_ticks(list(scale.ticks), labels=list(scale.labels))
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, length=3)
    axes.set_title(label, fontsize=9, pad=4)


def _draw_texts(figure: Figure, board: _Board, picture: Picture) -> None:
    """Task and valid time at the top, the small print at the bottom."""
    width, height = board.size
    top = 1 - 0.28 / height
    figure.text(_LEFT / width, top, _TITLES[picture.task], fontsize=12, fontweight="bold")
    time = f"{time_text(picture.time).replace('T', ' ')} UTC"
    figure.text(1 - _RIGHT / width, top, time, fontsize=10, color=FAINT_INK, ha="right")
    for index, line in enumerate(reversed(board.lines)):
        bottom = (_BOTTOM + index * _LINE) / height
        figure.text(_LEFT / width, bottom, line, fontsize=6.5, color=FAINT_INK, parse_math=False)


def _axes(figure: Figure, board: _Board, box: Box) -> Axes:
    width, height = board.size
    return figure.add_axes((box.left / width, box.bottom / height, box.width / width, box.height / height))


def _scores_text(panel: Panel) -> str:
    """RMSE and MAE with their unit; nothing for the truth."""
    if panel.scores is None:
        return ""
    return f"RMSE {panel.scores['rmse']:.2f}, MAE {panel.scores['mae']:.2f} µg m$^{{-3}}$"


def _scales(picture: Picture) -> _Scales:
    """Colours that the truth, and the errors, of a picture fill; one percent of the cells may be beyond an end."""
    truth = picture.panels[-1].values
    errors = np.stack([panel.values - truth for panel in picture.panels[:-1]])
    low, high = np.nanpercentile(truth, [_TAIL, 100 - _TAIL])
    low = max(float(low), high / 500, 0.05)
    limits = Limits(low, max(float(high), 2 * low))
    largest = float(np.nanpercentile(np.abs(errors), 100 - _TAIL))
    return _Scales(build_scale("log", _QUANTITY, float(high), limits), difference_scale(largest))


def _notes(picture: Picture) -> str:
    """The small print."""
    source = picture.source or "not named in the files"
    return (f"PM2.5 truth: {source}. Scores are of the part that is shown, weighted by area; the place was chosen by the truth "
            f"alone. deepcams {__version__}.")  # fmt: skip


def _extent_of(grid: Grid) -> Extent:
    """The outer edges of a grid's cells."""
    (west, east), (north, south) = grid.longitude_bounds[[0, -1], [0, 1]], grid.latitude_bounds[[0, -1], [0, 1]]
    return Extent(float(west), float(east), float(south), float(north))
