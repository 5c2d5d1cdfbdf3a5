"""All that a report tells, gathered from what a run has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from deepcams import __version__
from deepcams.errors import InputError
from deepcams.evidence.folder import EVALUATION, VALIDATION, Found, find
from deepcams.evidence.limits import limits_of
from deepcams.evidence.pictures import Picture, draw_maps, draw_spectra, require_drawing, taken_over
from deepcams.evidence.runs import Checked, Run, check, open_run
from deepcams.evidence.scores import Evaluated, Told, Validated, read_evaluation, read_validation
from deepcams.evidence.views import View, choose, coarse_of, field_of, require_region, summary
from deepcams.grid import Region
from deepcams.io.analyses import Analyses
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.plot.spectra import Source, Spectra, common_hours, of_cams, of_results, read_spectra
from deepcams.timeline import TimeKind

Progress = Callable[..., None]
Numbers = Mapping[str, Mapping[str, float | None]]

_NAME = "DeepCAMS"
_METHOD = ("space", "time", "order")
_MOST_FIELDS = 8  # hours that a spectrum is the mean of


@dataclass(frozen=True)
class Asked:
    """What is wanted.

    Attributes:
        paths: folders and files of runs.
        cams: CAMS files to show beside the result.
        cams_units: unit of their values, if they do not say it.
        time: the hour, or the day whose mean is shown; None for the first of the days with most hours.
        region: where; None for everywhere.
        variable: None for PM2.5, or the only one.
    """

    paths: tuple[Path, ...]
    cams: tuple[str, ...] = ()
    cams_units: str | None = None
    time: str | None = None
    region: Region | None = None
    variable: str | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """An hourly result with what is shown of it.

    Attributes:
        run: the result.
        view: the hours that are shown; None if it has none.
        numbers: of the fields shown, by product.
        pictures: the maps.
        checked: what a check of that day has found.
        notes: what could not be shown, and why.
    """

    run: Run
    view: View | None
    numbers: Numbers
    pictures: tuple[Picture, ...]
    checked: Checked
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a report tells.

    Attributes:
        found: what there is.
        shown: the hourly results.
        spectra: of the hours shown; None without a result that has them.
        evaluations: of ``deepcams evaluate``.
        validations: of ``deepcams validate``.
        pictures: of the spectra, and those that ``evaluate`` and ``validate`` have left, by section and file.
        limits: headline and meaning of each that applies.
        absent: what is not there, and how it is made.
        notes: what a reader should know.
    """

    found: Found
    shown: tuple[Shown, ...]
    spectra: Spectra | None
    evaluations: tuple[Evaluated, ...]
    validations: tuple[Validated, ...]
    pictures: Mapping[str, tuple[Picture, ...]]
    limits: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def attributions(self) -> tuple[str, ...]:
        """Whom to name."""
        said = [str(one.run.results.attributes.get("attribution", "")) for one in self.shown]
        told: Sequence[Told] = (*self.evaluations, *self.validations)
        said += [
            str(one.provenance.get(name) or "") for one in told for name in ("attribution", "stations_attribution")
        ]
        return tuple(dict.fromkeys(one for one in said if one))


def count_steps(found: Found) -> int:
    """How many steps the gathering has."""
    return 2 * len(found.results) + 1


def gather(asked: Asked, found: Found | None = None, *, progress: Progress = lambda count, note="": None) -> Evidence:
    """Read, draw and check what a run has left; of the maps only the hours shown are read.

    Args:
        asked: what is wanted.
        found: what there is, as :func:`deepcams.evidence.folder.find` gives it.
        progress: called with the number of steps done since the last call, and what they were.

    Raises:
        InputError: if nothing is there, a file is damaged or not of deepcams, or no result has the hour asked for.
    """
    found = found or find(asked.paths)
    require_drawing()
    evaluations, validations = map(read_evaluation, found.evaluations), map(read_validation, found.validations)
    told = tuple(evaluations), tuple(validations)
    names = _names(found.results)
    runs = [open_run(paths, name, variable=asked.variable) for paths, name in zip(found.results, names, strict=True)]
    analyses = _analyses(asked, runs)
    shown = tuple(_show(run, asked, analyses, progress) for run in runs)
    if asked.time and shown and not any(one.view for one in shown):
        raise InputError("; ".join(note for one in shown for note in one.notes))
    spectra, notes = _spectra(shown, asked, analyses)
    progress(1, "spectra")
    pictures = {"spectra": (draw_spectra(spectra),) if spectra else (), **_left(told[0]), **_left(told[1])}
    notes += [*_versions([*told[0], *told[1]], runs), *_strangers(runs, *told)]
    limits = tuple(limits_of(runs, told[0]))
    return Evidence(found, shown, spectra, *told, pictures, limits, tuple(_absent(found, asked)), tuple(notes))


def _names(results: Sequence[Sequence[Path]]) -> list[str]:
    """What to call each result: the name of its first file, with its folder where two have the same."""
    first = [paths[0].name for paths in results]
    shown = [str(paths[0]) if first.count(name) > 1 else name for paths, name in zip(results, first, strict=True)]
    return [name + f" and {len(paths) - 1} more" * (len(paths) > 1) for paths, name in zip(results, shown, strict=True)]


def _analyses(asked: Asked, runs: Sequence[Run]) -> Analyses | None:
    """CAMS, if it is given."""
    if not asked.cams:
        return None
    if not runs:
        raise InputError(
            "--cams is to be shown beside an hourly result, and there is none: leave it out, or name the result"
        )
    name = runs[0].results.species.name
    return open_analyses(find_files(asked.cams), variable=name, units=asked.cams_units)


def _show(run: Run, asked: Asked, analyses: Analyses | None, progress: Progress) -> Shown:
    """Read, draw and check one result."""
    try:
        view = choose(run.results, asked.time)
    except InputError as error:
        progress(2, run.name)
        return Shown(run, None, {}, (), Checked(), (str(error),))
    require_region(run.results, asked.region)
    source, notes = _beside(run, view, analyses)
    numbers: Numbers = {}
    pictures: tuple[Picture, ...] = ()
    try:
        fine = field_of(run.results, view, asked.region)
    except InputError as error:  # a damaged map is what a report should tell of
        notes = [f"its maps cannot be shown: {error}"]
    else:
        numbers, pictures = _drawn(fine, source, view, asked)
    progress(1, f"maps of {run.name}")
    checked = check(run, view.date, asked.cams, units=asked.cams_units)
    progress(1, f"check of {run.name}")
    return Shown(run, view, numbers, pictures, checked, tuple(notes))


def _drawn(fine: xr.DataArray, source: Source | None, view: View, asked: Asked) -> tuple[Numbers, tuple[Picture, ...]]:
    """The numbers and maps of what is shown, CAMS beside it where it is given."""
    linear = bool((view.kinds != TimeKind.ANALYSIS).any())
    coarse = None if source is None else coarse_of(source, view, fine, linear=linear)
    numbers = {_NAME: summary(fine)}
    if coarse is not None and asked.region is None:
        numbers = {"CAMS": summary(coarse)} | numbers
    return numbers, tuple(draw_maps(fine, coarse, view, asked.region))


def _beside(run: Run, view: View, analyses: Analyses | None) -> tuple[Source | None, list[str]]:
    """CAMS where it has all hours of a view, or why it is not shown."""
    if analyses is None:
        return None, []
    source, _ = of_cams(analyses)
    if source.unit != run.results.species.unit:
        return None, [
            f"CAMS is in {source.unit}, the result in {run.results.species.unit}: not shown beside each other"
        ]
    lacking = np.setdiff1d(view.hours, source.times)
    if lacking.size:
        return None, [
            f"the CAMS files lack {lacking.size} of the hours shown, the first {lacking[0]} UTC: not shown beside it"
        ]
    return source, []


def _spectra(shown: Sequence[Shown], asked: Asked, analyses: Analyses | None) -> tuple[Spectra | None, list[str]]:
    """The spectra of the hours shown that all have, or why there are none."""
    with_view = [one for one in shown if one.view is not None]
    if not with_view:
        return None, []
    single = len(with_view) == 1
    sources = [of_results(_NAME if single else one.run.name, one.run.results) for one in with_view]
    factor = round(analyses.grid.step / sources[0].grid.step) if analyses else 0
    if analyses and factor >= 3 and factor % 2:
        sources = [*of_cams(analyses, factor), *sources]
    try:
        views = [one.view.hours for one in with_view if one.view is not None]
        hours = np.intersect1d(common_hours(sources), np.concatenate(views))
        hours = hours[:: -(-hours.size // _MOST_FIELDS) or 1]
        if not hours.size:
            return None, ["no spectra: the hours shown are not those of all results"]
        return read_spectra(sources, hours, asked.region), []
    except InputError as error:
        return None, [f"no spectra: {error}"]


def _left(told: Sequence[Told]) -> dict[str, tuple[Picture, ...]]:
    """The pictures beside files of scores, by the files."""
    return {str(one.path): tuple(_pictures_of(one)) for one in told}


def _pictures_of(told: Told) -> Iterator[Picture]:
    from deepcams.plot import evaluation
    from deepcams.plot.validation import write

    command = "evaluate" if isinstance(told, Evaluated) else "validate"
    for name in evaluation.NAMES.values() if isinstance(told, Evaluated) else write.NAMES:
        first = told.path.with_name(name)
        further = first.parent.glob(f"{first.stem}-*{first.suffix}") if name == f"{write.SCATTER}.png" else ()
        for path in (first, *sorted(further, key=lambda one: (len(one.name), one.name))):
            if path.is_file():
                yield taken_over(path, command)


def _versions(told: Sequence[Told], runs: Sequence[Run]) -> Iterator[str]:
    """What other versions have made."""
    made = [(str(one.path), one.version) for one in told]
    made += [(run.name, str(run.results.attributes.get("deepcams_version", ""))) for run in runs]
    for name, version in made:
        if version and version != __version__:
            yield f"{name} was made by deepcams {version}, and this report by {__version__}"


def _strangers(
    runs: Sequence[Run], evaluations: Sequence[Evaluated], validations: Sequence[Validated]
) -> Iterator[str]:
    """Results that the scores found are not of."""
    for run in runs:
        if evaluations and not any(_is_of_method(one, run) for one in evaluations):
            yield f"no evaluation found is of the method that made {run.name}"
        if validations and not any(_is_of_files(one, run) for one in validations):
            yield f"no validation found is of {run.name}, as far as its file names tell"


def _is_of_method(told: Evaluated, run: Run) -> bool:
    """Whether one of the contenders is what made a result, to the hash of its weights, or is the result itself."""
    settings = _dictionary(told.provenance.get("settings"))
    own = _method(run.settings)
    contenders = _dictionary(settings.get("contenders")).values()
    if own and not run.is_calibrated and any(own == _method(_dictionary(one)) for one in contenders):
        return True
    files = [file for found in _dictionary(settings.get("products")).values() for file in found]
    return _named(files, run)


def _method(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a method from others, whatever its name."""
    return {name: value for name, value in settings.items() if name in _METHOD or name.endswith("_sha256")}


def _is_of_files(told: Validated, run: Run) -> bool:
    """Whether one of the products compared has the name of a result's files."""
    products = _dictionary(told.provenance.get("products"))
    return _named([str(_dictionary(one).get("files", "")) for one in products.values()], run)


def _named(files: Sequence[Any], run: Run) -> bool:
    names = {path.name for path in run.paths}
    return any(Path(str(file).split(" and ")[0]).name in names for file in files)


def _dictionary(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _absent(found: Found, asked: Asked) -> Iterator[str]:
    """What is not there, and how it is made."""
    if not found.results:
        yield "No hourly result: deepcams downscale CAMS_FILES hourly.zarr makes one."
    elif not asked.cams:
        yield "CAMS is not shown beside the result: give its files with --cams."
    if not found.evaluations:
        yield f"No {EVALUATION}: deepcams evaluate --output DIR makes one."
    if not found.validations:
        yield f"No {VALIDATION}: deepcams validate STORE --cams FILES --stations FILES --out DIR makes one."
