"""Series read out of hourly results, some hours at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepcams.extraction.sampling import Sampler, Window
from deepcams.extraction.tables import Part
from deepcams.io.results import Results
from deepcams.io.template import SERIES
from deepcams.timeline import TimeKind

_TILE = 24  # nodes in latitude and longitude, as stores for series keep together


def stored_as_series(results: Results) -> bool:
    """Whether the hours of a day lie together, so that one is as slow to read as all."""
    return results.attributes.get("deepcams_layout") == SERIES


def windows_of(results: Results, sampler: Sampler) -> list[Window]:
    """The parts of the maps to read, by how they are stored: whole, or in tiles where that is for series."""
    return sampler.windows(_TILE if stored_as_series(results) else None)


def sampled(results: Results, sampler: Sampler, windows: Sequence[Window], hours: slice) -> Part:
    """The series in some hours, best a UTC day or a part of one; where none was made, nothing is read.

    Args:
        results: the maps.
        sampler: the series; its grid is that of the maps.
        windows: what :func:`windows_of` gives.
        hours: which of the maps' hours.

    Raises:
        InputError: if a map cannot be read.
    """
    times, kinds = results.times[hours], results.kinds[hours]
    shape = times.size, len(sampler.names)
    if (kinds == TimeKind.MISSING).all():
        values = np.full(shape, np.nan, np.float32)
        return Part(times, kinds, values, values if sampler.areas else None)
    cells = sampler.take(lambda rows, columns: results.read(hours, rows, columns), windows)
    return Part(times, kinds, sampler.means(cells), sampler.highest(cells) if sampler.areas else None)
