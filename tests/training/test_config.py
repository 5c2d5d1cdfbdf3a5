"""Configurations: those that ship, what is refused, and how the message says it."""

from dataclasses import asdict, fields

import pytest

from deepcams.errors import InputError
from deepcams.spatial import abpn
from deepcams.spatial.network import Architecture
from deepcams.temporal import network, xvfi
from deepcams.training.config import SHIPPED, differing_key, load_config, parse_config, shipped
from deepcams.training.intervals import IntervalSampler
from deepcams.training.sampler import Augmentation, Sampler
from deepcams.training.sections import CONFIGS, Abpn, CorrectionConfig, Intervals, Scenes
from deepcams.training.stages import STAGES


@pytest.mark.parametrize("name", SHIPPED)
def test_those_that_ship_are_whole_and_say_what_they_are(name):
    config = load_config(name)
    assert parse_config(config.model_dump(mode="json"), name) == config
    assert config.split.hold_out or config.split.last


@pytest.mark.parametrize(("kind", "architecture"), [("correction", Architecture), ("abpn", abpn.Architecture),
                                                     ("xvfi", xvfi.Architecture),
                                                     ("progress", network.Architecture)])  # fmt: skip
def test_sizes_are_those_of_the_network(kind, architecture):
    assert parse_config({"network": {"kind": kind}}, "test").network.sizes() == asdict(architecture())


def test_settings_are_those_of_the_code_they_are_for():
    augmentation = {one.name for one in fields(Augmentation)}
    assert set(Scenes().model_dump()) <= {one.name for one in fields(Sampler)} | augmentation
    assert set(Intervals().model_dump()) <= {one.name for one in fields(IntervalSampler)} | augmentation
    assert set(CONFIGS) == set(STAGES)


def test_a_file_and_single_settings(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[training]\nsteps = 50\n[[data.series]]\npath = 'a/b.nc'\nweight = 2.0\n")
    config = load_config(path, settings=["training.batch=3", "training.precision=bf16", "split.hold_out=[[1,2,0,3]]"])
    assert (config.training.steps, config.training.batch, config.training.precision) == (50, 3, "bf16")
    assert config.split.hold_out == ((1.0, 2.0, 0.0, 3.0),)
    assert config.record()["data"]["series"] == [{"path": "b.nc", "weight": 2.0}]
    assert config.sampling == CorrectionConfig().sampling


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
        load_config("fast", "spatial", settings=[setting])
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


@pytest.mark.parametrize(
    ("name", "stage", "message"),
    [
        (
            "quick",
            None,
            r"config quick: no such file, and not one of those that ship \(fast-spatial, fast-temporal, .*\)",
        ),
        (
            "quick",
            "temporal",
            r"not one of those that ship \((.*, )?paper for temporal\); choose one of these, or give a TOML",
        ),
        (
            "fast-spatial",
            "temporal",
            r"its network \(correction\) is a spatial one; wanted a temporal one: .*train spatial",
        ),
        (
            "paper-temporal",
            "spatial",
            r"its network \(xvfi\) is a temporal one; .*one of fast, full, paper for spatial",
        ),
    ],
)
def test_names_that_are_refused(name, stage, message):
    with pytest.raises(InputError, match=message):
        load_config(name, stage)


def test_a_name_is_that_of_its_stage():
    kinds = {stage: load_config("paper", stage).network.kind for stage in ("spatial", "temporal")}
    assert kinds == {"spatial": "abpn", "temporal": "xvfi"}
    assert load_config("fast", "spatial") == load_config("fast-spatial") == load_config("fast-spatial", "spatial")
    assert "paper" in shipped("temporal")
    assert shipped("spatial") == shipped("temporal") == ["fast", "full", "paper"]
    assert {load_config(name, "temporal").network.kind for name in ("fast", "full")} == {"progress"}


def test_a_file_is_of_the_stage_of_its_network(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[network]\nkind = 'abpn'\nstages = 2\n")
    assert load_config(path, "spatial").network == Abpn(stages=2)
    with pytest.raises(InputError, match=r"mine\.toml: its network \(abpn\) is a spatial one"):
        load_config(path, "temporal")


@pytest.mark.parametrize(
    ("kind", "setting", "message"),
    [
        (
            "abpn",
            "sampling.step=3",
            "sampling.step is not a known key: wanted one of size, margin, flip, turn, gain, blur",
        ),
        ("abpn", "training.square=0.1", "training.square is not a known key"),
        ("abpn", "network.blocks=3", "network.blocks is not a known key: wanted one of kind, channels, stages"),
        (
            "xvfi",
            "sampling.blur=1.0",
            "sampling.blur is not a known key: wanted one of size, margin, gaps, flip, turn, gain",
        ),
        ("xvfi", "sampling.gaps=[1]", "sampling.gaps.0 = 1: wanted greater than or equal to 2"),
        ("xvfi", "sampling.gaps=[]", "sampling.gaps = []: wanted"),
        ("xvfi", "network.features=0", "network.features = 0: wanted"),
        (
            "progress",
            "sampling.flip=true",
            "sampling.flip is not a known key: wanted one of size, margin, gaps, count",
        ),
        ("progress", "sampling.gaps=[2, 3]", "sampling.gaps"),
        ("progress", "sampling.gridded=-1.0", "sampling.gridded = -1.0: wanted greater than or equal to 0"),
        ("progress", "sampling.middle=2.0", "sampling.middle = 2.0: wanted less than or equal to 1"),
        ("progress", "data.places=['a.nc']", "data.places.0 = 'a.nc': wanted"),
        ("progress", "data.places=[{path='a.nc', weight=0.0}]", "data.places.0.weight = 0.0: wanted greater than 0"),
        ("progress", "network.harmonics=0", "network.harmonics = 0: wanted"),
        ("progress", "training.smoothness=1.0", "training.smoothness is not a known key"),
        ("correction", "data.places=[]", "data.places is not a known key: wanted one of files, series, units, scale"),
        ("correction", "training.evenness=1.0", "training.evenness is not a known key"),
        ("correction", "training.smoothness=1.0", "training.smoothness is not a known key"),
        ("correction", "network.kind=vdsr", "network.kind = 'vdsr': wanted one of correction, progress, abpn, xvfi"),
        ("correction", "network.kind=3", "network.kind = 3: wanted one of correction, progress, abpn, xvfi"),
        ("correction", "training.optimiser=sgd", "training.optimiser = 'sgd': wanted 'adamw' or 'adam'"),
        (
            "correction",
            "training.optimiser=adam",
            "training: weight_decay = 0.01 with optimiser = 'adam', which has none",
        ),
        (
            "correction",
            "training.schedule=milestones",
            "training: schedule = 'milestones' without milestones and a decay",
        ),
        (
            "correction",
            "training.decay=0.5",
            "training: schedule = 'cosine' with milestones or a decay, which it has no use for",
        ),
        ("correction", "training.milestones=[0.5, 1.0]", "training.milestones.1 = 1.0: wanted less than 1"),
        (
            "correction",
            "training.milestones=[0.5, 0.5]",
            "training.milestones = [0.5, 0.5]: wanted shares of the steps in asc",
        ),
    ],
)
def test_settings_without_a_meaning_are_refused(tmp_path, kind, setting, message):
    path = tmp_path / "mine.toml"
    path.write_text(f"[network]\nkind = '{kind}'\n")
    with pytest.raises(InputError) as error:
        load_config(path, settings=[setting])
    assert message in str(error.value)


def test_the_first_key_that_differs():
    one = CorrectionConfig().record()
    other = load_config("fast", "spatial", settings=["training.steps=7"]).record() | {"split": one["split"]}
    assert differing_key(one, one) is None
    assert differing_key(one, other, ignored=("training.ema", "network.channels")) == "training.steps"
    assert differing_key(one, one | {"new": {"key": 1}}) == "new.key"
