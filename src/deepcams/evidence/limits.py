"""Which of the limits that ``docs/limits.md`` tells of apply to what is shown, in a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepcams.evidence.runs import Run
from deepcams.evidence.scores import Evaluated
from deepcams.grid import Grid
from deepcams.io.results import Results
from deepcams.temporal.flow import has_flow

_SHARP = ("lcbp", "network", "abpn")
_MOVING = ("flow", "network")


@dataclass(frozen=True)
class Limit:
    """A limit.

    Attributes:
        headline: as ``docs/limits.md`` has it.
        text: what it means.
        applies: whether a result has it.
    """

    headline: str
    text: str
    applies: Callable[[Run], bool]


def _space(*names: str) -> Callable[[Run], bool]:
    return lambda run: run.settings.get("space") in names


def _time(*names: str) -> Callable[[Run], bool]:
    return lambda run: run.settings.get("time") in names


def _either(*tests: Callable[[Run], bool]) -> Callable[[Run], bool]:
    return lambda run: any(test(run) for test in tests)


def _always(run: Run) -> bool:
    return "space" in run.settings


def _has_pole(run: Run) -> bool:
    grid: Grid = run.results.grid
    return _time(*_MOVING)(run) and (grid.north_pole or grid.south_pole)


def _is_small(run: Run) -> bool:
    return _time(*_MOVING)(run) and not has_flow(run.results.grid)


def _is_other(run: Run) -> bool:
    results: Results = run.results
    return _always(run) and not results.species.is_particulate


LIMITS: tuple[Limit, ...] = (
    Limit("Detail is estimated, not observed.",
          "Structure below the grid of CAMS comes from the shape of its field, of the analyses before and after, and from "
          "no emissions, roads, topography or station: a city smaller than a cell of CAMS does not appear.", _always),
    Limit("It inherits CAMS.",
          "The area means of the analysis hours are those of CAMS, with every bias that it has.",
          lambda run: _always(run) and not run.is_calibrated),
    Limit("A product that `calibrate` corrects is another product",
          "Its area means are no longer those of CAMS, and it knows nothing of what is particular to places without a "
          "station.", lambda run: run.is_calibrated),
    Limit("The spatial network has learned from one day of one model.",
          "The weights that ship have seen four hours of GEOS-CF; at single strong fires a plume may be too sharp.",
          _space("network")),
    Limit("Sharp edges have pale rims.",
          "Around very steep peaks the field may go below its surroundings on the way down; area means stay exact.",
          _space("lcbp", "network")),
    Limit("Peaks are higher than in CAMS.",
          "The finest cells of a peak exceed the mean of the cell of CAMS, up to several times.", _space(*_SHARP)),
    Limit("Time is motion, and a share of the change learned from little.",
          "What changes in place between two analyses is blended, and nothing between goes beyond the two ends.",
          _time(*_MOVING)),
    Limit("The temporal network has learned the time of day from few places.",
          "At monitors the weights that ship were no better than linear interpolation.", _time("network")),
    Limit("CAMS jumps where its assimilation begins anew.",
          "Between 09 and 12 and between 21 and 24 UTC increments show, which are made a passage of three hours.", _always),
    Limit("Total mass between analyses drifts",
          "from the linear interpolation of the ends, by less than a per cent over the globe, by more in small regions.",
          _time(*_MOVING)),
    Limit("Near the poles", "motion fades to zero within 3° of a pole.", _has_pole),
    Limit("Small regions have no flow.",
          "Here nothing moves between analyses, and nothing beyond the border is known.", _is_small),
    Limit("The paper's networks keep the shift less well.",
          "The result depends a little on where the grid begins.",
          _either(_space("abpn"), _time("xvfi", "xvfi-deformable"))),
    Limit("The paper's networks that ship say little about the paper.",
          "Those weights have seen four hours of data, the paper's years.",
          _either(_space("abpn"), _time("xvfi", "xvfi-deformable"))),
    Limit("Other species depend on their first analysis.",
          "With another first file every hour changes a little.", _is_other),
)  # fmt: skip

THIN = ("Evaluation is thin", "a day or less of one model was taken for the truth: other days and seasons may differ.")
ELSEWHERE = (
    "Shifts and scales are kept to a few per cent in time.",
    "Whole hours only.",
    "An interrupted NetCDF file starts anew.",
    "Results are the same bytes",
)
"""Headlines that are not told: they are not of what is shown."""


def limits_of(runs: Sequence[Run], evaluations: Iterable[Evaluated]) -> list[tuple[str, str]]:
    """Headline and meaning of each limit that applies."""
    found = [(one.headline.replace("`", ""), one.text) for one in LIMITS if any(one.applies(run) for run in runs)]
    if any(_is_short(one.provenance) for one in evaluations):
        found.append(THIN)
    return found


def _is_short(provenance: Mapping[str, Any]) -> bool:
    """Whether an evaluation's truth begins and ends on the same day."""
    settings = provenance.get("settings")
    if not isinstance(settings, dict):
        return False
    first, last = (str(settings.get(name, ""))[:10] for name in ("first", "last"))
    return bool(first) and first == last
