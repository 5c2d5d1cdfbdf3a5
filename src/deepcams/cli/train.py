"""``deepcams train``: the networks' training."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deepcams.training.card import Result
    from deepcams.training.sections import Config

_STAGES = ("temporal", "spatial")


@click.command(epilog="Example: deepcams train spatial geos_cf_2021/ --config full --device cuda --output runs/full")
@click.argument("what", type=click.Choice(["spatial", "temporal", "all"]))
@click.argument("data", nargs=-1)
@click.option(
    "--config",
    default="fast",
    show_default=True,
    metavar="NAME",
    help="fast, full or paper, or (but for all) a TOML file.",
)
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
    help="Where checkpoints, metrics, weights and the model card go (all: DIR/temporal and DIR/spatial); a training there "
    "is gone on with.",
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
    stages = _STAGES if what == "all" else (what,)
    if what == "all":
        _refuse_file(config)
    # All settings are read before any training begins: a mistake in the second should not wait for the first.
    chosen = [(stage, _config(config, stage, data, settings, units, scale)) for stage in stages]
    for stage, one in chosen:
        folder = output / stage if what == "all" else output
        result = _train(one, folder, device, workers, overwrite=overwrite, quiet=quiet)
        _say(_summary(result), quiet=quiet)


def _refuse_file(name: str) -> None:
    """Refuse a configuration that cannot be that of both stages."""
    from deepcams.errors import InputError
    from deepcams.training.config import shipped

    if name.endswith(".toml") or Path(name).is_file():
        raise InputError(f"config {name}: a file is for one of the networks; wanted one of {', '.join(shipped('spatial'))} to "
                         "train all, or train the two one by one: deepcams train temporal, deepcams train spatial")  # fmt: skip


def _config(name: str, stage: str, data: tuple[str, ...], settings: tuple[str, ...], units: str | None,
            scale: float | None) -> Config:  # fmt: skip
    """The configuration of a stage, with what the call says of the data instead of what it says."""
    from deepcams.training.config import load_config

    given = {"files": list(data) or None, "units": units, "scale": scale}
    told = {key: one for key, one in given.items() if one is not None}
    return load_config(name, stage, settings=settings, data=told)


def _train(config: Config, output: Path, device: str, workers: int | None, *, overwrite: bool, quiet: bool) -> Result:
    """The training, with a progress bar in the first process."""
    from deepcams.cli.progress import progress
    from deepcams.training.loop import train

    silent = quiet or not _speaks()
    with progress(config.training.steps, "steps", quiet=silent) as advance:
        return train(
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
    return [*result.lines, f"wrote {result.weights} ({chosen}) and its card, {result.card}"]
