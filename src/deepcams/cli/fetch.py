"""``deepcams fetch``: downloads."""

from __future__ import annotations

import click

from deepcams.cli.lazy import LazyGroup

_SERVICES = ("cams", "geos-cf", "openaq", "published")


class _Services(LazyGroup):
    modules = {name: f"deepcams.cli.fetch_{name.replace('-', '_')}" for name in _SERVICES}  # noqa: RUF012


@click.group(cls=_Services)
def fetch() -> None:
    """Download CAMS, GEOS-CF, station data and the published dataset.

    OUT is a folder. The same command again fetches only what is missing, and nothing that is there is overwritten.
    """
