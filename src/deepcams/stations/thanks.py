"""Whom to thank for observations, wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable

_THANKS = {
    "openaq": "OpenAQ (openaq.org, CC BY 4.0) and the agencies whose data it collects.",
    "airnow": "AirNow (US EPA and its partners; preliminary data, not for regulatory decisions).",
    "embassy": "US Department of State and US EPA (not fully verified or validated).",
    "aqs": "US EPA Air Quality System.",
    "eea": "European Environment Agency and its member countries (CC BY 4.0).",
}  # by the beginning of a format's name


def thanks(formats: Iterable[str]) -> str:
    """The attributions of station files of these formats; an empty text for tables of unknown source."""
    found = list(formats)
    return " ".join(text for name, text in _THANKS.items() if any(one.startswith(name) for one in found))
