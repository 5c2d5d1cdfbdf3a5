"""The training of the spatial networks: ours, and the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from deepcams.conserve import distribute
from deepcams.spatial import SPATIAL, abpn
from deepcams.spatial.network import Architecture, SpatialNetwork, Views, predict, sharpen, views
from deepcams.sphere import as_blocks, as_channels
from deepcams.training.changes import Augmentation
from deepcams.training.dataset import Example, whole
from deepcams.training.losses import relative
from deepcams.training.sampler import Sampler
from deepcams.training.sections import AbpnConfig, CorrectionConfig, Scenes
from deepcams.training.series import Numbers, Series, Split
from deepcams.training.stage import Arrays, Batch, Contender, Draw, Stage

_BASELINES = ("bicubic", "lcbp")


class Spatial(Stage[Example]):
    """From a coarse field to the fine one.

    Args:
        config: its settings.
    """

    name, items = "spatial", "fields"
    scope = "a refinement by 3"

    def __init__(self, config: CorrectionConfig | AbpnConfig) -> None:
        sampling = config.sampling
        # A network that looks at one hour alone keeps as far from held-out hours as the others.
        self._step, alone, one_sided = Scenes().step, 1.0, 0.0
        if isinstance(sampling, Scenes):
            self._step, alone, one_sided = sampling.step, sampling.alone, sampling.one_sided
        self._augmentation = Augmentation(sampling.flip, sampling.gain, sampling.blur, alone, one_sided, sampling.turn)

    def learned(self, series: Series, split: Split) -> Numbers:
        """The fields to learn from."""
        return split.training_numbers(series, self._step)

    def judged(self, series: Series, split: Split) -> Numbers:
        """The fields with a held-out part: those with neighbours, as analyses have them, or else all."""
        numbers = split.validation_numbers(series, self._step)
        accompanied = series.accompanied(numbers, self._step)
        return accompanied if accompanied.size else numbers

    def drawing(self, windows: Mapping[str, Any]) -> Draw[Example]:
        """Draws scenes."""
        return Sampler(**windows, augmentation=self._augmentation, step=self._step).draw

    def whole(self, series: Series, number: int, split: Split) -> Example:
        """A field on the whole grid."""
        return whole(series, number, split, step=self._step)

    @property
    def baselines(self) -> Mapping[str, Contender[Example]]:
        """Bicubic interpolation and LCBP."""

        def channels_of(name: str) -> Contender[Example]:
            return lambda example: as_channels(SPATIAL[name].sharpen(example.scene))

        return {name: channels_of(name) for name in _BASELINES}


def _to_be(example: Example) -> Arrays:
    """What an example should become, and how it is shared out."""
    return {"shares": example.shares, "target": example.target, "weights": example.weights}


class Correction(Spatial):
    """Our network, which corrects LCBP.

    Args:
        config: its settings.
    """

    purpose = (
        "Sharpens surface PM2.5 three times in each direction: a correction of LCBP, before the conservation layer."
    )

    def __init__(self, config: CorrectionConfig) -> None:
        super().__init__(config)
        self._config = config

    def network(self) -> SpatialNetwork:
        """One that is LCBP."""
        return SpatialNetwork(Architecture(**self._config.network.sizes()))

    def objective(self, network: nn.Module) -> nn.Module:
        """The relative error of what it makes of LCBP."""
        return CorrectionObjective(network, self._config.training.square)

    def arrays(self, example: Example) -> Arrays:
        """The views, and what they should become."""
        return views(example.scene)._asdict() | _to_be(example)

    def contender(self, network: nn.Module) -> Contender[Example]:
        """The network as the pipeline uses it."""
        module: Any = network
        return lambda example: as_channels(sharpen(example.scene, module))


class CorrectionObjective(nn.Module):
    """Our network's relative error; see :func:`deepcams.training.losses.relative`.

    Args:
        network: a spatial network.
        square: share of the squared term.
    """

    def __init__(self, network: nn.Module, square: float) -> None:
        super().__init__()
        self.network, self._square = network, square

    def forward(self, batch: Batch, total: float) -> Tensor:
        """The loss of a batch."""
        views = Views(batch["coarse"], batch["first"], batch["others"])
        prediction = predict(self.network, views, batch["shares"]).float()
        return relative(prediction, batch["target"], views.coarse, batch["weights"], square=self._square, total=total)


class Abpn(Spatial):
    """The paper's network.

    Args:
        config: its settings.
    """

    purpose = ("Sharpens surface PM2.5 three times in each direction: attention-based back-projection (ABPN, Liu et al., "
               "2019), before the conservation layer.")  # fmt: skip

    def __init__(self, config: AbpnConfig) -> None:
        super().__init__(config)
        self._config = config

    def network(self) -> abpn.ABPN:
        """One with random weights."""
        return abpn.ABPN(abpn.Architecture(**self._config.network.sizes()))

    def objective(self, network: nn.Module) -> nn.Module:
        """The relative error behind the conservation layer."""
        return AbpnObjective(network)

    def arrays(self, example: Example) -> Arrays:
        """The coarse field, and what it should become."""
        coarse = np.asarray(example.scene.coarse, np.float32)
        return {"coarse": coarse} | _to_be(example)

    def contender(self, network: nn.Module) -> Contender[Example]:
        """The network as the pipeline uses it."""
        module: Any = network
        return lambda example: as_channels(abpn.sharpen(example.scene, module))


class AbpnObjective(nn.Module):
    """The mean absolute relative error of what the network makes, behind the conservation layer.

    The paper takes L1 of images scaled to 0..1. Concentrations so scaled are nearly zero but in a few plumes, and the
    loss would see these alone; errors relative to the coarse field count everywhere.

    Args:
        network: ABPN.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch, total: float) -> Tensor:
        """The loss of a batch."""
        coarse = batch["coarse"]
        shape = self.network(coarse).float()
        prediction = as_channels(distribute(coarse, as_blocks(shape), batch["shares"]))
        return relative(prediction, batch["target"], coarse, batch["weights"], square=0, total=total)
