"""Configurations: those that ship, what is refused, and how the message says it."""

from dataclasses import fields

import pytest

from deepcams.errors import InputError
from deepcams.spatial.network import Architecture
from deepcams.training.config import SHIPPED, Config, Network, differing_key, load_config, parse_config
from deepcams.training.sampler import Augmentation, Sampler


@pytest.mark.parametrize("name", SHIPPED)
def test_those_that_ship_are_whole_and_say_what_they_are(name):
    config = load_config(name)
    assert parse_config(config.model_dump(mode="json"), name) == config
    assert config.split.hold_out or config.split.last


def test_settings_are_those_of_the_code_they_are_for():
    assert set(Network.model_fields) == {one.name for one in fields(Architecture)}
    sampling, drawn = (
        Config().sampling,
        {one.name for one in fields(Sampler)} | {one.name for one in fields(Augmentation)},
    )
    assert set(sampling.model_dump()) <= drawn


def test_a_file_and_single_settings(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[training]\nsteps = 50\n[[data.series]]\npath = 'a/b.nc'\nweight = 2.0\n")
    config = load_config(path, settings=["training.batch=3", "training.precision=bf16", "split.hold_out=[[1,2,0,3]]"])
    assert (config.training.steps, config.training.batch, config.training.precision) == (50, 3, "bf16")
    assert config.split.hold_out == ((1.0, 2.0, 0.0, 3.0),)
    assert config.record()["data"]["series"] == [{"path": "b.nc", "weight": 2.0}]
    assert config.sampling == Config().sampling


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.steps=-5", "training.steps = -5: wanted greater than or equal to 1"),
        ("training.steps=1.5", "training.steps = 1.5: wanted a valid integer"),
        ("training.steps=true", "training.steps = True: wanted"),
        ("training.speps=5", "training.speps is not a known key: wanted one of steps, batch,"),
        ("training.precision=fp8", "training.precision = 'fp8': wanted 'float32' or 'bf16'"),
        ("training.rate=nan", "training.rate = nan: wanted a finite number"),
        ("training.ema=1.0", "training.ema = 1.0: wanted less than 1"),
        ("training.seed=1\n[x]", "training.seed = '1"),
        ("network.channels='many'", "network.channels = 'many': wanted a valid integer"),
        ("split.hold_out=[[1,2,3]]", "split.hold_out.0.3 ="),
        ("split.last=0.95", "split.last = 0.95: wanted less than or equal to 0.9"),
        ("data.files=3", "data.files = 3: wanted a valid array"),
        ("data.series=[{path='x', wight=2}]", "data.series.0.wight is not a known key: wanted one of path, weight"),
        ("optimiser.rate=1", "wanted SECTION.KEY=VALUE with a section of data, split,"),
        ("steps=1", "wanted SECTION.KEY=VALUE"),
        ("training.steps", "wanted SECTION.KEY=VALUE"),
    ],
)
def test_settings_that_are_refused(setting, message):
    with pytest.raises(InputError) as error:
        load_config("fast", settings=[setting])
    assert message in str(error.value)


def test_data_of_the_call_take_the_place_of_those_in_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[data]\nunits = 'kg m-3'\n[[data.series]]\npath = 'a.nc'\n")
    data = load_config(path, data={"files": ["b.nc"]}).data
    assert (data.files, data.series, data.units) == (("b.nc",), (), "kg m-3")
    assert load_config(path, data={"scale": 800.0}).data.series[0].path == "a.nc"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nsteps = ", "not TOML"),
        ("training = 3", "training is a value: wanted a section"),
        ("[optimizer]\nrate = 1", "optimizer is not a known key: wanted one of the sections data, split"),
        ("[training]\nsteps = 1979-05-27", "training.steps = '1979-05-27': wanted a valid integer"),
    ],
)
def test_files_that_are_refused(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_config(path)
    assert message in str(error.value)


def test_a_name_that_does_not_exist():
    with pytest.raises(InputError, match=r"config quick: no such file, and not one of those that ship \(fast, full\)"):
        load_config("quick")


def test_the_first_key_that_differs():
    one = Config().record()
    other = load_config("fast", settings=["training.steps=7"]).record() | {"split": one["split"]}
    assert differing_key(one, one) is None
    assert differing_key(one, other, ignored=("training.ema", "network.channels")) == "training.steps"
    assert differing_key(one, one | {"new": {"key": 1}}) == "new.key"
