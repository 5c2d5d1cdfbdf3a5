"""Real data that ship with the package.

``cams_eac4_2019-12-31.nc``: CAMS EAC4 surface PM2.5, global, 0.75 degrees, the analyses of 2019-12-31 15, 18, 21 UTC and
2020-01-01 00 UTC. Contains modified Copernicus Atmosphere Monitoring Service information (2019-2020).

``geos_cf_2020-03-08.nc``: GEOS-CF v1 surface PM2.5, global, 0.25 degrees, four consecutive hourly means of 2020-03-08. NASA
Global Modeling and Assimilation Office, public domain; as published with the code of Xiao et al. (2022). Three bands of
longitude (0-30 E, 90-120 E, 70-40 W) are missing: NaN.

``geos_cf_kandy_2019-2025.nc``: GEOS-CF v1 surface PM2.5 at Kandy, Sri Lanka, hourly means of seven years, three digits. NASA
Global Modeling and Assimilation Office, public domain.

``airnow_2024-04.nc``: hourly PM2.5 of 1425 monitors in 47 countries, 2024-04-08 to 2024-04-22, as reported. US EPA AirNow and
the agencies that report to it, public domain. ``tools/make_places.py`` made these two.

``monitors_2019-12-31.csv``: hourly PM2.5 at US embassies and consulates in East Asia, 2019-12-30 to 2020-01-01, as reported. US
Department of State and US EPA, public domain. ``tools/make_monitors.py`` made it.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def cams_sample() -> Path:
    """The path of the CAMS sample."""
    return Path(str(resources.files(__name__) / "cams_eac4_2019-12-31.nc"))


def places_samples() -> tuple[Path, ...]:
    """The paths of the hourly series at places, of a model and of monitors."""
    names = ("geos_cf_kandy_2019-2025.nc", "airnow_2024-04.nc")
    return tuple(Path(str(resources.files(__name__) / name)) for name in names)


def monitors_sample() -> Path:
    """The path of the table of monitors that goes with the CAMS sample."""
    return Path(str(resources.files(__name__) / "monitors_2019-12-31.csv"))


def geos_cf_sample() -> Path:
    """The path of the GEOS-CF sample."""
    return Path(str(resources.files(__name__) / "geos_cf_2020-03-08.nc"))
