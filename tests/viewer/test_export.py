"""The exported folder: everything the page needs, nothing else, and it works on a plain web server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError, OutputError
from deepcams.sample import cams_sample
from deepcams.viewer.content import media_of, of_bytes, of_file
from deepcams.viewer.export import export
from deepcams.viewer.names import file_in
from deepcams.viewer.site import INDEX, Site, page_files
from deepcams.viewer.stations import open_stations
from deepcams.viewer.stores import Shown, open_cams, open_shown

REPOSITORY = Path(__file__).parents[2]
MEGABYTE = 1e6


def test_the_page_is_small_and_asks_nobody_else():
    page = page_files()
    assert {INDEX, "main.js", "worker.js", "unpacker.js", "style.css", "licences.txt"} <= page.keys()
    assert sum(map(len, page.values())) < 0.5 * MEGABYTE
    text = page[INDEX].decode() + page["style.css"].decode()
    assert "http://" not in text
    assert "https://" not in text
    assert "<script>" not in text
    assert "eval(" not in page["main.js"].decode() + page["worker.js"].decode()


def test_the_colours_are_those_of_the_pictures():
    pytest.importorskip("cmcrameri")
    import importlib.util

    place = REPOSITORY / "viewer" / "make_colours.py"
    spec = importlib.util.spec_from_file_location("make_colours", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = json.loads((place.parent / "src" / "colours.json").read_text("utf-8"))
    assert json.loads(json.dumps(module.colours())) == made


def test_a_store_with_cams_on_a_plain_server(browser, serve, europe, tmp_path):
    target = tmp_path / "site"
    export(Site(open_shown(str(europe)), open_cams([str(cams_sample())], "pm2p5")), target)
    assert not [one for one in target.rglob("*") if one.name.startswith(".")]

    def find(key):
        file = file_in(target, key or INDEX)
        if file is None:
            return None
        return of_bytes(file.read_bytes(), media_of(file.name)) if file.parent == target else of_file(file, target)

    with serve(find) as server:
        browser.open(f"{server.url}#t=2019-12-31T21&m=side")
        assert browser.run("document.getElementById('utc').textContent") == "2019-12-31 21:00 UTC"
        assert "analysis of" in browser.run("document.getElementById('note').textContent")
        assert browser.troubles() == []


def test_stations_are_exported(europe, tmp_path):
    head = "product,id,sensor,name,latitude,longitude,country,source,rmse"
    (tmp_path / "stations.csv").write_text(f"{head}\nA,1,s,Here,50,5,BE,x,1.5\n")
    export(Site(open_shown(str(europe)), stations=open_stations(tmp_path)), tmp_path / "site")
    assert json.loads((tmp_path / "site" / "view.json").read_text())["stations"] == "stations.json"
    told = json.loads((tmp_path / "site" / "stations.json").read_text())
    assert told["scores"] == {"A": {"rmse": [1.5]}}


def test_netcdf_is_exported_as_a_store(europe, tmp_path):
    with xr.open_zarr(europe) as store:
        store.isel(time=slice(15, 18))[["pm2p5", "time_kind"]].drop_encoding().to_netcdf(tmp_path / "hours.nc")
        seen = []
        export(Site(open_shown(str(tmp_path / "hours.nc"))), tmp_path / "site", seen.append)
        with xr.open_zarr(tmp_path / "site" / "store") as found:
            np.testing.assert_array_equal(found.pm2p5, store.pm2p5[15:18])
    assert len(seen) == sum(1 for one in (tmp_path / "site").rglob("*") if one.is_file())
    kinds = np.frombuffer((tmp_path / "site" / "kinds.bin").read_bytes(), np.int8)
    assert kinds.tolist() == [0, 1, 1]


def test_a_store_on_the_web_is_linked(europe, tmp_path):
    own = open_shown(str(europe))
    shown = Shown(
        own.label, own.variable, own.find, own.kinds, folder=own.folder, url="https://data.example:8443/x/y.zarr"
    )
    export(Site(shown), tmp_path / "site")
    assert not (tmp_path / "site" / "store").exists()
    told = json.loads((tmp_path / "site" / "view.json").read_text())
    assert told["store"] == "https://data.example:8443/x/y.zarr/"
    assert "connect-src 'self' https://data.example:8443;" in (tmp_path / "site" / INDEX).read_text()


def test_links_out_and_leftovers_stay_behind(europe, tmp_path):
    import shutil

    store = shutil.copytree(europe, tmp_path / "store.zarr")
    (tmp_path / "secret").write_text("secret")
    (store / "link").symlink_to(tmp_path / "secret")
    (store / "pm2p5" / "c" / "0" / "0" / "1.abc.partial").write_text("half")
    export(Site(open_shown(str(store))), tmp_path / "site")
    names = {one.name for one in (tmp_path / "site").rglob("*")}
    assert "link" not in names
    assert not any(name.endswith(".partial") for name in names)


def test_nothing_is_written_over_or_left_half(europe, tmp_path):
    (tmp_path / "site").mkdir()
    site = Site(open_shown(str(europe)))
    with pytest.raises(OutputError, match="exists already"):
        export(site, tmp_path / "site")
    with pytest.raises(OutputError, match="does not exist"):
        export(site, tmp_path / "none" / "site")

    def fail(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(site, tmp_path / "new", fail)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["site"]


def test_the_page_is_what_its_sources_give(tmp_path):
    """Only where the page's tools are installed (``make viewer``): building again changes nothing."""
    import shutil

    if shutil.which("node") is None or not (REPOSITORY / "viewer" / "node_modules" / "esbuild").is_dir():
        pytest.skip("the tools of the page are not installed")
    target = tmp_path / "page"
    subprocess.run(["node", REPOSITORY / "viewer" / "build.mjs", target], check=True, timeout=60)
    assert {one.name: one.read_bytes() for one in target.iterdir()} == page_files()


@pytest.mark.parametrize("url", ["https://user:hush@data.example/y.zarr", "https://data.example/y.zarr?key=hush"])
def test_what_is_secret_in_an_address_is_not_published(europe, tmp_path, url):
    own = open_shown(str(europe))
    with pytest.raises(InputError, match="give away") as refused:
        export(Site(Shown(own.label, own.variable, own.find, own.kinds, url=url)), tmp_path / "site")
    assert "hush" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_store_at_an_ipv6_address_is_linked(europe, tmp_path):
    own = open_shown(str(europe))
    export(Site(Shown(own.label, own.variable, own.find, own.kinds, url="http://[::1]:8000/y.zarr")), tmp_path / "site")
    assert "connect-src 'self' http://[::1]:8000;" in (tmp_path / "site" / INDEX).read_text()
