"""Hourly PM2.5 at 0.25 degrees from CAMS files.

>>> import deepcams
>>> cams = deepcams.open_cams("cams_2019-12.nc")
>>> hourly = deepcams.downscale(cams, region="europe")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["DeepcamsError", "Grid", "Region", "__version__", "downscale", "open_cams"]

if TYPE_CHECKING:
    from deepcams.downscaling import downscale
    from deepcams.errors import DeepcamsError
    from deepcams.grid import Grid, Region
    from deepcams.io.cams import open_cams

_HOMES = {
    "DeepcamsError": "deepcams.errors",
    "Grid": "deepcams.grid",
    "Region": "deepcams.grid",
    "downscale": "deepcams.downscaling",
    "open_cams": "deepcams.io.cams",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import deepcams`` alone loads no library."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
