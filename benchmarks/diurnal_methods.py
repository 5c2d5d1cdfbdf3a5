"""Ways from every third hour to the ones between at a point, some of them fitted; the parts of diurnal.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcams.layers.inference import one_thread
from deepcams.sun import noon_height, unequal_hours
from deepcams.temporal.network import LOW, Situation, TemporalNetwork, change_of, load, middles_of, slopes_of
from deepcams.units import EPSILON

Array = NDArray[Any]  # float64 throughout
SEASONS = ("DJF", "MAM", "JJA", "SON")


@dataclass(frozen=True)
class Place:
    """Where points are, and when their values are.

    Attributes:
        longitude: (points,) degrees.
        latitude: (points,) degrees.
        land: (points,) share of land, 0 to 1.
        late: hours from the stamp of a value to its middle.
    """

    longitude: Array
    latitude: Array
    land: Array
    late: float = 0.0

    def solar_hour(self, hour: Array) -> Array:
        """(n, points) mean local solar time, not wrapped, from the hours (n,) of the stamps."""
        return np.asarray(hour[:, None] + self.late + self.longitude / 15)


@dataclass(frozen=True)
class Series:
    """Values (times, points), equally spaced in time, and where and when they are."""

    name: str
    time: NDArray[np.datetime64]
    values: Array
    place: Place

    @property
    def spacing(self) -> int:
        """Hours from one time to the next."""
        return int((self.time[1] - self.time[0]) / np.timedelta64(1, "h"))

    def every(self, step: int) -> Series:
        """Only each so many-th time."""
        return replace(self, time=self.time[::step], values=self.values[::step])


@dataclass(frozen=True)
class Cases:
    """Hours to be predicted, and what is given around them.

    Attributes:
        around: (2 reach, n, points) the given values before and after, in order.
        fraction: (n, 1) of the interval.
        truth: (n, points).
        time: (n,).
        place: where and when.
        interval: hours from one given value to the next.
    """

    around: Array
    fraction: Array
    truth: Array
    time: NDArray[np.datetime64]
    place: Place
    interval: float

    def only(self, chosen: NDArray[np.bool_]) -> Cases:
        """Some of the cases."""
        return replace(self, around=self.around[:, chosen], fraction=self.fraction[chosen], truth=self.truth[chosen],
                       time=self.time[chosen])  # fmt: skip

    @property
    def four(self) -> Array:
        """(4, n, points) the two values before and the two after."""
        middle = len(self.around) // 2
        return self.around[middle - 2 : middle + 2]

    @property
    def linear(self) -> Array:
        """Linear interpolation."""
        return (1 - self.fraction) * self.four[1] + self.fraction * self.four[2]

    @property
    def curvature(self) -> Array:
        """What the cubic through the outer values adds to linear interpolation."""
        return cubic(self.four, self.fraction) - self.linear

    @property
    def monotone(self) -> Array:
        """What the monotone cubic of Fritsch and Butland through the four values adds to linear interpolation."""
        return pchip(self.four, self.fraction) - self.linear

    @property
    def departure(self) -> Array:
        """What linear interpolation misses."""
        return self.truth - self.linear

    @property
    def hour(self) -> NDArray[np.int64]:
        """(n,) UTC."""
        return (self.time - self.time.astype("datetime64[D]")).astype("timedelta64[h]").astype(np.int64)

    @property
    def solar_hour(self) -> Array:
        """(n, points) mean local solar time."""
        return self.place.solar_hour(self.hour) % 24

    @property
    def season(self) -> NDArray[np.int64]:
        """(n,) index in SEASONS."""
        return (self.time.astype("datetime64[M]").astype(np.int64) + 1) % 12 // 3

    @property
    def fold(self) -> NDArray[np.int64]:
        """(n,) year, or day where there is only one year: what is left out together."""
        years = self.time.astype("datetime64[Y]").astype(np.int64)
        return years if np.ptp(years) else self.time.astype("datetime64[D]").astype(np.int64)


Predict = Callable[[Cases], Array]
Fit = Callable[[Cases], Predict]


def cases(series: Series, step: int, phase: int, reach: int) -> Cases:
    """The cases of a series of which each ``step``-th value is given, from ``phase`` on."""
    values, given = series.values, np.arange(phase, len(series.time), step)
    given = given[reach - 1 : len(given) - reach]
    around = np.stack([values[given + offset * step] for offset in range(1 - reach, 1 + reach)])
    parts = range(1, step)
    return Cases(
        np.concatenate([around] * len(parts), 1),
        np.repeat([part / step for part in parts], len(given))[:, None],
        np.concatenate([values[given + part] for part in parts]),
        np.concatenate([series.time[given + part] for part in parts]),
        series.place,
        step * series.spacing,
    )


def phases(series: Series, step: int, reach: int) -> list[Cases]:
    """The cases for every choice of the first given value."""
    return [cases(series, step, phase, reach) for phase in range(step)]


def cubic(four: Sequence[Array] | Array, t: Array) -> Array:
    """The Catmull-Rom cubic between the second and the third of four values."""
    a, b, c, d = four
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def log_linear(one: Cases) -> Array:
    """Linear interpolation of the logarithm."""
    logs = np.log(one.four + EPSILON)
    return np.exp((1 - one.fraction) * logs[1] + one.fraction * logs[2]) - EPSILON


def pchip(four: Sequence[Array] | Array, t: Array) -> Array:
    """The monotone cubic of Fritsch and Butland between the second and the third of four values."""
    a, b, c, d = four
    first, middle, last = b - a, c - b, d - c
    start, end = (
        np.where(x * y > 0, 2 * x * y / np.where(x * y > 0, x + y, 1), 0) for x, y in ((first, middle), (middle, last))
    )
    return b + t * (start + t * (3 * middle - 2 * start - end + t * (start + end - 2 * middle)))


def limited(one: Cases) -> Array:
    """The cubic within the range of the two ends."""
    return np.clip(cubic(one.four, one.fraction), one.four[1:3].min(0), one.four[1:3].max(0))


def curved(share: float) -> Fit:
    """A share of the curvature, the same everywhere."""
    return lambda train: lambda one: one.linear + share * one.curvature


def eased(share: float) -> Fit:
    """A share of the monotone cubic's departure from linear, the same everywhere."""
    return lambda train: lambda one: one.linear + share * one.monotone


def plain(predict: Predict) -> Fit:
    """A method that needs no fit."""
    return lambda train: predict


def median_share(addition: Array, departure: Array) -> float:
    """The share of an addition to linear interpolation with the least absolute error: a weighted median of ratios."""
    used = np.abs(addition) > 1e-9
    ratio, weight = departure[used] / addition[used], np.abs(addition[used])
    order = np.argsort(ratio)
    total = np.cumsum(weight[order])
    return float(ratio[order][np.searchsorted(total, total[-1] / 2)])


def square_share(addition: Array, departure: Array) -> float:
    """The share of an addition to linear interpolation with the least squared error."""
    return float((addition * departure).sum() / (addition**2).sum())


def regression(features: Callable[[Cases], Array], key: Callable[[Cases], Array], penalty: float = 1e-6) -> Fit:
    """Ridge regression of the departure from linear on features (k, n, points), for each value of a key (n,)."""

    def fit(train: Cases) -> Predict:
        departure, keys, found = train.departure, key(train), {}
        inputs = features(train)
        for value in np.unique(keys):
            x, y = inputs[:, keys == value].reshape(len(inputs), -1), departure[keys == value].ravel()
            size = np.sqrt((x**2).mean(1)) + 1e-12
            gram = (x / size[:, None]) @ (x / size[:, None]).T + penalty * y.size * np.eye(len(x))
            found[value] = np.linalg.solve(gram, (x / size[:, None]) @ y) / size

        def predict(one: Cases) -> Array:
            none = np.zeros(len(inputs))
            weights = np.stack([found.get(value, none) for value in key(one)], 1)
            return np.asarray(one.linear + (weights[..., None] * features(one)).sum(0))

        return predict

    return fit


def by_season(one: Cases) -> Array:
    """One value for each hour of the day in each season."""
    return one.season * 100.0 + one.hour


def everything(one: Cases) -> Array:
    """All that is known: the logarithms of all given values, by season, in proportion to the concentration."""
    base = one.linear
    logs = np.log((one.around + EPSILON) / (base + EPSILON))
    terms = [*logs, np.log(base + EPSILON), np.ones_like(base)]
    year = 2 * np.pi * (one.time - one.time.astype("datetime64[Y]")).astype("timedelta64[h]").astype(float) / 8766
    waves = [np.ones_like(year), np.cos(year), np.sin(year), np.cos(2 * year), np.sin(2 * year)]
    return np.stack([base * term * wave[:, None] for term in terms for wave in waves])


def everything_bent(one: Cases) -> Array:
    """The same and 200 fixed random waves of it: what a smooth function of any shape could add."""
    base, draws = one.linear, np.random.default_rng(0)
    logs = np.log((one.around + EPSILON) / (base + EPSILON)).clip(-3, 3) / 0.5
    year = (
        2 * np.pi * (one.time - one.time.astype("datetime64[Y]")).astype("timedelta64[h]").astype(float)[:, None] / 8766
    )
    inputs = np.stack([*logs, np.log(base + EPSILON) / 0.7, np.cos(year) + 0 * base, np.sin(year) + 0 * base], -1)
    bent = np.cos(inputs @ draws.normal(0, 0.35, (inputs.shape[-1], 200)) + draws.uniform(0, 2 * np.pi, 200))
    return np.concatenate([everything(one), base * np.moveaxis(bent, -1, 0)])


def ours(even: Path, odd: Path) -> dict[str, Fit]:
    """Our network with four analyses and with two; each year by weights that have learned from years of the other kind.

    Args:
        even: weights that have learned from even years at most.
        odd: from odd years at most. The same file twice where the weights have not learned from the place at all.
    """
    networks = load(odd), load(even)

    def predict(outer: bool) -> Fit:
        def by_year(one: Cases) -> Array:
            kind, result = one.time.astype("datetime64[Y]").astype(np.int64) % 2, np.empty_like(one.truth)
            for year in np.unique(kind):
                result[kind == year] = _paced(one.only(kind == year), networks[year], outer)
            return result

        return plain(by_year)

    return {OURS: predict(True), OURS_TWO: predict(False)}


def _paced(one: Cases, network: TemporalNetwork, outer: bool) -> Array:
    """From one given value to the next at the pace that our network finds, with or without the values beyond them."""
    earlier, before, after, later = one.four
    gone_by = (one.fraction[:, 0] * one.interval + 1e-6).astype("timedelta64[h]")
    start = (one.time - gone_by).astype("datetime64[s]") + np.timedelta64(round(3600 * one.place.late), "s")
    moments = start[:, None] + middles_of(one.interval)
    hours = unequal_hours(moments[:, None], one.place.latitude[:, None], one.place.longitude[:, None])
    noon, land = noon_height(moments[:, :1], one.place.latitude), np.broadcast_to(one.place.land, before.shape)
    slopes = slopes_of(before, after, *((earlier, later) if outer else (None, None)))
    seen = hours, change_of(before, after, LOW * EPSILON), *slopes, land, noon
    with one_thread(), torch.inference_mode():
        gone = network(Situation(*(torch.from_numpy(np.array(each, np.float32)) for each in seen))).numpy()
    part = np.round(one.fraction * gone.shape[-1]).astype(np.int64) - 1
    return np.asarray(before + np.take_along_axis(gone, part[..., None], -1)[..., 0] * (after - before))


LINEAR, EASED = "linear (`fast` at a point)", "monotone cubic, three quarters"
OURS, OURS_TWO = "ours (`deepcams` at a point)", "ours, without the analyses beyond"
CLOCK, RIDGE = "clock and cubic", "all that is known (ridge)"
METHODS: dict[str, Fit] = {
    "nearest hour": plain(lambda one: np.where(one.fraction <= 0.5, one.four[1], one.four[2])),
    LINEAR: plain(lambda one: one.linear),
    "linear in the logarithm": plain(log_linear),
    "cubic (Catmull-Rom)": curved(1.0),
    "cubic in the logarithm": plain(lambda one: np.exp(cubic(np.log(one.four + EPSILON), one.fraction)) - EPSILON),
    "cubic, limited to the ends": plain(limited),
    "cubic, half": curved(0.5),
    "cubic, share fitted (squares)": lambda train: curved(square_share(train.curvature, train.departure))(train),
    "cubic, share fitted (absolute)": lambda train: curved(median_share(train.curvature, train.departure))(train),
    "monotone cubic (PCHIP)": eased(1.0),
    EASED: eased(0.75),
    "clock: hour": regression(lambda one: one.linear[None], lambda one: one.hour),
    "clock: hour, season": regression(lambda one: one.linear[None], by_season),
    CLOCK: regression(lambda one: np.stack([one.linear, one.curvature]), by_season),
    RIDGE: regression(everything, lambda one: one.hour, 3e-3),
}
FLEXIBLE = {"the same, and random waves of it": regression(everything_bent, lambda one: one.hour, 3e-2)}  # slow


def held_out(one: Cases, fit: Fit) -> Array:
    """Predictions of each fold from a fit on the others; never negative."""
    result = np.empty_like(one.truth)
    for fold in np.unique(one.fold):
        left = one.fold == fold
        result[left] = fit(one.only(~left))(one.only(left))
    return np.maximum(result, 0)


def errors(made: Array, truth: Array) -> tuple[float, float]:
    """RMSE and MAE."""
    return float(np.sqrt(np.mean((made - truth) ** 2))), float(np.mean(np.abs(made - truth)))


def waves(hour: Array, count: int) -> Array:
    """(..., 2 count) harmonics of the day."""
    angle = 2 * np.pi * hour[..., None] / 24 * np.arange(1, count + 1)
    return np.concatenate([np.cos(angle), np.sin(angle)], -1)


def clock(series: Series, used: NDArray[np.bool_]) -> Array:
    """The mean day of a place as harmonics of solar time, relative to running means of 24 hours."""
    day = 24 // series.spacing
    kernel = np.r_[0.5, np.ones(day - 1), 0.5] / day
    edges = np.pad(series.values, [(day // 2, day // 2), (0, 0)], mode="edge")
    mean = np.stack([np.convolve(one, kernel, "valid") for one in edges.T], 1)[used]
    hour = (series.time - series.time.astype("datetime64[D]")).astype("timedelta64[h]").astype(float)
    basis = waves(series.place.solar_hour(hour[used]), 3 if series.spacing > 1 else 6)
    x = (basis * mean[..., None]).reshape(-1, basis.shape[-1])
    return np.asarray(np.linalg.solve(x.T @ x, x.T @ (series.values[used] - mean).ravel()))


def by_clock(one: Cases, curve: Array, strength: float) -> Array:
    """Linear interpolation, and a share of the relative departure that the mean day of some place has from linear."""
    t = one.fraction
    moments = (one.solar_hour, one.solar_hour - t * one.interval, one.solar_hour + (1 - t) * one.interval)
    now, before, after = (1 + waves(hour, len(curve) // 2) @ curve for hour in moments)
    departure = now / np.maximum((1 - t) * before + t * after, 0.1) - 1
    return np.maximum(one.linear * (1 + strength * departure), 0)
