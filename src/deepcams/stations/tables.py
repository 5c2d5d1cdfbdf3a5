"""An assessment as content for JSON, and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from deepcams.evaluation.report import finite
from deepcams.stations.assess import DAILY
from deepcams.stations.assessment import ALL, Assessment, Exceedances, Line
from deepcams.stations.table import Pairs

_PLACE = ("product", "id", "sensor", "name", "latitude", "longitude", "country", "source")


def to_content(assessment: Assessment) -> dict[str, Any]:
    """Everything, ready for JSON: ``products`` and ``paired``; what is unknown is None."""
    products = dict.fromkeys(line.product for line in assessment.lines)
    paired: dict[str, dict[str, Any]] = {}
    for one in assessment.paired:
        scores = paired.setdefault(f"{one.product} minus {one.reference}", {})
        scores[one.score] = {"difference": one.difference, "low": one.low, "high": one.high, "verdict": one.verdict}
    content = {"products": {product: _product(assessment, product) for product in products}, "paired": paired}
    return finite(content)


def scores_csv(assessment: Assessment) -> str:
    """A line for every product and part of the pairs; what is unknown is empty."""
    names = list(dict.fromkeys(name for line in assessment.lines for name in line.scores))
    rows = [
        [line.product, line.kind, line.group, line.n, line.stations]
        + [_text(line.scores.get(name, math.nan)) for name in names]
        for line in assessment.lines
    ]
    return _csv(["product", "kind", "group", "n", "stations", *names], rows)


def stations_csv(assessment: Assessment, pairs: Pairs) -> str:
    """A line for every product and station; what is unknown is empty.

    Args:
        assessment: of the pairs.
        pairs: whose stations they are.
    """
    stations, rows = pairs.observations.stations, []
    names = list(dict.fromkeys(name for found in assessment.stations.values() for name in found if name != "n"))
    for product, found in assessment.stations.items():
        for i in range(stations.size):
            texts = [stations.ids[i], stations.sensors[i], stations.names[i]]
            place = [_text(float(stations.latitude[i])), _text(float(stations.longitude[i]))]
            origin = [stations.country[i], stations.source[i], int(found["n"][i])]
            rows.append([product, *texts, *place, *origin, *(_text(float(found[name][i])) for name in names)])
    return _csv([*_PLACE, "n", *names], rows)


def _product(assessment: Assessment, product: str) -> dict[str, Any]:
    """All of one product: pooled, its interval, over stations, of days, and by parts."""
    own = [line for line in assessment.lines if line.product == product]
    pooled, daily = (next((line for line in own if line.kind == kind), None) for kind in (ALL, DAILY))
    exceedances = [one for one in assessment.exceedances if one.product == product]
    by: dict[str, dict[str, Any]] = {}
    for line in own:
        if line.kind not in (ALL, DAILY):
            by.setdefault(line.kind, {})[line.group] = _line(line)
    return {
        **(_line(pooled) if pooled else {}),
        "mqi": daily.scores["mqi"] if daily else math.nan,
        "intervals": {name: list(ends) for name, ends in assessment.intervals[product].items()},
        "per_station": {
            name: {"median": middle, "q25": low, "q75": high}
            for name, (low, middle, high) in assessment.quartiles[product].items()
        },
        "daily": {**(_line(daily) if daily else {"n": 0, "stations": 0}), "exceedances": _exceedances(exceedances)},
        "by": by,
    }


def _line(line: Line) -> dict[str, Any]:
    return {"n": line.n, "stations": line.stations, **line.scores}


def _exceedances(found: Iterable[Exceedances]) -> dict[str, Any]:
    """By threshold, with the share of exceedances that were hit, and of alarms that were false."""
    return {
        f"{one.threshold:g}": {
            "hits": one.hits,
            "misses": one.misses,
            "false_alarms": one.false_alarms,
            "correct_negatives": one.correct_negatives,
            "hit_rate": _share(one.hits, one.hits + one.misses),
            "false_alarm_ratio": _share(one.false_alarms, one.hits + one.false_alarms),
        }
        for one in found
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _text(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return stream.getvalue()
