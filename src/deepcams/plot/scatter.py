"""The density scatter of a validation, drawn again from its pairs: by year, by season, or of all together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.errors import InputError
from deepcams.plot.figures import check_picture, save_picture
from deepcams.plot.origin import several
from deepcams.plot.sheet import TWO_COLUMNS, check_width
from deepcams.plot.validation.scatter import DIVISIONS, draw_scatter
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment, Line
from deepcams.stations.pairs import read_pairs
from deepcams.stations.scores import scores
from deepcams.stations.table import Pairs

BY = tuple(DIVISIONS)


def plot_scatter_of_file(
    path: Path, picture: Path, *, by: str = "year", products: Sequence[str] = (), width: float = TWO_COLUMNS,
    overwrite: bool = False,
) -> list[Path]:  # fmt: skip
    """Write the scatter of the pairs that a validation wrote.

    Args:
        path: the pairs, or the validation's folder.
        picture: .png, .svg or .pdf; further sheets, which many years need, are called after it: ``name-2.png``.
        by: what the columns are, one of ``BY``.
        products: those shown, four at most, the first one above; none for the first four.
        width: of a sheet in inches, at most.
        overwrite: whether pictures may be replaced.

    Returns:
        The pictures.

    Raises:
        InputError: if the pairs cannot be read, there are none, or matplotlib is not installed.
        OutputError: if a picture cannot be written there.
    """
    check_picture(picture, overwrite=overwrite)
    check_width(width)
    stored = read_pairs(path, products)
    if not stored.pairs.size:
        raise InputError(f"{path}: holds no pairs; look in the validation's report at what was rejected, and why")
    source = _source(stored.provenance)
    figures = list(draw_scatter(stored.pairs, _assessed(stored.pairs, by), by, source=source, width=width))
    names = [f"{picture.stem}{f'-{number}' if number > 1 else ''}" for number in range(1, len(figures) + 1)]
    paths = [picture.with_name(name + picture.suffix) for name in names]
    for one in paths:
        check_picture(one, overwrite=overwrite)
    for figure, one in zip(figures, paths, strict=True):
        save_picture(figure, one, overwrite=overwrite)
    return paths


def _assessed(pairs: Pairs, by: str) -> Assessment:
    """The scores of the columns alone."""
    return Assessment(tuple(_lines(pairs, by)), {}, {}, {}, (), (), 0, ())


def _lines(pairs: Pairs, by: str) -> Iterator[Line]:
    """The scores of every product in every column."""
    observed = pairs.observations
    for part in DIVISIONS[by](pairs):
        for label in np.unique(part.labels):
            own = np.flatnonzero(part.labels == label)
            stations = np.unique(observed.station[own]).size
            for name, values in pairs.products.items():
                found = scores(observed.value[own], values[own])
                yield Line(name, part.kind, part.names[label], own.size, stations, found)


def _source(made: dict[str, Any]) -> str:
    """Where the pairs come from, as far as their file tells."""
    parts = []
    products = made.get("products")
    if isinstance(products, dict):
        shown = [
            f"{name} ({Path(str(one.get('files', '?'))).name})"
            for name, one in products.items()
            if isinstance(one, dict)
        ]
        parts.append(f"Products: {', '.join(shown)}.")
    files = made.get("inputs")
    named = [f"{several([str(one) for one in files])}."] if isinstance(files, list) and files else []
    named += [text for text in (str(made.get("stations_attribution", "")),) if text]
    parts += [f"Observations: {' '.join(named)}"] * bool(named)
    return " ".join([*parts, str(made.get("attribution", ATTRIBUTION))])
