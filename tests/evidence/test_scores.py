"""Files of scores: read back they are what was written; anything else is refused in words."""

import json
import re

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.evaluation.gridded import Evaluation
from deepcams.evaluation.report import to_json
from deepcams.evidence.scores import read_evaluation, read_validation
from deepcams.stations.report_results import verdict
from deepcams.stations.tables import to_content

READERS = {"scores/evaluate.json": read_evaluation, "validation/scores.json": read_validation}


def test_an_evaluation_comes_back_as_it_was(folder):
    path = folder / "run" / "scores" / "evaluate.json"
    told = read_evaluation(path)
    assert isinstance(told.evaluation, Evaluation)
    again, content = json.loads(to_json(told.evaluation)), json.loads(path.read_text())
    assert again | {"run": None} == content | {"run": None}
    assert np.isnan(told.evaluation.rows[0].scores["power_120_240"])
    assert told.notes == ("a note",)


def test_an_assessment_comes_back_as_it_was(folder, scores):
    told = read_validation(folder / "run" / "validation" / "scores.json")
    content = json.loads(json.dumps(to_content(told.assessment)))
    assert content == {name: scores[name] for name in ("products", "paired")}
    assert told.assessment.days == scores["products"]["CAMS"]["daily"]["n"] > 0
    assert "better" in verdict(told.assessment)
    assert told.provenance["stations_attribution"] == "Thanks to all stations."


@pytest.mark.parametrize("name", READERS)
def test_half_a_file_is_refused_wherever_it_ends(folder, name):
    path = folder / "run" / name
    whole = path.read_bytes()
    for size in (0, 1, 17, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"not whole, or no JSON .* make it again"):
            READERS[name](path)


FOREIGN = ["[]", '"text"', "{}", '{"products": {}}', '{"rows": {}, "reference": "x"}', '{"products": {"a": 1}, "paired": {}}',
           '{"provenance": "me", "rows": [], "verdicts": [], "reference": "x"}', '{"rows": [{"contender": 1}]}',
           "[" * 100_000, '{"rows": [], "verdicts": [], "reference": null, "provenance": {}}']  # fmt: skip


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
@pytest.mark.parametrize("name", READERS)
def test_foreign_json_is_refused_and_named(folder, name, text):
    path = folder / "run" / name
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(str(path))):
        READERS[name](path)


@pytest.mark.parametrize("name", READERS)
def test_any_value_of_another_type_is_refused_or_understood(folder, name):
    """Whatever stands in a place, the reader ends with its own error or with a result."""
    path = folder / "run" / name
    content, refused = json.loads(path.read_text()), 0
    for key in content:
        for value in (None, 1, "text", [], {}, [None], {"a": None}, {"a": {"b": "c"}}):
            path.write_text(json.dumps(content | {key: value}))
            try:
                READERS[name](path)
            except InputError:
                refused += 1
    assert refused > 10


@pytest.mark.parametrize("name", READERS)
def test_what_another_version_wrote_and_is_not_understood_says_so(folder, name):
    path = folder / "run" / name
    content = json.loads(path.read_text())
    content["provenance"]["deepcams_version"] = "99.0"
    path.write_text(json.dumps(content))
    assert READERS[name](path).version == "99.0"  # as long as it is understood
    content.pop("verdicts" if "verdicts" in content else "paired")
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"written by deepcams 99\.0.*make it again"):
        READERS[name](path)
