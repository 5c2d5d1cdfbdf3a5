"""URLs as text: what is one, which are paths, and how they are told without what may be secret in them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import url2pathname

_URL = re.compile(r"^(?:[a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"[a-z][a-z0-9+.-]+://[^\s'\"<>]+", re.IGNORECASE)
_LOCAL = ("file://", "local://")
WEB = ("http", "https")
_CONTAINERS = ("abfs", "abfss", "wasb", "wasbs")  # what stands before their @ is the name of a container


def is_url(item: str | Path) -> bool:
    """Whether it is a URL, and not a path."""
    return isinstance(item, str) and _URL.match(item) is not None


def location(item: str | Path) -> str | Path:
    """What was given, as a Path, or as it is if it is a URL that is not on this machine."""
    if not isinstance(item, str) or not is_url(item):
        return Path(item)
    return Path(url2pathname(item.split("://", 1)[1])) if item.lower().startswith(_LOCAL) else item


def label_of(place: str | Path) -> str:
    """A location for people, without user, password and query."""
    return without_secrets(str(place)) if is_url(place) else str(place)


def without_secrets(text: str) -> str:
    """The text with every URL in it without user, password, query and fragment."""
    return _URL_IN_TEXT.sub(lambda match: _bare(match.group()), text)


def _bare(url: str) -> str:
    """One URL without what may be secret; elsewhere than on the web, ? and # are parts of names but for ``?key=value``."""
    scheme, rest = url.split("://", 1)
    host, slash, path = rest.partition("/")
    user, _, server = host.rpartition("@")
    if scheme.lower() not in _CONTAINERS or ":" in user:
        host = server
    pattern = r"[?#].*" if scheme.lower() in WEB else r"\?[^?]*=.*"
    return f"{scheme}://" + re.sub(pattern, "", host + slash + path)
