"""The published dataset from a record on loopback: lists, checksums, what is kept, and what is refused."""

import hashlib
import io

import numpy as np
import pytest
import scipy.io

from deepcams.errors import FetchError, InputError, OutputError
from deepcams.fetch.index import Index
from deepcams.fetch.published import choose, fetch_published, list_record
from deepcams.io.published import open_maps
from tests.fetch.server import Drip, Status, Truncate, WrongBody, json_reply

CONTENTS = {"2019.zip": b"a" * 40_000, "2020.zip": b"b" * 50_000, "Read me.txt": b"how it was made"}


def matlab(rows=720):
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"data": np.full((rows, 1440), 7.5, np.float32)}, do_compression=True)
    return stream.getvalue()


@pytest.fixture
def record(server):
    """Serve a record with files; gives the address of the interface."""

    def record(contents=CONTENTS, **changes):
        files = []
        for number, (name, body) in enumerate(contents.items()):
            url = server.serve(f"/api/records/6967082/files/{number}/content", body)
            checksum = "md5:" + hashlib.md5(body).hexdigest()
            files.append({"key": name, "size": len(body), "checksum": checksum, "links": {"self": url}} | changes)
        server.route("GET", "/api/records/6967082", json_reply({"id": 6967082, "files": files}))
        return server.url + "/api"

    return record


@pytest.fixture
def fetch(tmp_path, impatient):
    def fetch(url, *patterns, **options):
        files = choose(list_record(url, patience=impatient), patterns)
        return fetch_published(tmp_path / "out", files, patience=impatient, **options)

    return fetch


@pytest.fixture
def there(tmp_path):
    return lambda: sorted(one.name for one in (tmp_path / "out").glob("*") if not one.name.startswith("."))


def test_a_record_is_listed(record, impatient):
    files = list_record(record(), patience=impatient)
    assert [(one.name, one.size) for one in files] == [("2019.zip", 40_000), ("2020.zip", 50_000), ("Read me.txt", 15)]
    assert [one.name for one in choose(files, ["2020*", "*.txt"])] == ["2020.zip", "Read me.txt"]
    with pytest.raises(
        InputError, match=r"no file of the record matches '2003\*': there are 2019.zip, 2020.zip, Read me.txt"
    ):
        choose(files, ["2003*"])


def test_files_come_whole_and_once(record, fetch, tmp_path, there, server):
    url, told = record(), []
    summary = fetch(url, progress=told.append)
    assert (summary.fetched, summary.kept, summary.size, sum(told)) == (3, 0, 90_015, 90_015)
    assert there() == ["2019.zip", "2020.zip", "Read me.txt", "fetched.json", "nodes.json", "published.json"]
    assert (tmp_path / "out" / "2020.zip").read_bytes() == CONTENTS["2020.zip"]
    before = len(server.requests_to(r".*/content"))
    again = fetch(url)
    assert (again.fetched, again.kept, len(server.requests_to(r".*/content"))) == (0, 3, before)


def test_only_what_was_chosen_comes(record, fetch, there):
    fetch(record(), "2020*")
    assert [name for name in there() if name.endswith("zip")] == ["2020.zip"]


def test_trouble_passes(record, fetch, server):
    url = record()
    server.misbehave(r".*/0/content", Status(429, {"Retry-After": "0"}), Truncate(9000))
    server.misbehave(r".*/1/content", Drip(100))
    server.misbehave("/api/records/6967082", Status(502))
    assert fetch(url).fetched == 3


def test_a_wrong_checksum_leaves_nothing(record, fetch, there):
    with pytest.raises(FetchError, match="md5"):
        fetch(record(checksum="md5:" + "0" * 32), "2019.zip")
    assert "2019.zip" not in there()


def test_two_runs_into_one_folder(record, fetch, tmp_path):
    url = record()
    with Index(tmp_path / "out").alone("published"), pytest.raises(FetchError, match="out: another run fetches it now"):
        fetch(url)
    assert fetch(url).fetched == 3


def test_a_folder_that_cannot_be_one(record, fetch, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="no files can be written there"):
        fetch(record())


def test_a_file_of_the_user_is_left_alone(record, fetch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2019.zip").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"2019\.zip"):
        fetch(record())
    assert (tmp_path / "out" / "2019.zip").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, InputError, "no record at .*answers 404"),
        (410, InputError, "no record at"),
        (403, FetchError, "answers 403"),
    ],
)
def test_a_record_that_is_not_given_is_told(server, impatient, status, error, words):
    server.misbehave("/api/records/6967082", Status(status))
    with pytest.raises(error, match=words):
        list_record(server.url + "/api", patience=impatient)


@pytest.mark.parametrize("name", ["../evil.mat", "a/b.mat", ".hidden", "", "a\\b.mat", "a\nb"])
def test_a_name_that_leads_elsewhere_is_refused(record, impatient, name):
    with pytest.raises(FetchError, match="wanted a plain name"):
        list_record(record({name: b"x"}), patience=impatient)


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"files": [{"key": "a"}]}', b'{"metadata": {}}'])
def test_another_answer_is_told(server, impatient, answer):
    server.misbehave("/api/records/6967082", WrongBody(answer))
    with pytest.raises(FetchError, match=r"does not list files|wanted JSON"):
        list_record(server.url + "/api", patience=impatient)


def test_a_record_whose_files_are_not_public_is_told(record, impatient):
    with pytest.raises(InputError, match="are not public"):
        list_record(record({}), patience=impatient)


def test_its_maps_are_read_as_published_and_where_they_were_computed(record, fetch, tmp_path):
    body = matlab()  # its header has the time
    fetch(record({"2019_12_31_15.mat": body}))
    folder = tmp_path / "out"
    assert open_maps(folder).grid.rows == 720
    assert open_maps(folder / "nodes.json").grid.rows == 721
    (folder / "published.json").write_text('{"hour_shift": 3}')
    fetch(record({"2019_12_31_15.mat": body}))
    assert (folder / "published.json").read_text() == '{"hour_shift": 3}'  # it is the user's
