"""The report: a page that opens offline, is well-formed, says what was found, and takes names as texts."""

import base64
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.provenance import ATTRIBUTION, provenance
from deepcams.stations.assess import assess
from deepcams.stations.assessment import Paired
from deepcams.stations.lags import Lagged, lag_correlations
from deepcams.stations.quality import TITLES
from deepcams.stations.readers.reading import Reading
from deepcams.stations.report import ReportContent, box_of, period_of, to_html, write_report
from deepcams.stations.report_results import number, verdict
from deepcams.stations.table import DAY, HOUR, Observations, Pairs, Stations
from tests.pages import Page

PNG = b"\x89PNG\r\n\x1a\n and the rest"
EVIL = '<script>alert("1 & 2")</script>'


def stations(count, *, country="NL", name="station"):
    texts = np.full(count, "", object)
    names = np.array([f"{name} {number}" for number in range(count)], object)
    latitude, longitude = np.linspace(50, 53, count), np.linspace(4, 7, count)
    source, of = np.full(count, "openaq-v3", object), np.full(count, country, object)
    return Stations(names, texts, names, latitude, longitude, of, source, texts, np.zeros(count, bool))


def made(count=8640, places=6, products=("CAMS", "DeepCAMS"), *, days=60):
    """Hourly pairs without a gap at each station; each product is better than the one before it."""
    generator = np.random.default_rng(0)
    hours = count // places
    begin = np.datetime64("2020-01-01T00", "m") + np.arange(hours) * np.timedelta64(days * 24 * 60 // hours, "m")
    value = generator.lognormal(2.8, 0.8, count).astype(np.float32)
    station = np.tile(np.arange(places), hours).astype(np.int32)
    rows = (station, np.repeat(begin, places), np.full(count, HOUR, np.int32), value, np.zeros(count, np.uint8))
    error = generator.normal(0.5, 1, count)
    predicted = {name: (value + 12 * error / 3**index).astype(np.float32) for index, name in enumerate(products)}
    return Pairs(Observations(stations(places), *rows), predicted)


def content(pairs=None, **changes):
    pairs = made() if pairs is None else pairs
    reading = Reading(pairs.observations, 9040, 250, ("utrecht.csv",), {"openaq-v3": 1},
                      {"openaq-v3": "hour-ending (OpenAQ documentation)"}, ("one file had no sensor column",))  # fmt: skip
    settings = {"rule": "mean", "interpolation": "bilinear", "averaging": "hourly", "repeats": 50}
    told = ReportContent(
        "Validation of PM2.5", reading, {"negative": 12, "no_model": 388}, pairs, assess(pairs, repeats=50),
        {name: f"{name}, described" for name in pairs.products}, lag_correlations(pairs, next(iter(pairs.products))),
        settings, provenance(settings, ["/data/cams.nc"]) | {"sha256": {"cams.nc": "abc"}},
        {"command": "deepcams validate", "time": "2026-01-01T00:00:00+00:00", "host": "here"},
    )  # fmt: skip
    return replace(told, **changes)


FIGURES = {"scatter": PNG, "scatter-2": PNG, "stations": PNG, "cycles": PNG, "taylor": PNG}


@pytest.fixture(scope="module")
def page():
    return Page(to_html(content(), FIGURES))


def test_the_page_loads_nothing_and_has_no_script(page):
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "srcset", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_the_page_can_be_read_by_everybody(page):
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "prefers-color-scheme: dark" in page.style
    assert "@media print" in page.style
    assert len(page.all("img")) == 5
    assert all(image["alt"] for image in page.all("img"))
    assert all(head["scope"] in ("row", "col") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"][1:] for link in page.all("a")} == anchors


def test_figures_are_whole_within_the_page(page):
    data = [image["src"].partition(",")[2] for image in page.all("img")]
    assert [base64.b64decode(one) for one in data] == [PNG] * 5
    assert "Sheet 2." in page.all("img")[1]["alt"]


def test_the_verdict_comes_first_and_is_of_the_scores(page):
    told = content()
    expected = verdict(told.assessment)
    assert page.text.index(expected) < page.text.index("Contents" if "Contents" in page.text else "Data")
    assert expected.startswith("On the same 8,640 observations at 6 stations, DeepCAMS is better than CAMS: R ")
    scores = [told.assessment.pooled(name).scores["rmse"] for name in ("DeepCAMS", "CAMS")]
    assert f"RMSE {scores[0]:.2f} against {scores[1]:.2f} µg m⁻³ (better; 95 % interval of the difference −" in expected


def paired(verdicts):
    return tuple(
        Paired("DeepCAMS", "CAMS", score, -1.0, np.nan if one.startswith("not") else -2.0, -0.5, one)
        for score, one in zip(("r", "rmse", "bias"), verdicts, strict=True)
    )


@pytest.mark.parametrize(
    ("verdicts", "claim"),
    [
        (("better", "better", "better"), "DeepCAMS is better than CAMS:"),
        (("worse", "worse", "worse"), "DeepCAMS is worse than CAMS:"),
        (("better", "worse", "better"), "DeepCAMS is better than CAMS by some scores and worse by others:"),
        (("better", "no difference shown", "better"), "DeepCAMS is better than CAMS by some scores:"),
        (("no difference shown",) * 3, "no difference between DeepCAMS and CAMS is shown:"),
        (("not known: too few",) * 3, "it is not known whether DeepCAMS is better than CAMS"),
    ],
)
def test_no_more_is_claimed_than_the_intervals_allow(verdicts, claim):
    assessment = replace(content().assessment, paired=paired(verdicts))
    assert claim in verdict(assessment)


def test_the_verdict_says_what_the_intervals_leave_out():
    assert "says nothing" not in verdict(content(made(days=60)).assessment)
    assert verdict(content(made(days=7)).assessment).endswith("). This says nothing of other weeks.")
    assert verdict(content(made(places=2)).assessment).endswith("). This says nothing of other stations.")
    assert "says nothing" not in verdict(content(made(9, 1, days=1)).assessment)


def test_small_differences_keep_their_digits_and_those_of_biases_say_what_they_are_of():
    rmse = Paired("DeepCAMS", "CAMS", "rmse", 0.004, 0.00021, 0.0068, "worse")
    bias = Paired("DeepCAMS", "CAMS", "bias", -1.5, -2.0, -1.0, "better")
    told = verdict(replace(content().assessment, paired=(rmse, bias)))
    assert "(worse; 95 % interval of the difference +0.0002 to +0.0068)" in told
    assert "(better; 95 % interval of the difference of absolute values −2.00 to −1.00)" in told


def test_a_single_product_has_scores_but_no_verdict():
    alone = content(made(products=("CAMS",)))
    assert "it was compared with no other product" in verdict(alone.assessment)
    assert "There is but one product" in Page(to_html(alone, {})).text


def test_all_is_told(page):
    told = content()
    for text in (
        "9,040 observations of PM2.5 were read from 1 file; 250 of other species were left out.",
        "8,640 observations at 6 stations were compared.",
        "hour-ending (OpenAQ documentation)",
        "One file had no sensor column.",
        "50.00°N to 53.00°N, 4.00°E to 7.00°E",
        "2020-01-01 00:00 to",
        TITLES["negative"],
        "4.29",
        "piecewise linear",
        "interpolated bilinearly",
        "DeepCAMS, described",
        "false alarm ratio, %",
        ATTRIBUTION,
        "deepcams validate",
        "regression to the mean",
        "All stations whose country is known are in NL",
        "6 stations: what is found holds for these places only.",
    ):
        assert text in page.text, text
    for name in ("By year", "By season", "By hour of mean solar time", "By country", "By observed concentration"):
        assert name in page.text
    assert "cams.nc: abc" in page.text
    assert "−1 h 0 h +1 h" in page.text
    assert set(map(str, told.settings.values())) <= set(map(str.strip, page.words))


def test_notes_and_late_stamps_are_told_before_any_number():
    late = Lagged("embassy", "CAMS", (-1, 0, 1), (0.2, 0.3, 0.5), 500, 1, "embassy: fits better 1 h later")
    early = content(made(days=7), lags={"embassy": late}, notes=("the period is short",))
    text = Page(to_html(early, {})).text
    for note in (
        "Embassy: fits better 1 h later.",
        "The period is short.",
        "the intervals cover the choice of stations",
    ):
        assert note in text[: text.index("were read from")]
    assert "1 week: what is found holds for this weather only" in text or "2 weeks: what is found" in text


def test_names_are_texts_whatever_they_hold():
    pairs = made(products=("CAMS", EVIL))
    evil = content(pairs, title=EVIL, rejected={EVIL: 1}, notes=(EVIL,), settings={EVIL: EVIL, "many": [EVIL, 1.5]})
    pairs.observations.stations.source[:] = EVIL
    pairs.observations.stations.country[:] = EVIL
    text = to_html(replace(evil, assessment=assess(pairs, repeats=10)), FIGURES)
    assert "<script" not in text
    assert EVIL in Page(text).text


def test_little_is_told_as_little():
    few = content(made(9, 1, days=1), rejected={}, lags={}, settings={}, provenance={}, run={})
    text = Page(to_html(few, {})).text
    assert "Nothing speaks against any observation." in text
    assert "No day has 75 % of its hours: there are no daily means." in text
    assert "are too few to tell how sure the scores are" in text
    assert "nan" not in text.lower().split()


def test_what_is_told_of_intervals_days_and_rules_is_of_this_case():
    pairs = made(9, 1, days=1)
    pairs.observations.period[:] = DAY
    text = Page(to_html(content(pairs, settings={"rule": "end", "region": None}), {})).text
    assert "in brackets 95 % intervals" not in text
    assert "Observations are daily means as they were published" in text
    assert "need 75 %" not in text
    assert "Averaging a product between its hours" not in text
    assert "region not given" in text
    assert "50.00°N, 4.00°E;" in text
    assert "the MQI of a shorter period is but an indication" in text


def test_a_best_lag_is_named_only_where_it_is_clear():
    def best(found, lag, note=""):
        one = Lagged("embassy", "CAMS", (-6, 0, 6), found, 500, lag, note)
        words = Page(to_html(content(lags={"embassy": one}), {})).text
        return words.partition("R by lag")[2].partition("Limits")[0]

    assert "not clear" in best((0.05, 0.06, 0.07), 6)
    assert best((0.2, 0.3, 0.5), 6, "embassy: fits better 6 h later").rstrip().endswith("+6")
    assert "not clear" not in best((0.2, 0.5, 0.3), 0)


def test_many_countries_are_cut_to_the_largest():
    pairs = made(620, 31)
    pairs.observations.stations.country[:] = [f"C{index:02d}" for index in range(31)]
    text = Page(to_html(content(pairs), {})).text
    assert "the 20 countries with most observations of 31" in text


def test_numbers_have_true_minus_signs_and_dashes():
    assert number("bias", -1.234) == "−1.23"
    assert number("bias", np.nan) == "–"
    assert number("nmb", 0.1234) == "+12.3"
    assert number("new score", 0.123456) == "0.1235"


def test_period_and_box_across_the_date_line():
    pairs = made()
    assert period_of(pairs)[0] == "2020-01-01 00:00"
    pairs.observations.stations.longitude[:] = [170, 175, 180, -175, -170, 185]
    assert box_of(pairs.observations.stations).endswith("170.00°E to 170.00°W")


def test_the_file_is_whole_and_not_replaced_unasked(tmp_path):
    path = tmp_path / "report.html"
    figure = tmp_path / "scatter.png"
    figure.write_bytes(PNG)
    write_report(path, content(), {"scatter": figure})
    assert Page(path.read_text(encoding="utf-8")).all("img")
    with pytest.raises(OutputError, match="exists"):
        write_report(path, content(), {})
    before = path.read_bytes()
    with pytest.raises(InputError, match="PNG"):
        write_report(path, content(), {"scatter": b"<svg>"}, overwrite=True)
    assert path.read_bytes() == before
    write_report(path, content(), {}, overwrite=True)
    assert path.read_bytes() != before
    assert {one.name for one in tmp_path.iterdir()} == {"report.html", "scatter.png"}
    with pytest.raises(OutputError, match="suffix"):
        write_report(tmp_path / "report.pdf", content(), {})
