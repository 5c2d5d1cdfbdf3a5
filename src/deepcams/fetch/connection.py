"""One request and its answer: every wait limited, redirects only where they may lead, errors without secrets."""

from __future__ import annotations

import importlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from deepcams import __version__
from deepcams.errors import FetchError, InputError
from deepcams.fetch import stopping
from deepcams.fetch.late import LateError, within
from deepcams.fetch.patience import Attempts, Patience
from deepcams.urls import WEB, label_of

if TYPE_CHECKING:
    from requests import Response, Session

_PIECE = 1 << 16  # bytes read at once at most
_REDIRECTS = 5
# What may be sent to another host than the one that was asked; all else may be a key.
_HARMLESS = ("accept", "accept-encoding", "if-range", "range", "user-agent")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OF_THREAD = threading.local()


class Broken(Exception):
    """There is no answer, or not all of it: another try may have more luck."""


class Answer:
    """An answer whose body has not been read yet.

    Attributes:
        status: of HTTP.
        headers: found in capital and small letters.
        url: where it came from in the end, without secrets.
    """

    def __init__(self, response: Response, attempts: Attempts) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = label_of(response.url)
        self._response = response
        self._attempts = attempts

    @property
    def length(self) -> int | None:
        """Bytes of the body as it comes; None if they are not told."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdecimal() and "Transfer-Encoding" not in self.headers else None

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes over the line, never decoded.

        Raises:
            Broken: if it stops early, or comes too slowly.
            FetchError: if the deadline is over.
        """
        meter = _Meter(self._attempts.patience)
        while piece := meter.timed(self._read):
            yield piece
            stopping.check()
            if self._attempts.left() <= 0:
                raise self._attempts.failure(f"not done within {self._attempts.patience.deadline:g} s")

    def _read(self) -> bytes:
        """What has come: at least a byte, or nothing at the end."""
        import urllib3

        try:
            return self._response.raw.read1(_PIECE, decode_content=False) or b""
        except urllib3.exceptions.ReadTimeoutError:
            raise Broken(f"no byte for {self._attempts.patience.read:g} s") from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Broken(f"the connection ended early{detail_of(error)}") from None


class _Meter:
    """Measures how fast a body comes; the time that its reader takes for other things is not counted."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._bytes, self._seconds = 0, 0.0

    def timed(self, read: Callable[[], bytes]) -> bytes:
        """What is read.

        Raises:
            Broken: if it has become too slow.
        """
        before = time.monotonic()
        piece = read()
        self._seconds += time.monotonic() - before
        self._bytes += len(piece)
        if piece and self._seconds >= self._patience.window:
            speed = self._bytes / self._seconds
            if speed < self._patience.slowest:
                raise Broken(f"only {speed:.0f} bytes/s came, wanted {self._patience.slowest:.0f}")
            self._bytes, self._seconds = 0, 0.0
        return piece


def in_the_clear(url: str) -> bool:
    """Whether all on the way can read what is sent to an address: it is one of http, and not of this computer."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def library(name: str) -> Any:
    """A library of the extra ``fetch``.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"downloads want the library {name.split('.')[0]}, which is not installed: "
                         'run pip install "deepcams[fetch]"') from error  # fmt: skip


@contextmanager
def ask(url: str, headers: Mapping[str, str], params: Mapping[str, Any] | None, attempts: Attempts) -> Iterator[Answer]:
    """An answer, to be read within the block.

    Args:
        url: where.
        headers: to be sent; to no other host.
        params: for the query.
        attempts: how long to wait.

    Raises:
        Broken: if there is none.
        InputError: if the address, a header or the certificate is wrong.
        FetchError: if it leads elsewhere than to the web.
    """
    library("requests")
    limit = _limit(attempts)
    own = {"User-Agent": f"deepcams/{__version__}", "Accept-Encoding": "identity"}
    session = _session()
    with _told(attempts):
        response = _answer(lambda: _follow(session, _full(url, params), own | dict(headers), limit), sum(limit))
    with closing(response):
        yield Answer(response, attempts)


def _answer(call: Callable[[], Response], seconds: float) -> Response:
    """What a call of this thread's session gives; a session that is still busy with one is not used again.

    Raises:
        Broken: if it takes longer than so many seconds.
    """
    try:
        return within(seconds, call, unwanted=lambda response: response.close())
    except LateError as error:
        _OF_THREAD.session = None
        raise Broken(str(error)) from None
    except stopping.Stopped:
        _OF_THREAD.session = None
        raise


def _limit(attempts: Attempts) -> tuple[float, float]:
    """Seconds for the connection, and for each byte after it."""
    left = attempts.left()
    if left <= 0:
        raise attempts.failure(f"not done within {attempts.patience.deadline:g} s")
    return min(attempts.patience.connect, left), min(attempts.patience.read, left)


def _session() -> Session:
    """This thread's own: sessions are not made for several threads."""
    import requests

    if getattr(_OF_THREAD, "session", None) is None:
        _OF_THREAD.session = requests.Session()
        # Keys come from where the documentation says; ~/.netrc would replace a header that was given.
        _OF_THREAD.session.auth = lambda request: request
    session: Session = _OF_THREAD.session
    return session


def _full(url: str, params: Mapping[str, Any] | None) -> str:
    import requests

    return str(requests.Request("GET", url, params=dict(params or {})).prepare().url)


def _follow(session: Session, url: str, headers: Mapping[str, str], limit: tuple[float, float]) -> Response:
    """The answer at the end of the redirects."""
    for _ in range(_REDIRECTS + 1):
        response = session.get(url, headers=dict(headers), timeout=limit, stream=True, allow_redirects=False)
        target = session.get_redirect_target(response)
        if target is None:
            return response
        response.close()
        there = urljoin(response.url, target)
        headers, url = _for_redirect(url, there, headers), there
    raise Broken(f"more than {_REDIRECTS} redirects")


def _for_redirect(url: str, there: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that may be sent to where a redirect leads.

    Raises:
        FetchError: if nothing may.
    """
    before, after = urlsplit(url), urlsplit(there)
    if after.scheme not in WEB or (before.scheme, after.scheme) == ("https", "http"):
        wanted = "https" if before.scheme == "https" else "http or https"
        raise FetchError(f"{label_of(url)}: leads to {label_of(there)}, which is not followed: wanted {wanted}")
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return headers
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}


@contextmanager
def _told(attempts: Attempts) -> Iterator[None]:
    """Turn what requests raises into what it means; its texts may hold keys, and are not shown."""
    import requests.exceptions as wrong
    from urllib3.exceptions import HTTPError, LocationParseError

    what, patience = attempts.what, attempts.patience
    try:
        yield
    except (wrong.InvalidHeader, UnicodeError):
        raise InputError(f"{what}: the key has characters that no key can have: copy it again") from None
    except (wrong.InvalidURL, wrong.InvalidSchema, wrong.MissingSchema, LocationParseError):
        raise InputError(f"{what}: not an address of the web: wanted https://host/path") from None
    except wrong.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise Broken("no secure connection") from None
        raise InputError(f"{what}: its certificate is not trusted here; behind a proxy that has its own, set "
                         "REQUESTS_CA_BUNDLE to a file with that") from None  # fmt: skip
    except wrong.ConnectTimeout:
        raise Broken(f"no connection within {patience.connect:g} s") from None
    except wrong.Timeout:
        raise Broken(f"no answer within {patience.read:g} s") from None
    except wrong.ProxyError as error:
        raise Broken(f"the proxy (HTTPS_PROXY) gives no connection{detail_of(error)}") from None
    except (wrong.RequestException, HTTPError, OSError) as error:
        raise Broken(f"no connection{detail_of(error)}") from None


def detail_of(error: BaseException) -> str:
    """What the system says of a failure, in brackets."""
    for one in _causes(error):
        if isinstance(one, socket.gaierror):
            return " (the host's name is not known here: is there a network?)"
        if isinstance(one, OSError) and one.errno and one.strerror:
            return f" ({one.strerror})"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it comes from."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        waiting.extend(part for part in inner if isinstance(part, BaseException))
