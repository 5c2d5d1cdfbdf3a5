"""FAIRMODE's target diagram: bias and centred error of stations in units of the measurement uncertainty.

Thunis, Pederzoli and Pernigotti (2012), doi:10.1016/j.atmosenv.2012.05.043; FAIRMODE guidance document on modelling
quality objectives and benchmarking (JRC).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcams.plot.axes import SMALL
from deepcams.plot.figures import FAINT_INK, INK
from deepcams.plot.validation.board import short
from deepcams.stations import fairmode, scores
from deepcams.stations.assessment import Assessment
from deepcams.stations.daily import daily_pairs
from deepcams.stations.table import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST, _MOST = 1.5, 4.0  # limits of the axes, in the units of the diagram
_WITHIN = 97  # percent of the stations that are within the axes, if these may be as long
_SEED = 20220848


@dataclass(frozen=True, eq=False)
class Target:
    """The stations of a product in the diagram.

    Attributes:
        product: its name.
        x: (known stations,) centred error over beta RMSu; negative where most of it comes from the correlation.
        y: (known stations,) bias over beta RMSu.
        mqi: (known stations,) their distance from the middle: at most 1 where the objective is met.
        limit: of the axes that these stations want.
    """

    product: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mqi: NDArray[np.float64]
    limit: float

    def beyond(self, limit: float) -> int:
        """How many are beyond axes of some limit."""
        return int((np.maximum(np.abs(self.x), np.abs(self.y)) > limit).sum())

    @property
    def at_ninety(self) -> float:
        """The modelling quality indicator that 90 % of the stations do not exceed."""
        return fairmode.quality90(self.mqi)


def targets_of(pairs: Pairs, assessment: Assessment, products: Sequence[str]) -> list[Target]:
    """Where the stations of products stand, by their daily means; nothing of a product without any station's ``mqi``."""
    asked = [name for name in products if np.isfinite(assessment.stations.get(name, {}).get("mqi", np.nan)).any()]
    if not asked:
        return []
    daily = daily_pairs(pairs)
    return [target for name in asked if (target := _target(daily, name)) is not None]


def _target(daily: Pairs, product: str) -> Target | None:
    """From daily means; None if no station has enough of them."""
    observations, predicted = daily.observations, daily.products[product]
    of, size = observations.station, observations.stations.size
    mqi = fairmode.quality(observations.value, predicted, of, size)
    if not np.isfinite(mqi).any():
        return None
    total = scores.sums(observations.value, predicted, of, size)
    known = np.isfinite(mqi)
    bias, error = scores.bias(total)[known], scores.rmse(total)[known]
    squared = np.bincount(of, fairmode.uncertainty(observations.value) ** 2, minlength=size)[known]
    allowed = fairmode.BETA * np.sqrt(squared / total.total[known, 0])
    y = bias / allowed
    x = _sign(total)[known] * np.sqrt(np.maximum(error**2 - bias**2, 0)) / allowed
    wanted = float(np.percentile(np.maximum(np.abs(x), np.abs(y)), _WITHIN))
    return Target(product, x, y, mqi[known], float(np.clip(1.1 * wanted, _LEAST, _MOST)))


def limit_of(targets: Sequence[Target]) -> float:
    """Of axes that suit all targets."""
    return max(target.limit for target in targets)


def draw_target(axes: Axes, targets: Sequence[Target], colours: Mapping[str, str]) -> None:
    """Draw the stations of some products.

    Args:
        axes: where.
        targets: one for each product.
        colours: by product.
    """
    limit = limit_of(targets)
    around = np.linspace(0, 2 * math.pi, 361)
    axes.fill(np.cos(around), np.sin(around), color="#009e7318", linewidth=0)
    axes.plot(np.cos(around), np.sin(around), color=INK, linewidth=0.9)
    axes.plot(0.5 * np.cos(around), 0.5 * np.sin(around), color=FAINT_INK, linewidth=0.6, linestyle=(0, (4, 3)))
    axes.axhline(0, color=FAINT_INK, linewidth=0.5)
    axes.axvline(0, color=FAINT_INK, linewidth=0.5)
    stations = sum(target.x.size for target in targets)
    x, y, colour = _mixed(targets, colours, limit)
    area = float(np.clip(6000 / stations, 4, 36))
    axes.scatter(x, y, s=area, c=colour, linewidths=0.3, edgecolors="white", alpha=0.8, clip_on=False, zorder=3)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
    axes.tick_params(labelsize=SMALL, length=3)
    axes.set_xlabel("R  ←  centred error / (β RMS$_U$)  →  σ", fontsize=SMALL, parse_math=True)
    axes.set_ylabel("bias / (β RMS$_U$)", fontsize=SMALL, labelpad=1, parse_math=True)
    lines = [f"{short(target.product)}: MQI {target.at_ninety:.2f} at 90 % of stations" for target in targets]
    axes.set_title("\n".join(lines), fontsize=SMALL - 0.5, loc="left", color=FAINT_INK, pad=4)


def _mixed(targets: Sequence[Target], colours: Mapping[str, str],
           limit: float) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:  # fmt: skip
    """All stations in a random order, so that no product stands above another; those beyond are put on the edge."""
    x, y = (np.concatenate([getattr(target, name) for target in targets]).clip(-limit, limit) for name in ("x", "y"))
    colour = [colours[target.product] for target in targets for _ in range(target.x.size)]
    order = np.random.default_rng(_SEED).permutation(x.size)
    return x[order], y[order], [colour[index] for index in order]


def _sign(total: scores.Sums) -> NDArray[np.float64]:
    """(stations,) -1 where the centred error comes from the correlation rather than from the standard deviation.

    It is (so - sp)^2 + 2 so sp (1 - r); FAIRMODE compares the first part with 2 so^2 (1 - r), as if sp were so.
    """
    return np.where((1 - scores.sd_ratio(total)) ** 2 > 2 * (1 - scores.correlation(total)), 1.0, -1.0)
