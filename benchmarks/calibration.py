"""What ``deepcams calibrate`` can and cannot learn, on constructed truth at the real AirNow sites.

    python benchmarks/calibration.py make FOLDER                 # five weeks of hourly maps at 0.25 degrees, 1 GB
    python benchmarks/calibration.py learn FOLDER STATIONS.parquet
    python benchmarks/calibration.py alternatives FOLDER STATIONS.parquet
    python benchmarks/calibration.py apply FOLDER                # speed and memory

The maps are the CAMS sample of 2019-12-31, moved by a slowly changing random flow and scaled by a slowly changing random
field and a daily cycle. Observations at the real sites are these maps times exp(a known bias) times noise. The bias has a
part that depends on what a correction knows (concentration, hour, altitude, latitude), and a part that depends on the
place alone, which nothing can teach for a region without stations.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from deepcams import open_cams
from deepcams.conventions import Product
from deepcams.extraction.extract import choose
from deepcams.grid import Grid
from deepcams.io.netcdf import netcdf_writer
from deepcams.io.results import open_results
from deepcams.orography import altitude
from deepcams.provenance import provenance
from deepcams.sample import cams_sample
from deepcams.stations.calibration import learn as learning
from deepcams.stations.calibration.features import EPSILON, NAMES
from deepcams.stations.calibration.folds import KINDS, blocks_of
from deepcams.stations.calibration.learn import SETTINGS, fit, learn, score
from deepcams.stations.calibration.model import load
from deepcams.stations.calibration.product import calibrate, plan
from deepcams.stations.calibration.samples import Samples, collect
from deepcams.stations.table import Observations, Stations
from deepcams.units import species_of

GRID = Grid(90, 0, 0.25, 721, 1440)
COARSE = Grid(90, 0, 0.75, 241, 480)
START = np.datetime64("2019-12-02T00", "h")
WEEKS = 5
HOURS = WEEKS * 168 + 1
KNOTS = 12  # hours between two random states
PLACE, SITE, NOISE, INSTRUMENT = 0.25, 0.15, 0.3, 1.0  # standard deviations: of logarithms, and of ug m-3


def smooth(generator, degrees, sigma, shape=(241, 480)):
    """A random field on the 0.75 degree grid with a length in degrees."""
    field = ndimage.gaussian_filter(generator.normal(size=shape), degrees / 0.75, mode=("nearest", "wrap"))
    return (field / field.std() * sigma).astype(np.float32)


def make(folder: Path) -> None:
    """Write the maps."""
    generator = np.random.default_rng(1)
    sample = open_cams(cams_sample()).values.mean(axis=0)
    states = HOURS // KNOTS + 2
    north, east, scale = (
        np.stack([smooth(generator, length, sigma) for _ in range(states)])
        for length, sigma in ((8, 3.0), (8, 5.0), (6, 0.45))
    )
    times = START + np.arange(HOURS)
    species = species_of("pm2p5", "ug m-3")
    product = Product(species, GRID, times, np.ones(HOURS, np.int8), provenance({"constructed": True}, []))
    rows, columns = np.meshgrid(np.arange(721) / 3, np.arange(1440) / 3, indexing="ij")
    longitude = GRID.longitude[None, :]

    def fine(field):
        wrapped = np.concatenate([field, field[:, :1]], axis=1)
        return ndimage.map_coordinates(wrapped, [rows, columns], order=1, mode="nearest")

    with netcdf_writer(folder / "maps.nc", product, keepbits=9, overwrite=True) as (write, _):
        for hour in range(HOURS):
            at, share = divmod(hour, KNOTS)
            share /= KNOTS
            weights = np.array([1 - share, share]) / np.hypot(1 - share, share)
            moved = [fine(np.tensordot(weights, one[at : at + 2], 1)) for one in (north, east)]
            wrapped = np.concatenate([sample, sample[:, :1]], axis=1)
            place = [rows + moved[0] / 0.75, (columns + moved[1] / 0.75) % 480]
            field = ndimage.map_coordinates(wrapped, place, order=1, mode="nearest")
            solar = 2 * np.pi * (hour + longitude / 15) / 24
            factor = np.exp(fine(np.tensordot(weights, scale[at : at + 2], 1)) + 0.2 * np.cos(solar))
            field = (field * factor).astype(np.float32)
            field[[0, -1]] = field[[0, -1]].mean(axis=1, keepdims=True)
            write(field)


def known_bias(field, hour, longitude, latitude, height):
    """The logarithm of observed over field, as far as it depends on what a correction knows."""
    solar = 2 * np.pi * (hour + longitude / 15) / 24
    by_level = 0.35 * np.tanh((np.log(10) - np.log(field + 1)) / 1.2)  # low values are too low, high ones too high
    by_hour = 0.25 * np.cos(solar - 0.6)
    by_height = -0.4 * np.minimum(height / 1500, 1.5)
    return by_level + by_hour + by_height + 0.3 * np.sin(np.deg2rad(3 * latitude))


def stations_of(path: Path) -> Stations:
    """The real sites, each once."""
    table = pd.read_parquet(path, columns=["AQSID", "Latitude", "Longitude"]).drop_duplicates("AQSID")
    table = table[np.isfinite(table.Latitude) & (table.Latitude != 0)]
    text = np.full(len(table), "", object)
    return Stations(table.AQSID.astype(str).to_numpy(object), text, text, table.Latitude.to_numpy(np.float64),
                    table.Longitude.to_numpy(np.float64), text, text, text, np.zeros(len(table), np.bool_))  # fmt: skip


def observe(folder: Path, path: Path):
    """Observations at the sites; and the best that could be known of them, with and without the place's own part."""
    generator = np.random.default_rng(2)
    stations = stations_of(path)
    results = open_results(folder / "maps.nc")
    row = np.round((90 - stations.latitude) / 0.25).astype(int)
    column = np.round(stations.longitude % 360 / 0.25).astype(int) % 1440
    height = altitude(GRID)[row, column]
    instants = np.concatenate([results.read(day)[:, row, column] for day in results.days()])
    field = (instants[1:] + instants[:-1]) / 2
    hours = np.arange(HOURS - 1)[:, None]
    bias = known_bias(field, hours + 0.5, stations.longitude, stations.latitude, height)
    own = smooth(generator, 5, PLACE)[row // 3, column // 3] + generator.normal(size=row.size) * SITE
    noise = np.empty_like(field)
    noise[0] = generator.normal(size=row.size)
    for k in range(1, len(noise)):
        noise[k] = 0.8 * noise[k - 1] + 0.6 * generator.normal(size=row.size)
    mean_noise = np.exp(NOISE**2 / 2)
    knowable = (field + EPSILON) * np.exp(bias) * mean_noise - EPSILON
    everything = (field + EPSILON) * np.exp(bias + own) * mean_noise - EPSILON
    value = (
        (field + EPSILON) * np.exp(bias + own + NOISE * noise)
        - EPSILON
        + INSTRUMENT * generator.normal(size=field.shape)
    )
    there = generator.random(field.shape) > 0.15
    hour, station = np.nonzero(there)
    observations = Observations(
        stations, station.astype(np.int32), (START + hour).astype("datetime64[m]"), np.full(hour.size, 60, np.int32),
        np.round(value[there], 1).astype(np.float32), np.zeros(hour.size, np.uint8),
    )  # fmt: skip
    known = pd.DataFrame({"cell": (row * 1440 + column)[station], "hour": hour, "knowable": knowable[there],
                          "everything": everything[there]})  # fmt: skip
    return results, observations, known.groupby(["cell", "hour"]).mean()


def line(name, one):
    print(f"{name:52} N {one.n:8d}  R {one.r:.3f}  RMSE {one.rmse:7.3f}  MAE {one.mae:6.3f}  bias {one.bias:+7.3f}")


def sampled(folder: Path, path: Path):
    """The samples, and beside them what a correction that knew the bias, or all of it, would give."""
    results, observations, known = observe(folder, path)
    began = time.monotonic()
    samples = kept(folder / "samples.npz", lambda: collect(results, observations, seed=1))
    print(f"{samples.size} samples at {samples.latitude.size} cells in {time.monotonic() - began:.1f} s")
    cell = np.round((90 - samples.latitude) * 4) * 1440 + np.round(samples.longitude % 360 * 4) % 1440
    hour = (samples.begin - START) // np.timedelta64(1, "h")
    beside = known.loc[pd.MultiIndex.from_arrays([cell[samples.site].astype(int), hour])]
    line("uncalibrated", score(samples.observed, samples.field))
    for name, column in (
        ("bias known, but not that of places", "knowable"),
        ("all of the bias known: noise", "everything"),
    ):
        line(name, score(samples.observed, np.maximum(beside[column].to_numpy(np.float32), 0)))
    return results, samples


def kept(path: Path, make) -> Samples:
    """What was made by an earlier run, or now."""
    if not path.exists():
        made = make()
        np.savez(path, **{one.name: getattr(made, one.name) for one in fields(Samples)})
    with np.load(path) as content:
        return Samples(**content)


def show(trials):
    for trial in trials:
        if trial.before is None:
            print(f"{trial.kind}: not done, {trial.why_not}")
            continue
        line(f"{trial.kind} left out: uncalibrated", trial.before)
        line(f"{trial.kind} left out: calibrated", trial.after)


def run_learn(folder: Path, path: Path) -> None:
    """Held-out scores, and the model."""
    results, samples = sampled(folder, path)
    began = time.monotonic()
    learned = learn(samples, results.grid.step, {"settings": results.attributes["deepcams_settings"]}, threads=2)
    print(
        f"learned in {time.monotonic() - began:.1f} s, limits {learned.correction.limits}, {learned.correction.smearing:+.4f}"
    )
    show(learned.trials)
    line(
        "learned from (not a proof)",
        score(samples.observed, learned.correction.correct(samples.field, samples.features)),
    )
    fold = np.random.default_rng(0).integers(0, 5, samples.size)
    line("random fifths left out (optimistic)", judged(samples, [(fold == k, fold != k) for k in range(5)]))
    path = folder / "model.txt"
    learned.correction.save(path, overwrite=True)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def judged(samples, folds, make=fit, **options):
    """The scores over folds of a correction made in another way."""
    which, after = [], []
    for test, train in folds:
        one = make(samples.take(train), 0.25, {}, **options)
        which.append(np.flatnonzero(test))
        after.append(one.correct(samples.field[test], samples.features[test]))
    return score(samples.observed[np.concatenate(which)], np.concatenate(after))


def without(*names):
    """A way to fit that is blind to some features."""

    def make(samples, *rest, **options):
        features = samples.features.copy()
        features[:, [NAMES.index(name) for name in names]] = 0
        return fit(type(samples)(samples.latitude, samples.longitude, samples.site, samples.begin, features, samples.field,
                                 samples.observed), *rest, **options)  # fmt: skip

    return make


def alternatives(folder: Path, path: Path) -> None:
    """Other losses, sizes and features, with regions and periods left out."""
    _, samples = sampled(folder, path)
    samples = samples.take(np.flatnonzero(np.random.default_rng(3).random(samples.size) < 0.2))
    blocks = blocks_of(samples.latitude, samples.longitude, samples.site, samples.begin, learning.SEED)
    for kind in KINDS[::2]:
        folds = [(fold.test, fold.train) for fold in blocks.folds(kind, samples.site)]
        which = np.concatenate([np.flatnonzero(test) for test, _ in folds])
        line(f"{kind}: uncalibrated", score(samples.observed[which], samples.field[which]))
        line(f"{kind}: as shipped", judged(samples, folds))
        for name, options in {
            "absolute error": {"settings": {**SETTINGS, "objective": "regression_l1"}},
            "Huber": {"settings": {**SETTINGS, "objective": "huber", "alpha": 0.5}},
            "gamma of the ratio": {"settings": {**SETTINGS, "objective": "gamma"}, "make": gamma},
            "15 leaves": {"settings": {**SETTINGS, "num_leaves": 15}},
            "63 leaves": {"settings": {**SETTINGS, "num_leaves": 63}},
            "300 trees": {"trees": 300},
            "75 trees": {"trees": 75},
            "without longitude": {"make": without("longitude_sin", "longitude_cos")},
            "without latitude and longitude": {"make": without("latitude", "longitude_sin", "longitude_cos")},
            "without surroundings": {"make": without(*NAMES[1:6])},
            "without smearing": {"make": unsmeared},
        }.items():
            line(f"{kind}: {name}", judged(samples, folds, **options))


def unsmeared(samples, *rest, **options):
    one = fit(samples, *rest, **options)
    return type(one)(one.trees, 0.0, one.limits, one.step, one.facts, one.sites)


def gamma(samples, step, facts, *, settings):
    """A gamma regression of the ratio, weighted with the field: no smearing is needed."""
    import lightgbm

    from deepcams.stations.calibration.model import Correction
    from deepcams.stations.calibration.trees import plain_trees

    wanted, limits = learning._target(samples)
    data = lightgbm.Dataset(samples.features, np.exp(wanted))
    booster = lightgbm.train({**settings, "seed": 1, "num_threads": 1}, data, num_boost_round=150)
    text = plain_trees(booster.model_to_string().replace("objective=gamma\n", "objective=regression\n"), len(NAMES))
    return Correction(text, 0.0, limits, step, facts, np.zeros((1, 2)))


def apply(folder: Path) -> None:
    """A day of the globe."""
    extract = choose(open_results(folder / "maps.nc"), START, START + 23)
    for workers in (1, 2):
        planned = plan(extract, folder / "calibrated.nc", overwrite=True)
        done = calibrate(planned, load(folder / "model.txt"), workers=workers)
        print(f"{workers} workers: {done.seconds / done.hours:.2f} s per global hour at 0.25 degrees")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    {"make": make, "learn": run_learn, "alternatives": alternatives, "apply": apply}[what](*map(Path, paths))
