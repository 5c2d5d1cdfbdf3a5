"""What the figures of a validation share: a heading, panels in inches, small print, and the colours of products."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepcams import __version__
from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK, house_style
from deepcams.plot.sheet import LINE, MARGIN, Box
from deepcams.stations.assessment import ALL, Assessment
from deepcams.stations.table import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNIT = "µg m⁻³"
TINY = 6.5  # points: the small print
OBSERVED_COLOUR = INK
PRODUCT_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), which colour-blind readers tell apart."""
PRODUCT_MARKERS = ("o", "s", "^", "D", "v", "P")
UNKNOWN = "–"

_OWN = {"CAMS": 0, "DeepCAMS": 1}  # products that look the same in all figures, whoever else is shown

_HEADING = 0.62  # inches
_SUBTITLE_LINE = 0.16
_CHARACTER, _SUBTITLE_CHARACTER = 0.053, 0.066  # mean widths in the small print and the subtitle
_LONGEST_NAME = 24  # characters


@dataclass(frozen=True)
class Board:
    """A figure whose heading and small print are written; panels are put between them.

    Attributes:
        figure: the figure.
        width: of the sheet in inches.
        height: of the sheet.
        bottom: of the place for panels.
    """

    figure: Figure
    width: float
    height: float
    bottom: float

    def axes(self, box: Box, **options: Any) -> Axes:
        """New axes; the box is in inches from the lower left corner of the place for panels."""
        place = (
            box.left / self.width,
            (self.bottom + box.bottom) / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        return self.figure.add_axes(place, **options)

    def text(self, left: float, bottom: float, text: str, **style: Any) -> None:
        """Write a text at a place in inches, as for :meth:`axes`."""
        self.figure.text(left / self.width, (self.bottom + bottom) / self.height, text, **style)


@contextmanager
def validation_style() -> Iterator[None]:
    """The house's style, with names of products and stations taken as they are: a ``$`` in them is no formula.

    Raises:
        InputError: if matplotlib is not installed.
    """
    with house_style():
        import matplotlib as mpl

        with mpl.rc_context({"text.parse_math": False}):
            yield


def new_board(title: str, subtitle: str, width: float, height: float, notes: str) -> Board:
    """A white sheet with a heading at the top and small print at the bottom.

    Args:
        title: what is shown.
        subtitle: of what.
        width: of the sheet in inches.
        height: of the place for panels.
        notes: the small print; it is broken into lines of the sheet's width.
    """
    from matplotlib.figure import Figure

    lines = textwrap.wrap(f"{notes} deepcams {__version__}.", int((width - 2 * MARGIN) / _CHARACTER))
    told = textwrap.wrap(subtitle, int((width - 2 * MARGIN) / _SUBTITLE_CHARACTER))
    bottom = MARGIN + LINE * len(lines) + MARGIN / 2
    whole = bottom + height + _HEADING + _SUBTITLE_LINE * (len(told) - 1)
    board = Board(Figure(figsize=(width, whole), facecolor="white"), width, whole, bottom)
    board.text(MARGIN, whole - bottom - 0.28, title, fontsize=11, fontweight="bold")
    for index, line in enumerate(reversed(told)):
        board.text(MARGIN, height + 0.14 + index * _SUBTITLE_LINE, line, fontsize=SMALL, color=FAINT_INK)
    for index, line in enumerate(reversed(lines)):
        board.text(MARGIN, MARGIN + index * LINE - bottom, line, fontsize=TINY, color=FAINT_INK)
    return board


def ordered_products(pairs: Pairs, assessment: Assessment) -> tuple[str, ...]:
    """The products with the reference first, then as the pairs have them."""
    reference = reference_of(pairs, assessment)
    return reference, *(name for name in pairs.products if name != reference)


def reference_of(pairs: Pairs, assessment: Assessment) -> str:
    """Whom products are compared with: as the assessment says, the first product if it compares none."""
    named = assessment.paired[0].reference if assessment.paired else ""
    return named if named in pairs.products else next(iter(pairs.products))


def looks_of(products: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each product; those that are not known by name take what is left, in order."""
    taken = {_OWN[name] for name in products if name in _OWN}
    others = iter([index for index in range(len(PRODUCT_COLOURS)) if index not in taken])
    numbers = {name: _OWN[name] if name in _OWN else next(others) for name in products}
    return {name: (PRODUCT_COLOURS[index], PRODUCT_MARKERS[index]) for name, index in numbers.items()}


def subject_of(pairs: Pairs, assessment: Assessment) -> str:
    """The product that figures of one product show: the first that is not CAMS; if all are, the last."""
    names = ordered_products(pairs, assessment)
    return next((name for name in names if name.split()[:1] != ["CAMS"]), names[-1])


def scores_of(assessment: Assessment, product: str, kind: str = ALL, group: str = ALL) -> dict[str, float]:
    """The scores of a product in a part of the pairs, as tables have them; none if that part was not scored."""
    asked = (product, kind, group)
    return next((line.scores for line in assessment.lines if (line.product, line.kind, line.group) == asked), {})


def short(name: str) -> str:
    """A name that fits into a figure."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def count_text(count: int, what: str) -> str:
    """A number of things in words: ``1 station``, ``12,345 pairs``."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def facts_text(pairs: Pairs) -> str:
    """Pairs, stations and period in words."""
    begin = pairs.observations.begin
    period = " to ".join(dict.fromkeys(str(moment.astype("M8[D]")) for moment in (np.min(begin), np.max(begin))))
    stations = count_text(pairs.observations.stations.size, "station")
    return f"{count_text(pairs.size, 'pair')} at {stations}, {period} (UTC)"
