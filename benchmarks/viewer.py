"""How long one waits for deepcams view: the first map, the next hour, the series at a place.

    PYTHONPATH=. python benchmarks/viewer.py [--rounds 5] [--store STORE ...] [--page FOLDER]

Needs Chromium. Without --store it makes two stores from the sample, of two full days over the globe: maps, and series.
Every round starts a browser of its own, without anything kept from before, and the stores take turns; medians in seconds
are printed. The first map is told from the beginning of the navigation until it is painted; the next hour from the press of
the button, with the pauses of somebody who looks; the series from the click until its last hour is drawn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from inputs import write_days

from deepcams.viewer.site import Site, page_files
from deepcams.viewer.stores import open_shown
from tests.viewer.conftest import CHROMIUM, Browser, command, serving

Times = dict[str, list[float]]
LAYOUTS = ("maps", "series")
HOURS = 6  # steps of an hour in a round
LOOK = 0.5  # seconds that an hour is looked at
_NEXT = """new Promise(async done => {
  const stage = document.getElementById('stage'), begun = performance.now(), before = stage.dataset.hour;
  document.getElementById('after').click();
  const busy = () => stage.dataset.hour === before || stage.getAttribute('aria-busy') !== 'false';
  while (busy()) await new Promise(go => setTimeout(go, 1));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
})"""
_WATCH = """document.addEventListener('pointerup', () => {
  const series = document.getElementById('series'), begun = performance.now();
  const look = () => series.dataset.ready ? window.waited = performance.now() - begun : setTimeout(look, 1);
  setTimeout(look);
}, {once: true})"""
_PAUSE = f"new Promise(done => setTimeout(done, {1000 * LOOK}))"


def make_stores(folder: Path) -> list[Path]:
    """Two days of the sample, in both layouts."""
    source = write_days(2, folder / "cams.nc")
    stores = [folder / f"{layout}.zarr" for layout in LAYOUTS]
    for store, layout in zip(stores, LAYOUTS, strict=True):
        command("downscale", source, store, "--method", "fast", "--layout", layout, "--quiet")
    return stores


def measure(store: Path, page: dict[str, bytes], times: Times) -> None:
    """One round with a browser that knows nothing yet."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(Path(profile))
        try:
            with serving(Site(open_shown(str(store)), page=page).find) as server:
                browser.open(server.url)
                times["first map"].append(float(browser.run("document.documentElement.dataset.ready")))
                for _ in range(HOURS):
                    browser.run(_PAUSE)
                    times["next hour"].append(browser.run(_NEXT))
                browser.run(_WATCH)
                browser.click(640, 300)
                times["series"].append(browser.wait("window.waited", 60))
                assert not browser.troubles(), browser.troubles()
        finally:
            browser.close()


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", type=Path, action="append", help="measure these instead")
    parser.add_argument("--page", type=Path, help="another build of the page (node viewer/build.mjs FOLDER)")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        parser.error("no Chromium here")
    page = {one.name: one.read_bytes() for one in arguments.page.iterdir()} if arguments.page else page_files()
    with tempfile.TemporaryDirectory() as name:
        stores = arguments.store or make_stores(Path(name))
        found: dict[Path, Times] = {store: defaultdict(list) for store in stores}
        for _ in range(arguments.rounds):
            for store, times in found.items():
                measure(store, page, times)
    print(f"| | {' | '.join(store.name for store in stores)} |\n|---|{'---|' * len(stores)}")
    for what in found[stores[0]]:
        seconds = [[one / 1000 for one in times[what]] for times in found.values()]
        cells = [f"{statistics.median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in seconds]
        print(f"| {what} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
