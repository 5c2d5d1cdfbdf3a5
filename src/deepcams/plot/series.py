"""Time series at places: DeepCAMS hour by hour, the analyses of CAMS, and what a station near by observed.

A panel for each place. Maps are of instants, so they are points with straight lines between; observations are means, so
they are steps as long as their averaging intervals. Where hours are missing there is no line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams.errors import InputError
from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK, check_picture, save_picture
from deepcams.plot.origin import origin
from deepcams.plot.places import Instants, Place, Series, Values
from deepcams.plot.scales import log_ticks
from deepcams.plot.sheet import TWO_COLUMNS, Box, check_width
from deepcams.plot.validation.board import PRODUCT_COLOURS, Board, count_text, new_board, short, validation_style
from deepcams.provenance import ATTRIBUTION
from deepcams.timeline import TimeKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 12
"""Panels on a sheet."""

_CAMS_COLOUR, _COLOUR = PRODUCT_COLOURS[:2]
_LEFT, _RIGHT, _BELOW, _LEGEND = 0.68, 0.16, 0.44, 0.2  # inches
_HEIGHT, _GAP, _LINE, _SOLAR = 1.45, 0.14, 0.145, 0.24
_CHARACTER = 0.062  # mean width of one in a panel's heading
_MARK = 0.055  # inches that a mark takes
_CROWDED = 4  # hours that a line may be as wide as
_SOLAR_STEPS = ((1.5, 3), (3, 6), (8, 12), (20, 24))  # days that are shown, hours between ticks of solar time
_HOUR = np.timedelta64(3600, "s")
_DATES: dict[str, list[str]] = {
    "formats": ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S"],
    "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
}  # of years, months, days, hours, ..., and where the next longer one begins
_KINDS = {TimeKind.ANALYSIS: "DeepCAMS, at an analysis", TimeKind.INTERPOLATED: "DeepCAMS, interpolated"}


@dataclass(frozen=True)
class Look:
    """How series are drawn.

    Attributes:
        scale: of the concentrations: ``linear`` from zero, or ``log``.
        low: lower end of the scale; None for zero, or the smallest value.
        high: upper end; None for the largest value of each panel.
        width: of the sheet in inches.
    """

    scale: str = "linear"
    low: float | None = None
    high: float | None = None
    width: float = TWO_COLUMNS

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            InputError: naming it.
        """
        low = self.low if self.low is not None else (0.0 if self.scale == "linear" else 1e-9)
        if not (low >= 0 and (low > 0 or self.scale == "linear") and (self.high is None or low < self.high < np.inf)):
            raise InputError(f"a {self.scale} scale from {self.low} to {self.high}: wanted 0 "
                             f"{'<=' if self.scale == 'linear' else '<'} vmin < vmax")  # fmt: skip
        check_width(self.width)


def plot_series(series: Series, path: Path, *, look: Look | None = None, overwrite: bool = False) -> None:
    """Write the panels of all places.

    Args:
        series: what is shown.
        path: picture to write: .png, .svg or .pdf.
        look: scale and size.
        overwrite: replace an existing picture.

    Raises:
        InputError: for too many places, an unknown suffix, or if matplotlib is not installed.
        OutputError: if the picture cannot be written there.
    """
    check_picture(path, overwrite=overwrite)
    save_picture(draw_series(series, look=look), path, overwrite=overwrite)


def check_count(count: int) -> None:
    """Refuse more places than a sheet has room for.

    Raises:
        InputError: for so many.
    """
    if count > MOST:
        raise InputError(f"{count} places: a sheet has room for {MOST}; name some of them by --point or --points")


def draw_series(series: Series, *, look: Look | None = None) -> Figure:
    """The figure of :func:`plot_series`, not written."""
    look = look or Look()
    check_count(len(series.places))
    with validation_style():
        inner = look.width - _LEFT - _RIGHT
        heads = [_heading(series, place, int(inner / _CHARACTER)) for place in series.places]
        solar = _SOLAR if _solar_step(series) else 0.04
        head = _LINE * max(len(lines) for lines in heads) + solar
        count = len(series.places)
        handles = list(_handles(series, inner))
        columns = max(1, int(inner / 1.75))
        legend = _LEGEND * -(-len(handles) // columns) + 0.06
        height = _BELOW + count * (head + _HEIGHT + _GAP) - _GAP + legend
        board = new_board(_title(series), _period(series), look.width, height, _notes(series, inner))
        for index, place in enumerate(series.places):
            bottom = _BELOW + (count - 1 - index) * (head + _HEIGHT + _GAP)
            axes = board.axes(Box(_LEFT, bottom, inner, _HEIGHT))
            _draw_place(axes, series, place, look, inner)
            _draw_times(axes, series, place, lowest=index == count - 1)
            _draw_heading(board, heads[index], bottom + _HEIGHT + solar)
        _draw_legend(board, handles, columns, height)
    return board.figure


def _draw_place(axes: Axes, series: Series, place: Place, look: Look, inner: float) -> None:
    """The lines and marks of a panel."""
    extract = series.extract
    if place.observed is not None:
        moments, values = _steps(place.observed.begin, place.observed.end, place.observed.value)
        axes.plot(moments, values, color=INK, linewidth=0.9, zorder=2)
    if place.analyses is not None:
        moments, values = _broken(series, place.analyses)
        axes.plot(moments, values, color=_CAMS_COLOUR, linewidth=0.9, zorder=3)
        if _dotted(series, inner):
            axes.plot(series.times.astype("datetime64[s]"), place.analyses, **_dots(_CAMS_COLOUR, 4.6), zorder=3)
    times = extract.times.astype("datetime64[s]")
    marks = _marks(series, inner)
    axes.plot(times, place.values, color=_COLOUR, linewidth=_line_width(series, inner), zorder=4)
    for kind, style in marks.items():
        own = extract.kinds == kind
        axes.plot(times[own], place.values[own], **style, zorder=5)
    _set_scale(axes, place, look)
    name = _name(series)
    axes.set_ylabel(f"{name} ({_unit(series)})" if len(name) < 8 else _unit(series), fontsize=SMALL)


def _line_width(series: Series, inner: float) -> float:
    """Points: thin enough that the ups and downs of many days do not fill the panel."""
    if _marks(series, inner):
        return 1.2
    return float(np.clip(_CROWDED * inner * 72 / series.extract.size, 0.25, 0.8))


def _set_scale(axes: Axes, place: Place, look: Look) -> None:
    """The concentrations that the panel shows."""
    shown = [place.values, *([] if place.analyses is None else [place.analyses])]
    shown += [] if place.observed is None else [place.observed.value]
    known = np.concatenate(shown)
    known = known[np.isfinite(known)]
    if look.scale == "log":
        known = known[known > 0]
        low, high = (float(known.min()) / 1.2, float(known.max()) * 1.2) if known.size else (0.1, 10.0)
        axes.set_yscale("log")
    else:
        low, high = min(0.0, float(known.min(initial=0))), 1.08 * float(known.max(initial=0)) or 1.0
    low = low if look.low is None else look.low
    high = max(high if look.high is None else look.high, 1.5 * low)
    axes.set_ylim(low, high)
    if look.scale == "log":
        axes.minorticks_off()
        ticks = log_ticks(low, high)
        axes.set_yticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_times(axes: Axes, series: Series, place: Place, *, lowest: bool) -> None:
    """UTC below, local solar time above."""
    import matplotlib.dates

    dates: Any = matplotlib.dates  # it has no types
    first, last = (series.extract.times[i].astype("datetime64[s]") for i in (0, -1))
    room = max((last - first) * 0.015, np.timedelta64(900, "s"))
    ends = first - room, last + room
    locator = dates.AutoDateLocator(minticks=3, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False, **_DATES))
    axes.set_xlim(*ends)
    axes.tick_params(labelsize=SMALL, length=3, labelbottom=lowest)
    if lowest:
        axes.set_xlabel("time (UTC)", fontsize=SMALL, labelpad=2)
    step = _solar_step(series)
    if step:
        above = axes.secondary_xaxis("top")
        ticks, labels = _solar_ticks(ends, place.longitude, step)
        above.set_xticks(dates.date2num(ticks), labels)
        above.tick_params(labelsize=SMALL - 1, length=2.5, pad=1.5, colors=FAINT_INK)


def _solar_ticks(ends: tuple[np.datetime64, np.datetime64], longitude: float, step: int) -> tuple[Instants, list[str]]:
    """Instants at round hours of mean solar time (noon, if it is one a day), and these hours."""
    ahead = np.timedelta64(round(_ahead(longitude) * 3600), "s")
    day = np.timedelta64(1, "D")
    whole = np.arange((ends[0] + ahead).astype("datetime64[D]"), (ends[1] + ahead).astype("datetime64[D]") + day)
    hours = np.arange(0, 24, step) if step < 24 else np.array([12])
    offsets = hours * _HOUR - ahead
    moments = np.add.outer(whole.astype("datetime64[s]"), offsets).ravel()
    labels = np.tile(hours, whole.size)
    shown = (moments >= ends[0]) & (moments <= ends[1])
    return moments[shown], [f"{hour} h" for hour in labels[shown]]


def _solar_step(series: Series) -> int:
    """Hours between ticks of solar time; 0 where they would be too many."""
    days = float((series.extract.times[-1] - series.extract.times[0]) / np.timedelta64(24, "h"))
    return next((step for most, step in _SOLAR_STEPS if days <= most), 0)


def _ahead(longitude: float) -> float:
    """Hours by which mean solar time is ahead of UTC."""
    return ((longitude + 180) % 360 - 180) / 15


def _steps(begin: Instants, end: Instants, values: Values) -> tuple[Instants, Values]:
    """Each value at both ends of its interval, and a break where intervals do not follow one another."""
    moments = np.stack([begin, end, end], axis=1).astype("datetime64[s]")
    steps = np.stack([values, values, np.full_like(values, np.nan)], axis=1)
    kept = np.ones(steps.shape, np.bool_)
    kept[:-1, 2] = begin[1:] != end[:-1]
    return moments[kept], steps[kept]


def _broken(series: Series, values: Values) -> tuple[Instants, Values]:
    """The analyses with a break where two are further apart than usual."""
    gaps = np.flatnonzero(np.diff(series.times).astype(np.int64) > series.step) + 1
    times = series.times.astype("datetime64[s]")
    return np.insert(times, gaps, times[gaps]), np.insert(values, gaps, np.nan)


def _dots(colour: str, size: float, *, filled: bool = True) -> dict[str, Any]:
    """A style of marks without a line."""
    inside = {"markerfacecolor": colour, "markeredgecolor": "white", "markeredgewidth": 0.5}
    outside = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 0.7}
    return {"linestyle": "", "marker": "o", "markersize": size, "color": colour} | (inside if filled else outside)


def _marks(series: Series, inner: float) -> dict[TimeKind, dict[str, Any]]:
    """How hours of each kind are marked: all, the analyses alone, or none, as there is room for marks."""
    analyses = int((series.extract.kinds == TimeKind.ANALYSIS).sum())
    marks = {}
    if series.extract.size * _MARK <= inner:
        marks[TimeKind.INTERPOLATED] = _dots(_COLOUR, 3.0, filled=False)
    if analyses * _MARK <= inner and analyses:
        marks[TimeKind.ANALYSIS] = _dots(_COLOUR, 5.2) | {"marker": "D", "markersize": 4.2}
    return marks


def _dotted(series: Series, inner: float) -> bool:
    """Whether there is room for the dots of CAMS's analyses."""
    return series.times.size * _MARK <= inner


def _handles(series: Series, inner: float) -> Iterator[tuple[Any, str]]:
    """What is drawn, for the legend."""
    from matplotlib.lines import Line2D

    marks = _marks(series, inner)
    line: dict[str, Any] = {"color": _COLOUR, "linewidth": 1.2, "linestyle": "-"}
    if TimeKind.ANALYSIS not in marks:
        yield Line2D([], [], **line), "DeepCAMS, hourly"
    for kind, text in _KINDS.items():
        if kind in marks:
            yield Line2D([], [], **(marks[kind] | line)), text
    if series.times.size:
        style = (_dots(_CAMS_COLOUR, 4.6) if _dotted(series, inner) else {}) | line
        yield Line2D([], [], **(style | {"color": _CAMS_COLOUR, "linewidth": 0.9})), "CAMS analyses"
    if any(place.observed is not None for place in series.places):
        yield Line2D([], [], color=INK, linewidth=0.9, drawstyle="steps"), "observed (mean)"


def _draw_legend(board: Board, handles: Sequence[tuple[Any, str]], columns: int, top: float) -> None:
    """What is what, above the panels."""
    corner = ((_LEFT - 0.04) / board.width, (board.bottom + top) / board.height)
    board.figure.legend(*zip(*handles, strict=True), loc="upper left", bbox_to_anchor=corner, ncols=columns,
                        frameon=False, fontsize=SMALL, borderaxespad=0, borderpad=0, handlelength=2.2, columnspacing=1.4,
                        labelspacing=0.35)  # fmt: skip


def _heading(series: Series, place: Place, characters: int) -> list[str]:
    """The name of a place, and below it what else is known of it."""
    ahead = round(abs(_ahead(place.longitude)) * 60)
    sign = "−" if _ahead(place.longitude) < 0 else "+"
    parts = [f"{_degrees(place.latitude, 'NS')} {_degrees((place.longitude + 180) % 360 - 180, 'EW')}"]
    if _solar_step(series):
        parts.append(f"above: local solar time, UTC{sign}{ahead // 60}:{ahead % 60:02d}")
    if place.observed is not None and (place.observed.distance >= 0.05 or place.observed.name != place.name):
        parts.append(f"observed at {short(place.observed.name)}, {place.observed.distance:.1f} km away")
    return [short(place.name), *textwrap.wrap("; ".join(parts), characters)]


def _draw_heading(board: Board, lines: Sequence[str], bottom: float) -> None:
    """The lines above a panel."""
    for index, line in enumerate(reversed(lines)):
        first = index == len(lines) - 1
        board.text(_LEFT, bottom + index * _LINE, line, fontsize=9 if first else SMALL - 0.5,
                   fontweight="bold" if first else "normal", color=INK if first else FAINT_INK)  # fmt: skip


def _degrees(value: float, signs: str) -> str:
    """A coordinate for people."""
    return f"{abs(value):.2f}°{signs[value < 0]}"


def _name(series: Series) -> str:
    """What is shown, as text without formulas."""
    species = series.extract.results.species
    return {"pm1": "PM1", "pm2p5": "PM2.5", "pm10": "PM10"}.get(species.name, species.long_name or species.name)


def _unit(series: Series) -> str:
    unit = series.extract.results.species.unit
    return "µg m⁻³" if unit == "ug m-3" else unit


def _title(series: Series) -> str:
    return f"{_name(series)} at {short(series.places[0].name) if len(series.places) == 1 else f'{len(series.places)} places'}"


def _period(series: Series) -> str:
    first, last = (str(series.extract.times[i].astype("datetime64[m]")).replace("T", " ") for i in (0, -1))
    return f"{first} to {last} UTC"


def _notes(series: Series, inner: float) -> str:
    """The small print."""
    results, marks = series.extract.results, _marks(series, inner)
    how = {"bilinear": "bilinear between nodes", "nearest": "those of the cell that holds the place"}[
        series.interpolation
    ]
    shown = "DeepCAMS and CAMS are" if series.times.size else "DeepCAMS is"
    parts = [f"{shown} values of instants, {how}."]
    if any(place.observed is not None for place in series.places):
        parts.append("Observations are means over the intervals that their steps span.")
    if TimeKind.ANALYSIS not in marks:
        parts.append("Hours of analyses are too many to be marked.")
    if series.extract.missing:
        parts.append(f"{count_text(series.extract.missing, 'hour')} missing.")
    made = f"DeepCAMS: {origin(results.attributes, results.files)}."
    return " ".join([*parts, made, *series.sources, str(results.attributes.get("attribution", ATTRIBUTION))])
