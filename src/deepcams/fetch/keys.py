"""The key and the address of the Atmosphere Data Store: where they are looked for, and what is wrong with them.

They stand where the clients of the Copernicus data stores look: ``CDSAPI_URL``, ``CDSAPI_KEY`` and ``~/.cdsapirc`` (or the
file of ``CDSAPI_RC``), as cdsapi 0.7 has them; ``ECMWF_DATASTORES_URL``, ``ECMWF_DATASTORES_KEY`` and
``~/.ecmwfdatastoresrc``, as ecmwf-datastores-client 0.5 has them; and, for those who keep one for each store,
``ADSAPI_URL``, ``ADSAPI_KEY`` and ``~/.adsapirc``. One personal access token serves all stores of ECMWF; what differs is the
address, and a file made for the Climate Data Store is the commonest mistake.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from deepcams.errors import InputError
from deepcams.fetch.connection import in_the_clear
from deepcams.urls import label_of

STORE = "the Atmosphere Data Store"
URL = "https://ads.atmosphere.copernicus.eu/api"
PROFILE = "https://ads.atmosphere.copernicus.eu/profile"
_OTHERS = {
    "cds.climate.copernicus.eu": "the Climate Data Store",
    "cds-beta.climate.copernicus.eu": "the Climate Data Store (its trial of 2024)",
    "ewds.climate.copernicus.eu": "the Early Warning Data Store",
    "ecds.ecmwf.int": "the ECMWF Data Store",
    "xds.ecmwf.int": "the Cross Data Store",
}
_FAMILIES = (  # the environment's prefix, the variable that names the file, the usual file
    ("ADSAPI", "", ".adsapirc"),
    ("CDSAPI", "CDSAPI_RC", ".cdsapirc"),
    ("ECMWF_DATASTORES", "ECMWF_DATASTORES_RC_FILE", ".ecmwfdatastoresrc"),
)
_ADVICE = (
    f"two lines, 'url: {URL}' and 'key: ' with the key, which is at {PROFILE} once you are logged in (free of charge)"
)


@dataclass(frozen=True)
class Credentials:
    """A key for a data store, and where the store is.

    Attributes:
        url: the address of its API, without a slash at the end.
        key: the personal access token; never part of a message.
        where: where the key was found, for people.
        url_from: where the address was found, for people.
    """

    url: str
    key: str = field(repr=False)
    where: str
    url_from: str

    @property
    def site(self) -> str:
        """The address of the store for people."""
        return label_of(self.url).removesuffix("/api")


def find_credentials(
    url: str | None = None,
    key: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Credentials:
    """The key and the address to use for CAMS: those given, else those of the environment, else of the usual files.

    Of several, the first that is not made for another store is taken. A key without an address is one for the
    Atmosphere Data Store.

    Args:
        url: the address, if it is given; it goes with whatever key is found.
        key: the key, if it is given.
        environment: the environment's variables; by default this process's.
        home: the folder of the files; by default the user's.

    Raises:
        InputError: if there is no key, or what is found cannot be one, or the address is another store's.
    """
    where = "--key" if key else ""
    given = [Credentials(URL, key.strip(), where, "")] if key else []
    found = given or list(candidates(environment, home))
    if not found:
        raise InputError(_no_key(environment, home))
    if url:
        found = [replace(one, url=url, url_from="--url") for one in found]
    ours = [one for one in found if _foreign(one.url) is None]
    chosen = (ours or found)[0]
    check_form(chosen)
    return replace(chosen, url=chosen.url.rstrip("/"))


def candidates(environment: Mapping[str, str] | None = None, home: Path | None = None) -> Iterator[Credentials]:
    """All keys in the environment, then all in files, each with the address that goes with it; nothing is checked.

    Raises:
        InputError: if a file cannot be read.
    """
    known = os.environ if environment is None else environment
    for prefix, _, _ in _FAMILIES:
        if known.get(f"{prefix}_KEY"):
            url, url_from = _url(known, prefix, {}, "")
            yield Credentials(url, known[f"{prefix}_KEY"].strip(), f"{prefix}_KEY", url_from)
    for prefix, path, label in files(known, home):
        lines = _read(path, label)
        if lines.get("key"):
            url, url_from = _url(known, prefix, lines, label)
            yield Credentials(url, lines["key"], label, url_from)


def files(environment: Mapping[str, str] | None = None, home: Path | None = None) -> list[tuple[str, Path, str]]:
    """The files looked at that are there: the prefix of their environment variables, the path, the path for people."""
    known = os.environ if environment is None else environment
    usual = Path.home() if home is None else home
    found = []
    for prefix, variable, name in _FAMILIES:
        named = known.get(variable) if variable else None
        path = Path(named).expanduser() if named else usual / name
        if path.is_file():
            found.append((prefix, path, str(path) if named else f"~/{name}"))
    return found


def check_form(credentials: Credentials) -> None:
    """Refuse what cannot be a key or an address of the Atmosphere Data Store; nobody is asked.

    Raises:
        InputError: if the address is another store's or the old one's, or the key has the old form or is a placeholder.
    """
    label, where = label_of(credentials.url), credentials.url_from or "the usual address"
    parts = urlsplit(credentials.url)
    foreign = _foreign(credentials.url)
    if foreign is not None:
        raise InputError(f"the address in {where} is that of {foreign} ({label}), and CAMS is in {STORE}: one key serves "
                         f"both, so give --url {URL}, or write a file ~/.adsapirc beside it: {_ADVICE}")  # fmt: skip
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"the address in {where} is {label!r}: wanted {URL}")
    if in_the_clear(credentials.url):
        raise InputError(
            f"the address in {where} is {label}: the key would travel in the clear; wanted https, as {URL}"
        )
    if parts.path.rstrip("/").endswith("/v2"):
        raise InputError(
            f"the address in {where} is {label}, that of the data store that was shut in 2024: wanted {URL}"
        )
    _check_key(credentials)


def _check_key(credentials: Credentials) -> None:
    key, where = credentials.key, credentials.where
    if ":" in key:
        raise InputError(f"the key in {where} has the form UID:KEY of the data store that was shut in 2024: wanted the "
                         f"new one, without a colon, which is at {PROFILE}")  # fmt: skip
    if not key.isascii() or not key.isprintable() or set(key) & set(" <>{}\"'") or len(key) < 8:
        raise InputError(f"the key in {where} ({len(key)} characters) is not one: wanted a token such as "
                         f"01234567-89ab-cdef-0123-456789abcdef; yours is at {PROFILE}")  # fmt: skip


def _foreign(url: str) -> str | None:
    """The name of the other store whose address it is; None if it is none of those known."""
    return _OTHERS.get((urlsplit(url).hostname or "").lower())


def _url(known: Mapping[str, str], prefix: str, lines: Mapping[str, str], label: str) -> tuple[str, str]:
    """The address that goes with a key, and where it was found: environment, file, else the usual one."""
    name = f"{prefix}_URL"
    if known.get(name):
        return known[name].strip(), name
    return (lines["url"], label) if lines.get("url") else (URL, "")


def _read(path: Path, label: str) -> dict[str, str]:
    """The lines ``name: value`` of a file, without quotation marks."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{label}: cannot be read ({error.strerror}): it is looked at for the key of {STORE}; "
                         "make it readable for you, or give --key") from error  # fmt: skip
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def _no_key(environment: Mapping[str, str] | None, home: Path | None) -> str:
    """The message that there is no key."""
    variables = ", ".join(f"{prefix}_KEY" for prefix, _, _ in _FAMILIES)
    there = [label for _, _, label in files(environment, home)]
    seen = f"{' and '.join(there)} {'has' if len(there) == 1 else 'have'} no line 'key: ...'" if there else (
        f"there is no file {', '.join(f'~/{name}' for _, _, name in _FAMILIES)}"
    )  # fmt: skip
    return f"no key for {STORE}: neither --key nor {variables} is set, and {seen}; write {_ADVICE}, into ~/.cdsapirc"
