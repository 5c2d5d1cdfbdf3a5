"""The weights that ship are what their cards say."""

from __future__ import annotations

import pytest

from deepcams.layers.header import kind_of
from deepcams.layers.weights import read_weights
from deepcams.methods import SPATIAL_NETWORKS, TEMPORAL_NETWORKS
from deepcams.provenance import sha256_of
from deepcams.weights import CORRECTION_WEIGHTS

FOLDER = CORRECTION_WEIGHTS.parent
WEIGHTS = sorted(FOLDER.glob("*.safetensors"))
STAGE = dict.fromkeys(SPATIAL_NETWORKS, "spatial") | dict.fromkeys(TEMPORAL_NETWORKS, "temporal")


def test_each_has_a_card_and_each_card_its_weights():
    assert [path.stem for path in sorted(FOLDER.glob("*.md"))] == [path.stem for path in WEIGHTS]


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_the_card_names_the_file_and_its_data(path):
    card, (_, metadata), kind = path.with_suffix(".md").read_text(), read_weights(path), kind_of(path)
    assert f"sha256 of {path.name}: `{sha256_of(path)}`" in card
    assert metadata["format"] == f"deepcams {STAGE[kind]} network"
    assert metadata["provenance"]["inputs"]
    wanted = (kind, "seed", "## Limits", f"deepcams train {STAGE[kind]}", metadata["data"])
    for words in (*wanted, *metadata["provenance"]["inputs"]):
        assert words in card
