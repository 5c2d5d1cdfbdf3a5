"""Settings of a training: small, frozen, strict. An unknown or out-of-range key is an error that names it.

Two settings ship with the package (``fast`` for a laptop, ``full`` for a GPU with years of data); others are TOML files
of the same sections.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepcams.errors import InputError
from deepcams.training.losses import SQUARE

SHIPPED = ("fast", "full")

Box = Annotated[tuple[float, float, float, float], Field(description="north, west, south, east")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(_Section):
    """Data with a weight of their own.

    Attributes:
        path: a file, folder or pattern.
        weight: how often it is drawn from; the sources' weights are relative to each other.
    """

    path: str
    weight: float = Field(default=1.0, gt=0)


class Data(_Section):
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


class Holding(_Section):
    """What is not learned from, but judged by.

    Attributes:
        hold_out: regions as [north, west, south, east] in degrees.
        last: share of each series' hours, at its end.
    """

    hold_out: tuple[Box, ...] = ()
    last: float = Field(default=0.0, ge=0, le=0.9)


class Sampling(_Section):
    """How examples are drawn.

    Attributes:
        size: coarse cells on a side that count.
        margin: coarse cells around them that are only seen.
        step: hours between an analysis and those beside it.
        flip: whether half of the examples are mirrored in longitude.
        turn: whether half of the examples are mirrored in latitude.
        gain: largest factor by which an example is made stronger or weaker.
        blur: largest standard deviation of a blur, in fine cells; 0 for none.
        alone: probability that no analyses beside are shown.
        one_sided: probability that only one of two is shown.
    """

    size: int = Field(default=32, ge=2, le=240)
    margin: int = Field(default=8, ge=0, le=60)
    step: int = Field(default=3, ge=1, le=24)
    flip: bool = True
    turn: bool = True
    gain: float = Field(default=3.0, ge=1, le=30)
    blur: float = Field(default=0.0, ge=0, le=10)
    alone: Share = 0.15
    one_sided: Share = 0.5


class Network(_Section):
    """The sizes of the network.

    Attributes:
        channels: of the hidden layers; multiples of 16 are quick.
        blocks: residual blocks of two convolutions.
    """

    channels: int = Field(default=32, ge=1, le=1024)
    blocks: int = Field(default=6, ge=0, le=100)


class Training(_Section):
    """How it learns.

    Attributes:
        steps: of the optimiser.
        batch: examples in each, over all processes.
        rate: the highest learning rate.
        warm_up: steps until it is reached, at most a tenth of all; from there it falls to zero as a cosine.
        weight_decay: of AdamW; not on biases.
        clip: largest norm of the gradient.
        ema: how much of the averaged weights stays at each step.
        square: share of the squared term of the loss.
        precision: ``float32``, or ``bf16`` in convolutions.
        seed: of all that is drawn.
        validate_every: steps between validations.
        validate_maps: most fields in a validation, spread evenly over those held out.
        checkpoint_every: steps between checkpoints.
        select: keep the weights of the ``best`` validation, or the ``last``.
        patience: validations without a better one until it stops early; 0 for never.
    """

    steps: int = Field(default=400, ge=1, le=100_000_000)
    batch: int = Field(default=8, ge=1, le=65536)
    rate: float = Field(default=1.5e-3, gt=0, le=1)
    warm_up: int = Field(default=20, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0, le=10)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.99, ge=0, lt=1)
    square: float = Field(default=SQUARE, ge=0, le=10)
    precision: Literal["float32", "bf16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=2**31)
    validate_every: int = Field(default=100, ge=1)
    validate_maps: int = Field(default=8, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    select: Literal["best", "last"] = "best"
    patience: int = Field(default=0, ge=0)


class Config(_Section):
    """All settings of a training; see :data:`SECTIONS` for what each holds."""

    data: Data = Data()
    split: Holding = Holding()
    sampling: Sampling = Sampling()
    network: Network = Network()
    training: Training = Training()

    def record(self) -> dict[str, Any]:
        """The settings, JSON-ready, for files that go elsewhere: of paths only the last part."""
        content: dict[str, Any] = self.model_dump(mode="json")
        content["data"]["files"] = [Path(one).name for one in content["data"]["files"]]
        for source in content["data"]["series"]:
            source["path"] = Path(source["path"]).name
        return content


SECTIONS: dict[str, type[BaseModel]] = {
    "data": Data, "split": Holding, "sampling": Sampling, "network": Network, "training": Training,
}  # fmt: skip


def load_config(name: str | Path, *, settings: Iterable[str] = (), data: Mapping[str, Any] | None = None) -> Config:
    """A shipped configuration by its name, or one in a TOML file, with single settings changed.

    Args:
        name: one of :data:`SHIPPED`, or a path that ends in .toml.
        settings: ``section.key=value`` each, the value as TOML has it; quotes around words may be left out.
        data: keys of the section ``data`` that take the place of those in the file; files do so of series too.

    Raises:
        InputError: if there is no such configuration, or a key is unknown or out of range.
    """
    content = _read(name)
    for text in settings:
        section, key, value = _setting(text)
        content.setdefault(section, {})[key] = value
    if data:
        content["data"] = content.get("data", {}) | ({"series": []} if "files" in data else {}) | dict(data)
    return parse_config(content, str(name))


def parse_config(content: Mapping[str, Any], label: str) -> Config:
    """The configuration of nested settings; what is not given has its default.

    Raises:
        InputError: naming the first key that is unknown or out of range, what was found and what is allowed.
    """
    try:
        # Through JSON, since that is the form in which pydantic's strict mode takes lists for tuples.
        return Config.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise InputError(f"config {label}: {_explain(error.errors()[0])}") from None


def differing_key(one: Mapping[str, Any], other: Mapping[str, Any], *, ignored: Iterable[str] = ()) -> str | None:
    """The first ``section.key`` in which two records of a configuration differ; None if in none."""
    first, second = dict(_flat(one)), dict(_flat(other))
    for key in [*first, *second]:
        if key not in ignored and first.get(key) != second.get(key):
            return key
    return None


def _flat(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, keys in record.items():
        for key, value in keys.items():
            yield f"{section}.{key}", value


def _read(name: str | Path) -> dict[str, Any]:
    """The settings in a shipped or in another TOML file."""
    path = Path(name)
    if str(name) in SHIPPED:
        text = (resources.files("deepcams.training") / "configs" / f"{name}.toml").read_text(encoding="utf-8")
    elif path.is_file():
        text = _text(path)
    else:
        raise InputError(f"config {name}: no such file, and not one of those that ship ({', '.join(SHIPPED)})")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"config {name}: not TOML ({error})") from None
    stray = [key for key, value in content.items() if key in SECTIONS and not isinstance(value, dict)]
    if stray:
        raise InputError(f"config {name}: {stray[0]} is a value: wanted a section [{stray[0]}]")
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"config {path}: cannot be read ({error})") from error


def _setting(text: str) -> tuple[str, str, Any]:
    """``section.key=value`` in its parts."""
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key) or section not in SECTIONS:
        raise InputError(f"--set {text}: wanted SECTION.KEY=VALUE with a section of {', '.join(SECTIONS)}, "
                         "for example --set training.steps=100")  # fmt: skip
    return section, key, _value(value.strip())


def _value(text: str) -> Any:
    """A TOML value; a word without quotes is itself."""
    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return content["value"] if set(content) == {"value"} else text


def _explain(error: Any) -> str:
    """One error of pydantic as ``section.key = found: wanted what is allowed``."""
    where, found, kind = error["loc"], error["input"], error["type"]
    key = ".".join(str(part) for part in where)
    if kind == "extra_forbidden":
        return f"{key} is not a known key: wanted {_known(where[:-1])}"
    wanted = str(error["msg"]).removeprefix("Input should be ")
    return f"{key} = {found!r}: wanted {wanted[0].lower()}{wanted[1:]}"


def _known(where: tuple[Any, ...]) -> str:
    """What may stand in a part of the configuration."""
    if not where:
        return "one of the sections " + ", ".join(SECTIONS)
    model = Source if len(where) > 1 else SECTIONS[where[0]]
    return f"one of {', '.join(model.model_fields)}"
