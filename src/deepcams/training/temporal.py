"""The training of the temporal networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deepcams.errors import InputError
from deepcams.sphere import Array
from deepcams.temporal import TEMPORAL, xvfi
from deepcams.temporal.setting import Setting
from deepcams.training.changes import Augmentation
from deepcams.training.intervals import Interval, IntervalSampler, judged_beginnings, learned_beginnings, whole_interval
from deepcams.training.losses import Scale, coarser, relative, smoothness
from deepcams.training.sections import Config, Gaps, Intervals, XvfiConfig
from deepcams.training.series import Numbers, Series, Split
from deepcams.training.stage import Arrays, Batch, Contender, Draw, Stage
from deepcams.units import EPSILON


class Temporal(Stage[Interval]):
    """From two analyses to the hours between them, on the coarse grid.

    Args:
        sampling: how intervals are drawn.
    """

    name, items = "temporal", "intervals"

    def __init__(self, sampling: Gaps) -> None:
        self._gaps = sampling.gaps
        self._longest = max(self._gaps)
        self.scope = f"intervals of up to {self._longest} hours"

    def learned(self, series: Series, split: Split) -> Numbers:
        """The fields at which an interval begins that may be learned from."""
        return learned_beginnings(series, split, *self._gaps)

    def judged(self, series: Series, split: Split) -> Numbers:
        """The fields at which a held-out interval of the largest gap begins."""
        return judged_beginnings(series, split, self._longest)

    def whole(self, series: Series, number: int, split: Split) -> Interval:
        """An interval of the largest gap on the whole grid, with all hours between."""
        return whole_interval(series, number, split, self._longest)

    @property
    def baselines(self) -> Mapping[str, Contender[Interval]]:
        """Linear interpolation and the flow."""

        def fields_of(name: str) -> Contender[Interval]:
            return lambda one: np.stack(TEMPORAL[name].between(*asked(one)))

        return {name: fields_of(name) for name in ("linear", "flow")}


def asked(interval: Interval) -> tuple[Array, Array, list[float], Setting]:
    """What a temporal method is asked."""
    setting = Setting(interval.grid, interval.hours, EPSILON)
    return interval.before, interval.after, interval.fractions.tolist(), setting


class Xvfi(Temporal):
    """The paper's network.

    Args:
        config: its settings.

    Raises:
        InputError: if the network has no such sizes, or windows are not a multiple of its unit.
    """

    purpose = (
        "Gives surface PM2.5 at the hours between two analyses: video frame interpolation (XVFI, Sim et al., 2021)."
    )

    def __init__(self, config: XvfiConfig) -> None:
        super().__init__(config.sampling)
        self._sampling: Intervals = config.sampling
        self._smoothness = config.training.smoothness
        self._architecture = xvfi.Architecture(**config.network.sizes())
        refuse_broken(config, self._architecture.unit)

    def drawing(self, windows: Mapping[str, Any]) -> Draw[Interval]:
        """Draws intervals, with one of the hours between."""
        sampling = self._sampling
        augmentation = Augmentation(sampling.flip, sampling.gain, turn=sampling.turn)
        return IntervalSampler(**windows, augmentation=augmentation, gaps=sampling.gaps, reverse=sampling.reverse).draw

    def arrays(self, example: Interval) -> Arrays:
        """Both ends, and what is between them at one time."""
        return {
            "before": example.before,
            "after": example.after,
            "fraction": example.fractions[0],
            "target": example.target[0],
            "weights": example.weights[0],
        }

    def network(self) -> xvfi.XVFI:
        """One with random weights."""
        return xvfi.XVFI(self._architecture)

    def objective(self, network: nn.Module) -> nn.Module:
        """The relative error at all scales, and the flows' smoothness."""
        return XvfiObjective(network, self._smoothness)

    def contender(self, network: nn.Module) -> Contender[Interval]:
        """The network as the pipeline uses it."""
        module: Any = network
        return lambda one: np.stack(xvfi.between(*asked(one), module))


def refuse_broken(config: Config, unit: int) -> None:
    """Refuse windows whose side is not a multiple of ``unit`` coarse cells.

    Raises:
        InputError: if it is not.
    """
    size, margin = config.sampling.size, config.sampling.margin
    cells = size + 2 * margin
    if cells % unit:
        near = max(unit, round(cells / unit) * unit)
        raise InputError(f"sampling.size = {size} and sampling.margin = {margin}: windows of {cells} coarse cells; the "
                         f"{config.network.kind} network wants a multiple of {unit}: with this margin, for example a size of "
                         f"{near - 2 * margin}")  # fmt: skip


class XvfiObjective(nn.Module):
    """The mean absolute relative error, summed over the scales, and the smoothness of the finest flows.

    As in the paper (Sim et al., ICCV 2021, section 3.4), but for errors that are relative to the linear interpolation,
    which is given: absolute ones would look at a few plumes alone.

    Args:
        network: XVFI.
        smooth: weight of the smoothness.
    """

    def __init__(self, network: nn.Module, smooth: float) -> None:
        super().__init__()
        self.network, self._smooth = network, smooth

    def forward(self, batch: Batch, total: float) -> Tensor:
        """The loss of a batch."""
        before, after, t = batch["before"], batch["after"], batch["fraction"]
        fine = Scale(batch["target"], torch.lerp(before, after, t[:, None, None]), batch["weights"])
        levels = self.network(before, after, t)
        loss = torch.zeros((), device=before.device)
        for level in levels:
            factor = before.shape[-1] // level.prediction.shape[-1]
            one = coarser(fine, factor)
            loss = loss + relative(level.prediction.float()[:, None], one.target[:, None], one.given, one.weights[:, None],
                                   square=0, total=total / factor**2)  # fmt: skip
        for flow in (levels[-1].to_before, levels[-1].to_after):
            loss = loss + self._smooth * smoothness(fine.target, flow.float(), fine.weights, total=total)
        return loss
