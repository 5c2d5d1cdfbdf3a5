"""An assessment for JSON and CSV: the agreed names, None and empty for what is unknown, and nothing lost."""

import csv
import io
import json

import numpy as np
import pytest

from deepcams.stations.assess import assess
from deepcams.stations.scores import SCORES
from deepcams.stations.table import DAY, Pairs
from deepcams.stations.tables import scores_csv, stations_csv, to_content

AGREED = {"n", "stations", "r", "spearman", "rmse", "mae", "bias", "nmb", "fb", "fe", "ioa", "fac2", "kge", "mqi"}


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def pairs(observations, rng):
    """Pairs of 60 days at five stations."""
    observed = rng.gamma(3, 8, (5, 60))
    made = observations(observed, period=DAY, country=["NL", "NL", "CN", "", ""], ids=["a", "ä,b", "c", '"d"', "e"])
    values = {"CAMS": observed + 5, "DeepCAMS": observed + rng.normal(0, 1, observed.shape)}
    return Pairs(made, {name: one.astype(np.float32).ravel() for name, one in values.items()})


def test_the_agreed_names(pairs):
    content = to_content(assess(pairs, repeats=50))
    assert content.keys() == {"products", "paired"}
    assert list(content["products"]) == ["CAMS", "DeepCAMS"]
    own = content["products"]["DeepCAMS"]
    assert own.keys() == AGREED | {"intervals", "per_station", "daily", "by", *SCORES}
    assert own["n"] == own["daily"]["n"] == 300
    assert own["mqi"] == own["daily"]["mqi"] > 0
    assert own["by"].keys() == {"year", "season", "country", "region", "class"}
    assert own["by"]["country"]["NL"]["stations"] == 2
    assert own["by"]["year"]["2024"]["n"] == 300
    assert own["per_station"]["r"].keys() == {"median", "q25", "q75"}
    assert own["intervals"]["rmse"][0] <= own["rmse"] <= own["intervals"]["rmse"][1]
    assert content["paired"].keys() == {"DeepCAMS minus CAMS"}
    rmse = content["paired"]["DeepCAMS minus CAMS"]["rmse"]
    assert rmse.keys() == {"difference", "low", "high", "verdict"}
    assert rmse["verdict"] == "better"
    assert rmse["difference"] == pytest.approx(own["rmse"] - content["products"]["CAMS"]["rmse"])


def test_exceedances_with_their_shares(observations):
    made = observations([[10.0, 20, 30, 40]], period=DAY)
    pairs = Pairs(made, {"CAMS": np.array([20, 20, 30, 12], np.float32)})
    found = to_content(assess(pairs, repeats=2))["products"]["CAMS"]["daily"]["exceedances"]
    assert list(found) == ["15", "35", "75"]
    assert found["15"] == {
        "hits": 2, "misses": 1, "false_alarms": 1, "correct_negatives": 0, "hit_rate": 2 / 3,
        "false_alarm_ratio": 1 / 3,
    }  # fmt: skip
    assert (found["35"]["hit_rate"], found["35"]["false_alarm_ratio"]) == (0, None)
    assert found["75"]["hit_rate"] is None


def test_what_is_unknown_is_null(observations):
    pairs = Pairs(
        observations([[5.0, 5]]), {"CAMS": np.array([5, 6], np.float32), "other": np.array([5, 5], np.float32)}
    )
    text = json.dumps(to_content(assess(pairs, repeats=2)), allow_nan=False)
    content = json.loads(text)
    own = content["products"]["CAMS"]
    assert (own["r"], own["mqi"], own["intervals"]["rmse"]) == (None, None, [None, None])
    assert own["daily"]["n"] == 0
    assert own["bias"] == 0.5
    assert content["paired"]["other minus CAMS"]["bias"]["low"] is None


def test_a_line_for_every_part(pairs):
    found = assess(pairs, repeats=2)
    rows = list(csv.DictReader(io.StringIO(scores_csv(found))))
    assert len(rows) == len(found.lines)
    assert list(rows[0])[:5] == ["product", "kind", "group", "n", "stations"]
    for row, line in zip(rows, found.lines, strict=True):
        assert (row["product"], row["kind"], row["group"], int(row["n"])) == (
            line.product,
            line.kind,
            line.group,
            line.n,
        )
        for name, value in line.scores.items():
            assert row[name] == ("" if np.isnan(value) else repr(value))
    assert all((row["mqi"] == "") == (row["kind"] != "daily") for row in rows)


def test_a_line_for_every_station(pairs):
    found = assess(pairs, repeats=2)
    rows = list(csv.DictReader(io.StringIO(stations_csv(found, pairs))))
    assert [(row["product"], row["id"]) for row in rows[:6]] == [
        *(("CAMS", name) for name in ("a", "ä,b", "c", '"d"', "e")),
        ("DeepCAMS", "a"),
    ]
    first = ["product", "id", "sensor", "name", "latitude", "longitude", "country", "source", "n"]
    assert list(rows[0])[:9] == first
    assert len(rows) == 10
    stations = pairs.observations.stations
    for i, row in enumerate(rows[5:]):
        assert float(row["latitude"]) == stations.latitude[i]
        assert int(row["n"]) == 60
        assert float(row["rmse"]) == found.stations["DeepCAMS"]["rmse"][i]
        assert float(row["mqi"]) == found.stations["DeepCAMS"]["mqi"][i]
