from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from deepcams.errors import DeepcamsError
from deepcams.layers.inference import computing, one_thread

CPU, CUDA = torch.device("cpu"), torch.device("cuda")  # to name a card needs none


def settings():
    """What could make two runs on a card differ."""
    cudnn = torch.backends.cudnn
    return torch.are_deterministic_algorithms_enabled(), cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32


def test_one_thread_and_then_as_before():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="broken"), one_thread():
            raise ValueError("broken")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_cpu_computes_with_one_thread_and_changes_nothing_else():
    before = settings()
    with computing(CPU):
        assert torch.get_num_threads() == 1
        assert torch.is_inference_mode_enabled()
        assert settings() == before


def test_the_card_repeats_itself_in_single_precision():
    before = settings()
    with computing(CUDA):
        assert settings() == (True, True, False, False)
        assert torch.is_inference_mode_enabled()
    assert settings() == before
    with pytest.raises(ValueError, match="broken"), computing(CUDA):
        raise ValueError("broken")
    assert settings() == before


def test_what_the_caller_had_set_comes_back():
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = True, False
    try:
        before = settings()
        with computing(CUDA):
            pass
        assert settings() == before
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = False, True


def test_threads_take_turns_at_the_card_and_none_undoes_anothers_settings():
    before, inside, found = settings(), [], []

    def piece(_):
        with computing(CUDA):
            inside.append(1)
            time.sleep(0.002)
            found.append((len(inside), settings()))
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(piece, range(24)))
    assert set(found) == {(1, (True, True, False, False))}
    assert settings() == before


def test_a_card_that_is_too_small():
    with pytest.raises(DeepcamsError, match=r"device cuda: out of memory; .* use --device cpu"), computing(CUDA):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    with computing(CUDA):
        pass  # the next one has its turn
