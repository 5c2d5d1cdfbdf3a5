"""The site table: coordinates, time zones and units of stations whose files do not tell them.

It is CSV, gzipped or not, or Parquet, with a line for each station. Its columns go by many names; needed are an
identifier, the latitude and the longitude. A station is found by any of its identifiers, whatever their case: the AQS
number, the sampling point, the EoI code, the name. AirNow's own lists of its sites are such tables too:
``Monitoring_Site_Locations_V2.dat``, and the older ``monitoring_site_locations.dat``, which has no line of titles
(docs.airnowapi.org, "Monitoring Site Information File").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Head
from deepcams.stations.readers.columns import found, plain, texts
from deepcams.stations.readers.countries import iso_of_fips
from deepcams.stations.readers.localtime import check_zone
from deepcams.stations.readers.streams import csv_chunks, head_of, parquet_chunks

# The first of these that a table has is the one that must not be there twice with different coordinates.
_IDENTIFIERS = (
    *("station_id", "site_id", "location_id", "locations_id", "samplingpointid", "sampling_point_id", "samplingpoint"),
    *("sampling_point", "aqsid", "aqs_id", "aqs_code", "id", "station", "site", "location", "code", "stationid"),
    *("fullaqsid", "air_quality_station_eoi_code", "airqualitystationeoicode", "eoi_code", "station_code", "name"),
    *("station_name", "site_name", "sitename", "location_name", "city"),
)
_SPELLINGS = {
    "latitude": ("latitude", "lat", "latitude_deg", "lat_deg", "latitude_n", "y"),
    "longitude": ("longitude", "lon", "long", "lng", "longitude_deg", "lon_deg", "longitude_e", "x"),
    "name": ("name", "station_name", "site_name", "sitename", "location_name", "air_quality_station_name", "location"),
    "country": ("country", "country_code", "country_iso", "countrycode", "iso2", "country_or_territory"),
    "fips": ("countryfips",),
    "timezone": ("timezone", "time_zone", "tz", "utc_offset", "utcoffset", "gmt_offset", "gmtoffset", "offset"),
    "units": ("units", "unit"),
}
_AIRNOW = (
    *("AQSID", "Parameter", "SiteCode", "SiteName", "Status", "AgencyID", "AgencyName", "EPARegion", "Latitude"),
    *("Longitude", "Elevation", "GMTOffset", "CountryFIPS", "CMSACode", "CMSAName", "MSACode", "MSAName"),
    *("StateCode", "StateName", "CountyCode", "CountyName", "CityCode", "CityName"),
)
_SAME = 0.01  # degrees, about a kilometre: registers round a station's coordinates differently for each instrument
_WEST = 360


@dataclass(frozen=True)
class Site:
    """What a site table says of a station.

    Attributes:
        latitude: degrees north.
        longitude: degrees east.
        name: for people; the station's identifier if the table has none.
        country: ISO 3166 code of two letters, or nothing.
        timezone: IANA name or fixed offset like ``+05:30``, or nothing.
        units: of its values, or nothing.
    """

    latitude: float
    longitude: float
    name: str = ""
    country: str = ""
    timezone: str = ""
    units: str = ""


@dataclass(frozen=True)
class Sites:
    """A site table.

    Attributes:
        path: where it comes from, for messages.
        sites: by identifier.
    """

    path: Path
    sites: dict[str, Site]

    def find(self, *names: str) -> Site | None:
        """The site with the first of these identifiers that any has, whatever its case."""
        return next((self._plain[key] for key in map(_key, names) if key in self._plain), None)

    @cached_property
    def _plain(self) -> dict[str, Site]:
        plain_sites: dict[str, Site] = {}
        for identifier, site in self.sites.items():
            plain_sites.setdefault(_key(identifier), site)
        return plain_sites


def load_sites(path: Path) -> Sites:
    """Read a site table.

    Args:
        path: CSV or Parquet with a column of identifiers (``station_id``, ``AQSID``, ``Sampling Point Id``, ``name``
            and the like), ``latitude`` and ``longitude`` in degrees, and maybe ``name``, ``country``, ``timezone``
            (``Asia/Kathmandu``, ``+05:45``, ``5.75``) and ``units``.

    Raises:
        InputError: if it cannot be read, lacks a column, has a place outside the Earth or a time zone that does not
            exist, or the same identifier at two places.
    """
    head, names = _headed(path)
    identifiers = [title for name in _IDENTIFIERS for title in head.columns if plain(title) == name]
    at = found(head.columns, _SPELLINGS)
    missing = [what for what in ("latitude", "longitude") if what not in at] + ([] if identifiers else ["identifiers"])
    if missing:
        there = ", ".join(head.columns)
        wanted = "wanted some like station_id, latitude, longitude"
        raise InputError(f"{path}: no column of {' or '.join(missing)}; {wanted}; found {there}")
    sites: dict[str, Site] = {}
    others: dict[str, set[Site]] = {}
    for line in _lines(head, names, [*identifiers, *at.values()]):
        if not line[at["latitude"]] and not line[at["longitude"]]:
            continue  # registers have such sites; a station that is one of them is missed later, by its name
        first, *further = (line[title] for title in identifiers)
        site = _site(path, line, at, next(filter(None, [first, *further]), "a site without identifier"))
        if first:
            _check_same(path, first, sites.setdefault(_key(first), site), site)
        for other in filter(None, further):
            others.setdefault(_key(other), set()).add(site)
    # By their other names only those are found that do not share them with sites elsewhere.
    for other, shared in others.items():
        if len({(round(one.latitude, 2), round(one.longitude, 2)) for one in shared}) == 1:
            sites.setdefault(other, next(iter(shared)))
    if not sites:
        raise InputError(f"{path}: no sites; wanted a line for each station")
    return Sites(path, sites)


def _key(identifier: str) -> str:
    return identifier.strip().casefold()


def _headed(path: Path) -> tuple[Head, tuple[str, ...] | None]:
    """The beginning of a table, and the names of its columns if it has no line of titles."""
    head = head_of(path)
    if head.delimiter != "|" or "Latitude" in head.columns:
        return head, None
    further = (f"further {i}" for i in range(len(_AIRNOW), len(head.columns)))
    names = (*_AIRNOW, *further)[: len(head.columns)]
    return replace(head, columns=names), names


def _lines(head: Head, names: tuple[str, ...] | None, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    """Its lines, by title."""
    titles = list(dict.fromkeys(wanted))
    batches = csv_chunks(head, titles, names=names) if head.lines else parquet_chunks(head, titles)
    for batch in batches:
        columns = [texts(batch[title]) for title in titles]
        yield from (dict(zip(titles, line, strict=True)) for line in zip(*columns, strict=True))


def _site(path: Path, line: Mapping[str, str], at: Mapping[str, str], identifier: str) -> Site:
    """One line as a site."""
    said = {what: line[title] for what, title in at.items()}
    country = said.get("country", "").upper()
    return Site(
        _degrees(path, identifier, said["latitude"], "latitude", 90),
        _degrees(path, identifier, said["longitude"], "longitude", _WEST),
        said.get("name") or identifier,
        country if len(country) == 2 else iso_of_fips(said.get("fips", "")),
        _zone(path, identifier, said.get("timezone", "")),
        said.get("units", ""),
    )


def _degrees(path: Path, identifier: str, text: str, what: str, limit: int) -> float:
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        degrees = limit + 1.0
    if not abs(degrees) <= limit:
        raise InputError(f"{path}: {identifier} has the {what} {text!r}; wanted degrees within -{limit}..{limit}")
    return degrees


def _zone(path: Path, identifier: str, text: str) -> str:
    try:
        return check_zone(text) if text else ""
    except InputError as error:
        raise InputError(f"{path}: {identifier}: {error}") from error


def _check_same(path: Path, identifier: str, first: Site, second: Site) -> None:
    """Refuse an identifier at two places."""
    east = abs((first.longitude - second.longitude + 180) % 360 - 180)
    if max(abs(first.latitude - second.latitude), east) > _SAME:
        raise InputError(
            f"{path}: {identifier} is there twice, at {first.latitude:g}N {first.longitude:g}E and "
            f"{second.latitude:g}N {second.longitude:g}E; wanted each once"
        )
