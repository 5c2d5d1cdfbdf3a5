"""The index of a folder: what is whole, what is left alone, and what a kill leaves of it."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from deepcams.errors import FetchError, InputError, OutputError
from deepcams.fetch.download import download
from deepcams.fetch.index import NAME, Entry, Index

WHAT = {"start": "2020-01-01", "region": [55, 3, 50, 10]}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def index(folder):
    return Index(folder)


def entry(name="a.nc", body=b"abc", **more):
    return Entry(name, "Testing", WHAT, len(body), hashlib.sha256(body).hexdigest(), **more)


def put(index, name="a.nc", body=b"abc", what=WHAT):
    """A file that was fetched."""
    temporary = index.folder / f".{name.replace('/', '-')}"
    index.folder.mkdir(exist_ok=True)
    temporary.write_bytes(body)
    return index.admit(name, temporary, service="Testing", what=what, url="https://user:key@host/a.nc?key=1")


def test_an_empty_folder_has_nothing_and_gets_nothing(index, folder):
    assert index.known("a.nc") is None
    assert not index.is_whole("a.nc")
    assert index.entries() == []
    assert not folder.exists()


def test_what_was_fetched_is_known_here_and_in_the_next_run(index, folder):
    noted = put(index)
    assert (noted.size, noted.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    assert (noted.url, noted.time[:2]) == ("https://host/a.nc", "20")
    assert (folder / "a.nc").read_bytes() == b"abc"
    for one in (index, Index(folder)):
        assert one.known("a.nc") == noted
        assert one.entries() == [noted]
        assert one.is_whole("a.nc", what=WHAT)


def test_requests_are_compared_as_json(index):
    put(index, what={"days": (1, 2), "ü": None})
    assert index.is_whole("a.nc", what={"days": [1, 2], "ü": None})
    with pytest.raises(
        InputError, match=r'was fetched for \{"days": \[1, 2\].*wanted is \{"days": \[3\].*another folder'
    ):
        index.is_whole("a.nc", what={"days": [3]})


def test_files_may_be_in_folders_of_the_folder(index, folder):
    put(index, "2020/01/a.nc")
    assert (folder / "2020" / "01" / "a.nc").exists()
    assert index.is_whole("2020/01/a.nc")


def test_a_file_that_went_is_to_be_fetched_again(index, folder):
    put(index)
    (folder / "a.nc").unlink()
    assert not index.is_whole("a.nc")
    put(index, body=b"other")
    assert index.known("a.nc").size == 5
    assert Index(folder).is_whole("a.nc")


def test_a_file_that_is_not_known_is_left_as_it_is(index, folder):
    folder.mkdir()
    (folder / "a.nc").write_text("mine")
    with pytest.raises(InputError, match=r"was not fetched by deepcams.*left as it is: move it away"):
        index.is_whole("a.nc")
    with pytest.raises(OutputError, match="left as it is"):
        put(index)
    assert (folder / "a.nc").read_text() == "mine"


def test_a_file_that_has_changed_is_left_as_it_is(index, folder):
    put(index)
    (folder / "a.nc").write_bytes(b"xyz")
    with pytest.raises(InputError, match=r"has changed since it was fetched \(its checksum is another\)"):
        index.is_whole("a.nc")
    (folder / "a.nc").write_bytes(b"longer")
    with pytest.raises(InputError, match=r"6 bytes, fetched were 3\).*move it away"):
        index.is_whole("a.nc")


@pytest.mark.parametrize("name", ["../a.nc", "/etc/passwd", "a/../../b", "", ".", "a\\b", "a\0b", NAME])
def test_names_stay_in_the_folder(index, name):
    for use in (index.is_whole, index.claim, lambda name: index.add(entry(name))):
        with pytest.raises(InputError, match="no name for a fetched file"):
            use(name)


LINE = json.dumps(vars(entry(time="2026-01-01T00:00:00+00:00")))


@pytest.mark.parametrize(
    "line",
    ["garbage", "{}", "[]", "null", "3", '{"name": "a.nc"}', LINE.replace("a.nc", "../a.nc"),
     LINE.replace("}", "]"), LINE.replace('"what": {', '"what": 3, "that": {'),
     LINE.replace('"size": 3', '"size": "3"'),
     LINE.replace('"url"', '"link"'), LINE[:-1] + ', "more": 1}', "\0" * 9, "\udcff"],
)  # fmt: skip
def test_an_index_that_was_spoilt_says_where_and_what_to_do(folder, line):
    folder.mkdir()
    content = f"{LINE}\n\n{line}\n{LINE}\n".encode(errors="surrogateescape")
    (folder / NAME).write_bytes(content)
    advice = "no name for a fetched file" if "../" in line else r"line 3: wanted .*mend or remove this line"
    with pytest.raises(InputError, match=advice):
        Index(folder)
    assert (folder / NAME).read_bytes() == content


def test_an_index_that_is_no_file_is_told(folder):
    (folder / NAME).mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        Index(folder)


@pytest.mark.parametrize("cut", [1, 20, len(LINE) - 1])
def test_an_add_that_was_cut_short_is_none(folder, cut):
    folder.mkdir()
    (folder / NAME).write_text(LINE + "\n" + LINE.replace("a.nc", "b.nc")[:cut])
    index = Index(folder)
    assert [one.name for one in index.entries()] == ["a.nc"]
    index.add(entry("c.nc"))
    assert [json.loads(line)["name"] for line in (folder / NAME).read_text().splitlines()] == ["a.nc", "c.nc"]
    assert [one.name for one in Index(folder).entries()] == ["a.nc", "c.nc"]


def test_a_last_line_without_an_end_counts(folder):
    folder.mkdir()
    (folder / NAME).write_text(LINE)
    index = Index(folder)
    assert index.known("a.nc").size == 3
    index.add(entry("b.nc"))
    assert [one.name for one in Index(folder).entries()] == ["a.nc", "b.nc"]


def test_one_that_was_replaced_is_read_again(index, folder):
    put(index)
    put(index, "b.nc")
    (folder / "new").write_text(LINE.replace("a.nc", "c.nc") + "\n")
    (folder / "new").replace(folder / NAME)
    assert [one.name for one in index.entries()] == ["c.nc"]
    (folder / NAME).unlink()
    assert index.entries() == []
    index.add(entry())
    assert [one.name for one in Index(folder).entries()] == ["a.nc"]


def test_two_see_what_each_other_adds(index, folder):
    other = Index(folder)
    index.add(entry("a.nc"))
    other.add(entry("b.nc"))
    assert [one.name for one in index.entries()] == [one.name for one in other.entries()] == ["a.nc", "b.nc"]


def test_threads_add_at_once(folder):
    indexes = [Index(folder), Index(folder)]

    def add(number):
        for count in range(50):
            indexes[number % 2].add(entry(f"{number}-{count}.nc"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one.entries()) for one in (*indexes, Index(folder))] == [200, 200, 200]


ADDING = """
import sys
from pathlib import Path
from deepcams.fetch.index import Entry, Index
index = Index(Path(sys.argv[1]))
for count in range(int(sys.argv[3])):
    index.add(Entry(f"{sys.argv[2]}-{count}.nc", "Testing", {"text": "x" * 5000}, 3, "0" * 64))
"""


def adding(folder, name, count):
    return subprocess.Popen([sys.executable, "-c", ADDING, str(folder), name, str(count)], stderr=subprocess.PIPE)


def test_processes_add_at_once(folder):
    processes = [adding(folder, name, 200) for name in "ab"]
    for process in processes:
        assert process.wait(60) == 0, process.communicate()
    assert len(Index(folder).entries()) == 400


def test_a_kill_while_adding_spoils_nothing(folder):
    for name in "abc":
        process = adding(folder, name, 10**9)
        before = (folder / NAME).stat().st_size if (folder / NAME).exists() else 0
        until = time.monotonic() + 30
        while not (folder / NAME).exists() or (folder / NAME).stat().st_size < before + 100_000:
            assert time.monotonic() < until, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        names = [one.name for one in Index(folder).entries()]
        assert {f"{name}-{count}.nc" for count in range(15)} <= set(names)
    Index(folder).add(entry())
    assert Index(folder).known("a.nc")


LOCKING = """
import fcntl, sys
stream = open(sys.argv[1], "a")
fcntl.lockf(stream, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def test_one_that_is_locked_for_long_is_told(index, folder, monkeypatch):
    index.add(entry())
    with subprocess.Popen(
        [sys.executable, "-c", LOCKING, str(folder / NAME)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        monkeypatch.setattr("deepcams.fetch.index._PATIENCE", 0.1)
        with pytest.raises(FetchError, match="locked by another run"):
            index.add(entry("b.nc"))
        other.stdin.close()
    index.add(entry("b.nc"))


def test_a_folder_is_claimed_for_a_service_once(index, folder):
    with index.alone("openaq"):
        with pytest.raises(FetchError, match=f"^{re.escape(str(folder))}: another run fetches"), index.alone("openaq"):
            pytest.fail("claimed twice")
        with index.alone("geos-cf"), index.claim("openaq"):
            pass
    assert not list(folder.iterdir())


def test_a_name_is_claimed_once(index, folder):
    with index.claim("x/a.nc"):
        with pytest.raises(FetchError, match="another run fetches it now"), index.claim("x/a.nc"):
            pass
        with index.claim("x/b.nc"):
            pass
    with index.claim("x/a.nc"):
        pass
    assert list((folder / "x").iterdir()) == []


def test_a_download_is_recorded_before_it_has_its_name(server, index, folder, impatient):
    """So a kill between the two leaves no file that is not known; and the next run ends what it began."""
    url = server.serve("/a.nc", b"abc")

    class Killed(BaseException):
        pass

    def record(done):
        index.add(Entry("a.nc", "Testing", WHAT, done.size, done.sha256, url))
        raise Killed

    with pytest.raises(Killed):
        download(url, folder / "a.nc", patience=impatient, record=record)
    index = Index(folder)
    assert index.known("a.nc")
    assert not index.is_whole("a.nc")
    download(url, folder / "a.nc", patience=impatient)
    assert index.is_whole("a.nc")
    assert len(server.requests) == 1
