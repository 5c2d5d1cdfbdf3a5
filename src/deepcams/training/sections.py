"""What may be set in a training: small sections, frozen and strict, and for each kind of network those that it has.

A setting that means nothing for a network is not in its sections, and so is refused like any unknown key.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from deepcams.training.losses import SQUARE

Box = Annotated[tuple[float, float, float, float], Field(description="north, west, south, east")]
Share = Annotated[float, Field(ge=0, le=1)]
Milestone = Annotated[float, Field(gt=0, lt=1)]
Gap = Annotated[int, Field(ge=2, le=24)]


class Section(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(Section):
    """Data with a weight of their own.

    Attributes:
        path: a file, folder or pattern.
        weight: how often it is drawn from; the sources' weights are relative to each other.
    """

    path: str
    weight: float = Field(default=1.0, gt=0)


class Data(Section):
    """What to learn from.

    Attributes:
        files: files, folders or patterns; together they weigh 1. None and no series: the sample that ships.
        series: sources with weights of their own.
        units: the values' unit, if the files do not say it.
        scale: ug m-3 at the full range of images, if they do not say it.
    """

    files: tuple[str, ...] = ()
    series: tuple[Source, ...] = ()
    units: str | None = None
    scale: float | None = Field(default=None, gt=0)


class ProgressData(Data):
    """What our temporal network learns from.

    Attributes:
        places: files of hourly series at places. None: the two that ship.
    """

    places: tuple[Source, ...] = ()


class Holding(Section):
    """What is not learned from, but judged by.

    Attributes:
        hold_out: regions as [north, west, south, east] in degrees.
        last: share of each series' hours, at its end.
    """

    hold_out: tuple[Box, ...] = ()
    last: float = Field(default=0.0, ge=0, le=0.9)


class Windows(Section):
    """Where examples are drawn.

    Attributes:
        size: coarse cells on a side that count.
        margin: coarse cells around them that are only seen.
    """

    size: int = Field(default=32, ge=2, le=240)
    margin: int = Field(default=8, ge=0, le=60)


class Sampling(Windows):
    """How examples are drawn.

    Attributes:
        flip: whether half of the examples are mirrored in longitude.
        turn: whether half of the examples are mirrored in latitude.
        gain: largest factor by which an example is made stronger or weaker.
    """

    flip: bool = True
    turn: bool = True
    gain: float = Field(default=3.0, ge=1, le=30)


class Fields(Sampling):
    """Fine fields and their area means.

    Attributes:
        blur: largest standard deviation of a blur, in fine cells; 0 for none.
    """

    blur: float = Field(default=0.0, ge=0, le=10)


class Scenes(Fields):
    """Fields with those beside them in time.

    Attributes:
        step: hours between an analysis and those beside it.
        alone: probability that no analyses beside are shown.
        one_sided: probability that only one of two is shown.
    """

    step: int = Field(default=3, ge=1, le=24)
    alone: Share = 0.15
    one_sided: Share = 0.5


class Gaps(Windows):
    """Two analyses, and what is between them.

    Attributes:
        gaps: hours between the two; one is drawn for each example, and the largest is validated with.
    """

    gaps: tuple[Gap, ...] = Field(default=(2, 3), min_length=1)


class Intervals(Sampling, Gaps):
    """Two analyses, and an hour between them.

    Attributes:
        reverse: whether in half of the examples time runs backwards.
    """

    reverse: bool = True


class Lessons(Gaps):
    """Two analyses, and every hour between them, at places on land.

    Attributes:
        gaps: the one number of hours between the two.
        count: places in each example.
        gridded: how often an example is of gridded fields; the weights of the series at places are relative to it.
        middle: hours from a gridded field's time to the middle of what it is a mean of.
    """

    gaps: tuple[Gap] = (3,)
    count: int = Field(default=512, ge=1, le=1_000_000)
    gridded: float = Field(default=1.0, ge=0)
    middle: float = Field(default=0.5, ge=-1, le=1)


class Training(Section):
    """How a network learns.

    Attributes:
        steps: of the optimiser.
        batch: examples in each, over all processes.
        optimiser: ``adamw``, or ``adam``, which knows no weight decay.
        rate: the highest learning rate.
        warm_up: steps until it is reached, at most a tenth of all.
        schedule: from there the rate falls to zero as a ``cosine``, or at ``milestones``.
        milestones: shares of all steps after which the rate is multiplied with ``decay``.
        decay: that factor; 1 with a cosine, which has none.
        weight_decay: of AdamW; not on biases.
        clip: largest norm of the gradient.
        ema: how much of the averaged weights stays at each step.
        precision: ``float32``, or ``bf16`` in convolutions.
        seed: of all that is drawn.
        validate_every: steps between validations.
        validate_maps: most fields (or intervals) in a validation, spread evenly over those held out.
        checkpoint_every: steps between checkpoints.
        select: keep the weights of the ``best`` validation, or the ``last``.
        patience: validations without a better one until it stops early; 0 for never.
    """

    steps: int = Field(default=400, ge=1, le=100_000_000)
    batch: int = Field(default=8, ge=1, le=65536)
    optimiser: Literal["adamw", "adam"] = "adamw"
    rate: float = Field(default=1.5e-3, gt=0, le=1)
    warm_up: int = Field(default=20, ge=0)
    schedule: Literal["cosine", "milestones"] = "cosine"
    milestones: tuple[Milestone, ...] = ()
    decay: float = Field(default=1.0, gt=0, le=1)
    weight_decay: float = Field(default=1e-2, ge=0, le=10)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.99, ge=0, lt=1)
    precision: Literal["float32", "bf16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=2**31)
    validate_every: int = Field(default=100, ge=1)
    validate_maps: int = Field(default=8, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    select: Literal["best", "last"] = "best"
    patience: int = Field(default=0, ge=0)

    @field_validator("milestones")
    @classmethod
    def _ascending(cls, milestones: tuple[float, ...]) -> tuple[float, ...]:
        if any(one >= other for one, other in pairwise(milestones)):
            raise ValueError("shares of the steps in ascending order")
        return milestones

    @model_validator(mode="after")
    def _no_setting_without_meaning(self) -> Training:
        """Refuse what the chosen schedule and optimiser would not look at, and what they lack."""
        if self.schedule == "milestones" and not (self.milestones and self.decay < 1):
            raise ValueError("schedule = 'milestones' without milestones and a decay: wanted both, for example milestones = "
                             "[0.5, 0.75] and decay = 0.5")  # fmt: skip
        if self.schedule == "cosine" and (self.milestones or self.decay < 1):
            raise ValueError("schedule = 'cosine' with milestones or a decay, which it has no use for: wanted milestones = [] "
                             "and decay = 1.0, or schedule = 'milestones'")  # fmt: skip
        if self.optimiser == "adam" and self.weight_decay:
            raise ValueError(f"weight_decay = {self.weight_decay:g} with optimiser = 'adam', which has none: wanted "
                             "weight_decay = 0, or optimiser = 'adamw'")  # fmt: skip
        return self


class CorrectionTraining(Training):
    """How our spatial network learns.

    Attributes:
        square: share of the squared term of the loss.
    """

    square: float = Field(default=SQUARE, ge=0, le=10)


class ProgressTraining(Training):
    """How our temporal network learns.

    Attributes:
        square: share of the squared term of the loss.
        evenness: what it costs that the rate of the change is not even.
    """

    square: float = Field(default=SQUARE, ge=0, le=10)
    evenness: float = Field(default=0.005, ge=0, le=10)


class XvfiTraining(Training):
    """How XVFI learns.

    Attributes:
        smoothness: weight of the flows' edge-aware smoothness in the loss. The paper's is 0.5, for errors of images; the
            relative errors here are smaller, and with 0.5 a true flow costs more than it gains.
    """

    smoothness: float = Field(default=0.05, ge=0, le=100)


class Network(Section):
    """The kind of a network; its sizes come with each kind."""

    kind: str

    def sizes(self) -> dict[str, Any]:
        """All but the kind, as the network's own architecture takes them."""
        return self.model_dump(exclude={"kind"})


class Correction(Network):
    """Our spatial network: a correction of LCBP.

    Attributes:
        channels: of the hidden layers; multiples of 16 are quick.
        blocks: residual blocks of two convolutions.
    """

    kind: Literal["correction"] = "correction"
    channels: int = Field(default=32, ge=1, le=1024)
    blocks: int = Field(default=6, ge=0, le=100)


class Abpn(Network):
    """The paper's spatial network.

    Attributes:
        channels: of the features.
        stages: of back-projection.
    """

    kind: Literal["abpn"] = "abpn"
    channels: int = Field(default=32, ge=1, le=1024)
    stages: int = Field(default=10, ge=1, le=100)


class Xvfi(Network):
    """The paper's temporal network.

    Attributes:
        features: of the hidden layers.
        module_scale: cells of the field on a side of a cell of the features.
        scales: at which the flow is looked for, each half as fine as the next one.
        alignment: what brings features to the time asked for: the ``flow``, as in the paper, or ``deformable`` convolution.
    """

    kind: Literal["xvfi"] = "xvfi"
    features: int = Field(default=64, ge=1, le=1024)
    module_scale: int = Field(default=4, ge=1, le=16)
    scales: int = Field(default=3, ge=1, le=8)
    alignment: Literal["flow", "deformable"] = "flow"


class Progress(Network):
    """Our temporal network.

    Attributes:
        harmonics: waves by which the time of day is told.
        width: of the hidden layers.
    """

    kind: Literal["progress"] = "progress"
    harmonics: int = Field(default=3, ge=1, le=12)
    width: int = Field(default=24, ge=1, le=1024)


class Config(Section):
    """All settings of a training; each kind of network has its own sections (:data:`CONFIGS`).

    Attributes:
        stage: what the network does: ``spatial`` or ``temporal``.
    """

    stage: ClassVar[str]

    data: Data = Data()
    split: Holding = Holding()
    sampling: Windows
    network: Network
    training: Training

    def record(self) -> dict[str, Any]:
        """The settings, JSON-ready, for files that go elsewhere: of paths only the last part."""
        content: dict[str, Any] = self.model_dump(mode="json")
        content["data"]["files"] = [Path(one).name for one in content["data"]["files"]]
        for source in [*content["data"]["series"], *content["data"].get("places", [])]:
            source["path"] = Path(source["path"]).name
        return content


class CorrectionConfig(Config):
    """Settings of our spatial network."""

    stage = "spatial"
    sampling: Scenes = Scenes()
    network: Correction = Correction()
    training: CorrectionTraining = CorrectionTraining()


class AbpnConfig(Config):
    """Settings of the paper's spatial network."""

    stage = "spatial"
    sampling: Fields = Fields()
    network: Abpn = Abpn()
    training: Training = Training()


class XvfiConfig(Config):
    """Settings of the paper's temporal network."""

    stage = "temporal"
    sampling: Intervals = Intervals()
    network: Xvfi = Xvfi()
    training: XvfiTraining = XvfiTraining()


class ProgressConfig(Config):
    """Settings of our temporal network."""

    stage = "temporal"
    data: ProgressData = ProgressData()
    sampling: Lessons = Lessons()
    network: Progress = Progress()
    training: ProgressTraining = ProgressTraining()


CONFIGS: dict[str, type[Config]] = {
    "correction": CorrectionConfig, "progress": ProgressConfig, "abpn": AbpnConfig, "xvfi": XvfiConfig,
}  # fmt: skip
