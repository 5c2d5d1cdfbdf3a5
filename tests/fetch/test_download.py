"""Files that come whole or not at all, and go on where they stopped."""

import gzip
import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcams.errors import FetchError, InputError, OutputError, WriteError
from deepcams.fetch.claims import claimed
from deepcams.fetch.download import RefusedError, download
from tests.fetch.server import Drip, Hang, Reply, Reset, Status, Truncate, WrongBody

BODY = np.random.default_rng(7).bytes(300_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()
PLACE = "/data/file.nc"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "file.nc"


@pytest.fixture
def fetch(server, target, impatient):
    """Download the server's file."""

    def fetch(place=PLACE, patience=impatient, **options):
        return download(server.url + place, target, patience=patience, service="Testing", **options)

    return fetch


def is_done(target, body=BODY):
    """Whether the file is there whole, and nothing else."""
    return target.read_bytes() == body and [path.name for path in target.parent.iterdir()] == [target.name]


def ranges(server, place=PLACE):
    return [request.headers.get("range") for request in server.requests_to(place)]


def test_a_file_comes_whole(server, fetch, target):
    server.serve(PLACE, BODY)
    came = []
    done = fetch(size=len(BODY), checksum=f"md5:{MD5}", progress=came.append)
    assert (done.path, done.size, done.sha256) == (target, len(BODY), SHA256)
    assert is_done(target)
    assert sum(came) == len(BODY)
    assert ranges(server) == [None]


@pytest.mark.parametrize(
    "checksum", [None, f"md5:{MD5}", f"sha256:{SHA256.upper()}", f"sha512:{hashlib.sha512(BODY).hexdigest()}"]
)
@pytest.mark.parametrize("size", [None, len(BODY)])
def test_size_and_checksum_may_be_known(server, fetch, target, size, checksum):
    server.serve(PLACE, BODY)
    fetch(size=size, checksum=checksum)
    assert is_done(target)


def test_an_empty_file_is_one(server, fetch, target):
    server.serve(PLACE, b"")
    assert fetch().size == 0
    assert is_done(target, b"")


FAULTS = [Status(429, {"Retry-After": "0"}), Status(503), Hang(0.7), Drip(500.0), Truncate(100_000), Reset()]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize("options", [{}, {"etag": None, "modified": "Mon, 02 Jan 2023 03:04:05 GMT"},
                                     {"etag": None}, {"ranges": False}], ids=repr)  # fmt: skip
def test_it_comes_whole_all_the_same(server, fetch, target, fault, options):
    server.serve(PLACE, BODY, **options)
    server.misbehave(PLACE, fault, fault)
    fetch(size=len(BODY))
    assert is_done(target)


def test_it_goes_on_where_it_stopped(server, fetch, target):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, Truncate(100_000), Truncate(50_000))
    fetch()
    assert is_done(target)
    assert ranges(server) == [None, "bytes=100000-", "bytes=150000-"]
    assert server.requests[1].headers["if-range"] == f'"{MD5}"'


def test_what_gets_further_is_not_counted_as_in_vain(server, fetch, target, impatient):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, *[Truncate(10_000)] * 29)
    fetch(patience=replace(impatient, tries=2))
    assert is_done(target)
    assert len(server.requests) == 30


def test_what_begins_anew_each_time_is(server, fetch, target):
    server.serve(PLACE, BODY, ranges=False)
    server.misbehave(PLACE, *[Truncate(100_000)] * 99)
    with pytest.raises(FetchError, match="ended early"):
        fetch()
    assert 3 <= len(server.requests) <= 4
    assert not target.exists()


def test_a_slow_drip_is_given_up(server, fetch, target):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, *[Drip(100.0)] * 9)
    with pytest.raises(FetchError, match=r"only \d+ bytes/s came, wanted 1000"):
        fetch()
    assert not target.exists()


def test_a_later_call_goes_on(server, fetch, target):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, Truncate(200_000), *[Status(503)] * 9)
    with pytest.raises(FetchError, match=r"503.*what was fetched is kept"):
        fetch()
    assert not target.exists()
    server.requests.clear()
    server.behave()
    came = []
    fetch(progress=came.append)
    assert is_done(target)
    assert ranges(server) == ["bytes=200000-"]
    assert sum(came) == 100_000


@pytest.mark.parametrize("options", [{}, {"etag": None, "modified": "Mon, 02 Jan 2023 03:04:05 GMT"}], ids=repr)
def test_a_file_that_has_changed_starts_anew(server, fetch, target, options):
    server.serve(PLACE, BODY, **options)
    server.misbehave(PLACE, Truncate(200_000), *[Status(404)] * 1)
    with pytest.raises(RefusedError):
        fetch()
    other = BODY[::-1]
    server.serve(PLACE, other, **options | ({"modified": "Tue, 03 Jan 2023 03:04:05 GMT"} if options else {}))
    fetch()
    assert is_done(target, other)
    assert ranges(server)[-1] == "bytes=200000-"


def test_a_weak_etag_is_no_reason_to_go_on(server, fetch, target):
    server.serve(PLACE, BODY, etag='W/"weak"')
    server.misbehave(PLACE, Truncate(100_000))
    fetch()
    assert is_done(target)
    assert ranges(server) == [None, None]


def test_a_checksum_is(server, fetch, target):
    server.serve(PLACE, BODY, etag=None)
    server.misbehave(PLACE, Truncate(100_000))
    fetch(checksum=f"md5:{MD5}")
    assert is_done(target)
    assert ranges(server) == [None, "bytes=100000-"]


def test_parts_that_do_not_belong_together_are_found_by_it(server, fetch, target):
    server.serve(PLACE, BODY[::-1], etag=None)
    server.misbehave(PLACE, Truncate(100_000), Status(404))
    with pytest.raises(RefusedError):
        fetch(checksum=f"md5:{MD5}")
    server.serve(PLACE, BODY, etag=None)
    fetch(checksum=f"md5:{MD5}")
    assert is_done(target)
    assert ranges(server)[-2:] == ["bytes=100000-", None]


@pytest.mark.parametrize("liar", [
    lambda request: Reply(206, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}", "ETag": '"a"'}),
    lambda request: Reply(206, BODY[100_000:], {"Content-Range": "bytes 100000-299999/400000", "ETag": '"a"'}),
    lambda request: Reply(206, BODY[100_000:], {"Content-Range": "bytes 100000-299999/300000", "ETag": '"b"'}),
    lambda request: Reply(206, BODY[100_000:], {"ETag": '"a"'}),
    lambda request: Reply(206, BODY[90_000:], {"Content-Range": "bytes 100000-299999/300000", "ETag": '"a"'}),
    lambda request: Reply(416, b"", {"Content-Range": "bytes */50"}),
    lambda request: Reply(416, b"", {}),
], ids=["another start", "another total", "another etag", "no range", "too much", "416", "416 without a total"])  # fmt: skip
def test_another_part_than_was_asked_for_is_not_taken(server, fetch, target, liar):
    whole = Reply(200, BODY, {"ETag": '"a"'})
    server.route("GET", PLACE, lambda request: liar(request) if "range" in request.headers else whole)
    server.misbehave(PLACE, Truncate(100_000))
    fetch()
    assert is_done(target)
    assert ranges(server) == [None, "bytes=100000-", None]


def test_what_was_killed_just_before_its_end_is_whole(server, fetch, target, impatient):
    """The last byte was there; the length had not been told, so only the server knows."""
    chunked = Reply(
        200, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), {"Transfer-Encoding": "chunked", "ETag": f'"{MD5}"'}
    )
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, WrongBody(chunked.body[:-5], chunked.headers), *[Status(503)] * 2)
    with pytest.raises(FetchError):
        fetch(patience=replace(impatient, read=0.2))
    fetch()
    assert is_done(target)
    assert ranges(server)[-1] == "bytes=300000-"


def test_a_chunked_body_is_whole_at_its_last_chunk(server, fetch, target):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:]))
    server.route("GET", PLACE, Reply(200, chunks + b"0\r\n\r\n", {"Transfer-Encoding": "chunked"}))
    fetch()
    assert is_done(target)


@pytest.mark.parametrize(
    "options", [{"size": len(BODY)}, {"checksum": f"md5:{MD5}"}, {"checksum": f"sha256:{SHA256}"}], ids=repr
)
def test_what_is_wrong_once_is_fetched_once_more(server, fetch, target, options):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, WrongBody(b"<html>please log in</html>"))
    fetch(**options)
    assert is_done(target)
    assert ranges(server) == [None, None]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"size": 5}, rf"{len(BODY)} came, wanted 5 \(bytes\)"), ({"checksum": "md5:00"}, rf"{MD5} came, wanted 00 \(md5\)"),
     ({"checksum": "sha256:12ab"}, rf"{SHA256} came, wanted 12ab \(sha256\)")],
)  # fmt: skip
def test_what_is_wrong_twice_is_thrown_away(server, fetch, target, options, said):
    server.serve(PLACE, BODY)
    with pytest.raises(FetchError, match=said):
        fetch(**options)
    assert len(server.requests) == 2
    assert list(target.parent.iterdir()) == []


def test_a_checksum_of_an_unknown_kind_is_refused(server, fetch):
    server.serve(PLACE, BODY)
    with pytest.raises(FetchError, match="'crc:12'; wanted md5 or"):
        fetch(checksum="crc:12")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_says_its_status(server, fetch, target, status):
    server.misbehave(PLACE, Status(status, {}, b"because"))
    with pytest.raises(RefusedError, match=rf"Testing: {server.url}{PLACE}: the service answers {status} \(") as caught:
        fetch()
    assert (caught.value.status, caught.value.content) == (status, b"because")
    assert len(server.requests) == 1
    assert list(target.parent.iterdir()) == []


def test_what_is_there_is_never_overwritten(server, fetch, target):
    server.serve(PLACE, BODY)
    target.parent.mkdir()
    target.write_text("mine")
    with pytest.raises(OutputError, match="exists already; it is left as it is"):
        fetch()
    assert (target.read_text(), server.requests) == ("mine", [])


def test_not_even_if_it_appears_in_the_meantime(server, fetch, target):
    server.serve(PLACE, BODY)
    with pytest.raises(OutputError, match="exists already"):
        fetch(record=lambda done: target.write_text("mine"))
    assert target.read_text() == "mine"


def test_the_check_sees_the_whole_file_before_it_has_its_name(server, fetch, target):
    server.serve(PLACE, BODY)
    seen = []

    def check(path):
        seen.append(path.name.endswith(target.name) and path.read_bytes() == BODY and not target.exists())

    fetch(check=check, record=lambda done: seen.append((done.sha256, target.exists())))
    assert seen == [True, (SHA256, False)]
    assert is_done(target)


def test_what_the_check_refuses_is_thrown_away(server, fetch, target):
    server.serve(PLACE, BODY)

    def check(path):
        raise InputError("not the month that was wanted")

    with pytest.raises(InputError, match="not the month"):
        fetch(check=check)
    assert list(target.parent.iterdir()) == []


def test_a_failure_to_record_keeps_what_came(server, fetch, target):
    server.serve(PLACE, BODY)

    def fail(done):
        raise WriteError("full")

    with pytest.raises(WriteError):
        fetch(record=fail)
    assert not target.exists()
    fetch()
    assert is_done(target)
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["file.nc", "file.csv"])
def test_what_comes_compressed_unasked_is_decoded(server, tmp_path, impatient, name):
    packed = gzip.compress(BODY)
    url = server.serve("/x", packed, headers={"Content-Encoding": "gzip"})
    server.misbehave("/x", Truncate(1000))
    done = download(url, tmp_path / name, size=len(BODY), checksum=f"md5:{MD5}", patience=impatient)
    assert (tmp_path / name).read_bytes() == BODY
    assert done.sha256 == SHA256
    assert ranges(server, "/x") == [None, "bytes=1000-"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["file.csv.gz", "file.zip"])
def test_a_compressed_file_stays_one_whatever_the_server_says(server, tmp_path, impatient, name):
    packed = gzip.compress(BODY)
    url = server.serve("/x", packed, headers={"Content-Encoding": "gzip"})
    download(url, tmp_path / name, size=len(packed), patience=impatient)
    assert (tmp_path / name).read_bytes() == packed


def test_a_damaged_or_unknown_encoding_is_refused(server, fetch, target):
    server.serve(PLACE, gzip.compress(BODY)[:-9], headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="it came damaged, twice"):
        fetch()
    server.serve(PLACE, b"??", headers={"Content-Encoding": "br"})
    with pytest.raises(FetchError, match="encoding 'br'"):
        fetch()
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_is_told_and_what_came_goes_on(server, fetch, target):
    server.serve(PLACE, BODY)
    target.parent.mkdir()
    partial = target.with_name(f".partial.{target.name}")
    partial.symlink_to("/dev/full")
    with pytest.raises(WriteError, match=r"file\.nc: the disk is full; \d+ MB are free"):
        fetch()
    partial.unlink()
    fetch()
    assert is_done(target)


def test_what_cannot_fit_is_not_begun(server, fetch, target):
    server.route("GET", PLACE, Reply(200, b"", {"Content-Length": str(10**18)}))
    with pytest.raises(WriteError, match="are still to come; make room"):
        fetch()
    assert not target.exists()


@pytest.mark.parametrize("noted", ["", "{", "[]", '{"etag": 1, "more": 2}', "null"])
def test_notes_that_make_no_sense_mean_starting_anew(server, fetch, target, noted):
    server.serve(PLACE, BODY)
    target.parent.mkdir()
    target.with_name(f".partial.{target.name}").write_bytes(b"something")
    target.with_name(f".partial.{target.name}.json").write_text(noted)
    fetch()
    assert is_done(target)
    assert ranges(server) == [None]


def test_more_bytes_than_there_should_be_are_thrown_away(server, fetch, target):
    server.serve(PLACE, BODY)
    target.parent.mkdir()
    target.with_name(f".partial.{target.name}").write_bytes(BODY + b"more")
    source = {"etag": f'"{MD5}"', "modified": "", "encoding": "", "total": len(BODY)}
    target.with_name(f".partial.{target.name}.json").write_text(json.dumps(source))
    fetch()
    assert is_done(target)


def test_of_two_threads_one_is_told(server, fetch, target):
    server.serve(PLACE, BODY)
    with claimed(target, "fetching"), pytest.raises(FetchError, match="another run fetches it now"):
        fetch()
    fetch()
    assert is_done(target)


SCRIPT = """
import sys
from pathlib import Path
from deepcams.fetch.download import download
from deepcams.fetch.patience import Patience
download(sys.argv[1], Path(sys.argv[2]), patience=Patience(slowest=1.0, tries=2, pause=0.01))
"""


@pytest.fixture
def another(server, target):
    """Another process that downloads the file, and has some of it when it is given."""

    def another(least=60_000):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, server.url + PLACE, str(target)], stderr=subprocess.PIPE
        )
        partial = target.with_name(f".partial.{target.name}")
        until = time.monotonic() + 30
        while not (partial.exists() and partial.stat().st_size >= least):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.01)
        return process

    return another


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_a_kill_left_is_gone_on_with(server, fetch, target, another, number):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, Drip(100_000.0))
    process = another()
    process.send_signal(number)
    process.communicate(timeout=10)
    assert not target.exists()
    fetch()
    assert is_done(target)
    (_, second) = ranges(server)
    assert 60_000 <= int(second.removeprefix("bytes=").removesuffix("-")) < len(BODY)


def test_of_two_processes_one_is_told(server, fetch, target, another):
    server.serve(PLACE, BODY)
    server.misbehave(PLACE, Drip(100_000.0))
    process = another()
    with pytest.raises(FetchError, match="another run fetches it now"):
        fetch()
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert is_done(target)


def test_threads_fetch_at_once(server, tmp_path, impatient):
    url = server.serve(PLACE, BODY)
    server.misbehave(PLACE, *[Hang(0.2)] * 4)
    threads = [threading.Thread(target=download, args=(url, tmp_path / f"{number}.nc"), kwargs={"patience": impatient})
               for number in range(4)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((tmp_path / f"{number}.nc").read_bytes() == BODY for number in range(4))
    assert server.peak == 4


MISFORTUNES = st.one_of(
    st.integers(0, len(BODY)).map(Truncate),
    st.sampled_from([Status(500), Status(429, {"Retry-After": "0"}), Reset(), WrongBody(b"<html>"), WrongBody(b"")]),
)


@given(
    st.lists(MISFORTUNES, max_size=6),
    st.sampled_from(
        [{}, {"ranges": False}, {"etag": None}, {"etag": 'W/"1"', "modified": "Mon, 02 Jan 2023 03:04:05 GMT"}]
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_it_is_whole_or_not_there(server, impatient, faults, options, checked):
    with TemporaryDirectory() as folder:
        target = Path(folder, "file.nc")
        url = server.serve(f"/{target.parent.name}", BODY, **options)
        server.misbehave(f"/{target.parent.name}", *faults)
        known = {"checksum": f"md5:{MD5}"} if checked else {"size": len(BODY)}
        for _ in range(8):
            try:
                download(url, target, patience=replace(impatient, tries=2, pause=0.0), **known)
                break
            except FetchError:
                assert not target.exists()
        assert is_done(target)
