"""Put trained weights and their card where the package looks for them.

    python tools/ship_weights.py run/temporal.safetensors src/deepcams/weights/temporal.safetensors
    python tools/ship_weights.py run/spatial.safetensors src/deepcams/weights/paper-spatial.safetensors --half

With ``--half`` numbers are kept as float16, which halves a large file; they are float32 again when they are used. The card is
that of the training with the new name and checksum; what else is to be said of the weights is added to it by hand.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch

from deepcams.layers.weights import read_weights, write_weights
from deepcams.provenance import sha256_of


def main() -> None:
    """Copy one file of weights and its card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--half", action="store_true")
    arguments = parser.parse_args()
    source, target = arguments.source, arguments.target
    state, metadata = read_weights(source)
    if arguments.half:
        state = {name: tensor.to(torch.float16) for name, tensor in state.items()}
        metadata["stored_as"] = "float16"
    write_weights(target, state, metadata)
    card = source.with_suffix(".md").read_text(encoding="utf-8")
    kept = "The numbers are kept as float16, and float32 when they are used.\n\n" if arguments.half else ""
    line = f"{kept}sha256 of {target.name}: `{sha256_of(target)}`"
    card = re.sub(r"sha256 of .*", line, card)
    card = re.sub(r"`\S*(?:__main__\.py|deepcams) train", "`deepcams train", re.sub(r" --output \S*`", "`", card))
    target.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
