"""Real data that ship with the package.

``cams_eac4_2019-12-31.nc``: CAMS EAC4 surface PM2.5, global, 0.75 degrees, the analyses of 2019-12-31 15, 18, 21 UTC and
2020-01-01 00 UTC. Contains modified Copernicus Atmosphere Monitoring Service information (2019-2020).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def cams_sample() -> Path:
    """The path of the CAMS sample."""
    return Path(str(resources.files(__name__) / "cams_eac4_2019-12-31.nc"))
