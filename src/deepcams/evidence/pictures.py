"""The pictures of a report, as PNG in memory: maps of what is shown, and spectra."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from deepcams.errors import InputError
from deepcams.evidence.views import View, summary
from deepcams.grid import Region
from deepcams.plot.fields import crop, extent_of, grid_of
from deepcams.plot.figures import DOTS_PER_INCH, house_style
from deepcams.plot.maps import draw_compare, draw_map
from deepcams.plot.spectra import Spectra
from deepcams.plot.spectrum import draw_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DETAIL = (20.0, 30.0)  # degrees of latitude and of longitude
_LARGER = 2  # times as large is a field in both that is also shown in detail
_LARGEST = 20_000_000  # bytes of a picture that is taken over
_ERRORS = (
    "in the lower row, how far above (red) or below (blue) the truth they are. The truth alone chose place and hour"
)
_TOLD = {
    "evaluate-space": f"An hour that was given: its area means, what is made of them, and the truth; {_ERRORS}.",
    "evaluate-time": f"An hour between those given, on the grid of CAMS: the methods and the truth; {_ERRORS}.",
    "evaluate-both": f"An hour between those given, on the fine grid: the methods and the truth; {_ERRORS}.",
    "scatter": "How many observations there are of each pair of an observed and a predicted value, on logarithmic axes, with "
               "the 1:1 line, the fitted line and the scores of each panel.",
    "stations": "Scores of each station on maps: mean bias, correlation, and where the RMSE is smaller (blue) or larger (red) "
                "than that of the reference.",
    "cycles": "Mean observed and predicted values by hour of the day and by month, with the number of observations below.",
    "taylor": "Correlation, standard deviation and centred error of each product at once (Taylor diagram); beside it, where "
              "stations have enough days, their bias and error in units of the measurement uncertainty.",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture with what is to be said of it.

    Attributes:
        name: of it, for JSON.
        image: the bytes of a PNG.
        alt: what it shows, for those who do not see it.
        caption: what there is to know.
    """

    name: str
    image: bytes
    alt: str
    caption: str


def draw_maps(fine: xr.DataArray, coarse: xr.DataArray | None, view: View, region: Region | None) -> Iterator[Picture]:
    """Maps of what is shown, CAMS beside it where it is given; of a large field also the surroundings of its highest value.

    Args:
        fine: the result, as :func:`deepcams.evidence.views.field_of` gives it.
        coarse: CAMS at the same hours.
        view: the hours.
        region: what to show; None for all.

    Raises:
        InputError: if matplotlib is not installed, or the fields do not meet.
    """
    what = f"PM2.5 as a map, {view.words}" if str(fine.name) == "pm2p5" else f"{fine.name} as a map, {view.words}"
    beside = "; CAMS and DeepCAMS with the same colours" if coarse is not None else ""
    text = f"{view.words[:1].upper()}{view.words[1:]}{beside}."
    yield Picture("map", _drawn(fine, coarse, region), what + beside, text)
    detail = _around_the_highest(fine)
    if detail is not None:
        near = f"{text} Around the highest value of what is shown above."
        yield Picture("detail", _drawn(fine, coarse, detail), f"{what} around its highest value{beside}", near)


def draw_spectra(spectra: Spectra) -> Picture:
    """The zonal power spectra."""
    names = ", ".join(one.name for one in spectra.spectra)
    caption = ("How much varies at which wavelength. A line below the others at short waves lacks detail; one above CAMS's has "
               "detail that CAMS has not, which may be right or wrong: a spectrum does not tell.")  # fmt: skip
    return Picture("spectrum", _png(draw_spectrum(spectra)), f"Power by wavenumber: {names}.", caption)


def taken_over(path: Path, command: str) -> Picture:
    """A picture that another command has left.

    Args:
        path: the picture.
        command: which one, for the caption.

    Raises:
        InputError: if it cannot be read, or is far too large.
    """
    try:
        image = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if not image:
        raise InputError(f"{path}: empty, or larger than {_LARGEST // 1_000_000} MB: make it again, or take it away")
    sheet = path.stem.rpartition("-")[2]
    told = _TOLD.get(path.stem.removesuffix(f"-{sheet}") if sheet.isdigit() else path.stem, path.name)
    more = f" Sheet {sheet}." if sheet.isdigit() else ""
    return Picture(path.stem, image, told + more, f"{told}{more} Drawn by deepcams {command}.")


def require_drawing() -> None:
    """Refuse to begin where nothing can be drawn.

    Raises:
        InputError: if matplotlib is not installed.
    """
    with house_style():
        pass


def _drawn(fine: xr.DataArray, coarse: xr.DataArray | None, region: Region | None) -> bytes:
    if coarse is None:
        return _png(draw_map(fine if region is None else crop(fine, region)))
    return _png(draw_compare(coarse, fine, region, interpolated=_is_refined(coarse, fine, region)))


def _is_refined(coarse: xr.DataArray, fine: xr.DataArray, region: Region | None) -> bool:
    """Whether plain interpolation is shown, too: in details, and where the fine grid is an odd part of the coarse one."""
    factor = grid_of(coarse).step / grid_of(fine).step
    return region is not None and round(factor) >= 3 and round(factor) % 2 == 1 and abs(factor - round(factor)) < 1e-6


def _around_the_highest(field: xr.DataArray) -> Region | None:
    """A part around the highest value of a large field; None for a small one."""
    extent, highest = extent_of(field), summary(field)
    tall, wide = _DETAIL
    if extent.north - extent.south < _LARGER * tall or extent.east - extent.west < _LARGER * wide:
        return None
    north, east = highest["latitude"], highest["longitude"]
    if north is None or east is None:
        return None
    south = min(max(north - tall / 2, -90.0), 90 - tall)
    west = (east - wide / 2 + 180) % 360 - 180
    return Region(south + tall, west, south, west + wide if west + wide <= 180 else west + wide - 360)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    with house_style():
        figure.savefig(stream, format="png", dpi=DOTS_PER_INCH)
    return stream.getvalue()
