"""Make the hourly series at places that ship in ``src/deepcams/sample``.

    python tools/make_places.py kandy geos_cf_kandy_hourly_2019-2025.csv.gz src/deepcams/sample/geos_cf_kandy_2019-2025.nc
    python tools/make_places.py airnow airnow_hourly_2024-04.parquet src/deepcams/sample/airnow_2024-04.nc

``kandy``: a table of GEOS-CF at one point, columns ``datetime`` and ``PM25_RH35_GCC`` (ug m-3). ``airnow``: AirNow's hourly
files as one table with the columns ``AQSID, CountryCode, Latitude, Longitude, time, PM25``; needs pyarrow.

The result is CF's discrete sampling geometry ``timeSeries``: ``pm2p5`` (station, time), with ``latitude``, ``longitude`` and
``name`` of each station. What lies below zero or above 900 ug m-3, and what a monitor repeats for more than twelve hours, is
left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

KANDY = (7.29, 80.63)
JUDGED = slice("2020-03-07", "2020-03-09")  # around the day of the GEOS-CF sample, which methods are judged by
HIGHEST = 900.0  # ug m-3
STUCK = 12  # hours
FEWEST = 24  # known hours of a station
CREDIT = {
    "kandy": ("GEOS-CF v1 surface PM2.5 (RH 35) at Kandy, Sri Lanka, hourly means",
              "NASA Global Modeling and Assimilation Office"),
    "airnow": ("AirNow hourly PM2.5 in 47 countries, as reported, not validated",
               "US EPA AirNow and the agencies that report to it"),
}  # fmt: skip


def kandy(path: Path) -> pd.DataFrame:
    """The one series, with its place as the column's name; the days around that of the GEOS-CF sample are left out."""
    table = pd.read_csv(path, parse_dates=["datetime"], index_col="datetime")
    table.loc[JUDGED] = np.nan
    return pd.DataFrame(table.iloc[:, 0].to_numpy(), table.index, pd.MultiIndex.from_tuples([("Kandy", *KANDY)]))


def airnow(path: Path) -> pd.DataFrame:
    """The series of all stations that stay where they are."""
    table = pd.read_parquet(path)
    names = ["AQSID", "CountryCode"]
    table[names] = table[names].astype(str)
    places = table.groupby("AQSID")[["Latitude", "Longitude"]].agg(["first", "nunique"])
    fixed = places[(places.xs("nunique", axis=1, level=1) == 1).all(axis=1)]
    wide = table[table["AQSID"].isin(fixed.index)].pivot_table(index="time", columns="AQSID", values="PM25")
    wide.columns = pd.MultiIndex.from_tuples(
        [(one, *fixed.xs("first", axis=1, level=1).loc[one]) for one in wide.columns]
    )
    return wide


def cleaned(table: pd.DataFrame) -> pd.DataFrame:
    """Hourly, without what cannot be."""
    table = table.asfreq("1h")
    table = table.where((table >= 0) & (table <= HIGHEST))
    for name in table.columns:
        runs = (table[name].diff() != 0).cumsum()
        table[name] = table[name].where(runs.map(runs.value_counts()) <= STUCK)
    return table.loc[:, table.notna().sum() >= FEWEST]


def dataset_of(table: pd.DataFrame, kind: str) -> xr.Dataset:
    """The table as CF time series."""
    title, source = CREDIT[kind]
    names, latitude, longitude = zip(*table.columns, strict=True)
    attributes = {"units": "ug m-3", "standard_name": "mass_concentration_of_pm2p5_ambient_aerosol_in_air",
                  "cell_methods": "time: mean", "coordinates": "latitude longitude name"}  # fmt: skip
    return xr.Dataset(
        {"pm2p5": (("station", "time"), table.to_numpy().T.astype(np.float32), attributes)},
        {
            "time": ("time", table.index.to_numpy(), {"long_name": "beginning of the hour, UTC"}),
            "latitude": ("station", np.array(latitude, np.float32), {"units": "degrees_north"}),
            "longitude": ("station", np.array(longitude, np.float32), {"units": "degrees_east"}),
            "name": ("station", list(names), {"cf_role": "timeseries_id"}),
        },
        {
            "Conventions": "CF-1.11",
            "featureType": "timeSeries",
            "title": title,
            "source": source,
            "middle_of_mean_hours": 0.5,
        },
    )


def main() -> None:
    """Make one file."""
    kind, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    dataset = dataset_of(cleaned({"kandy": kandy, "airnow": airnow}[kind](source)), kind)
    packed: dict[str, Any] = {"zlib": True, "complevel": 9, "shuffle": True}
    scaled = (
        {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -32768} if kind == "airnow" else {"significant_digits": 3}
    )
    time = {"units": "hours since 2019-01-01", "dtype": "int32", "zlib": True}
    dataset.to_netcdf(target, engine="netcdf4", encoding={"pm2p5": packed | scaled, "time": time})
    print(
        f"{target}: {dataset.sizes['station']} stations, {dataset.sizes['time']} hours, {target.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
