"""What a small run leaves: a store with its log, the files of evaluate and validate, made once and copied."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr

from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import Evaluation, Row
from deepcams.evaluation.report import to_json
from deepcams.evaluation.verdicts import Verdict
from deepcams.production.order import Order
from deepcams.production.run import downscale_to
from deepcams.provenance import provenance
from deepcams.stations.assess import assess
from deepcams.stations.table import HOUR, Observations, Pairs, Stations
from deepcams.stations.tables import to_content
from tests.pages import Page

START = np.datetime64("2019-12-30T00", "ns")
METHOD = {"method": "fast", "time": "linear"}


def cams(path, hours, change=lambda field: field):
    """Write CAMS analyses over the Low Countries at some hours."""
    times = START + np.asarray(hours) * np.timedelta64(1, "h")
    latitude, longitude = 54.75 - 0.75 * np.arange(8), 3 + 0.75 * np.arange(12)
    places = 20 + 5 * np.sin(9 * np.deg2rad(latitude))[:, None] + 3 * np.cos(5 * np.deg2rad(longitude))
    values = (places + 0.3 * np.asarray(hours)[:, None, None]).astype(np.float32) * np.float32(1e-9)
    coordinates = {"time": times, "latitude": latitude, "longitude": longitude}
    change(xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", attrs={"units": "kg m**-3"})).to_netcdf(path)
    return path


def evaluation():
    """Two contenders, with intervals and without."""
    scores = {"rmse": 1.25, "mae": 0.5, "power_120_240": float("nan"), "top1_bias": -0.04}
    parts = (("all", "all"), ("region", "europe"), ("class", "0-5"))
    rows = [Row(name, task, *part, scores) for task in ("space", "both") for name in ("fast", "bicubic+linear")
            for part in parts]  # fmt: skip
    differences = (Difference(-0.2, -0.25, -0.11), Difference(0.05, 0.012, 0.1), Difference(0.1, np.nan, np.nan))
    verdicts = [Verdict("fast", "both", *part, score, one, one.verdict("bicubic+linear"))
                for part, one in zip(parts, differences, strict=True) for score in ("rmse", "mae")]  # fmt: skip
    settings = {"contenders": {"fast": {"method": "fast", "space": "lcbp", "time": "linear", "order": "space-first"}},
                "first": "2020-03-08T00", "last": "2020-03-08T03"}  # fmt: skip
    return Evaluation(tuple(rows), tuple(verdicts), "bicubic+linear", ("a note",), provenance(settings, ["truth.nc"]))


def assessment(products=("CAMS", "DeepCAMS minus CAMS"), places=6, days=70):
    """Hourly pairs at each station; each product is better than the one before it."""
    generator = np.random.default_rng(0)
    hours = days * 24
    begin = np.datetime64("2020-01-01T00", "m") + np.arange(hours) * np.timedelta64(60, "m")
    value = generator.lognormal(2.8, 0.8, hours * places).astype(np.float32)
    empty, names = np.full(places, "", object), np.array([f"place {number}" for number in range(places)], object)
    stations = Stations(names, empty, names, np.linspace(50, 53, places), np.linspace(4, 7, places), empty, empty, empty,
                        np.zeros(places, bool))  # fmt: skip
    rows = (np.tile(np.arange(places), hours).astype(np.int32), np.repeat(begin, places),
            np.full(value.size, HOUR, np.int32), value, np.zeros(value.size, np.uint8))  # fmt: skip
    error = generator.normal(0.5, 1, value.size)
    predicted = {name: (value + 12 * error / 3**index).astype(np.float32) for index, name in enumerate(products)}
    return assess(Pairs(Observations(stations, *rows), predicted), repeats=50)


@pytest.fixture(scope="session")
def scores():
    """The content of a ``scores.json``."""
    one = assessment()
    products = {"CAMS": {"files": "cams.nc"}, "DeepCAMS minus CAMS": {"files": "run/hourly.zarr"}}
    made = provenance({}, ["stations.csv"]) | {"products": products, "stations_attribution": "Thanks to all stations."}
    run = {"command": "deepcams validate", "time": "", "host": ""}
    return to_content(one) | {"notes": list(one.notes), "provenance": made, "run": run}


@pytest.fixture(scope="session")
def original(tmp_path_factory, scores):
    """A folder with a run's files: two days with a gap, all analyses beside it in ``cams.nc``."""
    folder = tmp_path_factory.mktemp("original")
    path = cams(folder / "cams.nc", [*range(0, 13, 3), *range(24, 34, 3)])
    (folder / "run").mkdir()
    downscale_to(Order((str(path),), **METHOD), folder / "run" / "hourly.zarr")
    for name in ("scores", "validation"):
        (folder / "run" / name).mkdir()
    (folder / "run" / "scores" / "evaluate.json").write_text(to_json(evaluation()))
    (folder / "run" / "validation" / "scores.json").write_text(json.dumps(scores))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy of it: ``run`` and ``cams.nc``."""
    return shutil.copytree(original, tmp_path / "copy")


@pytest.fixture
def page():
    """Reads a page strictly."""
    return Page
