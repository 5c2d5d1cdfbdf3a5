"""Our temporal network: how much of the way from one analysis to the next the air has gone at a time between.

The flow (:mod:`deepcams.temporal.flow`) carries both ends to where the air is, and blends them evenly: at a third of the
interval, a third of the change has happened. Over land it has not. The mixed layer grows after sunrise, within an hour or
two, and most of what falls in the morning falls then; what rises in the evening rises late. The network says, for every half
hour, how fast the change goes on there and then: from the time of day as the sun tells it, from the change itself, and
from how steep the field was before the interval and will be after it. What has been gone through by a time, as a share
of all, takes the place of the even share:

    y(t) = (1 - g(t)) W(y0, -t u) + g(t) W(y1, (1 - t) u),   g(t) = integral of the rate to t / integral of the rate to 1.

So the ends are pinned, nothing is below the smaller or above the larger of the two carried ends, a constant stays
constant, and a network whose last layers are zero, as they begin, is the flow itself. The sun matters by its height at
noon, and not where a change is as sudden as a fire's. Over the sea the rate is even, and at night too unless the
neighbouring analyses say otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.land import land_share
from deepcams.layers.inference import one_thread
from deepcams.layers.weights import load_network
from deepcams.spatial.interpolation import LINEAR, interpolate_blocks
from deepcams.sphere import Array, from_blocks, pad
from deepcams.sun import noon_height, unequal_hours
from deepcams.temporal.flow import carried_ends
from deepcams.temporal.setting import Analyses, Setting

PARTS = 2  # of an hour: the rate is found for each
LOW = 10.0  # times epsilon, added to concentrations before their ratio is taken
_SMOOTHING = 1.0  # coarse nodes, standard deviation: a change is judged with its surroundings
_MARGIN = 4  # nodes that the smoothing reaches
_SUDDEN = (
    1.5  # log units: a change of this size is a fire's rather than the mixed layer's, and halves the rule of the day
)
_SUNRISE = (4.5, 5.5)  # unequal hours over which the rule of the day begins
_SUNSET = (16.5, 18.0)  # and ends: evenings differ too much from place to place
_FLAT = 1e-6  # ug m-3: a smaller change has no shape
_PIECE = 2048  # places at a time: what lies between two layers then stays in the processor's cache

Field = NDArray[Any]  # float32 throughout


class Situation(NamedTuple):
    """What the network is shown of some places; arrays or tensors.

    Attributes:
        hours: (..., parts) unequal hours (see :mod:`deepcams.sun`) in the middle of each part of the interval.
        change: (...) logarithm of the second analysis over the first.
        earlier: (...) how much steeper than its mean the change begins, judged by the analysis before: -1 flat, 0 even or
            not known, 1 twice as steep.
        later: (...) how much steeper it ends, judged by the analysis after it.
        land: (...) share of land, 0 to 1.
        noon: (...) sine of the sun's elevation at noon: how strong it is.
    """

    hours: Array
    change: Array
    earlier: Array
    later: Array
    land: Array
    noon: Array


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Attributes:
        harmonics: waves by which the time of day is told.
        width: of the hidden layers.
    """

    harmonics: int = 3
    width: int = 24


class TemporalNetwork(nn.Module):
    """From situations to the share of the change that has happened by the end of each part of the interval.

    Args:
        architecture: its sizes.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        inputs, width = 2 * architecture.harmonics + 3, architecture.width
        self.day = nn.Sequential(
            nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
        )
        self.slopes = nn.Sequential(nn.Linear(inputs + 3, width), nn.SiLU(), nn.Linear(width, 1))
        for layers in (self.day, self.slopes):
            for parameter in layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, situation: Situation) -> Tensor:
        """(..., parts) the share gone through: rising, 1 at the end."""
        rates = self.rates(situation)
        # Only ratios matter: with the largest rate as 1, no weights make them overflow.
        gone = torch.cumsum(torch.exp(rates - rates.amax(dim=-1, keepdim=True)), dim=-1)
        return gone / gone[..., -1:]

    def rates(self, situation: Situation) -> Tensor:
        """(..., parts) the logarithm of how fast the change goes on; what is added to all parts is of no effect."""
        clock, change = self._clock(situation.hours), situation.change[..., None]
        told = torch.stack([torch.tanh(change), torch.tanh(2 * change).abs(), torch.tanh(change / 4)], dim=-1)
        seen = torch.cat([clock, told.expand(*situation.hours.shape, 3)], dim=-1)
        heated = (situation.land * situation.noon)[..., None] / (1 + (change / _SUDDEN) ** 8)
        by_day = self.day(seen)[..., 0] * heated * _daylight(situation.hours)
        return by_day + self._by_slopes(seen, situation) * situation.land[..., None]

    def _clock(self, hours: Tensor) -> Tensor:
        """(..., parts, 2 harmonics) sines and cosines of the time of day."""
        orders = torch.arange(1, self.architecture.harmonics + 1, device=hours.device)
        angles = hours[..., None] * orders * (2 * math.pi / 24)
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)

    def _by_slopes(self, seen: Tensor, situation: Situation) -> Tensor:
        """(..., parts) what the analyses before and after add; nothing where there are none."""
        parts = situation.hours.shape[-1]
        place = (torch.arange(parts, device=seen.device) + 0.5) * (2 / parts) - 1
        place = place.expand(situation.hours.shape)
        slopes = [one[..., None].expand(situation.hours.shape) for one in (situation.earlier, situation.later)]
        known = torch.cat([seen, torch.stack([*slopes, place], dim=-1)], dim=-1)
        unknown = torch.cat([seen, torch.stack([*(torch.zeros_like(one) for one in slopes), place], dim=-1)], dim=-1)
        return (self.slopes(known) - self.slopes(unknown))[..., 0]


def _daylight(hours: Tensor) -> Tensor:
    """1 from sunrise to the afternoon, 0 from sunset on, smooth between."""
    (dawn, day), (dusk, night) = _SUNRISE, _SUNSET
    risen = ((hours - dawn) / (day - dawn)).clamp(0, 1) * ((night - hours) / (night - dusk)).clamp(0, 1)
    return risen**2 * (3 - 2 * risen)


def between(
    before: Field, after: Field, fractions: Sequence[float], setting: Setting, network: TemporalNetwork
) -> list[Field]:
    """Fields (rows, columns) at the given fractions of the interval, float32.

    Raises:
        InputError: if the setting does not say when and what the analyses were.
    """
    ends = carried_ends(before, after, fractions, setting)
    shares = progress(fractions, setting, network)
    return [first + share * (last - first) for share, (first, last) in zip(shares, ends, strict=True)]


def progress(fractions: Sequence[float], setting: Setting, network: TemporalNetwork) -> list[Field]:
    """(rows, columns) on the setting's grid, for each fraction: the share of the change that has happened.

    Raises:
        InputError: if the setting does not say when and what the analyses were.
    """
    if setting.analyses is None or setting.start is None:
        raise InputError("the temporal network must know the analyses and their time; wanted a Setting with both")
    grid = setting.analyses.grid
    places = (land_share(grid) > 0) & ~at_poles(grid)[:, None]
    gone = _gone(situation(setting.analyses, setting.start, setting.hours, setting.epsilon, places), network)
    shares = []
    for fraction in fractions:
        share = np.full(grid.shape, fraction, np.float32)
        share[places] = _at(fraction, gone)
        shares.append(_refined(share, grid, setting.grid))
        shares[-1][at_poles(setting.grid)] = fraction  # where there is no time of day, and one value
    return shares


def at_poles(grid: Grid) -> NDArray[np.bool_]:
    """(rows,) which rows are a pole."""
    rows = np.zeros(grid.rows, np.bool_)
    rows[0] = grid.north_pole
    rows[-1] |= grid.south_pole  # of a grid with one row, too
    return rows


def situation(
    analyses: Analyses, start: np.datetime64, hours: float, epsilon: float, places: NDArray[np.bool_]
) -> Situation:
    """What the network is shown of the places (rows, columns) that are true, float32.

    Args:
        analyses: the two, and those beyond them.
        start: UTC of the first one.
        hours: from the first to the second.
        epsilon: concentration below which ratios do not count.
        places: where to look.
    """
    grid = analyses.grid
    row, column = np.nonzero(places)
    moments: Any = start.astype("datetime64[s]") + middles_of(hours)
    noon = noon_height(moments[:1], grid.latitude[row]).astype(np.float32)
    when = unequal_hours(moments, grid.latitude[row, None], grid.longitude[column, None])
    slopes = [one[places] for one in slopes_of(analyses.before, analyses.after, analyses.earlier, analyses.later)]
    change = _change(analyses, LOW * epsilon)[places]
    earlier, later = slopes
    return Situation(when.astype(np.float32), change, earlier, later, land_share(grid)[places], noon)


def middles_of(hours: float) -> NDArray[np.timedelta64]:
    """(parts,) time from the beginning of an interval to the middle of each of its parts."""
    count = max(1, round(PARTS * hours))
    return np.round((np.arange(count) + 0.5) * (3600 * hours / count)).astype("timedelta64[s]")


def change_of(before: Array, after: Array, low: float) -> Array:
    """The logarithm of the second over the first, concentrations far below ``low`` being alike."""
    return np.log((after + low) / (before + low))


def slopes_of(before: Array, after: Array, earlier: Array | None, later: Array | None) -> tuple[Array, Array]:
    """How much steeper than its mean the change begins and ends, from -1 to 1; 0 where it is not known.

    The slope at an analysis is the harmonic mean of those on both sides of it, 0 at a peak or a trough (Fritsch and
    Butland, SIAM J. Sci. Stat. Comput. 5, 1984, as in PCHIP).
    """
    own = after - before
    return _steeper(own, None if earlier is None else before - earlier), _steeper(
        own, None if later is None else later - after
    )


def _steeper(own: Array, other: Array | None) -> Array:
    if other is None:
        return np.zeros_like(own, np.float32)
    same = own * other > 0
    share = np.where(same, 2 * other / np.where(same, own + other, 1), 0)
    return np.where(np.isfinite(other) & (np.abs(own) > _FLAT), share - 1, 0).astype(np.float32)


def _change(analyses: Analyses, low: float) -> Field:
    """(rows, columns) the change, with its surroundings."""
    change = change_of(np.asarray(analyses.before), np.asarray(analyses.after), low)
    wide = pad(change.astype(np.float32), analyses.grid, _MARGIN, _MARGIN)
    smooth = cv2.GaussianBlur(wide, (2 * _MARGIN + 1,) * 2, _SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return smooth[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def _gone(seen: Situation, network: TemporalNetwork) -> Field:
    """(places, parts + 1) the share gone through, from 0 to 1."""
    shown = Situation(*(torch.from_numpy(np.ascontiguousarray(one, np.float32)) for one in seen))
    with one_thread(), torch.inference_mode():
        pieces = zip(*(one.split(_PIECE) for one in shown), strict=True)
        gone = torch.cat([network(Situation(*piece)) for piece in pieces]).numpy()
    return np.concatenate([np.zeros((gone.shape[0], 1), np.float32), gone], axis=1)


def _at(fraction: float, gone: Field) -> Field:
    """(places,) the share gone through at a fraction of the interval; even within a part."""
    position = fraction * (gone.shape[1] - 1)
    part = min(int(position), gone.shape[1] - 2)
    rest = np.float32(position - part)
    return (1 - rest) * gone[:, part] + rest * gone[:, part + 1]


def _refined(share: Field, coarse: Grid, grid: Grid) -> Field:
    """A share on the coarse grid, at the nodes of a grid that refines it."""
    factor = round(coarse.step / grid.step)
    if factor == 1:
        return share
    fine: Field = from_blocks(interpolate_blocks(share, coarse, factor, LINEAR), coarse)
    return np.minimum(fine, 1)  # rounding can add to a share of 1, and would take more than there is


@lru_cache(maxsize=4)
def load(path: Path) -> TemporalNetwork:
    """The network in a file, ready for use; read once.

    Raises:
        InputError: if the file is not one of ours, or of another architecture than it says.
    """
    return load_network(path, "progress", Architecture, TemporalNetwork)
