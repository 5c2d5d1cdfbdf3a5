"""The report's two files: a page for people, and the same facts as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deepcams import __version__
from deepcams.errors import OutputError
from deepcams.evaluation.report import finite
from deepcams.evidence.folder import VALIDATION
from deepcams.evidence.gather import Evidence, Shown
from deepcams.evidence.page import to_html
from deepcams.io.output import check_output, partial
from deepcams.plot.spectra import Spectra
from deepcams.provenance import run_record
from deepcams.stations.report_results import verdict

NAME = "report.html"
_FORMAT = "deepcams report 1"


def check_report(path: Path, *, overwrite: bool) -> None:
    """Refuse a report that could not be written, before any work is done for it.

    Raises:
        OutputError: for another suffix than .html, a folder that is not there, a report or its JSON that are there and may
            not be replaced, or the report of ``deepcams validate``.
    """
    if path.name == NAME and path.with_name(VALIDATION).exists():
        raise OutputError(f"{path}: is the report of deepcams validate ({VALIDATION} is beside it); give another name with "
                          "--out")  # fmt: skip
    inside = next((one for one in path.absolute().parents if one.suffix.lower() == ".zarr"), None)
    if inside is not None:
        raise OutputError(f"{path}: lies within {inside.name}, which is a store; give another place with --out")
    check_output(path, (".html",), overwrite=overwrite)
    check_output(path.with_suffix(".json"), (".json",), overwrite=overwrite)


def write_report(evidence: Evidence, path: Path, *, overwrite: bool = False) -> list[Path]:
    """Write both files, or none.

    Args:
        evidence: what they tell.
        path: the page, ending in .html; the JSON has the same name, ending in .json.
        overwrite: whether they may replace files.

    Raises:
        OutputError: if they cannot be written.
    """
    check_report(path, overwrite=overwrite)
    run = run_record()
    facts = path.with_suffix(".json")
    with partial(path, overwrite=overwrite) as page, partial(facts, overwrite=overwrite) as told:
        page.write_text(to_html(evidence, run), encoding="utf-8")
        told.write_text(to_json(evidence, run), encoding="utf-8")
    return [path, facts]


def to_json(evidence: Evidence, run: Mapping[str, str]) -> str:
    """All facts of the page; what is unknown is null.

    Args:
        evidence: all that it tells.
        run: as from :func:`deepcams.provenance.run_record`.
    """
    found = evidence.found
    content = {
        "format": _FORMAT,
        "deepcams_version": __version__,
        "found": {
            "results": [list(map(str, paths)) for paths in found.results],
            "evaluations": list(map(str, found.evaluations)),
            "validations": list(map(str, found.validations)),
            "not_shown": {str(path): why for path, why in found.others.items()},
            "absent": list(evidence.absent),
        },
        "results": [_result(one) for one in evidence.shown],
        "spectra": _spectra(evidence.spectra) if evidence.spectra else None,
        "evaluations": [{"file": str(one.path), **one.content} for one in evidence.evaluations],
        "validations": [{"file": str(one.path), "verdict": verdict(one.assessment), **one.content}
                        for one in evidence.validations],
        "limits": [{"headline": head, "text": text} for head, text in evidence.limits],
        "attribution": list(evidence.attributions),
        "notes": list(evidence.notes),
        "run": dict(run),
    }  # fmt: skip
    return json.dumps(finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _result(one: Shown) -> dict[str, Any]:
    view = one.view
    shown = None if view is None else {"hours": [str(hour) for hour in view.hours], "kinds": view.kinds.tolist(),
                                       "unit": one.run.results.species.unit, "products": one.numbers}  # fmt: skip
    return one.run.facts() | {"shown": shown, "checked": asdict(one.checked), "notes": list(one.notes)}


def _spectra(spectra: Spectra) -> dict[str, Any]:
    return {
        "unit": f"({spectra.sources[0].unit})2 per wavenumber",
        "region": list(spectra.region.bounds),
        "hours": [str(hour) for hour in spectra.hours],
        "products": {
            one.name: {"wavenumber": one.wavenumber.tolist(), "power": one.power.tolist()} for one in spectra.spectra
        },
    }
