"""The page in windows of many sizes: nothing overlaps, what is needed is in sight, and fingers can hit it."""

from __future__ import annotations

import itertools

import pytest

from deepcams.sample import cams_sample
from deepcams.viewer.stations import open_stations
from tests.viewer.page import choose, pairs_file, scores_file, settled, sound

FINGER = 44  # pixels


@pytest.fixture
def sized(browser):
    """The browser, which has its usual size again afterwards."""
    yield browser
    browser.size(1280, 860)


def boxes(browser, selector):
    """Left, top, right and bottom of what is to be seen, by name."""
    return browser.run(f"""Object.fromEntries([...document.querySelectorAll('{selector}')]
        .map(e => [e.id || e.textContent || e.tagName, e.getBoundingClientRect()])
        .filter(([, box]) => box.width * box.height)
        .map(([name, {{left, top, right, bottom}}]) => [name, [left, top, right, bottom]]))""")


def apart(one, other):
    return one[2] <= other[0] + 1 or other[2] <= one[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1


@pytest.mark.parametrize(
    "size", [(390, 844), (844, 390), (320, 568), (667, 375), (768, 1024), (1280, 500), (1280, 860)]
)
def test_nothing_overlaps_and_the_slider_is_in_sight(sized, look, europe, tmp_path, pictures, size):
    stations = open_stations(pairs_file(scores_file(tmp_path)))
    with look(europe, cams_sample(), stations) as url:
        sized.size(*size, touch=size[0] < 1000)
        for point in ("", "&p=48.14,11.58"):
            sized.open(f"{url}#t=2019-12-31T18&m=difference&d=DeepCAMS:bias{point}")
            settled(sized)
            if point:
                sized.wait("document.getElementById('series').dataset.ready")
            sized.screenshot(pictures / f"{size[0]}x{size[1]}{point and '-series'}.png")
            assert sized.run("document.documentElement.scrollWidth") <= size[0]
            for within in ("body > header, main > section, footer", "header button, header select, h1", "#time > *"):
                found = boxes(sized, within)
                assert len(found) > 2
                crossing = [pair for pair in itertools.combinations(found, 2) if not apart(*map(found.get, pair))]
                assert crossing == []
            if not point:
                assert boxes(sized, "#hour")["hour"][3] <= size[1]
        if size[0] < 1000:
            small = {name: box for name, box in boxes(sized, "button, select, input").items()
                     if min(box[2] - box[0], box[3] - box[1]) < FINGER - 0.5 and name != "swipe"}  # fmt: skip
            assert small == {}
        sound(sized, url)


def test_what_is_seldom_done_hides_behind_a_button(sized, look, europe, pictures):
    with look(europe) as url:
        sized.open(url)
        assert boxes(sized, "header button").keys() == {"save", "link", "about-open"}
        sized.size(390, 844, touch=True)
        assert boxes(sized, "header button").keys() == {"more"}
        for key, left in [("Escape", "more"), ("", "BODY")]:
            sized.run("(e => { e.focus(); e.click() })(document.getElementById('more'))")
            assert boxes(sized, "header button").keys() == {"more", "save", "link", "about-open"}
            assert sized.run("document.getElementById('more').getAttribute('aria-expanded')") == "true"
            sized.screenshot(pictures / "menu.png")
            if key:
                sized.press(key)
                assert sized.run("document.activeElement.id") == left
            else:
                sized.run("document.getElementById('about-open').click()")
                assert sized.run("document.getElementById('about').open")
            assert boxes(sized, "header button").keys() == {"more"}
        sound(sized, url)


def view_of(browser):
    """Latitude, longitude and degrees across, by the address."""
    part = next(one for one in browser.run("location.hash")[1:].split("&") if one.startswith("v="))
    return [float(one) for one in part[2:].split(",")]


def test_the_first_view_fills_a_tall_window(sized, look, sample_store, pictures):
    with look(sample_store, cams_sample()) as url:
        for width, height in [(390, 844), (768, 1024)]:
            sized.size(width, height, touch=True)
            sized.open(url)
            settled(sized)
            sized.screenshot(pictures / f"first-{width}.png")
            wide, tall = sized.run("(e => [e.clientWidth, e.clientHeight])(document.getElementById('map'))")
            assert view_of(sized) == pytest.approx([0, 0, 180 * wide / tall], abs=0.01)
            choose(sized, "mode", "side")  # two maps, one above the other: the whole Earth fits them well enough
            assert view_of(sized) == [0, 0, 360]
        sized.run("document.getElementById('zoom-whole').click()")
        settled(sized)
        assert view_of(sized) == [0, 0, 360]
        link = sized.run("location.href")
        sized.size(1280, 860)
        sized.open(link)
        settled(sized)
        assert sized.run("location.href") == link
        sized.open(url)
        settled(sized)
        assert view_of(sized) == [0, 0, 360]
        sound(sized, url)


def test_a_finger_opens_the_series(sized, look, sample_store, pictures):
    with look(sample_store, cams=cams_sample()) as url:
        sized.size(390, 844, touch=True)
        sized.open(f"{url}#t=2019-12-31T18&m=side&v=20,100,120")
        settled(sized)
        sized.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": 200, "y": 300}])
        sized.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        sized.wait("document.getElementById('series').dataset.ready")
        sized.screenshot(pictures / "phone.png")
        assert boxes(sized, "#series-title")["series-title"][3] <= 844
        sound(sized, url)
