"""``deepcams train``: the networks' training."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.training.card import Result
    from deepcams.training.config import Config

_NO_TEMPORAL = "temporal: nothing to train, since the flow between two analyses has no parameters yet"


@click.command(epilog="Example: deepcams train spatial geos_cf_2021/ --config full --device cuda --output runs/full")
@click.argument("what", type=click.Choice(["spatial", "temporal", "all"]))
@click.argument("data", nargs=-1)
@click.option("--config", default="fast", show_default=True, metavar="NAME", help="fast, full, or a TOML file.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting (training.steps=100); may be repeated.",
)
@click.option(
    "--output",
    default="run",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where checkpoints, metrics, weights and the model card go; a training there is gone on with.",
)
@click.option(
    "--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda"]), help="Where to compute."
)
@click.option("--units", help="Unit of the values, if the files do not say it or say it wrongly.")
@click.option("--scale", type=float, help="ug m-3 at the full range of images, if they do not say it.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Threads that prepare examples.  [default: one per processor, at most 4]",
)
@click.option("--overwrite", is_flag=True, help="Begin anew, whatever is in DIR.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def train(what: str, data: tuple[str, ...], config: str, settings: tuple[str, ...], output: Path, device: str,
          units: str | None, scale: float | None, workers: int | None, overwrite: bool, quiet: bool) -> None:  # fmt: skip
    """Train the networks: spatial, temporal or all.

    DATA are hourly PM2.5 (GEOS-CF files, NetCDF, Zarr), sets made by deepcams prepare, or the folders of the original
    DeepCAMS; the GEOS-CF sample that ships with the package if none are given. Start it with torchrun for several
    processes.
    """
    if what != "temporal":
        chosen = _config(config, data, settings, units, scale)
        result = _train(chosen, output, device, workers, overwrite=overwrite, quiet=quiet)
        _say(_summary(result), quiet=quiet)
    if what != "spatial":
        _say([_NO_TEMPORAL], quiet=quiet)


def _config(name: str, data: tuple[str, ...], settings: tuple[str, ...], units: str | None,
            scale: float | None) -> Config:  # fmt: skip
    """The configuration, with what the call says of the data instead of what it says."""
    from deepcams.training.config import load_config

    given = {"files": list(data) or None, "units": units, "scale": scale}
    return load_config(name, settings=settings, data={key: one for key, one in given.items() if one is not None})


def _train(config: Config, output: Path, device: str, workers: int | None, *, overwrite: bool, quiet: bool) -> Result:
    """The training, with a progress bar in the first process."""
    from deepcams.cli.progress import progress
    from deepcams.training.loop import train_spatial

    silent = quiet or not _speaks()
    with progress(config.training.steps, "steps", quiet=silent) as advance:
        return train_spatial(
            config,
            output,
            device=device,
            overwrite=overwrite,
            workers=workers,
            progress=lambda count, loss: advance(count, f"loss {loss:.4f}" if math.isfinite(loss) else ""),
            report=lambda text: None if silent else click.echo(text, err=True),
        )


def _speaks() -> bool:
    """Whether this is the process that prints: torchrun numbers the others from 1."""
    return os.environ.get("RANK", "0") == "0"


def _say(lines: list[str], *, quiet: bool) -> None:
    if not quiet and _speaks():
        click.echo("\n".join(lines))


def _summary(result: Result) -> list[str]:
    """The summary for people."""
    chosen = f"the weights of step {result.step} of {result.steps}"
    return [*result.lines, f"wrote {result.weights} ({chosen}) and its card, {result.folder / 'spatial.md'}"]
