"""Recipes: their parts, their order, and whose weights fit where."""

from __future__ import annotations

import pytest
import torch

from deepcams.errors import InputError
from deepcams.layers.weights import read_weights, write_weights
from deepcams.methods import (
    CUSTOM,
    DEFAULT,
    RECIPES,
    SPACE_FIRST,
    TIME_FIRST,
    UNTRAINED,
    default,
    recipe,
    refuse_untrained,
    with_weights,
)
from deepcams.spatial import SPATIAL
from deepcams.temporal import TEMPORAL
from deepcams.weights import ABPN_WEIGHTS, CORRECTION_WEIGHTS, DEFORMABLE_WEIGHTS, PROGRESS_WEIGHTS, XVFI_WEIGHTS

SPATIAL_KINDS = {"correction": CORRECTION_WEIGHTS, "abpn": ABPN_WEIGHTS}
TEMPORAL_KINDS = {"progress": PROGRESS_WEIGHTS, "xvfi": XVFI_WEIGHTS}


@pytest.fixture
def other(tmp_path):
    """A copy of shipped weights under another name and with another number in it."""

    def copy(path):
        state, metadata = read_weights(path)
        first = next(iter(state))
        state[first] = torch.full_like(state[first], 0.01)
        write_weights(tmp_path / path.name, state, metadata)
        return tmp_path / path.name

    return copy


def test_what_each_recipe_is():
    parts = {name: (one.space.name, one.time.name, one.order) for name, one in RECIPES.items()}
    assert parts == {
        "deepcams": ("network", "network", SPACE_FIRST),
        "fast": ("lcbp", "flow", SPACE_FIRST),
        "paper": ("abpn", "xvfi", TIME_FIRST),
    }
    assert {name for name, one in RECIPES.items() if one.is_trained} == {"deepcams", "paper"}


def test_the_kinds_are_those_that_the_files_are_of():
    for methods, kinds in ((SPATIAL, SPATIAL_KINDS), (TEMPORAL, TEMPORAL_KINDS)):
        trained = [one for one in methods.values() if one.weights is not None]
        assert {one.kind for one in trained} == set(kinds)
        for one in trained:
            assert read_weights(one.weights)[1].get("kind", "correction") == one.kind
        assert not any(one.kind for one in methods.values() if one.weights is None)


def test_exchanged_parts_make_it_another_method():
    one = recipe("fast", time="linear", order=TIME_FIRST)
    assert (one.name, one.space.name, one.time.name, one.order) == (CUSTOM, "lcbp", "linear", TIME_FIRST)
    assert recipe("fast", space="lcbp", time="flow", order=SPACE_FIRST) == RECIPES["fast"]
    assert recipe("paper", order=SPACE_FIRST).order == SPACE_FIRST
    assert recipe() == RECIPES[DEFAULT]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"name": "slow"}, "method 'slow' does not exist: wanted one of deepcams, fast, paper"),
        ({"space": "vdsr"}, "space 'vdsr' does not exist: wanted one of .*lcbp, network, abpn"),
        (
            {"time": "network2"},
            "time 'network2' does not exist: wanted one of linear, flow, network, xvfi, xvfi-deformable",
        ),
        ({"order": "both"}, "order 'both' does not exist: wanted one of space-first, time-first"),
    ],
)
def test_names_that_do_not_exist(choice, message):
    with pytest.raises(InputError, match=message):
        recipe(**choice)


@pytest.mark.parametrize("method", ["deepcams", "paper"])
def test_weights_go_to_the_network_that_they_are_for(method, other):
    shipped = recipe(method)
    space, time = other(shipped.space.weights), other(shipped.time.weights)
    for weights in ((space, time), (time, space)):
        changed = recipe(method, weights=weights)
        assert (changed.space.weights, changed.time.weights) == (space, time)
        assert (changed.name, changed.order) == (shipped.name, shipped.order)
        assert (changed.space.name, changed.time.name) == (shipped.space.name, shipped.time.name)
        assert (changed.space.context, changed.time.context) == (shipped.space.context, shipped.time.context)
        assert all(changed.settings[f"{part}_weights_sha256"] != shipped.settings[f"{part}_weights_sha256"]
                   for part in ("space", "time"))  # fmt: skip
    assert with_weights(shipped, time).space == shipped.space


def test_a_variant_keeps_its_name(other):
    weights = other(DEFORMABLE_WEIGHTS)
    changed = recipe("paper", time="xvfi-deformable", weights=[weights])
    assert (changed.time.name, changed.time.weights) == ("xvfi-deformable", weights)


@pytest.mark.parametrize(
    ("method", "weights", "message"),
    [
        ("deepcams", ABPN_WEIGHTS, r"'abpn', and the networks of method deepcams are: correction and progress; give "
                                   r"--method paper with them"),
        ("deepcams", XVFI_WEIGHTS, r"'xvfi', .*; give --method paper with them"),
        ("paper", CORRECTION_WEIGHTS, r"'correction', .* paper are: abpn and xvfi; give --method deepcams with them"),
        ("paper", PROGRESS_WEIGHTS, r"'progress', .*; give --method deepcams with them"),
        ("fast", PROGRESS_WEIGHTS, r"'progress', .* method fast are: none; give --method deepcams with them"),
    ],
)  # fmt: skip
def test_weights_for_no_network_of_a_method_are_refused(method, weights, message):
    with pytest.raises(InputError, match=rf"weights .*{weights.name} are for a network of the kind {message}"):
        recipe(method, weights=[weights])


def test_weights_of_a_kind_that_no_method_has_are_refused(tmp_path):
    path = tmp_path / "later.safetensors"
    write_weights(path, {"layer.weight": torch.ones(2)}, {"kind": "later"})
    with pytest.raises(InputError, match=r"the kind 'later', .*; no method of this version has such a network"):
        recipe(weights=[path])


def test_weights_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        recipe(weights=[tmp_path / "none.safetensors"])


@pytest.mark.parametrize(
    ("method", "species", "factor", "fits"),
    [
        ("deepcams", "pm2p5", 3, True), ("deepcams", "pm2p5", 5, False), ("deepcams", "pm10", 3, False),
        ("paper", "pm2p5", 3, True), ("paper", "pm2p5", 5, False), ("paper", "go3", 3, False),
        ("fast", "go3", 7, True),
    ],
)  # fmt: skip
def test_trained_methods_are_for_what_they_were_trained_on(method, species, factor, fits):
    assert default(species, factor) == (DEFAULT if (species, factor) == ("pm2p5", 3) else UNTRAINED)
    if fits:
        refuse_untrained(recipe(method), species, factor)
        return
    with pytest.raises(InputError, match=rf"method {method} is trained for pm2p5 made 3 times as fine, and asked for "
                                         rf"{species} made {factor} times as fine: use --method fast"):  # fmt: skip
        refuse_untrained(recipe(method), species, factor)


def test_a_network_in_time_alone_takes_any_factor_and_one_species():
    alone = recipe("deepcams", space="lcbp")
    assert alone.is_trained
    refuse_untrained(alone, "pm2p5", 5)
    with pytest.raises(InputError, match="asked for pm10 made 5 times as fine"):
        refuse_untrained(alone, "pm10", 5)


def test_settings_tell_methods_apart():
    several = [*RECIPES.values(), recipe("paper", order=SPACE_FIRST), recipe("deepcams", time="flow")]
    settings = [str(one.settings) for one in several]
    assert len(set(settings)) == len(settings)
