"""What interpolation between analyses can and cannot recover of the hours between, from public hourly series.

    python benchmarks/diurnal.py --point kandy.csv.gz --fields naqfc.npz --optical-depth merra2.nc \\
        --cities milan.nc sofia.nc piraeus.nc --weights even.safetensors odd.safetensors --figure diurnal.png

Every number of docs/diurnal.md, and its figure. ``--point``: time and PM2.5, hourly means stamped at their beginning, one
line each below a header. ``--weights``: our temporal network, trained without the odd years of the point, and without the
even ones; without them it is left out there. At the other places the weights that ship are used: they have not seen them.
``--fields``: ``data`` (hours, rows, columns), ``extent`` (west, east, south, north) and ``start_date``. The others are
NetCDF files as their publishers give them. A new method for points goes into ``METHODS`` of
diurnal_methods.py, one for fields into ``FIELD_METHODS``.

Every third hour is given (of the cities every second analysis, six hours apart) and the ones between are predicted, for
every choice of the first hour. What is fitted is fitted on other years than it is scored on, or other days.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from diurnal_figure import draw
from diurnal_methods import (
    CLOCK,
    EASED,
    FLEXIBLE,
    LINEAR,
    METHODS,
    OURS,
    RIDGE,
    SEASONS,
    Array,
    Cases,
    Fit,
    Place,
    Series,
    by_clock,
    clock,
    cubic,
    errors,
    held_out,
    median_share,
    ours,
    pchip,
    phases,
    square_share,
)  # fmt: skip
from numpy.typing import NDArray

from deepcams.grid import Grid
from deepcams.land import land_share
from deepcams.plot.figures import check_picture
from deepcams.temporal import flow, linear, network
from deepcams.temporal.setting import Analyses, Setting
from deepcams.units import EPSILON
from deepcams.weights import PROGRESS_WEIGHTS

EPSILON_OPTICAL = 0.002
EIGHTHS = [f"{hour}-{hour + 3} h" for hour in range(0, 24, 3)]
KANDY = (7.29, 80.63)  # degrees north and east
CAMS_STEP, MERRA_STEP = 0.75, 0.5  # degrees


def against(made: Array, base: Array, truth: Array, digits: int = 1) -> str:
    """Change of RMSE and MAE against a base, per cent."""
    pairs = zip(errors(made, truth), errors(base, truth), strict=True)
    return " / ".join(f"{100 * (new / old - 1):+.{digits}f}" for new, old in pairs)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"


def pooled(parts: Sequence[Array]) -> Array:
    """The values of several phases in one row."""
    return np.concatenate([part.ravel() for part in parts])


# --- at points -------------------------------------------------------------------------------------------------------


def score_points(ones: Sequence[Cases], methods: dict[str, Fit]) -> tuple[str, dict[str, list[Array]]]:
    """A table of all methods, and what they predicted for each phase."""
    made = {name: [held_out(one, fit) for one in ones] for name, fit in methods.items()}
    truth, base = pooled([one.truth for one in ones]), pooled(made[LINEAR])
    spread = np.sum((truth - base) ** 2)
    rows = []
    for name, parts in made.items():
        rmse, mae = errors(pooled(parts), truth)
        share = 1 - np.sum((pooled(parts) - truth) ** 2) / spread
        each = [errors(part, one.truth)[0] for part, one in zip(parts, ones, strict=True)]
        shares = [1 - (new / errors(one.linear, one.truth)[0]) ** 2 for new, one in zip(each, ones, strict=True)]
        by_phase = ", ".join(f"{new:.2f} ({100 * part:.0f} %)" for new, part in zip(each, shares, strict=True))
        rows.append([name, f"{rmse:.2f} / {mae:.2f}", f"{100 * share:.0f} %", by_phase])
    return table(["method", "RMSE / MAE", "recovered", "RMSE (recovered) by phase"], rows) + left(ones, made), made


def left(ones: Sequence[Cases], made: dict[str, list[Array]]) -> str:
    """What the best of all methods leaves, overall and for each phase."""
    squares = {name: [np.sum((part - one.truth) ** 2) for part, one in zip(parts, ones, strict=True)]
               for name, parts in made.items()}  # fmt: skip
    best, base = min(squares, key=lambda name: sum(squares[name])), squares[LINEAR]
    rmse = np.sqrt(sum(squares[best]) / sum(one.truth.size for one in ones))
    by_phase = ", ".join(f"{100 * new / old:.0f}" for new, old in zip(squares[best], base, strict=True))
    whole = f"{100 * sum(squares[best]) / sum(base):.0f} % of linear's squared error ({by_phase} by phase)"
    return f"\nThe best, {best}, leaves an RMSE of {rmse:.2f}, {whole}.\n"


def by_group(ones: Sequence[Cases], made: dict[str, list[Array]], groups: Sequence[Array], names: Sequence[str]) -> str:
    """Bias and RMSE of linear, and what others recover (and their bias), by group of the cases."""
    truth, group = pooled([one.truth for one in ones]), pooled(groups)
    others = [name for name in (EASED, OURS, CLOCK, RIDGE) if name in made]
    rows = []
    for index, name in enumerate(names):
        here = group == index
        if not here.any():
            continue
        base = pooled(made[LINEAR])[here] - truth[here]
        misses = [pooled(made[other])[here] - truth[here] for other in others]
        shares = [1 - np.sum(miss**2) / np.sum(base**2) for miss in misses]
        cells = [f"{100 * share:.0f} % ({miss.mean():+.1f})" for share, miss in zip(shares, misses, strict=True)]
        linear_ones = f"{truth[here].mean():.1f}", f"{base.mean():+.2f}", f"{np.sqrt(np.mean(base**2)):.2f}"
        rows.append([name, *linear_ones, *cells])
    return table(["", "mean", "bias of linear", "RMSE of linear", *others], rows)


def shape_of_days(series: Series, ones: Sequence[Cases], made: dict[str, list[Array]]) -> str:
    """What is lost of daily ranges, of peaks that lie between, and of hourly changes, by season; one point."""
    ahead = float(series.place.solar_hour(np.zeros(1))[0, 0])
    shift, truth = np.timedelta64(round(ahead), "h"), series.values[:, 0]
    lost = {}
    for name in (name for name in (LINEAR, EASED, OURS, RIDGE) if name in made):
        kept = []
        for one, part in zip(ones, made[name], strict=True):
            whole, between = truth.copy(), np.searchsorted(series.time, one.time)
            whole[between] = part[:, 0]
            kept.append(_shapes(whole, truth, np.isin(np.arange(len(truth)), between), series.time + shift))
        lost[name] = np.mean(kept, axis=0)
    rows = [
        [season, *(f"{100 * lost[name][measure, index]:+.1f} %" for measure in range(3) for name in lost)]
        for index, season in enumerate(SEASONS)
    ]
    return table(["", *(f"{what}, {name}" for what in ("range", "peak", "change") for name in lost)], rows)


def _shapes(made: Array, truth: Array, between: Array, time: NDArray[np.datetime64]) -> Array:
    """(3, seasons) relative change of daily range, of the day's highest hour if it was not given, of hourly changes."""
    start = int(np.argmax(time == time.astype("datetime64[D]")))
    days = slice(start, start + (len(truth) - start) // 24 * 24)
    made, truth, between = (values[days].reshape(-1, 24) for values in (made, truth, between))
    season = (time[days][::24].astype("datetime64[M]").astype(int) + 1) % 12 // 3
    highest = np.arange(len(truth)), truth.argmax(1)
    pairs = [[np.ptp(x, axis=1), np.where(between[highest], x[highest], 0), np.mean(np.diff(x, axis=1) ** 2, axis=1)]
             for x in (made, truth)]  # fmt: skip
    sums = np.array([[[measure[season == index].sum() for index in range(4)] for measure in one] for one in pairs])
    sums[:, 2] = np.sqrt(sums[:, 2])
    return np.asarray(sums[0] / sums[1] - 1)


# --- from one place to another ---------------------------------------------------------------------------------------


def share_row(name: str, ones: Sequence[Cases], addition: str) -> list[str]:
    """What fixed shares of a cubic's departure from linear do to a data set, and which share would be best there."""
    truth, base = pooled([one.truth for one in ones]), pooled([one.linear for one in ones])
    added = pooled([getattr(one, addition) for one in ones])
    tried = (against(np.maximum(base + share * added, 0), base, truth) for share in (0.25, 0.5, 0.75, 1.0))
    return [name, *tried, *(f"{best(added, truth - base):.2f}" for best in (square_share, median_share))]


def transfer(source: Series, target: Series, step: int, strength: float) -> tuple[Array, Array, Array]:
    """Predictions, linear and truth of a target by the clock of a source; of the same place, by its other years."""
    made, ones = [], phases(target, step, 2)
    fold = replace(ones[0], time=source.time).fold
    for one in ones:
        result = np.empty_like(one.truth)
        for left in np.unique(one.fold) if source.name == target.name else (None,):
            chosen = one.fold == left if left is not None else np.ones(len(one.time), bool)
            result[chosen] = by_clock(one.only(chosen), clock(source, fold != left), strength)
        made.append(result)
    return pooled(made), pooled([one.linear for one in ones]), pooled([one.truth for one in ones])


def transfers(places: Sequence[tuple[Series, int]], strength: float) -> list[list[str]]:
    """Rows: where the clock was learned; columns: where it was used."""
    return [
        [source.name, *(against(*transfer(source, target, step, strength)) for target, step in places)]
        for source, _ in places
    ]


# --- fields ----------------------------------------------------------------------------------------------------------

Field = NDArray[np.float32]
FieldMethod = Callable[[NDArray[np.float32], Sequence[float], Setting], list[Field]]  # of four given fields
FIELD_METHODS: dict[str, FieldMethod] = {
    "linear": lambda four, fractions, setting: linear.between(four[1], four[2], fractions, setting),
    "flow (`fast`)": lambda four, fractions, setting: flow.between(four[1], four[2], fractions, setting),
    "ours (`deepcams`)": lambda four, fractions, setting: by_network(four, fractions, setting, outer=True),
    "ours, without the analyses beyond": lambda four, fractions, setting: by_network(
        four, fractions, setting, outer=False
    ),
}


def by_network(four: NDArray[np.float32], fractions: Sequence[float], setting: Setting, outer: bool) -> list[Field]:
    """Our network upon the flow, with or without the outer two of the four given fields."""
    beyond = (four[0], four[3]) if outer else (None, None)
    shown = replace(setting, analyses=Analyses(setting.grid, four[1], four[2], *beyond))
    return network.between(four[1], four[2], fractions, shown, network.load(PROGRESS_WEIGHTS))


def windows(series: Series, shape: tuple[int, int], step: int) -> Iterator[tuple[NDArray[np.float32], Array]]:
    """Four given fields (4, rows, columns) and the ones between the inner two, of all phases."""
    fields = series.values.reshape(-1, *shape)
    for start in range(len(fields) - 3 * step):
        yield (
            fields[start : start + 3 * step + 1 : step].astype(np.float32),
            fields[start + step + 1 : start + 2 * step],
        )


def score_fields(series: Series, grid: Grid, epsilon: float, step: int = 3) -> list[list[str]]:
    """RMSE and MAE of methods for fields against linear, alone and with shares of the curvature."""
    fractions = [part / step for part in range(1, step)]
    given = list(windows(series, grid.shape, step))
    starts = series.time[step:].astype("datetime64[s]") + np.timedelta64(round(3600 * series.place.late), "s")
    settings = [Setting(grid, step * series.spacing, epsilon, start) for start in starts[: len(given)]]
    truth = np.stack([between for _, between in given])
    made = {name: np.stack([method(four, fractions, setting) for (four, _), setting in zip(given, settings, strict=True)])
            for name, method in FIELD_METHODS.items()}  # fmt: skip
    lines = made["linear"]
    added = [np.stack([[curve(four, np.asarray(t)) for t in fractions] for four, _ in given]) - lines
             for curve in (cubic, pchip)]  # fmt: skip
    return [
        [f"{series.name}, {name}", *(against(np.maximum(each + share * more, 0), lines, truth)
         for share, more in ((0.0, added[0]), (0.25, added[0]), (0.5, added[0]), (0.5, added[1]), (0.75, added[1])))]
        for name, each in made.items()
    ]  # fmt: skip


# --- data ------------------------------------------------------------------------------------------------------------


def read_point(path: Path, latitude: float, longitude: float) -> Series:
    """A series of hourly means at one point on land, stamped at their beginning."""
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, dtype=str)
    place = Place(np.array([longitude]), np.array([latitude]), np.ones(1), late=0.5)
    return Series("Kandy", rows[:, 0].astype("datetime64[h]"), rows[:, 1:].astype(float), place)


def on_grid(grid: Grid, late: float = 0.0) -> Place:
    """The nodes of a grid, row by row."""
    latitude, longitude = np.meshgrid(grid.latitude, grid.longitude, indexing="ij")
    return Place(longitude.ravel(), latitude.ravel(), land_share(grid).ravel(), late)


def read_city(path: Path) -> Series:
    """CAMS analyses of the nodes around a city, named after the file."""
    field = xr.load_dataset(path)["pm2p5"]
    north, west = (float(field[axis][0]) for axis in ("latitude", "longitude"))
    grid = Grid(north, west, CAMS_STEP, *field.shape[1:])
    values = np.maximum(field.values.reshape(len(field), -1).astype(float), 0)
    name = next((part for part in path.stem.split("_") if part not in ("cams", "eac4")), path.stem).capitalize()
    return Series(name, field.time.values.astype("datetime64[h]"), values, on_grid(grid))


def read_fields(path: Path) -> tuple[Series, Grid]:
    """Hourly fields on a grid whose steps are taken to be equal."""
    with np.load(path) as file:
        data, (west, east, south, north) = file["data"], file["extent"]
        start = np.datetime64(str(file["start_date"]).replace(" ", "T"), "h")
    rows, columns = data.shape[1:]
    step = round(float((east - west) / columns + (north - south) / rows) / 2, 4)
    grid = Grid(north, west, step, rows, columns)
    middle = np.full(rows * columns, (west + east) / 2)  # one solar time for all
    time = start + np.arange(len(data)) * np.timedelta64(1, "h")
    place = replace(on_grid(grid), longitude=middle)
    return Series("NAQFC", time, data.reshape(len(data), -1).astype(float), place), grid


def read_optical_depth(path: Path) -> tuple[Series, Grid]:
    """Hourly means of MERRA-2's optical depth, north first, its columns interpolated to the spacing of its rows."""
    field = xr.load_dataset(path)["TOTEXTTAU"].sortby("lat", ascending=False)
    field = field.interp(lon=np.arange(float(field.lon[0]), float(field.lon[-1]) + 1e-6, MERRA_STEP))
    grid = Grid(float(field.lat[0]), float(field.lon[0]), MERRA_STEP, *field.shape[1:])
    values = field.values.reshape(len(field), -1).astype(float)
    return Series("MERRA-2", field.time.values.astype("datetime64[h]"), values, on_grid(grid, late=0.5)), grid


# --- the page --------------------------------------------------------------------------------------------------------


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n### {text}\n")


def tell_point(series: Series, methods: dict[str, Fit]) -> dict[str, list[Array]]:
    """Print all about the one point; the predictions of each phase."""
    ones = phases(series, 3, 4)
    text, made = score_points(ones, methods)
    heading(f"{series.name}, all methods")
    print(text)
    heading("by season")
    print(by_group(ones, made, [one.season[:, None] for one in ones], SEASONS))
    heading("by three hours of local solar time")
    print(by_group(ones, made, [one.solar_hour // 3 for one in ones], EIGHTHS))
    heading("by hour, UTC")
    print(by_group(ones, made, [one.hour[:, None] for one in ones], [str(hour) for hour in range(24)]))
    heading("what is kept of a day")
    print(shape_of_days(series, ones, made))
    return made


def tell_transfer(places: Sequence[tuple[Series, int]], others: Sequence[tuple[Series, int]]) -> None:
    """Print what shares of the cubics, and the clock, do in all places."""
    sets = [(f"{one.name}, {step * one.spacing} h", phases(one, step, 2)) for one, step in (*places, *others)]
    for addition in ("curvature", "monotone"):
        heading(f"one share of the cubic's departure from linear for all: {addition}")
        rows = [share_row(name, ones, addition) for name, ones in sets]
        print(table(["", "0.25", "0.5", "0.75", "1", "best, squares", "best, absolute"], rows))
    for strength in (0.25, 1.0):
        heading(f"clock learned in rows, used in columns, strength {strength:g}")
        print(table(["", *(one.name for one, _ in places)], transfers(places, strength)))


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--point", type=Path, required=True)
    parser.add_argument("--latitude", type=float, default=KANDY[0], help="of the point, degrees north")
    parser.add_argument("--longitude", type=float, default=KANDY[1], help="of the point, degrees east")
    parser.add_argument("--fields", type=Path, required=True)
    parser.add_argument("--optical-depth", type=Path, required=True)
    parser.add_argument("--cities", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--weights", type=Path, nargs=2, metavar=("EVEN", "ODD"), help="learned from these years of the point"
    )
    parser.add_argument("--figure", type=Path)
    given = parser.parse_args()
    if given.figure:
        check_picture(given.figure, overwrite=True)
    point, (fields, grid) = read_point(given.point, given.latitude, given.longitude), read_fields(given.fields)
    optical, optical_grid = read_optical_depth(given.optical_depth)
    cities = [read_city(path) for path in given.cities]
    predicted = tell_point(point, METHODS | (ours(*given.weights) if given.weights else {}) | FLEXIBLE)
    unseen = METHODS | ours(PROGRESS_WEIGHTS, PROGRESS_WEIGHTS)
    for series, step in [(fields, 3), *((city, 2) for city in cities)]:
        heading(f"{series.name}, all methods, {step * series.spacing} h")
        ones = phases(series, step, 2)
        text, made = score_points(ones, unseen)
        print(text)
        print(by_group(ones, made, [one.solar_hour // 3 for one in ones], EIGHTHS))
    heading("fields: change against linear; with shares of the cubic and of the monotone cubic")
    rows = [*score_fields(fields, grid, EPSILON), *score_fields(optical, optical_grid, EPSILON_OPTICAL)]
    print(table(["", "alone", "cubic 0.25", "cubic 0.5", "monotone 0.5", "monotone 0.75"], rows))
    places = [(point, 3), *((city, 2) for city in cities), (fields, 3)]
    tell_transfer(places, [(point.every(3), 2), (fields.every(3), 2), (optical, 3)])
    if given.figure:
        draw(given.figure, phases(point, 3, 4), predicted)


if __name__ == "__main__":
    main()
