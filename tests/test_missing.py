from __future__ import annotations

import numpy as np

from deepcams.grid import Grid
from deepcams.missing import fill, refine_mask

GLOBE = Grid(90, 0, 45, 5, 8)


def test_a_whole_field_is_left_alone():
    field = np.ones(GLOBE.shape, np.float32)
    filled, missing = fill(field, GLOBE)
    assert filled is field
    assert missing is None


def test_holes_take_the_nearest_value_across_the_date_line():
    field = np.full(GLOBE.shape, np.nan, np.float32)
    field[:, 7] = 5
    field[:, 3] = 2
    filled, missing = fill(field, GLOBE)
    assert filled[2, [0, 6, 7]].tolist() == [5, 5, 5]
    assert filled[2, [2, 3, 4]].tolist() == [2, 2, 2]
    assert missing.sum() == 5 * 6


def test_masks_cover_the_fine_cells():
    missing = np.zeros(GLOBE.shape, bool)
    missing[2, 0] = missing[0, 3] = True
    mask = refine_mask(missing, GLOBE, 3)
    assert mask.shape == GLOBE.refine(3).shape
    assert mask[5:8][:, [23, 0, 1]].all()
    assert mask[:2, 8:11].all()
    assert mask.sum() == 9 + 6
    assert refine_mask(None, GLOBE, 3) is None
