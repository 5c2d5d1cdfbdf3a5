"""Stations on the page: dots by score and by observation, one list of choices, links that find them again."""

from __future__ import annotations

from deepcams.viewer.stations import open_stations
from tests.viewer.page import choose, hover, pairs_file, pixel_of, scores_file, settled, sound, text_of


def test_stations_by_their_scores(browser, look, europe, tmp_path, pictures):
    with look(europe, stations=open_stations(scores_file(tmp_path))) as url:
        browser.open(url)
        settled(browser)
        choose(browser, "dots", "DeepCAMS:bias")
        hover(browser, 48.2, 16.37)
        assert text_of(browser, "readout").startswith("Vienna: bias of DeepCAMS 3 · ")
        browser.screenshot(pictures / "stations.png")
        choose(browser, "dots", "CAMS:rmse")
        browser.mouse("mouseMoved", 10, 400)
        hover(browser, 48.2, 16.37)
        assert "Vienna" not in text_of(browser, "readout")  # it has no such score
        assert "d=CAMS%3Armse" in browser.run("location.hash")
        sound(browser, url)


def test_stations_by_what_they_measured(browser, look, europe, tmp_path, pictures):
    with look(europe, stations=open_stations(pairs_file(tmp_path))) as url:
        browser.open(f"{url}#t=2019-12-31T17")
        settled(browser)
        hover(browser, 48.14, 11.58)
        assert text_of(browser, "readout").startswith("Munich: observed 30.0 µg m⁻³ · ")
        browser.click(*pixel_of(browser, 48.14, 11.58))
        browser.wait("document.getElementById('series').dataset.ready")
        assert browser.run("document.querySelector('#chart .observed').getAttribute('d')").count("M") == 6
        browser.screenshot(pictures / "observed.png")
        sound(browser, url)


def test_stations_by_both(browser, look, europe, tmp_path):
    with look(europe, stations=open_stations(pairs_file(scores_file(tmp_path)))) as url:
        browser.open(f"{url}#t=2019-12-31T17&p=48.14,11.58")
        settled(browser)
        browser.wait("document.getElementById('series').dataset.ready")
        assert text_of(browser, "series-title").startswith("Munich, ")  # a link finds the station again
        lists = browser.run("[...document.getElementById('dots').children].map(e => e.label + "
                            "[...e.children].map(o => ` ${o.value}`).join(''))")  # fmt: skip
        assert lists == ["Hidden", "Observations", "DeepCAMS DeepCAMS:n DeepCAMS:rmse DeepCAMS:bias",
                         "CAMS CAMS:n CAMS:rmse CAMS:bias"]  # fmt: skip
        assert browser.run("document.getElementById('dots').value") == "observed"
        choose(browser, "dots", "DeepCAMS:bias")
        for place, told in [
            ((48.2, 16.37), "Vienna: bias of DeepCAMS 3"),
            ((48.14, 11.58), "Munich: bias of DeepCAMS -1.5"),
        ]:
            hover(browser, *place)
            assert text_of(browser, "readout").startswith(told)
        choose(browser, "dots", "-")
        hover(browser, 48.14, 11.58)
        assert "Munich" not in text_of(browser, "readout")
        browser.open(browser.run("location.href"))
        settled(browser)
        assert browser.run("document.getElementById('dots').value") == "-"
        sound(browser, url)
