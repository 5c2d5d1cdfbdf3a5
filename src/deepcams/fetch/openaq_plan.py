"""What there is to do for an order of OpenAQ: which months are missing, and which locations to ask for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.errors import InputError
from deepcams.fetch import openaq_api
from deepcams.fetch.index import Index
from deepcams.fetch.many import in_flight
from deepcams.fetch.openaq_api import REGISTER, SERVICE, VARIABLE, Client
from deepcams.fetch.openaq_order import Order, Span, name_of
from deepcams.fetch.openaq_places import Location, has_data
from deepcams.fetch.patience import Patience
from deepcams.io.output import check_folder, make_folder, partial
from deepcams.stations.readers.streams import require_pyarrow

PATIENCE = Patience(longest_asked=3700.0)  # the limit of an hour's requests is waited for
_FOLDER = ".pieces"
_SHOWN = 20
_DIGITS = 12  # of the digest that names the folder of an order's pieces
_DAY = np.timedelta64(1, "D")
_BYTES = 2_000  # of a file of the archive, about: 24 hours of a few species, compressed
_MINUTE, _HOUR = 60, 2000  # requests that a key may make


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        order: what is wanted.
        folder: where the tables go.
        todo: the months that are not there yet.
        kept: the files that are.
        locations: those to ask for.
        silent: how many others have no data in the period, as the API tells.
        client: of the API; None where it need not be asked.
    """

    order: Order
    folder: Path
    todo: tuple[Span, ...]
    kept: tuple[str, ...]
    locations: tuple[Location, ...] = ()
    silent: int = 0
    client: Client | None = None

    @property
    def steps(self) -> int:
        """Locations to do, each once for each month."""
        return len(self.todo) * len(self.locations)

    @property
    def hidden(self) -> Path:
        """Where the pieces are until their month is whole: a folder for each order."""
        return hidden_folder(self.folder, self.order)

    def expected(self) -> str:
        """How much there is to come, for people; nobody is asked."""
        if self.order.source == "api":
            requests = sum(max(1, len(one.sensors)) for one in self.locations) * len(self.todo)
            minutes = max(math.ceil(requests / _MINUTE), requests * 60 // _HOUR)
            return f"about {requests:,} requests, {minutes:,} min at least within the limits of a key"
        days = sum(int((last - first) / _DAY) + 1 for first, last in (span.days for span in self.todo))
        files = days * len(self.locations)
        return f"at most {files:,} files, about {files * _BYTES / 1e6:,.1f} MB (an estimate: the archive was not asked)"


def make_plan(
    folder: Path,
    order: Order,
    *,
    key: str | None = None,
    workers: int = 8,
    dry: bool = False,
    patience: Patience = PATIENCE,
    tell: Callable[[str], None] = lambda words: None,
) -> Plan:
    """What there is to do.

    The API is asked for the locations of a country or region, and for the instruments at locations where it is to give
    the data; not if an unfinished run was told already.

    Args:
        folder: where the tables go.
        order: what is wanted.
        key: of the user; None for that of the environment.
        workers: requests in flight.
        dry: whether to write nothing, and to ask only for what a country or region has.
        patience: how long to wait.
        tell: told of long waits.

    Raises:
        InputError: if the folder holds something else, a key is missing or refused, or there is no such location.
        FetchError: if the API does not answer.
    """
    require_pyarrow()
    if not dry:
        check_folder(folder, (), overwrite=False)
    index = Index(folder)
    there = {span: index.is_whole(name_of(span), what=order.what(span)) for span in order.spans}
    todo = tuple(span for span, whole in there.items() if not whole)
    kept = tuple(name_of(span) for span, whole in there.items() if whole)
    if not todo:
        return Plan(order, folder, todo, kept)
    known = _remembered(folder, order)
    client = None if order.needs_no_key or (dry and order.locations) else _client(order, key, patience, tell, known)
    locations = known if known is not None else _asked(order, client, workers)
    if known is None and not dry:
        _remember(folder, order, locations)
    first, last = (_instant(day) for day in (todo[0].days[0], todo[-1].days[1] + _DAY))
    loud = tuple(one for one in locations if has_data(one, first, last))
    return Plan(order, folder, todo, kept, loud, len(locations) - len(loud), client)


def hidden_folder(folder: Path, order: Order) -> Path:
    """Where an order's pieces are."""
    digest = hashlib.sha256(json.dumps(order.request).encode()).hexdigest()
    return folder / _FOLDER / digest[:_DIGITS]


def _client(order: Order, key: str | None, patience: Patience, tell: Callable[[str], None],
            known: list[Location] | None) -> Client | None:  # fmt: skip
    """The API's client; None if there is no key, and none is needed.

    Raises:
        InputError: if a key is needed and there is none, or it cannot be one.
    """
    found = openaq_api.key_of(key)
    if found is not None:
        return Client(found, url=order.url, patience=patience, tell=tell)
    if order.source == "archive" and known is not None:
        return None
    why = "gives data" if order.source == "api" else "tells which locations lie in a country or region"
    raise InputError(
        f"only OpenAQ's API {why}, and it wants a key: get one, free of charge, at {REGISTER}, and put it into the environment "
        f"as {VARIABLE}, or give --key; without one, --from archive with --locations 2178,8118 works (the numbers are those in "
        "explore.openaq.org/locations/2178)"
    )


def _asked(order: Order, client: Client | None, workers: int) -> list[Location]:
    """What the API tells of the locations; where it need not be asked, their numbers alone.

    Raises:
        InputError: if there is none, or no such one.
    """
    if client is None:
        return [Location(number) for number in order.locations]
    if not order.locations:
        found = client.locations(country=order.country and order.country.upper(), region=order.region)
        if not found:
            raise InputError(
                f"{SERVICE} has no location with PM2.5 in {order.where}: give another --country or --region"
            )
        return found
    with closing(in_flight(client.location, order.locations, count=workers)) as answers:
        told = dict(answers)
    absent = [number for number in order.locations if told[number] is None]
    if absent:
        shown = ", ".join(map(str, absent[:_SHOWN])) + (" ..." if len(absent) > _SHOWN else "")
        raise InputError(
            f"{SERVICE} has no location {shown}: compare the numbers with explore.openaq.org, and leave these out"
        )
    return [one for number in order.locations if (one := told[number]) is not None]


def _remembered(folder: Path, order: Order) -> list[Location] | None:
    """The locations that a run which did not come to its end was told; None if there was none."""
    try:
        noted = json.loads(_notes(folder, order).read_text(encoding="utf-8"))
        return [Location(**_restored(one)) for one in noted]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _restored(noted: Mapping[str, Any]) -> dict[str, Any]:
    """A location's fields, as they were before JSON took them."""
    degrees = {name: math.nan if noted[name] is None else float(noted[name]) for name in ("latitude", "longitude")}
    return {**noted, **degrees, "sensors": tuple(noted["sensors"]), "licences": tuple(noted["licences"])}


def _remember(folder: Path, order: Order, locations: list[Location]) -> None:
    """Note the locations, so that the same command goes on with the same ones."""
    noted = [asdict(one) for one in locations]
    for one in noted:
        one |= {name: None for name in ("latitude", "longitude") if math.isnan(one[name])}
    path = _notes(folder, order)
    make_folder(path.parent)
    with partial(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(noted), encoding="utf-8")


def _notes(folder: Path, order: Order) -> Path:
    """Where the locations are noted: for this period only, since until when a location has data is told as of today."""
    return hidden_folder(folder, order) / f"locations-{order.start}-{order.end}.json"


def _instant(day: np.datetime64) -> datetime:
    return datetime.fromisoformat(str(day)).replace(tzinfo=UTC)
