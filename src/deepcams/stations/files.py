"""What a validation leaves: tables, pairs and the report in a folder, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deepcams.evaluation.report import finite
from deepcams.io.output import staged
from deepcams.provenance import digest_of, provenance, run_record, sha256_of
from deepcams.stations import report
from deepcams.stations.readers.streams import require_pyarrow
from deepcams.stations.report import ReportContent, write_report
from deepcams.stations.table import Pairs
from deepcams.stations.tables import scores_csv, stations_csv, to_content
from deepcams.stations.thanks import thanks
from deepcams.stations.validate import Validation

Draw = Callable[[Path], Mapping[str, Path]]

SCORES, TABLE, STATIONS, PAIRS = "scores.json", "scores.csv", "stations.csv", "pairs.parquet"
NAMES = (SCORES, TABLE, STATIONS, report.NAME)
"""The files that are always written."""


def write_validation(validation: Validation, folder: Path, draw: Draw, *, pairs: bool = False) -> list[Path]:
    """Write all files of a validation; those of an earlier one are replaced, its pairs removed if there are none now.

    Args:
        validation: what was found.
        folder: where they go; it need not be there.
        draw: draws the figures in a folder, and gives them by name; the report holds copies of them.
        pairs: whether to write every pair, too.

    Returns:
        The files.

    Raises:
        OutputError: if they cannot be written.
    """
    made = _provenance(validation)
    with staged(folder) as temporary:
        figures = draw(temporary)
        content = to_content(validation.assessment) | {
            "rejected": validation.rejected,
            "read": {
                "observations": validation.reading.lines,
                "outside": validation.outside,
                "merged": validation.merged,
                "other_species": validation.reading.others,
                "files": validation.reading.formats,
                "stamps": validation.reading.rules,
            },
            "lags": {
                source: {"product": one.product, "hours": one.lags, "r": one.correlations, "n": one.n, "best": one.best}
                for source, one in validation.lags.items()
            },
            "notes": validation.notes,
            "kept": validation.assessment.kept,
            "provenance": made,
            "run": run_record(),
        }
        (temporary / SCORES).write_text(json.dumps(finite(content), indent=1, ensure_ascii=False) + "\n", "utf-8")
        (temporary / TABLE).write_text(scores_csv(validation.assessment), "utf-8")
        (temporary / STATIONS).write_text(stations_csv(validation.assessment, validation.pairs), "utf-8")
        if pairs:
            _write_pairs(validation.pairs, temporary / PAIRS, made)
        write_report(temporary / report.NAME, report_content(validation, made), figures)
        names = sorted(file.name for file in temporary.iterdir())
    if not pairs:  # those of other scores
        (folder / PAIRS).unlink(missing_ok=True)
    return [folder / name for name in names]


def report_content(validation: Validation, made: dict[str, Any]) -> ReportContent:
    """What the report tells.

    Args:
        validation: what was found.
        made: its provenance.
    """
    outside = f"{validation.outside:,} observations lie outside the hours or the region compared and are not looked at"
    merged = f"the means of cells stand for {validation.merged:,} more observations than there are pairs"
    return ReportContent(
        title="PM2.5 against stations",
        reading=validation.reading,
        rejected=validation.rejected,
        pairs=validation.pairs,
        assessment=validation.assessment,
        products={one.name: one.description for one in validation.products},
        lags=validation.lags,
        settings=made["settings"],
        provenance=made,
        run=run_record(),
        notes=(*[outside] * bool(validation.outside), *[merged] * bool(validation.merged)),
    )


def _provenance(validation: Validation) -> dict[str, Any]:
    """What made the scores; the same for every run on the same files."""
    files = validation.reading.files
    return provenance(validation.settings.content(), files) | {
        "stations_sha256": digest_of(sha256_of(Path(file)) for file in files),
        "products": {one.name: {"files": one.label, "description": one.description} for one in validation.products},
        "stations_attribution": thanks(validation.reading.formats),
    }


def _write_pairs(pairs: Pairs, path: Path, made: dict[str, Any]) -> None:
    """A line for every observation that was compared."""
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet

    one = pairs.observations
    texts = {name: getattr(one.stations, name) for name in ("ids", "sensors", "names", "country", "source")}
    columns: dict[str, Any] = {
        name.removesuffix("s"): pa.DictionaryArray.from_arrays(one.station, pa.array(values, pa.string()))
        for name, values in texts.items()
    }
    columns |= {name: getattr(one.stations, name)[one.station] for name in ("latitude", "longitude")}
    columns["begin"] = pa.array(one.begin.astype("datetime64[ms]"), pa.timestamp("ms", tz="UTC"))
    columns |= {"period": one.period, "observed": one.value, **pairs.products}
    table = pa.table(columns).replace_schema_metadata(
        {"units": "ug m-3; period in minutes", "provenance": json.dumps(made)}
    )
    pyarrow.parquet.write_table(table, path, compression="zstd")
