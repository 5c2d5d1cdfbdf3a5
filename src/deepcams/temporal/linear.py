"""Linear interpolation in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepcams.temporal.setting import Setting

Field = NDArray[np.float32]


def blend(before: Field, after: Field, fraction: float) -> Field:
    """(1 - t) before + t after: at t = 1/3 the first end weighs two thirds."""
    return np.float32(1 - fraction) * before + np.float32(fraction) * after


def between(before: Field, after: Field, fractions: Sequence[float], setting: Setting) -> list[Field]:
    """Fields at the given fractions of the interval, each a weighted mean of its ends."""
    return [blend(before, after, fraction) for fraction in fractions]
