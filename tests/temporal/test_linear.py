from __future__ import annotations

import numpy as np

from deepcams.grid import Grid
from deepcams.temporal import TEMPORAL
from deepcams.temporal.setting import Setting


def test_weights_at_one_and_two_thirds():
    """The original's "linear" had them reversed: the hour after the first analysis must be nearer to it."""
    setting = Setting(Grid(0, 0, 0.75, 1, 1), 3, 0.05)
    before, after = np.float32([[0]]), np.float32([[9]])
    first, second = TEMPORAL["linear"].between(before, after, [1 / 3, 2 / 3], setting)
    np.testing.assert_allclose([first[0, 0], second[0, 0]], [3, 6], rtol=1e-6)
