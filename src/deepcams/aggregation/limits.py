"""Published levels of particulate matter in ambient air, in ug m-3.

WHO global air quality guidelines (2021), ISBN 978-92-4-003422-8, table 0.1: the 24-hour levels are meant as the 99th
percentile of a year's daily means (three to four days above). EU: Directive (EU) 2024/2881, annex I, table 1, limit
values to be attained by 1 January 2030: the daily ones not to be exceeded on more than 18 days of a calendar year.
"""

from __future__ import annotations

from types import MappingProxyType

_PM2P5_DAILY = {
    15.0: "WHO guideline level",
    25.0: "WHO interim target 4, EU limit",
    37.5: "WHO interim target 3",
    50.0: "WHO interim target 2",
    75.0: "WHO interim target 1",
}
_PM10_DAILY = {
    45.0: "WHO guideline level, EU limit",
    50.0: "WHO interim target 4",
    75.0: "WHO interim target 3",
    100.0: "WHO interim target 2",
    150.0: "WHO interim target 1",
}
_PM2P5_ANNUAL = {
    5.0: "WHO guideline level",
    10.0: "WHO interim target 4, EU limit",
    15.0: "WHO interim target 3",
    25.0: "WHO interim target 2",
    35.0: "WHO interim target 1",
}
_PM10_ANNUAL = {
    15.0: "WHO guideline level",
    20.0: "WHO interim target 4, EU limit",
    30.0: "WHO interim target 3",
    50.0: "WHO interim target 2",
    70.0: "WHO interim target 1",
}

DAILY = MappingProxyType({"pm2p5": _PM2P5_DAILY, "pm10": _PM10_DAILY})
"""By species, the levels for daily means and what they are called."""
ANNUAL = MappingProxyType({"pm2p5": _PM2P5_ANNUAL, "pm10": _PM10_ANNUAL})
"""By species, the levels for annual means and what they are called."""


def meaning(species: str, limits: tuple[float, ...]) -> str:
    """What the limits among the published daily levels are, for people; empty if none is."""
    named = DAILY.get(species, {})
    return "; ".join(f"{limit:g}: {named[limit]}" for limit in limits if limit in named)
