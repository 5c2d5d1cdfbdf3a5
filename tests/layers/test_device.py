from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from deepcams.errors import InputError
from deepcams.layers.device import DEVICES, check_device, device_of

NO_CARD = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def test_names():
    for name in DEVICES:
        check_device(name)
    for wrong in ("gpu", "cuda:1", ""):
        with pytest.raises(InputError, match=f"device '{wrong}': wanted one of cpu, cuda, auto"):
            check_device(wrong)
        with pytest.raises(InputError, match="wanted one of"):
            device_of(wrong)


def test_the_cpu_is_always_there():
    assert device_of("cpu") == torch.device("cpu")


@pytest.mark.parametrize("there", [False, True])
def test_auto_is_cuda_where_there_is_one(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device_of("auto").type == ("cuda" if there else "cpu")
    assert device_of("cpu").type == "cpu"


@NO_CARD
def test_a_gpu_that_is_not_there():
    with pytest.raises(InputError, match=r"device cuda: torch .* finds no CUDA device; use --device cpu, or install"):
        device_of("cuda")


def test_names_need_no_torch():
    script = (
        "import sys\nfrom deepcams.layers.device import check_device\nfrom deepcams.methods import recipe\n"
        "for name in ('cpu', 'cuda', 'auto'): recipe('fast', device=name)\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
