"""The chart of a series: round steps on its axes, and labels that keep apart, for any length and width."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from deepcams.conventions import TIME_UNITS
from tests.viewer.page import settled, sound


@pytest.fixture
def chart(browser, look, tmp_path):
    """What the axes of a series say in a window: values, times, and whether labels touch."""

    def chart(hours, peak, width=1280):
        time = np.arange(hours, dtype="int64") + 430_000  # hours since 1970: 2019-01-20 16 UTC
        values = np.tile(np.linspace(0, peak, hours, dtype=np.float32)[:, None, None], (1, 4, 4))
        degrees = {"latitude": [51.0, 50.5, 50, 49.5], "longitude": [10.0, 10.5, 11, 11.5]}
        store = xr.Dataset(
            {
                "pm2p5": (("time", "latitude", "longitude"), values, {"units": "ug m-3"}),
                "time_kind": ("time", 0 * time),
            },
            {"time": ("time", time, {"units": TIME_UNITS}), **degrees},
        )
        store.to_zarr(tmp_path / "s.zarr", mode="w", zarr_format=3, encoding={"pm2p5": {"chunks": (hours, 4, 4)}})
        with look(tmp_path / "s.zarr") as url:
            browser.size(width, 860)
            browser.open(f"{url}#p=50,11")
            settled(browser)
            browser.wait("document.getElementById('series').dataset.ready")
            while not browser.run("document.getElementById('series-more').disabled"):
                browser.run("document.getElementById('series-more').click()")
                browser.wait("document.getElementById('series-stop').hidden")
            labels = browser.run("""[...document.querySelectorAll('#chart text')].map(e => {
                const {left, right, top, bottom} = e.getBoundingClientRect(), edge = e.ownerSVGElement.getBoundingClientRect();
                return [e.textContent, left - edge.left, right - edge.left, top, bottom, edge.width] })""")
            sound(browser, url)
        for _, left, right, _, _, room in labels:
            assert left >= 0
            assert right <= room
        for one, other in itertools.combinations(labels, 2):
            assert one[2] < other[1] or other[2] < one[1] or one[4] <= other[3] or other[4] <= one[3], (one, other)
        lowest = max(bottom for *_, bottom, _ in labels)
        told = [[text for text, *_, bottom, _ in labels if (bottom == lowest) == below] for below in (False, True)]
        return told[0], told[1]

    yield chart
    browser.size(1280, 860)


AXES = {50: "0 10 20 30 40 50", 0.7: "0 0.2 0.4 0.6 0.8", 11: "0 2 4 6 8 10 12", 0: "0 0.2 0.4 0.6 0.8 1"}


@pytest.mark.parametrize(("peak", "numbers"), AXES.items())
def test_values_go_by_one_two_or_five(chart, peak, numbers):
    assert chart(24, peak)[0] == numbers.split()


@pytest.mark.parametrize("width", [320, 2560])
@pytest.mark.parametrize("hours", [1, 24, 8784])
def test_labels_keep_apart(chart, hours, width):
    times = chart(hours, 20, width)[1]
    assert 1 <= len(times) <= width / 90


def test_long_series_are_marked_by_months_and_years(chart):
    assert chart(8784, 20)[1][:2] == ["2019-03", "2019-05"]
    assert chart(80000, 20)[1] == [str(year) for year in range(2020, 2029)]


def test_hours_before_and_after_all_that_was_made_take_no_room(browser, look, sample_store):
    with look(sample_store) as url:  # two days, of which ten hours were made
        browser.open(f"{url}#p=50,11")
        settled(browser)
        browser.wait("document.getElementById('series').dataset.ready")
        left, right, width = browser.run("""(() => {
            const line = document.querySelector('#chart .line').getBoundingClientRect();
            return [line.left, line.right, document.getElementById('chart').clientWidth] })()""")
        assert right - left > 0.9 * width
        sound(browser, url)
