"""Station-hours collocated with a year of hourly global maps at 0.25 degrees: seconds and peak memory.

    python benchmarks/stations.py                      1 142 stations, a year: 10 million station-hours
    python benchmarks/stations.py --days 5             a trial
    python benchmarks/stations.py --cams               with CAMS, linear and nearest in time, as further products

The store holds three days made from the sample by the method fast, again and again: the shards of the other days are links
to theirs, so that making it takes seconds and little disk. Reading and unpacking are those of any store, but the files stay
in the system's memory: a slow disk adds its own time (about 1 MB for a map). Stations lie anywhere between 55S and 70N.
Making the store is not counted; starting Python and making the observations is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr
from inputs import write_days, write_months

from deepcams.conventions import Product
from deepcams.io.results import open_results
from deepcams.io.template import DAY, Template
from deepcams.provenance import provenance
from deepcams.stations.collocate import collocate
from deepcams.stations.products import cams_products, store_product
from deepcams.stations.table import HOUR, Observations, Stations

FIRST = np.datetime64("2019-12-01", "D")
DISTINCT = 3  # days


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_store(folder, options.days)
        if options.cams:
            (folder / "cams").mkdir()
            write_months(options.days, folder / "cams")
        print("| days | stations | products | station-hours | s | s per million | peak memory, MB | before, MB |")
        print("|---|---|---|---|---|---|---|---|")
        for days in sorted({max(1, options.days // 4), options.days}):
            found = measured(folder, days, options.stations)
            million = found["pairs"] / 1e6
            row = (
                days,
                options.stations,
                found["products"],
                found["pairs"],
                f"{found['seconds']:.1f}",
                f"{found['seconds'] / million:.1f}",
                f"{found['memory']:.0f}",
                f"{found['before']:.0f}",
            )
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365, help="also run with a quarter of them")
    parser.add_argument("--stations", type=int, default=1142)
    parser.add_argument("--cams", action="store_true", help="with CAMS as two more products")
    parser.add_argument("--folder", type=Path, help="where the store is written")
    return parser.parse_args()


def make_store(folder: Path, days: int) -> None:
    """A store of many days, of which only a few differ."""
    few, store = folder / "few.zarr", folder / "hourly.zarr"
    source = write_days(DISTINCT, folder / "few.nc")
    call = [sys.executable, "-m", "deepcams", "downscale", str(source), str(few), "--method", "fast", "--quiet"]
    subprocess.run(call, check=True)
    made = open_results(few)
    product = Product(made.species, made.grid, made.times, made.kinds, provenance({}, made.files))
    Template(product, FIRST, np.full(days, 2**DAY - 1, np.uint32), keepbits=9).write(store)
    for day in range(days):
        shard = store / made.species.name / "c" / str(day) / "0" / "0"
        shard.parent.mkdir(parents=True)
        os.link(few / made.species.name / "c" / str(day % DISTINCT) / "0" / "0", shard)
    kinds = np.resize(made.kinds[: DISTINCT * DAY], days * DAY)
    zarr.open_group(store, mode="r+")["time_kind"][...] = kinds


def measured(folder: Path, days: int, stations: int) -> dict[str, float]:
    """What one run took, in a process of its own so that memory is its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import stations; stations.once(*sys.argv[1:])"
    )
    call = [sys.executable, "-c", code, str(folder), str(days), str(stations)]
    return dict(json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))


def once(folder: str, days: str, stations: str) -> None:
    """Collocate, and print what it took as JSON; every observation must have its values."""
    observations = make_observations(int(stations), DAY * int(days) - 1)
    products = [store_product("DeepCAMS", Path(folder) / "hourly.zarr")]
    if (Path(folder) / "cams").is_dir():
        products = [*cams_products(Path(folder) / "cams"), *products]
    before, began = peak(), time.monotonic()
    _, pairs = collocate(observations, products)
    seconds = time.monotonic() - began
    if pairs.size != observations.size:
        sys.exit(f"{pairs.size} of {observations.size} observations have values")
    found = {"seconds": seconds, "pairs": pairs.size, "products": len(products), "memory": peak(), "before": before}
    print(json.dumps(found))


def make_observations(stations: int, hours: int) -> Observations:
    """Hourly observations at stations anywhere, station by station, as files have them."""
    random = np.random.default_rng(0)
    texts = np.full(stations, "", object)
    ids = np.array([f"s{number}" for number in range(stations)], object)
    latitude, longitude = random.uniform(-55, 70, stations), random.uniform(-180, 180, stations)
    places = Stations(ids, texts, ids, latitude, longitude, texts, texts, texts, np.zeros(stations, np.bool_))
    begin = FIRST.astype("datetime64[m]") + np.arange(hours) * np.timedelta64(HOUR, "m")
    size = stations * hours
    return Observations(
        stations=places,
        station=np.repeat(np.arange(stations, dtype=np.int32), hours),
        begin=np.tile(begin, stations),
        period=np.full(size, HOUR, np.int32),
        value=random.gamma(2, 10, size).astype(np.float32),
        reason=np.zeros(size, np.uint8),
    )


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
