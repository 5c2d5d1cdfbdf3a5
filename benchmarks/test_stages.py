"""Each stage alone, on one global interval. Run with ``make bench``; ``make test`` runs them once, untimed."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from deepcams import open_cams
from deepcams.grid import Grid
from deepcams.rounding import bitround
from deepcams.sample import cams_sample
from deepcams.spatial import SPATIAL
from deepcams.spatial.scene import Scene
from deepcams.sphere import from_blocks
from deepcams.temporal import TEMPORAL
from deepcams.temporal.setting import Setting

COARSE = Grid(90, 0, 0.75, 241, 480)


@pytest.fixture(scope="module")
def analyses():
    return open_cams(cams_sample()).values[:2]


@pytest.fixture(scope="module")
def sharpened(analyses):
    return [from_blocks(SPATIAL["lcbp"].sharpen(Scene(one, COARSE, 3, 0.05)), COARSE) for one in analyses]


@pytest.mark.parametrize("name", SPATIAL)
def test_space(benchmark, analyses, name):
    benchmark(lambda: from_blocks(SPATIAL[name].sharpen(Scene(analyses[0], COARSE, 3, 0.05)), COARSE))


@pytest.mark.parametrize("name", TEMPORAL)
def test_time(benchmark, sharpened, name):
    """Two hours between two analyses at 0.25 degrees."""
    setting = Setting(COARSE.refine(3), 3, 0.05)
    benchmark(lambda: TEMPORAL[name].between(*sharpened, [1 / 3, 2 / 3], setting))


def test_rounding(benchmark, sharpened):
    benchmark(lambda: bitround(sharpened[0], 9))


def test_reading(benchmark):
    benchmark(lambda: np.asarray(open_cams(cams_sample())[0]))


def test_the_stages_that_are_watched_exist():
    """What ``stages.py`` times by name."""
    stages = runpy.run_path(str(Path(__file__).with_name("stages.py")))
    for name in (name for names in stages["STAGES"].values() for name in names):
        owner, last = stages["found"](name)
        assert callable(getattr(owner, last)), name
