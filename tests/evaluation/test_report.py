"""Four renderings of one evaluation."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from deepcams.errors import OutputError
from deepcams.evaluation import report
from deepcams.evaluation.bootstrap import Difference
from deepcams.evaluation.gridded import Evaluation, Row
from deepcams.evaluation.verdicts import Verdict
from deepcams.io.output import check_folder

SCORES = {"rmse": 1.23456, "mae": 0.5, "power_120_240": float("nan"), "top1_bias": -0.0412, "psnr": float("inf")}


@pytest.fixture
def evaluation():
    rows = [Row(name, "space", "all", "all", SCORES) for name in ("fast", "bilinear+linear")]
    rows += [Row(name, "space", "region", "europe", SCORES) for name in ("fast", "bilinear+linear")]
    difference = Difference(-0.2, -0.25, -0.11)
    worse = Difference(0.05, 0.012, 0.1)
    verdicts = [
        Verdict("fast", "space", *part, "rmse", one, one.verdict("bilinear+linear"))
        for part, one in ((("all", "all"), difference), (("region", "europe"), worse))
    ]
    return Evaluation(tuple(rows), tuple(verdicts), "bilinear+linear", ("a note",), {"inputs": ["truth.nc"]})


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
    ends = [lines[2][f"rmse_{end}"] for end in ("difference", "low", "high")]
    assert ends == ["0.05", "0.012", "0.1"]
    assert lines[1]["rmse_low"] == lines[2]["mae_low"] == ""
    assert lines[0]["power_120_240"] == ""


def test_markdown_has_tables_that_are_tables(evaluation):
    text = report.to_markdown(evaluation)
    assert "| fast | 1.235 | 0.500 |" in text
    assert "| europe | 1.235 / 0.500 | 1.235 / 0.500 |" in text
    assert "- fast: RMSE better than bilinear+linear by 11.0 to 25.0 %, but worse in europe\n" in text
    assert "RMSE against bilinear+linear by region, %" in text
    assert "| europe | **+5.0 (+1.2 to +10.0)** |" in text
    assert "- a note" in text
    assert "by class" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    facts = json.loads(text.split("```json")[1].split("```")[0])
    assert facts["inputs"] == ["truth.nc"]


def test_a_contender_that_is_worse_on_the_whole_has_no_exceptions(evaluation):
    worse = Difference(0.3, 0.2, 0.4)
    verdicts = [replace(one, difference=worse, text=worse.verdict("X")) for one in evaluation.verdicts]
    text = report.to_markdown(replace(evaluation, verdicts=tuple(verdicts)))
    assert "- fast: RMSE worse than X by 20.0 to 40.0 %\n" in text


def test_a_contender_that_is_nowhere_worse_is_said_to_be_so(evaluation):
    verdicts = [replace(one, difference=Difference(-0.1, -0.2, 0.1)) for one in evaluation.verdicts]
    text = report.to_markdown(replace(evaluation, verdicts=tuple(verdicts)))
    assert "by 11.0 to 25.0 %, in no region or class worse\n" in text
    text = report.to_markdown(replace(evaluation, verdicts=tuple(verdicts[:1])))
    assert "by 11.0 to 25.0 %\n" in text


def test_a_difference_without_an_interval_says_why(evaluation):
    unknown = Difference(0.031, float("nan"), float("nan"))
    verdicts = [replace(one, difference=unknown, text=unknown.verdict("X")) for one in evaluation.verdicts]
    changed = replace(evaluation, verdicts=tuple(verdicts))
    assert "| europe | +3.1 (few blocks) |" in report.to_markdown(changed)
    assert json.loads(report.to_json(changed))["verdicts"][0]["difference"] == {
        "value": 0.031,
        "low": None,
        "high": None,
    }


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
    assert "but worse in europe" in " ".join(text.split())


def test_files_are_written_together_and_not_replaced_unasked(evaluation, tmp_path):
    folder = tmp_path / "new" / "scores"
    paths = report.write(evaluation, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == ["evaluate.csv", "evaluate.json", "evaluate.md"]
    with pytest.raises(OutputError, match=r"evaluate.json: exists already; .* --overwrite"):
        report.write(evaluation, folder)
    report.write(evaluation, folder, overwrite=True)
    (folder.parent / "picture.png").touch()
    with pytest.raises(OutputError, match=r"picture.png: exists already"):
        check_folder(folder.parent, ["picture.png"], overwrite=False)
    with pytest.raises(OutputError, match="is a file"):
        check_folder(folder / "evaluate.csv", ["evaluate.md"], overwrite=False)


def test_every_column_of_the_tables_is_a_score(series):
    from deepcams.evaluation.gridded import Exam, evaluate
    from deepcams.evaluation.truth import Truth

    result = evaluate(Truth.of(series()), Exam(("fast",), "fast", repeats=10))
    known = set(result.rows[0].scores)
    assert {column.score for column in report.COLUMNS} <= known
    assert np.isfinite(result.rows[0].scores["peak"])
