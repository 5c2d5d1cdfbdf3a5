"""Where networks compute. Nothing here imports torch before it is needed: methods without a network never need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepcams.errors import InputError

if TYPE_CHECKING:
    import torch

CPU, CUDA, AUTO = "cpu", "cuda", "auto"
DEVICES = (CPU, CUDA, AUTO)


def check_device(name: str) -> None:
    """Refuse a device that is none of :data:`DEVICES`.

    Raises:
        InputError: naming those that are.
    """
    if name not in DEVICES:
        raise InputError(f"device {name!r}: wanted one of {', '.join(DEVICES)}")


def device_of(name: str) -> torch.device:
    """The device of a name; ``auto`` is CUDA where there is one.

    Args:
        name: one of :data:`DEVICES`.

    Raises:
        InputError: for another name, or if CUDA is asked for and there is none.
    """
    import torch

    check_device(name)
    there = torch.cuda.is_available()
    if name == CUDA and not there:
        raise InputError(f"device cuda: torch {torch.__version__} finds no CUDA device; use --device cpu, or install a torch "
                         "and a driver that fit the GPU")  # fmt: skip
    return torch.device(CPU if name == CPU or not there else CUDA)
