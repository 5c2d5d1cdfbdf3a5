"""What is left out to see whether a correction holds elsewhere and at other times: whole regions, whole periods, both.

Neighbouring stations and hours are alike: a correction that is judged at an hour or a station between those it has
learned from only shows that it remembers (Roberts et al., Ecography 40, 2017). Regions are blocks of ten degrees, periods
are weeks, or months if there are many weeks; what lies close to a block that is left out is not learned from either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from deepcams.stations.calibration.features import Floats
from deepcams.stations.resampling import weeks_of
from deepcams.stations.table import Minutes

Mask = NDArray[np.bool_]
Labels = NDArray[np.int64]

FOLDS = 5
FEWEST_REGIONS = 3
FEWEST_PERIODS = 4
"""Blocks that there must be to leave some out."""
BUFFER = 200.0
"""Kilometres around a region that is left out, in which nothing is learned from either."""
GAP = np.timedelta64(2, "D")
"""Time before and after a period that is left out, in which nothing is learned from either."""
REGIONS, PERIODS, BOTH = "regions", "periods", "regions and periods"
KINDS = (REGIONS, PERIODS, BOTH)

_BLOCK = 10  # degrees
_MANY_WEEKS = 40  # from which on months are left out, and not weeks
_RADIUS = 6371.0  # km


@dataclass(frozen=True, eq=False)
class Fold:
    """What is judged, and what is learned from before.

    Attributes:
        test: (m,) which samples are judged.
        train: (m,) which are learned from.
    """

    test: Mask
    train: Mask


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of space and time that samples belong to.

    Attributes:
        region: (sites,) the fold of the region that each site is in.
        beside: (folds, sites) which sites are in a fold's regions, or near them.
        period: (m,) the fold of the period that each sample is in.
        within: (folds, m) which samples are in a fold's periods, or soon before or after.
        regions: how many blocks of space.
        periods: how many blocks of time.
        unit: ``weeks`` or ``months``.
    """

    region: Labels
    beside: Mask
    period: Labels
    within: Mask
    regions: int
    periods: int
    unit: str

    def folds(self, kind: str, site: NDArray[np.int32]) -> Iterator[Fold]:
        """The folds of a kind; those of both leave out a fold of regions and one of periods, each at least once.

        Args:
            kind: one of :data:`KINDS`.
            site: (m,) the samples' sites.
        """
        areas, times = len(self.beside), len(self.within)
        if kind == REGIONS:
            for k in range(areas):
                yield Fold((self.region == k)[site], ~self.beside[k][site])
        elif kind == PERIODS:
            for k in range(times):
                yield Fold(self.period == k, ~self.within[k])
        else:
            for k in range(max(areas, times)):
                area, time = k % areas, k % times
                train = ~self.beside[area][site] & ~self.within[time]
                yield Fold((self.region == area)[site] & (self.period == time), train)

    def why_not(self, kind: str) -> str | None:
        """Why a kind cannot be done; None if it can."""
        few = []
        if kind != PERIODS and self.regions < FEWEST_REGIONS:
            few.append(f"{self.regions} of the {FEWEST_REGIONS} regions of {_BLOCK} degrees that it takes")
        if kind != REGIONS and self.periods < FEWEST_PERIODS:
            few.append(f"{self.periods} of the {FEWEST_PERIODS} {self.unit} that it takes")
        return f"there are {' and '.join(few)}" if few else None


def blocks_of(latitude: Floats, longitude: Floats, site: NDArray[np.int32], begin: Minutes, seed: int) -> Blocks:
    """The blocks that samples belong to.

    Args:
        latitude: (sites,) degrees.
        longitude: (sites,) degrees.
        site: (m,) the samples' sites.
        begin: (m,) datetime64[m].
        seed: of the order in which blocks of the same size are dealt to the folds.
    """
    regions = region_of(latitude, longitude)
    period, unit = period_of(begin)
    dealt = _dealt(regions, np.bincount(site, minlength=latitude.size).astype(np.float64), seed)
    shifts = {shift: period_of(begin + shift, unit)[0] for shift in (-GAP, GAP)}
    in_turn = _dealt(period, np.ones(begin.size), seed)
    fold_of = dict(zip(period.tolist(), in_turn.tolist(), strict=True))
    around = [np.array([fold_of.get(one, -1) for one in np.unique(labels)])[np.unique(labels, return_inverse=True)[1]]
              for labels in shifts.values()]  # fmt: skip
    within = np.stack([(in_turn == k) | (around[0] == k) | (around[1] == k) for k in range(int(in_turn.max()) + 1)])
    places = _on_sphere(latitude, longitude)
    beside = np.stack([_near(places, dealt == k) for k in range(int(dealt.max()) + 1)])
    return Blocks(dealt, beside, in_turn, within, np.unique(regions).size, np.unique(period).size, unit)


def region_of(latitude: Floats, longitude: Floats) -> Labels:
    """(n,) the block that places are in: ten degrees of latitude, and about as many kilometres from west to east."""
    band = np.floor((latitude + 90) / _BLOCK).clip(0, 180 // _BLOCK - 1).astype(np.int64)
    middle = np.deg2rad(band * _BLOCK - 90 + _BLOCK / 2)
    around = np.maximum(1, np.round(360 / _BLOCK * np.cos(middle))).astype(np.int64)
    labels: Labels = band * 1000 + np.floor(longitude % 360 / 360 * around).astype(np.int64) % around
    return labels


def period_of(begin: Minutes, unit: str | None = None) -> tuple[Labels, str]:
    """(m,) the period that hours are in, and whether these are weeks or months."""
    weeks = weeks_of(begin)
    unit = unit or ("weeks" if np.unique(weeks).size < _MANY_WEEKS else "months")
    return (weeks if unit == "weeks" else begin.astype("datetime64[M]").astype(np.int64)), unit


def distance(latitude: Floats, longitude: Floats, to_latitude: Floats, to_longitude: Floats) -> Floats:
    """(n,) kilometres from places to the nearest of others."""
    chord, _ = cKDTree(_on_sphere(to_latitude, to_longitude)).query(_on_sphere(latitude, longitude))
    return 2 * _RADIUS * np.arcsin(np.clip(chord / 2, 0, 1))


def _dealt(labels: Labels, weights: Floats, seed: int) -> Labels:
    """(n,) the fold of each label: the heaviest blocks first, each to the fold that has least so far."""
    found, member = np.unique(labels, return_inverse=True)
    total = np.bincount(member, weights)
    order = np.random.default_rng(seed).permutation(found.size)
    order = order[np.argsort(-total[order], kind="stable")]
    loads, fold = np.zeros(min(FOLDS, found.size)), np.zeros(found.size, np.int64)
    for block in order:
        fold[block] = np.argmin(loads)
        loads[fold[block]] += total[block]
    return fold[member]


def _near(places: Floats, inside: Mask) -> Mask:
    """(sites,) which are inside or within the buffer of one that is."""
    chord, _ = cKDTree(places[inside]).query(places, distance_upper_bound=2 * np.sin(BUFFER / _RADIUS / 2))
    return inside | np.isfinite(chord)


def _on_sphere(latitude: Floats, longitude: Floats) -> Floats:
    """(n, 3) unit vectors."""
    north, east = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)
