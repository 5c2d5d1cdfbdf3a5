"""A small web server for one person: read-only, bounded in time, connections and bytes, safe to leave running.

It answers GET and HEAD for what a site has and nothing else. Whoever sends or reads slowly is dropped after some seconds,
and when too many are connected, whoever has been silent for longest. A page of another site cannot read it: requests must
name this machine (against DNS rebinding), and no other origin is allowed.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deepcams.errors import InputError
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
_CONNECTIONS = 256
_HEAD_BYTES = 16384
_HEAD_SECONDS = 15.0  # for a whole request, and of silence between two
_SEND_SECONDS = 20.0  # for a piece of an answer
_PIECE = 65536  # bytes
_PORTS = 1 << 16
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
        self._connected: dict[Any, float | None] = {}  # since when each says nothing; None while it is answered
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
        """Answer a new connection in a thread of its own; if there are too many, one that is silent has to go."""
        self.note(request, silent=True)
        with self._guard:
            silent = {one: since for one, since in self._connected.items() if since is not None}
            surplus = min(silent, key=silent.__getitem__) if len(self._connected) > _CONNECTIONS else None
        if surplus is not None:
            _hang_up(surplus)
        super().process_request(request, client_address)

    def note(self, request: Any, *, silent: bool) -> None:
        """Remember that a connection has begun to wait for a request, or to be answered."""
        with self._guard:
            self._connected[request] = time.monotonic() if silent else None

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
        self.server.note(self.connection, silent=True)
        head = self._head()
        self.server.note(self.connection, silent=False)
        if not head:
            self.close_connection = True
            return
        self.connection.settimeout(_SEND_SECONDS)
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
        elif self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, "a body is not expected")
        elif len(hosts) != 1 or not self.server.knows(hosts[0]):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "this server is asked by the name of its machine only")
        elif (key := key_of(self.path)) is None:
            self.send_error(HTTPStatus.BAD_REQUEST, "no such path")
        else:
            self._give(key)

    def _give(self, key: str) -> None:
        try:
            content = self.server.find(key)
        except Exception:  # noqa: BLE001  # whatever is wrong with the data, the server goes on
            _log.warning("%s cannot be given", key, exc_info=True)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "cannot be read")
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
        stale = self.headers.get("If-Range", tag) != tag
        try:
            part = None if stale else part_of(self.headers.get("Range"), content.size)
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
    if port is None:
        try:
            return Server(find, host, usual)
        except OSError:
            port = 0
    if not 0 <= port < _PORTS:
        raise InputError(f"port {port}: wanted 0 (any that is free) to {_PORTS - 1}")
    try:
        return Server(find, host, port)
    except OSError as error:
        raise InputError(f"{host} port {port}: cannot be listened on ({error.strerror or error}); give another --port or "
                         "--host") from error  # fmt: skip
