"""``deepcams verify``: whether a result is whole and right, and the repair of what is not."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from deepcams.verification.verify import Report, Verification

_SHOWN = 100  # problems


@click.command(epilog="Example: deepcams verify hourly.zarr --inputs 2019-12.nc --repair")
@click.argument("store", type=click.Path(path_type=Path))
@click.option(
    "--inputs", multiple=True, metavar="FILE", help="The CAMS files it was made from, to compare with; may be repeated."
)
@click.option("--repair", is_flag=True, help="Make what fails again, from the inputs.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the SHA-256 of every file of the store, for sha256sum -c, if all is well.",
)
@click.option("--start", help="First day, UTC: 2019-12-24.  [default: all]")
@click.option("--end", help="Last day.")
@click.option(
    "--weights", multiple=True, type=click.Path(), metavar="FILE", help="Weights of your own that it was made with."
)
@click.option("--units", help="Unit of the inputs' values, if the files do not say it or say it wrongly.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [default: one per processor, four at most]")
@click.option("--overwrite", is_flag=True, help="Replace an existing manifest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--quiet", is_flag=True, help="Print problems only.")
def verify(store: Path, inputs: tuple[str, ...], repair: bool, manifest: Path | None, start: str | None, end: str | None,
           weights: tuple[str, ...], units: str | None, workers: int | None, overwrite: bool, as_json: bool,
           quiet: bool) -> int:  # fmt: skip
    """Verify STORE, an output of deepcams (.zarr or .nc): every day, hour and value of it.

    The exit status is 0 if all is well, also after a repair, 1 if something is wrong, and 2 if the call or the inputs
    are.
    """
    from deepcams.verification.compare import open_inputs
    from deepcams.verification.manifest import check_manifest, write_manifest
    from deepcams.verification.repair import alone, refuse_repair
    from deepcams.verification.stored import open_stored
    from deepcams.verification.verify import Verification

    stored = open_stored(store)
    if manifest is not None:
        check_manifest(manifest, stored.path, is_store=stored.is_store, overwrite=overwrite)
    with ExitStack() as claim:
        log = None
        if repair:
            refuse_repair(stored, has_inputs=bool(inputs))
            log = claim.enter_context(alone(store))
            stored = open_stored(store)  # as it is now that nobody else writes it
        known = open_inputs(stored, inputs, weights=weights, units=units) if inputs else None
        check = Verification(stored, known, _day(start), _day(end), workers)
        report = _run(check, log, quiet=quiet or as_json)
        files = 0
        if manifest is not None and not report.problems:
            files = write_manifest(manifest, store, overwrite=overwrite, workers=workers)
    if as_json:
        click.echo(json.dumps(report.to_dict() | {"manifest_files": files}, indent=1))
    else:
        click.echo("\n".join(_lines(report, manifest, files, quiet=quiet)), nl=bool(report.problems) or not quiet)
    return 1 if report.problems else 0


def _day(text: str | None) -> Any:
    """The UTC day of ``--start`` or ``--end``."""
    from deepcams.timeline import parse_time

    return None if text is None else parse_time(text).astype("datetime64[D]")


def _run(check: Verification, log: IO[str] | None, *, quiet: bool) -> Report:
    """Verify, and repair if there is a log to say so in."""
    from deepcams.cli.progress import progress
    from deepcams.verification.repair import repair

    with progress(len(check.dates), "days", quiet=quiet) as advance:
        report = check.run(advance)
    if log is None or not report.problems:
        return report
    if not quiet:
        click.echo("\n".join(_problems(report)), err=True)
    with progress(24 * len(report.failed), "hours made again", quiet=quiet) as advance:
        return repair(check, report, log, advance)


def _problems(report: Report) -> list[str]:
    lines = report.lines()
    return lines[:_SHOWN] + ([f"and {len(lines) - _SHOWN} lines more (all with --json)"] if len(lines) > _SHOWN else [])


def _lines(report: Report, manifest: Path | None, files: int, *, quiet: bool) -> list[str]:
    """Problems, and the summary for people."""
    lines = _problems(report)
    if report.unrepaired:
        from deepcams.timeline import named

        reasons: dict[str, list[Any]] = {}
        for date, why in report.unrepaired.items():
            reasons.setdefault(why, []).append(date)
        lines += [f"not repaired: {named(dates)}: {why}" for why, dates in reasons.items()]
    return lines if quiet else lines + _summary(report, manifest, files)


def _summary(report: Report, manifest: Path | None, files: int) -> list[str]:
    from deepcams.timeline import named

    count, days = len(report.problems), sum(day.finished for day in report.days)
    verdict = f"{count} thing{'s' * (count != 1)} wrong" if count else "all is well"
    lines = [
        f"{report.path}: {verdict}",
        f"checked   {days} days, {report.hours} hours, {report.values} values, {report.bytes / 1e6:.1f} MB stored",
        f"time      {report.seconds:.1f} s, {report.bytes / 1e6 / max(report.seconds, 1e-3):.1f} MB/s",
    ]
    if report.mean_error == report.mean_error:
        lines.append(f"means     of analyses within {report.mean_error:.0e} of CAMS")
    lines += [f"repaired  {named(report.repaired)}"] if report.repaired else []
    lines += [f"note      {note}" for note in report.notes]
    if manifest is not None:
        lines.append(f"manifest  {manifest}: {files} files" if files else f"manifest  {manifest}: not written")
    return lines
