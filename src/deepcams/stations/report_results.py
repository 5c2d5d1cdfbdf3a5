"""The results of a report: a verdict in words, and tables of scores for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from deepcams.evaluation.report import Column
from deepcams.markup import heading, paragraph, table
from deepcams.stations.assess import DAILY
from deepcams.stations.assessment import ALL, Assessment, Exceedances, Line, Paired
from deepcams.stations.products import CAMS

UNKNOWN = "–"
UNIT = "µg m⁻³"
COLUMNS = (
    Column("r", "R", ".3f"),
    Column("spearman", "Spearman's R", ".3f"),
    Column("rmse", f"RMSE, {UNIT}", ".2f"),
    Column("mae", f"MAE, {UNIT}", ".2f"),
    Column("bias", f"mean bias, {UNIT}", "+.2f"),
    Column("nmb", "normalised mean bias, %", "+.1f", 100),
    Column("fb", "fractional bias, %", "+.1f", 100),
    Column("fe", "fractional error, %", ".1f", 100),
    Column("ioa", "index of agreement", ".3f"),
    Column("fac2", "within a factor of 2, %", ".1f", 100),
    Column("kge", "Kling-Gupta efficiency", ".3f"),
    Column("sd_ratio", "standard deviation / observed one", ".3f"),
    Column("slope", "slope of the fitted line", ".3f"),
    Column("intercept", f"intercept of the fitted line, {UNIT}", "+.2f"),
    Column("observed", f"mean observed, {UNIT}", ".2f"),
    Column("predicted", f"mean predicted, {UNIT}", ".2f"),
    Column("mqi", "FAIRMODE MQI", ".2f"),
)
"""The scores in the order of the tables."""

_BY_NAME = {column.score: column for column in COLUMNS}
_SHORT = {"r": "R", "rmse": "RMSE", "mae": "MAE", "bias": "mean bias"}
_TRIO = ("r", "rmse", "bias")
_KINDS = {
    "year": "By year",
    "season": "By season",
    "hour": "By hour of mean solar time",
    "country": "By country",
    "region": "By region",
    "class": "By observed concentration",
}
_LARGEST = 20  # countries in the table
_DECIMALS = {"r": 3}  # of differences; of other scores two
_MOST_DECIMALS = 5


def number(score: str, value: float) -> str:
    """A score for people, in the form of its column; a dash where it is unknown."""
    text = _BY_NAME.get(score, Column(score, score, ".4g")).text({score: value})
    return UNKNOWN if text == "-" else text.replace("-", "−")


def products_of(assessment: Assessment) -> tuple[str, ...]:
    """The products in the order of the assessment."""
    return tuple(dict.fromkeys(line.product for line in assessment.lines))


def verdict(assessment: Assessment) -> str:
    """What the validation shows, in a sentence."""
    whole = next((line for line in assessment.lines if line.kind == ALL), None)
    if whole is None:
        return "Nothing was scored."
    where = f"On the same {counted(whole.n, 'observation')} at {counted(whole.stations, 'station')}, "
    judged = _judged(assessment.paired)
    if not judged:
        told = "; ".join(f"{_SHORT[name]} {_with_unit(name, whole.scores.get(name, math.nan))}" for name in _SHORT)
        return f"{where}{whole.product} has {told}; it was compared with no other product."
    scores = {name: _pooled(assessment, name) for name in (judged[0].product, judged[0].reference)}
    told = f"{where}{_claim(judged)}: {'; '.join(_compared(one, scores) for one in judged)}."
    return told + (f" This says nothing of other {assessment.kept}." if assessment.kept else "")


def results(assessment: Assessment) -> str:
    """The section of results, as markup."""
    return "".join(_result_parts(assessment))


def _result_parts(assessment: Assessment) -> Iterator[str]:
    products = products_of(assessment)
    yield heading(3, "All observations")
    yield _main_table(assessment, products)
    yield heading(3, "Differences between products")
    yield _paired_table(assessment.paired)
    yield heading(3, "Station by station")
    yield _quartile_table(assessment, products)
    yield heading(3, "Daily means")
    yield from _daily_parts(assessment, products)
    for kind, title in _KINDS.items():
        lines = [line for line in assessment.lines if line.kind == kind]
        if lines:
            yield heading(3, title)
            yield _part_table(title, lines, products)
    if any(line.kind == "class" for line in assessment.lines):
        yield paragraph("Classes are of the observed value: by regression to the mean even a product without a bias looks too "
                        "high in the lowest and too low in the highest. Compare products within a class; a class's bias is "
                        "not a product's.")  # fmt: skip


def _main_table(assessment: Assessment, products: Sequence[str]) -> str:
    """Scores down, products across, with their intervals."""
    lines = [assessment.pooled(name) for name in products]
    rows = [["observations", *(f"{line.n:,}" if line else UNKNOWN for line in lines)],
            ["stations", *(f"{line.stations:,}" if line else UNKNOWN for line in lines)]]  # fmt: skip
    for score in _present(line.scores for line in lines if line):
        cells = [_with_interval(score, line, assessment) for line in lines]
        rows.append([_title(score), *cells])
    sure = np.isfinite([ends for found in assessment.intervals.values() for ends in found.values()]).any()
    caption = "Scores over all observations" + ("; in brackets 95 % intervals" if sure else "")
    return table(caption, ["score", *products], rows)


def _with_interval(score: str, line: Line | None, assessment: Assessment) -> str:
    if line is None:
        return UNKNOWN
    text = number(score, line.scores.get(score, math.nan))
    low, high = assessment.intervals.get(line.product, {}).get(score, (math.nan, math.nan))
    return f"{text} ({number(score, low)} to {number(score, high)})" if math.isfinite(low + high) else text


def _paired_table(paired: Sequence[Paired]) -> str:
    """Every difference with its interval and verdict."""
    if not paired:
        return paragraph("There is but one product: nothing is compared.")
    rows = [
        [
            f"{one.product} less {one.reference}",
            f"{_title(one.score)}{' (absolute)' if one.score == 'bias' else ''}",
            one.verdict,
            _signed(one, one.difference),
            _interval(one) if math.isfinite(one.low) else UNKNOWN,
        ]
        for one in paired
    ]
    caption = "Differences on the same observations; better or worse where the whole interval lies on one side of 0"
    return table(caption, ["products", "score", "verdict", "difference", "95 % interval"], rows, texts=3)


def _quartile_table(assessment: Assessment, products: Sequence[str]) -> str:
    """Scores down, products across: median and quartiles over stations."""
    rows = []
    for score in _present(assessment.quartiles.values()):
        cells = [_spread(score, assessment.quartiles.get(name, {}).get(score)) for name in products]
        if any(cell != UNKNOWN for cell in cells):
            rows.append([_title(score), *cells])
    if not rows:
        return paragraph("No station has enough observations for scores of its own.")
    return table("Median over stations; in brackets the middle half of them", ["score", *products], rows)


def _spread(score: str, quartiles: tuple[float, float, float] | None) -> str:
    """Median and quartiles in one cell."""
    if quartiles is None or not math.isfinite(quartiles[1]):
        return UNKNOWN
    low, middle, high = (number(score, value) for value in quartiles)
    return f"{middle} ({low} to {high})"


def _daily_parts(assessment: Assessment, products: Sequence[str]) -> Iterator[str]:
    """Scores of daily means, and exceedances."""
    lines = [assessment.pooled(name, DAILY) for name in products]
    known = [line for line in lines if line]
    if not known:
        yield paragraph("No day has 75 % of its hours: there are no daily means.")
        return
    rows = [["days at stations", *(f"{line.n:,}" if line else UNKNOWN for line in lines)]]
    for score in _present(line.scores for line in known):
        cells = [number(score, line.scores.get(score, math.nan)) if line else UNKNOWN for line in lines]
        rows.append([_title(score) + (" that 90 % of stations do not exceed" if score == "mqi" else ""), *cells])
    yield table("Scores of daily means", ["score", *products], rows)
    if assessment.exceedances:
        yield _exceedance_table(assessment.exceedances)


def _exceedance_table(exceedances: Iterable[Exceedances]) -> str:
    """How often daily means above a threshold were seen and said."""
    rows = [
        [
            f"{one.threshold:g}",
            one.product,
            *(f"{count:,}" for count in (one.hits, one.misses, one.false_alarms, one.correct_negatives)),
            percent(one.hits, one.hits + one.misses),
            percent(one.false_alarms, one.hits + one.false_alarms),
        ]
        for one in sorted(exceedances, key=lambda one: one.threshold)
    ]
    titles = ["above", "product", "hits", "misses", "false alarms", "correct negatives", "hit rate, %",
              "false alarm ratio, %"]  # fmt: skip
    caption = f"Daily means above thresholds, {UNIT}; hit rate: of the observed ones, false alarm ratio: of the predicted ones"
    return table(caption, titles, rows, texts=2)


def _part_table(title: str, lines: Sequence[Line], products: Sequence[str]) -> str:
    """Groups down, products across; of many countries the largest."""
    found: dict[str, dict[str, Line]] = {}
    for line in lines:
        found.setdefault(line.group, {})[line.product] = line
    groups = list(found)
    caption = f"{title}: R / RMSE / mean bias, {UNIT}"
    if lines[0].kind == "country":
        groups.sort(key=lambda group: -max(line.n for line in found[group].values()))
        if len(groups) > _LARGEST:
            caption += f"; the {_LARGEST} countries with most observations of {len(groups)}"
            groups = groups[:_LARGEST]
    rows = []
    for group in groups:
        first = next(iter(found[group].values()))
        cells = [_trio(found[group].get(name)) for name in products]
        rows.append([group, f"{first.n:,}", f"{first.stations:,}", *cells])
    return table(caption, [lines[0].kind, "observations", "stations", *products], rows)


def _trio(line: Line | None) -> str:
    """The three scores that tell most, in one cell."""
    return " / ".join(number(score, line.scores.get(score, math.nan)) for score in _TRIO) if line else UNKNOWN


def _judged(paired: Sequence[Paired]) -> list[Paired]:
    """The differences that the verdict is about: of the first product that is not CAMS from its first reference."""
    others = [one for one in paired if one.product.split()[:1] != [CAMS]] or list(paired)
    return [
        one
        for one in others
        if (one.product, one.reference) == (others[0].product, others[0].reference) and one.score in _TRIO
    ]


def _claim(judged: Sequence[Paired]) -> str:
    """What may be said on the whole."""
    product, reference = judged[0].product, judged[0].reference
    found = {one.verdict for one in judged}
    if all(one.verdict.startswith("not known") for one in judged):
        return f"it is not known whether {product} is better than {reference}, as there are too few stations and weeks"
    if {"better", "worse"} <= found:
        return f"{product} is better than {reference} by some scores and worse by others"
    if "better" in found:
        return f"{product} is better than {reference}" + (" by some scores" if len(found) > 1 else "")
    if "worse" in found:
        return f"{product} is worse than {reference}" + (" by some scores" if len(found) > 1 else "")
    return f"no difference between {product} and {reference} is shown"


def _compared(one: Paired, scores: Mapping[str, Mapping[str, float]]) -> str:
    """One score of both products, with the difference's interval."""
    own, other = (scores[name].get(one.score, math.nan) for name in (one.product, one.reference))
    text = f"{_SHORT[one.score]} {number(one.score, own)} against {_with_unit(one.score, other)}"
    if not math.isfinite(one.low):
        return text
    what = "the difference" + (" of absolute values" if one.score == "bias" else "")
    return f"{text} ({one.verdict}; 95 % interval of {what} {_interval(one)})"


def _pooled(assessment: Assessment, product: str) -> Mapping[str, float]:
    line = assessment.pooled(product)
    return line.scores if line else {}


def _present(found: Iterable[Mapping[str, object]]) -> list[str]:
    """The scores that any has, in the order of the columns, unknown names last."""
    names = dict.fromkeys(name for scores in found for name in scores if name != "n")
    return [*(name for name in _BY_NAME if name in names), *(name for name in names if name not in _BY_NAME)]


def _title(score: str) -> str:
    column = _BY_NAME.get(score)
    return column.title if column else score


def _with_unit(score: str, value: float) -> str:
    unit = "" if score == "r" else f" {UNIT}"
    return f"{number(score, value)}{unit}"


def _interval(one: Paired) -> str:
    return f"{_signed(one, one.low)} to {_signed(one, one.high)}"


def _signed(one: Paired, value: float) -> str:
    """A difference, its interval's end or so, with its sign; with more decimals where all of these are small."""
    largest = max((abs(end) for end in (one.low, one.high, one.difference) if math.isfinite(end)), default=0.0)
    decimals = _DECIMALS.get(one.score, 2)
    if largest > 0:
        decimals = min(max(decimals, 1 - math.floor(math.log10(largest))), _MOST_DECIMALS)
    return f"{value:+z.{decimals}f}".replace("-", "−") if math.isfinite(value) else UNKNOWN


def percent(part: int, whole: int, decimals: int = 1) -> str:
    """A share in per cent; a dash of nothing."""
    return f"{100 * part / whole:.{decimals}f}" if whole else UNKNOWN


def counted(count: int, what: str) -> str:
    """A number of things in words: ``1 station``, ``12,345 stations``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
