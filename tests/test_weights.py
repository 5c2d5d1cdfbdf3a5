"""The weights that ship are what their card says."""

from __future__ import annotations

import re

from deepcams.layers.weights import read_weights
from deepcams.provenance import sha256_of
from deepcams.weights import SPATIAL_WEIGHTS


def test_the_card_names_the_file_and_its_data():
    card = SPATIAL_WEIGHTS.with_suffix(".md").read_text()
    assert re.search(r"sha256 of spatial\.safetensors: `(\w+)`", card)[1] == sha256_of(SPATIAL_WEIGHTS)
    _, metadata = read_weights(SPATIAL_WEIGHTS)
    assert metadata["format"] == "deepcams spatial network"
    assert metadata["provenance"]["inputs"] == ["geos_cf_2020-03-08.nc"]
    for word in ("geos_cf_2020-03-08.nc", "seed", "## Limits", "deepcams train spatial", metadata["data"]):
        assert word in card
