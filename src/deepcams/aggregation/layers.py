"""How the statistics of periods are named and described in a file: CF-1.11."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepcams import __version__, conventions
from deepcams.aggregation.asked import Aggregation
from deepcams.aggregation.limits import meaning
from deepcams.aggregation.periods import Period
from deepcams.aggregation.statistics import NONE, OF_DAYS
from deepcams.grid import Grid
from deepcams.io.aggregates import Aggregate, Layer
from deepcams.io.results import Results
from deepcams.units import Species

_OF_HOURS = {"mean": "mean", "max": "maximum", "min": "minimum"}
_OF_DAYS = {
    "daily-max": "maximum of the daily means",
    "daily-p98": "98th percentile of the daily means",
    "daily-p99": "99th percentile of the daily means",
}
_OF_THE_MAPS = ("title", "comment", "history", "status", "Conventions", "deepcams_layout")  # not carried on


def variable_name(statistic: str, species: str) -> str:
    """The name of a statistic's variable: ``pm2p5_mean``, ``hours_above``, ``days_used``."""
    plain = statistic.replace("-", "_")
    return f"{species}_{plain}" if statistic in (*_OF_HOURS, *_OF_DAYS) else plain


def description(results: Results, grid: Grid, asked: Aggregation, found: Sequence[Period]) -> Aggregate:
    """What is to be written of the periods found."""
    species = results.species
    limits = np.array(asked.limits_for(species.name), np.float64)
    wanted = asked.statistics_for(species.name)
    counted = ("hours-used", "days-used") if set(wanted) & set(OF_DAYS) else ("hours-used",)
    return Aggregate(
        grid=grid,
        middles=np.array([one.middle for one in found], "datetime64[h]"),
        bounds=np.array([(one.start, one.end) for one in found], "datetime64[h]"),
        limits=(limits, _limit_attributes(species, asked)),
        layers={variable_name(one, species.name): _layer(one, species) for one in (*wanted, *counted)},
        attributes=_global_attributes(results, grid, asked),
        history=str(results.attributes.get("history", "")),
    )


def _layer(statistic: str, species: Species) -> Layer:
    named = {"standard_name": species.standard_name} if species.standard_name else {}
    counts, values = np.dtype(np.int16), np.dtype(np.float32)
    if statistic.endswith("-used"):
        modified = {"standard_name": f"{species.standard_name} number_of_observations"} if named else {}
        unit = statistic.removesuffix("-used")
        return Layer(counts, modified | {"long_name": f"number of {unit} with a value", "units": "1"})
    used = "days_used" if statistic in OF_DAYS else "hours_used"
    if statistic.endswith("-above"):
        of = "hours" if statistic == "hours-above" else "daily means"
        text = f"number of {of} with {species.name} above the limit"
        attributes = {"long_name": text, "units": "1", "cell_methods": "time: sum", "ancillary_variables": used}
        return Layer(counts, attributes, NONE, per_limit=True)
    return Layer(values, named | {
        "long_name": f"{_OF_HOURS.get(statistic) or _OF_DAYS[statistic]} of {species.long_name}",
        "units": species.unit,
        "cell_methods": _cell_methods(statistic),
        "ancillary_variables": used,
    }, float("nan"))  # fmt: skip


def _cell_methods(statistic: str) -> str:
    """The methods in CF's words, which know no percentile."""
    if statistic in _OF_HOURS:
        return f"area: mean time: {_OF_HOURS[statistic]} (interval: 1 hour)"
    return (
        "area: mean time: maximum (interval: 1 day comment: of daily means)"
        if statistic == "daily-max"
        else "area: mean"
    )


def _limit_attributes(species: Species, asked: Aggregation) -> Mapping[str, Any]:
    named = {"standard_name": species.standard_name} if species.standard_name else {}
    levels = meaning(species.name, asked.limits_for(species.name))
    told = {"comment": f"{levels} (WHO 2021; Directive (EU) 2024/2881)"} if levels else {}
    return named | {"long_name": f"limit of {species.name}", "units": species.unit} | told


def _global_attributes(results: Results, grid: Grid, asked: Aggregation) -> dict[str, Any]:
    """What the hourly maps say of themselves, and what was done with them; the same for every run of the same work."""
    name = results.species.name
    carried = {key: value for key, value in results.attributes.items() if _goes_on(key)}
    settings = {"deepcams_version": __version__, **asked.settings(name)}
    return {
        "Conventions": conventions.CONVENTIONS,
        "title": f"{asked.unit.capitalize()} statistics of hourly {name} at {grid.step:g} degrees",
        **carried,
        "comment": f"{_clock(asked.utc_offset)}; missing where fewer than {asked.coverage:.0%} of the hours, or of the days, "
        f"are known; a day is known if {asked.coverage:.0%} of its hours are",
        "deepcams_aggregation": json.dumps(settings),
        "deepcams_aggregated": ", ".join(sorted({Path(file).name for file in results.files})),
    }


def _goes_on(name: str) -> bool:
    """Whether an attribute of the hourly maps holds for what is made of them too."""
    return name not in _OF_THE_MAPS and not name.startswith("time_coverage_")


def _clock(offset: int) -> str:
    return "days begin at 00 UTC" if not offset else f"days begin at 00 hours of a clock {offset:+d} h from UTC"
