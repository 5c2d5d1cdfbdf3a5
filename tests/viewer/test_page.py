"""The page in a headless browser with the network cut: it shows what is in the store, and says what is not."""

from __future__ import annotations

import csv
import io
import json
import shutil

import numpy as np
import pytest
import xarray as xr

from deepcams.sample import cams_sample
from deepcams.viewer.site import Site
from deepcams.viewer.stores import open_shown
from tests.viewer.conftest import command
from tests.viewer.page import SYDNEY, choose, hover, pixel_of, pixels, saved, settled, sound, text_of


def test_the_sample_is_shown_and_values_are_those_of_the_store(browser, look, sample_store, pictures, number_at):
    with look(sample_store) as url, xr.open_zarr(sample_store) as store:
        browser.open(url)
        settled(browser)
        hour = store.pm2p5.sel(time="2019-12-31T15")
        assert text_of(browser, "utc") == "2019-12-31 15:00 UTC"
        assert text_of(browser, "kind") == "analysis"
        for place in [SYDNEY, (0, 0), (52.25, 5.25), (28.5, 77.25), (10, 179.75), (-45, -179.75), (66, 0)]:
            assert hover(browser, *place) == number_at(hour, *place)
        assert "00°N 0.00°E" in browser.run("document.getElementById('readout').textContent")
        browser.screenshot(pictures / "sample.png")
        ready = int(browser.run("document.documentElement.dataset.ready"))
        assert ready < 5000  # a second and a half on a quiet machine
        sound(browser, url)


def test_the_slider_moves_the_map(browser, look, sample_store, number_at):
    with look(sample_store) as url, xr.open_zarr(sample_store) as store:
        browser.open(url)
        settled(browser)
        before = pixels(browser)
        browser.run("(e => { e.value = 19; e.dispatchEvent(new Event('input')) })(document.getElementById('hour'))")
        settled(browser)
        assert text_of(browser, "utc") == "2019-12-31 19:00 UTC"
        assert text_of(browser, "kind") == "interpolated"
        assert pixels(browser) != before
        assert hover(browser, *SYDNEY) == number_at(store.pm2p5[19], *SYDNEY)
        browser.press(".", ".")
        settled(browser)
        assert text_of(browser, "utc") == "2019-12-31 20:00 UTC"
        assert float(browser.run("document.getElementById('readout').dataset.value")) == number_at(
            store.pm2p5[20], *SYDNEY
        )
        sound(browser, url)


def test_it_plays_and_pauses(browser, look, sample_store):
    with look(sample_store) as url:
        browser.open(url)
        settled(browser)
        browser.press(" ", " ")
        browser.wait("document.getElementById('utc').textContent.includes('18:00')")
        browser.press(" ", " ")
        settled(browser)
        rest = text_of(browser, "utc")
        browser.run("new Promise(done => setTimeout(done, 900))")
        assert text_of(browser, "utc") == rest
        sound(browser, url)


def test_a_click_draws_the_series_of_the_cell(browser, look, sample_store, pictures):
    with look(sample_store, cams=cams_sample()) as url, xr.open_zarr(sample_store) as store:
        browser.open(f"{url}#v=-30,150,60")
        settled(browser)
        browser.click(*pixel_of(browser, *SYDNEY))
        browser.wait("document.getElementById('series').dataset.ready")
        browser.screenshot(pictures / "series.png")
        name, kind, _, text = saved(browser, "series-save")
        assert (name, kind) == ("pm2p5_-33.75_151.00_2019-12-31T00.csv", "text/csv") or name.startswith("pm2p5_-33.")
        rows = list(csv.DictReader(io.StringIO(text.split("\n", 2)[2])))
        truth = store.pm2p5.sel(latitude=SYDNEY[0], longitude=SYDNEY[1])
        assert [row["time"] for row in rows] == [f"{str(time)[:13]}:00Z" for time in truth.time.values]
        found = np.array([float(row["pm2p5"] or "nan") for row in rows], np.float32)
        np.testing.assert_array_equal(found, truth.values)
        words = np.array(["analysis", "interpolated", "missing"])
        assert [row["time_kind"] for row in rows] == words[store.time_kind.values].tolist()
        assert sum(row["cams"] != "" for row in rows) == 4
        line = browser.run("document.querySelector('#chart .line').getAttribute('d')")
        assert line.count("M") == 1
        assert line.count("M") + line.count("L") == int(np.isfinite(truth).sum())
        analyses = browser.run("document.querySelector('#chart .analysis').getAttribute('d')")
        assert analyses.count("M") == int((store.time_kind == 0).sum())
        sound(browser, url)


def test_what_is_clicked_stays_in_sight(browser, look, sample_store):
    with look(sample_store) as url:
        browser.open(f"{url}#v=0,0,120")
        settled(browser)
        bottom = browser.run("document.getElementById('map').getBoundingClientRect().bottom")
        browser.click(640, bottom - 20)
        browser.wait("document.getElementById('series').dataset.ready")
        settled(browser)
        point = next(one for one in browser.run("location.hash")[1:].split("&") if one.startswith("p="))
        y = pixel_of(browser, *map(float, point[2:].split(",")))[1]
        box = browser.run("(({top, bottom}) => [top, bottom])(document.getElementById('map').getBoundingClientRect())")
        assert box[0] < y < box[1] < bottom
        sound(browser, url)


@pytest.fixture(scope="module")
def series_store(tmp_path_factory):
    """The sample over the Alps, stored for series: several chunks in a shard."""
    path = tmp_path_factory.mktemp("series") / "series.zarr"
    command("downscale", "--sample", path, "--method", "fast", "--region", "alps", "--layout", "series", "--quiet")
    return path


def test_a_store_for_series_gives_maps_too(browser, look, series_store, number_at):
    with look(series_store) as url, xr.open_zarr(series_store) as store:
        browser.open(url)
        settled(browser)
        for place in [(48.75, 5.25), (43.25, 16.75), (45.5, 9.25)]:  # in different chunks
            assert hover(browser, *place) == number_at(store.pm2p5[15], *place)
        browser.click(*pixel_of(browser, 43.25, 16.75))
        browser.wait("document.getElementById('series').dataset.ready")
        rows = list(csv.DictReader(io.StringIO(saved(browser, "series-save")[3].split("\n", 2)[2])))
        truth = store.pm2p5.sel(latitude=43.25, longitude=16.75, method="nearest").values
        np.testing.assert_array_equal(np.array([float(row["pm2p5"] or "nan") for row in rows], np.float32), truth)
        sound(browser, url)


def test_maps_out_of_chunks_of_any_kind(browser, look, europe, tmp_path, number_at):
    with xr.open_zarr(europe) as store:
        again = store[["pm2p5", "time_kind"]].load().drop_encoding()
    for chunks in [{"chunks": (24, 10, 7)}, {"chunks": (3, 100, 200)}, {"chunks": (8, 7, 9), "shards": (24, 70, 90)}]:
        again.to_zarr(tmp_path / "s.zarr", mode="w", zarr_format=3, encoding={"pm2p5": chunks})
        with look(tmp_path / "s.zarr") as url:
            browser.open(url)
            settled(browser)
            for place in [(48.25, 11.5), (53.75, 6.25), (46.5, 18.75)]:
                assert hover(browser, *place) == number_at(again.pm2p5[15], *place)
            sound(browser, url)


def test_maps_come_without_helpers_too(browser, serve, series_store, number_at):
    site = Site(open_shown(str(series_store)))
    with serve(lambda key: None if key == "unpacker.js" else site.find(key)) as server:
        browser.open(server.url)
        settled(browser)
        with xr.open_zarr(series_store) as store:
            assert hover(browser, 45.5, 9.25) == number_at(store.pm2p5[15], 45.5, 9.25)


def test_damage_in_a_store_for_series_is_said(browser, look, series_store, tmp_path, number_at):
    path = shutil.copytree(series_store, tmp_path / "damaged.zarr")
    shard = path / "pm2p5" / "c" / "0" / "0" / "0"
    data = shard.read_bytes()
    for harm in [b"\xff" * 400 + data[400:], data[:100], b""]:
        shard.write_bytes(harm)
        with look(path) as url:
            browser.open(url)
            settled(browser)
            assert "2019-12-31 15:00 UTC cannot be shown: these data are damaged" in text_of(browser, "empty")
    shard.write_bytes(data)
    with look(path) as url, xr.open_zarr(path) as store:
        browser.open(f"{url}#t=2019-12-31T16")
        settled(browser)
        assert hover(browser, 45.5, 9.25) == number_at(store.pm2p5[16], 45.5, 9.25)
        browser.open(f"{url}#t=2020-01-01T00")  # a shard of a day with a single hour
        settled(browser)
        assert hover(browser, 45.5, 9.25) == number_at(store.pm2p5[24], 45.5, 9.25)
        sound(browser, url)


def test_a_link_restores_the_view(browser, look, sample_store):
    with look(sample_store, cams=cams_sample()) as url:
        browser.open(f"{url}#t=2019-12-31T20&v=20,100,80&m=swipe&s=who&w=0.3&p=28.5,77.25")
        settled(browser)
        browser.wait("document.getElementById('series').dataset.ready")
        settled(browser)
        link, picture = browser.run("location.href"), pixels(browser)
        for part in ("t=2019-12-31T20", "m=swipe", "s=who", "w=0.3", "p=28.5,77.25"):
            assert part in link
        browser.open(link)
        browser.wait("document.getElementById('series').dataset.ready")
        settled(browser)
        assert browser.run("location.href") == link
        assert pixels(browser) == picture
        assert text_of(browser, "utc") == "2019-12-31 20:00 UTC"
        assert browser.run("document.getElementById('scale').value") == "who"
        sound(browser, url)


def test_nonsense_in_a_link_does_no_harm(browser, look, europe):
    with look(europe) as url:
        browser.open(f"{url}#t=yesterday&v=1,2&m=<b>&s=x&p=900,x&d=none&w=7&e=-1")
        settled(browser)
        assert text_of(browser, "utc") == "2019-12-31 15:00 UTC"
        sound(browser, url)


def test_cams_beside_and_the_difference(browser, look, sample_store, pictures, number_at):
    from deepcams import open_cams

    coarse = open_cams(cams_sample()).sel(time="2019-12-31T18")
    with look(sample_store, cams=cams_sample()) as url, xr.open_zarr(sample_store) as store:
        browser.open(f"{url}#t=2019-12-31T18&v=-32,145,40&m=difference")
        settled(browser)
        fine = number_at(store.pm2p5.sel(time="2019-12-31T18"), *SYDNEY)
        assert hover(browser, *SYDNEY) == fine
        told = text_of(browser, "readout").replace("−", "-")
        less = fine - number_at(coarse, *SYDNEY)
        assert f"difference {less:.{0 if abs(less) >= 100 else 1 if abs(less) >= 10 else 2}f} " in told
        browser.screenshot(pictures / "difference.png")
        for mode in ("side", "swipe", "cams"):
            choose(browser, "mode", mode)
            assert "CAMS: analysis of 2019-12-31 18:00 UTC" in text_of(browser, "note")
            browser.screenshot(pictures / f"{mode}.png")
        browser.press(".", ".")
        settled(browser)
        assert "linear between the analyses of 2019-12-31 18:00 UTC and 2019-12-31 21:00 UTC" in text_of(
            browser, "note"
        )
        sound(browser, url)


def test_the_map_is_moved_by_mouse_and_keys(browser, look, sample_store, number_at):
    with look(sample_store) as url, xr.open_zarr(sample_store) as store:
        browser.open(f"{url}#v=0,0,90")
        settled(browser)
        centre = pixel_of(browser, 0, 0)
        browser.drag(centre, (centre[0] - 300, centre[1]))
        settled(browser)
        assert "v=0,21." in browser.run("location.hash")
        browser.mouse("mouseWheel", *centre, deltaX=0, deltaY=-400)
        settled(browser)
        assert float(browser.run("location.hash").split("v=")[1].split("&")[0].split(",")[2]) < 90
        browser.run("document.getElementById('map').focus()")
        for key in ("0", "ArrowRight", "ArrowRight", "ArrowUp"):
            browser.press(key, key if len(key) == 1 else "")
        told = text_of(browser, "spoken")
        assert "µg m⁻³ · 1.00°N 1.00°E" in told
        assert float(told.split()[0]) == pytest.approx(number_at(store.pm2p5[15], 1, 1), abs=0.05)
        browser.press("Enter", "\r")
        browser.wait("document.getElementById('series').dataset.ready")
        browser.press("Escape")
        assert browser.run("document.getElementById('series').hidden")
        assert browser.run("document.activeElement.id") == "map"
        sound(browser, url)


def test_the_picture_that_is_saved(browser, look, europe):
    with look(europe) as url:
        browser.open(url)
        settled(browser)
        name, kind, size, text = saved(browser, "save")
        assert (name, kind) == ("deepcams_2019-12-31T15.png", "image/png")
        assert size > 10000
        assert "PNG" in text[:8]
        sound(browser, url)


def test_a_region_fills_the_map_and_ends_where_it_ends(browser, look, europe, pictures, number_at):
    with look(europe) as url, xr.open_zarr(europe) as store:
        browser.open(url)
        settled(browser)
        assert hover(browser, 48.25, 11.5) == number_at(store.pm2p5[15], 48.25, 11.5)
        browser.screenshot(pictures / "region.png")
        choose(browser, "scale", "who")
        assert "24-hour means" in text_of(browser, "note")
        browser.screenshot(pictures / "region-who.png")
        browser.run("document.getElementById('zoom-out').click()")
        settled(browser)
        assert np.isnan(hover(browser, 48.25, 32))
        assert "outside the data" in text_of(browser, "readout")
        sound(browser, url)


def test_hours_that_were_not_made_are_said(browser, look, sample_store):
    with look(sample_store) as url:
        browser.open(f"{url}#t=2020-01-01T07")
        settled(browser)
        assert text_of(browser, "empty") == "2020-01-01 07:00 UTC was not made: it is missing from this store"
        assert text_of(browser, "kind") == "missing"
        browser.press(",", ",")  # to the last hour that is there
        settled(browser)
        assert text_of(browser, "utc") == "2020-01-01 00:00 UTC"
        assert browser.run("document.getElementById('empty').hidden")
        sound(browser, url)


def test_a_store_that_is_being_written_says_so(browser, look, europe, tmp_path, pictures):
    store = shutil.copytree(europe, tmp_path / "unfinished.zarr")
    described = json.loads((store / "zarr.json").read_text())
    described["attributes"]["status"] = "unfinished"
    (store / "zarr.json").write_text(json.dumps(described))
    shutil.rmtree(store / "pm2p5" / "c" / "1")
    (store / "time_kind" / "c" / "1").unlink()
    with look(store) as url:
        browser.open(url)
        settled(browser)
        assert "unfinished" in text_of(browser, "notice")
        assert "9 of 48 hours are there" in text_of(browser, "notice")
        browser.screenshot(pictures / "unfinished.png")
        sound(browser, url)


def test_damaged_hours_are_said_and_the_others_shown(browser, look, europe, tmp_path):
    store = shutil.copytree(europe, tmp_path / "damaged.zarr")
    shard = store / "pm2p5" / "c" / "0" / "0" / "0"
    data = bytearray(shard.read_bytes())
    data[: len(data) // 10] = b"\xff" * (len(data) // 10)  # the first hours, with data: 15 UTC
    shard.write_bytes(data)
    with look(store) as url:
        browser.open(url)
        settled(browser)
        assert "2019-12-31 15:00 UTC cannot be shown: these data are damaged" in text_of(browser, "empty")
        browser.press("End")
        browser.press(",", ",")
        browser.open(f"{url}#t=2019-12-31T22")
        settled(browser)
        assert browser.run("document.getElementById('empty').hidden")


def test_a_store_without_metadata_is_said(browser, serve):
    from deepcams.viewer.content import of_bytes
    from deepcams.viewer.site import page_files

    page = page_files() | {"view.json": json.dumps({"label": "x.zarr", "store": "store/", "variable": "pm2p5", "kinds": None,
                                                    "cams": None, "stations": None, "version": "0"}).encode()}  # fmt: skip
    media = {"html": "text/html", "js": "text/javascript", "css": "text/css", "json": "application/json"}

    def find(store):
        page["store/zarr.json"] = store
        return lambda key: (
            of_bytes(page[name], media.get(name.rpartition(".")[2], "image/svg+xml"))
            if (name := key or "index.html") in page
            else None
        )

    for store, told in [(b"{", "its zarr.json is no JSON"), (b"[1]", "cannot be drawn"),
                        (b'{"zarr_format": 3, "node_type": "group", "attributes": {}}', "it has no array")]:  # fmt: skip
        with serve(find(store)) as server:
            browser.open(server.url)
            assert told in text_of(browser, "notice")
            assert "failed" in browser.run("document.getElementById('notice').className")
