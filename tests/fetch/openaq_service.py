"""OpenAQ on loopback: the bucket of its archive, and version 3 of its API, both at the same address.

What they answer is as docs.openaq.org, the service's own code (github.com/openaq/openaq-api-v2) and S3's documentation
describe it, peculiarities included: values rounded to two digits, ``found`` as text, and a header that says 60 requests
are left where none is.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from tests.fetch.server import Reply, Request, Server, json_reply

KEY = "0123456789abcdef-a-good-key"
TITLES = "location_id,sensors_id,location,datetime,lat,lon,parameter,units,value\n"
_LIST = "/"
_OBJECT = re.compile(r"/records/csv\.gz/.*")
_HOUR = timedelta(hours=1)


def object_key(location, date):
    """The name of a location's local day in the bucket; ``date`` is ISO."""
    year, month, day = date.split("-")
    return (
        f"records/csv.gz/locationid={location}/year={year}/month={month}/location-{location}-{year}{month}{day}.csv.gz"
    )


def value_of(location, begin):
    """What is measured at a location in the hour that begins then (UTC): a different number for each."""
    hours = int((begin - datetime(2019, 1, 1, tzinfo=UTC)) / _HOUR)
    return round(location % 97 + hours % 1000 / 8 + 0.0625, 4)


@dataclass
class Service:
    """What there is.

    Attributes:
        server: that answers.
        objects: of the bucket, by key.
        places: of the API, as it describes locations.
        hours: of each sensor: end of the hour, value, whether flagged.
        keys: those that are known.
        most: results of a page at most.
        names: in a page of the bucket's listing at most.
        rate: requests that a key may make in a window; None for any number.
        window: seconds.
        log: when each request to the API was answered, and how.
    """

    server: Server
    objects: dict[str, bytes] = field(default_factory=dict)
    places: list[dict] = field(default_factory=list)
    hours: dict[int, list[tuple[datetime, float | None, bool]]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=lambda: {KEY})
    most: int = 1000
    names: int = 1000
    rate: int | None = None
    window: float = 1.0
    log: list[int] = field(default_factory=list)

    def __post_init__(self):
        self._lock = threading.Lock()
        self._used, self._until = 0, 0.0
        self.server.route("GET", _LIST, self._list)
        self.server.route("GET", _OBJECT, self._object)
        self.server.route("GET", "/v3/locations", self._api(self._locations))
        self.server.route("GET", re.compile(r"/v3/locations/(\d+)"), self._api(self._location))
        self.server.route("GET", re.compile(r"/v3/sensors/(\d+)/hours"), self._api(self._hours))

    def place(self, number, *, north=27.7, east=85.3, country="NP", zone="Asia/Kathmandu", sensors=None, **others):
        """A location, with one instrument for PM2.5 and one for PM10."""
        pm25, pm10 = {"id": 2, "name": "pm25", "units": "µg/m³"}, {"id": 1, "name": "pm10", "units": "µg/m³"}
        known = [10 * number] if sensors is None else sensors
        self.places.append({
            "id": number, "name": f"Place {number}", "timezone": zone, "isMobile": False,
            "country": {"id": 1, "code": country, "name": "somewhere"},
            "coordinates": {"latitude": north, "longitude": east},
            "sensors": [*({"id": one, "name": "pm25 µg/m³", "parameter": pm25} for one in known),
                        {"id": 10 * number + 9, "name": "pm10 µg/m³", "parameter": pm10}],
            "licenses": [{"id": 41, "name": "CC BY 4.0", "attribution": {"name": f"Owner {number % 2}", "url": None}}],
            "datetimeFirst": None, "datetimeLast": None,
        } | others)  # fmt: skip

    def day(self, location, date, *, minutes=345, north=27.7, east=85.3, lines=None):
        """A local day of a location in the archive, 01:00 to 00:00 of the next, PM2.5 and PM10, some hours east of UTC."""
        offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        text = TITLES
        for hour in range(24):
            local = datetime.fromisoformat(date) + hour * _HOUR
            value = value_of(location, local.replace(tzinfo=UTC) - timedelta(minutes=minutes))
            for species, sensor, number in (("pm25", 10 * location, value), ("pm10", 10 * location + 9, -7)):
                place = f"{location},{sensor},Place-{location},{local + _HOUR}{offset},{north},{east}"
                text += f"{place},{species},µg/m³,{number}\n"
        self.objects[object_key(location, date)] = gzip.compress((text if lines is None else TITLES + lines).encode())

    def series(self, sensor, begin, count, *, location=None, flagged=()):
        """Hourly values of a sensor from a time on."""
        for number in range(count):
            start = begin + number * _HOUR
            value = value_of(location or sensor // 10, start)
            self.hours.setdefault(sensor, []).append((start + _HOUR, value, number in flagged))

    def _list(self, request: Request) -> Reply:
        assert request.value("list-type") == "2"
        prefix, after = request.value("prefix", ""), request.value("start-after", "")
        after = bytes.fromhex(request.value("continuation-token", after.encode().hex())).decode()
        found = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        page = found[: min(int(request.value("max-keys", "1000")), self.names)]
        more = len(found) > len(page)
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{hashlib.md5(self.objects[key]).hexdigest()}&quot;</ETag>"
            f"<Size>{len(self.objects[key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{page[-1].encode().hex()}</NextContinuationToken>" if more and page else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>openaq-data-archive</Name><Prefix>{escape(prefix)}</Prefix>{token}<KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{entries}</ListBucketResult>"
        )
        return Reply(200, body.encode(), {"Content-Type": "application/xml"})

    def _object(self, request: Request) -> Reply:
        body = self.objects.get(request.path[1:])
        if body is None:
            return Reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return Reply(200, body, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def _api(self, answer):
        """The handler, behind the key and the limit."""

        def handle(request: Request) -> Reply:
            if request.headers.get("x-api-key") not in self.keys:
                return self._logged(json_reply({"message": "invalid credentials"}, 401))
            left, reset = self._count()
            headers = {"x-ratelimit-limit": str(self.rate or 60), "x-ratelimit-remaining": str(max(left, 0)),
                       "x-ratelimit-used": "0", "x-ratelimit-reset": str(reset)}  # fmt: skip
            if left < 0:
                return self._logged(json_reply({"message": "Too many requests"}, 429,
                                               headers | {"x-ratelimit-remaining": "60"}))  # fmt: skip
            reply = answer(request)
            return self._logged(Reply(reply.status, reply.body, reply.headers | headers))

        return handle

    def _logged(self, reply: Reply) -> Reply:
        with self._lock:
            self.log.append(reply.status)
        return reply

    def _count(self) -> tuple[int, int]:
        """What is left after this request, negative if it is one too many, and the seconds until there is more."""
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._used, self._until = 0, now + self.window
            self._used += 1
            left = 59 if self.rate is None else self.rate - self._used
            return left, max(1, round(self._until - now))

    def _page(self, results: list, request: Request) -> Reply:
        limit, page = min(int(request.value("limit", "100")), self.most), int(request.value("page", "1"))
        part = results[(page - 1) * limit : page * limit]
        found = f">{limit}" if len(results) > page * limit else len(part)
        meta = {"name": "openaq-api", "website": "/", "page": page, "limit": limit, "found": found}
        return json_reply({"meta": meta, "results": part})

    def _locations(self, request: Request) -> Reply:
        found = self.places
        if request.value("parameters_id"):
            wanted = int(request.value("parameters_id"))
            found = [one for one in found if any(sensor["parameter"]["id"] == wanted for sensor in one["sensors"])]
        if request.value("iso"):
            found = [one for one in found if one["country"]["code"] == request.value("iso")]
        if request.value("bbox"):
            west, south, east, north = map(float, request.value("bbox").split(","))
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                return json_reply({"detail": "Invalid bounding box"}, 422)
            found = [one for one in found if west <= one["coordinates"]["longitude"] <= east
                     and south <= one["coordinates"]["latitude"] <= north]  # fmt: skip
        return self._page(found, request)

    def _location(self, request: Request) -> Reply:
        found = [one for one in self.places if one["id"] == int(request.match[1])]
        return self._page(found, request) if found else json_reply({"detail": "Location not found"}, 404)

    def _hours(self, request: Request) -> Reply:
        first, last = (datetime.fromisoformat(request.value(name)) for name in ("datetime_from", "datetime_to"))
        found = sorted(self.hours.get(int(request.match[1]), ()), key=lambda one: one[0])
        return self._page([_hour(*one) for one in found if first < one[0] <= last], request)


def _hour(end, value, flagged):
    """An hour as the API describes it; its value has two digits."""

    def moment(when):
        return {"utc": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "local": when.isoformat()}

    rounded = None if value is None else float(f"{value:.2g}")
    return {
        "value": rounded, "flagInfo": {"hasFlags": flagged}, "parameter": {"id": 2, "name": "pm25", "units": "µg/m³"},
        "period": {"label": "1hour", "interval": "01:00:00", "datetimeFrom": moment(end - _HOUR), "datetimeTo": moment(end)},
        "coordinates": None, "summary": {"min": value, "avg": value, "max": value},
        "coverage": {"expectedCount": 1, "observedCount": 1},
    }  # fmt: skip
