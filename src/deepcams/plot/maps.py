"""Maps of one hour, and CAMS beside DeepCAMS: every cell in its place, one colour each, coastlines above."""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr

from deepcams.grid import Region
from deepcams.plot.axes import SMALL, draw_cells, draw_degrees
from deepcams.plot.fields import (
    Extent,
    Selection,
    bicubic,
    extent_of,
    grid_of,
    load_hour,
    load_pair,
    require_cells,
    shared_view,
    time_text,
)
from deepcams.plot.figures import FAINT_INK, check_picture, house_style, save_picture
from deepcams.plot.scales import Limits, Quantity, Scale, build_scale
from deepcams.plot.sheet import LEFT, LINE, MARGIN, RIGHT, TWO_COLUMNS, Sheet, arrange, check_width, new_sheet
from deepcams.provenance import ATTRIBUTION
from deepcams.timeline import TimeKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {0: "analysis", 1: "interpolated between analyses", 2: "missing"}
_SMALLEST = 6.5  # points
_HEADING, _BAR_CHARACTER = 11, 0.062  # points; inches of a character of 8 points
_HEADING_CHARACTER = 0.094  # inches
_DAY = 24  # hours
_ARROW = 0.05  # of a colour bar is each of its ends


@dataclass(frozen=True)
class Style:
    """How a map looks.

    Attributes:
        scale: name of the colour scale, one of ``deepcams.plot.scales.SCALES``.
        limits: ends of the colour scale; None for the usual ones.
        attribution: the line at the bottom; None for the field's attribute ``attribution``.
        missing: whether the small print says what is grey; None if something is. Frames of one film have to agree.
        width: of the sheet in inches, if the maps are wide enough to fill it; 3.5 is a column of a journal.
    """

    scale: str = "log"
    limits: Limits | None = None
    attribution: str | None = None
    missing: bool | None = None
    width: float = TWO_COLUMNS

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            InputError: for too small or large a width.
        """
        check_width(self.width)


class _Heading(NamedTuple):
    """What stands above a map."""

    title: str
    when: str
    kind: str


class _Panel(NamedTuple):
    """A field and what to print above it."""

    field: xr.DataArray
    title: str


def plot_map(field: xr.DataArray, path: Path, *, style: Style | None = None, overwrite: bool = False) -> None:
    """Write a map of one hour.

    Args:
        field: (latitude, longitude), latitude descending, longitude ascending; the attributes ``units`` and
            ``long_name`` and the scalar coordinates ``time`` and ``time_kind`` are used for labels.
        path: picture to write: .png, .svg or .pdf.
        style: colour scale and attribution.
        overwrite: replace an existing picture.

    Raises:
        InputError: if the field, the style or the suffix is not usable, or matplotlib is not installed.
        OutputError: if the picture cannot be written there.
    """
    check_picture(path, overwrite=overwrite)
    save_picture(draw_map(field, style=style), path, overwrite=overwrite)


def plot_compare(
    coarse: xr.DataArray,
    fine: xr.DataArray,
    region: Region | None,
    path: Path,
    *,
    style: Style | None = None,
    interpolated: bool = False,
    overwrite: bool = False,
) -> None:
    """Write CAMS and DeepCAMS side by side, over the same region and with the same colours; wide maps below each other.

    Args:
        coarse: CAMS, (latitude, longitude), as for :func:`plot_map`.
        fine: DeepCAMS at the same hour, likewise.
        region: what to show; None for all that both cover.
        path: picture to write: .png, .svg or .pdf.
        style: colour scale and attribution.
        interpolated: whether a panel between the two shows what plain interpolation makes of CAMS.
        overwrite: replace an existing picture.

    Raises:
        InputError: if the fields do not meet in the region, and as for :func:`plot_map`.
        OutputError: if the picture cannot be written there.
    """
    check_picture(path, overwrite=overwrite)
    save_picture(draw_compare(coarse, fine, region, style=style, interpolated=interpolated), path, overwrite=overwrite)


def plot_map_of_file(path: Path, picture: Path, selection: Selection, style: Style, *, overwrite: bool = False) -> None:
    """Write a map of one hour of a deepcams output; see :func:`plot_map` and ``fields.load_hour``."""
    check_picture(picture, overwrite=overwrite)
    plot_map(load_hour(path, selection), picture, style=style, overwrite=overwrite)


def plot_compare_of_files(
    cams_path: Path,
    path: Path,
    picture: Path,
    selection: Selection,
    style: Style,
    *,
    cams_units: str | None = None,
    interpolated: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a CAMS file beside the deepcams output made from it; see :func:`plot_compare` and ``fields.load_pair``."""
    check_picture(picture, overwrite=overwrite)
    coarse, fine = load_pair(cams_path, path, selection, cams_units=cams_units)
    plot_compare(coarse, fine, selection.region, picture, style=style, interpolated=interpolated, overwrite=overwrite)


def draw_map(field: xr.DataArray, *, style: Style | None = None) -> Figure:
    """The figure of :func:`plot_map`, not written."""
    require_cells(field)
    return _draw([_Panel(field, "")], extent_of(field), style or Style())


def draw_compare(
    coarse: xr.DataArray,
    fine: xr.DataArray,
    region: Region | None,
    *,
    style: Style | None = None,
    interpolated: bool = False,
) -> Figure:
    """The figure of :func:`plot_compare`, not written."""
    left, right, extent = shared_view(coarse, fine, region)
    linear = int(coarse.coords.get("time_kind", TimeKind.ANALYSIS)) == TimeKind.INTERPOLATED
    panels = [_Panel(left, f"CAMS, {grid_of(left).step:g}°" + ", linear in time" * linear)]
    if interpolated:
        between = shared_view(bicubic(coarse, fine), fine, region)[0]
        panels.append(_Panel(between, f"bicubic, {grid_of(between).step:g}°"))
    panels.append(_Panel(right, f"DeepCAMS, {grid_of(right).step:g}°"))
    return _draw(panels, extent, style or Style())


def _draw(panels: list[_Panel], extent: Extent, style: Style) -> Figure:
    """The panels from west to east; heading and labels are those of the last one's field."""
    shown = panels[-1].field
    quantity = Quantity.of(str(shown.name or "field"), shown.attrs)
    heading = _heading(quantity, shown)
    with house_style():
        scale = build_scale(style.scale, quantity, _peak(shown), style.limits)
        tick_lines = max(label.count("\n") for label in scale.labels) + 1
        notes = _notes([panel.field for panel in panels], scale, style)
        sheet = new_sheet(arrange(len(panels), extent, notes, tick_lines=tick_lines, width=style.width,
                                  heading=lambda inner: len(_told(heading, inner))))  # fmt: skip
        for index, panel in enumerate(panels):
            box = sheet.layout.panel(index)
            axes = sheet.axes(box)
            draw_cells(axes, panel.field.values, grid_of(panel.field), extent, scale.colours, scale.norm)
            axes.set_title(panel.title, fontsize=9, loc="left", pad=4)
            below, last = sheet.layout.below, index == len(panels) - 1
            draw_degrees(axes, extent, box, latitudes=below or index == 0, longitudes=last or not below)
        _draw_heading(sheet, heading)
        _draw_bar(sheet, scale, quantity)
        _draw_notes(sheet)
    return sheet.figure


def _notes(fields: list[xr.DataArray], scale: Scale, style: Style) -> tuple[str, ...]:
    """The small print: what the scale is, where the values come from, and whom to thank."""
    shown = fields[-1].attrs
    about = [f"{scale.note}{_of_hours(int(shown.get('hours', 1)))}."] if scale.note else []
    missing = any(bool(field.isnull().any()) for field in fields) if style.missing is None else style.missing
    about += ["Grey: missing."] * missing
    sources = dict.fromkeys(str(field.attrs["origin"]) for field in fields if "origin" in field.attrs)
    attribution = style.attribution or str(shown.get("attribution", ATTRIBUTION))
    told = f"Source: {'; '.join(sources)}." if sources else ""
    return " ".join(about), told, attribution


def _of_hours(hours: int) -> str:
    """What is shown of a quantity whose levels are set for means of a day."""
    if hours == _DAY:
        return ""
    return ", shown here for one hour" if hours == 1 else f", shown here for {hours:,} hours"


def _peak(field: xr.DataArray) -> float:
    """The largest finite value; 0 without one."""
    values = field.values[np.isfinite(field.values)]
    return float(values.max()) if values.size else 0.0


def _heading(quantity: Quantity, field: xr.DataArray) -> _Heading:
    """Quantity, valid time and kind of hour."""
    when = str(field.attrs.get("when", ""))
    if not when and "time" in field.coords:
        when = f"{time_text(field['time'].values).replace('T', ' ')} UTC"
    kind = _KINDS.get(int(field["time_kind"]), "unknown kind of hour") if "time_kind" in field.coords else ""
    return _Heading(quantity.title, when, kind)


def _told(heading: _Heading, inner: float) -> list[str]:
    """The lines of a heading below the quantity, where all of it does not fit into one line of so many inches."""
    title = _plain(f"{heading.title}, {heading.when}")
    if len(title) * _HEADING_CHARACTER + len(heading.kind) * _BAR_CHARACTER <= inner:
        return []
    return textwrap.wrap("; ".join(filter(None, (heading.when, heading.kind))), int(inner / _BAR_CHARACTER))


def _draw_heading(sheet: Sheet, heading: _Heading) -> None:
    """Quantity and valid time on the left, the kind of hour on the right; below each other where that is too wide."""
    layout = sheet.layout
    below = _told(heading, layout.inner)
    title = heading.title if below else ", ".join(filter(None, (heading.title, heading.when)))
    sheet.text(LEFT, layout.heading(0), title, fontsize=_HEADING, fontweight="bold")
    for index, line in enumerate(below, 1):
        sheet.text(LEFT, layout.heading(index), line, fontsize=SMALL, color=FAINT_INK)
    if heading.kind and not below:
        right = layout.size[0] - RIGHT
        sheet.text(right, layout.heading(0), heading.kind, fontsize=SMALL, color=FAINT_INK, ha="right")


def _draw_bar(sheet: Sheet, scale: Scale, quantity: Quantity) -> None:
    """The colour bar with its ticks and label."""
    from matplotlib.cm import ScalarMappable

    colours = ScalarMappable(scale.norm, scale.colours)
    axes = sheet.axes(sheet.layout.bar)
    bar = sheet.figure.colorbar(colours, cax=axes, orientation="horizontal", extend="both", spacing=scale.spacing)
    shown = _with_room(scale, sheet.layout.bar.width)
    bar.set_ticks([scale.ticks[i] for i in shown], labels=[scale.labels[i] for i in shown])
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, length=3)
    bar.set_label(quantity.label, fontsize=9)


def _with_room(scale: Scale, width: float) -> list[int]:
    """The ticks that a colour bar of so many inches has labels for: all, or powers of ten, where not all have room."""
    every = list(range(len(scale.ticks)))
    if scale.spacing == "uniform":
        return every
    inches = (1 - 2 * _ARROW) * width
    places = [inches * float(scale.norm(tick)) for tick in scale.ticks]
    halves = [len(_plain(label)) * _BAR_CHARACTER / 2 + 0.02 for label in scale.labels]
    if all(places[j] - places[i] >= halves[i] + halves[j] for i, j in pairwise(every)):
        return every
    powers = [i for i in every if math.log10(scale.ticks[i]).is_integer()]
    return powers if len(powers) > 1 else [every[0], every[-1]]


def _plain(text: str) -> str:
    """A text of mathtext without its marks, for its length."""
    return re.sub(r"[$_^{}]", "", text)


def _draw_notes(sheet: Sheet) -> None:
    """The small print at the bottom."""
    lines = sheet.layout.notes
    for index, line in enumerate(lines):
        sheet.text(
            LEFT, MARGIN + (len(lines) - 1 - index) * LINE, line, fontsize=_SMALLEST, color=FAINT_INK, parse_math=False
        )
