"""OpenAQ's API, version 3: which locations there are, and their hourly means.

Paths and fields as docs.openaq.org and the service's own code have them (github.com/openaq/openaq-api-v2). Three things
that are easily done wrong:

- the value of an hour is rounded to two digits; the mean itself is ``summary.avg``;
- the period is asked for by ``datetime_from`` and ``datetime_to``; other names are ignored without a word
  (github.com/openaq/openaq-api, issue 403), so what comes is compared with what was asked for;
- ``meta.found`` may be a text like ``>1000``: whether there is another page is told by the page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np

from deepcams.errors import DeepcamsError, FetchError, InputError
from deepcams.fetch.connection import in_the_clear
from deepcams.fetch.http import get
from deepcams.fetch.openaq_limits import Allowance
from deepcams.fetch.openaq_places import PM25, Location, boxes_of, inside, location_of
from deepcams.fetch.patience import AGAIN, Patience
from deepcams.grid import Region
from deepcams.urls import label_of, without_secrets

URL = "https://api.openaq.org"
VARIABLE = "OPENAQ_API_KEY"
SERVICE = "OpenAQ"
REGISTER = "https://explore.openaq.org/register"
_ACCOUNT = "https://explore.openaq.org/account"
_PAGE = 1000  # results at once: the most that the service gives
_PAGES = 10_000
_TIMEOUT = 408  # the service's own: the query took it too long
_HOUR, _DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
_KEY = re.compile(r"[!-~]{8,200}")


@dataclass(frozen=True)
class Hour:
    """A mean over an hour.

    Attributes:
        end: of the hour, UTC.
        value: None where there is none.
        units: of the value.
        latitude: degrees north, where the answer says it; else None.
        longitude: degrees east.
        flagged: whether something is said against it.
    """

    end: datetime
    value: float | None
    units: str
    latitude: float | None
    longitude: float | None
    flagged: bool


def key_of(given: str | None) -> str | None:
    """The key that was given, or that of the environment; None if there is none.

    Raises:
        InputError: if it cannot be a key.
    """
    found, where = (given, "--key") if given is not None else (os.environ.get(VARIABLE), VARIABLE)
    if found is None or (given is None and not found.strip()):
        return None
    key = found.strip()
    if not _KEY.fullmatch(key):
        raise InputError(
            f"the key of {where} has {len(key)} characters, some of them none of a key: copy it again from {_ACCOUNT}"
        )
    return key


class Client:
    """Asks the API, within its limits."""

    def __init__(
        self, key: str, *, url: str = URL, patience: Patience, tell: Callable[[str], None] = lambda words: None
    ) -> None:
        """Begin; nothing is asked yet.

        Args:
            key: of the user.
            url: of the service, without version.
            patience: how long to wait.
            tell: told of long waits.

        Raises:
            InputError: if the key would travel in the clear.
        """
        if in_the_clear(url):
            raise InputError(f"--url {label_of(url)}: the key would travel in the clear; wanted https, as {URL}")
        self._key, self._url, self._patience = key, url.rstrip("/"), patience
        self._allowance = Allowance(patience, tell)

    def locations(self, *, country: str | None = None, region: Region | None = None) -> list[Location]:
        """The locations with instruments for PM2.5 in a country, a region, or what both have in common.

        Raises:
            InputError: if the key is refused, or the service does not understand the request.
            FetchError: if it does not answer.
        """
        asked: dict[str, Any] = {"parameters_id": PM25} | ({"iso": country} if country else {})
        found: dict[int, Location] = {}
        for box in boxes_of(region) if region is not None else [None]:
            for result in self._results("locations", asked | ({"bbox": box} if box else {})):
                one = location_of(result)
                if one.sensors and inside(one, region):
                    found[one.number] = one
        return [found[number] for number in sorted(found)]

    def location(self, number: int) -> Location | None:
        """A location; None if there is no such one.

        Raises:
            InputError: if the key is refused.
            FetchError: if the service does not answer.
        """
        found = next(self._results(f"locations/{number}", {}, absent_is_empty=True), None)
        return None if found is None else location_of(found)

    def hours(self, sensor: int, first: np.datetime64, last: np.datetime64) -> Iterator[Hour]:
        """The hourly means of an instrument, in the order of time; none of one that is not there any more.

        Args:
            sensor: its number.
            first: datetime64[h], begin of the first hour, UTC; one hour more on either side may come.
            last: begin of the last one.

        Raises:
            InputError: if the key is refused.
            FetchError: if the service does not answer, or with something else.
        """
        start, end = first - _HOUR, last + 2 * _HOUR
        period = {"datetime_from": f"{start}:00:00Z", "datetime_to": f"{end}:00:00Z"}
        for result in self._results(f"sensors/{sensor}/hours", period, absent_is_empty=True):
            hour = _hour_of(result)
            stamp = np.datetime64(hour.end.replace(tzinfo=None), "h")
            if not start - _DAY <= stamp <= end + _DAY:
                raise FetchError(f"{SERVICE}: hours like {stamp} came where {first} to {last} were asked for: the service has "
                                 "changed; fetch from the archive, or wait for a newer deepcams")  # fmt: skip
            yield hour

    def _results(
        self, path: str, params: Mapping[str, Any], *, absent_is_empty: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        """All results of a request, page by page."""
        total, before = 0, None
        for page in count(1):
            answer = self._json(path, {**params, "limit": _PAGE, "page": page}, absent_is_empty)
            results = answer.get("results")
            if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
                raise FetchError(f"{SERVICE}: {path} gives no list of results: wanted version 3 of its API; try later")
            if results and (results == before or page > _PAGES):
                raise FetchError(f"{SERVICE}: {path} gives the same page again and again (page {page}): try later")
            yield from results
            total += len(results)
            if not results or not _is_more(answer.get("meta"), len(results), total):
                return
            before = results

    def _json(self, path: str, params: Mapping[str, Any], absent_is_empty: bool) -> Mapping[str, Any]:
        """An answer, as patiently as the limits want it."""
        answer = get(f"{self._url}/v3/{path}", headers={"X-API-Key": self._key}, params=params, patience=self._patience,
                     service=SERVICE, again=(*AGAIN, _TIMEOUT), pace=self._allowance)  # fmt: skip
        if answer.status == 404 and absent_is_empty:
            return {"results": []}
        if answer.status != 200:
            raise self._refused(answer.status, path, answer.content)
        found = answer.json()
        if not isinstance(found, dict):
            raise FetchError(f"{SERVICE}: {path}: wanted an object, found {answer.content[:60]!r}: try later")
        return found

    def _refused(self, status: int, path: str, content: bytes) -> DeepcamsError:
        """What a status means, and what to do; the key itself is not told."""
        text = without_secrets(" ".join(content.decode("utf-8", "replace").split())).replace(self._key, "...")
        said = f" (it says: {text[:200]})" if text else ""
        if status == 401:
            return InputError(f"{SERVICE} does not know the key{said}: compare --key or {VARIABLE} with {_ACCOUNT}")
        if status == 403:
            return InputError(
                f"{SERVICE} refuses this key or this address{said}: the account may be blocked, see {_ACCOUNT}, or write to "
                "dev@openaq.org; the archive needs no key where --locations tells which ones are wanted"
            )
        if status in (404, 410):
            return FetchError(f"{SERVICE}: no {path} at {self._url}/v3 (status {status}): compare --url with {URL}; if it is "
                              "that, this version of the API has been shut, and a newer deepcams is needed")  # fmt: skip
        if status in (400, 422):
            return InputError(f"{SERVICE} does not understand the request for {path}{said}")
        return FetchError(f"{SERVICE}: {path} answers {status}{said}: try later")


def _is_more(meta: Any, size: int, total: int) -> bool:
    """Whether there may be another page after one of that size."""
    found = str(meta.get("found", "")) if isinstance(meta, dict) else ""
    if found.startswith(">") or size >= _PAGE:
        return True
    return found.isdecimal() and int(found) > total


def _hour_of(result: Mapping[str, Any]) -> Hour:
    """An hour as the API describes it.

    Raises:
        FetchError: if it lacks what every hour has.
    """
    try:
        mean = (result.get("summary") or {}).get("avg")
        value = mean if mean is not None else result["value"]
        place = result.get("coordinates") or {}
        north, east = place.get("latitude"), place.get("longitude")
        return Hour(
            end=datetime.fromisoformat(result["period"]["datetimeTo"]["utc"]).astimezone(UTC),
            value=None if value is None else float(value),
            units=str(result["parameter"]["units"]),
            latitude=None if north is None else float(north),
            longitude=None if east is None else float(east),
            flagged=bool((result.get("flagInfo") or {}).get("hasFlags")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(
            f"{SERVICE} describes an hour in another way than was known ({str(result)[:80]}): wanted value, parameter and "
            "period; if that stays so, fetch from the archive, or wait for a newer deepcams"
        ) from error
