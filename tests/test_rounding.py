from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcams.rounding import bitround


@given(
    arrays(np.float32, 20, elements=st.floats(2**-100, 2**100, width=32) | st.just(0.0) | st.just(np.nan)),
    st.integers(1, 23),
)
def test_rounding_is_close_idempotent_and_sets_bits_to_zero(values, keepbits):
    rounded = bitround(values, keepbits)
    present = ~np.isnan(values)
    np.testing.assert_allclose(rounded[present], values[present], rtol=2.0 ** -(keepbits + 1) if keepbits < 23 else 0)
    assert (bitround(rounded, keepbits).view(np.uint32) == rounded.view(np.uint32)).all()
    assert (rounded[present].view(np.uint32) % (1 << (23 - keepbits)) == 0).all()
    assert (rounded[~present].view(np.uint32) == 0x7FC00000).all()


def test_by_hand():
    """1 + 2^-9 needs nine bits; half a step beyond goes to the even neighbour."""
    values = np.array([1 + 2**-9, 1 + 2**-10, 1 + 3 * 2**-10], np.float32)
    assert bitround(values, 9).tolist() == [1 + 2**-9, 1, 1 + 2 * 2**-9]


def test_odd_nans_become_the_canonical_one():
    odd = np.array([0x7F800001, 0xFFFFFFFF], np.uint32).view(np.float32)
    assert bitround(odd, 9).view(np.uint32).tolist() == [0x7FC00000] * 2
    assert bitround(odd, 23).view(np.uint32).tolist() == [0x7FC00000] * 2


def test_the_input_is_left_alone():
    values = np.array([1.2345], np.float32)
    bitround(values, 2)
    assert values[0] == pytest.approx(1.2345)
