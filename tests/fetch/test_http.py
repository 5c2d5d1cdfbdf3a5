"""Asking patiently: what is tried again, for how long, what is sent where, and what messages do not tell."""

import gzip
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from deepcams.errors import FetchError, InputError
from deepcams.fetch.connection import library
from deepcams.fetch.http import get
from deepcams.fetch.patience import Attempts, Patience, retry_after
from deepcams.fetch.stopping import Stopped, stopped_by
from tests.fetch.server import Drip, Hang, Reply, Reset, Server, Status, Truncate, json_reply

KEY = "0123-very-secret"


@pytest.fixture
def ask(server, impatient):
    """Get a path of the server."""

    def ask(path="/thing", patience=impatient, **options):
        return get(server.url + path, patience=patience, service="Testing", **options)

    return ask


def test_an_answer_has_status_headers_content_and_json(server, ask):
    server.route("GET", "/thing", lambda request: json_reply({"page": request.query["page"], "ü": 1}))
    answer = ask(params={"page": 2, "of": "a b"})
    assert (answer.status, answer.json()) == (200, {"page": ["2"], "ü": 1})
    assert answer.headers["content-type"] == answer.headers["Content-Type"] == "application/json"
    (request,) = server.requests
    assert request.query["of"] == ["a b"]
    assert request.headers["user-agent"].startswith("deepcams/")
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_the_service_says_no_to_is_left_to_the_caller_at_once(server, ask, status):
    server.misbehave("/thing", Status(status, {}, b"no"))
    answer = ask()
    assert (answer.status, answer.content, len(server.requests)) == (status, b"no", 1)


@pytest.mark.parametrize(
    "fault",
    [Status(429, {"Retry-After": "0"}), Status(429), Status(500), Status(502), Status(503), Status(504), Reset(),
     Hang(1.0), Truncate(3), Drip(20.0)],
    ids=repr,
)  # fmt: skip
def test_what_may_pass_is_tried_again(server, ask, fault):
    server.route("GET", "/thing", Reply(200, b"x" * 200))
    server.misbehave("/thing", fault, fault)
    assert ask().content == b"x" * 200
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Status(429), "answers 429"), (Status(503), "answers 503"), (Reset(), "no connection"), (Hang(1.0), "no answer within"),
     (Truncate(3), "ended early"), (Drip(20.0), r"only \d+ bytes/s came, wanted 1000")],
    ids=repr,
)  # fmt: skip
def test_patience_ends(server, ask, fault, said):
    server.route("GET", "/thing", Reply(200, b"x" * 200))
    server.misbehave("/thing", *[fault] * 9)
    with pytest.raises(
        FetchError, match=rf"Testing: {server.url}/thing: .*{said}.* \(3 tries in \d+ s\).*same command"
    ):
        ask()
    assert len(server.requests) == 3


def test_nobody_there_is_a_failure_of_the_service(impatient):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="Connection refused"):
        get(f"http://127.0.0.1:{port}/x", patience=impatient)


def test_an_unknown_host_is_told(impatient):
    with pytest.raises(FetchError, match="name is not known here"):
        get("http://nowhere.invalid/x", patience=replace(impatient, tries=1, connect=20.0))


def test_headers_that_come_byte_by_byte_are_given_up(impatient):
    """Each byte comes in time, all of them never would."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip_headers, args=(listening,), daemon=True).start()
        before = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(FetchError, match="no answer within"):
            get(url, patience=replace(impatient, connect=0.3, read=0.3, tries=1))
    assert time.monotonic() - before < 3


def drip_headers(listening):
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(50):
            try:
                connection.sendall(b"X-%d: y\r\n" % number)
            except OSError:
                return
            time.sleep(0.1)


def test_a_service_that_asks_to_wait_is_waited_for(server, ask, impatient):
    server.route("GET", "/thing", Reply(200, b"done"))
    server.misbehave("/thing", Status(429, {"Retry-After": "1"}))
    before = time.monotonic()
    assert ask(patience=replace(impatient, longest_asked=2.0)).content == b"done"
    assert time.monotonic() - before >= 1


def test_one_that_asks_to_wait_too_long_is_given_up_at_once(server, ask):
    server.misbehave("/thing", Status(429, {"Retry-After": "3600"}))
    with pytest.raises(FetchError, match="429, and to come back in 3600 s"):
        ask()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("text", "wanted"), [("7", 7), ("", None), ("soon", None), ("-1", None)])
def test_retry_after_is_a_number(text, wanted):
    assert retry_after({"Retry-After": text}) == wanted


def test_retry_after_is_a_date():
    now = datetime.now(UTC)
    assert retry_after({"Retry-After": format_datetime(now + timedelta(seconds=30), usegmt=True)}) == pytest.approx(
        30, abs=2
    )
    assert retry_after({"Retry-After": format_datetime(now - timedelta(hours=1), usegmt=True)}) == 0


def test_the_deadline_is_kept(server, ask, impatient):
    server.misbehave("/thing", *[Status(500)] * 99)
    before = time.monotonic()
    with pytest.raises(FetchError, match="answers 500"):
        ask(patience=replace(impatient, tries=1000, deadline=0.3))
    assert time.monotonic() - before < 0.6


def test_the_deadline_is_kept_while_a_body_comes(server, ask, impatient):
    server.route("GET", "/thing", Reply(200, b"x" * 100_000))
    server.misbehave("/thing", Drip(20_000.0))
    with pytest.raises(FetchError, match=r"not done within 0\.3 s"):
        ask(patience=replace(impatient, deadline=0.3))


def test_pauses_double_and_have_an_end(monkeypatch):
    pauses = []
    monkeypatch.setattr("deepcams.fetch.stopping.sleep", pauses.append)
    attempts = Attempts(Patience(tries=10, pause=1.0, longest_pause=20.0), "x")
    for _ in range(9):
        attempts.again("broken")
    limits = [1, 2, 4, 8, 16, 20, 20, 20, 20]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))
    with pytest.raises(FetchError, match="10 tries"):
        attempts.again("broken")


def test_a_thread_that_is_stopped_does_not_wait(server, ask, impatient):
    stop = threading.Event()
    server.route("GET", "/thing", Reply(200, b"late"))
    server.misbehave("/thing", Hang(5.0))
    threading.Timer(0.2, stop.set).start()
    before = time.monotonic()
    with stopped_by(stop), pytest.raises(Stopped):
        ask(patience=replace(impatient, read=5.0))
    assert time.monotonic() - before < 2


def test_redirects_are_followed_without_the_key_to_other_hosts(server, ask):
    with Server() as other:
        other.route("GET", "/there", Reply(200, b"here"))
        server.route("GET", "/near", Reply(302, b"", {"Location": "/thing"}))
        server.route("GET", "/thing", Reply(307, b"", {"Location": f"{other.url}/there"}))
        answer = ask("/near", headers={"X-API-Key": KEY, "Authorization": KEY, "Range": "bytes=0-3"})
    assert answer.content == b"here"
    assert [request.headers.get("x-api-key") for request in server.requests] == [KEY, KEY]
    (request,) = other.requests
    assert KEY not in request.headers.values()
    assert request.headers["range"] == "bytes=0-3"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x"])
def test_redirects_lead_to_the_web_only(server, ask, target):
    server.route("GET", "/thing", Reply(302, b"", {"Location": target}))
    with pytest.raises(FetchError, match="not followed: wanted http or https"):
        ask()


def test_redirects_have_an_end(server, ask):
    server.route("GET", "/thing", Reply(302, b"", {"Location": "/thing"}))
    with pytest.raises(FetchError, match="more than 5 redirects"):
        ask()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_what_comes_compressed_unasked_is_decoded(server, ask, encoding):
    server.route("GET", "/thing", Reply(200, gzip.compress(b'{"a": 1}'), {"Content-Encoding": encoding}))
    assert ask().json() == {"a": 1}


def test_an_unknown_encoding_is_refused(server, ask):
    server.route("GET", "/thing", Reply(200, b"??", {"Content-Encoding": "br"}))
    with pytest.raises(FetchError, match="encoding 'br'"):
        ask()


def test_a_page_where_json_was_wanted_is_told(server, ask):
    server.route("GET", "/thing", Reply(200, b"<html>maintenance</html>"))
    with pytest.raises(FetchError, match="wanted JSON, the answer begins with b'<html>"):
        ask().json()


def test_an_empty_answer_is_one(server, ask):
    server.route("GET", "/thing", Reply(204))
    assert (ask().status, ask().content) == (204, b"")


@pytest.mark.parametrize("url", ["nothing", "ftp://host/x", "http://", "http://[bad/x", "http://a..b/x"])
def test_what_is_no_address_is_the_users_to_mend(url, impatient):
    with pytest.raises(InputError, match="wanted https://host/path"):
        get(url, patience=impatient)


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\u20ac"])
def test_a_key_with_impossible_characters_is_not_shown(ask, key):
    with pytest.raises(InputError, match="copy it again") as caught:
        ask(headers={"X-API-Key": key})
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "fault", [Status(500), Reset(), Truncate(1), Hang(1.0), Status(429, {"Retry-After": "9999"})], ids=repr
)
def test_no_message_tells_a_secret(server, impatient, fault):
    server.route("GET", "/thing", Reply(200, b"xxx"))
    server.misbehave("/thing", *[fault] * 9)
    url = server.url.replace("http://", f"http://user:{KEY}@") + f"/thing?key={KEY}"
    with pytest.raises(FetchError) as caught:
        get(url, params={"token": KEY}, headers={"Authorization": KEY}, patience=impatient)
    assert KEY not in str(caught.value)


def test_a_key_in_netrc_replaces_none_that_was_given(server, ask, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login user password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.route("GET", "/thing", Reply(200, b""))
    ask(headers={"Authorization": f"Bearer {KEY}"})
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_proxy_of_the_environment_is_used(server, impatient, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    server.route("GET", r"http://far\.invalid/x|/x", Reply(200, b"through the proxy"))
    assert get("http://far.invalid/x", patience=impatient).content == b"through the proxy"


def test_a_connection_is_used_again(server, ask):
    server.route("GET", "/thing", Reply(200, b"x"))
    for _ in range(3):
        ask()
    assert server.connections == 1


def test_a_missing_library_is_named():
    with pytest.raises(InputError, match=r'no_such_library.*pip install "deepcams\[fetch\]"'):
        library("no_such_library.inside")
    assert library("requests") is requests
