"""A web server on loopback that answers as it is told, and misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_PIECES = 20  # of a second: how often a dripping server sends


@dataclass(frozen=True)
class Request:
    """What a client asked for.

    Attributes:
        method: in capitals.
        path: decoded, without the query.
        query: the values of each key.
        headers: with their names in small letters.
        body: what was sent along.
        match: of a route's pattern with the path; None where the path is the route's to the letter.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    match: re.Match[str] | None = None

    def json(self) -> Any:
        return json.loads(self.body)

    def value(self, key: str, default: str | None = None) -> str | None:
        """The first value of a key of the query."""
        return self.query.get(key, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json"} | (headers or {}))


@dataclass(frozen=True)
class Status:
    """Another status instead of the answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Hang:
    """Nothing for some seconds, then the answer."""

    seconds: float


@dataclass(frozen=True)
class Drip:
    """The answer's body so slowly."""

    bytes_per_second: float


@dataclass(frozen=True)
class Truncate:
    """The connection ends after so many bytes of the body, of which more were announced."""

    after_bytes: int


@dataclass(frozen=True)
class Reset:
    """The connection is reset before anything is answered."""


@dataclass(frozen=True)
class WrongBody:
    """Another body with status 200, without ranges."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Fault = Status | Hang | Drip | Truncate | Reset | WrongBody
Handler = Callable[[Request], Reply]
Place = str | re.Pattern[str]


class Server:
    """The server; it runs within a ``with`` block.

    Attributes:
        url: where it is, without a slash at the end.
        requests: all that was asked so far.
        peak: how many requests were answered at the same time at most.
        connections: how many there were.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.peak = 0
        self.connections = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0
        self._routes: list[tuple[str, Place, Handler]] = []
        self._faults: list[tuple[Place, list[Fault]]] = []
        self._server = _QuietServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def route(self, method: str, place: Place, handler: Handler | Reply) -> None:
        """Answer requests to a path, or to those that match a pattern whole; the last route that fits is taken."""
        answer = handler if callable(handler) else lambda request: handler
        with self._lock:
            self._routes.insert(0, (method.upper(), place, answer))

    def serve(
        self,
        place: Place,
        body: bytes,
        *,
        etag: str | None = "",
        modified: str | None = None,
        ranges: bool = True,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Answer GET and HEAD with a file, and give its URL; by default its ETag is made from its content."""
        tag = f'"{hashlib.md5(body).hexdigest()}"' if etag == "" else etag
        known = {"ETag": tag, "Last-Modified": modified} | (headers or {})
        full = Reply(200, body, {name: value for name, value in known.items() if value is not None})
        for method in ("GET", "HEAD"):
            self.route(method, place, lambda request: _part(request, full) if ranges else full)
        return self.url + place if isinstance(place, str) else self.url

    def misbehave(self, place: Place, *faults: Fault) -> None:
        """Do so, one for each of the next requests to the path or pattern; then behave."""
        with self._lock:
            self._faults.append((place, list(faults)))

    def behave(self) -> None:
        """Forget the misbehaviour that is left."""
        with self._lock:
            self._faults.clear()

    def requests_to(self, place: Place, method: str | None = None) -> list[Request]:
        """What was asked of a path or a pattern so far."""
        with self._lock:
            return [one for one in self.requests if _fits(place, one.path)[0] and method in (None, one.method)]

    def _enter(self, request: Request) -> Fault | None:
        """Note a request, and take the fault that is meant for it."""
        with self._lock:
            self.requests.append(request)
            self._busy += 1
            self.peak = max(self.peak, self._busy)
            waiting = (faults for place, faults in self._faults if faults and _fits(place, request.path)[0])
            faults = next(waiting, None)
            return faults.pop(0) if faults else None

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            routes = list(self._routes)
        for method, place, handler in routes:
            fits, match = _fits(place, request.path)
            if fits and method == request.method:
                return handler(Request(**{**vars(request), "match": match}))
        return Reply(404, b"no such thing here")


def _fits(place: Place, path: str) -> tuple[bool, re.Match[str] | None]:
    if place == path:
        return True, None
    match = re.fullmatch(place, path)
    return match is not None, match


def _part(request: Request, full: Reply) -> Reply:
    """The range that was asked for, or the whole where the file is not the one any more (RFC 9110, 13.1.5 and 14)."""
    full = Reply(full.status, full.body, {"Accept-Ranges": "bytes"} | full.headers)
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    validators = [full.headers.get(name) for name in ("ETag", "Last-Modified")]
    if wanted is None or (condition is not None and condition not in validators):
        return full
    total, start = len(full.body), int(wanted[1])
    if start >= total:
        return Reply(416, b"", full.headers | {"Content-Range": f"bytes */{total}"})
    end = min(int(wanted[2] or total - 1), total - 1)
    told = {"Content-Range": f"bytes {start}-{end}/{total}"}
    return Reply(206, full.body[start : end + 1], full.headers | told)


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)  # without asking for the host's name, which may take long
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away."""


def _handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    """The class that answers for a server."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            request = self._request()
            fault = server._enter(request)
            try:
                self._misbehave(request, fault)
            finally:
                server._leave()

        do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def _request(self) -> Request:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = parse_qs(parts.query, keep_blank_values=True)
            return Request(self.command, unquote(parts.path), query, headers, body)

        def _misbehave(self, request: Request, fault: Fault | None) -> None:
            if isinstance(fault, Reset):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if isinstance(fault, Hang) and server.stopped.wait(fault.seconds):
                self.close_connection = True
                return
            if isinstance(fault, Status | WrongBody):
                self._send(Reply(getattr(fault, "status", 200), fault.body, fault.headers), None)
                return
            self._send(server._answer(request), fault)

        def _send(self, reply: Reply, fault: Fault | None) -> None:
            self.send_response(reply.status, _phrase(reply.status))
            lengths = {} if "Transfer-Encoding" in reply.headers else {"Content-Length": str(len(reply.body))}
            for name, value in (lengths | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if isinstance(fault, Drip):
                self._drip(reply.body, fault.bytes_per_second)
            elif isinstance(fault, Truncate):
                self.wfile.write(reply.body[: fault.after_bytes])
                self.close_connection = True
            else:
                self.wfile.write(reply.body)

        def _drip(self, body: bytes, speed: float) -> None:
            size = max(1, round(speed / _PIECES))
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                if server.stopped.wait(size / speed):
                    break

    return Answers


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
