"""Make the monitors beside the CAMS sample, ``src/deepcams/sample/monitors_2019-12-31.csv``.

    python tools/make_monitors.py FOLDER src/deepcams/sample/monitors_2019-12-31.csv

FOLDER has the yearly files of US embassies and consulates (airnow.gov, Department of State) of 2019 and 2020 as
``airnow_dos_CITY_YEAR.csv.gz``. They are read as ``deepcams validate`` reads them: stamps end the hour, in local time. The
result is a plain table of the hours around the sample's, as reported, with the publisher's verdict.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from deepcams.stations.readers import read_stations
from deepcams.stations.readers.chunk import Options
from deepcams.stations.readers.sites import Site, Sites
from deepcams.stations.table import Reason

POSTS = {
    "Beijing": (39.95, 116.47),
    "Shanghai": (31.21, 121.44),
    "Guangzhou": (23.12, 113.32),
    "Shenyang": (41.78, 123.42),
    "Hanoi": (21.02, 105.82),
}
FIRST, LAST = np.datetime64("2019-12-30T00:00", "m"), np.datetime64("2020-01-02T00:00", "m")


def main(folder: Path, output: Path) -> None:
    """Read the files, cut, and write."""
    sites = Sites(folder, {name.casefold(): Site(*place, name=name) for name, place in POSTS.items()})
    read = read_stations(sorted(folder.glob("airnow_dos_*.csv.gz")), Options(sites)).observations
    stations = read.stations
    columns = {"station": stations.names, "country": stations.country, "timezone": stations.timezone}
    places = {"latitude": stations.latitude, "longitude": stations.longitude}
    table = pd.DataFrame({name: values[read.station] for name, values in (columns | places).items()})
    table["begin"] = read.begin.astype("datetime64[s]")
    table["end"] = table["begin"] + pd.to_timedelta(read.period, "min")
    table["pm25"], table["units"], table["valid"] = read.value, "ug/m3", (read.reason != Reason.FLAGGED).astype(int)
    table = table[(read.begin >= FIRST) & (table["end"].to_numpy() <= LAST)].sort_values(["station", "begin"])
    for name in ("begin", "end"):
        table[name] = table[name].dt.strftime("%Y-%m-%dT%H:%MZ")
    table.to_csv(output, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
