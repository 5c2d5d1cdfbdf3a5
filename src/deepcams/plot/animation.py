"""Animations: the map of every hour, one after the other, as GIF or, where ffmpeg is on the machine, as MP4.

Every frame is the picture that ``plot map`` draws, with the hours of the period below its heading. A frame is written before
the next one is drawn, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.extract import Extract
from deepcams.extraction.reading import stored_as_series
from deepcams.grid import Region
from deepcams.io.output import check_output, partial
from deepcams.plot.fields import crop
from deepcams.plot.figures import FAINT_INK, INK, house_style
from deepcams.plot.films import Write, gif_writer, mp4_writer, require_ffmpeg
from deepcams.plot.maps import Style, draw_map
from deepcams.plot.results import as_field, attributes_of
from deepcams.plot.scales import MISSING_COLOUR, Limits, Quantity, build_scale
from deepcams.plot.sheet import LEFT, RIGHT
from deepcams.timeline import TimeKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[int], None]
Pixels = NDArray[np.uint8]

GIF, MP4 = ".gif", ".mp4"
WIDTHS = (320, 3840)
RATES = (1, 50)

_DAY = 24  # hours that a store for series keeps together
_STRIP = 0.05  # inches from the map up to the hours of the period
_MOST_MARKS = 96
_MARK, _LINE = "#d55e00", "#cccccc"
_SCALE, _COASTS, _GREYS = 192, 32, 24  # colours of a GIF


@dataclass(frozen=True)
class Film:
    """How hours are shown.

    Attributes:
        region: what part of the maps; None for all.
        style: the colours, the same in all frames.
        rate: frames a second.
        width: of a frame in pixels.
    """

    region: Region | None = None
    style: Style = field(default_factory=Style)
    rate: float = 4
    width: int = 960

    def __post_init__(self) -> None:
        """Refuse what cannot be shown.

        Raises:
            InputError: naming it.
        """
        for name, value, (least, most) in (("--fps", self.rate, RATES), ("--size", self.width, WIDTHS)):
            if not least <= value <= most:
                raise InputError(f"{name} {value:g}: wanted {least} to {most}")


def check_film(path: Path, *, overwrite: bool = False) -> None:
    """Refuse an animation that could not be written, before any work is done for it.

    Raises:
        InputError: for MP4 where there is no ffmpeg.
        OutputError: for another suffix than .gif and .mp4, or if it cannot be written there.
    """
    check_output(path, (GIF, MP4), overwrite=overwrite)
    if path.suffix.lower() == MP4:
        require_ffmpeg()


def write_film(
    extract: Extract, path: Path, film: Film, *, overwrite: bool = False, progress: Progress = lambda count: None
) -> None:
    """Write the animation of some hours; the same hours give the same bytes.

    Args:
        extract: the hours; missing ones are shown as missing.
        path: .gif or .mp4.
        film: what is shown, and how.
        overwrite: replace an existing one.
        progress: called with the number of hours done since the last call.

    Raises:
        InputError: if a map cannot be read, or a library or ffmpeg is missing.
        OutputError: if it cannot be written.
    """
    check_film(path, overwrite=overwrite)
    frames = _frames(extract, film)
    first = next(frames)
    with partial(path, overwrite=overwrite) as temporary, _writer(temporary, first, extract, film) as write:
        write(first)
        progress(1)
        for pixels in frames:
            write(pixels)
            progress(1)


def _writer(path: Path, first: Pixels, extract: Extract, film: Film) -> AbstractContextManager[Write]:
    """What writes frames like the first one."""
    height, width = first.shape[:2]
    make = {GIF: gif_writer, MP4: mp4_writer}[path.suffix.lower()]
    return make(path, width, height, film.rate, _colours(extract, film))


def _colours(extract: Extract, film: Film) -> Pixels:
    """(n, 3) those that maps are drawn in: of the scale, of coasts above it, of texts, and of what else is drawn."""
    from matplotlib.colors import to_rgb

    species = extract.results.species
    quantity = Quantity.of(species.name, {"units": species.unit})
    scale = build_scale(film.style.scale, quantity, 1.0, film.style.limits).colours(np.linspace(0, 1, _SCALE))[:, :3]
    ink = np.array(to_rgb(INK))
    greys = ink + np.linspace(0, 1, _GREYS)[:, None] * (1 - ink)
    others = np.array([to_rgb(colour) for colour in (_MARK, MISSING_COLOUR, _LINE)])
    colours = np.concatenate([np.ones((1, 3)), scale, 0.5 * scale[:: _SCALE // _COASTS] + 0.5 * ink, greys, others])
    return np.round(255 * colours).astype(np.uint8)


def _frames(extract: Extract, film: Film) -> Iterator[Pixels]:
    """(rows, columns, 3) of every hour, the same size all of them."""
    style = replace(film.style, limits=_limits(extract, film), missing=extract.missing > 0)
    for index, hour in enumerate(_fields(extract, film.region)):
        figure = draw_map(hour, style=style)
        _draw_strip(figure, extract, index)
        yield _pixels(figure, film.width)


def _limits(extract: Extract, film: Film) -> Limits:
    """The ends of the scale; where they are told by the largest value, by that of all hours."""
    limits = film.style.limits or Limits()
    if film.style.scale != "log" or limits.high is not None or extract.results.species.is_particulate:
        return limits
    peaks = [float(np.nanmax(hour.values, initial=0)) for hour in _fields(extract, film.region)]
    return replace(limits, high=max(peaks) or None)


def _fields(extract: Extract, region: Region | None) -> Iterator[xr.DataArray]:
    """The map of every hour, as ``draw_map`` wants it."""
    results = extract.results
    attributes = attributes_of(results)
    for hours in _pieces(extract):
        maps = results.read(hours)
        for values, time, kind in zip(maps, results.times[hours], results.kinds[hours], strict=True):
            hour = as_field(values, results.grid, results.species.name, attributes)
            yield crop(hour.assign_coords(time=time.astype("datetime64[ns]"), time_kind=int(kind)), region)


def _pieces(extract: Extract) -> Iterator[slice]:
    """Hours that are read together: one, or a day where the store keeps days together."""
    together = _DAY if stored_as_series(extract.results) else 1
    for day in extract.days():
        for start in range(day.start, day.stop, together):
            yield slice(start, min(start + together, day.stop))


def _draw_strip(figure: Figure, extract: Extract, index: int) -> None:
    """The hours of the period in a row: analyses as large dots, hours between as small ones, the one shown in red."""
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    left, right, y = LEFT / width, 1 - RIGHT / width, figure.axes[0].get_position().y1 + _STRIP / height
    places = np.linspace(left, right, extract.size) if extract.size > 1 else np.array([(left + right) / 2])
    figure.add_artist(Line2D([left, right], [y, y], color=_LINE, linewidth=0.8, zorder=1))
    sizes = {TimeKind.INTERPOLATED: 1.8, TimeKind.ANALYSIS: 3.6}
    for kind, size in sizes.items():
        own = places[extract.kinds == kind]
        if extract.size <= _MOST_MARKS and own.size:
            figure.add_artist(Line2D(own, np.full(own.size, y), linestyle="", marker="o", markersize=size, color=INK
                                     if kind == TimeKind.ANALYSIS else FAINT_INK, markeredgewidth=0, zorder=2))  # fmt: skip
    analysis = extract.kinds[index] == TimeKind.ANALYSIS
    figure.add_artist(Line2D([places[index]], [y], linestyle="", marker="o", markersize=5.6, color=_MARK,
                             markerfacecolor=_MARK if analysis else "white", markeredgewidth=1.2, zorder=3))  # fmt: skip


def _pixels(figure: Figure, width: int) -> Pixels:
    """(rows, columns, 3) the figure at a width; both sides are even, as video wants them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with house_style():
        figure.set_dpi(width / figure.get_size_inches()[0])
        canvas: Any = FigureCanvasAgg(figure)  # it has no types
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[..., :3]
    rows, columns = drawn.shape[0] + drawn.shape[0] % 2, drawn.shape[1] + drawn.shape[1] % 2
    pixels = np.full((rows, columns, 3), 255, np.uint8)
    pixels[: drawn.shape[0], : drawn.shape[1]] = drawn
    return pixels
