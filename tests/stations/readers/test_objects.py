"""JSON whose fields are of several types."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcams.errors import InputError
from deepcams.stations.readers.objects import coerced

SCHEMA = pa.schema(
    {"text": pa.binary(), "number": pa.float64(), "told": pa.bool_(), "place": pa.struct({"north": pa.float64()})}
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(st.sampled_from(["north", "east"]), PLAIN, max_size=2)


def read(*lines, before=0):
    return coerced(Path("a.json"), "\n".join(lines).encode(), SCHEMA, before).to_pylist()


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA.names, ANYTHING)), max_size=4))
def test_whatever_the_fields_hold_every_object_is_a_line(objects):
    found = read(*map(json.dumps, objects))
    assert len(found) == len(objects)
    for one, given_ in zip(found, objects, strict=True):
        assert set(one) == set(SCHEMA.names)
        if isinstance(given_.get("number"), float):
            assert one["number"] == pytest.approx(given_["number"], nan_ok=True)


def test_what_can_be_meant_is_taken():
    found = read(
        '{"text":42,"number":"1.5","told":"TRUE","place":{"north":"2"}}',
        "  ",
        '{"text":true,"number":true,"told":1,"place":[2]}',
        '{"text":"\\ud83d","number":' + "9" * 400 + ',"place":{}}',
    )
    assert found[0] == {"text": b"42", "number": 1.5, "told": True, "place": {"north": 2.0}}
    assert found[1] == dict.fromkeys(SCHEMA.names)
    assert found[2]["text"] == b"?"
    assert found[2]["number"] != found[2]["number"]


@pytest.mark.parametrize("line", ["{", "[1]", "null", "[" * 100_000])
def test_what_is_no_object_is_named_with_its_line(line):
    with pytest.raises(InputError, match=r"a\.json: line 13 is not a JSON object"):
        read("{}", "", line, before=10)
