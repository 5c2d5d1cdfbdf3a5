"""The server from outside: what it gives, what it refuses, and that slow and rude callers do not matter."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from contextlib import closing

import pytest

from deepcams.errors import InputError
from deepcams.viewer.content import of_bytes, of_file
from deepcams.viewer.names import file_in
from deepcams.viewer.server import start

DATA = bytes(range(256)) * 1000


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, and a secret outside it."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "data").write_bytes(DATA)
    (tmp_path / "store" / "page.html").write_text("<script>alert(1)</script>")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "store" / "link").symlink_to(tmp_path / "secret")
    return tmp_path / "store"


@pytest.fixture
def server(serve, folder):
    def find(key):
        if key == "broken":
            raise InputError("broken on purpose")
        if not key:
            return of_bytes(b"page", "text/html; charset=utf-8")
        file = file_in(folder, key)
        return of_file(file, folder) if file else None

    with serve(find) as server:
        yield server


def ask(server, path="/data", method="GET", **headers):
    """Status, headers and body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def raw(server, text: bytes) -> bytes:
    """All that comes back for some bytes, until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while piece := connection.recv(65536):
            found += piece
        return found


def test_it_listens_on_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_whole_files_and_parts(server):
    status, headers, body = ask(server)
    assert (status, body, headers["Accept-Ranges"]) == (200, DATA, "bytes")
    for text, part in [("0-9", slice(0, 10)), ("255990-", slice(255990, None)), ("-20", slice(-20, None)),
                       ("10-99999999", slice(10, None))]:  # fmt: skip
        status, headers, body = ask(server, Range=f"bytes={text}")
        assert (status, body) == (206, DATA[part])
        first = range(len(DATA))[part].start
        assert headers["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(DATA)}"


def test_head_says_what_get_would_give(server):
    status, headers, body = ask(server, method="HEAD", Range="bytes=-7")  # RFC 9110, 14.2: a range is for GET alone
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(DATA)))


@pytest.mark.parametrize("text", ["256000-", "5-2", "0-1,5-6", "-0", "x", "999999999999999999999999-", "0-0," * 999,
                                  " " * 9999 + "x"])  # fmt: skip
def test_ranges_that_make_no_sense_are_refused(server, text):
    status, headers, body = ask(server, Range=f"bytes={text}")
    assert status == 416
    assert headers["Content-Range"] == "bytes */256000"
    assert len(body) < 100


def test_a_file_that_has_changed_is_given_whole(server):
    tag = ask(server)[1]["ETag"]
    assert ask(server, If_None_Match=tag)[0] == 304
    assert ask(server, Range="bytes=0-1", If_Range=tag)[0] == 206
    assert ask(server, Range="bytes=0-1", If_Range='"older"')[2] == DATA


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/%2e%2e/secret", "/%252e%252e%252fsecret", "/data/../../secret", "/..%5csecret", "//secret", "/link",
     "/data/../../../../etc/passwd", "/data%00", "/" + "a" * 5000, "http://elsewhere/data"],
)  # fmt: skip
def test_nothing_outside_is_given(server, path):
    status, _, body = ask(server, path)
    assert status in (400, 403, 404, 421)
    assert b"secret" not in body
    assert b"root:" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_it_only_reads(server, method):
    status, headers, _ = ask(server, method=method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("header", [b"Content-Length: 44", b"Content-Length: 0\r\nContent-Length: 44", b"Content-Length : 44",
                                    b"X: y\r\n Content-Length: 44", b"X: y\rContent-Length: 44", b"X\r\nContent-Length: 44",
                                    b"Transfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked", b"X: \0",
                                    b"X: y\nTransfer-Encoding: chunked", b"\tX: y"])  # fmt: skip
def test_bodies_are_not_read(server, header):
    """However a body is told of: it is not taken for another request."""
    smuggled = b"GET /data HTTP/1.1\r\nHost: localhost\r\n\r\n"
    found = raw(server, b"GET /data HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n" + smuggled)
    assert found.startswith(b"HTTP/1.1 400")
    assert found.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8710", "LOCALHOST", "[::1]:80", "192.168.1.7", socket.gethostname()]
)
def test_its_own_names_are_known(server, host):
    assert ask(server, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8710", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
def test_other_names_are_refused(server, host):
    """A name of somebody else's that was made to lead here (DNS rebinding)."""
    assert ask(server, Host=host)[0] == 421


def test_a_request_without_a_name_or_with_two_is_refused(server):
    assert b" 421 " in raw(server, b"GET /data HTTP/1.1\r\n\r\n")[:20]
    assert b" 421 " in raw(server, b"GET /data HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")[:20]


@pytest.mark.parametrize("path", ["/", "/data", "/nothing", "/../x", "/broken"])
def test_headers_forbid_what_a_page_of_others_would_do(server, path):
    headers = ask(server, path)[1]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in headers
    assert "Python" not in headers["Server"]


def test_nothing_in_a_store_passes_for_a_page(server):
    assert ask(server, "/page.html")[1]["Content-Type"] == "application/octet-stream"


def test_what_is_broken_is_said_without_details(server):
    status, _, body = ask(server, "/broken")
    assert status == 500
    assert b"purpose" not in body


@pytest.mark.parametrize("text", [b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET /data HTTP/9.9\r\n\r\n", b"\xff\xfe\x00\r\n\r\n",
                                  b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"GET /" + b"a" * 70000])  # fmt: skip
def test_nonsense_ends_the_connection(server, text):
    found = raw(server, text)
    assert b" 200 " not in found[:20]
    assert ask(server)[0] == 200


@pytest.mark.parametrize(
    "text",
    [b"<script>", b"<script> /", b"GET / <script>", b"GET /<script>", b"GET / HTTP/<script>", b"GET / HTTP/1.1\r\n<script>",
     b"PRI * HTTP/2.0\r\n\r\nSM<script>", b"GET /<script> HTTP/1.1\r\nHost: localhost",
     b"GET / HTTP/1.1\nHost: localhost\n\nGET / HTTP/1.1\r\nHost: localhost"],
)  # fmt: skip
def test_a_refusal_has_its_headers_and_nothing_of_the_request(server, text):
    found = raw(server, text + b"\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 4")
    assert b"nosniff" in found
    assert b"script" not in found.partition(b"\r\n\r\n")[2]


def test_a_connection_serves_many_requests(server):
    one = b"GET /data HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-3\r\n\r\n"
    assert raw(server, one * 20).count(b"HTTP/1.1 206") == 20


def test_two_hundred_slow_callers_do_not_matter(server):
    """Some say nothing, some half a request, some ask and do not listen; the next one is served at once."""
    texts = [
        b"",
        b"GET /da",
        b"GET /data HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /data HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    slow = [socket.create_connection(("127.0.0.1", server.server_port), timeout=20) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(texts[number % len(texts)])
        begun = time.monotonic()
        assert all(ask(server)[2] == DATA for _ in range(5))
        assert time.monotonic() - begun < 5
    finally:
        for connection in slow:
            connection.close()


def test_when_there_are_too_many_the_longest_silent_goes(server):
    silent = [socket.create_connection(("127.0.0.1", server.server_port), timeout=20) for _ in range(300)]
    try:
        assert ask(server)[0] == 200
        assert silent[0].recv(1) == b""
    finally:
        for connection in silent:
            connection.close()


def test_those_who_do_not_take_their_answers_do_not_keep_others_out(server, folder):
    """An answer larger than what the system keeps for a connection, asked for by more than there may be."""
    (folder / "large").touch()
    os.truncate(folder / "large", 1 << 27)
    idle = []
    try:
        for _ in range(150):
            connection = socket.socket()
            idle.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.server_port))
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert all(ask(server)[2] == DATA for _ in range(20))
    finally:
        for connection in idle:
            connection.close()


def test_those_at_work_are_left_alone(serve, monkeypatch):
    """Whoever waits for us is not hung up on; then the new one is."""
    monkeypatch.setattr("deepcams.viewer.server._CONNECTIONS", 1)
    begun, go = threading.Event(), threading.Event()

    def find(key):
        begun.set()
        assert go.wait(20)
        return of_bytes(b"x")

    with serve(find) as server, socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(20)
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as second:
            assert second.recv(1) == b""
        go.set()
        assert first.recv(15) == b"HTTP/1.1 200 OK"


def test_a_file_that_shrinks_while_it_is_sent_ends_the_connection(server, folder):
    (folder / "large").touch()
    os.truncate(folder / "large", 1 << 26)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.server_port))
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        os.truncate(folder / "large", 1000)
        found = 0
        while piece := connection.recv(1 << 20):
            found += len(piece)
    assert found < 1 << 26


def test_what_cannot_be_read_is_not_said_to_be_absent(server, folder):
    """In a store, what is absent is missing data."""
    assert ask(server, "/link")[0] == 403
    assert ask(server, "/.zgroup")[0] == 404  # what readers of Zarr ask for to see its version
    folder.rename(folder.with_name("elsewhere"))
    assert ask(server)[0] == 500


def test_who_dawdles_is_dropped(serve):
    with serve(lambda key: of_bytes(b"x"), head_seconds=0.3) as server:
        connection = socket.create_connection(("127.0.0.1", server.server_port), timeout=20)
        begun = time.monotonic()
        with closing(connection):
            try:
                for letter in b"GET / HTTP/1.1":  # each in time, all of them not
                    connection.sendall(bytes([letter]))
                    time.sleep(0.05)
            except OSError:
                pass
            assert connection.recv(1) == b""
        assert time.monotonic() - begun < 5


def test_an_address_that_cannot_be_had_is_told(server):
    with pytest.raises(InputError, match=f"port {server.server_port}.*cannot be listened on"):
        start(server.find, "127.0.0.1", server.server_port)
    with pytest.raises(InputError, match="wanted 0"):
        start(server.find, "127.0.0.1", 70000)
    with pytest.raises(InputError, match="host is empty"):
        start(server.find, "")
    with pytest.raises(InputError, match="cannot be listened on"):
        start(server.find, "\u00fc" * 70)


def test_it_listens_on_ipv6(serve):
    try:
        with serve(lambda key: of_bytes(b"x"), host="::1") as server:
            assert server.url == f"http://[::1]:{server.server_port}/"
            with socket.create_connection(("::1", server.server_port), timeout=20) as connection:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: [::1]:{server.server_port}\r\n\r\n".encode())
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
    except InputError:
        pytest.skip("no IPv6 here")


def test_a_free_port_is_taken_where_the_usual_one_is_not_free(server):
    with start(server.find, "127.0.0.1", usual=server.server_port) as other:
        assert other.server_port not in (0, server.server_port)
