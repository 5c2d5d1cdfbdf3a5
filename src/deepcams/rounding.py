"""Bit rounding: keep the bits that carry information, so that compression finds the rest to be zeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MANTISSA = 23  # bits of a float32
KEEPBITS = 9  # relative error of 0.1 % at most


def bitround(values: NDArray[np.float32], keepbits: int) -> NDArray[np.float32]:
    """Round to ``keepbits`` mantissa bits, to nearest even (Klöwer et al., Nat. Comput. Sci. 1, 2021).

    Args:
        values: float32 of any shape, finite or NaN.
        keepbits: 1 to 23; 23 keeps everything.

    Returns:
        A new array; every NaN is the canonical one.
    """
    if keepbits >= MANTISSA:
        rounded = values.copy()
    else:
        drop = MANTISSA - keepbits
        bits = values.view(np.uint32)
        raised = bits >> np.uint32(drop)  # and all further steps in place
        raised &= np.uint32(1)
        raised += np.uint32((1 << (drop - 1)) - 1)
        raised += bits
        raised &= np.uint32(0xFFFFFFFF ^ ((1 << drop) - 1))
        rounded = raised.view(np.float32)
    if np.isnan(values.min(initial=0)):  # a minimum is found faster than all that is missing
        rounded[np.isnan(values)] = np.nan
    return rounded
