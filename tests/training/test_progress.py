"""The training of our temporal network: what it is shown, what it costs, and that nothing held out is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from deepcams.errors import InputError
from deepcams.grid import Grid, Region
from deepcams.sun import unequal_hours
from deepcams.temporal import flow
from deepcams.temporal.network import Architecture, Situation, TemporalNetwork
from deepcams.training.batches import batches, collate
from deepcams.training.config import parse_config
from deepcams.training.curriculum import gather
from deepcams.training.distributed import World
from deepcams.training.loop import Trainer
from deepcams.training.progress import LandSampler, ProgressObjective, every_hour
from deepcams.training.series import Series, Split
from deepcams.training.stages import stage_of

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = World(torch.device("cpu"))
EUROPE = Grid(55, 0, 0.25, 60, 72)
TIMES = np.datetime64("2021-06-01T00", "h") + np.arange(24)
SMALL = Architecture(harmonics=2, width=8)


def series(values=None, times=TIMES, grid=EUROPE, **options):
    """Hour i is i + 1 everywhere, if not said otherwise."""
    hours = np.arange(1.0, len(times) + 1)[:, None, None]
    values = np.broadcast_to(hours, (len(times), *grid.shape)) if values is None else values
    return Series("memory", grid, times, lambda i: np.array(values[i], np.float32), **options)


def sampler(one=None, **options):
    return LandSampler((one or series(),), **{"size": 8, "margin": 2, "count": 40, "gap": 3} | options)


@pytest.fixture
def places(tmp_path):
    """A file with a series at two places, in which the change is over within the first hour of day."""
    hours = np.arange(24 * 40)
    by_day = np.interp(hours % 24, [0, 3, 4, 13, 16, 24], [40, 42, 12, 10, 25, 40])
    values = by_day * (1 + 0.2 * np.random.default_rng(0).random((2, hours.size)))
    times = np.datetime64("2021-01-01T00", "ns") + hours * np.timedelta64(1, "h")
    xr.Dataset(
        {"pm2p5": (("station", "time"), values, {"units": "ug m-3"})},
        {"time": times, "latitude": ("station", [7.0, 10.0]), "longitude": ("station", [80.0, 60.0])},
        {"source": "the makers of the test", "middle_of_mean_hours": 0.5},
    ).to_netcdf(tmp_path / "places.nc")
    return tmp_path / "places.nc"


def settings(places, data, *, last=0.0, sampling=None, **training):
    quick = {"steps": 60, "batch": 2, "rate": 1e-2, "warm_up": 0, "validate_every": 60, "checkpoint_every": 60}
    return {
        "data": {"files": [str(data)], "places": [{"path": str(places)}]},
        "split": {"hold_out": [[90, 10, -90, 16]], "last": last},
        "sampling": {"size": 4, "margin": 2, "count": 64} | (sampling or {}),
        "network": {"kind": "progress", "harmonics": 2, "width": 8},
        "training": quick | training,
    }


def stage_for(places, data, **options):
    return stage_of(parse_config(settings(places, data, **options), "test"))


def random_network(std=0.5):
    torch.manual_seed(1)
    network = TemporalNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return network


def batch_of(sampler, size=3):
    return collate([sampler.draw(1, index)._asdict() for index in range(size)])


def test_the_hours_are_those_of_the_series():
    lessons = sampler().draw(1, 0)
    assert lessons.first.shape == lessons.last.shape == lessons.target.shape == lessons.weights.shape == (40, 2)
    assert lessons.hours.shape == (40, 6)
    assert all(np.isfinite(one).all() for one in lessons)
    np.testing.assert_allclose(lessons.last - lessons.first, 3, rtol=1e-6)
    np.testing.assert_allclose(lessons.target - lessons.first, np.broadcast_to([1, 2], (40, 2)), rtol=1e-6)
    assert (lessons.land > 0).all()
    assert lessons.weights.max() > 0


@pytest.mark.parametrize("middle", [0.0, 0.5])
def test_the_sun_is_that_of_the_window(middle):
    """Near Greenwich it is noon within an hour of 12 UTC."""
    for index in range(10):
        lessons = sampler(middle=middle).draw(1, index)
        hour = int(lessons.first[0, 0]) - 1
        moments = TIMES[0].astype("datetime64[m]") + 60 * hour + int(60 * middle) + 15 + 30 * np.arange(6)
        bounds = [unequal_hours(moments, latitude, longitude) for latitude in (40, 55) for longitude in (-1, 19)]
        apart = np.abs((np.array(bounds)[:, None] - lessons.hours + 12) % 24 - 12).min(axis=0)
        assert apart.max() < 1


def test_the_carried_ends_are_the_flow():
    """What is blended evenly is what the pipeline makes without the network."""
    random = np.random.default_rng(2)
    rows, columns = np.mgrid[:60, :72]
    plumes = [(random.uniform(5, 55), random.uniform(5, 67)) for _ in range(12)]
    values = np.stack([5 + sum(80 * np.exp(-((rows - y) ** 2 + (columns - x - hour) ** 2) / 40) for y, x in plumes)
                       for hour in range(6)])  # fmt: skip
    one = sampler(series(values, TIMES[:6]), size=14, margin=6)
    lessons = one.draw(1, 0)
    assert flow.has_flow(one.window(one.series[0], one.random(1, 0)))
    still = sampler(series(values, TIMES[:6]), size=10, margin=2).draw(1, 0)
    assert (np.abs(np.diff(lessons.first, axis=1)) > 1e-3).any()
    assert not np.diff(still.first, axis=1).any()  # fewer than 24 nodes: no flow


def test_a_draw_depends_on_seed_step_and_index_alone(places, data):
    stage = stage_for(places, data)
    windows = {"series": (series(),), "size": 4, "margin": 2, "seed": 3}
    draws = [stage.drawing(windows | {"seed": seed})(step, index)
             for seed, step, index in [(3, 5, 1), (3, 5, 1), (3, 6, 1), (3, 5, 2), (4, 5, 1)]]  # fmt: skip
    same = [all(np.array_equal(a, b) for a, b in zip(draws[0], one, strict=True)) for one in draws]
    assert same == [True, True, False, False, False]


def test_lessons_come_from_all_sources_and_know_more_or_less(places, data):
    draw = stage_for(places, data, sampling={"gridded": 3.0}).drawing({"series": (series(),), "size": 4, "margin": 2})
    lessons = [draw(1, index) for index in range(80)]
    assert {one.first.shape for one in lessons} == {(64, 2)}
    gridded = [bool((one.target % 1 == 0).all()) for one in lessons]
    assert np.mean(gridded) == pytest.approx(0.75, abs=0.12)
    for side in ("earlier", "later"):
        unknown = [
            (getattr(one, side) == 0).mean() for one, is_grid in zip(lessons, gridded, strict=True) if not is_grid
        ]
        assert np.mean(unknown) == pytest.approx(1 - 0.6 * 0.8, abs=0.1)
    only = stage_for(places, data, sampling={"gridded": 0.0}).drawing({"series": (series(),), "size": 4, "margin": 2})
    assert not any((only(1, index).target % 1 == 0).all() for index in range(20))


def test_what_is_held_out_is_not_looked_at():
    """Whatever stands in the held-out region, or in the last hours, the lessons are the same."""
    values = np.random.default_rng(0).gamma(2, 10, (24, 60, 72)).astype(np.float32)
    other = values.copy()
    other[18:] = 1e4
    split = Split(last=0.25)
    one, two = (sampler(series(some), split=split) for some in (values, other))
    for index in range(60):
        for first, second in zip(one.draw(1, index), two.draw(1, index), strict=True):
            np.testing.assert_array_equal(first, second)
    assert max(one.numbers[0]) == 14

    region = Region(90, 9, -90, 16)
    marked = np.where((EUROPE.longitude >= 9) & (EUROPE.longitude <= 16), np.float32(1e4), values)
    lessons = [sampler(series(marked), split=Split((region,))).draw(1, index) for index in range(60)]
    assert max(one.target[one.weights > 0].max() for one in lessons) < 1e3


def test_what_is_unknown_or_sea_does_not_count():
    values = np.array(np.broadcast_to(np.arange(1.0, 25.0)[:, None, None], (24, 60, 72)))
    values[:, 30:36, 20:26] = np.nan
    lessons = [sampler(series(values)).draw(1, index) for index in range(30)]
    for one in lessons:
        assert all(np.isfinite(part).all() for part in one)
        counted = one.weights > 0
        np.testing.assert_allclose((one.target - one.first - np.array([1, 2]))[counted], 0, atol=1e-4)
    ocean = Grid(-35, 240, 0.25, 60, 72)
    with pytest.raises(InputError, match="no window of 8 x 8 coarse cells"):
        sampler(series(grid=ocean)).draw(1, 0)


def test_hours_that_are_missing():
    times = np.delete(TIMES, [5, 21])
    one, numbers = series(times=times), np.arange(22)
    whole = every_hour(one, numbers, 3)
    assert whole.tolist() == [0, 1, *range(5, 17)]
    with pytest.raises(InputError, match="may be learned from"):
        sampler(series(times=TIMES[[0, 2, 3]]))


def test_the_stage_learns_from_whole_intervals(places, data):
    stage = stage_for(places, data)
    assert stage.learned(series(times=np.delete(TIMES, 5)), Split()).tolist() == [0, 1, *range(5, 20)]
    assert stage.learned(series(times=TIMES[[0, 2, 3]]), Split()).size == 0
    assert stage.further == (Path(places),)
    assert stage.credits == ("the makers of the test",)


def test_the_parts_of_a_batch_add_up():
    objective = ProgressObjective(random_network(), square=0.2, evenness=0.5)
    batch = batch_of(sampler(), 5)
    batch["weights"][1:3] *= 0.3
    total = float(batch["weights"].sum())
    parts = [objective({name: one[rank::2] for name, one in batch.items()}, total) for rank in range(2)]
    torch.testing.assert_close(sum(parts), objective(batch, total))


def test_the_loss_is_the_relative_error_at_whole_hours():
    """By hand: with an even network, of one place."""
    batch = {name: torch.zeros(1, 1) for name in ("change", "earlier", "later")}
    batch |= {name: torch.ones(1, 1) for name in set(Situation._fields) - set(batch) - {"hours"}}
    batch |= {
        "hours": torch.full((1, 1, 6), 12.0),
        "first": torch.full((1, 1, 2), 9.0),
        "last": torch.full((1, 1, 2), 21.0),
    }
    batch |= {"target": torch.tensor([[[13.0, 33.0]]]), "weights": torch.tensor([[[1.0, 2.0]]])}
    found = ProgressObjective(TemporalNetwork(SMALL), square=0.2, evenness=1.0)(batch, 3.0)
    assert float(found.detach()) == pytest.approx(2 * (1 + 0.2) / 3)  # 13 and 17 made, and 16 in the denominator


def test_every_parameter_learns():
    network = random_network()
    batch = batch_of(sampler(series(np.random.default_rng(0).gamma(2, 10, (24, 60, 72)))))
    ProgressObjective(network, 0.2, 0.0)(batch, float(batch["weights"].sum())).backward()
    # What is added to all parts of an interval is of no effect: the last bias of the slopes has nothing to learn.
    still = [name for name, one in network.named_parameters() if not one.grad.abs().max() > 1e-12]
    assert set(still) <= {"slopes.2.bias"}


def test_evenness_makes_rates_even():
    network = random_network()
    batch = batch_of(sampler())
    objective, optimiser = ProgressObjective(network, 0.2, 10.0), torch.optim.Adam(network.parameters(), 0.02)
    total = float(batch["weights"].sum())
    spreads = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = objective(batch, total)
        loss.backward()
        optimiser.step()
        spreads.append(float(loss.detach()))
    assert spreads[-1] < 0.2 * spreads[0]
    shares = network(Situation(*(batch[name] for name in Situation._fields)))
    assert (shares - torch.arange(1, 7) / 6).abs().mean() < 0.05


def test_it_overfits_a_rule_of_the_day(places, data, tmp_path):
    config = parse_config(settings(places, data, select="last", evenness=0.0, sampling={"gridded": 0.0}), "test")
    curriculum = gather(config)
    trainer = Trainer(config, curriculum, tmp_path, CPU, lambda count, loss: None, lambda text: None)
    batch = next(batches(curriculum.prepare, range(1, 2), 1, CPU, 1))
    total = float(batch["weights"].sum())
    losses = [trainer.step(batch, total).loss for _ in range(150)]
    assert min(losses[-5:]) < 0.75 * losses[0]


def test_the_network_is_judged_as_the_pipeline_uses_it(places, data):
    """An untrained one is the flow; and the time of day is that of the middle of the mean hours."""
    curriculum = gather(parse_config(settings(places, data), "test"))
    stage, (one, number) = curriculum.stage, curriculum.judged[0]
    interval = stage.whole(one, number, curriculum.split)
    np.testing.assert_allclose(stage.contender(stage.network())(interval), stage.baselines["flow"](interval), rtol=1e-5)
    morning = replace(interval, start=interval.start + np.timedelta64(7, "h"))
    early, late, same = (
        stage_for(places, data, sampling={"middle": middle}).contender(random_network())(one)
        for one, middle in ((morning, 0.0), (morning, 1.0), (replace(morning, start=morning.start + 1), 0.0))
    )
    assert np.abs(early - late).max() > 0.01
    np.testing.assert_array_equal(late, same)
