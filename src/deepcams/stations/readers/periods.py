"""Averaging periods of files that do not tell them, from the spacing of their time stamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.table import HOUR, Minutes

_SLICE = 1 << 20  # stamps whose spacing is counted at once


def told_periods(station: NDArray[np.int32], stamp: Minutes, lines: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The commonest time between stamps of a station that follow each other; of equally common ones the shorter.

    Args:
        station: (m,) number of the station.
        stamp: (m,) datetime64[m]; NaT is left out, and of equal stamps all but one.
        lines: (m,) those that count.

    Returns:
        (highest number + 1,) minutes by station; an hour where one has a single stamp.
    """
    periods = np.full(int(station.max(initial=-1)) + 1, HOUR, np.int32)
    lines = lines & ~np.isnat(stamp)
    if lines.any():
        keys, span = _keys(station[lines], stamp[lines].view(np.int64))
        kinds, counts = _steps(keys, span)
        # Of several assignments to a station the last counts: the commonest, of equal ones the shortest.
        order = np.lexsort((-kinds, counts))
        periods[kinds[order] // span] = kinds[order] % span
    return periods


def _keys(station: NDArray[np.int32], minutes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Station and stamp in one number, ascending; of one station they lie within the span.

    One column sorts several times faster than two.
    """
    minutes -= minutes.min()
    span = int(minutes.max()) + 1
    minutes += np.multiply(station, span, dtype=np.int64)
    minutes.sort()
    return minutes, span


def _steps(keys: NDArray[np.int64], span: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The times between stamps, as keys of station and minutes, and how often there is each."""
    parts = []
    for start in range(0, keys.size, _SLICE):
        part = keys[start : start + _SLICE + 1]
        owner, steps = part // span, np.diff(part)
        real = (np.diff(owner) == 0) & (steps > 0)
        parts.append(np.unique((owner[1:] * span + steps)[real], return_counts=True))
    kinds, which = np.unique(np.concatenate([kinds for kinds, _ in parts]), return_inverse=True)
    counts = np.bincount(which, np.concatenate([counts for _, counts in parts]), kinds.size)
    return kinds, counts.astype(np.int64)
