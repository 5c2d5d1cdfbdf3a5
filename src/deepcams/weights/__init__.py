"""Trained weights that ship with the package, each with its model card."""

from __future__ import annotations

from pathlib import Path

SPATIAL_WEIGHTS = Path(__file__).with_name("spatial.safetensors")
