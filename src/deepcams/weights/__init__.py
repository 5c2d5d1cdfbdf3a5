"""Trained weights that ship with the package, each with its model card."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

CORRECTION_WEIGHTS = _HERE / "spatial.safetensors"
PROGRESS_WEIGHTS = _HERE / "temporal.safetensors"
ABPN_WEIGHTS = _HERE / "paper-spatial.safetensors"
XVFI_WEIGHTS = _HERE / "paper-temporal.safetensors"
DEFORMABLE_WEIGHTS = _HERE / "paper-temporal-deformable.safetensors"
