"""Named regions, and the reading of ``--region``: a name or ``N,W,S,E`` in degrees."""

from __future__ import annotations

from deepcams.errors import InputError
from deepcams.grid import Region

REGIONS: dict[str, Region] = {
    "africa": Region(38, -20, -36, 52),
    "alps": Region(49, 5, 43, 17),
    "australia": Region(-9, 111, -45, 156),
    "central-europe": Region(55, 2, 45, 24),
    "china": Region(54, 73, 17, 136),
    "east-asia": Region(54, 95, 17, 150),
    "europe": Region(72, -25, 30, 45),
    "india": Region(38, 66, 5, 98),
    "mediterranean": Region(47, -10, 28, 40),
    "middle-east": Region(43, 25, 10, 65),
    "north-america": Region(75, -170, 10, -50),
    "south-america": Region(14, -83, -57, -33),
    "south-asia": Region(38, 60, 3, 100),
    "southeast-asia": Region(29, 90, -12, 142),
    "southeast-australia": Region(-28, 138, -44, 156),
    "usa": Region(50, -126, 24, -66),
}


def parse_region(text: str) -> Region:
    """The region of a name or of ``N,W,S,E`` in degrees (the order of the data store's ``area``).

    Raises:
        InputError: if it is neither.
    """
    named = REGIONS.get(text.strip().lower())
    if named is not None:
        return named
    try:
        north, west, south, east = (float(part) for part in text.replace("/", ",").split(","))
    except ValueError:
        names = ", ".join(sorted(REGIONS))
        raise InputError(f"region {text!r}: wanted N,W,S,E in degrees (like 60,-10,35,30) or one of {names}") from None
    return Region(north, west, south, east)
