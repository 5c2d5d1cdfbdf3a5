"""The whole assessment: every number against one by pandas, the same hours for all products, and too little of anything."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deepcams.errors import InputError
from deepcams.stations.assess import assess
from deepcams.stations.daily import daily_pairs
from deepcams.stations.fairmode import quality90, uncertainty
from deepcams.stations.resampling import COMPARED, INTERVALS, NONE_SHOWN
from deepcams.stations.scores import SCORES
from deepcams.stations.table import Pairs

PLACES = {"latitude": [52.1, 39.9, 31.2, -33.9, 40.0, 60.0], "longitude": [5.1, 116.4, 121.5, 151.2, 116.3, -150.0]}
WHERE = PLACES | {
    "country": ["NL", "CN", "CN", "AU", "CN", ""],
    "timezone": ["Europe/Amsterdam", "Asia/Shanghai", "Asia/Shanghai", "Australia/Sydney", "", ""],
}
DAYS = 70


@pytest.fixture
def pairs(observations):
    """Make pairs of hours at six stations with three products, a few hours of them missing."""

    def make(seed=0, days=DAYS, chosen=slice(None), **products):
        rng = np.random.default_rng(seed)
        observed = rng.gamma(2, 12, (6, 24 * days)) + rng.normal(0, 2, (6, 24 * days)) + 5 * np.arange(6)[:, None]
        near = observed + rng.normal(2, 10, observed.shape)
        given = {"CAMS": near, "CAMS nearest": near + rng.normal(0, 3, near.shape), "DeepCAMS": 0.5 * (near + observed)}
        made = observations(observed, start="2023-12-15T00:00", **WHERE)
        values = {name: np.clip(one, 0, None).astype(np.float32).ravel() for name, one in (given | products).items()}
        whole = Pairs(made, values)
        kept = np.sort(rng.permutation(made.size)[: int(0.97 * made.size)])
        return whole.take(kept[np.isin(whole.observations.station[kept], np.arange(6)[chosen])])

    return make


@pytest.fixture(scope="module")
def table():
    """The pairs as a table for pandas."""

    def make(pairs, product):
        one = pairs.observations
        columns = {"o": one.value.astype(float), "p": pairs.products[product].astype(float)}
        return pd.DataFrame(columns | {"station": one.station, "time": pd.to_datetime(one.begin)})

    return make


def by_hand(part):
    """Some scores of a table's pairs."""
    error = part.p - part.o
    found = {"rmse": (error**2).mean() ** 0.5, "mae": error.abs().mean(), "bias": error.mean()}
    found |= {"r": part.o.corr(part.p, min_periods=3)}
    found["spearman"] = part.o.corr(part.p, method="spearman", min_periods=3)
    return found | {"nmb": error.sum() / part.o.sum(), "observed": part.o.mean()}


def check(line, part):
    wanted = by_hand(part)
    assert (line.n, line.stations) == (len(part), part.station.nunique())
    assert {name: line.scores[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, nan_ok=True)


def test_every_part_is_what_pandas_finds(pairs, table):
    made = pairs()
    found = assess(made, repeats=10)
    longitude = made.observations.stations.longitude[made.observations.station]
    for product in made.products:
        whole = table(made, product)
        solar = whole.time + pd.Timedelta("30min") + pd.to_timedelta(longitude / 15, unit="h")
        season = whole.time.dt.month.map(lambda month: ("DJF", "MAM", "JJA", "SON")[month % 12 // 3])
        keys = {
            "year": whole.time.dt.year.astype(str),
            "season": season,
            "hour": solar.dt.hour.map("{:02d}".format),
            "country": whole.station.map(dict(enumerate(WHERE["country"]))).replace("", np.nan),
            "class": pd.cut(whole.o, [-99, 5, 15, 35, 75, 150, 1e9], right=False,
                            labels=["0-5", "5-15", "15-35", "35-75", "75-150", "150-"]).astype(str),
        }  # fmt: skip
        check(found.pooled(product), whole)
        for kind, key in keys.items():
            lines = {line.group: line for line in found.lines if (line.product, line.kind) == (product, kind)}
            groups = dict(list(whole.groupby(key)))
            assert lines.keys() == groups.keys()
            for name, part in groups.items():
                check(lines[name], part)
        regions = {line.group: line for line in found.lines if (line.product, line.kind) == (product, "region")}
        check(regions["china"], whole[whole.station.isin([1, 2, 4])])
        check(regions["europe"], whole[whole.station == 0])
        check(regions["north-america"], whole[whole.station == 5])


def test_stations_and_their_quartiles(pairs, table):
    made = pairs()
    found = assess(made, repeats=10)
    for product in made.products:
        own, wanted = found.stations[product], table(made, product).groupby("station")
        for number, part in wanted:
            assert own["n"][number] == len(part)
            names = by_hand(part)
            assert {name: own[name][number] for name in names} == pytest.approx(names, rel=1e-6)
        quartiles = np.percentile(own["rmse"], [25, 50, 75])
        assert found.quartiles[product]["rmse"] == pytest.approx(tuple(quartiles))
        assert own.keys() == {"n", "mqi", *SCORES}


def test_days_exceedances_and_the_quality_indicator(pairs, table):
    made = pairs()
    found = assess(made, repeats=10)
    daily = daily_pairs(made)
    assert found.days == daily.size > 300
    for product in made.products:
        whole = table(daily, product)
        line = found.pooled(product, "daily")
        check(line, whole)
        own = whole.groupby("station")
        mqi = own.apply(lambda part: np.sqrt(((part.p - part.o) ** 2).sum() / (uncertainty(part.o) ** 2).sum()) / 2)
        np.testing.assert_allclose(found.stations[product]["mqi"], mqi, rtol=1e-6)
        assert line.scores["mqi"] == pytest.approx(quality90(mqi.to_numpy()), rel=1e-6)
        for one in found.exceedances:
            if one.product == product:
                high, said = whole.o > one.threshold, whole.p > one.threshold
                counts = (one.hits, one.misses, one.false_alarms, one.correct_negatives)
                parts = ((high & said), (high & ~said), (~high & said), (~high & ~said))
                assert counts == tuple(int(part.sum()) for part in parts)
    assert len(found.exceedances) == 9


def test_who_is_compared_with_whom(pairs):
    found = assess(pairs(), repeats=20)
    compared = list(dict.fromkeys((one.product, one.reference) for one in found.paired))
    nearest = ("DeepCAMS", "CAMS nearest")
    assert compared == [("DeepCAMS", "CAMS"), ("CAMS nearest", "CAMS"), nearest]
    assert [one.score for one in found.paired[: len(COMPARED)]] == list(COMPARED)
    lines = {product: found.pooled(product).scores for product in ("CAMS", "DeepCAMS")}
    for one in found.paired[: len(COMPARED)]:
        values = [abs(lines[name][one.score]) for name in ("DeepCAMS", "CAMS")]
        assert one.difference == pytest.approx(values[0] - values[1], rel=1e-6)
        assert one.verdict == "better"
    assert found.intervals.keys() == {"CAMS", "CAMS nearest", "DeepCAMS"}
    for name in INTERVALS:
        low, high = found.intervals["CAMS"][name]
        assert low <= high


def test_another_reference(pairs):
    made = pairs()
    found = assess(made, reference="DeepCAMS", repeats=5)
    assert {one.reference for one in found.paired} == {"DeepCAMS", "CAMS nearest"}
    alone = Pairs(made.observations, {"mine": made.products["CAMS"]})
    assert assess(alone, repeats=5).paired == ()
    with pytest.raises(InputError, match="reference 'GEOS': wanted one of the products, CAMS, CAMS nearest, DeepCAMS"):
        assess(made, reference="GEOS")


def test_an_equal_product_is_no_different(pairs):
    made = pairs()
    twin = replace(made, products={"CAMS": made.products["CAMS"], "twin": made.products["CAMS"]})
    found = assess(twin, repeats=50)
    assert {(one.difference, one.low, one.high, one.verdict) for one in found.paired} == {(0, 0, 0, NONE_SHOWN)}


def test_lines_are_in_the_order_of_products(pairs):
    found = assess(pairs(), repeats=2)
    products = [line.product for line in found.lines]
    assert list(dict.fromkeys(products)) == ["CAMS", "CAMS nearest", "DeepCAMS"]
    assert products == sorted(products, key=["CAMS", "CAMS nearest", "DeepCAMS"].index)
    assert len({(line.product, line.kind, line.group) for line in found.lines}) == len(found.lines)


def test_the_order_of_pairs_does_not_matter(pairs):
    made = pairs()
    one = assess(made, repeats=2)
    other = assess(made.take(np.random.default_rng(0).permutation(made.size)), repeats=2)
    assert len(one.lines) == len(other.lines)
    for mine, yours in zip(one.lines, other.lines, strict=True):
        assert mine.scores == pytest.approx(yours.scores, rel=1e-6, abs=1e-6, nan_ok=True)


def test_what_a_reader_is_told(pairs):
    assert assess(pairs(), repeats=2).notes == (
        "the time zone of 2 of 6 stations is not known: their days go by local solar time, rounded to whole hours",
    )
    notes = assess(pairs(days=14, chosen=[0, 1]), repeats=2).notes
    assert len(notes) == 1
    assert "too few to tell how sure" in notes[0]


def test_a_single_pair(pairs):
    made = pairs().take(np.array([7]))
    found = assess(made, repeats=10)
    assert found.pooled("CAMS").n == 1
    assert found.pooled("CAMS", "daily") is None
    assert found.days == 0
    assert np.isfinite(found.pooled("CAMS").scores["rmse"])
    assert np.isnan(found.pooled("CAMS").scores["r"])
    assert np.isnan(found.stations["CAMS"]["rmse"]).all()
    assert found.stations["CAMS"]["n"].tolist() == [1]
    assert np.isnan(found.quartiles["CAMS"]["rmse"]).all()
    assert all(one.verdict.startswith("not known") for one in found.paired)
    assert any("no day has 75 % of its hours" in note for note in found.notes)


def test_no_pairs_at_all(pairs):
    with pytest.raises(InputError, match="nothing to score"):
        assess(pairs().take(np.empty(0, int)))
