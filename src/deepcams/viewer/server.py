"""A small web server for one person: read-only, bounded in time, connections and bytes, safe to leave running.

It answers GET and HEAD for what a site has and nothing else. Whoever sends or reads slowly is dropped after some seconds,
and when too many are connected, whoever has kept it waiting for longest. A page of another site cannot read it: requests
must name this machine (against DNS rebinding), and no other origin is allowed.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deepcams.errors import DeepcamsError, InputError
from deepcams.viewer.content import Content
from deepcams.viewer.names import key_of
from deepcams.viewer.ranges import RangeRefused, part_of

Find = Callable[[str], Content | None]

METHODS = ("GET", "HEAD")
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy: nothing from elsewhere, and no code from text."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A first line and headers as RFC 9112 has them. What readers before this one might read otherwise (lines that end or go
# on in other ways, names followed by a space) is no request.
_REQUEST = re.compile(rb"[!-~]+ [!-~]+ HTTP/1\.[01]\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\r\n")
_CONNECTIONS = 100  # with a file for each, below the 256 descriptors that some systems give
_HEAD_BYTES = 16384
_HEAD_SECONDS = 15.0  # for a whole request, and of silence between two
_SEND_SECONDS = 20.0  # for a piece of an answer
_PIECE = 65536  # bytes
_PORTS = 1 << 16
_NO_ADDRESS = (OSError, TypeError, UnicodeError)  # taken, not ours; the last two for what no name can be
_log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """A server that is bound and not yet serving; ``serve_forever`` serves until it is interrupted.

    Attributes:
        find: what is at a place, by its key; None if nothing is.
        hosts: the names that requests may address, besides addresses in numbers.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = _CONNECTIONS

    def __init__(self, find: Find, host: str, port: int, *, head_seconds: float = _HEAD_SECONDS) -> None:
        self.find = find
        self.head_seconds = head_seconds
        self.hosts = {"localhost", host.lower(), socket.gethostname().lower()}
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._connected: dict[Any, float | None] = {}  # since when we wait for each; None while it waits for us
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking name servers for the host's name, as the standard library does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where the page is, for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.server_name, self.server_name)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a new connection in a thread of its own; if there are too many, one that keeps us waiting has to go."""
        with self._guard:
            waited = {one: since for one, since in self._connected.items() if since is not None}
            full = len(self._connected) >= _CONNECTIONS
            surplus = min(waited, key=waited.__getitem__, default=request) if full else None
            self._connected.pop(surplus, None)
        if surplus is not None:
            _hang_up(surplus)  # its thread then ends it
        self.wait_for(request)
        super().process_request(request, client_address)

    def wait_for(self, request: Any) -> None:
        """Remember that we now wait for a connection: for its next request, or until it has taken what we send."""
        with self._guard:
            self._connected[request] = time.monotonic()

    @contextmanager
    def at_work(self, request: Any) -> Iterator[None]:
        """Remember that a connection waits for us within the block."""
        with self._guard:
            self._connected[request] = None
        try:
            yield
        finally:
            self.wait_for(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._guard:
            self._connected.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that failed ends; the others do not notice."""
        _log.debug("connection from %s failed", client_address, exc_info=True)

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header means this machine: a number, or a name that only this machine has."""
        name = _host_name(host.strip().lower())
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host_name(host: str) -> str:
    """A ``Host`` header without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("a connection was gone before it could be ended")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        return "deepcams"

    def log_message(self, format: str, *values: Any) -> None:
        _log.debug(format, *values)

    def setup(self) -> None:
        super().setup()
        self._received = b""

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):  # gone, too slow, or closed from here
            self.close_connection = True

    def handle_one_request(self) -> None:
        """One request with its answer; a connection lives on for the next one if both sides like."""
        self.server.wait_for(self.connection)
        head = self._head()
        self.close_connection = True
        if not head:
            return
        self.connection.settimeout(_SEND_SECONDS)
        if not _REQUEST.fullmatch(head):
            self.command, self.requestline, self.request_version = "", "", self.protocol_version
            self.send_error(HTTPStatus.BAD_REQUEST, "not a request of HTTP/1.1")
            return
        self.rfile = io.BytesIO(head)
        self.raw_requestline = self.rfile.readline(_HEAD_BYTES)
        if self.parse_request():
            self._answer()

    def _head(self) -> bytes:
        """First line and headers of the next request; nothing if there is none in time."""
        deadline = time.monotonic() + self.server.head_seconds
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._received) > _HEAD_BYTES:
                return b""
            self.connection.settimeout(left)
            piece = self.connection.recv(_HEAD_BYTES)
            if not piece:
                return b""
            self._received += piece
        head, self._received = self._received[: end + 4], self._received[end + 4 :]
        return head

    def _answer(self) -> None:
        """Refuse what is not wanted here, or give what is there."""
        hosts = self.headers.get_all("Host", [])
        if self.command not in METHODS:
            self.close_connection = True  # what it has for a body is not read
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
        elif {*self.headers.get_all("Content-Length", [])} - {"0"} or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, "a body is not expected")
        elif len(hosts) != 1 or not self.server.knows(hosts[0]):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "this server is asked by the name of its machine only")
        elif (key := key_of(self.path)) is None:  # readers of older Zarr ask for hidden files
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._give(key)

    def _give(self, key: str) -> None:
        try:
            with self.server.at_work(self.connection):
                content = self.server.find(key)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with the data, the server goes on
            known = isinstance(error, DeepcamsError | OSError)
            _log.warning("%s cannot be given: %s", key, error, exc_info=not known)
            refused = isinstance(error, PermissionError)
            self.send_error(HTTPStatus.FORBIDDEN if refused else HTTPStatus.INTERNAL_SERVER_ERROR, "cannot be read")
            return
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with content.stream:
            self._send(content)

    def _send(self, content: Content) -> None:
        """Send content, or the part of it that is asked for, or say that it has not changed."""
        tag = f'"{content.tag}"'
        if tag in self.headers.get("If-None-Match", ""):
            self._begin(HTTPStatus.NOT_MODIFIED, content)
            self.end_headers()
            return
        whole_is_wanted = self.command == "HEAD" or self.headers.get("If-Range", tag) != tag
        try:
            part = None if whole_is_wanted else part_of(self.headers.get("Range"), content.size)
        except RangeRefused:
            self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, size=content.size)
            return
        self._begin(HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT, content)
        if part is not None:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[-1]}/{content.size}")
        whole = range(content.size) if part is None else part
        self.send_header("Content-Type", content.media)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        if self.command != "HEAD":
            self._copy(content, whole)

    def _begin(self, status: HTTPStatus, content: Content) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{content.tag}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", content.keeping)

    def _copy(self, content: Content, part: range) -> None:
        """Send bytes piece by piece; each piece has its time."""
        content.stream.seek(part.start)
        left = len(part)
        while left:
            piece = content.stream.read(min(left, _PIECE))
            if not piece:  # shorter than it was: the other side must not wait for the rest
                self.close_connection = True
                return
            self.server.wait_for(self.connection)
            self.wfile.write(piece)
            left -= len(piece)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None, *, size: int | None = None,
                   ) -> None:  # fmt: skip
        """A refusal in plain text; never anything that came with the request."""
        text = f"{int(code)} {message or HTTPStatus(code).phrase}\n".encode()
        self.send_response(code)
        if code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", ", ".join(METHODS))
        if size is not None:
            self.send_header("Content-Range", f"bytes */{size}")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if getattr(self, "command", "GET") != "HEAD":
            self.wfile.write(text)


def start(find: Find, host: str, port: int | None = None, *, usual: int = 8710) -> Server:
    """A server bound to an address.

    Args:
        find: what is at a place.
        host: name or address of the interface; 127.0.0.1 is this machine alone.
        port: None for the usual one, or any free one if that is taken.
        usual: the usual one, so that links keep working from one day to the next.

    Raises:
        InputError: if the address cannot be had.
    """
    if not host:  # to sockets it would mean every interface
        raise InputError("the host is empty; wanted an address to listen on, like 127.0.0.1")
    if port is None:
        try:
            return Server(find, host, usual)
        except _NO_ADDRESS:
            port = 0
    if not 0 <= port < _PORTS:
        raise InputError(f"port {port}: wanted 0 (any that is free) to {_PORTS - 1}")
    try:
        return Server(find, host, port)
    except _NO_ADDRESS as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{host} port {port}: cannot be listened on ({why}); give another --port or --host") from error
