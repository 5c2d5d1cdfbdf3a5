"""How far the air has gone between two analyses: what holds whatever the weights, and that those that ship are of use."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

from deepcams import open_cams
from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.places import open_places
from deepcams.land import land_share
from deepcams.layers.weights import write_weights
from deepcams.sample import cams_sample, places_samples
from deepcams.spatial.interpolation import LINEAR, interpolate
from deepcams.sphere import from_blocks
from deepcams.temporal import TEMPORAL, flow
from deepcams.temporal.network import (
    Architecture,
    Situation,
    TemporalNetwork,
    at_poles,
    between,
    load,
    middles_of,
    progress,
    situation,
    slopes_of,
)
from deepcams.temporal.setting import Analyses, Setting
from deepcams.training.places import PlaceSampler
from deepcams.weights import PROGRESS_WEIGHTS

GLOBE = Grid(90, 0, 3.0, 61, 120)
BOX = Grid(58, 0, 0.75, 24, 30)
TINY = Grid(50, 5, 0.75, 5, 6)  # its refinement is too small for a flow
SEA = Grid(35, 320, 0.75, 10, 12)
GRIDS = {"globe": GLOBE, "box": BOX, "tiny": TINY}
THIRDS = [1 / 3, 2 / 3]
MORNING = np.datetime64("2020-06-01T06", "h")
SMALL = Architecture(harmonics=2, width=8)


def wild(std=0.8, architecture=SMALL):
    """A network whose rates are far from even and know nothing."""
    torch.manual_seed(5)
    one = TemporalNetwork(architecture)
    for parameter in one.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return one.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def network():
    return wild()


def analyses_of(grid, gain=1.0, seed=0):
    """Four smooth fields, one after the other."""
    generator = np.random.default_rng(seed)
    waves = generator.normal(size=(4, 6, 3))
    rows, columns = np.mgrid[: grid.rows, : grid.columns]
    turn = 2 * np.pi / grid.columns
    fields = [gain * np.exp(1.5 + sum(a * np.cos((i + 1) * turn * columns + b * rows / 5 + c) / 2
                                      for i, (a, b, c) in enumerate(wave))) for wave in waves]  # fmt: skip
    for field in fields:
        field[at_poles(grid)] = field[at_poles(grid)].mean(axis=1, keepdims=True)
    earlier, before, after, later = (field.astype(np.float32) for field in fields)
    return Analyses(grid, before, after, earlier, later)


def setting_of(analyses, factor=3, start=MORNING, hours=3.0):
    return Setting(analyses.grid.refine(factor) if factor > 1 else analyses.grid, hours, 0.05, start, analyses)


def fine_of(analyses, factor=3):
    """Both ends on the grid of the setting."""
    if factor == 1:
        return analyses.before, analyses.after
    return tuple(from_blocks(interpolate(one, analyses.grid, factor, kernel=LINEAR, conserving=False), analyses.grid)
                 for one in (analyses.before, analyses.after))  # fmt: skip


def made(analyses, network, factor=3, fractions=THIRDS, **options):
    return between(*fine_of(analyses, factor), fractions, setting_of(analyses, factor, **options), network)


def situation_of(**given):
    """One place at noon in June, an even change, nothing beyond it known; anything else as given."""
    usual = {"hours": np.linspace(9.25, 11.75, 6), "change": 0.3, "earlier": 0.0, "later": 0.0}
    others = {name: 1.0 for name in Situation._fields if name not in usual}
    content = usual | others | given
    return Situation(
        *(torch.tensor(np.asarray(content[name]), dtype=torch.float32)[None] for name in Situation._fields)
    )


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("factor", [1, 3])
def test_a_new_network_is_the_flow(grid, factor):
    analyses = analyses_of(grid)
    expected = flow.between(*fine_of(analyses, factor), THIRDS, setting_of(analyses, factor))
    for one, other in zip(made(analyses, TemporalNetwork(SMALL), factor), expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("std", [0.8, 1000.0])
def test_promises_hold_whatever_the_weights(grid, std):
    analyses = analyses_of(grid)
    analyses.before[2:4, 2:4] = 0
    setting, ends = setting_of(analyses), fine_of(analyses)
    untouched = flow.between(*ends, THIRDS, setting)
    carried = list(flow.carried_ends(*ends, THIRDS, setting))
    fields = between(*ends, THIRDS, setting, wild(std))
    for field, (first, last), even in zip(fields, carried, untouched, strict=True):
        assert field.dtype == np.float32
        assert (field >= 0).all()
        rounding = 1e-6 * np.maximum(first, last)
        assert (field >= np.minimum(first, last) - rounding).all()
        assert (field <= np.maximum(first, last) + rounding).all()
        assert np.abs(field / np.maximum(even, 0.1) - 1).max() > 0.01
        for row in np.flatnonzero(at_poles(setting.grid)):
            assert np.ptp(field[row]) == 0
            np.testing.assert_allclose(field[row], even[row], rtol=1e-6)


def test_over_the_sea_it_is_the_flow(network):
    assert land_share(SEA).max() == 0
    analyses = analyses_of(SEA)
    expected = flow.between(*fine_of(analyses), THIRDS, setting_of(analyses))
    for one, other in zip(made(analyses, network), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    analyses = analyses_of(GLOBE)
    sea = from_blocks(interpolate(land_share(GLOBE), GLOBE, 3, kernel=LINEAR, conserving=False), GLOBE) == 0
    for fraction, share in zip(THIRDS, progress(THIRDS, setting_of(analyses), network), strict=True):
        np.testing.assert_allclose(share[sea], fraction, rtol=1e-6)
        assert np.abs(share[~sea] - fraction).mean() > 0.02


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_constant_stays_constant(grid, network):
    constant, less = (np.full(grid.shape, value, np.float32) for value in (12.3, 7.0))
    setting = setting_of(Analyses(grid, constant, constant, less, less))
    fine = np.full(setting.grid.shape, 12.3, np.float32)
    for field in between(fine, fine, THIRDS, setting, network):
        np.testing.assert_array_equal(field, fine)


def test_doubling_doubles_but_for_epsilon(network):
    one, two = (made(analyses_of(TINY, gain=gain), network) for gain in (1e4, 2e4))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(b, 2 * a, rtol=1e-3)


@pytest.mark.parametrize("hours", [1.0, 3.0, 6.0, 2.5])
def test_the_share_rises_from_0_to_1(network, hours):
    fractions = [1e-6, *np.linspace(0, 1, 25)[1:-1], 1 - 1e-6]
    shares = np.stack(progress(fractions, setting_of(analyses_of(BOX), hours=hours), network))
    assert shares.shape == (25, 72, 90)
    assert (np.diff(shares, axis=0) >= 0).all()
    assert shares[0].min() >= 0
    assert shares[0].max() < 1e-4
    assert shares[-1].min() > 1 - 1e-4
    assert shares[-1].max() <= 1
    assert np.ptp(shares[12]) > 0.05


def test_an_interval_has_its_half_hours():
    assert middles_of(3).tolist() == [np.timedelta64(900 + 1800 * k, "s") for k in range(6)]
    assert middles_of(0.1).tolist() == [np.timedelta64(180, "s")]
    assert middles_of(6).size == 12


def test_turning_the_globe_and_the_clock_turns_what_is_seen(network):
    """A place further east is as far in its day at an earlier hour; and the network sees no more of a place than that."""
    columns, places = 15, np.broadcast_to(~at_poles(GLOBE)[:, None], GLOBE.shape)  # 45 degrees: 3 hours
    analyses = analyses_of(GLOBE)
    turned = Analyses(GLOBE, *(np.roll(getattr(analyses, name), columns, 1)
                               for name in ("before", "after", "earlier", "later")))  # fmt: skip
    one = situation(analyses, MORNING, 3, 0.05, places)
    other = situation(turned, MORNING - 3, 3, 0.05, places)
    shape = (GLOBE.rows - 2, GLOBE.columns)
    for name in set(Situation._fields) - {"land"}:
        first, second = (getattr(seen, name).reshape(*shape, -1) for seen in (one, other))
        apart = np.abs(np.roll(first, columns, 1) - second)
        if name == "hours":
            apart = np.minimum(apart, 24 - apart)
        assert apart.max() < 0.02, name  # the sun itself moves on a little in 3 hours
    everywhere = [seen._replace(land=np.ones_like(seen.land)) for seen in (one, other)]
    shares = [network(Situation(*map(torch.from_numpy, seen))).numpy().reshape(*shape, 6) for seen in everywhere]
    np.testing.assert_allclose(np.roll(shares[0], columns, 1), shares[1], atol=0.01)


def test_nights_are_even_and_days_are_not(network):
    even = torch.arange(1, 7) / 6
    for begin in (20, 22, 0, 1.5):
        shares = network(situation_of(hours=(begin + np.arange(6) / 2) % 24))[0]
        torch.testing.assert_close(shares, even)
    assert (network(situation_of())[0] - even).abs().max() > 0.02


def test_what_is_sudden_is_even_and_so_is_the_sea(network):
    even = torch.arange(1, 7) / 6
    for given in ({"change": 6.0}, {"change": -6.0}, {"land": 0.0}, {"land": 0.0, "earlier": 0.9, "later": -0.9}):
        torch.testing.assert_close(network(situation_of(**given))[0], even, atol=1e-4, rtol=0)


def test_the_analyses_beyond_are_seen_also_at_night(network):
    hours = (21 + np.arange(6) / 2) % 24
    plain, known = (network(situation_of(hours=hours, **given))[0] for given in ({}, {"earlier": 0.9, "later": -0.9}))
    assert (plain - known).abs().max() > 0.01


def test_the_analyses_beyond_count_where_they_are_known(network):
    """What is missing in them is as if there were none."""
    analyses = analyses_of(BOX)
    holed, half = analyses.earlier.copy(), np.full(BOX.shape, False)
    half[:, :15] = True
    holed[half] = np.nan
    alone, whole, partly, nowhere = (
        progress(THIRDS, setting_of(replace(analyses, earlier=one, later=None), 1), network)[0]
        for one in (None, analyses.earlier, holed, np.full_like(holed, np.nan))
    )
    np.testing.assert_array_equal(alone, nowhere)
    np.testing.assert_array_equal(partly, np.where(half, alone, whole))
    assert np.abs(whole - alone).max() > 0.01


def test_slopes_are_those_of_pchip():
    values = np.random.default_rng(1).gamma(2, 10, (4, 500))
    steeper = slopes_of(values[1], values[2], values[0], values[3])
    slopes = PchipInterpolator(np.arange(4.0), values).derivative()([1.0, 2.0])
    change = values[2] - values[1]
    for found, slope in zip(steeper, slopes, strict=True):
        np.testing.assert_allclose((1 + found) * change, slope, rtol=1e-4, atol=1e-5 * np.abs(change).max())
        assert np.abs(found).max() <= 1
        assert (found == -1).any()
        assert (found > 0.3).any()
    no_change = slopes_of(values[1], values[1], values[0], values[3])
    assert not np.any(no_change)
    assert not np.any(slopes_of(values[1], values[2], None, None))


def test_threads_do_not_change_the_result(network):
    before = torch.get_num_threads()
    analyses = analyses_of(GLOBE)
    try:
        results = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(np.stack(made(analyses, network)))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("lacking", ["start", "analyses"])
def test_it_must_know_when_and_what(network, lacking):
    analyses = analyses_of(TINY)
    with pytest.raises(InputError, match=r"must know the analyses and their time; wanted a Setting with both"):
        between(*fine_of(analyses), THIRDS, replace(setting_of(analyses), **{lacking: None}), network)


def test_weights_come_back(tmp_path, network):
    path = tmp_path / "temporal.safetensors"
    write_weights(path, network.state_dict(), {"kind": "progress", "architecture": asdict(SMALL)})
    analyses = analyses_of(TINY)
    np.testing.assert_array_equal(made(analyses, load(path)), made(analyses, network))


def test_a_row_on_a_pole_alone_is_a_pole():
    assert at_poles(Grid(90, 0, 3, 1, 120)).tolist() == [True]
    assert at_poles(Grid(-90, 0, 3, 1, 120)).tolist() == [True]
    assert at_poles(Grid(90, 0, 3, 61, 120)).tolist() == [True, *[False] * 59, True]


def test_those_that_ship_are_of_use_on_the_morning_of_a_place_they_know():
    """Hours between 6 and 12 by the sun at Kandy; the weights saw them, so this guards them, and proves nothing."""
    lessons = PlaceSampler(open_places(places_samples()[0]), 3).draw(20_000, np.random.default_rng(0))
    gone = load(PROGRESS_WEIGHTS)(Situation(*(torch.from_numpy(one) for one in lessons[: len(Situation._fields)])))
    shares = gone.numpy()[:, [1, 3]]
    morning = (lessons.hours[:, 0] > 6) & (lessons.hours[:, -1] < 12)

    def error(share):
        return np.abs(lessons.first + share * (lessons.last - lessons.first) - lessons.target)[morning].mean()

    assert morning.sum() > 1000
    assert error(shares) < 0.9 * error(np.array(THIRDS))


def test_the_method_is_the_network_with_its_weights():
    analyses, method = analyses_of(TINY), TEMPORAL["network"]
    expected = made(analyses, load(PROGRESS_WEIGHTS))
    np.testing.assert_array_equal(method.between(*fine_of(analyses), THIRDS, setting_of(analyses)), expected)
    assert (method.kind, method.context, method.weights) == ("progress", 1, PROGRESS_WEIGHTS)


def test_on_cams_itself_from_6_hours_to_3_it_is_better_than_linear_and_no_worse_than_the_flow():
    """18 UTC from 15 and 21, 21 UTC from 18 and 24: analyses that no temporal network has learned from."""
    cams = open_cams(cams_sample())
    grid, fields = Grid(90, 0, 0.75, 241, 480), cams.values
    squared, absolute = (dict.fromkeys(("linear", "flow", "network"), 0.0) for _ in range(2))
    for number in (1, 2):
        before, truth, after = fields[number - 1 : number + 2]
        start = cams["time"].values[number - 1].astype("datetime64[h]")
        setting = Setting(grid, 6.0, 0.05, start, Analyses(grid, before, after))
        for name in squared:
            (made,) = TEMPORAL[name].between(before, after, [0.5], setting)
            error = made.astype(np.float64) - truth
            squared[name] += float(grid.areas @ (error**2).sum(axis=1))
            absolute[name] += float(grid.areas @ np.abs(error).sum(axis=1))
    for errors in (squared, absolute):
        assert errors["network"] < errors["linear"]
        assert errors["network"] < errors["flow"]
