"""The ledger's rows: what is written comes back, and a day without one is not finished."""

import hashlib

import numpy as np
import pytest

from deepcams.io.ledger import BYTES, ENTRIES, FIRST, LAST, Entry, entry_of, hours_of


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


@pytest.mark.parametrize("hours", [[], [0, 3, 24], [-3, 0, 27], [FIRST, LAST]])
def test_an_entry_comes_back_from_its_row(hours):
    entry = Entry(digest("values"), {hour: digest(hour) for hour in hours})
    row = entry.row()
    assert row.shape == (ENTRIES, BYTES)
    assert row.dtype == np.uint8
    assert entry_of(row) == entry


def test_an_empty_row_is_a_day_that_is_not_finished():
    assert entry_of(np.zeros((ENTRIES, BYTES), np.uint8)) is None


def test_the_digest_of_all_depends_on_each_and_not_on_their_order():
    hours = {0: digest(0), 3: digest(3), 6: digest(6)}
    entry = Entry(digest("values"), hours)
    assert Entry(digest("values"), dict(reversed(hours.items()))).digest == entry.digest
    assert Entry(digest("values"), hours | {3: digest(4)}).digest != entry.digest


@pytest.mark.parametrize("mask", [0, 1, 1 << 23, (1 << 24) - 1, 0b1010])
def test_the_hours_of_a_mask(mask):
    assert sum(1 << hour for hour in hours_of(mask)) == mask
