"""Pairs come back as they were written."""

import json
from dataclasses import fields

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.stations.files import _write_pairs
from deepcams.stations.pairs import read_pairs
from deepcams.stations.table import HOUR, Observations, Pairs, Stations

pyarrow = pytest.importorskip("pyarrow")


def made(count=60):
    """Pairs at four stations, of which two differ in their sensor, and two in their place alone."""
    texts = [np.array(one, object) for one in (["a", "a", "b", "b"], ["1", "2", "", ""], ["A", "A", "B", "B"])]
    country, source = np.array(["DE", "DE", "", ""], object), np.full(4, "plain", object)
    latitude, longitude = np.array([50, 50, 51, 51.5]), np.array([5.0, 5, 6, 6])
    empty = np.full(4, "", object)
    stations = Stations(*texts, latitude, longitude, country, source, empty, np.zeros(4, bool))
    generator = np.random.default_rng(0)
    begin = np.datetime64("2019-12-31T15:30", "m") + HOUR * np.arange(count)
    values = generator.lognormal(2, 1, (3, count)).astype(np.float32)
    station = (np.arange(count) % 4).astype(np.int32)
    observations = Observations(stations, station, begin, np.full(count, HOUR, np.int32), values[0],
                                np.zeros(count, np.uint8))  # fmt: skip
    return Pairs(observations, {"CAMS": values[1], "my $product": values[2]})


@pytest.fixture
def folder(tmp_path):
    _write_pairs(made(), tmp_path / "pairs.parquet", {"inputs": ["x.csv"]})
    return tmp_path


@pytest.mark.parametrize("name", ["", "pairs.parquet"])
def test_what_is_read_is_what_was_written(folder, name):
    stored, pairs = read_pairs(folder / name), made()
    assert stored.provenance == {"inputs": ["x.csv"]}
    for field in fields(Stations):
        np.testing.assert_array_equal(getattr(stored.pairs.observations.stations, field.name),
                                      getattr(pairs.observations.stations, field.name))  # fmt: skip
    for name in ("station", "begin", "period", "value", "reason"):
        found, wanted = (getattr(one.observations, name) for one in (stored.pairs, pairs))
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    assert list(stored.pairs.products) == list(pairs.products)
    for name, values in pairs.products.items():
        np.testing.assert_array_equal(stored.pairs.products[name], values)


def test_some_products_in_the_order_asked_for(folder):
    assert list(read_pairs(folder, ["my $product", "CAMS"]).pairs.products) == ["my $product", "CAMS"]
    assert list(read_pairs(folder, ["CAMS"]).pairs.products) == ["CAMS"]


def test_what_is_not_there_is_said(folder, tmp_path):
    with pytest.raises(InputError, match="no product ozone; there are CAMS, my"):
        read_pairs(folder, ["ozone"])
    with pytest.raises(InputError, match=r"validate .* --pairs"):
        read_pairs(tmp_path / "nothing")
    (tmp_path / "text.parquet").write_text("station,value\n")
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / "text.parquet")
    table = pyarrow.table({"station": ["a"], "value": [1.0]})
    pyarrow.parquet.write_table(table, tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"no column id, .* there are station, value"):
        read_pairs(tmp_path / "other.parquet")


def test_a_file_without_provenance_is_read_nevertheless(folder):
    import pyarrow.parquet

    path = folder / "pairs.parquet"
    table = pyarrow.parquet.read_table(path)
    for metadata in ({}, {"provenance": "no json"}, {"provenance": json.dumps([1])}):
        pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)
        assert read_pairs(path).provenance == {}
