"""The files of a validation's figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from deepcams.errors import InputError
from deepcams.plot.figures import house_style, save_picture
from deepcams.plot.scales import difference_scale
from deepcams.plot.validation.cycles import draw_cycles
from deepcams.plot.validation.scatter import draw_scatter
from deepcams.plot.validation.station_map import draw_stations
from deepcams.plot.validation.taylor import draw_taylor
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment
from deepcams.stations.table import Pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCATTER = "scatter"
_SINGLE: dict[str, Callable[[Pairs, Assessment], Figure]] = {
    "stations": draw_stations,
    "cycles": draw_cycles,
    "taylor": draw_taylor,
}
NAMES = tuple(f"{name}.png" for name in (SCATTER, *_SINGLE))
"""The files that are always written; of many years there are also ``scatter-2.png`` and so on."""


def check_drawing() -> None:
    """Refuse to go on where figures cannot be drawn, before any work is done.

    Raises:
        InputError: if matplotlib or the colours are not installed.
    """
    with house_style():
        difference_scale(1.0)


def write_figures(pairs: Pairs, assessment: Assessment, folder: Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write all figures as PNG in a folder.

    Args:
        pairs: what was compared; at least one pair.
        assessment: what was found of them.
        folder: where the files go; it exists.
        overwrite: whether they may replace files.

    Returns:
        Name (``scatter``, ``scatter-2``, ``stations``, ``cycles``, ``taylor``) -> file, in the order of a report.

    Raises:
        InputError: if there are no pairs, or matplotlib or the colours are not installed.
        OutputError: if one cannot be written, or exists and may not be replaced.
    """
    if not pairs.size:
        raise InputError(
            "there are no pairs of observed and predicted values to draw: look at what was rejected, and why"
        )
    paths = {}
    for name, figure in _figures(pairs, assessment):
        paths[name] = folder / f"{name}.png"
        save_picture(figure, paths[name], overwrite=overwrite)
    return paths


def _figures(pairs: Pairs, assessment: Assessment) -> Iterator[tuple[str, Figure]]:
    """Every figure with its name, one after the other, so that only one is held."""
    for number, sheet in enumerate(draw_scatter(pairs, assessment, source=ATTRIBUTION), 1):
        yield SCATTER if number == 1 else f"{SCATTER}-{number}", sheet
    for name, draw in _SINGLE.items():
        yield name, draw(pairs, assessment)
