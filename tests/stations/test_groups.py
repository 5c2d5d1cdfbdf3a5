"""Parts of the pairs: each division against one by pandas, or by hand at its edges."""

import numpy as np
import pandas as pd
import pytest

from deepcams.grid import Region
from deepcams.regions import REGIONS
from deepcams.stations.groups import CLASS_NAMES, DIVISIONS, HOURS, SEASONS, parts, within
from deepcams.stations.table import DAY, Pairs


@pytest.fixture
def pairs(observations):
    """Make pairs from what the maker of observations takes."""

    def make(values, **options):
        return Pairs(observations(values, **options), {})

    return make


def named(part):
    """(m,) the name of each pair's group; nothing of those in none."""
    return np.array([*part.names, ""], object)[part.labels]


def divided(pairs, kind):
    """The only part of a kind."""
    (part,) = DIVISIONS[kind](pairs)
    assert part.kind == kind
    return named(part)


def test_years_and_seasons_are_those_of_pandas(pairs):
    made = pairs(np.ones(24 * 800), start="2018-11-20T07:00")
    time = pd.Series(pd.to_datetime(made.observations.begin))
    assert (divided(made, "year") == time.dt.year.astype(str).to_numpy(object)).all()
    quarters = dict(zip((12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), np.repeat(SEASONS, 3), strict=True))
    assert (divided(made, "season") == time.dt.month.map(quarters).to_numpy(object)).all()


def test_hours_are_of_the_sun_at_the_middle(pairs):
    made = pairs(np.ones((4, 24)), latitude=np.zeros(4), longitude=[0, 116.4, -7.6, 241.8], start="2024-04-01T00:00")
    one = made.observations
    offset = pd.to_timedelta(np.array([0, 116.4, -7.6, -118.2])[one.station] / 15, unit="h")
    wanted = (pd.to_datetime(one.begin) + pd.Timedelta("30min") + offset).hour
    assert (divided(made, "hour") == np.array(HOURS, object)[wanted]).all()


def test_days_have_no_hour(pairs):
    assert set(divided(pairs(np.ones(4), period=DAY), "hour")) == {""}


def test_countries(pairs):
    made = pairs(np.ones((4, 2)), country=["NL", "", "CN", "NL"])
    assert divided(made, "country").tolist() == ["NL", "NL", "", "", "CN", "CN", "NL", "NL"]


def test_regions_that_hold_a_station_may_overlap(pairs):
    made = pairs(np.ones((3, 2)), latitude=[39.9, 52, -80], longitude=[116.4, 5, 0])
    found = {part.names[0]: part.labels.tolist() for part in DIVISIONS["region"](made)}
    beijing, utrecht = [0, 0, -1, -1, -1, -1], [-1, -1, 0, 0, -1, -1]
    assert found == {
        "central-europe": utrecht, "china": beijing, "east-asia": beijing, "europe": utrecht,
    }  # fmt: skip


@pytest.mark.parametrize("turn", [-360, 0, 360])
def test_a_place_in_a_region_whatever_the_turn(turn):
    across = Region(10, 170, -10, -170)
    longitude = np.array([169.9, 170, 180, -180, 190, -170, -169.9]) + turn
    assert within(across, np.zeros(7), longitude).tolist() == [False, True, True, True, True, True, False]
    assert within(Region(10, -180, -10, 180), np.array([10.0, 10.1]), np.zeros(2)).tolist() == [True, False]


def test_classes_of_the_observation(pairs):
    made = pairs([-1, 0, 4.9, 5, 14.9, 15, 35, 74.9, 75, 149, 150, 900])
    names = [CLASS_NAMES[i] for i in (0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5)]
    assert divided(made, "class").tolist() == names


def test_everything_comes_first_and_every_label_has_a_name(pairs):
    made = pairs(np.random.default_rng(0).gamma(2, 20, (5, 3000)), country="IT", latitude=np.full(5, 45),
                 longitude=np.linspace(7, 12, 5))  # fmt: skip
    found = list(parts(made))
    assert (found[0].kind, found[0].names) == ("all", ("all",))
    assert {part.kind for part in found} == {"all", *DIVISIONS}
    assert {part.names[0] for part in found if part.kind == "region"} <= REGIONS.keys()
    for part in found:
        assert part.labels.shape == (made.size,)
        assert part.labels.min() >= -1
        assert part.labels.max() < len(part.names)
