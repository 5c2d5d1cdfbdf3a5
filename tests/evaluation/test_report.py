"""Four renderings of one evaluation."""

import csv
import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from deepcams.errors import OutputError
from deepcams.evaluation import report
from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import Evaluation, Row, Verdict

SCORES = {"rmse": 1.23456, "mae": 0.5, "power_120_240": float("nan"), "top1_bias": -0.0412, "psnr": float("inf")}


@pytest.fixture
def evaluation():
    rows = [Row(name, "space", "all", "all", SCORES) for name in ("fast", "bilinear+linear")]
    rows += [Row(name, "space", "region", "europe", SCORES) for name in ("fast", "bilinear+linear")]
    difference = Difference(-0.2, -0.25, -0.11)
    verdict = Verdict("fast", "space", "rmse", difference, difference.verdict("bilinear+linear"))
    return Evaluation(tuple(rows), (verdict,), "bilinear+linear", ("a note",), {"inputs": ["truth.nc"]})


def test_json_holds_everything_and_is_strict(evaluation):
    text = report.to_json(evaluation)
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert content["rows"][0]["scores"] == SCORES | {"power_120_240": None, "psnr": None}
    assert content["verdicts"][0]["text"] == "better than bilinear+linear by 11.0 to 25.0 %"
    assert content["provenance"] == {"inputs": ["truth.nc"]}
    assert set(content["run"]) == {"command", "time", "host"}


def test_csv_has_a_line_for_every_row_at_full_precision(evaluation):
    lines = list(csv.DictReader(io.StringIO(report.to_csv(evaluation))))
    assert len(lines) == 4
    assert lines[2]["group"] == "europe"
    assert float(lines[0]["rmse"]) == SCORES["rmse"]
    assert lines[0]["power_120_240"] == ""


def test_markdown_has_tables_that_are_tables(evaluation):
    text = report.to_markdown(evaluation)
    assert "| fast | 1.235 | 0.500 |" in text
    assert "| europe | 1.235 / 0.500 | 1.235 / 0.500 |" in text
    assert "- fast: RMSE better than bilinear+linear by 11.0 to 25.0 %" in text
    assert "- a note" in text
    assert "by class" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    facts = json.loads(text.split("```json")[1].split("```")[0])
    assert facts["inputs"] == ["truth.nc"]


@pytest.mark.parametrize(("width", "shown"), [(160, True), (33, False)])
def test_the_terminal_shows_what_is_known_and_fits(evaluation, width, shown):
    stream = io.StringIO()
    report.show(evaluation, Console(file=stream, width=width))
    text = stream.getvalue()
    assert ("top 1 %" in text) == shown
    assert "RMSE" in text
    assert "power" not in text
    assert "-4.1" in text or not shown
    assert "note: a note" in text


def test_files_are_written_together_and_not_replaced_unasked(evaluation, tmp_path):
    folder = tmp_path / "new" / "scores"
    report.write(evaluation, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["evaluate.csv", "evaluate.json", "evaluate.md"]
    with pytest.raises(OutputError, match=r"evaluate.json: exists already; .* --overwrite"):
        report.write(evaluation, folder)
    report.write(evaluation, folder, overwrite=True)
    with pytest.raises(OutputError, match="no folder can be made"):
        report.check_folder(folder / "evaluate.csv", overwrite=False)


def test_every_column_of_the_tables_is_a_score(series):
    from deepcams.evaluation.gridded import Exam, evaluate
    from deepcams.evaluation.truth import Truth

    result = evaluate(Truth.of(series()), Exam(("fast",), "fast", repeats=10))
    known = set(result.rows[0].scores)
    assert {column.score for column in report.COLUMNS} <= known
    assert np.isfinite(result.rows[0].scores["peak"])
