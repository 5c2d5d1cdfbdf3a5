"""The page for those who listen, use the keyboard alone, or see colours differently."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deepcams.sample import cams_sample
from deepcams.viewer.stations import open_stations
from tests.viewer.page import pairs_file, scores_file, settled, sound

REPOSITORY = Path(__file__).parents[2]
CONTROLS = {
    "button",
    "combobox",
    "slider",
    "application",
    "textbox",
    "link",
    "spinbutton",
    "DateTime",
    "dialog",
    "image",
}
CONTRAST = 4.5  # of text with what is behind it, after WCAG 2.2, 1.4.3
LIGHTER = 10  # of 255: the least between classes
_CONTRASTS = """(() => {
  const part = one => (one /= 255) <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const numbers = css => css.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
    if (a > 0.8) return [r, g, b] } return [255, 255, 255] };
  const found = {}, walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.disabled) continue;
    const style = getComputedStyle(e), ink = numbers(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))];
    const name = `${e.id || e.tagName} ${walk.currentNode.data.trim().slice(0, 20)}`;
    found[name] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found })()"""


@pytest.fixture
def full(browser, look, europe, tmp_path):
    """The page with everything it has: CAMS, stations, a series."""
    with look(europe, cams_sample(), open_stations(pairs_file(scores_file(tmp_path)))) as url:
        browser.open(f"{url}#t=2019-12-31T18&m=swipe&d=DeepCAMS:bias&p=48.14,11.58")
        settled(browser)
        browser.wait("document.getElementById('series').dataset.ready")
        yield browser
        sound(browser, url)
        browser.size(1280, 860)


@pytest.mark.parametrize("width", [1280, 390])
def test_every_control_has_a_name_and_text_stands_out(full, width):
    full.size(width, 860)
    full.run("document.getElementById('more').click()")
    nodes = [one for one in full.send("Accessibility.getFullAXTree")["nodes"] if not one["ignored"]]
    controls = [(one["role"]["value"], one["name"]["value"]) for one in nodes if one["role"]["value"] in CONTROLS]
    assert len(controls) > 15
    assert [role for role, name in controls if not name.strip()] == []
    contrasts = full.run(_CONTRASTS)
    assert len(contrasts) > 20
    assert {name: ratio for name, ratio in contrasts.items() if ratio < CONTRAST} == {}
    full.run("document.getElementById('about').showModal()")
    assert {name: ratio for name, ratio in full.run(_CONTRASTS).items() if ratio < CONTRAST} == {}
    full.run("document.getElementById('about').close()")


def test_the_keyboard_reaches_everything_and_leaves_again(full):
    full.run("document.body.focus()")
    wanted = full.run("""[...document.querySelectorAll('a, button, select, input, [tabindex="0"]')]
        .filter(e => e.checkVisibility() && !e.disabled && !e.closest('dialog')).map(e => e.id)""")
    reached = []
    for _ in range(len(wanted) + 20):  # a date has parts
        full.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9)
        full.send("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)
        name, ring = full.run("(e => [e.id, getComputedStyle(e).outlineStyle])(document.activeElement)")
        if name:
            assert ring != "none", name
            reached.append(name)
    assert list(dict.fromkeys(reached)) == wanted
    assert reached.count("skip") > 1  # round and round


def test_a_mark_on_a_station_tells_of_it(full):
    full.run("document.getElementById('map').focus()")
    full.press("ArrowUp")
    full.press("ArrowDown")
    told = full.run("document.getElementById('spoken').textContent")
    assert told.startswith("Munich: bias of DeepCAMS -1.5")
    full.press("Enter", "\r")
    assert full.run("document.getElementById('series-title').textContent").startswith("Munich, ")


def test_values_are_in_order_for_those_who_see_no_colours():
    """Each colour of the scales of concentrations is darker than the one before."""
    tables = json.loads((REPOSITORY / "viewer" / "src" / "colours.json").read_text("utf-8"))
    for name in ("log", "who"):
        light = [np.dot([0.2126, 0.7152, 0.0722], [int(one[k : k + 2], 16) for k in (1, 3, 5)]) for one in tables[name]]
        assert (np.diff(light) <= 0).all()
        assert name == "log" or (np.diff(light) < -LIGHTER).all()
