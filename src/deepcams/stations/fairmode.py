"""FAIRMODE's modelling quality indicator for PM2.5: are errors within what measurements themselves are uncertain by?

The indicator of a station is MQI = RMSE / (beta RMS_U) of its daily means, with beta = 2 and RMS_U the root mean square of
the observations' expanded uncertainty (95 %, coverage factor included)

    U(O) = U_r sqrt((1 - alpha^2) O^2 + alpha^2 RV^2),    U_r = 0.36, alpha = 0.5, RV = 25 ug m-3.

The objective is met if 90 % of the stations have an MQI of 1 or less: MQI90 <= 1. The guidance wants stations with data
on 75 % of a year's days; here every station with a few days is told, so that of a short period it is but an indication.

Source: Janssen & Thunis, FAIRMODE Guidance Document on Modelling Quality Objectives and Benchmarking, version 3.3, EUR
31068 EN (2022), doi:10.2760/41988. Version 2.1 (2017) had alpha = 0.3 for PM2.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.stations.scores import Floats, Labels, Values

REFERENCE_VALUE = 25.0  # RV, ug m-3
RELATIVE = 0.36  # U_r, relative uncertainty at the reference value
ALPHA = 0.5  # share of the uncertainty at the reference value that does not grow with the concentration
BETA = 2.0  # how many times its observations' uncertainty a model may be wrong by
FEWEST_DAYS = 3  # of a station
SHARE = 0.9  # of the stations, which must meet the objective


def uncertainty(observed: NDArray[Any]) -> Floats:
    """U(O), the expanded uncertainty of daily means in ug m-3; an observation below zero counts as zero.

    Args:
        observed: (...) ug m-3.
    """
    kept = np.clip(np.asarray(observed, np.float64), 0, None)
    return RELATIVE * np.sqrt((1 - ALPHA**2) * kept**2 + (ALPHA * REFERENCE_VALUE) ** 2)


def quality(observed: Values, predicted: Values, labels: Labels, stations: int) -> Floats:
    """(stations,) the MQI of each station; NaN of fewer than ``FEWEST_DAYS`` days.

    Args:
        observed: (m,) daily means in ug m-3.
        predicted: (m,) the product's, of the same days.
        labels: (m,) the number of the station.
        stations: how many there are.
    """
    days = np.bincount(labels, minlength=stations)
    error = np.bincount(labels, (np.asarray(predicted, np.float64) - observed) ** 2, minlength=stations)
    allowed = np.bincount(labels, uncertainty(observed) ** 2, minlength=stations)
    enough = days >= FEWEST_DAYS
    return np.where(enough, np.sqrt(error / np.where(enough, allowed, 1.0)) / BETA, np.nan)


def quality90(indicators: Floats) -> float:
    """MQI90: what 90 % of the stations stay at or below; NaN if none is known.

    By the guidance's rule: of N stations in ascending order, with S = int(0.9 N), MQI(S) + (0.9 N - S) (MQI(S + 1) -
    MQI(S)): the empirical distribution, interpolated. A single station's own value is taken.

    Args:
        indicators: (stations,) MQI; unknown ones are left out.
    """
    known = indicators[np.isfinite(indicators)]
    return float(np.quantile(known, SHARE, method="interpolated_inverted_cdf")) if known.size else float("nan")
