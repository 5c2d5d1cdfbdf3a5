"""``deepcams calibrate``: hourly maps corrected with what stations measured, apart from the pure ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcams.cli.many import ManyValues
from deepcams.cli.observed import file_options, read_observed
from deepcams.errors import InputError

if TYPE_CHECKING:
    from deepcams.io.results import Results
    from deepcams.stations.calibration.learn import Learned, Trial
    from deepcams.stations.calibration.model import Correction
    from deepcams.stations.calibration.product import Written
    from deepcams.stations.readers import Reading


class _Command(ManyValues):
    many = {"--stations": (".zarr", ".nc")}  # noqa: RUF012  the base class says what it is


@click.command(
    cls=_Command,
    epilog="Example: deepcams calibrate 2019.zarr calibrated_%Y-%m.nc --stations openaq/ --save-model 2019.txt",
)
@click.argument("paths", nargs=-1, required=True, metavar="STORE... OUTPUT")
@file_options
@click.option("--start", help="First hour to write, ISO, UTC; the correction is learned from all hours.")
@click.option("--end", help="Last hour to write; a mere date means its last hour.")
@click.option("--region", help="What to write: N,W,S,E in degrees (60,-10,35,30), or a name such as europe.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="FILE.txt",
    help="Apply a correction that was saved, instead of learning one.",
)
@click.option(
    "--save-model", type=click.Path(path_type=Path), metavar="FILE.txt", help="Save the correction that is learned."
)
@click.option("--even-if-worse", is_flag=True, help="Write maps whose correction is not shown to be better.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of the folds and the trees.  [default: fixed]")
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor]")
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def calibrate(paths: tuple[str, ...], stations: tuple[str, ...], start: str | None, end: str | None, region: str | None,
              model: Path | None, save_model: Path | None, even_if_worse: bool, seed: int | None, workers: int | None,
              overwrite: bool, quiet: bool, **reading: Any) -> None:  # fmt: skip
    """Correct hourly maps with what stations measured.

    STORE are hourly maps of deepcams (.zarr, .nc), folders or patterns. OUTPUT ends in .nc; calibrated_%Y-%m.nc is a file
    for each month. The correction is tried on whole regions and periods that it has not learned from, and nothing is
    written unless it is better there.
    """
    from deepcams.cli.progress import progress
    from deepcams.extraction.extract import choose
    from deepcams.io.results import open_results
    from deepcams.regions import parse_region
    from deepcams.stations.calibration import learn, product
    from deepcams.stations.calibration.model import load
    from deepcams.timeline import parse_time

    *stores, output = paths
    target, say = Path(output), (lambda lines: None) if quiet else _say
    learning = {**reading, "save_model": save_model, "even_if_worse": even_if_worse or None, "seed": seed}
    _refuse_stray(stores, stations, model, learning)
    product.check_target(target, (*stations, *([model] if model else [])), overwrite=overwrite)
    _check_model_target(save_model, (output, *stations), overwrite)
    box = parse_region(region) if region else None
    period = parse_time(start) if start else None, parse_time(end, end_of_day=True) if end else None
    part = choose(open_results(stores), *period)
    planned = product.plan(part, target, region=box, overwrite=overwrite)
    if model:
        correction = load(model)
    else:
        learned = _learned(part.results, read_observed(stations=stations, **reading), seed, workers, quiet, say)
        say(["", *(line for trial in learned.trials for line in _of_trial(trial))])
        if not even_if_worse:
            learn.refuse_worse(learned)
        correction = learned.correction
        if save_model:
            correction.save(save_model, overwrite=overwrite)
    with progress(part.size, "hours", quiet=quiet) as advance:
        done = product.calibrate(planned, correction, workers=workers, progress=advance)
    say(_lines(done, correction))


def _say(lines: Sequence[str]) -> None:
    click.echo("\n".join(lines))


def _refuse_stray(
    stores: Sequence[str], stations: tuple[str, ...], model: Path | None, learning: dict[str, Any]
) -> None:
    """Refuse calls that are not whole, and options that would do nothing."""
    if not stores or bool(stations) == bool(model):
        raise InputError("wanted STORE... OUTPUT and either --stations FILE... to learn from, or --model FILE.txt")
    given = [
        "--" + {"form": "format"}.get(name, name).replace("_", "-") for name, one in learning.items() if one is not None
    ]
    if model and given:
        raise InputError(f"{', '.join(given)}: for learning from --stations; --model applies a correction as it is")


def _check_model_target(path: Path | None, others: tuple[str, ...], overwrite: bool) -> None:
    from deepcams.io.output import check_output, refuse_input
    from deepcams.stations.calibration.model import SUFFIX

    if path:
        check_output(path, (SUFFIX,), overwrite=overwrite)
        refuse_input(path, others)


def _learned(
    results: Results, reading: Reading, seed: int | None, workers: int | None, quiet: bool, say: Any
) -> Learned:
    """Quality control, features at the stations, and the correction."""
    from deepcams.cli.progress import progress
    from deepcams.stations.calibration.learn import SEED, learn
    from deepcams.stations.calibration.samples import collect
    from deepcams.stations.quality import check, refuse_empty
    from deepcams.stations.readers import FORMATS
    from deepcams.threads import processors

    checked = check(reading.observations)
    refuse_empty(checked)
    rejected = checked.rejected()
    counts = ", ".join(f"{count} {name}" for name, count in rejected.items())
    say(
        [f"stations  {int(checked.good.sum())} of {checked.size} observations used" + (f"; {counts}" if counts else "")]
    )
    facts = {
        "settings": results.attributes.get("deepcams_settings", ""),
        "maps": [Path(name).name for name in results.files],
        "stations": [Path(name).name for name in reading.files],
        "sources": [FORMATS[name].title for name in reading.formats],
        "rejected": rejected,
    }
    own = SEED if seed is None else seed
    with progress(results.times.size, "hours looked at", quiet=quiet) as advance:
        samples = collect(results, checked, seed=own, workers=workers, progress=advance)
    with progress(4, "trials", quiet=quiet) as advance:
        return learn(samples, results.grid.step, facts, seed=own, threads=workers or processors(), progress=advance)


def _of_trial(trial: Trial) -> list[str]:
    """A trial for people."""
    if trial.before is None or trial.after is None:
        return [f"{trial.kind} left out: not done, {trial.why_not}"]
    lines = [
        f"  {name:13} R {one.r:.3f}  RMSE {one.rmse:.3f}  MAE {one.mae:.3f}  bias {one.bias:+.3f} ug m-3"
        for name, one in (("uncalibrated", trial.before), ("calibrated", trial.after))
    ]
    return [f"{trial.kind} left out, N {trial.before.n}:", *lines]


def _lines(done: Written, correction: Correction) -> list[str]:
    """The summary for people."""
    training = correction.facts.get("training", {})
    files = str(done.paths[0]) + (f" and {len(done.paths) - 1} files more" if len(done.paths) > 1 else "")
    learned = (
        f"learned   from {training.get('observations')} observations at {training.get('cells')} cells, "
        f"{training.get('first')} to {training.get('last')} UTC; model {correction.sha256[:12]}"
    )
    missing = [f"note      {done.missing} hours that were never made are NaN"] * bool(done.missing)
    notes = [f"note      {note}" for note in done.notes]
    return [f"{files}: {done.hours} hours", learned, f"time      {done.seconds:.1f} s", *missing, *notes]
