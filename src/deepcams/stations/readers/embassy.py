"""PM2.5 at embassies and consulates of the United States: CSV of AirNow (Department of State), and of StateAir before.

AirNow (the form with ``Raw Conc.``): stamps are in local time and say the **end** of the hour. Two things show it. A
year's file goes from 01:00 of 1 January to 00:00 of the next 1 January. And fireworks begin at local midnight: at Hanoi
Tet of 2020-01-25 has 24, 18, **16, 55**, 71 ug m-3 at 22:00, 23:00, 00:00, 01:00, 02:00, so the hour that began at
midnight is stamped 01:00; at Shenyang, where people begin before, New Year of 2019-02-05 has 107, 397, **553**, 161 at
23:00 to 02:00. In Beijing, Shanghai and Guangzhou nothing is seen at midnight. AirNow's own hourly files stamp the same
hours by their begin: "the data is actually the same from both sources, just shifted by an hour"
(github.com/openaq/openaq-fetch, issue 671). No document that says so was found.

On the night when clocks go forward in America (10 March 2019, 8 March 2020) some files have 03:00 twice and no 02:00,
in countries that change no clocks: what was published went through American local time. Which hour each line is cannot
be told from the file for certain; such doubled stamps become NaT.

Whether ``(LT)`` has summer time where a country has it could not be tested: all five cities at hand have none. IANA
time zones, with summer time, are assumed; a fixed offset in the site table's column ``timezone`` says otherwise.

StateAir (yearly files with titles after three lines of text, ``Value`` instead of ``Raw Conc.``): no file of this form
was at hand, and the evidence is thin. Its stamps are taken to be **beginning**: at New Year of 2012-01-23 it has its
highest hour ever, 994 ug m-3, at 00:00 in Beijing (livefrombeijing.com, April 2014), where a monitor of the city, which
is taken to stamp the end, has its spike at about 01:00 (datadrivenlab.org); and fireworks are at their height after
midnight, as at Shenyang. Its feed of the latest hour stamped the end, by the issue above. ``--stamp`` overrides.

Lines whose ``QC Name`` is not ``Valid`` (Invalid, Missing, Suspect) are flagged. Where the value is missing it is -999,
and left so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Chunk, Format, Head, Options
from deepcams.stations.readers.columns import each, texts, times
from deepcams.stations.readers.localtime import Seconds, check_zone, to_utc
from deepcams.stations.readers.streams import csv_chunks
from deepcams.stations.table import Stamp, Texts

_TIME, _QUALITY, _UNIT = "Date (LT)", "QC Name", "Conc. Unit"
_AIRNOW = ("Site", "Parameter", _TIME, "Raw Conc.", _UNIT, "Duration", _QUALITY)
_STATEAIR = ("Site", "Parameter", _TIME, "Value", "Unit", "Duration", _QUALITY)
_PATTERN = "%Y-%m-%d %I:%M %p"
_SLASHES = "%m/%d/%Y %H:%M"
_LENGTHS = {"min": 1, "hr": 60, "hour": 60, "h": 60, "day": 1440}
_DURATION = re.compile(r"(\d+)\s*(min|hour|hr|h|day)")

_POSTS = {
    ("Asia/Shanghai", "CN"): ("beijing", "shanghai", "guangzhou", "shenyang", "chengdu", "wuhan"),
    ("Asia/Ho_Chi_Minh", "VN"): ("hanoi", "ho chi minh city"),
    ("Asia/Kolkata", "IN"): ("new delhi", "mumbai", "chennai", "kolkata", "hyderabad"),
    ("Asia/Kathmandu", "NP"): ("kathmandu",),
    ("Asia/Dhaka", "BD"): ("dhaka",),
    ("Asia/Colombo", "LK"): ("colombo",),
    ("Asia/Karachi", "PK"): ("islamabad", "karachi", "lahore", "peshawar"),
    ("Asia/Kabul", "AF"): ("kabul",),
    ("Asia/Tashkent", "UZ"): ("tashkent",),
    ("Asia/Almaty", "KZ"): ("almaty", "astana", "nur-sultan", "nur sultan"),
    ("Asia/Bishkek", "KG"): ("bishkek",),
    ("Asia/Dushanbe", "TJ"): ("dushanbe",),
    ("Asia/Ashgabat", "TM"): ("ashgabat",),
    ("Asia/Ulaanbaatar", "MN"): ("ulaanbaatar",),
    ("Asia/Yangon", "MM"): ("rangoon", "yangon"),
    ("Asia/Vientiane", "LA"): ("vientiane",),
    ("Asia/Phnom_Penh", "KH"): ("phnom penh",),
    ("Asia/Bangkok", "TH"): ("bangkok", "chiang mai"),
    ("Asia/Jakarta", "ID"): ("jakarta",),
    ("Asia/Kuala_Lumpur", "MY"): ("kuala lumpur",),
    ("Asia/Manila", "PH"): ("manila",),
    ("Asia/Dubai", "AE"): ("abu dhabi", "dubai"),
    ("Asia/Bahrain", "BH"): ("manama",),
    ("Asia/Kuwait", "KW"): ("kuwait city",),
    ("Asia/Riyadh", "SA"): ("riyadh", "jeddah", "dhahran"),
    ("Asia/Qatar", "QA"): ("doha",),
    ("Asia/Baghdad", "IQ"): ("baghdad", "erbil"),
    ("Asia/Amman", "JO"): ("amman",),
    ("Asia/Baku", "AZ"): ("baku",),
    ("Asia/Tbilisi", "GE"): ("tbilisi",),
    ("Asia/Yerevan", "AM"): ("yerevan",),
    ("Europe/Belgrade", "XK"): ("pristina",),
    ("Europe/Sarajevo", "BA"): ("sarajevo", "banja luka"),
    ("Europe/Skopje", "MK"): ("skopje",),
    ("Africa/Algiers", "DZ"): ("algiers",),
    ("Africa/Cairo", "EG"): ("cairo",),
    ("Africa/Khartoum", "SD"): ("khartoum",),
    ("Africa/Addis_Ababa", "ET"): ("addis ababa",),
    ("Africa/Kampala", "UG"): ("kampala",),
    ("Africa/Nairobi", "KE"): ("nairobi",),
    ("Africa/Kigali", "RW"): ("kigali",),
    ("Africa/Kinshasa", "CD"): ("kinshasa",),
    ("Africa/Ndjamena", "TD"): ("n'djamena", "ndjamena"),
    ("Africa/Lagos", "NG"): ("abuja", "lagos"),
    ("Africa/Accra", "GH"): ("accra",),
    ("Africa/Abidjan", "CI"): ("abidjan",),
    ("Africa/Lome", "TG"): ("lome",),
    ("Africa/Ouagadougou", "BF"): ("ouagadougou",),
    ("Africa/Bamako", "ML"): ("bamako",),
    ("Africa/Conakry", "GN"): ("conakry",),
    ("Africa/Dakar", "SN"): ("dakar",),
    ("Africa/Maputo", "MZ"): ("maputo",),
    ("Indian/Antananarivo", "MG"): ("antananarivo",),
    ("America/Guatemala", "GT"): ("guatemala city",),
    ("America/Costa_Rica", "CR"): ("san jose",),
    ("America/Belize", "BZ"): ("belmopan",),
    ("America/Bogota", "CO"): ("bogota",),
    ("America/Lima", "PE"): ("lima",),
    ("America/Asuncion", "PY"): ("asuncion",),
    ("America/Sao_Paulo", "BR"): ("sao paulo",),
    ("America/Curacao", "CW"): ("curacao",),
}
_BY_POST = {post: where for where, posts in _POSTS.items() for post in posts}
_POST = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(_BY_POST, key=len, reverse=True))) + r")\b")


def _is_airnow(head: Head) -> bool:
    return {_TIME, "Raw Conc."} <= set(head.columns)


def _is_stateair(head: Head) -> bool:
    return _title_line(head) is not None and not _is_airnow(head)


def _read_airnow(head: Head, options: Options) -> Iterator[Chunk]:
    return _read(head, _AIRNOW, options)


def _read_stateair(head: Head, options: Options) -> Iterator[Chunk]:
    return _read(_past_preamble(head), _STATEAIR, options)


def _read(head: Head, titles: tuple[str, ...], options: Options) -> Iterator[Chunk]:
    site, parameter, time, value, unit, duration, quality = titles
    for batch in csv_chunks(head, titles, numeric=[value]):
        import pyarrow.compute as pc

        kept = batch.filter(pc.starts_with(pc.utf8_lower(batch[parameter]), "pm2.5"))
        posts = texts(kept[site])
        zones = each(posts, lambda post: _zone(head, post, options))
        local = times(kept[time], head.path, pattern=_pattern(head)).times
        local[_doubled(local, posts)] = np.datetime64("NaT")
        yield Chunk(
            to_utc(local, zones),
            kept[value].to_numpy(zero_copy_only=False),
            unit=texts(kept[unit]),
            ids=posts,
            names=posts,
            country=each(posts, lambda post: _post(post)[1]),
            timezone=zones,
            period=each(texts(kept[duration]), _minutes, np.int32),
            flagged=each(texts(kept[quality]), lambda word: word.lower() not in ("valid", ""), np.bool_),
            others=batch.num_rows - kept.num_rows,
        )


def _post(site: str) -> tuple[str, str]:
    """The time zone and the country of a post; nothing for one that is not known."""
    known = _POST.search(site.lower())
    return _BY_POST[known[0]] if known else ("", "")


def _zone(head: Head, post: str, options: Options) -> str:
    """The time zone of a post: of the site table, of the options, or known.

    Raises:
        InputError: if it is none of these.
    """
    site = options.sites.find(post) if options.sites else None
    zone = (site.timezone if site else "") or options.timezone or _post(post)[0]
    if not zone:
        raise InputError(
            f"{head.path}: the time zone of {post!r} is not known; "
            "give a column timezone in --site-table, or --timezone, like Asia/Kathmandu or +05:45"
        )
    return check_zone(zone)


def _doubled(local: Seconds, posts: Texts) -> NDArray[np.bool_]:
    """Which lines have the same stamp as the one before or after them."""
    same = (local[1:] == local[:-1]) & (posts[1:] == posts[:-1])
    return np.append(same, False) | np.append(False, same)


def _minutes(duration: str) -> int:
    """A duration like ``1 Hr`` or ``24 Hr``; 0 if it is not told."""
    known = _DURATION.search(duration.lower())
    return int(known[1]) * _LENGTHS[known[2]] if known else 0


def _title_line(head: Head) -> int | None:
    """Which of the first lines has the titles of StateAir."""
    wanted = {_TIME, "Value", _QUALITY}
    found = (i for i, line in enumerate(head.lines) if wanted <= {one.strip(' "') for one in line.split(",")})
    return next(found, None)


def _past_preamble(head: Head) -> Head:
    """The same file with the lines before the titles taken for blank.

    Raises:
        InputError: if there are no titles.
    """
    line = _title_line(head)
    if line is None:
        wanted = ", ".join(_STATEAIR)
        raise InputError(f"{head.path}: no line of titles; wanted {wanted}; found {', '.join(head.columns)}")
    columns = tuple(one.strip(' "') for one in head.lines[line].split(","))
    return replace(head, lines=("",) * line + head.lines[line:], columns=columns, delimiter=",")


def _pattern(head: Head) -> str | None:
    """How the file writes its times, as ``strptime`` has it; None for ISO 8601."""
    text = next((line for line in head.lines if re.search(r"\d:\d\d", line)), "")
    if re.search(r"\d:\d\d [AP]M", text):
        return _PATTERN
    return _SLASHES if re.search(r"\d/\d{4}", text) else None


FORMATS = (
    Format(
        name="embassy",
        title="US embassies and consulates (AirNow, Department of State)",
        stamp=Stamp.END,
        rule="hour-ending, local time: a year's file begins at 01:00, and fireworks of midnight are stamped 01:00",
        recognises=_is_airnow,
        read=_read_airnow,
        wanted=", ".join(_AIRNOW),
    ),
    Format(
        name="stateair",
        title="US embassies and consulates (StateAir)",
        stamp=Stamp.BEGIN,
        rule="hour-beginning, local time: taken so from reports on the New Year of 2012, untested",
        recognises=_is_stateair,
        read=_read_stateair,
        wanted=", ".join(_STATEAIR),
    ),
)
