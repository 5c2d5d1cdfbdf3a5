"""The page in a headless browser with the network cut: it shows what is in the store, and says what is not."""

from __future__ import annotations

import csv
import io
import json
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest
import xarray as xr

from deepcams.sample import cams_sample
from deepcams.viewer.stations import open_stations

SYDNEY = (-33.75, 151.0)


def text_of(browser, name):
    return browser.run(f"document.getElementById('{name}').textContent")


def pixel_of(browser, latitude, longitude):
    """Where a place is on the screen, in a single panel, by the view in the page's address."""
    browser.wait("location.hash.includes('v=')")
    part = next(one for one in browser.run("location.hash")[1:].split("&") if one.startswith("v="))
    north, east, span = map(float, part[2:].split(","))
    box = browser.run("(({left, top, width, height}) => [left, top, width, height])(document.getElementById('map')"
                      ".getBoundingClientRect())")  # fmt: skip
    k = box[2] / span
    x = box[0] + box[2] / 2 + ((longitude - east + 180) % 360 - 180) * k
    return x, box[1] + box[3] / 2 - (latitude - north) * k


def hover(browser, latitude, longitude):
    """The value that the page tells at a place."""
    browser.mouse("mouseMoved", *pixel_of(browser, latitude, longitude))
    return float(browser.run("document.getElementById('readout').dataset.value"))


def settled(browser):
    """Wait until what was asked for is shown."""
    browser.wait("document.getElementById('stage').getAttribute('aria-busy') === 'false'")
    browser.run("new Promise((done) => setTimeout(done, 150))")  # the address follows


def choose(browser, name, value):
    browser.run(
        f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('change')) }})(document.getElementById('{name}'))"
    )
    settled(browser)


def saved(browser, button):
    """What a button saves: its name and text."""
    script = f"""new Promise(done => {{
      const make = URL.createObjectURL, click = HTMLAnchorElement.prototype.click;
      let blob;
      URL.createObjectURL = one => {{ blob = one; return make.call(URL, one) }};
      HTMLAnchorElement.prototype.click = async function () {{
        URL.createObjectURL = make; HTMLAnchorElement.prototype.click = click;
        done([this.download, blob.type, blob.size, await blob.text()]);
      }};
      document.getElementById('{button}').click();
    }})"""
    return browser.run(script)


def pixels(browser):
    """A fingerprint of the map as it is drawn."""
    return browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => "
                       "done(document.getElementById('map').toDataURL()))))")  # fmt: skip


def sound(browser, url):
    """Nothing went wrong, and nothing was asked of anybody else."""
    assert browser.troubles() == []
    hosts = {urlsplit(one).netloc for one in browser.requests() if not one.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(url).netloc}


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


def test_a_store_for_series_gives_maps_too(browser, look, tmp_path, number_at):
    from deepcams.cli import main

    path = tmp_path / "series.zarr"
    with pytest.raises(SystemExit):
        main(
            [
                "downscale",
                "--sample",
                str(path),
                "--method",
                "fast",
                "--region",
                "alps",
                "--layout",
                "series",
                "--quiet",
            ]
        )
    with look(path) as url, xr.open_zarr(path) as store:
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


def test_a_phone(browser, look, sample_store, pictures):
    with look(sample_store, cams=cams_sample()) as url:
        try:
            browser.size(390, 844, touch=True)
            browser.open(f"{url}#t=2019-12-31T18&m=side&v=20,100,120")
            settled(browser)
            assert browser.run("document.documentElement.scrollWidth") <= 390
            box = browser.run(
                "(({width, height}) => [width, height])(document.getElementById('play').getBoundingClientRect())"
            )
            assert min(box) >= 36
            browser.screenshot(pictures / "phone.png")
            point = [{"x": 200, "y": 300}]
            browser.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
            browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            browser.wait("document.getElementById('series').dataset.ready")
            sound(browser, url)
        finally:
            browser.size(1280, 860)


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


def scores_file(folder):
    lines = ["product,id,sensor,name,latitude,longitude,country,source,n,rmse,bias",
             "DeepCAMS,a,1,Munich,48.14,11.58,DE,openaq,100,4.5,-1.5", "DeepCAMS,b,1,Vienna,48.2,16.37,AT,openaq,90,9.5,3",
             "CAMS,a,1,Munich,48.14,11.58,DE,openaq,100,6,-2.5", "CAMS,b,1,Vienna,48.2,16.37,AT,openaq,90,,"]  # fmt: skip
    (folder / "stations.csv").write_text("\n".join(lines) + "\n")
    return folder


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
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    begin = np.datetime64("2019-12-31T15", "ms") + np.arange(6) * np.timedelta64(1, "h")
    columns = {"id": ["a"] * 6, "sensor": ["1"] * 6, "name": ["Munich"] * 6, "country": ["DE"] * 6, "source": ["x"] * 6,
               "latitude": [48.14] * 6, "longitude": [11.58] * 6, "begin": pa.array(begin, pa.timestamp("ms", tz="UTC")),
               "period": [60] * 6, "observed": [10.0, 20, 30, 40, 50, 60], "DeepCAMS": [1.0] * 6}  # fmt: skip
    parquet.write_table(pa.table(columns), tmp_path / "pairs.parquet")
    with look(europe, stations=open_stations(tmp_path)) as url:
        browser.open(f"{url}#t=2019-12-31T17")
        settled(browser)
        hover(browser, 48.14, 11.58)
        assert text_of(browser, "readout").startswith("Munich: observed 30.0 µg m⁻³ · ")
        browser.click(*pixel_of(browser, 48.14, 11.58))
        browser.wait("document.getElementById('series').dataset.ready")
        assert browser.run("document.querySelector('#chart .observed').getAttribute('d')").count("M") == 6
        browser.screenshot(pictures / "observed.png")
        sound(browser, url)
