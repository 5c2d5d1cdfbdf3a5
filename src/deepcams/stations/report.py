"""The report of a validation: one HTML page that loads nothing, for a person to read from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.io.output import check_output, partial
from deepcams.markup import bullets, contents, element, heading, page, paragraph, picture, table
from deepcams.provenance import ATTRIBUTION
from deepcams.stations.assessment import Assessment
from deepcams.stations.lags import LEAST, MARGIN, Lagged
from deepcams.stations.quality import TITLES
from deepcams.stations.readers.reading import Reading
from deepcams.stations.report_results import UNKNOWN, counted, percent, results, verdict
from deepcams.stations.resampling import FEWEST_WEEKS, weeks_of
from deepcams.stations.table import DAY, HOUR, Pairs, Stations

NAME = "report.html"

_SECTIONS = {
    "data": "Data",
    "rejected": "What was not used",
    "method": "Method",
    "results": "Results",
    "figures": "Figures",
    "lags": "Are the time stamps right?",
    "limits": "Limits",
    "provenance": "Provenance",
}
_RULES = {
    "mean": "A product is taken as piecewise linear through its hourly values, which are instants, and averaged over the "
    "interval of each observation.",
    "begin": "A product is taken at the instant at which the interval of each observation begins.",
    "end": "A product is taken at the instant at which the interval of each observation ends.",
}
_INTERPOLATIONS = {
    "bilinear": "In space it is interpolated bilinearly between the nodes around a station.",
    "nearest": "In space the value of the cell that holds a station is taken.",
}
_FIGURES = {
    "scatter": ("Density scatter of predicted against observed PM2.5: a column for each year, a row for each product.",
                "How many observations there are of each pair of values, on logarithmic axes, with N, R, RMSE and MAE of the "
                "year, the 1:1 line and the line fitted by least squares."),
    "stations": ("Maps of the stations, coloured by mean bias, correlation and the difference of the RMSE.",
                 "Scores of each station. The map of the difference shows where the product is better (blue) or worse (red) "
                 "than the reference."),
    "cycles": ("Lines of mean observed and predicted PM2.5 by hour of the day and by month.",
               "Diurnal and seasonal cycles, with the number of observations below."),
    "taylor": ("Taylor diagram of the products and, where stations have enough days, FAIRMODE's target diagram.",
               "Correlation, standard deviation and centred error of each product at once; where stations have enough days, "
               "beside it the bias and centred error of each one's daily means in units of the measurement uncertainty."),
}  # fmt: skip
_FEW_STATIONS = 30
_SHARE = 0.5
_OBJECTIVE_WEEKS = 39  # three quarters of a year


@dataclass(frozen=True, eq=False)
class ReportContent:
    """All that a report tells.

    Attributes:
        title: of the page.
        reading: what the station files held.
        rejected: how many observations were not used, by the reasons' names.
        pairs: what was compared.
        assessment: what was found.
        products: what each product is, by its name.
        lags: the check of time stamps, by source.
        settings: what was asked for: ``rule``, ``interpolation`` and all else that changes results.
        provenance: as from :func:`deepcams.provenance.provenance`, with hashes of the inputs if they are known.
        run: as from :func:`deepcams.provenance.run_record`.
        notes: what a reader should be told besides the assessment's and the reading's notes.
    """

    title: str
    reading: Reading
    rejected: dict[str, int]
    pairs: Pairs
    assessment: Assessment
    products: dict[str, str]
    lags: dict[str, Lagged]
    settings: dict[str, Any]
    provenance: dict[str, Any]
    run: dict[str, str]
    notes: tuple[str, ...] = ()


def write_report(
    path: Path, content: ReportContent, figures: Mapping[str, Path | bytes], *, overwrite: bool = False
) -> None:
    """Write the page.

    Args:
        path: the file, ending in ``.html``.
        content: what it tells.
        figures: PNGs, or their bytes, by name: ``scatter``, ``scatter-2``, ``stations``, ``cycles``, ``taylor``.
        overwrite: whether it may replace a file.

    Raises:
        InputError: if a figure is not a PNG.
        OutputError: if it cannot be written, or exists and may not be replaced.
    """
    check_output(path, (".html",), overwrite=overwrite)
    text = to_html(content, figures)
    with partial(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


def to_html(content: ReportContent, figures: Mapping[str, Path | bytes]) -> str:
    """The page as text; arguments as for :func:`write_report`."""
    sections = {
        "data": _data(content),
        "rejected": _rejected(content),
        "method": _method(content),
        "results": results(content.assessment),
        "figures": _figures(figures),
        "lags": _lags(content.lags),
        "limits": bullets(_limits(content)),
        "provenance": _provenance(content),
    }
    told = {name: text for name, text in sections.items() if text}
    top = heading(1, content.title) + paragraph(verdict(content.assessment), class_="verdict")
    top += paragraph(_facts(content), class_="facts") + bullets(map(_sentence, _warnings(content)))
    links = contents((name, _SECTIONS[name]) for name in told)
    body = "".join(element("section", heading(2, _SECTIONS[name], name) + text) for name, text in told.items())
    end = element("footer", paragraph(ATTRIBUTION))
    return page(content.title, element("main", top + links + body) + end)


def period_of(pairs: Pairs) -> tuple[str, str]:
    """The first and the last minute of the observations, UTC."""
    one = pairs.observations
    end = one.begin + one.period.astype("timedelta64[m]")
    return str(one.begin.min()).replace("T", " "), str(end.max()).replace("T", " ")


def box_of(stations: Stations) -> str:
    """The box of some stations in words, or the place of the only one; it may go across the date line."""
    longitude = np.sort((stations.longitude + 180) % 360 - 180)
    gap = int(np.argmax(np.diff(longitude, append=longitude[0] + 360)))
    west, east = longitude[(gap + 1) % longitude.size], longitude[gap]
    south, north = stations.latitude.min(), stations.latitude.max()
    if (south, west) == (north, east):
        return f"{_degrees(south, 'NS')}, {_degrees(west, 'EW')}"
    return f"{_degrees(south, 'NS')} to {_degrees(north, 'NS')}, {_degrees(west, 'EW')} to {_degrees(east, 'EW')}"


def _degrees(value: float, signs: str) -> str:
    return f"{abs(value):.2f}°{signs[bool(value < 0)]}"


def _facts(content: ReportContent) -> str:
    """Period, place and products in a line."""
    begin, end = period_of(content.pairs)
    return f"{begin} to {end} UTC; {box_of(content.pairs.observations.stations)}; {', '.join(content.pairs.products)}."


def _warnings(content: ReportContent) -> tuple[str, ...]:
    """What must be known before any number is read."""
    lagged = (one.note for one in content.lags.values() if one.note)
    return tuple(dict.fromkeys([*content.assessment.notes, *lagged, *content.notes]))


def _data(content: ReportContent) -> str:
    """Files and their stamps, what is left of them, and the products."""
    reading, stations = content.reading, content.pairs.observations.stations
    lines = [f"{reading.lines:,} observations of PM2.5 were read from {counted(len(reading.files), 'file')}"
             + (f"; {reading.others:,} of other species were left out." if reading.others else "."),
             f"{content.pairs.size:,} observations at {counted(stations.size, 'station')} were compared."]  # fmt: skip
    parts = [bullets(lines), _format_table(content), _network_table(content.pairs)]
    descriptions = [[name, content.products.get(name, "")] for name in content.pairs.products]
    parts.append(table("Products", ["product", "what it is"], descriptions, texts=2))
    parts.append(paragraph(f"Station files: {_listed(reading.files)}."))
    return "".join([*parts, bullets(map(_sentence, reading.notes))])


def _format_table(content: ReportContent) -> str:
    reading = content.reading
    rows = [[name, reading.rules.get(name, UNKNOWN), f"{count:,}"] for name, count in reading.formats.items()]
    return table("Formats of the station files, and what their time stamps were taken for",
                 ["format", "time stamps", "files"], rows, texts=2)  # fmt: skip


def _network_table(pairs: Pairs) -> str:
    """Stations and observations that were compared, by source, and their averaging periods."""
    one = pairs.observations
    names, of_station = np.unique(one.stations.source.astype(str), return_inverse=True)
    stations = np.bincount(of_station, minlength=names.size)
    counts = np.bincount(of_station[one.station], minlength=names.size)
    rows = [[name or "not named", f"{stations[i]:,}", f"{counts[i]:,}"] for i, name in enumerate(names)]
    periods = ", ".join(_period(int(minutes)) for minutes in np.unique(one.period))
    return table(f"Compared: {periods}", ["source", "stations", "observations"], rows)


def _period(minutes: int) -> str:
    known = {HOUR: "hourly means", DAY: "daily means"}
    return known.get(minutes, f"means of {minutes} minutes")


def _rejected(content: ReportContent) -> str:
    """Reasons in words, with counts and shares."""
    whole = content.reading.lines
    if not content.rejected:
        return paragraph("Nothing speaks against any observation.")
    order = sorted(content.rejected.items(), key=lambda item: -item[1])
    rows = [[TITLES.get(name, name), f"{count:,}", percent(count, whole, 2)] for name, count in order]
    rows.append(
        ["all of these", f"{sum(content.rejected.values()):,}", percent(sum(content.rejected.values()), whole, 2)]
    )
    caption = "Observations that were not used, each counted for the first reason that holds"
    return table(caption, ["observations that are", "number", "of those read, %"], rows)


def _method(content: ReportContent) -> str:
    rule, interpolation = (str(content.settings.get(name, "")) for name in ("rule", "interpolation"))
    lines = [
        "An observation is the mean over its averaging interval; time stamps were turned into the begin of that interval, "
        "in UTC, by the rule of each format (see the table of formats).",
        *(text for text in (_RULES.get(rule), _INTERPOLATIONS.get(interpolation)) if text),
        "Every product is scored on the same observations: one that any product has no value for counts for none.",
        _days(content.pairs),
        "95 % intervals come from drawing stations and weeks with replacement, the same ones for all products; differences "
        "of products are taken draw by draw. Where stations or weeks are too few, the notes at the top say so.",
    ]
    rows = [[name, _value(value)] for name, value in content.settings.items()]
    return bullets(lines) + (table("Settings", ["setting", "value"], rows, texts=2) if rows else "")


def _days(pairs: Pairs) -> str:
    """What a daily mean is."""
    if (pairs.observations.period >= DAY).all():
        return "Observations are daily means as they were published, of the 24 hours that their time stamps stand for."
    return ("Daily means are those of a station's local day, or of solar time where its zone is unknown, and need 75 % of the "
            "day's hours.")  # fmt: skip


def _figures(figures: Mapping[str, Path | bytes]) -> str:
    parts = []
    for name, source in figures.items():
        kind, _, sheet = name.partition("-")
        alt, caption = _FIGURES.get(kind, (name, name))
        more = f" Sheet {sheet}." if sheet else ""
        image = source if isinstance(source, bytes) else source.read_bytes()
        parts.append(picture(image, alt=alt + more, caption=caption + more))
    return "".join(parts)


def _lags(lags: Mapping[str, Lagged]) -> str:
    """Correlations of every source at shifted hours."""
    known = {name: one for name, one in lags.items() if one.best is not None}
    if not known:
        return paragraph("Not known: there are too few hours without a gap to tell." if lags else "Not checked.")
    first = next(iter(known.values()))
    rows = [
        [source or "not named", *(f"{value:.2f}".replace("-", "−") for value in one.correlations), _best(one)]
        for source, one in known.items()
    ]
    titles = ["source", *(f"{_lag(lag)} h" for lag in first.lags), "best"]
    text = (
        f"How the observations of an hour correlate with {first.product} some hours earlier (−) and later (+), both less "
        "their stations' means. If time zones and stamp rules are right, the maximum is at 0 or next to it; where R is hardly "
        f"higher than at 0, by {MARGIN:g} or less, or below {LEAST:g}, it tells nothing."
    )
    return paragraph(text) + table("R by lag", titles, rows)


def _best(one: Lagged) -> str:
    """The lag that fits best, if it tells anything."""
    beside = one.best is None or abs(one.best) > 1
    return "not clear" if beside and not one.note else _lag(one.best or 0)


def _lag(hours: int) -> str:
    """A number of hours with its sign; 0 has none."""
    return f"{hours:+d}".replace("-", "−") if hours else "0"


def _limits(content: ReportContent) -> Iterator[str]:
    """What the numbers do not say."""
    one = content.pairs.observations
    weeks = int(np.unique(weeks_of(one.begin)).size)
    yield ("A station measures at a point, a product is a mean over a cell of many kilometres: near sources and in valleys "
           "they differ even if both are right. No product of this resolution can reach R = 1 at stations.")  # fmt: skip
    if content.settings.get("rule") == "mean":
        yield ("Model values are instants, observations are means over an hour or day. Averaging a product between its hours "
               "makes the two alike, but a change within an hour is lost.")  # fmt: skip
    else:
        yield ("Model values are instants, observations are means over an hour or day: even where both are right they "
               "differ by what changed within that interval.")  # fmt: skip
    yield ("Instruments differ: PM2.5 by optical sensors, beta attenuation and filters disagrees by 10 % and more, "
           "above all in humid air.")  # fmt: skip
    if one.stations.size < _FEW_STATIONS:
        yield f"{counted(one.stations.size, 'station')}: what is found holds for these places only."
    if weeks < FEWEST_WEEKS:
        yield f"{counted(weeks, 'week')}: what is found holds for this weather only, not for other seasons or years."
    yield from _coverage(one.stations)
    if weeks < _OBJECTIVE_WEEKS:
        yield "FAIRMODE's objective is for 75 % of a year's days; the MQI of a shorter period is but an indication."
    yield ("Intervals take stations for independent. Where neighbours err alike, as in one city or one haze, they are too "
           "narrow: for a dense network's mean bias by a factor of three or so.")  # fmt: skip
    yield ("Scores by class of the observed value are conditioned on the observation: compare products within a class, and "
           "do not read a class's bias as a product's.")  # fmt: skip
    yield ("The global reanalysis of CAMS assimilates satellite data but no PM2.5 of stations, so stations are independent of "
           "it; of CAMS's European analyses, which assimilate stations, they are not. A product that was corrected with "
           "stations is independent only of those that were held out.")  # fmt: skip
    yield "Many scores are told: of twenty intervals one misses by chance. The verdict at the top is on three of them."


def _coverage(stations: Stations) -> Iterator[str]:
    """Whether one country has most of the stations."""
    named = stations.country[stations.country != ""].astype(str)
    if not named.size:
        yield "The countries of the stations are not known."
        return
    names, counts = np.unique(named, return_counts=True)
    largest = int(np.argmax(counts))
    if names.size > 1 and counts[largest] > _SHARE * stations.size:
        yield (f"Networks do not cover the Earth evenly: {counts[largest]:,} of {stations.size:,} stations are in "
               f"{names[largest]}, and pooled scores are mostly of there.")  # fmt: skip
    elif names.size == 1:
        yield f"All stations whose country is known are in {names[0]}: nothing is said of other countries."
    else:
        yield "Networks do not cover the Earth evenly: pooled scores are of where stations are, not of the Earth."


def _provenance(content: ReportContent) -> str:
    facts = {name: _value(value) for name, value in content.provenance.items() if name != "settings"}
    rows = [[name.replace("_", " "), text] for name, text in facts.items() if text]
    run = [[name, _value(value)] for name, value in content.run.items()]
    parts = [table("What made this report", ["what", "value"], rows, texts=2)] if rows else []
    return "".join([*parts, table("This run", ["what", "value"], run, texts=2) if run else ""])


def _value(value: Any) -> str:
    """A setting or fact as text."""
    if isinstance(value, str):
        return value
    if value is None:
        return "not given"
    if isinstance(value, list | tuple):
        return _listed([_value(one) for one in value])
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_value(one)}" for name, one in value.items())
    return json.dumps(value, ensure_ascii=False, default=str)


def _listed(names: tuple[str, ...] | list[str], most: int = 30) -> str:
    """Names, with commas between them; of many the first."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def _sentence(note: str) -> str:
    """A note as a sentence."""
    text = note[:1].upper() + note[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
