"""What a training leaves: the chosen weights, and a card that says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcams.io.output import partial
from deepcams.layers.weights import State, write_weights
from deepcams.provenance import run_record, sha256_of
from deepcams.training.curriculum import share
from deepcams.training.validation import table, verdict

VERSION = 1


def weights_name(stage: str) -> str:
    """The file of the weights of a stage."""
    return f"{stage}.safetensors"


def card_name(stage: str) -> str:
    """The file of their card."""
    return f"{stage}.md"


@dataclass(frozen=True)
class Words:
    """What a card says of a kind of network.

    Attributes:
        stage: ``spatial`` or ``temporal``.
        kind: its name in configurations.
        purpose: what it is for: a sentence.
        scope: what it is limited to.
    """

    stage: str
    kind: str
    purpose: str
    scope: str


@dataclass(frozen=True)
class Result:
    """The outcome of a training.

    Attributes:
        words: what was trained.
        folder: where everything is.
        step: the step whose weights were chosen.
        steps: how many were taken.
        scores: of the chosen weights and the baselines on the held-out part; empty if nothing was held out.
        device: where it was trained.
    """

    words: Words
    folder: Path
    step: int
    steps: int
    scores: dict[str, dict[str, float]]
    device: str

    @property
    def weights(self) -> Path:
        """The file of the chosen weights."""
        return self.folder / weights_name(self.words.stage)

    @property
    def card(self) -> Path:
        """Their card."""
        return self.folder / card_name(self.words.stage)

    @property
    def lines(self) -> list[str]:
        """The scores and the verdicts for people."""
        if not self.scores:
            return ["nothing was held out: these weights are not judged"]
        return [*table(self.scores), *verdict(self.scores)]


def write_results(result: Result, state: State, facts: Mapping[str, Any]) -> None:
    """Write the weights, which are the same for every run of the same work, and the card, which says of this one.

    Args:
        result: the outcome.
        state: the chosen weights.
        facts: architecture, config, digest of the data, share of the unknown, what was held out, provenance; JSON-ready.

    Raises:
        OutputError: if they cannot be written.
    """
    words = result.words
    kind = {"format": f"deepcams {words.stage} network", "version": VERSION, "kind": words.kind}
    known = {**kind, "step": result.step, "scores": result.scores, **facts}
    write_weights(result.weights, state, known)
    with partial(result.card, overwrite=True) as temporary:
        temporary.write_text(_card(result, state, facts), encoding="utf-8")


def _card(result: Result, state: State, facts: Mapping[str, Any]) -> str:
    """The model card, in Markdown."""
    words, config, made = result.words, facts["config"], facts["provenance"]
    count = sum(tensor.numel() for tensor in state.values())
    run = run_record()
    parts = [
        f"# {words.stage.capitalize()} network of DeepCAMS ({words.kind})",
        "",
        f"{words.purpose} It has {count} numbers ({_settings(facts['architecture'])}) and was made with deepcams "
        f"{made['deepcams_version']}.",
        "",
        "## Scores",
        "",
        "```",
        *result.lines,
        "```",
        "",
        f"Area-weighted, on whole fields, in the held-out part: {_held_out(facts['held_out'])}. The weights are those of step "
        f"{result.step} of {result.steps}, {_selected(facts['selected'])}.",
        "",
        "## Data",
        "",
        f"{', '.join(made['inputs'])}; digest {facts['data']}. Of the truth, {share(facts['unknown'])} was unknown in the "
        "fields looked at for that, and not learned from.",
        "",
        "## How it was trained",
        "",
        f"`{run['command']}`, {run['time']}, on {result.device}, seed {config['training']['seed']}.",
        "",
        "```json",
        json.dumps(config, indent=1),
        "```",
        "",
        "## Limits",
        "",
        f"- For PM2.5 in ug m-3, and {words.scope}; it has seen the data above, and nothing else.",
        "- What was held out chose the weights, if they are those of the best validation: the scores flatter a little.",
        "- It learns what its data know: a model's fine structure, not that of measurements.",
        "",
        "## Licence and file",
        "",
        f"Source of the data: {made['attribution']}. The weights are under the licence of the package that they come "
        "with, as far as that of the data allows.",
        "",
        f"sha256 of {result.weights.name}: `{sha256_of(result.weights)}`",
        "",
    ]
    return "\n".join(parts)


def _settings(sizes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sizes.items())


def _selected(how: str) -> str:
    return "the best in validation" if how == "best" else "the last"


def _held_out(split: Mapping[str, Any]) -> str:
    """The held-out part in words."""
    boxes = "; ".join(",".join(f"{edge:g}" for edge in box) for box in split["hold_out"])
    parts = [f"the regions (N,W,S,E) {boxes}"] if boxes else []
    parts += [f"the last {split['last']:.0%} of the hours"] if split["last"] else []
    return ", in ".join(parts) or "nothing"
