"""``deepcams plot``: pictures of what was computed."""

from __future__ import annotations

import click

from deepcams.cli.lazy import LazyGroup

_KINDS = ("map", "compare", "series", "animation", "spectrum", "scatter")


class _Kinds(LazyGroup):
    modules = {name: f"deepcams.cli.plot_{name}" for name in _KINDS}  # noqa: RUF012


@click.group(cls=_Kinds)
def plot() -> None:
    """Draw maps, series, animations, spectra and scatters.

    Pictures end in .png, .svg or .pdf. The same files give the same picture, byte for byte.
    """
