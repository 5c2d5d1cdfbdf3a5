"""The report: it loads nothing, says what is there and what is not, takes names as texts, and tells JSON the same."""

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from deepcams.errors import InputError, OutputError
from deepcams.evidence.gather import Asked, gather
from deepcams.evidence.page import to_html
from deepcams.evidence.write import check_report, to_json, write_report
from deepcams.grid import Region
from deepcams.provenance import ATTRIBUTION

pytest.importorskip("matplotlib")

RUN = {"command": "deepcams report run", "time": "2024-01-01T00:00:00+00:00", "host": "here"}


@pytest.fixture(scope="module")
def evidence(original):
    return gather(Asked((original / "run",), cams=(str(original / "cams.nc"),)))


@pytest.fixture
def read(evidence, page):
    return page(to_html(evidence, RUN))


def test_the_page_loads_nothing_and_has_no_script(read):
    for tag, attributes in read.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        for name in ("src", "href", "srcset", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,iVBOR"))
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in read.style
    assert "@import" not in read.style


def test_the_page_can_be_read_by_everybody(read):
    assert read.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in read.all("img"))
    assert len(read.all("caption")) == len(read.all("table")) > 10
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    assert {link["href"][1:] for link in read.all("a")} == {found["id"] for _, found in read.tags if "id" in found}


def test_it_says_what_was_found(read):
    for words in ("23 hours (9 analyses, 14 interpolated)", "11 between them missing",
                  "no hour from 2019-12-30 13:00 to 2019-12-30 23:00 UTC", "2019-12-30 was verified: all is well",
                  "area means as in CAMS within", "mean of 13 hours", "space-first", "cams.nc", "started", "completed",
                  "better than bicubic+linear by 11.0 to 25.0 %", "+5.0 (+1.2 to +10.0), worse",
                  "DeepCAMS minus CAMS is better than CAMS", "Thanks to all stations.", ATTRIBUTION,
                  "Detail is estimated, not observed"):  # fmt: skip
        assert words in read.text.replace("−", "-"), words


def test_maps_and_spectra_are_in_it(evidence, read):
    assert [one.name for one in evidence.shown[0].pictures] == ["map"]  # too small for a detail
    assert [one.name for one in evidence.spectra.spectra] == ["CAMS", "bicubic", "DeepCAMS"]
    assert evidence.spectra.hours.size <= 8
    assert len(read.all("img")) == 2


def test_json_has_the_same_facts_and_is_strict(evidence):
    content = json.loads(to_json(evidence, RUN), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    (result,) = content["results"]
    assert result["hours"] | {"pauses": None} == {"first": "2019-12-30T00", "last": "2019-12-31T09", "analyses": 9,
                                                  "interpolated": 14, "missing": 11, "pauses": None}  # fmt: skip
    assert len(result["shown"]["hours"]) == 13
    assert set(result["shown"]["products"]) == {"CAMS", "DeepCAMS"}
    assert result["checked"]["problems"] == []
    assert result["provenance"]["deepcams_settings"]["time"] == "linear"
    assert [line["event"] for line in result["log"]] == ["started", "completed"]
    assert content["evaluations"][0]["verdicts"][0]["text"] == "better than bicubic+linear by 11.0 to 25.0 %"
    assert "better than CAMS" in content["validations"][0]["verdict"]
    assert set(content["spectra"]["products"]) == {"CAMS", "bicubic", "DeepCAMS"}
    assert content["found"]["absent"] == []
    assert content["notes"] == []
    assert content["limits"][0]["headline"] == "Detail is estimated, not observed."


def test_names_are_texts(folder, page):
    evil = "<script>alert(1)</script> & \"quotes\" 'and' $x_2$"
    path = folder / "run" / "validation" / "scores.json"
    path.write_text(path.read_text().replace("DeepCAMS minus CAMS", json.dumps(evil)[1:-1]))
    log = folder / "run" / "hourly.zarr.log"
    log.write_text(json.dumps({"event": evil, "command": evil, "time": evil, evil: evil}) + "\n")
    run = folder / "<b>run & $x$"
    (folder / "run").rename(run)
    read = page(to_html(gather(Asked((run,))), RUN))
    assert not [tag for tag, _ in read.tags if tag in ("script", "b")]
    assert evil in read.text
    assert "<b>run & $x$" in read.text


def test_what_is_not_there_is_said_with_how_to_make_it(folder, page):
    shutil.rmtree(folder / "run" / "scores")
    shutil.rmtree(folder / "run" / "validation")
    evidence = gather(Asked((folder / "run",)))
    read = page(to_html(evidence, RUN))
    assert len(evidence.absent) == 3
    for words in ("No evaluate.json: deepcams evaluate", "No scores.json: deepcams validate", "give its files with --cams",
                  "CAMS was not given"):  # fmt: skip
        assert words in read.text
    assert "Evaluation against" not in read.text
    assert [one.name for one in evidence.spectra.spectra] == ["DeepCAMS"]


def test_scores_alone_are_a_report_too(folder, page):
    evidence = gather(Asked((folder / "run" / "scores",)))
    read = page(to_html(evidence, RUN))
    assert evidence.spectra is None
    assert "No hourly result" in read.text
    assert "Scores over all cells" in read.text
    assert json.loads(to_json(evidence, RUN))["results"] == []
    with pytest.raises(InputError, match="there is none"):
        gather(Asked((folder / "run" / "scores",), cams=("cams.nc",)))


def test_scores_of_other_work_are_pointed_out(folder):
    other = folder / "run" / "other.zarr"
    (folder / "run" / "hourly.zarr").rename(other)
    path = folder / "run" / "scores" / "evaluate.json"
    path.write_text(path.read_text().replace('"lcbp"', '"network"').replace('"0.1.0"', '"9.9"'))
    notes = gather(Asked((folder / "run",))).notes
    assert any("no evaluation found is of the method that made other.zarr" in note for note in notes)
    assert any("no validation found is of other.zarr" in note for note in notes)
    assert any(note.endswith("made by deepcams 9.9, and this report by 0.1.0") for note in notes)


def test_two_results_of_one_name_are_told_apart(folder):
    shutil.copytree(folder / "run" / "hourly.zarr", folder / "run" / "again" / "hourly.zarr")
    evidence = gather(Asked((folder / "run",)))
    names = [one.run.name for one in evidence.shown]
    assert len(set(names)) == 2
    assert [one.name for one in evidence.spectra.spectra] == names


def test_an_hour_and_a_region(folder, page):
    asked = Asked((folder / "run",), (str(folder / "cams.nc"),), time="2019-12-31T04", region=Region(54, 3, 50, 10))
    evidence = gather(asked)
    read = page(to_html(evidence, RUN))
    assert "The hour is interpolated between analyses." in read.text
    assert "2019-12-31 04:00 UTC" in read.text
    assert "2019-12-31 was verified" in read.text
    with pytest.raises(InputError, match="2031"):
        gather(Asked((folder / "run",), time="2031-01-01"))


def test_pictures_beside_scores_are_taken_over(folder, evidence, page):
    image = evidence.shown[0].pictures[0].image
    (folder / "run" / "validation" / "scatter.png").write_bytes(image)
    (folder / "run" / "scores" / "evaluate-both.png").write_bytes(image)
    (folder / "run" / "validation" / "scatter-2.png").write_bytes(image)
    (folder / "run" / "validation" / "holiday.png").write_bytes(image)
    read = page(to_html(gather(Asked((folder / "run",))), RUN))
    assert len(read.all("img")) == 5
    for words in (
        "An hour between those given, on the fine grid",
        "fitted line and the scores of each panel. Sheet 2. Drawn by",
    ):
        assert words in read.text
    (folder / "run" / "validation" / "scatter.png").write_bytes(b"<svg onload=alert(1)>")
    with pytest.raises(InputError, match="PNG"):
        to_html(gather(Asked((folder / "run",))), RUN)


def test_both_files_are_written_or_none(evidence, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    assert write_report(evidence, path) == [path, tmp_path / "report.json"]
    with pytest.raises(OutputError, match="exists already"):
        write_report(evidence, path)
    path.unlink()
    with pytest.raises(OutputError, match=r"report\.json: exists already"):
        write_report(evidence, path)
    write_report(evidence, path, overwrite=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_places_that_are_not_for_a_report_are_refused(folder, tmp_path):
    for path, words in (
        (folder / "run" / "validation" / "report.html", "report of deepcams validate"),
        (folder / "run" / "hourly.zarr" / "report.html", "which is a store"),
        (tmp_path / "nowhere" / "report.html", "does not exist"),
        (tmp_path / "report.pdf", "suffix"),
    ):
        with pytest.raises(OutputError, match=words):
            check_report(Path(path), overwrite=True)


def test_a_damaged_map_is_told_of_and_the_rest_is_shown(folder, page):
    chunk = next(path for path in (folder / "run" / "hourly.zarr" / "pm2p5" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:40])
    evidence = gather(Asked((folder / "run",), (str(folder / "cams.nc"),)))
    read = page(to_html(evidence, RUN))
    assert evidence.shown[0].checked.problems
    for words in ("Something is wrong with it", "Its maps cannot be shown", "No spectra", "Scores over all cells"):
        assert words in read.text
    with pytest.raises(InputError, match="no cells within"):
        gather(Asked((folder / "run",), region=Region(-10, 3, -20, 10)))


def test_verdicts_are_not_told_without_what_the_evaluation_notes_of_the_method(folder, page):
    path = folder / "run" / "scores" / "evaluate.json"
    path.write_text(path.read_text().replace('"a note"', '"fast was trained: its scores are not held out"'))
    read = page(to_html(gather(Asked((folder / "run",))), RUN))
    assert "by 11.0 to 25.0 %. But fast was trained: its scores are not held out." in read.text


def test_scores_have_units_and_meanings(folder, page):
    path = folder / "run" / "scores" / "evaluate.json"
    path.write_text(path.read_text().replace('"0-5"', '"75-"'))
    text = page(to_html(gather(Asked((folder / "run",))), RUN)).text
    for words in ("RMSE, µg m⁻³", "Top 1 %: bias in the one percent of the area", "75 and more"):
        assert words in text
