"""Maps of one hour, and CAMS beside DeepCAMS: every cell in its place, one colour each, coastlines above."""

from __future__ import annotations

from dataclasses import dataclass
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
    shared_view,
    time_text,
)
from deepcams.plot.figures import FAINT_INK, check_picture, house_style, save_picture
from deepcams.plot.scales import Limits, Quantity, Scale, build_scale
from deepcams.plot.sheet import LEFT, LINE, MARGIN, RIGHT, Sheet, arrange, new_sheet
from deepcams.provenance import ATTRIBUTION
from deepcams.timeline import TimeKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {0: "analysis", 1: "interpolated between analyses", 2: "missing"}
_SMALLEST = 6.5  # points


@dataclass(frozen=True)
class Style:
    """How a map looks.

    Attributes:
        scale: name of the colour scale, one of ``deepcams.plot.scales.SCALES``.
        limits: ends of the colour scale; None for the usual ones.
        attribution: the line at the bottom; None for the field's attribute ``attribution``.
    """

    scale: str = "log"
    limits: Limits | None = None
    attribution: str | None = None


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
    interpolated: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a CAMS file beside the deepcams output made from it; see :func:`plot_compare` and ``fields.load_pair``."""
    check_picture(picture, overwrite=overwrite)
    coarse, fine = load_pair(cams_path, path, selection)
    plot_compare(coarse, fine, selection.region, picture, style=style, interpolated=interpolated, overwrite=overwrite)


def draw_map(field: xr.DataArray, *, style: Style | None = None) -> Figure:
    """The figure of :func:`plot_map`, not written."""
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
    attribution = style.attribution or str(shown.attrs.get("attribution", ATTRIBUTION))
    with house_style():
        scale = build_scale(style.scale, quantity, _peak(shown), style.limits)
        tick_lines = max(label.count("\n") for label in scale.labels) + 1
        sheet = new_sheet(arrange(len(panels), extent, (scale.note, attribution), tick_lines=tick_lines))
        for index, panel in enumerate(panels):
            box = sheet.layout.panel(index)
            axes = sheet.axes(box)
            draw_cells(axes, panel.field.values, grid_of(panel.field), extent, scale.colours, scale.norm)
            axes.set_title(panel.title, fontsize=9, loc="left", pad=4)
            below, last = sheet.layout.below, index == len(panels) - 1
            draw_degrees(axes, extent, box, latitudes=below or index == 0, longitudes=last or not below)
        _draw_heading(sheet, quantity, shown)
        _draw_bar(sheet, scale, quantity)
        _draw_notes(sheet)
    return sheet.figure


def _peak(field: xr.DataArray) -> float:
    """The largest finite value; 0 without one."""
    values = field.values[np.isfinite(field.values)]
    return float(values.max()) if values.size else 0.0


def _draw_heading(sheet: Sheet, quantity: Quantity, field: xr.DataArray) -> None:
    """Quantity and valid time on the left, the kind of hour on the right."""
    width, height = sheet.layout.size
    title = quantity.title
    if "time" in field.coords:
        title += f", {time_text(field['time'].values).replace('T', ' ')} UTC"
    sheet.text(LEFT, height - 0.28, title, fontsize=11, fontweight="bold")
    if "time_kind" in field.coords:
        kind = _KINDS.get(int(field["time_kind"]), "unknown kind of hour")
        sheet.text(width - RIGHT, height - 0.28, kind, fontsize=SMALL, color=FAINT_INK, ha="right")


def _draw_bar(sheet: Sheet, scale: Scale, quantity: Quantity) -> None:
    """The colour bar with its ticks and label."""
    from matplotlib.cm import ScalarMappable

    colours = ScalarMappable(scale.norm, scale.colours)
    axes = sheet.axes(sheet.layout.bar)
    bar = sheet.figure.colorbar(colours, cax=axes, orientation="horizontal", extend="both", spacing=scale.spacing)
    bar.set_ticks(list(scale.ticks), labels=list(scale.labels))
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, length=3)
    bar.set_label(quantity.label, fontsize=9)


def _draw_notes(sheet: Sheet) -> None:
    """The small print at the bottom."""
    lines = sheet.layout.notes
    for index, line in enumerate(lines):
        sheet.text(
            LEFT, MARGIN + (len(lines) - 1 - index) * LINE, line, fontsize=_SMALLEST, color=FAINT_INK, parse_math=False
        )
