"""The time of day as the sun tells it.

What people and the lower atmosphere do between two analyses follows the sun more than the clock: the mixed layer grows
after sunrise and collapses at sunset. Unequal hours, as sundials had them, give every day the same shape: 6 at sunrise,
12 when the sun is highest, 18 at sunset, wherever and whenever.

Source: Spencer, Search 2 (1971), 172, for the sun's declination and the equation of time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LONGEST = 0.9  # cosine of the hour angle of sunrise: near the poles a day is not made shorter or longer than this


def unequal_hours(moments: NDArray[np.datetime64], latitude: Any, longitude: Any) -> Floats:
    """Hours from 0 to 24 at which the sun rises at 6 and sets at 18.

    Where days are shorter than 3.4 hours or longer than 20.6, as in the polar night, they are taken to be so long.

    Args:
        moments: UTC.
        latitude: degrees; these three are broadcast against each other.
        longitude: degrees, of any turn.
    """
    declination, solar = _sun(moments, longitude)
    sunrise = np.clip(-np.tan(np.deg2rad(latitude)) * np.tan(declination), -_LONGEST, _LONGEST)
    half = np.arccos(sunrise) * (12 / np.pi)  # hours from noon to sunset
    from_noon = solar - 12
    away = np.abs(from_noon)
    by_day, by_night = away * (6 / half), 6 + (away - half) * (6 / (12 - half))
    return (12 + np.sign(from_noon) * np.where(away < half, by_day, by_night)) % 24


def noon_height(moments: NDArray[np.datetime64], latitude: Any) -> Floats:
    """The sine of the sun's elevation at noon, 0 where it stays below the horizon.

    Args:
        moments: UTC; any of the day.
        latitude: degrees; broadcast against the moments.
    """
    declination, _ = _sun(moments, 0.0)
    return np.clip(np.cos(np.deg2rad(latitude) - declination), 0, None)


def _sun(moments: NDArray[np.datetime64], longitude: Any) -> tuple[Floats, Floats]:
    """The sun's declination in radians, and the solar time in hours from 0 to 24."""
    seconds = moments.astype("datetime64[s]")
    hour = (seconds - seconds.astype("datetime64[D]")) / np.timedelta64(3600, "s")
    days = (seconds - seconds.astype("datetime64[Y]")) / np.timedelta64(86400, "s") - 0.5
    angle = 2 * np.pi / 365.25 * days
    sines, cosines = ([wave(order * angle) for order in (1, 2, 3)] for wave in (np.sin, np.cos))
    declination = (0.006918 - 0.399912 * cosines[0] + 0.070257 * sines[0] - 0.006758 * cosines[1] + 0.000907 * sines[1]
                   - 0.002697 * cosines[2] + 0.00148 * sines[2])  # fmt: skip
    ahead = 0.000075 + 0.001868 * cosines[0] - 0.032077 * sines[0] - 0.014615 * cosines[1] - 0.040849 * sines[1]
    return declination, (hour + np.asarray(longitude) / 15 + ahead * (12 / np.pi)) % 24
