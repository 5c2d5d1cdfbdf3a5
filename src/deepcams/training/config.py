"""Settings of a training, from names and files. An unknown or out-of-range key is an error that names it.

Settings ship with the package as ``NAME-STAGE.toml``: ``fast`` for a laptop, ``full`` for a GPU with years of data, ``paper``
for the networks of the paper. Others are TOML files of the same sections.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from deepcams.errors import InputError
from deepcams.layers.header import DEFAULT_KIND
from deepcams.training.sections import CONFIGS, Config, Source

_SHIPPED = resources.files("deepcams.training") / "configs"
SHIPPED = tuple(sorted(one.name.removesuffix(".toml") for one in _SHIPPED.iterdir() if one.name.endswith(".toml")))
SECTIONS = tuple(Config.model_fields)


def load_config(name: str | Path, stage: str | None = None, *, settings: Iterable[str] = (),
                data: Mapping[str, Any] | None = None) -> Config:  # fmt: skip
    """A shipped configuration by its name, or one in a TOML file, with single settings changed.

    Args:
        name: one of :data:`SHIPPED`, with or without its stage, or a path.
        stage: ``spatial`` or ``temporal``: what the network must do; None for either.
        settings: ``section.key=value`` each, the value as TOML has it; quotes around words may be left out.
        data: keys of the section ``data`` that take the place of those in the file; files do so of series too.

    Raises:
        InputError: if there is no such configuration, it is of another stage, or a key is unknown or out of range.
    """
    content = _read(name, stage)
    for text in settings:
        section, key, value = _setting(text)
        content.setdefault(section, {})[key] = value
    if data:
        content["data"] = content.get("data", {}) | ({"series": []} if "files" in data else {}) | dict(data)
    config = parse_config(content, str(name))
    if stage not in (None, config.stage):
        raise InputError(f"config {name}: its network ({config.network.kind}) is a {config.stage} one; wanted a {stage} one: "
                         f"use deepcams train {config.stage}, or one of {_listed(stage)}")  # fmt: skip
    return config


def shipped(stage: str | None = None) -> list[str]:
    """The names of the configurations that ship; those of a stage without it."""
    end = "" if stage is None else f"-{stage}"
    return [name.removesuffix(end) for name in SHIPPED if name.endswith(end)]


def parse_config(content: Mapping[str, Any], label: str) -> Config:
    """The configuration of nested settings; what is not given has its default.

    Raises:
        InputError: naming the first key that is unknown or out of range, what was found and what is allowed.
    """
    kind = content.get("network", {}).get("kind", DEFAULT_KIND)
    if not isinstance(kind, str) or kind not in CONFIGS:
        raise InputError(f"config {label}: network.kind = {kind!r}: wanted one of {', '.join(CONFIGS)}")
    try:
        # Through JSON, since that is the form in which pydantic's strict mode takes lists for tuples.
        return CONFIGS[kind].model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise InputError(f"config {label}: {_explain(error.errors()[0], CONFIGS[kind])}") from None


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


def _read(name: str | Path, stage: str | None) -> dict[str, Any]:
    """The settings in a shipped or in another TOML file."""
    try:
        content = tomllib.loads(_text(name, stage))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"config {name}: not TOML ({error})") from None
    stray = [key for key, value in content.items() if key in SECTIONS and not isinstance(value, dict)]
    if stray:
        raise InputError(f"config {name}: {stray[0]} is a value: wanted a section [{stray[0]}]")
    return content


def _text(name: str | Path, stage: str | None) -> str:
    """The text of a configuration: what ships for the stage comes first, then what ships, then a file."""
    for one in (f"{name}-{stage}", str(name)):
        if one in SHIPPED:
            return (_SHIPPED / f"{one}.toml").read_text(encoding="utf-8")
    path = Path(name)
    if not path.is_file():
        raise InputError(f"config {name}: no such file, and not one of those that ship ({_listed(stage)}); choose one of "
                         "these, or give a TOML file")  # fmt: skip
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"config {path}: cannot be read ({error})") from error


def _listed(stage: str | None) -> str:
    """What ships, for people."""
    return ", ".join(shipped(stage)) + ("" if stage is None else f" for {stage}")


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


def _explain(error: Any, config: type[Config]) -> str:
    """One error of pydantic as ``section.key = found: wanted what is allowed``."""
    where, found, kind = error["loc"], error["input"], error["type"]
    key = ".".join(str(part) for part in where)
    if kind == "extra_forbidden":
        return f"{key} is not a known key: wanted {_known(where[:-1], config)}"
    if kind == "value_error" and len(where) == 1:  # of a whole section: keys that do not go together
        return f"{key}: {error['ctx']['error']}"
    wanted = str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{key} = {found!r}: wanted {wanted[0].lower()}{wanted[1:]}"


def _known(where: tuple[Any, ...], config: type[Config]) -> str:
    """What may stand in a part of the configuration."""
    if not where:
        return "one of the sections " + ", ".join(SECTIONS)
    model: Any = Source if len(where) > 1 else config.model_fields[where[0]].annotation
    fields: dict[str, Any] = model.model_fields if issubclass(model, BaseModel) else {}
    return f"one of {', '.join(fields)}"
