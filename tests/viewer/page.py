"""What the tests do with the page: look, point, choose, save; tables of stations to show on it."""

from __future__ import annotations

from urllib.parse import urlsplit

import numpy as np
import pytest

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


def scores_file(folder):
    lines = ["product,id,sensor,name,latitude,longitude,country,source,n,rmse,bias",
             "DeepCAMS,a,1,Munich,48.14,11.58,DE,openaq,100,4.5,-1.5", "DeepCAMS,b,1,Vienna,48.2,16.37,AT,openaq,90,9.5,3",
             "CAMS,a,1,Munich,48.14,11.58,DE,openaq,100,6,-2.5", "CAMS,b,1,Vienna,48.2,16.37,AT,openaq,90,,"]  # fmt: skip
    (folder / "stations.csv").write_text("\n".join(lines) + "\n")
    return folder


def pairs_file(folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    begin = np.datetime64("2019-12-31T15", "ms") + np.arange(6) * np.timedelta64(1, "h")
    columns = {"id": ["a"] * 6, "sensor": ["1"] * 6, "name": ["Munich"] * 6, "country": ["DE"] * 6, "source": ["openaq"] * 6,
               "latitude": [48.14] * 6, "longitude": [11.58] * 6, "begin": pa.array(begin, pa.timestamp("ms", tz="UTC")),
               "period": [60] * 6, "observed": [10.0, 20, 30, 40, 50, 60], "DeepCAMS": [1.0] * 6}  # fmt: skip
    parquet.write_table(pa.table(columns), folder / "pairs.parquet")
    return folder
